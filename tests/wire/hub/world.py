"""A namespace, sets and clusters of one case, and the placements in it."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, placement
from tests.wire.hub.placements import (
    FINE,
    SCHEDULED,
    Groups,
    Verdict,
    expected,
    seen,
)
from tests.wire.hub.stage import CLUSTER, Stage


class World:
    """A namespace, sets and clusters of one case, and the placements in it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.home = ""
        self.clusters: dict[str, Object] = {}
        self.sets: dict[str, Object] = {}
        self.bindings: dict[str, Object] = {}

    async def set(self, short: str, *members: str, bound: bool = True, **selector: str) -> None:
        """A set with these members, exclusive unless a selector is given."""
        name = self.stage.name(short)
        by = {"matchLabels": selector} if selector else None
        self.sets[short] = await self.stage.create(cluster_set(name, by))
        for member in members:
            await self.join(member, short)
        if bound:
            await self.bind(short)

    async def bind(self, short: str) -> None:
        """Bind a set to the namespace of the case."""
        self.home = self.home or await self.stage.namespace("home")
        self.bindings[short] = await self.stage.create(binding(self.stage.name(short), self.home))

    async def join(self, short: str, in_set: str = "", status: Object | None = None, **labels: str) -> Object:
        """A new cluster in a set."""
        held = self.stage.name(in_set) if in_set else ""
        made = managed_cluster(self.stage.name(short), cluster_set=held, labels=labels)
        self.clusters[short] = await self.stage.create(made, status)
        return self.clusters[short]

    async def taint(self, short: str, *taints: dict[str, str]) -> None:
        """Give a cluster these taints and no others."""
        await self.stage.patch(self.clusters[short], {"spec": {"taints": list(taints)}})

    async def move(self, short: str, to: str | None) -> None:
        """Put a cluster into another set."""
        name = self.stage.name(to) if to else None
        await self.stage.patch(
            self.clusters[short], {"metadata": {"labels": {f"{CLUSTER}/clusterset": name}}}
        )

    async def place(self, short: str = "p", **spec: Any) -> Object:
        """A placement."""
        self.home = self.home or await self.stage.namespace("home")
        return await self.stage.create(placement(self.stage.name(short), self.home, **spec))

    async def decides(
        self,
        made: Object,
        groups: Groups,
        satisfied: Verdict = SCHEDULED,
        misconfigured: Verdict = FINE,
    ) -> None:
        """Wait for exactly these groups."""
        short = self.stage.plain(made["metadata"]["name"])
        wanted = expected(short, groups, satisfied, misconfigured)
        await self.stage.becomes(lambda: seen(self.stage, made), wanted)


def no_intersection(*sets: str) -> Verdict:
    """The verdict when none of the sets that are asked for is bound."""
    return (
        "False",
        "NoIntersection",
        f"None of ManagedClusterSets [{','.join(sets)}] is bound to placement namespace",
    )


def empty_sets(*sets: str) -> Verdict:
    """The verdict when no set has any member."""
    return (
        "False",
        "AllManagedClusterSetsEmpty",
        f"All ManagedClusterSets [{','.join(sets)}] have no member ManagedCluster",
    )
