"""A fleet that really ran a repository (the whole table, with agents), and the files that tell of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK, PLACEMENT_DECISION
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.plan.changes import Policy
from gitops_ocm.plan.waves import waves
from gitops_ocm.preview.carried_out import writes
from gitops_ocm.preview.run import planned
from gitops_ocm.report.status_files import owner_of_decision, path_of, status_file
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.runtime.catalog import committed_kinds, load_catalog
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet

CATALOG = load_catalog()
CLUSTERS = tuple(f"c{number}" for number in range(1, 7))
MANAGER = "sync"
Files = Mapping[str, Sequence[Object]]


def repository(files: Files, commit: str = "") -> DesiredState:
    """What a repository of these objects means."""
    texts = {path: "---\n".join(map(to_yaml, objects)) for path, objects in files.items()}
    state = compile_tree(memory_tree(texts, commit=commit), committed_kinds())
    assert state.ok, [str(d) for d in state.diagnostics]
    return state


def ordinary() -> dict[str, Sequence[Object]]:
    """Six clusters in two regions, two placements, a replica set on each, a work by hand."""
    files: dict[str, Sequence[Object]] = {
        f"clusters/{name}/cluster.yaml": [
            make.managed_cluster(name, labels={"region": "eu" if number % 2 else "us", "tier": f"t{number}"})
        ]
        for number, name in enumerate(CLUSTERS)
    }
    eu = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "eu"}}}}
    files["hub/fleet.yaml"] = [
        make.namespace("fleet"),
        make.binding("default", "fleet"),
        make.placement("all", "fleet"),
        make.placement("eu", "fleet", predicates=[eu]),
    ]
    files["works/web.yaml"] = [make.replica_set("web", "fleet", ["all"], [make.config_map("web")])]
    files["works/eu.yaml"] = [make.replica_set("eu", "fleet", ["eu"], [make.config_map("eu")])]
    files["works/one.yaml"] = [make.manifest_work("one", "c1", [make.config_map("one")])]
    return files


def merge(fleet: Fleet, base: DesiredState, head: DesiredState) -> None:
    """What the sync does on the hub, and all that follows at once."""
    for wave in waves(planned(base, head, Policy(max_prune_percent=100), owner="fleet")):
        for change in wave.changes:
            todo = writes(change, fleet.hub.get(change.ref), MANAGER)
            for result in fleet.simulation.act(*todo, manager=MANAGER):
                assert result.error is None, result.error
        fleet.simulation.settle()


def running(base: DesiredState) -> Fleet:
    """A fleet at rest, which has been given all of it."""
    fleet = Fleet(CLUSTERS, namespaces=("default",))
    merge(fleet, repository({}), base)
    fleet.advance(minutes=2)
    return fleet


def told(fleet: Fleet) -> Tree:
    """The status branch of a fleet."""
    texts = {}
    decisions: dict[Ref, list[Object]] = {}
    for obj in fleet.hub.list(PLACEMENT_DECISION):
        decisions.setdefault(owner_of_decision(obj), []).append(obj)
    for obj in fleet.hub.all():
        if path := path_of(ref_of(obj)):
            texts[path] = status_file(obj, decisions.get(ref_of(obj), ()))
    return memory_tree(texts)


def outcome(objects: Mapping[Ref, Object]) -> dict[str, object]:
    """What a fleet comes to: who is selected where, and what is on each cluster; names of works aside."""
    found: dict[str, object] = {}
    for ref, obj in sorted(objects.items()):
        labels = obj["metadata"].get("labels") or {}
        if ref.of == PLACEMENT_DECISION:
            names = [d["clusterName"] for d in (obj.get("status") or {}).get("decisions") or ()]
            found[f"{ref.namespace}/{ref.name}"] = names
        elif ref.of == MANIFEST_WORK:
            owner = labels.get("work.open-cluster-management.io/manifestworkreplicaset", ref.name)
            found[f"{ref.namespace} {owner}"] = normalised(obj["spec"])
        elif ref.of == CLUSTER_ADDON:
            found[str(ref)] = obj.get("spec")
    return found
