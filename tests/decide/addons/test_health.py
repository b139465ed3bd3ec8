"""How add-ons fare: what a lost cluster does to them, and the labels that tell placements of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gitops_ocm.decide.contract import Emit
from gitops_ocm.decide.kinds import CLUSTER_ADDON, cluster_ref
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make

HubOf = Callable[..., Any]
KEY = cluster_ref("c1")
PREFIX = "feature.open-cluster-management.io/addon-"
GOING: Mapping[str, Any] = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["a/b"]}
LOST = ("Unknown", "ManagedClusterLeaseUpdateStopped", "Registration agent stopped updating its lease.")


def condition(type: str, status: str, reason: str = "Because", message: str = "") -> Object:
    """A condition."""
    since = "2026-01-01T00:00:00Z"
    return {"type": type, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}


def cluster(status: str | None, *, labels: Mapping[str, str] | None = None, **meta: Any) -> Object:
    """The cluster `c1`; its Available condition has that status, or it has none."""
    made = make.managed_cluster("c1", labels=labels)
    made["metadata"] |= meta
    if status is not None:
        said = LOST if status == "Unknown" else (status, "R", "m")
        made["status"] = {"conditions": [condition("ManagedClusterConditionAvailable", *said)]}
    return made


def addon(name: str, status: str | None, **meta: Any) -> Object:
    """An add-on on `c1` that fares so."""
    made = make.cluster_addon(name, "c1")
    made["metadata"] |= meta
    if status is not None:
        made["status"] = {"conditions": [condition("Progressing", "True"), condition("Available", status)]}
    return made


@pytest.mark.parametrize("before", [None, "True", "False", "Unknown"])
def test_a_lost_clusters_add_ons_are_unknown_for_the_clusters_reason(hub: HubOf, before: str | None) -> None:
    """Whatever was said of them: status, reason and message are the cluster's; other conditions stay."""
    state = hub(cluster("Unknown"), make.namespace("c1"), addon("a", before), addon("b", "True"))
    results = state.run("addon-health", KEY)
    assert all(result.ok for result in results)
    assert [r.write.about["metadata"]["name"] for r in results if isinstance(r.write, Emit)] == ["a", "b"]
    for name in ("a", "b"):
        found = state.world.get(Ref(*CLUSTER_ADDON, "c1", name))["status"]["conditions"]
        (available,) = (c for c in found if c["type"] == "Available")
        assert (available["status"], available["reason"], available["message"]) == LOST
        assert len(found) == (1 if name == "a" and before is None else 2)
    assert state.ask("addon-health", KEY).actions == ()


@pytest.mark.parametrize("status", [None, "True", "False"])
def test_the_add_ons_of_a_cluster_that_answers_speak_for_themselves(hub: HubOf, status: str | None) -> None:
    """Available, unavailable and not yet joined clusters: the hub says nothing of their add-ons."""
    state = hub(cluster(status), make.namespace("c1"), addon("a", "True"))
    assert state.ask("addon-health", KEY).actions == ()


FEATURES: Mapping[str, tuple[list[Object], Mapping[str, str]]] = {
    "by what they say": (
        [cluster("True"), addon("a", "True"), addon("b", "False"), addon("c", "Unknown"), addon("d", None)],
        {"a": "available", "b": "unhealthy", "c": "unreachable", "d": "unreachable"},
    ),
    "those that are gone, or go, lose theirs": (
        [
            cluster("True", labels={PREFIX + "gone": "available", PREFIX + "going": "available"}),
            addon("going", "True", **GOING),
        ],
        {},
    ),
    "changed": (
        [cluster("True", labels={PREFIX + "a": "available"}), addon("a", "False")], {"a": "unhealthy"},
    ),
    "unknown clusters have them too": ([cluster("Unknown"), addon("a", "Unknown")], {"a": "unreachable"}),
    "not before the cluster has joined": (
        [cluster(None, labels={PREFIX + "gone": "x"}), addon("a", "True")], {"gone": "x"},
    ),
    "nor while it goes": (
        [cluster("True", labels={PREFIX + "gone": "x"}, **GOING), addon("a", "True")], {"gone": "x"},
    ),
    "a name that no label takes is left out": (
        [cluster("True"), addon("a" * 57, "True"), addon("b" * 58, "True"), addon("c.d", "True")],
        {"a" * 57: "available", "c.d": "available"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FEATURES)
def test_a_cluster_is_labelled_with_its_add_ons(hub: HubOf, case: str) -> None:
    """Each row: the feature labels afterwards; other labels are as they were."""
    objects, expected = FEATURES[case]
    state = hub(make.namespace("c1"), *objects)
    assert all(result.ok for result in state.run("addon-features", KEY))
    labels = dict(state.world.get(KEY)["metadata"]["labels"])
    assert labels.pop("cluster.open-cluster-management.io/clusterset") == "default"
    assert labels == {PREFIX + name: value for name, value in expected.items()}
    assert state.ask("addon-features", KEY).actions == ()


def test_what_has_no_label_is_said(hub: HubOf) -> None:
    """The add-on whose name is too long is named, with or without anything to write."""
    state = hub(make.namespace("c1"), cluster("True"), addon("b" * 58, "True"))
    assert state.ask("addon-features", KEY).notes == (f"{'b' * 58} is too long a name for a label",)
