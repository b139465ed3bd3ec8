"""One manifest against one live object: which write each update strategy comes to, and when none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.agent.drift import as_wished
from gitops_ocm.decide.agent.ignored import IgnoreFieldError, with_live_values
from gitops_ocm.decide.agent.ledger import judge
from gitops_ocm.decide.agent.manifests import Item, look, writes_for
from gitops_ocm.decide.agent.merge import Unmergeable, secret_data
from gitops_ocm.decide.agent.options import Options, options_for, orphans
from gitops_ocm.decide.contract import Apply, Create, Delete, MergePatch, Side, Update, Write
from gitops_ocm.objects.faults import forbidden
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.testing import objects as make

ANCHOR: Object = {"metadata": {"name": "hash-web", "uid": "anchor-1"}}
OWNER = {
    "apiVersion": "work.open-cluster-management.io/v1",
    "kind": "AppliedManifestWork",
    "name": "hash-web",
    "uid": "anchor-1",
}


def live_of(manifest: Object, *, owned: bool = True, **extra: Any) -> Object:
    """The manifest as it would be on the cluster."""
    meta = {**manifest["metadata"], "uid": "u-1", "resourceVersion": "7", "finalizers": ["example.com/f"]}
    if owned:
        meta["ownerReferences"] = [OWNER]
    return {**manifest, **extra, "metadata": meta}


def needed(
    manifest: Object, live: Object | None, *, applied: bool = False, orphan: bool = False, **options: Any
) -> Sequence[Write]:
    """The writes for one manifest."""
    item = Item(manifest, {}, None, ref_of(manifest), Options(**options), orphan)
    return writes_for(item, live, ANCHOR, applied=applied)


def test_what_is_absent_is_created_with_its_owner() -> None:
    """Update, CreateOnly and server-side apply differ only once the object exists."""
    manifest = make.config_map("a")
    for strategy, kind in (("Update", Create), ("CreateOnly", Create), ("ServerSideApply", Apply)):
        (write,) = needed(manifest, None, strategy=strategy)
        assert isinstance(write, kind)
        assert write.obj["metadata"]["ownerReferences"] == [OWNER]
    assert needed(manifest, None, strategy="ReadOnly") == ()
    (orphaned,) = needed(manifest, None, orphan=True)
    assert isinstance(orphaned, Create)
    assert "ownerReferences" not in orphaned.obj["metadata"]


SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s", "namespace": "default"},
    "spec": {"ports": [{"port": 80}]},
}
POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "new"}]},
}
ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
DEPLOYMENT = make.deployment("web")
DEFAULTED = {**DEPLOYMENT["spec"], "replicas": 1, "progressDeadlineSeconds": 600}

UNCHANGED = [
    (make.config_map("a"), {}, True),
    (make.config_map("a"), {}, False),
    (DEPLOYMENT, {"spec": DEFAULTED, "status": {"replicas": 1}}, True),
    (SERVICE, {"spec": {**SERVICE["spec"], "clusterIP": "10.0.0.1"}}, True),
    (POD, {"spec": {"containers": [{"name": "c", "image": "old"}]}}, False),
    (
        {**ROLE, "aggregationRule": {"clusterRoleSelectors": []}, "rules": []},
        {"rules": [{"verbs": ["*"]}]},
        True,
    ),
]


@pytest.mark.parametrize(("manifest", "extra", "applied"), UNCHANGED)
def test_what_is_as_wished_is_not_written(manifest: Object, extra: Object, applied: bool) -> None:
    """Server defaults, other people's finalizers and fields that cannot change are no reason to write."""
    assert needed(manifest, live_of(manifest, **extra), applied=applied) == ()


CHANGED = [
    (make.config_map("a"), {"data": {"key": "value", "more": "x"}}, True, {"data": {"key": "value"}}),
    (make.config_map("a"), {"data": {"key": "other"}}, True, {"data": {"key": "value"}}),
    (DEPLOYMENT, {"spec": {**DEFAULTED, "selector": {}}}, True, {"spec": DEPLOYMENT["spec"]}),
    (DEPLOYMENT, {"spec": DEFAULTED}, False, {"spec": DEPLOYMENT["spec"]}),
    (SERVICE, {"spec": {"ports": [{"port": 81}]}}, True, {"spec": SERVICE["spec"]}),
    (ROLE, {"rules": []}, True, {"rules": ROLE["rules"]}),
]


@pytest.mark.parametrize(("manifest", "extra", "applied", "expected"), CHANGED)
def test_what_differs_is_put_whole_and_keeps_what_is_the_clusters(
    manifest: Object, extra: Object, applied: bool, expected: Object
) -> None:
    """A PUT with the live version, finalizers and status, and the manifest's content."""
    live = live_of(manifest, **{"status": {"seen": True}, **extra})
    (write,) = needed(manifest, live, applied=applied)
    assert isinstance(write, Update)
    assert {k: write.obj[k] for k in expected} == expected
    assert write.obj["metadata"] == live["metadata"]
    assert write.obj["status"] == {"seen": True}


def test_labels_are_added_and_overwritten_but_only_removed_when_told() -> None:
    """A key with a dash at its end takes the key away; one that was merely dropped stays."""
    manifest = make.config_map("a")
    manifest["metadata"]["labels"] = {"a": "new", "gone-": ""}
    live = live_of(manifest)
    live["metadata"]["labels"] = {"a": "old", "gone": "x", "theirs": "y"}
    (write,) = needed(manifest, live, applied=True)
    assert isinstance(write, Update)
    assert write.obj["metadata"]["labels"] == {"a": "new", "theirs": "y"}


def test_ownership_follows_the_delete_option() -> None:
    """An orphaned object loses our ownership, an adopted one gains it, others' owners stay."""
    manifest = make.config_map("a")
    theirs = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "n-1"}
    live = live_of(manifest)
    live["metadata"]["ownerReferences"] = [theirs, OWNER]
    (write,) = needed(manifest, live, applied=True, orphan=True)
    assert isinstance(write, Update)
    assert write.obj["metadata"]["ownerReferences"] == [theirs]
    live["metadata"]["ownerReferences"] = [theirs]
    (write,) = needed(manifest, live, applied=True, strategy="CreateOnly")
    assert isinstance(write, MergePatch)
    assert write.body["metadata"]["ownerReferences"] == [theirs, OWNER]


def test_what_cannot_be_changed_is_made_anew() -> None:
    """A Secret of another type, a StorageClass with another provisioner: delete and create."""
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "default"},
        "type": "Opaque",
    }
    gone, made = needed(secret, live_of({**secret, "type": "kubernetes.io/tls"}))
    assert isinstance(gone, Delete)
    assert gone.uid == "u-1"
    assert isinstance(made, Create)


def test_an_object_that_is_being_deleted_is_waited_for() -> None:
    """Nothing is written to it; once it is gone it is made again."""
    live = live_of(make.config_map("a", data={"x": "y"}))
    live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert needed(make.config_map("a"), live) == ()


def test_a_webhook_keeps_the_ca_that_was_injected() -> None:
    """A manifest without a bundle does not take the live one away."""
    hook = {"name": "h.example.com", "clientConfig": {"url": "https://h"}}
    manifest: Object = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"},
        "webhooks": [hook],
    }
    injected = {**hook, "clientConfig": {"url": "https://h", "caBundle": "Q0E="}}
    assert needed(manifest, live_of(manifest, webhooks=[injected]), applied=True) == ()


def test_string_data_is_folded_and_must_not_contradict_data() -> None:
    """A Secret may say the same twice, but not two things."""
    assert secret_data({"stringData": {"a": "x"}, "data": {"b": "eQ=="}}) == {"a": "eA==", "b": "eQ=="}
    assert secret_data({"stringData": {"a": "x"}, "data": {"a": "eA=="}}) == {"a": "eA=="}
    with pytest.raises(Unmergeable):
        secret_data({"stringData": {"a": "x"}, "data": {"a": "eQ=="}})


WISHES = [
    ({"a": 1}, {"a": 1, "b": 2}, True),
    ({"a": None, "b": [], "c": {}, "d": ""}, {}, True),
    ({"a": ""}, {"a": "x"}, False),
    ({"a": [1, 2]}, {"a": [1, 2, 3]}, False),
    ({"a": [{"n": 1}]}, {"a": [{"n": 1, "defaulted": True}]}, True),
    ({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}, True),
    ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1024Mi"}}, True),
    ({"env": "1.0"}, {"env": "1"}, False),
    ({"limits": {"cpu": "2"}}, {"limits": {"cpu": "1"}}, False),
    ({"a": True}, {"a": 1}, False),
    ({"a": 0}, {}, False),
]


@pytest.mark.parametrize(("desired", "live", "expected"), WISHES)
def test_drift_is_seen_through_what_a_server_does(desired: Any, live: Any, expected: bool) -> None:
    """Defaults, empty fields and the notation of quantities are no drift; anything else is."""
    assert as_wished(desired, live) is expected


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=10,
)


@given(json)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_everything_is_as_wished_by_itself(value: Any) -> None:
    """No value drifts from itself."""
    assert as_wished(value, value)


@given(st.dictionaries(st.sampled_from("abc"), st.text(max_size=2)), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_what_was_put_needs_no_second_put(data: dict[str, str], applied: bool) -> None:
    """Idempotence: the object an Update leaves behind is left alone."""
    manifest = make.config_map("a", data=data)
    writes = needed(manifest, live_of(make.config_map("a", data={"x": "y"}), owned=False), applied=applied)
    for write in writes:
        assert isinstance(write, Update)
        assert needed(manifest, write.obj, applied=applied) == ()
        assert needed(manifest, write.obj, applied=True) == ()


IGNORED: Sequence[tuple[Mapping[str, Any], bool, Any]] = [
    ({"condition": "OnSpokePresent", "jsonPaths": [".spec.replicas"]}, False, 5),
    ({"condition": "OnSpokePresent", "jsonPointers": ["/spec/replicas"]}, True, 5),
    ({"condition": "OnSpokeChange", "jsonPointers": ["/spec/replicas"]}, False, 1),
    ({"condition": "OnSpokeChange", "jsonPointers": ["/spec/replicas"]}, True, 5),
    ({"condition": "OnSpokePresent", "jsonPointers": ["spec/replicas"]}, True, 1),
    ({"condition": "OnSpokePresent", "jsonPaths": ["spec.replicas"]}, True, 1),
    ({"condition": "OnSpokePresent", "jqPathExpressions": [".spec.replicas"]}, False, 5),
]


@pytest.mark.parametrize(("rule", "applied", "expected"), IGNORED)
def test_ignored_fields_keep_their_live_value(rule: Mapping[str, Any], applied: bool, expected: int) -> None:
    """A scaled Deployment stays scaled, by the rule's condition; an unreadable rule ignores nothing."""
    manifest = {"spec": {"replicas": 1, "paused": True}}
    found = with_live_values(manifest, {"spec": {"replicas": 5}}, [rule], applied=applied)
    assert found["spec"] == {"replicas": expected, "paused": True}
    assert manifest["spec"]["replicas"] == 1


def test_bad_jq_is_refused_with_a_way_out() -> None:
    """What cannot be followed is said, not skipped."""
    with pytest.raises(IgnoreFieldError, match="JQ expression error") as caught:
        with_live_values({}, {}, [{"jqPathExpressions": ["env.HOME"]}], applied=True)
    assert "use paths" in caught.value.hint


def config(name: str, namespace: str, **attributes: Any) -> Object:
    """A manifestConfigs entry for ConfigMaps."""
    return {
        "resourceIdentifier": {"resource": "configmaps", "name": name, "namespace": namespace},
        **attributes,
    }


FIRST = {"updateStrategy": {"type": "CreateOnly"}}
SECOND = {"updateStrategy": {"type": "ReadOnly"}, "feedbackRules": [{"type": "WellKnownStatus"}]}
MATCHES = [
    ([config("a", "x", **FIRST)], "CreateOnly", 0),
    ([config("*", "*", **FIRST)], "CreateOnly", 0),
    ([config("a*z", "x", **FIRST)], "Update", 0),
    ([config("?", "x", **FIRST)], "Update", 0),
    ([config("a", "y", **FIRST), config("a", "x", **SECOND)], "ReadOnly", 1),
    ([config("a", "x", **FIRST), config("*", "x", **SECOND)], "CreateOnly", 1),
    ([], "Update", 0),
]


@pytest.mark.parametrize(("configs", "strategy", "feedback"), MATCHES)
def test_each_option_comes_from_the_first_entry_that_has_it(
    configs: list[Object], strategy: str, feedback: int
) -> None:
    """Entries are matched by wildcards in name and namespace, attribute by attribute."""
    found = options_for({"spec": {"manifestConfigs": configs}}, ("", "configmaps", "x", "a"))
    assert (found.strategy, len(found.feedback)) == (strategy, feedback)


def test_orphaning_rules_have_no_wildcards() -> None:
    """A rule names one object exactly."""
    rules = {"orphaningRules": [{"resource": "configmaps", "name": "*", "namespace": "x"}]}
    work = {"spec": {"deleteOption": {"propagationPolicy": "SelectivelyOrphan", "selectivelyOrphans": rules}}}
    assert not orphans(work, ("", "configmaps", "x", "a"))


class Guarded:
    """A view of a cluster that shows nothing."""

    def get(self, ref: Ref, side: Side) -> Object | None:
        """Refused."""
        raise forbidden(ref.group, ref.kind.lower(), ref.name, "the agent may not get it")


@pytest.mark.parametrize(
    ("options", "blind"),
    [
        ({}, False),
        ({"strategy": "CreateOnly"}, False),
        ({"strategy": "ReadOnly"}, True),
        ({"strategy": "ServerSideApply"}, True),
        ({"strategy": "ServerSideApply", "ignore_fields": [{"jsonPointers": ["/data"]}]}, False),
    ],
)
def test_what_can_be_done_unseen(options: dict[str, Any], blind: bool) -> None:
    """Who may not read an object may still have the server apply it, if nothing in it is left to others."""
    manifest = make.config_map("a")
    assert Item(manifest, {}, None, ref_of(manifest), Options(**options)).blind is blind


def test_what_may_not_be_looked_at() -> None:
    """That an object may not be read is an answer, not the end of everything else."""
    view: Any = Guarded()
    live, hidden = look(view, ref_of(make.config_map("a")))
    assert live is None
    assert hidden.endswith("the agent may not get it")


@pytest.mark.parametrize(("uid", "keep"), [("", False), ("u-1", True)])
def test_what_is_hidden_when_it_is_to_go(uid: str, keep: bool) -> None:
    """An object that was there is waited for; of one that nobody ever saw the owner's end takes care."""
    entry = {"group": "", "version": "v1", "resource": "configmaps", "namespace": "default", "name": "a"}
    verdict = judge(None, {**entry, "uid": uid}, ANCHOR, hidden="forbidden")
    assert (verdict.writes, verdict.keep) == ((), keep)
    assert not judge(None, {**entry, "uid": uid}, ANCHOR).keep


STORAGE: Object = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "s"}}
DRIVER: Object = {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "d"}}
CHOSEN = {"storageclass.kubernetes.io/is-default-class": "false"}


@pytest.mark.parametrize(
    ("manifest", "live", "writes"),
    [
        ({**DRIVER, "spec": {"attachRequired": True}}, {"spec": {"attachRequired": True, "more": 1}}, []),
        ({**DRIVER, "spec": {"attachRequired": True}}, {"spec": {"attachRequired": False}}, [Delete, Create]),
        ({**STORAGE, "parameters": {"a": "1"}}, {"parameters": {"a": "1"}}, []),
        ({**STORAGE, "parameters": {"a": "1"}}, {"parameters": {"a": "1", "b": "2"}}, [Delete, Create]),
        ({**STORAGE, "parameters": {"a": "1"}}, {"parameters": {"a": "2"}}, [Delete, Create]),
        ({**STORAGE, "reclaimPolicy": "Retain"}, {"reclaimPolicy": "Delete"}, [Delete, Create]),
        (STORAGE, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}, []),
    ],
)
def test_what_is_made_anew(manifest: Object, live: Object, writes: list[type[Write]]) -> None:
    """Only where a field that cannot be changed is to be another; what a server filled in is no reason."""
    found = needed(manifest, live_of({**manifest, **live}), applied=True)
    assert [type(write) for write in found] == writes


@pytest.mark.parametrize(("live", "expected"), [(CHOSEN, "false"), ({}, "true")])
def test_the_default_class_is_the_clusters_choice(live: Object, expected: str) -> None:
    """Whether a StorageClass is the default one stays as it was chosen there."""
    key = next(iter(CHOSEN))
    manifest = {**STORAGE, "metadata": {"name": "s", "annotations": {key: "true", "new": "1"}}}
    there = live_of(STORAGE)
    there["metadata"]["annotations"] = live
    (write,) = needed(manifest, there)
    assert isinstance(write, Update)
    assert write.obj["metadata"]["annotations"] == {key: expected, "new": "1"}
