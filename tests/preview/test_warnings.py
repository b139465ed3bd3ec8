"""What a reviewer is warned of: each danger with its code and its line in Git, and nothing without danger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from gitops_ocm.api.cluster import AVAILABLE, TAINT_UNAVAILABLE, TAINT_UNREACHABLE
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.report.status_files import SYNC
from gitops_ocm.testing import objects as make
from tests.preview import test_addon_configs as addon_configs
from tests.preview.changes import drawn
from tests.preview.fleets import repository, running, told
from tests.preview.merged import BASE, NOW, Edit, Files, edited, named, previewed, small, written_at

SET = "cluster.open-cluster-management.io/clusterset"
CANARY = {
    "groupStrategy": {
        "decisionGroups": [
            {
                "groupName": "canary",
                "groupClusterSelector": {"labelSelector": {"matchLabels": {"rollout": "canary"}}},
            }
        ]
    }
}
SLOW = {"type": "Progressive", "progressive": {"maxConcurrency": 1}}
CANARY_FIRST = {
    "type": "Progressive",
    "progressive": {"maxConcurrency": 1, "mandatoryDecisionGroups": [{"groupName": "canary"}]},
}


def _group(name: str, **labels: str) -> Object:
    return {"groupName": name, "groupClusterSelector": {"labelSelector": {"matchLabels": labels}}}


def _grouped(*groups: Object) -> Object:
    return {"groupStrategy": {"decisionGroups": list(groups)}}


def _set(kind: str, name: str, *path: str, value: Any) -> Edit:
    def edit(files: Files) -> None:
        at = named(files, kind, name)
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value

    return edit


def _drop(kind: str, *names: str) -> Edit:
    def edit(files: Files) -> None:
        for path in list(files):
            files[path] = [
                o for o in files[path] if o["kind"] != kind or (names and o["metadata"]["name"] not in names)
            ]
            if not files[path]:
                del files[path]

    return edit


def _add(path: str, *objects: Object) -> Edit:
    return lambda files: files.update({path: list(objects)})


def _all(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def _web(*placements: str, strategy: Mapping[str, Any] | None = None) -> Object:
    found = make.replica_set("web", "fleet", list(placements), [make.config_map("web")])
    if strategy is not None:
        for ref in found["spec"]["placementRefs"]:
            ref["rolloutStrategy"] = strategy
    return found


def _web_edited(files: Files) -> None:
    template = named(files, "ManifestWorkReplicaSet", "web")["spec"]["manifestWorkTemplate"]
    template["workload"]["manifests"][0]["data"] = {"key": "other"}


def _label(name: str, key: str, value: str) -> Edit:
    return _set("ManagedCluster", name, "metadata", "labels", key, value=value)


def _selecting(path: str, label: str) -> Edit:
    def edit(files: Files) -> None:
        spec = files[path][0]["spec"]["workload"]["manifests"][0]["spec"]
        spec["selector"]["matchLabels"]["app"] = label
        spec["template"]["metadata"]["labels"]["app"] = label

    return edit


def _none(files: Files) -> None:
    """Change nothing."""


FROZEN = {**make.config_map("x"), "immutable": True}
ONCE = [
    {
        "resourceIdentifier": {"group": "", "resource": "configmaps", "namespace": "default", "name": "x"},
        "updateStrategy": {"type": "CreateOnly"},
    }
]
ORPHANED = {
    "propagationPolicy": "SelectivelyOrphan",
    "selectivelyOrphans": {
        "orphaningRules": [{"group": "", "resource": "namespaces", "namespace": "", "name": "shop"}]
    },
}
HUB, WORKS = "hub/fleet.yaml: ", "works/web.yaml: "
API = "apiVersion: cluster.open-cluster-management.io/"
WEB = {"works_web": [_web("all", strategy=SLOW)]}
CASES: dict[str, tuple[Edit, Edit, list[tuple[str, str]]]] = {
    "an ordinary rollout": (_add("works/web.yaml", _web("all", strategy=SLOW)), _web_edited, []),
    "a label nobody looks at": (_none, _label("c1", "colour", "red"), []),
    "a cluster comes": (
        _none,
        _add("clusters/c9.yaml", make.managed_cluster("c9", cluster_set="a", labels={"region": "eu"})),
        [],
    ),
    "nothing was selected before": (
        _set("Placement", "eu", "spec", "clusterSets", value=["b"]),
        _label("c1", "colour", "red"),
        [],
    ),
    "nobody is selected any more": (
        _none,
        _all(*(_label(name, "region", "us") for name in ("c1", "c3", "c4"))),
        [("placement-selects-nothing", "clusters/c1.yaml: region: us")],
    ),
    "a new placement without clusters": (
        _none,
        _add(
            "hub/p.yaml",
            make.placement(
                "p",
                "fleet",
                predicates=[
                    {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "mars"}}}}
                ],
            ),
        ),
        [("placement-selects-nothing", f"hub/p.yaml: {API}v1beta1")],
    ),
    "a placement where no set is bound": (
        _none,
        _add("hub/p.yaml", make.namespace("lonely"), make.placement("p", "lonely")),
        [("placement-unbound", f"hub/p.yaml: {API}v1beta1")],
    ),
    "a placement of a set that is not bound": (
        _drop("ManagedClusterSetBinding"),
        _set("Placement", "eu", "spec", "clusterSets", value=["b"]),
        [("placement-unbound", HUB + "clusterSets:")],
    ),
    "the only binding goes": (
        _drop("Placement", "one", "eu"),
        _drop("ManagedClusterSetBinding", "a"),
        [("placement-unbound", f"{HUB}{API}v1beta2")],
    ),
    "a placement loses most of what has something by it": (
        _all(_drop("Placement", "one", "eu"), _add("works/web.yaml", _web("all", strategy=SLOW))),
        _set(
            "Placement",
            "all",
            "spec",
            "predicates",
            value=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "us"}}}}],
        ),
        [("placement-loses-most", HUB + "predicates:")],
    ),
    "a placement loses most, and nobody uses it": (
        _none,
        _set(
            "Placement",
            "all",
            "spec",
            "predicates",
            value=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "us"}}}}],
        ),
        [],
    ),
    "a replica set names no placement": (
        _none,
        _add("works/web.yaml", _web("nowhere", strategy=SLOW)),
        [("placement-missing", WORKS + "- name: nowhere")],
    ),
    "a placement goes that is named": (
        _add("works/web.yaml", _web("one", strategy=SLOW)),
        _drop("Placement", "one"),
        [("placement-missing", f"{HUB}{API}v1beta1")],
    ),
    "a binding of no set": (
        _none,
        _add("hub/b.yaml", make.binding("c", "fleet")),
        [("binding-without-set", "hub/b.yaml: clusterSet: c")],
    ),
    "a binding of an empty set": (
        _none,
        _add("hub/b.yaml", make.cluster_set("c"), make.binding("c", "fleet")),
        [("binding-of-empty-set", f"hub/b.yaml: {API}v1beta2")],
    ),
    "a set goes with clusters in it": (
        _none,
        _drop("ManagedClusterSet", "b"),
        [("cluster-set-deleted", f"{HUB}{API}v1beta2")],
    ),
    "a set goes that is bound": (
        _add("hub/b.yaml", make.cluster_set("c"), make.binding("c", "fleet")),
        _drop("ManagedClusterSet", "c"),
        [("binding-without-set", f"hub/b.yaml: {API}v1beta2")],
    ),
    "a cluster leaves a set that a placement goes by": (
        _none,
        _label("c2", SET, "b"),
        [("cluster-leaves-set", f"clusters/c2.yaml: {SET}: b")],
    ),
    "a cluster moves where nobody looks": (_drop("Placement"), _label("c2", SET, "b"), []),
    "a cluster is put into no set": (
        _none,
        _label("c4", SET, "nowhere"),
        [("cluster-set-missing", f"clusters/c4.yaml: {SET}: nowhere")],
    ),
    "a cluster goes with something on it": (
        _add("works/one.yaml", make.manifest_work("one", "c4", [make.config_map("one")])),
        _all(_drop("ManagedCluster", "c4"), _drop("ManifestWork", "one")),
        [("cluster-removed", f"clusters/c4.yaml: {API}v1")],
    ),
    "a cluster goes that has nothing": (_none, _drop("ManagedCluster", "c4"), []),
    "a cluster is shut out": (
        _add("works/one.yaml", make.manifest_work("one", "c4", [make.config_map("one")])),
        _set("ManagedCluster", "c4", "spec", "hubAcceptsClient", value=False),
        [("cluster-shut-out", "clusters/c4.yaml: hubAcceptsClient: false")],
    ),
    "a taint evicts": (
        _drop("Placement", "one"),
        _set("ManagedCluster", "c1", "spec", "taints", value=[{"key": "ill", "effect": "NoSelect"}]),
        [("taint-evicts", "clusters/c1.yaml: taints:")],
    ),
    "a taint keeps what is there": (
        _drop("Placement", "one"),
        _set("ManagedCluster", "c1", "spec", "taints", value=[{"key": "ill", "effect": "NoSelectIfNew"}]),
        [],
    ),
    "a work for no cluster": (
        _none,
        _add("works/x.yaml", make.manifest_work("x", "fleet", [make.config_map("x")])),
        [("work-without-cluster", "works/x.yaml: namespace: fleet")],
    ),
    "a canary group without a canary": (
        _all(
            _set("Placement", "all", "spec", "decisionStrategy", value=CANARY),
            _label("c1", "rollout", "canary"),
        ),
        _add("works/web.yaml", _web("all", strategy=CANARY_FIRST)),
        [],
    ),
    "the canary loses its label": (
        _all(
            _set("Placement", "all", "spec", "decisionStrategy", value=CANARY),
            _label("c1", "rollout", "canary"),
            _add("works/web.yaml", _web("all", strategy=CANARY_FIRST)),
        ),
        _label("c1", "rollout", "later"),
        [("canary-group-empty", "clusters/c1.yaml: labels:")],
    ),
    "a group for nobody": (
        _none,
        _set("Placement", "all", "spec", "decisionStrategy", value=CANARY),
        [],
    ),
    "groups that overlap, and clusters in none": (
        _none,
        _set(
            "Placement",
            "all",
            "spec",
            "decisionStrategy",
            value=_grouped(_group("eu", region="eu"), _group("gold", tier="gold")),
        ),
        [("decision-groups-overlap", HUB + "- groupClusterSelector:")],
    ),
    "clusters in none of several groups": (
        _set(
            "Placement",
            "all",
            "spec",
            "decisionStrategy",
            value=_grouped(_group("eu", region="eu"), _group("us", region="us")),
        ),
        _label("c2", "region", "asia"),
        [
            ("decision-group-empty", HUB + "- groupClusterSelector:"),
            ("clusters-in-no-group", HUB + "decisionGroups:"),
        ],
    ),
    "everything at once": (
        _add("works/web.yaml", _web("all")),
        _web_edited,
        [("everything-at-once", WORKS + "- name: all")],
    ),
    "works of most clusters by hand": (
        _none,
        _add(
            "works/x.yaml",
            *(make.manifest_work("x", name, [make.config_map("x")]) for name in ("c1", "c2", "c3")),
        ),
        [("everything-at-once", "works/x.yaml: apiVersion: work.open-cluster-management.io/v1")],
    ),
    "a namespace leaves a work": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x")])),
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        [("deletion-takes-along", "works/x.yaml: manifests:")],
    ),
    "a namespace goes from one work to another": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x")])),
        _add(
            "works/x.yaml",
            make.manifest_work("x", "c4", [make.config_map("x")]),
            make.manifest_work("y", "c4", [make.namespace("shop")]),
        ),
        [],
    ),
    "a namespace leaves a work that orphans it": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.namespace("shop")], deleteOption=ORPHANED)),
        _drop("ManifestWork"),
        [],
    ),
    "a selector that cannot change": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x")])),
        _selecting("works/x.yaml", "other"),
        [("update-refused", "works/x.yaml: selector:")],
    ),
    "an image that can": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x")])),
        _add(
            "works/x.yaml", make.manifest_work("x", "c4", [make.deployment("x", image="example.com/web:2")])
        ),
        [],
    ),
    "a map that is frozen": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [{**make.config_map("x"), "immutable": True}])),
        _add(
            "works/x.yaml",
            make.manifest_work(
                "x", "c4", [{**make.config_map("x", data={"key": "other"}), "immutable": True}]
            ),
        ),
        [("update-refused", "works/x.yaml: data:")],
    ),
    "a map that is made once": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [FROZEN], manifestConfigs=ONCE)),
        _add("works/x.yaml", make.manifest_work("x", "c4", [{**FROZEN, "data": {}}], manifestConfigs=ONCE)),
        [],
    ),
    "two works of one object": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        _add("works/y.yaml", make.manifest_work("y", "c4", [make.config_map("x")])),
        [("object-of-two-works", "works/y.yaml: - apiVersion: v1")],
    ),
    "two works of one object before": (
        _add("works/x.yaml", *(make.manifest_work(n, "c4", [make.config_map("x")]) for n in ("x", "y"))),
        _set("ManifestWork", "x", "metadata", "labels", value={"a": "b"}),
        [],
    ),
    "a namespace that nobody makes": (
        _none,
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x", "shop")])),
        [("namespace-unknown", "works/x.yaml: - apiVersion: v1")],
    ),
    "a namespace that the work makes": (
        _none,
        _add(
            "works/x.yaml",
            make.manifest_work("x", "c4", [make.namespace("shop"), make.config_map("x", "shop")]),
        ),
        [],
    ),
    "a namespace in use": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x", "shop")])),
        _add("works/y.yaml", make.manifest_work("y", "c4", [make.config_map("y", "shop")])),
        [],
    ),
    "a replica set with another name": (
        _add("works/web.yaml", _web("all", strategy=SLOW)),
        _set("ManifestWorkReplicaSet", "web", "metadata", "name", value="shop"),
        [("rename-deletes", WORKS + "apiVersion: work.open-cluster-management.io/v1alpha1")],
    ),
    "a work with another file": (
        _add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        _all(
            _drop("ManifestWork"), _add("works/y.yaml", make.manifest_work("x", "c4", [make.config_map("x")]))
        ),
        [],
    ),
}
CASES["a group for nobody"][2].append(("decision-group-empty", HUB + "- groupClusterSelector:"))


def _told(found: Preview, before: Files, after: Files) -> list[tuple[str, str]]:
    return [(w.code, written_at(w.where, before, after)) for w in found.warnings]


@pytest.mark.parametrize("name", CASES)
def test_warnings(name: str) -> None:
    """A danger is told of with its code, at the line that causes it; what is none is not."""
    prepare, edit, expected = CASES[name]
    before = edited(small(), prepare)
    found = previewed(before, edit)
    assert _told(found, before, edited(before, edit)) == expected
    assert all(w.message and (w.hint or w.note) for w in found.warnings)


# --- what only an account of the fleet tells --------------------------------------------------------


@cache
def _account() -> FleetState:
    """A fleet at rest that has the replica set, and a work on c4."""
    return read_state(told(running(repository(_rolled_out(), BASE))))


def _rolled_out() -> Files:
    works = {"works/one.yaml": [make.manifest_work("one", "c4", [make.config_map("one")])]}
    files = {**small(works_web=[_web("all", strategy=SLOW)]), **works}
    lost = [{"key": key, "operator": "Exists"} for key in (TAINT_UNAVAILABLE, TAINT_UNREACHABLE)]
    named(files, "Placement", "all")["spec"]["tolerations"] = lost
    return files


def _silent(*names: str) -> FleetState:
    """The same account, but that these clusters are not available."""
    state = _account()
    objects = dict(state.objects)
    for name in names:
        ref = cluster_ref(name)
        status = objects[ref].get("status") or {}
        others = [c for c in status.get("conditions") or () if c["type"] != AVAILABLE]
        lost = {"type": AVAILABLE, "status": "Unknown", "reason": "ManagedClusterLeaseUpdateStopped"}
        objects[ref] = {**objects[ref], "status": {**status, "conditions": [*others, lost]}}
    return replace(state, commit="5" * 40, objects=objects)


def _of_commit(state: FleetState, commit: str) -> FleetState:
    ref = Ref(*SYNC, "", "")
    sync = {"metadata": {"name": "fleet"}, "status": {"lastAppliedCommit": commit}}
    return replace(state, objects={**state.objects, ref: sync})


TOLD: dict[str, tuple[Callable[[], FleetState], Edit, list[str]]] = {
    "an ordinary rollout": (lambda: _silent(), _web_edited, []),
    "the account is new": (lambda: replace(_silent(), at=NOW - timedelta(minutes=59)), _web_edited, []),
    "the account is old": (
        lambda: replace(_silent(), at=NOW - timedelta(hours=3)),
        _web_edited,
        ["state-stale"],
    ),
    "it is old, and nothing changes": (lambda: replace(_silent(), at=NOW - timedelta(days=3)), _none, []),
    "the account is of the base": (lambda: _of_commit(_silent(), BASE), _web_edited, []),
    "the account is of another commit": (
        lambda: _of_commit(_silent(), "9" * 40),
        _web_edited,
        ["state-of-another-commit"],
    ),
    "a cluster of the rollout is silent": (lambda: _silent("c2"), _web_edited, ["rollout-waits"]),
    "another cluster is silent": (lambda: _silent("c4"), _web_edited, []),
    "a replica set goes from most clusters": (
        lambda: _silent(),
        _drop("ManifestWorkReplicaSet"),
        ["taken-off-at-once"],
    ),
    "a silent cluster goes": (
        lambda: _silent("c4"),
        _all(_drop("ManagedCluster", "c4"), _drop("ManifestWork", "one")),
        ["cluster-removed"],
    ),
    "many objects go": (
        lambda: _silent(),
        _all(_drop("Placement"), _drop("ManifestWorkReplicaSet"), _drop("ManifestWork")),
        ["prune-guard-near", "taken-off-at-once"],
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_warnings_by_the_account(name: str) -> None:
    """What is in doubt, or would hold a rollout, is found out from what the status branch tells."""
    state, edit, expected = TOLD[name]
    assert [w.code for w in previewed(_rolled_out(), edit, state=state()).warnings] == expected


@pytest.mark.parametrize(("stands", "expected"), [(True, []), (False, ["work-without-cluster"])])
def test_what_the_base_has_already(stands: bool, expected: list[str]) -> None:
    """A work that the hub lacks, as it is refused there since the base, is nothing this change brings."""
    before = _rolled_out()
    named(before, "ManagedCluster", "c4")["spec"]["hubAcceptsClient"] = False
    state = _of_commit(_silent(), BASE)
    state = replace(state, objects={ref: obj for ref, obj in state.objects.items() if ref.name != "one"})
    labels = {"colour": "red"}
    other = _set("ManifestWork", "one", "metadata", "labels", value=labels)
    edit = _label("c1", "colour", "red") if stands else other
    assert [w.code for w in previewed(before, edit, state=state).warnings] == expected


# --- add-ons ----------------------------------------------------------------------------------------


def _placements(number: int, **entry: Any) -> Edit:
    def edit(files: Files) -> None:
        strategy = named(files, "ClusterManagementAddOn", "hello")["spec"]["installStrategy"]
        strategy["placements"][number].update(entry)

    return edit


def _config(name: str, kind: str = "addondeploymentconfigs") -> Object:
    found = {"group": addon_configs.ADDON, "resource": kind, "name": name}
    return {**found, "namespace": "fleet"} if kind == "addondeploymentconfigs" else found


def _template_asks_more(files: Files) -> None:
    manifests = named(files, "AddOnTemplate", "hello")["spec"]["agentSpec"]["workload"]["manifests"]
    manifests.append(make.config_map("more", data={"level": "{{LEVEL}}"}))


def _level(name: str) -> Edit:
    def edit(files: Files) -> None:
        variables = named(files, "AddOnDeploymentConfig", name)["spec"]["customizedVariables"]
        variables.append({"name": "LEVEL", "value": "info"})

    return edit


MANAGEMENT = f"hub/hello.yaml: apiVersion: {addon_configs.ADDON}/v1alpha1"
ADDONS: dict[str, tuple[Edit, list[tuple[str, str]]]] = {
    "a configuration goes that is named": (
        _drop("AddOnDeploymentConfig", "eu"),
        [("config-missing", f"hub/eu.yaml: apiVersion: {addon_configs.ADDON}/v1alpha1")],
    ),
    "a configuration is named that is not there": (
        _placements(1, configs=[_config("nowhere")]),
        [("config-missing", MANAGEMENT)],
    ),
    "two configurations of a kind": (
        _placements(1, configs=[_config("eu"), _config("other")]),
        [("config-conflict", MANAGEMENT)],
    ),
    "a placement is named that is not there": (
        _placements(1, name="nowhere"),
        [("placement-missing", "hub/hello.yaml: - configs:")],
    ),
    "a variable loses its value": (
        _set(
            "AddOnDeploymentConfig",
            "eu",
            "spec",
            "customizedVariables",
            value=[{"name": "IMG", "value": "eu:1"}],
        ),
        [("template-variable-empty", f"hub/eu.yaml: apiVersion: {addon_configs.ADDON}/v1alpha1")],
    ),
    "a variable has a value for some": (
        _all(_template_asks_more, _level("eu"), _level("own")),
        [("template-variable-empty", MANAGEMENT)],
    ),
    "a variable has no value at all, which is told of the file": (
        _template_asks_more,
        [("template-variable", "hub/hello.yaml: - apiVersion: v1")],
    ),
}


@pytest.mark.parametrize("name", ADDONS)
def test_warnings_of_addons(name: str) -> None:
    """An add-on that cannot be configured as meant is told of where that is written."""
    edit, expected = ADDONS[name]
    before = addon_configs.files()
    found = [w for w in addon_configs.tried(edit)[0].warnings if w.code != "rollout-in-progress"]
    codes = [(w.code, written_at(w.where, before, edited(before, edit))) for w in found]
    assert [told for told in codes if told[0] != "everything-at-once"] == expected


# --- whatever people edit ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_whatever_people_edit(seed: int) -> None:
    """On random fleets and edits every warning has a line that is there, and is the same each time."""
    case = drawn(seed)
    before, after = dict(case.files), dict(case.head)

    def edit(files: Files) -> None:
        files.clear()
        files.update(after)

    found = previewed(before, edit).warnings
    assert found == previewed(before, edit).warnings
    assert len(set(found)) == len(found)
    for warning in found:
        assert warning.message
        assert not warning.where.path or written_at(warning.where, before, after)


def test_a_refused_update_shows_no_value() -> None:
    """Why an update would be refused is told without the value, which may be a secret."""
    files = small(works_x=[make.manifest_work("x", "c4", [make.deployment("x")])])
    (found,) = previewed(files, _selecting("works/x.yaml", "hunter2")).warnings
    assert found.message == (
        "Deployment default/x cannot become that on c4: spec.selector: field is immutable"
    )
