"""What create, update and delete do to metadata: identity, generations, finalizers, versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects import lifecycle
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.lifecycle import Fate
from gitops_ocm.objects.ref import Object, Resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WIDGETS = Resource("x.io", "v1", "Widget", "widgets", namespaced=True, subresources=frozenset({"status"}))


def widget(spec: Any = None, **meta: Any) -> Object:
    """An object as it is stored."""
    known = {"name": "a", "namespace": "n", "uid": "u1", "resourceVersion": "5", "generation": 3}
    return {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {**known, **meta}, "spec": spec or {}}


def test_a_creation_is_told_who_it_is() -> None:
    """Identity, time and generation are the server's; a status is not taken; empty maps are left out."""
    sent = widget(creationTimestamp="x", deletionTimestamp="y", labels={}, selfLink="z", generation=9)
    made = lifecycle.created({**sent, "status": {"a": 1}}, resource=WIDGETS, now=NOW, uid="u2")
    assert made["metadata"] == {
        "name": "a",
        "namespace": "n",
        "uid": "u2",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "generation": 1,
    }
    assert "status" not in made


@pytest.mark.parametrize(
    ("meta", "name"),
    [
        ({"generateName": "web-"}, "web-xyz12"),
        ({"generateName": "x" * 70}, "x" * 58 + "xyz12"),
        ({"name": "a", "generateName": "web-"}, "a"),
    ],
)
def test_generated_names(meta: dict[str, Any], name: str) -> None:
    """A prefix is completed, and cut so that the name stays a label; a name given stands."""
    made = lifecycle.created({"metadata": meta}, resource=WIDGETS, now=NOW, uid="u", name_suffix="xyz12")
    assert made["metadata"]["name"] == name


@pytest.mark.parametrize(
    ("new", "subresource", "generation", "spec", "status"),
    [
        (widget({"a": 2}), "", 4, {"a": 2}, {"s": 1}),
        (widget({"a": 1}), "", 3, {"a": 1}, {"s": 1}),
        (widget({"a": 1}, labels={"x": "y"}), "", 3, {"a": 1}, {"s": 1}),
        ({**widget({"a": 1}), "status": {"s": 2}}, "", 3, {"a": 1}, {"s": 1}),
        ({**widget({"a": 9}), "status": {"s": 2}}, "status", 3, {"a": 1}, {"s": 2}),
    ],
)
def test_generations_count_what_is_desired(
    new: Object, subresource: str, generation: int, spec: Any, status: Any
) -> None:
    """Only a changed spec counts; the object cannot write its status, nor the status the object."""
    old = {**widget({"a": 1}), "status": {"s": 1}}
    result = lifecycle.updated(old, new, resource=WIDGETS, subresource=subresource)
    assert result["metadata"]["generation"] == generation
    assert (result["spec"], result["status"]) == (spec, status)


def test_what_a_client_leaves_out_stays() -> None:
    """Identity need not be sent with an update; labels that are not sent are gone."""
    old = widget(creationTimestamp="2026-01-01T00:00:00Z", labels={"a": "b"})
    result = lifecycle.updated(old, {"metadata": {"name": "a"}, "spec": {}}, resource=WIDGETS)
    assert result["metadata"] == {k: v for k, v in old["metadata"].items() if k != "labels"}


@pytest.mark.parametrize(
    ("meta", "fields"),
    [
        ({}, []),
        ({"uid": "other"}, ["metadata.uid"]),
        ({"namespace": "m"}, ["metadata.namespace"]),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, ["metadata.deletionTimestamp"]),
    ],
)
def test_identity_is_for_life(meta: dict[str, Any], fields: list[str]) -> None:
    """What may never change is named when somebody tries."""
    old = widget()["metadata"]
    causes = lifecycle.update_causes(old, {**old, **meta}, WIDGETS)
    assert [cause.field for cause in causes] == fields


def test_no_finalizer_comes_late() -> None:
    """While an object is being deleted finalizers only go."""
    old = widget(finalizers=["x.io/a", "x.io/b"], deletionTimestamp="2026-01-01T00:00:00Z")["metadata"]
    assert lifecycle.update_causes(old, {**old, "finalizers": ["x.io/b"]}, WIDGETS) == []
    (cause,) = lifecycle.update_causes(old, {**old, "finalizers": ["x.io/a", "x.io/c"]}, WIDGETS)
    assert cause.message.endswith('found new finalizers []string{"x.io/c"}')


@pytest.mark.parametrize(
    ("sent", "good"),
    [
        ({}, True),
        ({"resourceVersion": "5"}, True),
        ({"resourceVersion": ""}, True),
        ({"resourceVersion": "4"}, False),
        ({"uid": "u1"}, True),
        ({"uid": "u2"}, False),
    ],
)
def test_an_update_knows_what_it_was_read_from(sent: dict[str, Any], good: bool) -> None:
    """Another version or another object is a conflict; saying nothing is not."""
    if good:
        lifecycle.check_version(widget(), sent, resource=WIDGETS)
        return
    with pytest.raises(ApiError) as caught:
        lifecycle.check_version(widget(), sent, resource=WIDGETS)
    assert caught.value.reason == "Conflict"


@pytest.mark.parametrize(
    ("have", "propagation", "fate", "finalizers"),
    [
        ([], "", Fate.REMOVED, None),
        ([], "Background", Fate.REMOVED, None),
        ([], "Foreground", Fate.MARKED, ["foregroundDeletion"]),
        ([], "Orphan", Fate.MARKED, ["orphan"]),
        (["x.io/a"], "", Fate.MARKED, ["x.io/a"]),
        (["orphan"], "Background", Fate.REMOVED, None),
        (["orphan", "x.io/a"], "Foreground", Fate.MARKED, ["x.io/a", "foregroundDeletion"]),
    ],
)
def test_deletions(have: list[str], propagation: str, fate: Fate, finalizers: list[str] | None) -> None:
    """Finalizers stand between deletion and removal, and the policy adds or takes away its own."""
    deletion = lifecycle.deleted(widget(finalizers=have), now=NOW, propagation=propagation)
    assert deletion.fate is fate
    assert deletion.obj["metadata"].get("finalizers") == finalizers
    if fate is Fate.MARKED:
        assert deletion.obj["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:00Z"
        assert deletion.obj["metadata"]["generation"] == 4
        again = lifecycle.deleted(deletion.obj, now=NOW, propagation=propagation)
        assert again.fate is Fate.UNCHANGED


@given(st.lists(st.sampled_from(["x.io/a", "x.io/b", "orphan"]), unique=True, min_size=1))
@settings(derandomize=True, deadline=None)
def test_an_object_goes_with_its_last_finalizer(finalizers: list[str]) -> None:
    """Whatever the order they are taken away in: marked objects are finished then, and not before."""
    obj = lifecycle.deleted(widget(finalizers=finalizers), now=NOW).obj
    for finalizer in finalizers:
        assert not lifecycle.finished(obj)
        obj = lifecycle.without_finalizer(obj, finalizer)
    assert lifecycle.finished(obj)


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ({}, ""),
        ({"propagationPolicy": "Foreground"}, "Foreground"),
        ({"orphanDependents": True}, "Orphan"),
        ({"orphanDependents": False}, "Background"),
        ({"propagationPolicy": "Sideways"}, None),
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, None),
    ],
)
def test_propagation_policies(options: dict[str, Any], policy: str | None) -> None:
    """The policy and its old form, but not both; None: refused."""
    if policy is not None:
        assert lifecycle.check_propagation(options) == policy
        return
    with pytest.raises(ApiError) as caught:
        lifecycle.check_propagation(options)
    assert caught.value.http_code == 422


def test_only_times_of_managers_are_no_change() -> None:
    """Everything else is, down to a label."""
    entry = {"manager": "m", "operation": "Apply", "time": "2026-01-01T00:00:00Z"}
    old = widget({"a": 1}, managedFields=[entry])
    assert lifecycle.unchanged(old, widget({"a": 1}, managedFields=[{**entry, "time": "later"}]))
    assert not lifecycle.unchanged(old, widget({"a": 1}, managedFields=[{**entry, "manager": "n"}]))
    assert not lifecycle.unchanged(old, widget({"a": 1}))
    assert not lifecycle.unchanged(old, widget({"a": 1}, managedFields=[entry], labels={"a": "b"}))
    assert not lifecycle.unchanged(old, widget({"a": 2}, managedFields=[entry]))
    assert not lifecycle.unchanged(old, {**old, "status": {}})
