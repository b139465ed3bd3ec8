"""Taints in Git, and the hub's own beside them."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.plan.taints import with_live_taints
from gitops_ocm.testing.gitops import Fleet

CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
UNREACHABLE = {"key": "cluster.open-cluster-management.io/unreachable", "effect": "NoSelect"}
GPU = {"key": "gpu", "value": "true", "effect": "NoSelect"}
SINCE = {"timeAdded": "2026-01-01T00:00:00Z"}
LATER = {"timeAdded": "2026-01-02T00:00:00Z"}


def cluster(*taints: dict[str, Any], kind: str = "ManagedCluster") -> Object:
    """A cluster with taints."""
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": kind,
        "metadata": {"name": "c1"},
        "spec": {"hubAcceptsClient": True, "taints": list(taints)},
    }


@pytest.mark.parametrize(
    ("wished", "live", "sent"),
    [
        ([GPU], [GPU | SINCE], [GPU | SINCE]),
        ([GPU], [GPU | SINCE, UNREACHABLE | LATER], [GPU | SINCE, UNREACHABLE | LATER]),
        ([GPU], [UNREACHABLE], [GPU, UNREACHABLE]),
        ([GPU], [{**GPU, "value": "false"} | SINCE], [GPU]),
        ([GPU], [{"key": "by-hand", "effect": "NoSelect"}], [GPU]),
        ([GPU | LATER], [GPU | SINCE], [GPU | LATER]),
        ([UNREACHABLE], [UNREACHABLE | SINCE], [UNREACHABLE | SINCE]),
        ([GPU], [], [GPU]),
    ],
)
def test_what_is_sent(wished: list[Any], live: list[Any], sent: list[Any]) -> None:
    """Times and the hub's own taints are kept; what somebody else added goes."""
    assert with_live_taints(cluster(*wished), cluster(*live))["spec"]["taints"] == sent


def test_nothing_else_is_touched() -> None:
    """No live object, no taints in Git, another kind: the fragment goes out as it is."""
    for fragment, live in (
        (cluster(GPU), None),
        (cluster(), cluster(GPU)),
        (cluster(GPU, kind="Other"), cluster(GPU | SINCE, kind="Other")),
    ):
        assert with_live_taints(fragment, live) is fragment


FILE = """\
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata:
  name: c1
  labels:
    env: {env}
spec:
  hubAcceptsClient: true
  taints:
    - {{key: gpu, value: "true", effect: NoSelect}}
"""


async def test_git_and_hub_do_not_fight(fleet: Fleet) -> None:
    """A taint of the hub's stays through drift correction and through a change in Git, and quiet follows."""
    fleet.repo.commit({"clusters/c1.yaml": FILE.format(env="dev")})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    hub = fleet.wire.hub
    now = [GPU | SINCE, UNREACHABLE | LATER]
    body = {"spec": {"taints": now}}
    await hub.patch(CLUSTERS, "", "c1", body, type=PatchType.MERGE, field_manager="gitops-ocm-health")
    assert (await fleet.loop().once()).ok
    assert (await hub.get(CLUSTERS, "", "c1"))["spec"]["taints"] == now
    fleet.repo.commit({"clusters/c1.yaml": FILE.format(env="prod")})
    assert (await fleet.loop().once()).ok
    changed = await hub.get(CLUSTERS, "", "c1")
    assert changed["metadata"]["labels"]["env"] == "prod"
    assert changed["spec"]["taints"] == now
    version = changed["metadata"]["resourceVersion"]
    assert (await fleet.loop().once()).ok
    assert (await hub.get(CLUSTERS, "", "c1"))["metadata"]["resourceVersion"] == version


BARE = """\
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata:
  name: c1
spec:
  hubAcceptsClient: true
"""


@pytest.mark.parametrize("first", [[GPU | SINCE, UNREACHABLE | LATER], [GPU | SINCE], None])
async def test_the_last_taint_leaves_git(fleet: Fleet, first: list[Any] | None) -> None:
    """Git's taint goes even where the hub's controller wrote the list since; the hub's own stays."""
    fleet.repo.commit({"clusters/c1.yaml": FILE.format(env="dev")})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    hub = fleet.wire.hub
    for now in () if first is None else ([GPU | SINCE, UNREACHABLE | LATER], first):
        body = {"spec": {"taints": now}}
        await hub.patch(CLUSTERS, "", "c1", body, type=PatchType.MERGE, field_manager="gitops-ocm-health")
        assert (await fleet.loop().once()).ok
    fleet.repo.commit({"clusters/c1.yaml": BARE})
    assert (await fleet.loop().once()).ok
    left = await hub.get(CLUSTERS, "", "c1")
    assert left["spec"].get("taints", []) == [t for t in first or () if t["key"] == UNREACHABLE["key"]]
    version = left["metadata"]["resourceVersion"]
    assert (await fleet.loop().once()).ok
    assert (await hub.get(CLUSTERS, "", "c1"))["metadata"]["resourceVersion"] == version


async def test_taints_of_others_stay_where_git_has_none(fleet: Fleet) -> None:
    """Where Git never had a taint, one set by hand stays, also beside the hub's and when Git changes."""
    fleet.repo.commit({"clusters/c1.yaml": BARE})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    hub, now = fleet.wire.hub, [GPU | SINCE, UNREACHABLE | LATER]
    for manager, taints in (("by-hand", now[:1]), ("gitops-ocm-health", now)):
        body = {"spec": {"taints": taints}}
        await hub.patch(CLUSTERS, "", "c1", body, type=PatchType.MERGE, field_manager=manager)
    fleet.repo.commit({"clusters/c1.yaml": BARE.replace("name: c1", "name: c1\n  labels: {env: dev}")})
    assert (await fleet.loop().once()).ok
    changed = await hub.get(CLUSTERS, "", "c1")
    assert changed["metadata"]["labels"]["env"] == "dev"
    assert changed["spec"]["taints"] == now
