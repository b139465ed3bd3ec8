"""A replica set over a fleet in memory whose agents are played by the test: who has which template?

A test says how a cluster's work fares, with the conditions an agent would write; the hub's controllers and
the clock are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitops_ocm.api.work_replicaset import ROLLED_OUT
from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.kinds import MANIFEST_WORK, PLACEMENT, REPLICA_SET
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import name_of, namespace_of, status_of
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet

SET = Ref(*REPLICA_SET, "fleet", "web")
RULES = [
    {
        "resourceIdentifier": {"group": "", "resource": "configmaps", "name": "c", "namespace": "default"},
        "conditionRules": [
            {"type": "CEL", "condition": name, "celExpressions": ["false"]}
            for name in ("Progressing", "Degraded")
        ],
    }
]
SAID = {
    "good": {"Applied": "True", "Available": "True", "Progressing": "False", "Degraded": "False"},
    "busy": {"Applied": "True", "Available": "True", "Progressing": "True", "Degraded": "False"},
    "bad": {"Applied": "True", "Available": "True", "Progressing": "True", "Degraded": "True"},
    "unapplied": {"Applied": "False"},
    "without rules": {"Applied": "True", "Available": "True"},
}
RING = "ring"


def template(value: str, *, rules: bool = True) -> Object:
    """What each cluster is to get."""
    manifests = [make.config_map("c", data={"value": value})]
    return {"workload": {"manifests": manifests}} | ({"manifestConfigs": RULES} if rules else {})


class Rollouts:
    """The fleet, a placement `p` over all of it in named groups, and the replica set `web`."""

    def __init__(
        self,
        fleets: Callable[..., Fleet],
        groups: Mapping[str, Iterable[str]],
        *strategies: Object,
        rules: bool = True,
        compat: bool = False,
        per_group: object = None,
    ) -> None:
        self.fleet = fleets(hub=HubSettings(rollout_compat=compat))
        self.rules = rules
        for ring, clusters in groups.items():
            self.fleet.create(*(make.managed_cluster(c, labels={RING: ring}) for c in clusters))
        self.fleet.create(make.binding("default", "fleet"))
        placements = [f"p{i}" if i else "p" for i in range(len(strategies))]
        rings = list(groups) if len(strategies) == 1 else []
        for place, name in enumerate(placements):
            chosen = list(groups) if rings else [list(groups)[place]]
            self.fleet.create(self.placement(name, chosen, rings, per_group))
        owner = make.replica_set("web", "fleet", placements, [])
        owner["spec"]["manifestWorkTemplate"] = template("1", rules=rules)
        for ref, strategy in zip(owner["spec"]["placementRefs"], strategies, strict=True):
            ref["rolloutStrategy"] = strategy
        self.fleet.create(owner)

    @staticmethod
    def placement(name: str, chosen: list[str], rings: list[str], per_group: object) -> Object:
        """A placement of clusters in these rings; each of `rings` but the last is a group of that name."""
        label = {"matchExpressions": [{"key": RING, "operator": "In", "values": chosen}]}
        defined = [
            {"groupName": ring, "groupClusterSelector": {"labelSelector": {"matchLabels": {RING: ring}}}}
            for ring in rings[:-1]
        ]
        strategy: Object = {"decisionGroups": defined}
        if per_group is not None:
            strategy["clustersPerDecisionGroup"] = per_group
        return make.placement(
            name,
            "fleet",
            predicates=[{"requiredClusterSelector": {"labelSelector": label}}],
            tolerations=[{"operator": "Exists"}],
            decisionStrategy={"groupStrategy": strategy},
        )

    def change(self, value: str) -> None:
        """Want something else on every cluster."""
        self.fleet.patch(SET, {"spec": {"manifestWorkTemplate": template(value, rules=self.rules)}})

    def restrategise(self, **options: object) -> None:
        """Change options of the first reference's strategy."""
        (first, *others) = self.fleet.get(SET)["spec"]["placementRefs"]
        kind = first["rolloutStrategy"]["type"]
        key = kind[0].lower() + kind[1:]
        block = {**first["rolloutStrategy"].get(key, {}), **options}
        changed = {**first, "rolloutStrategy": {"type": kind, key: block}}
        self.fleet.patch(SET, {"spec": {"placementRefs": [changed, *others]}})

    def works(self) -> dict[str, Object]:
        """The works of the set by cluster."""
        return {namespace_of(w): w for w in self.fleet.hub.list(MANIFEST_WORK)}

    def having(self, value: str) -> str:
        """The clusters whose work has this value."""
        found = {
            cluster: work["spec"]["workload"]["manifests"][0]["data"]["value"]
            for cluster, work in self.works().items()
        }
        return " ".join(sorted(cluster for cluster, held in found.items() if held == value))

    def fares(self, how: str, clusters: str, *, agents_time: bool = True) -> None:
        """These clusters' agents tell how it goes; a condition that stays as it is keeps its time.

        With `agents_time` each manifest's Applied condition is there as well, new with each generation.
        """
        for cluster in clusters.split():
            work = self.works()[cluster]
            status: Object = {"conditions": self._told(work, SAID[how])}
            if agents_time:
                status["resourceStatus"] = {"manifests": [self._manifest(work, SAID[how]["Applied"])]}
            ref = Ref(*MANIFEST_WORK, cluster, name_of(work))
            self.fleet.simulation.act(MergePatch(ref, {"status": status}, subresource="status"))
        self.fleet.simulation.settle()

    def _told(self, work: Object, said: Mapping[str, str]) -> list[Object]:
        held: dict[str, Object] = {c["type"]: c for c in status_of(work).get("conditions") or ()}
        return [self._condition(work, type_, status, held.get(type_, {})) for type_, status in said.items()]

    def _manifest(self, work: Object, applied: str) -> Object:
        manifests = (status_of(work).get("resourceStatus") or {}).get("manifests") or [{}]
        held: Object = next(iter(manifests[0].get("conditions") or ()), {})
        fresh = held if held.get("observedGeneration") == work["metadata"]["generation"] else {}
        meta = {"ordinal": 0, "version": "v1", "kind": "ConfigMap", "resource": "configmaps", "name": "c"}
        return {"resourceMeta": meta, "conditions": [self._condition(work, "Applied", applied, fresh)]}

    def _condition(self, work: Object, type_: str, status: str, held: Mapping[str, Any]) -> Object:
        same = held.get("status") == status
        return {
            "type": type_,
            "status": status,
            "reason": "Test",
            "message": "",
            "observedGeneration": work["metadata"]["generation"],
            "lastTransitionTime": held["lastTransitionTime"]
            if same
            else timestamp(self.fleet.simulation.now),
        }

    def wait(self, **span: float) -> None:
        """Let time pass; only timers wake anybody."""
        self.fleet.advance(**span)

    def said(self) -> tuple[str, str, str]:
        """The condition PlacementRolledOut."""
        found = self.fleet.condition(SET, ROLLED_OUT)
        assert found is not None
        return found

    def events(self) -> list[tuple[str, str]]:
        """The warnings about the set: reason and message."""
        about = [e for e in self.fleet.hub.events if e.about["kind"] == SET.kind and e.kind == "Warning"]
        return [(e.reason, e.message) for e in about]

    def place(self, name: str = "p") -> Ref:
        """The placement of that name."""
        return Ref(*PLACEMENT, "fleet", name)
