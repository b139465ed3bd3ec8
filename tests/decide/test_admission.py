"""Admission: what is filled in, what is refused and with which words, what has to be allowed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.admission import Review, admit
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEN = "2025-01-01T00:00:00Z"
HUB = HubSettings()


def cluster(taints: list[Object] | None = None, **spec: object) -> Object:
    """A cluster that only asks to join."""
    found = make.managed_cluster("c1", accepted=False, cluster_set="")
    if taints is not None:
        found["spec"]["taints"] = taints
    found["spec"].update(spec)
    return found


def test_a_cluster_is_in_the_default_set_unless_it_says_otherwise() -> None:
    """The label is filled in on creation and on update, where the hub has the default set."""
    assert admit(cluster(), None, NOW, HUB).obj["metadata"]["labels"] == {CLUSTER_SET_LABEL: "default"}
    assert admit(make.managed_cluster("c1", cluster_set="eu"), None, NOW, HUB).obj["metadata"]["labels"] == {
        CLUSTER_SET_LABEL: "eu"
    }
    without = admit(cluster(), None, NOW, HubSettings(default_cluster_set=False))
    assert without.obj["metadata"]["labels"] == {}


def test_taints_get_their_time_and_keep_it() -> None:
    """New taints are timed now, whatever was sent on creation; those that stay keep their time."""
    sent = {"key": "a", "effect": "NoSelect", "timeAdded": THEN}
    made = admit(cluster([sent]), None, NOW, HUB).obj
    assert made["spec"]["taints"][0]["timeAdded"] == "2026-01-01T00:00:00Z"
    old = cluster([sent])
    fresh = {"key": "b", "effect": "NoSelect"}
    kept = admit(cluster([{"key": "a", "effect": "NoSelect"}, fresh]), old, NOW, HUB).obj
    assert [t["timeAdded"] for t in kept["spec"]["taints"]] == [THEN, "2026-01-01T00:00:00Z"]


BAD = make.config_map("a")
REFUSED = [
    (
        cluster([{"key": "k", "effect": "NoSelect", "timeAdded": THEN}]),
        cluster(),
        'It is not allowed to set TimeAdded of Taint "k".',
    ),
    (
        cluster(managedClusterClientConfigs=[{"url": "http://x"}]),
        None,
        'url "http://x" is invalid in client configs',
    ),
    (
        cluster(
            managedClusterClientConfigs=[{"url": "ftp://x"}, {"url": "HTTPS://y"}, {"url": "https://a b"}]
        ),
        None,
        'url "ftp://x" is invalid in client configs\nurl "https://a b" is invalid in client configs',
    ),
    (
        {**make.binding("a", "default"), "spec": {"clusterSet": "b"}},
        None,
        "The ManagedClusterSetBinding must have the same name as the target ManagedClusterSet",
    ),
    (make.manifest_work("w", "c1", []), None, "manifests should not be empty"),
    (make.manifest_work("w", "c1", [{**BAD, "metadata": {}}]), None, "name must be set in manifest"),
    (
        make.manifest_work("w", "c1", [{**BAD, "metadata": {"generateName": "a-"}}]),
        None,
        "generateName must not be set in manifest",
    ),
    (
        make.manifest_work("w", "c1", [BAD, BAD]),
        None,
        "duplicate manifest for resource default/a with resource type v1.ConfigMap",
    ),
    (
        make.manifest_work("w", "c1", [BAD], executor={"subject": {"type": "ServiceAccount"}}),
        None,
        "executor service account can not be nil",
    ),
]


@pytest.mark.parametrize(("obj", "old", "message"), REFUSED)
def test_what_is_refused_and_how(obj: Object, old: Object | None, message: str) -> None:
    """400 with the protocol's words, and the webhook's name before them."""
    with pytest.raises(ApiError) as caught:
        admit(obj, old, NOW, HUB)
    assert caught.value.http_code == 400
    webhook, _, said = caught.value.message.partition(" denied the request: ")
    assert webhook.startswith('admission webhook "')
    assert said == message


def test_a_work_may_be_as_large_as_the_limit_and_no_larger() -> None:
    """500 KiB over all manifests."""
    big = make.config_map("a", data={"x": "y" * (500 * 1024)})
    with pytest.raises(ApiError, match="which exceeds the 512000 limit"):
        admit(make.manifest_work("w", "c1", [big]), None, NOW, HUB)


def test_names_have_to_be_good_for_a_namespace() -> None:
    """A cluster's name becomes a namespace."""
    with pytest.raises(ApiError):
        admit(make.managed_cluster("C.1"), None, NOW, HUB)


def test_what_takes_more_than_the_right_to_write() -> None:
    """Accepting, joining and leaving sets, binding, and acting as an executor are asked for."""
    accept = Review("register.open-cluster-management.io", "managedclusters", "accept", "update", "c1")

    def of_set(verb: str, name: str) -> Review:
        return Review("cluster.open-cluster-management.io", "managedclustersets", verb, "create", name)

    accepted = make.managed_cluster("c1", cluster_set="eu")
    assert admit(accepted, None, NOW, HUB).reviews == (accept, of_set("join", "eu"))
    moved = make.managed_cluster("c1", cluster_set="us")
    assert admit(moved, accepted, NOW, HUB).reviews == (of_set("join", "eu"), of_set("join", "us"))
    assert admit(accepted, accepted, NOW, HUB).reviews == ()
    assert admit(make.binding("eu", "default"), None, NOW, HUB).reviews == (of_set("bind", "eu"),)
    subject = {"type": "ServiceAccount", "serviceAccount": {"namespace": "ns", "name": "sa"}}
    work = make.manifest_work("w", "c1", [BAD], executor={"subject": subject})
    (review,) = admit(work, None, NOW, HUB).reviews
    assert (review.verb, review.name, review.namespace) == (
        "execute-as",
        "system:serviceaccount:ns:sa",
        "c1",
    )
    assert admit(work, work, NOW, HUB).reviews == ()
    assert admit(BAD, None, NOW, HUB).obj is BAD
