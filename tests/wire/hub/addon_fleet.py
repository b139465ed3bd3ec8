"""Clusters, placements decided by hand and one add-on: where cases of add-ons begin."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import addon, cluster_addon, managed_cluster
from tests.wire.hub.placed import Decided
from tests.wire.hub.stage import ADDON, Stage

ALPHA, BETA = f"{ADDON}/v1alpha1", f"{ADDON}/v1beta1"
LIFECYCLE = f"{ADDON}/lifecycle"


class Fleet:
    """Clusters with their namespaces, placements decided by hand, and one add-on, `web`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.home = ""
        self.web: Object = {}
        self.clusters: dict[str, Object] = {}
        self.placements: dict[str, Decided] = {}

    async def join(self, *shorts: str, **annotations: str) -> None:
        """Clusters as registration leaves them; annotations are the add-on group's."""
        for short in shorts:
            await self.stage.namespace(short)
            made = managed_cluster(self.stage.name(short))
            made["metadata"]["annotations"] = {f"{ADDON}/{k}": v for k, v in annotations.items()}
            self.clusters[short] = await self.stage.create(made)

    async def decide(self, short: str, *groups: tuple[str, ...]) -> None:
        """Have a placement choose these clusters."""
        self.home = self.home or await self.stage.namespace("home")
        if short not in self.placements:
            self.placements[short] = Decided(self.stage, self.home, short)
        await self.placements[short].decide(*groups)

    async def install(self, *placements: str, lifecycle: str | None = None) -> None:
        """The add-on, going by these placements."""
        self.home = self.home or await self.stage.namespace("home")
        by = [(self.home, self.stage.name(p)) for p in placements]
        marks = None if lifecycle is None else {LIFECYCLE: lifecycle}
        self.web = await self.stage.create(addon(self.stage.name("web"), by, annotations=marks))

    async def manual(self) -> None:
        """The add-on, going where people put it."""
        self.web = await self.stage.create(addon(self.stage.name("web")))

    async def put(self, cluster: str, **annotations: str) -> Object:
        """The add-on on one cluster, by hand."""
        marks = {f"{ADDON}/{k}": v for k, v in annotations.items()}
        return await self.stage.create(
            cluster_addon(self.stage.name("web"), self.stage.name(cluster), annotations=marks)
        )

    async def on(self, cluster: str) -> Object | None:
        """The add-on on one cluster."""
        name = self.stage.name("web")
        return await self.stage.find(ALPHA, "ManagedClusterAddOn", name, self.stage.name(cluster))

    async def found(self, cluster: str) -> Object:
        """The add-on that is on one cluster."""
        found = await self.on(cluster)
        assert found is not None, cluster
        return found

    async def where(self) -> list[str]:
        """The clusters that have the add-on, apart from those where it is being deleted."""
        found = await self.stage.list(ALPHA, "ManagedClusterAddOn")
        return [
            self.stage.plain(a["metadata"]["namespace"])
            for a in found
            if a["metadata"]["name"] == self.stage.name("web") and "deletionTimestamp" not in a["metadata"]
        ]

    async def is_on(self, *clusters: str) -> None:
        """Wait until exactly these clusters have it."""
        await self.stage.becomes(self.where, sorted(clusters))

    async def owners(self, cluster: str) -> Any:
        """The owner references on one cluster, short."""
        return self.stage.bare(await self.found(cluster))["metadata"].get("ownerReferences", [])

    async def marks(self, cluster: str) -> Any:
        """The add-on annotations on one cluster, short."""
        found = await self.on(cluster)
        held = (found or {"metadata": {}})["metadata"].get("annotations") or {}
        return {k.removeprefix(f"{ADDON}/"): v for k, v in held.items() if k.startswith(ADDON)}

    async def another(self) -> None:
        """Wait until a second, unrelated add-on is where it belongs: so long everything else had time."""
        other = Fleet(self.stage)
        other.home = self.home or await self.stage.namespace("home")
        await other.join("witness")
        await other.decide("pw", ("witness",))
        by = [(other.home, self.stage.name("pw"))]
        await self.stage.create(addon(self.stage.name("other"), by))
        name, namespace = self.stage.name("other"), self.stage.name("witness")
        await self.stage.until(
            lambda: self.stage.find(ALPHA, "ManagedClusterAddOn", name, namespace), "the witness"
        )


async def installed(
    stage: Stage, chosen: tuple[str, ...], *others: str, lifecycle: str | None = None, **annotations: str
) -> Fleet:
    """Clusters, a placement `p` that chooses some of them, and the add-on, which goes by it."""
    fleet = Fleet(stage)
    await fleet.join(*chosen, *others, **annotations)
    await fleet.decide("p", chosen)
    await fleet.install("p", lifecycle=lifecycle)
    return fleet


OWNER = {
    "apiVersion": BETA,
    "kind": "ClusterManagementAddOn",
    "name": "web",
    "controller": True,
    "blockOwnerDeletion": True,
}
