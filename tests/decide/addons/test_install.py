"""Which ManagedClusterAddOns are made and deleted, from what the placements of an add-on have decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.contract import Create, Delete, Outcome
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, PLACEMENT_DECISION
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make

HubOf = Callable[..., Any]
KEY = Ref(*MANAGEMENT_ADDON, "", "hello")
LIFECYCLE = "addon.open-cluster-management.io/lifecycle"
HOSTING = "addon.open-cluster-management.io/hosting-cluster-name"
INSTALL_NAMESPACE = "addon.open-cluster-management.io/v1alpha1-install-namespace"
DISABLED = "cluster.open-cluster-management.io/experimental-scheduling-disable"
FINALIZER = "cluster.open-cluster-management.io/resource-cleanup"
GOING: Mapping[str, Any] = {"deletionTimestamp": "2026-01-01T11:00:00Z"}


def cluster(name: str, *, namespace: bool = True, **meta: Any) -> list[Object]:
    """A cluster with its namespace."""
    made = make.managed_cluster(name)
    made["metadata"] |= meta
    return [made, make.namespace(name)] if namespace else [made]


def placed(name: str = "p", *slices: Sequence[str], counted: int | None = -1, **meta: Any) -> list[Object]:
    """A placement in `fleet` with a decision for each slice; it has counted what is in them (-1)."""
    found = {c for piece in slices for c in piece}
    placement = make.placement(name, "fleet")
    placement["metadata"] |= meta
    if counted is not None:
        placement["status"] = {"numberOfSelectedClusters": len(found) if counted < 0 else counted}
    return [placement, *(decision(name, n, piece) for n, piece in enumerate(slices, 1))]


def decision(placement: str, number: int, clusters: Iterable[str] | None) -> Object:
    """A PlacementDecision; None for clusters: it has no status yet."""
    made: Object = {
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": PLACEMENT_DECISION.kind,
        "metadata": {
            "name": f"{placement}-decision-{number}",
            "namespace": "fleet",
            "labels": {"cluster.open-cluster-management.io/placement": placement},
        },
    }
    if clusters is not None:
        made["status"] = {"decisions": [{"clusterName": c, "reason": ""} for c in clusters]}
    return made


def cma(*placements: str, **meta: Any) -> Object:
    """The add-on `hello` that goes by these placements of `fleet`."""
    made = make.addon("hello", [("fleet", name) for name in placements])
    made["metadata"] |= {"uid": "cma-1", **meta}
    return made


def installed(*clusters: str, **meta: Any) -> list[Object]:
    """The add-on on these clusters."""
    made = [make.cluster_addon("hello", name) for name in clusters]
    for each in made:
        each["metadata"] |= meta
    return made


def effect(outcome: Outcome) -> tuple[list[str], list[str]]:
    """On which clusters an outcome installs, and from which it removes."""
    assert all(isinstance(write, Create | Delete) for write in outcome.actions)
    made = [w.obj["metadata"]["namespace"] for w in outcome.actions if isinstance(w, Create)]
    gone = [w.ref.namespace for w in outcome.actions if isinstance(w, Delete)]
    return made, gone


BOTH = [*cluster("c1"), *cluster("c2")]
CASES: Mapping[str, tuple[list[Object], list[str], list[str]]] = {
    "selected clusters get it": ([cma("p"), *BOTH, *placed("p", ["c1", "c2"])], ["c1", "c2"], []),
    "several decisions count together": ([cma("p"), *BOTH, *placed("p", ["c1"], ["c2"])], ["c1", "c2"], []),
    "several placements count together": (
        [cma("p", "q"), *BOTH, *placed("p", ["c1"]), *placed("q", ["c1", "c2"])],
        ["c1", "c2"],
        [],
    ),
    "it stays where it is selected": (
        [cma("p"), *BOTH, *placed("p", ["c1"]), *installed("c1")], [], [],
    ),
    "it goes where it is not": (
        [cma("p"), *BOTH, *placed("p", ["c1"]), *installed("c1", "c2")], [], ["c2"],
    ),
    "a placement that selects nothing empties the fleet": (
        [cma("p"), *BOTH, *placed("p", []), *installed("c1", "c2")], [], ["c1", "c2"],
    ),
    "so does an add-on without placements": ([cma(), *BOTH, *installed("c1")], [], ["c1"]),
    "one that is being deleted is waited for": (
        [cma("p"), *BOTH, *placed("p", ["c1"]), *installed("c1", "c2", **GOING)], [], [],
    ),
    "other add-ons are left alone": (
        [cma("p"), *BOTH, *placed("p", ["c1"]), make.cluster_addon("other", "c2")], ["c1"], [],
    ),
    "Manual installs nothing and removes nothing": (
        [make.addon("hello"), *BOTH, *placed("p", ["c1"]), *installed("c2")], [], [],
    ),
    "lifecycle addon-manager is ours": (
        [cma("p", annotations={LIFECYCLE: "addon-manager"}), *BOTH, *placed("p", ["c1"])], ["c1"], [],
    ),
    "lifecycle self is not": (
        [cma("p", annotations={LIFECYCLE: "self"}), *BOTH, *placed("p", ["c1"]), *installed("c2")], [], [],
    ),
    "nor is an empty lifecycle": (
        [cma("p", annotations={LIFECYCLE: ""}), *BOTH, *placed("p", ["c1"]), *installed("c2")], [], [],
    ),
    "an add-on that is being deleted is left to the garbage collector": (
        [cma("p", **GOING, finalizers=["a/b"]), *BOTH, *placed("p", ["c1"]), *installed("c2")],
        [],
        [],
    ),
    "a cluster that does not exist is skipped, others get it": (
        [cma("p"), *cluster("c2"), *placed("p", ["c1", "c2"])], ["c2"], [],
    ),
    "so is one that is not accepted and has no namespace": (
        [cma("p"), *cluster("c1", namespace=False), *cluster("c2"), *placed("p", ["c1", "c2"])], ["c2"], [],
    ),
    "and one that is being deleted": (
        [cma("p"), *cluster("c1", **GOING), *cluster("c2"), *placed("p", ["c1", "c2"])], ["c2"], [],
    ),
    "what a cluster's own cleanup empties is left to its order": (
        [cma("p"), *cluster("c1", finalizers=[FINALIZER], **GOING), *placed("p", []), *installed("c1")],
        [],
        [],
    ),
    "without that cleanup it is removed as from any other": (
        [cma("p"), *cluster("c1", finalizers=["a/b"], **GOING), *placed("p", []), *installed("c1")],
        [],
        ["c1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_add_on_is_where_its_placements_want_it(hub: HubOf, case: str) -> None:
    """Each row of the table: what is installed, what removed, and nothing else."""
    objects, made, gone = CASES[case]
    assert effect(hub(*objects).ask("addon-install", KEY)) == (made, gone)


DOUBTS: Mapping[str, tuple[list[Object], str]] = {
    "the placement does not exist": ([], "Placement fleet/p does not exist"),
    "it has no decisions": (placed("p"), "Placement fleet/p has no decisions yet"),
    "it has never been scheduled": (
        placed("p", [], counted=None), "Placement fleet/p has not been scheduled yet",
    ),
    "its decisions are empty for a moment": (
        placed("p", [], counted=2), "Placement fleet/p has selected 2 clusters and its decisions name 0",
    ),
    "some of them are": (
        placed("p", ["c1"], [], counted=2),
        "Placement fleet/p has selected 2 clusters and its decisions name 1",
    ),
    "a new decision has no status": (
        [*placed("p", ["c1"], counted=2), decision("p", 2, None)],
        "Placement fleet/p has selected 2 clusters and its decisions name 1",
    ),
    "a foreign scheduler has not filled its decision": (
        [*placed("p", counted=None, annotations={DISABLED: "true"}), decision("p", 1, None)],
        "Placement fleet/p has a decision that is not filled yet",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTS)
def test_nothing_is_removed_while_a_placement_may_not_have_said_all(hub: HubOf, case: str) -> None:
    """A placement in doubt: what is there stays, what another one adds is added, and the notes say why."""
    objects, why = DOUBTS[case]
    state = [cma("p", "q"), *BOTH, *cluster("c3"), *placed("q", ["c3"]), *objects, *installed("c1", "c2")]
    outcome = hub(*state).ask("addon-install", KEY)
    assert effect(outcome) == (["c3"], [])
    assert why in outcome.notes


def test_a_foreign_schedulers_decisions_are_believed_without_a_count(hub: HubOf) -> None:
    """Where scheduling is disabled nobody need keep the placement's status: decisions alone say it."""
    state = placed("p", ["c1"], counted=None, annotations={DISABLED: "true"})
    outcome = hub(cma("p"), *BOTH, *state, *installed("c2")).ask("addon-install", KEY)
    assert effect(outcome) == (["c1"], ["c2"])


def test_the_notes_say_which_clusters_are_waited_for(hub: HubOf) -> None:
    """Skipped clusters are named with the reason."""
    state = [*cluster("c2", namespace=False), *cluster("c3", **GOING), *placed("p", ["c1", "c2", "c3"])]
    outcome = hub(cma("p"), *state).ask("addon-install", KEY)
    assert outcome.notes == (
        "c1: there is no such ManagedCluster",
        "c2: the cluster has no namespace",
        "c3: the cluster is being deleted",
    )


def created(hub: Any) -> Object:
    """The one ManagedClusterAddOn as the hub keeps it once it is made."""
    hub.run("addon-install", KEY)
    (found,) = hub.world.list(CLUSTER_ADDON)
    assert hub.ask("addon-metadata", Ref(*CLUSTER_ADDON, "c1", "hello")).actions == ()
    return dict(found)


MARKS = {HOSTING: "host", "addon.open-cluster-management.io/values": "{}", "example.com/other": "x"}


def test_a_new_managed_cluster_add_on_has_owner_annotations_and_defaults(hub: HubOf) -> None:
    """The whole object, as a hub that serves v1alpha1 alone keeps it."""
    made = created(hub(cma("p"), *cluster("c1", annotations=MARKS), *placed("p", ["c1"])))
    meta = made["metadata"]
    assert made["apiVersion"] == "addon.open-cluster-management.io/v1alpha1"
    assert made["spec"] == {"installNamespace": "open-cluster-management-agent-addon"}
    assert (meta["name"], meta["namespace"], meta.get("labels")) == ("hello", "c1", None)
    assert meta["annotations"] == {HOSTING: "host", "addon.open-cluster-management.io/values": "{}"}
    assert meta["ownerReferences"] == [
        {
            "apiVersion": "addon.open-cluster-management.io/v1alpha1",
            "kind": "ClusterManagementAddOn",
            "name": "hello",
            "uid": "cma-1",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def test_a_hub_that_converts_gets_it_at_the_newer_version(converting_hub: HubOf) -> None:
    """Where v1beta1 is served the object and its owner reference are written at it, with an empty spec."""
    made = created(converting_hub(cma("p"), *cluster("c1"), *placed("p", ["c1"])))
    assert made["apiVersion"] == "addon.open-cluster-management.io/v1beta1"
    assert made["spec"] == {}
    assert made["metadata"]["ownerReferences"][0]["apiVersion"] == "addon.open-cluster-management.io/v1beta1"


@pytest.mark.parametrize(
    ("which", "annotations", "spec"),
    [
        ("hub", None, {"installNamespace": "elsewhere"}),
        ("converting_hub", {INSTALL_NAMESPACE: "elsewhere"}, {}),
    ],
)
def test_the_install_namespace_is_said_as_the_version_has_it(
    request: pytest.FixtureRequest, which: str, annotations: Object | None, spec: Object
) -> None:
    """A cluster's annotation for it is a field of the spec at v1alpha1, as OCM's conversion has it."""
    state = [*cluster("c1", annotations={INSTALL_NAMESPACE: "elsewhere"}), *placed("p", ["c1"])]
    made = created(request.getfixturevalue(which)(cma("p"), *state))
    assert made["metadata"].get("annotations") == annotations
    assert made["spec"] == spec


NAMES = [f"c{n}" for n in range(6)]
SOME = st.sets(st.sampled_from(NAMES))


@given(
    decided=st.lists(SOME, min_size=1, max_size=3),
    have=SOME,
    absent=SOME,
    homeless=SOME,
    counted=st.sampled_from([-1, -1, None, 0, 3]),
    missing=st.booleans(),
)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_history_of_placements_takes_away_what_may_be_wanted(
    hub: HubOf,
    decided: list[set[str]],
    have: set[str],
    absent: set[str],
    homeless: set[str],
    counted: int | None,
    missing: bool,
) -> None:
    """Only what is surely unwanted goes, only what can be made is made, and then there is rest."""
    union = set().union(*decided)
    listed = ["p", "gone"] if missing else ["p"]
    clusters = [o for n in NAMES if n not in absent for o in cluster(n, namespace=n not in homeless)]
    state = hub(
        cma(*listed),
        *clusters,
        *placed("p", *map(sorted, decided), counted=counted),
        *installed(*sorted(have)),
    )
    certain = not missing and counted in (-1, len(union))
    made, gone = effect(state.ask("addon-install", KEY))
    assert made == sorted(union - have - absent - homeless)
    assert gone == (sorted(have - union) if certain else [])
    assert all(result.ok for result in state.run("addon-install", KEY))
    assert state.ask("addon-install", KEY).actions == ()
