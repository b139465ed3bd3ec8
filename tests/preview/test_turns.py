"""Why each cluster turned: what flipped, in words, and the line in Git that did it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_ocm.testing import objects as make
from tests.preview.merged import EU, Files, edited, named, previewed, small, written_at

TAINT = {"key": "gpu", "value": "yes", "effect": "NoSelect"}
TOLERATED = [{"key": "gpu", "operator": "Exists"}]
US = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "us"}}}}
CEL = {
    "requiredClusterSelector": {
        "celSelector": {"celExpressions": ["managedCluster.metadata.labels['tier'] == 'gold'"]}
    }
}
Edit = Callable[[Files], None]


def _labels(name: str, **labels: str) -> Edit:
    return lambda files: named(files, "ManagedCluster", name)["metadata"]["labels"].update(labels)


def _in_set(name: str, to: str) -> Edit:
    key = "cluster.open-cluster-management.io/clusterset"
    return lambda files: named(files, "ManagedCluster", name)["metadata"]["labels"].update({key: to})


def _placement(name: str, **spec: Any) -> Edit:
    return lambda files: named(files, "Placement", name)["spec"].update(spec)


def _taints(name: str, *taints: Any) -> Edit:
    return lambda files: named(files, "ManagedCluster", name)["spec"].update(taints=list(taints))


def _drop(path: str) -> Edit:
    def edit(files: Files) -> None:
        del files[path]

    return edit


def _hub(*objects: Any) -> Edit:
    return lambda files: files["hub/fleet.yaml"].extend(objects)


def _without(kind: str, name: str) -> Edit:
    def edit(files: Files) -> None:
        files["hub/fleet.yaml"] = [
            o for o in files["hub/fleet.yaml"] if (o["kind"], o["metadata"]["name"]) != (kind, name)
        ]

    return edit


LEFT_OUT = "the changed predicates leave it out: label region=us: the cluster has 'eu'"
GOLD = "managedCluster.metadata.labels['tier'] == 'gold'"
API = "apiVersion: cluster.open-cluster-management.io"
HUB, ONE, TWO, THREE = "hub/fleet.yaml: ", "clusters/c1.yaml: ", "clusters/c2.yaml: ", "clusters/c3.yaml: "
ALONE = [_without("Placement", "one"), _without("Placement", "eu")]
CASES: dict[str, tuple[list[Edit], Edit, dict[str, tuple[str, str]]]] = {
    "a label": (
        [],
        _labels("c2", region="eu"),
        {"eu +c2": ("label region: us → eu, so it meets the predicate now", TWO + "region: eu")},
    ),
    "a label the other way": (
        [],
        _labels("c1", region="us"),
        {"eu -c1": ("label region: eu → us, so it no longer meets the predicate", ONE + "region: us")},
    ),
    "one of two predicates": (
        [_placement("eu", predicates=[EU, US])],
        _labels("c2", region="asia"),
        {"eu -c2": ("label region: us → asia, so it no longer meets predicate 2", TWO + "region: asia")},
    ),
    "another predicate": (
        [],
        _placement("eu", predicates=[US]),
        {
            "eu -c1": (LEFT_OUT, HUB + "predicates:"),
            "eu -c3": (LEFT_OUT, HUB + "predicates:"),
            "eu +c2": (
                "the changed predicates take it in; before, label region=eu: the cluster has 'us'",
                HUB + "predicates:",
            ),
        },
    ),
    "no predicate any more": (
        [],
        _placement("eu", predicates=[]),
        {"eu +c2": ("the placement has no predicates any more", HUB + "predicates: []")},
    ),
    "an expression": (
        [_placement("eu", predicates=[CEL])],
        _labels("c1", tier="iron"),
        {
            "eu -c1": (
                f"it no longer meets the predicate: expression {GOLD}: it is not true",
                ONE + "tier: iron",
            )
        },
    ),
    "a taint comes": (
        [_without("Placement", "one")],
        _taints("c1", TAINT),
        {
            "all -c1": ("taint gpu=yes:NoSelect is added, and not tolerated", ONE + "taints:"),
            "eu -c1": ("taint gpu=yes:NoSelect is added, and not tolerated", ONE + "taints:"),
        },
    ),
    "a taint goes": (
        [_taints("c1", TAINT), *ALONE],
        _taints("c1"),
        {"all +c1": ("taint gpu=yes:NoSelect is gone", ONE + "taints: []")},
    ),
    "a taint is tolerated": (
        [_taints("c1", TAINT)],
        _placement("all", tolerations=TOLERATED),
        {"all +c1": ("taint gpu=yes:NoSelect is tolerated now", HUB + "tolerations:")},
    ),
    "a taint is tolerated no longer": (
        [_taints("c1", TAINT), _placement("all", tolerations=TOLERATED)],
        _placement("all", tolerations=[]),
        {"all -c1": ("taint gpu=yes:NoSelect is no longer tolerated", HUB + "tolerations: []")},
    ),
    "more are wanted": (
        [],
        _placement("one", numberOfClusters=2),
        {"one +c1": ("numberOfClusters: 1 → 2, it is in place 2", HUB + "numberOfClusters: 2")},
    ),
    "all are wanted": (
        [_without("Placement", "eu")],
        lambda files: named(files, "Placement", "one")["spec"].clear(),
        {
            "one +c2": ("numberOfClusters: 1 → all", HUB + "spec: {}"),
            "one +c3": ("numberOfClusters: 1 → all", HUB + "spec: {}"),
        },
    ),
    "a better one leaves": (
        [_without("Placement", "all"), _without("Placement", "eu")],
        _taints("c1", TAINT),
        {
            "one -c1": ("taint gpu=yes:NoSelect is added, and not tolerated", ONE + "taints:"),
            "one +c2": ("score 100 → 200, place 2 → 1 of 1 wanted", ""),
        },
    ),
    "a set is bound": (
        [_without("Placement", "one")],
        _hub(make.binding("b", "fleet")),
        {
            "all +c4": ("cluster set b is bound now to namespace fleet", HUB + API + "/v1beta2"),
            "eu +c4": ("cluster set b is bound now to namespace fleet", HUB + API + "/v1beta2"),
        },
    ),
    "a set is no longer bound": (
        [*ALONE],
        _without("ManagedClusterSetBinding", "a"),
        {
            f"all -{name}": ("cluster set a is no longer bound to namespace fleet", HUB + API + "/v1beta2")
            for name in ("c1", "c2", "c3")
        },
    ),
    "a cluster moves to another set": (
        [*ALONE],
        _in_set("c3", "b"),
        {
            "all -c3": (
                "it moves from cluster set a to b",
                THREE + "cluster.open-cluster-management.io/clusterset: b",
            )
        },
    ),
    "a set takes in other clusters": (
        [
            _hub(
                make.cluster_set("golden", {"matchLabels": {"tier": "gold"}}), make.binding("golden", "fleet")
            ),
            *ALONE,
        ],
        lambda files: named(files, "ManagedClusterSet", "golden")["spec"]["clusterSelector"].update(
            labelSelector={"matchLabels": {"tier": "iron"}}
        ),
        {"all -c4": ("cluster set golden no longer takes it in", HUB + API + "/v1beta2")},
    ),
    "the placement chooses from fewer sets": (
        [_hub(make.binding("b", "fleet"))],
        _placement("eu", clusterSets=["a"]),
        {"eu -c4": ("the placement no longer chooses from cluster set b", HUB + "clusterSets:")},
    ),
    "a cluster is new": (
        [_without("Placement", "one")],
        lambda files: files.update(
            {"clusters/c5.yaml": [make.managed_cluster("c5", cluster_set="a", labels={"region": "us"})]}
        ),
        {"all +c5": ("the cluster is new", f"clusters/c5.yaml: {API}/v1")},
    ),
    "a cluster leaves": (
        [_without("Placement", "one")],
        _drop("clusters/c2.yaml"),
        {"all -c2": ("the cluster is deleted", TWO + API + "/v1")},
    ),
    "a placement is new": (
        [],
        _hub(make.placement("us", "fleet", predicates=[US])),
        {"us +c2": ("the placement is new", HUB + API + "/v1beta1")},
    ),
    "a placement is deleted": (
        [],
        _without("Placement", "one"),
        {"one -c2": ("the placement is deleted", HUB + API + "/v1beta1")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_why(name: str) -> None:
    """Each cluster that turned, with what flipped and the line that is to be looked at."""
    edits, change, expected = CASES[name]
    files = small()
    for edit in edits:
        edit(files)
    after = edited(files, change)
    found = {
        f"{selection.ref.name} {'+' if turn.gained else '-'}{turn.cluster}": (
            turn.why,
            written_at(turn.cause, files, after),
        )
        for selection in previewed(files, change).selections
        for turn in selection.turns
    }
    assert found == expected
