"""What follows from a write: namespaces, definitions, garbage collection; pages and watches; names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.verbs import Api, WriteOptions
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

START = datetime(2026, 1, 1, tzinfo=UTC)


class Hub:
    """An `Api` with a clock, and short words for its calls."""

    def __init__(self, storage: Any = None, **options: Any) -> None:
        self.time = START
        self.api = Api(load_catalog(ocm=False), storage, now=self._now, **options)

    def _now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def served(self, kind: str = "ConfigMap", api_version: str = "v1") -> Served:
        found = self.api.catalog.served(api_version, kind)
        assert found is not None
        return found

    def create(self, name: str = "a", namespace: str = "default", **meta: Any) -> Object:
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}}
        return self.api.create(self.served(), namespace, obj).obj

    def names(self, namespace: str = "") -> list[str]:
        return [o["metadata"]["name"] for o in self.api.list(self.served(), namespace).items]

    def get(self, name: str, namespace: str = "default") -> Object:
        return self.api.get(self.served(), namespace, name)

    def delete(self, name: str, policy: str = "") -> None:
        self.api.delete(self.served(), "default", name, {"propagationPolicy": policy} if policy else {})

    def owned(self, name: str, owner: Object, **ref: Any) -> Object:
        meta = owner["metadata"]
        owner_ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": meta["name"], "uid": meta["uid"], **ref}
        return self.create(name, ownerReferences=[owner_ref])

    def namespace(self, name: str) -> None:
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.api.create(self.served("Namespace"), "", obj)


def refused(call: Any, *args: Any, **kwargs: Any) -> ApiError:
    """The error of a call that must fail."""
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_a_namespace_is_emptied_before_it_goes() -> None:
    """Deleting a namespace deletes what is in it; a finalizer inside holds it, and it says so."""
    hub = Hub()
    hub.namespace("n")
    hub.create("free", "n")
    hub.create("held", "n", finalizers=["example.com/f"])
    answer = hub.api.delete(hub.served("Namespace"), "", "n")
    assert answer.obj["status"]["phase"] == "Terminating"
    assert hub.names("n") == ["held"]
    conditions = {c["type"]: c for c in hub.api.get(hub.served("Namespace"), "", "n")["status"]["conditions"]}
    assert conditions["NamespaceFinalizersRemaining"]["message"].endswith(
        "example.com/f in 1 resource instances"
    )
    error = refused(hub.create, "late", "n")
    why = "unable to create new content in namespace n because it is being terminated"
    assert (error.reason, error.message) == ("Forbidden", f'configmaps "late" is forbidden: {why}')
    hub.api.patch(hub.served(), "n", "held", PatchType.MERGE, {"metadata": {"finalizers": None}})
    assert refused(hub.api.get, hub.served("Namespace"), "", "n").reason == "NotFound"


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("Background", ["kube"]),
        ("Foreground", ["kube"]),
        ("Orphan", ["child", "grandchild", "kube"]),
        ("", ["kube"]),
    ],
)
def test_dependents_go_with_their_owner(policy: str, left: list[str]) -> None:
    """Background and foreground take the whole tree along, orphan leaves it without owners."""
    hub = Hub()
    hub.create("kube")
    child = hub.owned("child", hub.create("owner"), blockOwnerDeletion=True)
    hub.owned("grandchild", child)
    hub.delete("owner", policy)
    assert hub.names("default") == left
    if policy == "Orphan":
        assert "ownerReferences" not in hub.get("child")["metadata"]
        assert "ownerReferences" in hub.get("grandchild")["metadata"]


def test_foreground_waits_for_what_blocks() -> None:
    """An owner stays, marked, until the dependent that blocks it is gone."""
    hub = Hub()
    owner = hub.create("owner")
    child = hub.owned("child", owner, blockOwnerDeletion=True)
    hub.api.patch(
        hub.served(), "default", "child", PatchType.MERGE, {"metadata": {"finalizers": ["e.com/f"]}}
    )
    hub.delete("owner", "Foreground")
    assert hub.get("owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert hub.get("child")["metadata"]["deletionTimestamp"]
    hub.api.patch(hub.served(), "default", "child", PatchType.MERGE, {"metadata": {"finalizers": None}})
    assert hub.names("default") == []
    assert child["metadata"]["uid"]


def test_a_second_owner_keeps_a_dependent() -> None:
    """With one of two owners gone, the dependent stays and forgets that one."""
    hub = Hub()
    first, second = hub.create("first"), hub.create("second")
    refs = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": o["metadata"]["name"], "uid": o["metadata"]["uid"]}
        for o in (first, second)
    ]
    hub.create("child", ownerReferences=refs)
    hub.delete("first")
    assert hub.get("child")["metadata"]["ownerReferences"] == refs[1:]


@pytest.mark.parametrize(
    ("ref", "survives"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}, False),
        ({"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "stale"}, False),
        ({"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1"}, False),
        ({"apiVersion": "example.com/v1", "kind": "Unknown", "name": "x", "uid": "1"}, True),
    ],
    ids=["absent", "another uid", "cluster-scoped", "kind not served"],
)
def test_an_absent_owner_collects(ref: Any, survives: bool) -> None:
    """An object whose only owner does not exist is collected, unless nobody can tell."""
    hub = Hub()
    hub.create("other")
    hub.create("child", ownerReferences=[ref])
    assert ("child" in hub.names()) is survives


def test_an_owner_in_another_namespace_is_none() -> None:
    """A namespaced owner is looked for in the dependent's own namespace only."""
    hub = Hub()
    hub.namespace("n")
    owner = hub.create("owner", "n")
    hub.owned("child", owner)
    assert hub.names("default") == []


CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gears.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "gears", "kind": "Gear"},
        "versions": [
            {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {
                    "size": {"type": "integer", "default": 3}}}}}}}
            for name in ("v1", "v2")
        ],
    },
}  # fmt: skip


def define(hub: Hub) -> Served:
    """Create the definition; how it is."""
    served = hub.served("CustomResourceDefinition", "apiextensions.k8s.io/v1")
    hub.api.create(served, "", CRD)
    return served


def gear(version: str = "v1", **fields: Any) -> Object:
    """A custom object."""
    return {"apiVersion": f"example.com/{version}", "kind": "Gear", "metadata": {"name": "g"}, **fields}


def test_a_definition_is_served_at_once_and_takes_its_objects_along() -> None:
    """A new kind can be used in every served version; deleted, its objects and then its kind are gone."""
    hub = Hub()
    crds = define(hub)
    stored = hub.api.get(crds, "", "gears.example.com")
    assert [c["type"] for c in stored["status"]["conditions"]] == ["NamesAccepted", "Established"]
    assert stored["spec"]["names"]["listKind"] == "GearList"
    v1, v2 = hub.served("Gear", "example.com/v1"), hub.served("Gear", "example.com/v2")
    hub.api.create(
        v1, "default", {**gear(), "metadata": {"name": "g", "finalizers": ["e.com/f"]}, "spec": {}}
    )
    assert hub.api.get(v2, "default", "g")["apiVersion"] == "example.com/v2"
    assert hub.api.get(v2, "default", "g")["spec"] == {"size": 3}
    hub.api.delete(crds, "", "gears.example.com")
    assert hub.api.get(v1, "default", "g")["metadata"]["deletionTimestamp"]
    hub.api.patch(v1, "default", "g", PatchType.MERGE, {"metadata": {"finalizers": None}})
    assert hub.api.catalog.served("example.com/v1", "Gear") is None
    assert refused(hub.api.get, crds, "", "gears.example.com").reason == "NotFound"


def test_a_reopened_hub_goes_on(tmp_path: Any) -> None:
    """Definitions, objects and unfinished deletions are as they were after a restart."""
    hub = Hub(SqliteStorage(tmp_path / "state.db"))
    define(hub)
    hub.api.create(hub.served("Gear", "example.com/v1"), "default", gear())
    owner = hub.create("owner")
    hub.owned("child", owner)
    version = hub.api.store.version
    hub.api.close()
    again = Hub(SqliteStorage(tmp_path / "state.db"))
    assert again.api.store.version == version
    assert again.api.get(again.served("Gear", "example.com/v1"), "default", "g")["kind"] == "Gear"
    again.delete("owner")
    assert again.names("default") == []
    again.api.close()


def test_pages_show_one_version() -> None:
    """Continued pages are of the version of the first, whatever is written between; a lost one is 410."""
    hub = Hub(history=10)
    for at in range(5):
        hub.create(f"c{at}")
    first = hub.api.list(hub.served(), "default", limit=2)
    assert (len(first.items), first.remaining) == (2, 3)
    hub.create("c11")
    hub.delete("c3")
    second = hub.api.list(hub.served(), "default", limit=2, continue_token=first.continue_token)
    third = hub.api.list(hub.served(), "default", limit=2, continue_token=second.continue_token)
    pages = [o["metadata"]["name"] for page in (first, second, third) for o in page.items]
    assert pages == ["c0", "c1", "c2", "c3", "c4"]
    assert {p.resource_version for p in (first, second, third)} == {first.resource_version}
    for at in range(20):
        hub.create(f"d{at}")
    error = refused(hub.api.list, hub.served(), "default", limit=2, continue_token=first.continue_token)
    assert (error.reason, error.http_code) == ("Expired", 410)
    assert refused(hub.api.list, hub.served(), "default", continue_token="!").reason == "BadRequest"


async def events(hub: Hub, **options: Any) -> list[tuple[str, str]]:
    """All events of a watch that ends at once."""
    stream = hub.api.watch(hub.served(), "default", timeout=0.001, **options)
    return [(e.type, e.object["metadata"].get("name", "")) async for e in stream]


async def test_a_watch_sees_objects_start_and_stop_matching() -> None:
    """Through a label selector, a changed label is an arrival or a departure."""
    hub = Hub()
    since = str(hub.api.store.version)
    hub.create("a", labels={"on": "yes"})
    hub.create("b")
    for name, value in (("a", None), ("b", "yes"), ("b", "yes!"[:3])):
        hub.api.patch(hub.served(), "default", name, PatchType.MERGE, {"metadata": {"labels": {"on": value}}})
    hub.delete("b")
    seen = await events(hub, resource_version=since, labels="on=yes")
    assert seen == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "b"), ("DELETED", "b")]


async def test_initial_events_end_with_a_bookmark() -> None:
    """A streaming list sends what there is, then a bookmark that says so."""
    hub = Hub()
    hub.create("a")
    stream = hub.api.watch(hub.served(), "default", timeout=0.001, send_initial_events=True, bookmarks=True)
    seen = [event async for event in stream]
    assert [e.type for e in seen] == ["ADDED", "BOOKMARK"]
    assert seen[1].object["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert seen[1].object["metadata"]["resourceVersion"] == str(hub.api.store.version)


async def test_a_watch_too_old_is_expired() -> None:
    """A version that has left the window is a 410 before any event; one from the future a timeout."""
    hub = Hub(history=2)
    since = str(hub.api.store.version)
    for name in "abcd":
        hub.create(name)
    error = refused(hub.api.watch, hub.served(), resource_version=since)
    assert error.http_code == 410
    assert error.message.startswith(f"too old resource version: {since} (")
    assert refused(hub.api.watch, hub.served(), resource_version="99999").reason == "Timeout"
    assert refused(hub.api.watch, hub.served(), resource_version="x").http_code == 500


def test_generated_names_are_completed() -> None:
    """generateName gets five characters; a name that is taken is a conflict, not a surprise."""
    hub = Hub(new_suffix=lambda: "abcde")
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    assert hub.api.create(hub.served(), "default", obj).obj["metadata"]["name"] == "x-abcde"
    assert refused(hub.api.create, hub.served(), "default", obj).reason == "AlreadyExists"


@pytest.mark.parametrize(("mode", "warned"), [("Strict", None), ("Warn", 1), ("Ignore", 0)])
def test_unknown_fields(mode: str, warned: int | None) -> None:
    """Strict refuses an unknown field by name, Warn drops it and says so, Ignore drops it."""
    hub = Hub()
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "foo": 1}
    options = WriteOptions(field_validation=mode)
    if warned is None:
        error = refused(hub.api.create, hub.served(), "default", obj, options)
        assert error.message.endswith('strict decoding error: unknown field "foo"')
        return
    answer = hub.api.create(hub.served(), "default", obj, options)
    assert ("foo" in answer.obj, len(answer.warnings)) == (False, warned)


def test_a_collection_is_deleted_by_selector() -> None:
    """deletecollection takes what is selected, answers with it, and leaves the rest."""
    hub = Hub()
    hub.create("a", labels={"x": "y"})
    hub.create("b")
    page = hub.api.delete_collection(hub.served(), "default", labels="x=y")
    assert [o["metadata"]["name"] for o in page.items] == ["a"]
    assert hub.names("default") == ["b"]


def test_an_event_is_one_object_in_two_groups() -> None:
    """What is written through one group is read through the other, by its own field names."""
    hub = Hub()
    core, events = hub.served("Event"), hub.served("Event", "events.k8s.io/v1")
    about = {"kind": "ConfigMap", "name": "a", "namespace": "default"}
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "c",
        "reportingInstance": "i",
        "action": "a",
        "reason": "R",
        "type": "Normal",
        "note": "hello",
        "regarding": about,
    }
    hub.api.create(events, "default", event)
    shown = hub.api.list(core, "default", fields="involvedObject.name=a").items
    assert [(o["apiVersion"], o["message"], o["involvedObject"]["name"]) for o in shown] == [
        ("v1", "hello", "a")
    ]
    assert hub.api.get(events, "default", "e")["note"] == "hello"
