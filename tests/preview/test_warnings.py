"""What a reviewer is warned of: each danger with its code and its line in Git, and nothing without danger."""

from __future__ import annotations

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from tests.preview.edits import SLOW, add, both, drop, label, move, nothing, put, web, web_edited
from tests.preview.merged import Edit, edited, previewed, small, warned_at

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
CANARY_FIRST = {
    "type": "Progressive",
    "progressive": {"maxConcurrency": 1, "mandatoryDecisionGroups": [{"groupName": "canary"}]},
}


def _group(name: str, **labels: str) -> Object:
    return {"groupName": name, "groupClusterSelector": {"labelSelector": {"matchLabels": labels}}}


def _grouped(*groups: Object) -> Object:
    return {"groupStrategy": {"decisionGroups": list(groups)}}


HUB, WORKS = "hub/fleet.yaml: ", "works/web.yaml: "
API = "apiVersion: cluster.open-cluster-management.io/"
CASES: dict[str, tuple[Edit, Edit, list[tuple[str, str]]]] = {
    "an ordinary rollout": (add("works/web.yaml", web("all", strategy=SLOW)), web_edited, []),
    "a label nobody looks at": (nothing, label("c1", "colour", "red"), []),
    "a cluster comes": (
        nothing,
        add("clusters/c9.yaml", make.managed_cluster("c9", cluster_set="a", labels={"region": "eu"})),
        [],
    ),
    "nothing was selected before": (
        put("Placement", "eu", "spec", "clusterSets", value=["b"]),
        label("c1", "colour", "red"),
        [],
    ),
    "nobody is selected any more": (
        nothing,
        both(*(label(name, "region", "us") for name in ("c1", "c3", "c4"))),
        [("placement-selects-nothing", "clusters/c1.yaml: region: us")],
    ),
    "a new placement without clusters": (
        nothing,
        add(
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
        nothing,
        add("hub/p.yaml", make.namespace("lonely"), make.placement("p", "lonely")),
        [("placement-unbound", f"hub/p.yaml: {API}v1beta1")],
    ),
    "a placement of a set that is not bound": (
        drop("ManagedClusterSetBinding"),
        put("Placement", "eu", "spec", "clusterSets", value=["b"]),
        [("placement-unbound", HUB + "clusterSets:")],
    ),
    "the only binding goes": (
        drop("Placement", "one", "eu"),
        drop("ManagedClusterSetBinding", "a"),
        [("placement-unbound", f"{HUB}{API}v1beta2")],
    ),
    "a placement loses most of what has something by it": (
        both(drop("Placement", "one", "eu"), add("works/web.yaml", web("all", strategy=SLOW))),
        put(
            "Placement",
            "all",
            "spec",
            "predicates",
            value=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "us"}}}}],
        ),
        [("placement-loses-most", HUB + "predicates:")],
    ),
    "a placement loses most, and nobody uses it": (
        nothing,
        put(
            "Placement",
            "all",
            "spec",
            "predicates",
            value=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "us"}}}}],
        ),
        [],
    ),
    "a replica set names no placement": (
        nothing,
        add("works/web.yaml", web("nowhere", strategy=SLOW)),
        [("placement-missing", WORKS + "- name: nowhere")],
    ),
    "a placement goes that is named": (
        add("works/web.yaml", web("one", strategy=SLOW)),
        drop("Placement", "one"),
        [("placement-missing", f"{HUB}{API}v1beta1")],
    ),
    "a binding of no set": (
        nothing,
        add("hub/b.yaml", make.binding("c", "fleet")),
        [("binding-without-set", "hub/b.yaml: clusterSet: c")],
    ),
    "a binding of an empty set": (
        nothing,
        add("hub/b.yaml", make.cluster_set("c"), make.binding("c", "fleet")),
        [("binding-of-empty-set", f"hub/b.yaml: {API}v1beta2")],
    ),
    "a set goes with clusters in it": (
        nothing,
        drop("ManagedClusterSet", "b"),
        [("cluster-set-deleted", f"{HUB}{API}v1beta2")],
    ),
    "a set goes that is bound": (
        add("hub/b.yaml", make.cluster_set("c"), make.binding("c", "fleet")),
        drop("ManagedClusterSet", "c"),
        [("binding-without-set", f"hub/b.yaml: {API}v1beta2")],
    ),
    "a cluster leaves a set that a placement goes by": (
        nothing,
        label("c2", SET, "b"),
        [("cluster-leaves-set", f"clusters/c2.yaml: {SET}: b")],
    ),
    "a cluster moves where nobody looks": (drop("Placement"), label("c2", SET, "b"), []),
    "a cluster is put into no set": (
        nothing,
        label("c4", SET, "nowhere"),
        [("cluster-set-missing", f"clusters/c4.yaml: {SET}: nowhere")],
    ),
    "a cluster goes with something on it": (
        add("works/one.yaml", make.manifest_work("one", "c4", [make.config_map("one")])),
        both(drop("ManagedCluster", "c4"), drop("ManifestWork", "one")),
        [("cluster-removed", f"clusters/c4.yaml: {API}v1")],
    ),
    "a cluster goes, and its work stays in Git": (
        add("works/one.yaml", make.manifest_work("one", "c4", [make.config_map("one")])),
        drop("ManagedCluster", "c4"),
        [
            ("cluster-removed", f"clusters/c4.yaml: {API}v1"),
            ("work-without-cluster", "works/one.yaml: namespace: c4"),
        ],
    ),
    "a cluster goes that has nothing": (nothing, drop("ManagedCluster", "c4"), []),
    "a cluster is shut out": (
        add("works/one.yaml", make.manifest_work("one", "c4", [make.config_map("one")])),
        put("ManagedCluster", "c4", "spec", "hubAcceptsClient", value=False),
        [("cluster-shut-out", "clusters/c4.yaml: hubAcceptsClient: false")],
    ),
    "a cluster is there that nobody lets in": (
        both(
            add("works/web.yaml", web("all", strategy=SLOW)),
            add("clusters/c9.yaml", make.managed_cluster("c9", accepted=False, cluster_set="a")),
        ),
        web_edited,
        [],
    ),
    "a taint evicts": (
        drop("Placement", "one"),
        put("ManagedCluster", "c1", "spec", "taints", value=[{"key": "ill", "effect": "NoSelect"}]),
        [("taint-evicts", "clusters/c1.yaml: taints:")],
    ),
    "a taint keeps what is there": (
        drop("Placement", "one"),
        put("ManagedCluster", "c1", "spec", "taints", value=[{"key": "ill", "effect": "NoSelectIfNew"}]),
        [],
    ),
    "a work for no cluster": (
        nothing,
        add("works/x.yaml", make.manifest_work("x", "fleet", [make.config_map("x")])),
        [("work-without-cluster", "works/x.yaml: namespace: fleet")],
    ),
    "a canary group without a canary": (
        both(
            put("Placement", "all", "spec", "decisionStrategy", value=CANARY),
            label("c1", "rollout", "canary"),
        ),
        add("works/web.yaml", web("all", strategy=CANARY_FIRST)),
        [],
    ),
    "the canary loses its label": (
        both(
            put("Placement", "all", "spec", "decisionStrategy", value=CANARY),
            label("c1", "rollout", "canary"),
            add("works/web.yaml", web("all", strategy=CANARY_FIRST)),
        ),
        label("c1", "rollout", "later"),
        [("canary-group-empty", "clusters/c1.yaml: labels:")],
    ),
    "a group for nobody": (
        nothing,
        put("Placement", "all", "spec", "decisionStrategy", value=CANARY),
        [],
    ),
    "groups that overlap, and clusters in none": (
        nothing,
        put(
            "Placement",
            "all",
            "spec",
            "decisionStrategy",
            value=_grouped(_group("eu", region="eu"), _group("gold", tier="gold")),
        ),
        [("decision-groups-overlap", HUB + "- groupClusterSelector:")],
    ),
    "clusters in none of several groups": (
        put(
            "Placement",
            "all",
            "spec",
            "decisionStrategy",
            value=_grouped(_group("eu", region="eu"), _group("us", region="us")),
        ),
        label("c2", "region", "asia"),
        [
            ("decision-group-empty", HUB + "- groupClusterSelector:"),
            ("clusters-in-no-group", HUB + "decisionGroups:"),
        ],
    ),
    "everything at once": (
        add("works/web.yaml", web("all")),
        web_edited,
        [("everything-at-once", WORKS + "- name: all")],
    ),
    "works of most clusters by hand": (
        nothing,
        add(
            "works/x.yaml",
            *(make.manifest_work("x", name, [make.config_map("x")]) for name in ("c1", "c2", "c3")),
        ),
        [("everything-at-once", "works/x.yaml: apiVersion: work.open-cluster-management.io/v1")],
    ),
    "a replica set with another name": (
        add("works/web.yaml", web("all", strategy=SLOW)),
        put("ManifestWorkReplicaSet", "web", "metadata", "name", value="shop"),
        [("rename-deletes", WORKS + "apiVersion: work.open-cluster-management.io/v1alpha1")],
    ),
    "a file goes where the sync does not look": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        move("works/x.yaml", "attic/x.yaml"),
        [("moved-out-of-sync", "attic/x.yaml: apiVersion: work.open-cluster-management.io/v1")],
    ),
    "a file goes where the sync looks": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        move("works/x.yaml", "hub/y.yaml"),
        [],
    ),
    "a work with another file": (
        add("works/x.yaml", make.manifest_work("x", "c4", [make.config_map("x")])),
        both(
            drop("ManifestWork"), add("works/y.yaml", make.manifest_work("x", "c4", [make.config_map("x")]))
        ),
        [],
    ),
}
CASES["a group for nobody"][2].append(("decision-group-empty", HUB + "- groupClusterSelector:"))


@pytest.mark.parametrize("name", CASES)
def test_warnings(name: str) -> None:
    """A danger is told of with its code, at the line that causes it; what is none is not."""
    prepare, edit, expected = CASES[name]
    before = edited(small(), prepare)
    found = previewed(before, edit)
    assert warned_at(found, before, edited(before, edit)) == expected
    assert all(w.message and (w.hint or w.note) for w in found.warnings)
