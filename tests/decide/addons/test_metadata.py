"""What ManagedClusterAddOns are given to carry, those that a person made too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gitops_ocm.decide.contract import Create
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, cluster_ref
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make

HubOf = Callable[..., Any]
ADDON = "addon.open-cluster-management.io/"
KEY = Ref(*CLUSTER_ADDON, "c1", "hello")
HOSTING, VALUES = ADDON + "hosting-cluster-name", ADDON + "values"
OURS = {
    "apiVersion": ADDON + "v1alpha1",
    "kind": "ClusterManagementAddOn",
    "name": "hello",
    "uid": "cma-1",
    "controller": True,
    "blockOwnerDeletion": True,
}
STRANGER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "x"}
BOSS = {**STRANGER, "controller": True}


def cma(*, placed: bool = True, **meta: Any) -> Object:
    """The add-on `hello`."""
    made = make.addon("hello", [("fleet", "p")] if placed else None)
    made["metadata"] |= {"uid": "cma-1", **meta}
    return made


def cluster(annotations: Mapping[str, str] | None = None) -> Object:
    """The cluster `c1` with these annotations."""
    made = make.managed_cluster("c1")
    made["metadata"]["annotations"] = dict(annotations or {})
    return made


def addon(owners: list[Object] | None = None, **meta: Any) -> Object:
    """A ManagedClusterAddOn with these owners."""
    made = make.cluster_addon("hello", "c1")
    made["metadata"] |= {"ownerReferences": owners, **meta} if owners else meta
    return made


OWNERS: Mapping[str, tuple[list[Object] | None, list[Object]]] = {
    "none yet": (None, [OURS]),
    "a stranger stays": ([STRANGER], [STRANGER, OURS]),
    "another controller stays the one": ([BOSS], [BOSS, {**OURS, "controller": False}]),
    "an earlier add-on of the name gives way": ([{**OURS, "uid": "cma-0"}, STRANGER], [STRANGER, OURS]),
    "another version of the same is put right": ([{**OURS, "apiVersion": ADDON + "v1beta1"}], [OURS]),
    "the same name in another group is a stranger": (
        [{**STRANGER, "kind": "ClusterManagementAddOn", "name": "hello"}],
        [{**STRANGER, "kind": "ClusterManagementAddOn", "name": "hello"}, OURS],
    ),
}


@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("case", OWNERS)
def test_the_add_on_owns_each_of_its_installations(hub: HubOf, case: str, placed: bool) -> None:
    """Each row: the references before and after, whoever made the object and however it is installed."""
    before, after = OWNERS[case]
    state = hub(cma(placed=placed), cluster(), make.namespace("c1"), addon(before))
    assert [r.ok for r in state.run("addon-metadata", KEY)] == [True]
    assert state.world.get(KEY)["metadata"]["ownerReferences"] == after
    assert state.ask("addon-metadata", KEY).actions == ()


@pytest.mark.parametrize(
    "objects",
    [
        [addon()],
        [cma(annotations={ADDON + "lifecycle": "self"}), addon()],
        [cma(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a/b"]), addon()],
        [cma(), addon(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a/b"])],
        [cma(), addon([STRANGER, OURS])],
        [cma(), addon([OURS, STRANGER])],
    ],
    ids=["no add-on", "not ours", "add-on going", "installation going", "owned", "owned, first"],
)
def test_what_needs_nothing_gets_nothing(hub: HubOf, objects: list[Object]) -> None:
    """No write where there is no add-on to own it, one of both is going, or all is well."""
    assert hub(make.namespace("c1"), cluster(), *objects).ask("addon-metadata", KEY).actions == ()


def installed(hub: HubOf, annotations: Mapping[str, str]) -> Any:
    """A hub where the install row has put `hello` on `c1`, which has these annotations."""
    placement = make.placement("p", "fleet")
    placement["status"] = {"numberOfSelectedClusters": 1}
    decision = {
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": "PlacementDecision",
        "metadata": {
            "name": "p-decision-1",
            "namespace": "fleet",
            "labels": {"cluster.open-cluster-management.io/placement": "p"},
        },
        "status": {"decisions": [{"clusterName": "c1", "reason": ""}]},
    }
    state = hub(cma(), cluster(annotations), make.namespace("c1"), placement, decision)
    (result,) = state.run("addon-install", Ref(*MANAGEMENT_ADDON, "", "hello"))
    assert isinstance(result.write, Create)
    assert result.ok
    return state


def marks(state: Any) -> Mapping[str, str]:
    """The annotations of the installation once the row has had its say, twice."""
    state.run("addon-metadata", KEY)
    assert state.ask("addon-metadata", KEY).actions == ()
    return dict(state.world.get(KEY)["metadata"].get("annotations") or {})


def annotate(state: Any, ref: Ref, annotations: Mapping[str, str | None]) -> None:
    """Somebody annotates an object."""
    state.patch(ref, {"metadata": {"annotations": dict(annotations)}})


def test_a_clusters_annotations_are_followed(hub: HubOf) -> None:
    """Added, changed and removed on the cluster: so on its add-on; others of the cluster never arrive."""
    state = installed(hub, {HOSTING: "h1", "example.com/x": "y"})
    assert marks(state) == {HOSTING: "h1"}
    annotate(state, cluster_ref("c1"), {HOSTING: "h2", VALUES: "{}"})
    assert marks(state) == {HOSTING: "h2", VALUES: "{}"}
    annotate(state, cluster_ref("c1"), {HOSTING: None})
    assert marks(state) == {VALUES: "{}"}
    annotate(state, cluster_ref("c1"), {VALUES: None})
    assert marks(state) == {}


def test_a_persons_own_annotations_stay(hub: HubOf) -> None:
    """What somebody put on the ManagedClusterAddOn is not the cluster's to remove."""
    state = installed(hub, {HOSTING: "h1"})
    annotate(state, KEY, {VALUES: '{"a":1}', "example.com/note": "n"})
    assert marks(state) == {HOSTING: "h1", VALUES: '{"a":1}', "example.com/note": "n"}
    annotate(state, cluster_ref("c1"), {HOSTING: None})
    assert marks(state) == {VALUES: '{"a":1}', "example.com/note": "n"}


def test_where_both_speak_the_cluster_wins(hub: HubOf) -> None:
    """An annotation that the cluster has too is put back."""
    state = installed(hub, {HOSTING: "h1"})
    annotate(state, KEY, {HOSTING: "mine"})
    assert marks(state) == {HOSTING: "h1"}


def test_by_hand_means_by_hand(hub: HubOf) -> None:
    """Under Manual nothing is handed on, and what was handed on before stays."""
    state = installed(hub, {HOSTING: "h1"})
    state.patch(Ref(*MANAGEMENT_ADDON, "", "hello"), {"spec": {"installStrategy": {"type": "Manual"}}})
    annotate(state, cluster_ref("c1"), {HOSTING: None, VALUES: "{}"})
    assert marks(state) == {HOSTING: "h1"}


def test_the_install_namespace_follows_too(hub: HubOf) -> None:
    """At v1alpha1 the annotation for it is the field; without the annotation the field is left alone."""
    state = installed(hub, {})
    annotate(state, cluster_ref("c1"), {ADDON + "v1alpha1-install-namespace": "elsewhere"})
    assert marks(state) == {}
    assert state.world.get(KEY)["spec"]["installNamespace"] == "elsewhere"
    annotate(state, cluster_ref("c1"), {ADDON + "v1alpha1-install-namespace": None})
    assert marks(state) == {}
    assert state.world.get(KEY)["spec"]["installNamespace"] == "elsewhere"
