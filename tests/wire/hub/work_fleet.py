"""Clusters, placements decided by hand and one replica set: where cases of works begin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import config_map, replica_set
from tests.wire.hub.placed import Decided
from tests.wire.hub.stage import WORK, Stage, conditions

SET_LABEL, PLACEMENT_LABEL = f"{WORK}/manifestworkreplicaset", f"{WORK}/placementname"
FINALIZER = f"{WORK}/manifest-work-cleanup"
RULE = {
    "resourceIdentifier": {"group": "", "resource": "configmaps", "name": "c", "namespace": "default"},
    "conditionRules": [
        {"type": "CEL", "condition": "Progressing", "celExpressions": ["false"]},
        {"type": "CEL", "condition": "Degraded", "celExpressions": ["false"]},
    ],
}
DONE = {"Applied": "True", "Available": "True"}
"""What an agent reports that has no rules to judge by."""


class Fleet:
    """Cluster namespaces, placements decided by hand, and one replica set."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.home = ""
        self.placements: dict[str, Decided] = {}

    async def clusters(self, *shorts: str) -> None:
        """Make the namespaces that accepted clusters have."""
        for short in shorts:
            await self.stage.namespace(short)

    async def decide(self, short: str, *groups: tuple[str, ...]) -> None:
        """Have a placement choose these clusters."""
        self.home = self.home or await self.stage.namespace("home")
        if short not in self.placements:
            self.placements[short] = Decided(self.stage, self.home, short)
        await self.placements[short].decide(*groups)

    async def set(self, *placements: str, labels: dict[str, str] | None = None, **spec: Any) -> Object:
        """Create the replica set `rs`."""
        self.home = self.home or await self.stage.namespace("home")
        names = [self.stage.name(p) for p in placements]
        wanted = replica_set(self.stage.name("rs"), self.home, names, [config_map("c")])
        if spec.pop("rules", False):
            spec["manifestWorkTemplate"] = {
                **wanted["spec"]["manifestWorkTemplate"],
                "manifestConfigs": [RULE],
            }
        wanted["spec"] |= spec
        wanted["metadata"]["labels"] = labels or {}
        return await self.stage.create(wanted)

    async def works(self) -> list[Object]:
        """The works of the set, by cluster."""
        owner = f"{self.home}.{self.stage.name('rs')}"
        return await self.stage.list(f"{WORK}/v1", "ManifestWork", labels=f"{SET_LABEL}={owner}")

    async def where(self) -> list[tuple[str, str]]:
        """Cluster and placement of each work."""
        return [
            (
                self.stage.plain(w["metadata"]["namespace"]),
                self.stage.plain(w["metadata"]["labels"][PLACEMENT_LABEL]),
            )
            for w in await self.works()
        ]

    async def work(self, cluster: str) -> Object:
        """The one work of a cluster."""
        found = [w for w in await self.works() if w["metadata"]["namespace"] == self.stage.name(cluster)]
        assert len(found) == 1, found
        return found[0]

    async def places(self, **clusters: str) -> None:
        """Wait until there is exactly one work in each of these clusters, under that placement."""
        await self.stage.becomes(self.where, sorted(clusters.items()))

    async def reports(self, cluster: str, said: Mapping[str, str], *, stale: bool = False) -> None:
        """Give a cluster's work these conditions, as its agent would."""
        work = await self.work(cluster)
        generation = work["metadata"]["generation"] - stale
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = [
            {
                "type": type_,
                "status": status,
                "reason": "Test",
                "message": "",
                "observedGeneration": generation,
                "lastTransitionTime": now,
            }
            for type_, status in said.items()
        ]
        await self.stage.report(work, {"conditions": told})


async def placed(
    stage: Stage, chosen: tuple[str, ...], *others: str, labels: dict[str, str] | None = None, **spec: Any
) -> tuple[Fleet, Object]:
    """Clusters, a placement `p` that chooses some of them, and the replica set, with a work on each."""
    fleet = Fleet(stage)
    await fleet.clusters(*chosen, *others)
    await fleet.decide("p", chosen)
    owner = await fleet.set("p", labels=labels, **spec)
    await fleet.places(**dict.fromkeys(chosen, "p"))
    return fleet, owner


ZERO = {"total": 0, "applied": 0, "available": 0, "progressing": 0, "degraded": 0}


def summary(**counts: int) -> dict[str, int]:
    """A summary with these counts, the others 0."""
    return ZERO | counts


def told(
    verified: str, rolled_out: str, applied: str, total: dict[str, int], *placements: Any
) -> dict[str, Any]:
    """A whole status; reasons in short."""
    return {
        "PlacementVerified": verified,
        "PlacementRolledOut": rolled_out,
        "ManifestworkApplied": applied,
        "summary": total,
        "placements": list(placements),
    }


def part(name: str, groups: int, applied: int, of: int, counts: dict[str, int]) -> dict[str, Any]:
    """What is said of one placement."""
    text = f"{groups} ({applied} / {of} clusters applied)"
    return {"name": name, "availableDecisionGroups": text, "summary": counts}


async def status(stage: Stage, owner: Object) -> dict[str, Any]:
    """A set's status as `told` words it: True conditions by reason alone, False ones after a `!`."""
    found = stage.plain(await stage.get(owner))
    body = found.get("status") or {}
    whole: dict[str, Any] = {
        type_: reason if verdict == "True" else f"!{reason}"
        for type_, (verdict, reason, _) in conditions(found).items()
    }
    whole["summary"] = _counts(body)
    whole["placements"] = [{**p, "summary": _counts(p)} for p in body.get("placementSummary") or ()]
    return whole


def _counts(part: dict[str, Any]) -> dict[str, int]:
    """The counts that are kept; OCM's programs write others too, always as 0."""
    held = part.get("summary") or {}
    return {key: held.get(key, 0) for key in ZERO}
