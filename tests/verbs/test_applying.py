"""How verbs write and wait: foreign Deployments, dry runs, removal, time-outs that say what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object, Resource, kind_of
from gitops_ocm.objects.served import DEPLOYMENTS, NAMESPACES
from gitops_ocm.operator.install import OperatorOptions, hub_operator
from gitops_ocm.testing.clusters import memory
from gitops_ocm.verbs.applying import Applier
from gitops_ocm.verbs.clean import CleanOptions, clean
from gitops_ocm.verbs.hub_objects import HubSpec, bootstrap_objects, cluster_manager
from gitops_ocm.verbs.tokens import account_token, token_secret
from gitops_ocm.verbs.unjoin import UnjoinOptions, unjoin
from gitops_ocm.verbs.upgrade import UpgradeOptions, upgrade_hub
from gitops_ocm.verbs.voice import VerbError, Voice, WaitError
from gitops_ocm.verbs.waiting import Look, Patience, pod_ready, until

MANAGERS = Resource(
    "operator.open-cluster-management.io", "v1", "ClusterManager", "clustermanagers", namespaced=False
)
WHERE = "open-cluster-management"


class Clock:
    """Time that goes on by sleeping alone."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Heard(list[str]):
    """What a verb said, all in one."""

    def __init__(self) -> None:
        super().__init__()
        self.voice = Voice(self.append, self.append)

    @property
    def text(self) -> str:
        return "\n".join(self)


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """An empty hub in memory."""
    async with memory() as cluster:
        yield cluster


def installed() -> list[Object]:
    """All that init makes."""
    return [
        *hub_operator(OperatorOptions(image="img:1")),
        *bootstrap_objects(),
        cluster_manager(HubSpec("img:1")),
    ]


async def test_a_foreign_deployment_is_made_anew(hub: Cluster) -> None:
    """What another program's Deployment said of its pods does not stay in ours; ours is kept as it is."""
    await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": WHERE}})
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cluster-manager", "namespace": WHERE},
        "spec": {
            "selector": {"matchLabels": {"app": "other"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": "other"}},
                "spec": {"containers": [{"name": "theirs", "image": "their:1"}]},
            },
        },
    }
    await hub.create(DEPLOYMENTS, theirs, field_manager="helm")
    heard = Heard()
    await Applier(hub, heard.voice).apply(installed())
    first = await hub.get(DEPLOYMENTS, WHERE, "cluster-manager")
    assert [c["image"] for c in first["spec"]["template"]["spec"]["containers"]] == ["img:1"]
    assert "made by another program" in heard.text
    await Applier(hub, heard.voice).apply(installed())
    again = await hub.get(DEPLOYMENTS, WHERE, "cluster-manager")
    assert again["metadata"]["uid"] == first["metadata"]["uid"]
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_dry_runs_write_nothing(hub: Cluster) -> None:
    """Installing and cleaning in a dry run tell each object, and change none."""
    heard = Heard()
    await Applier(hub, heard.voice, dry_run=True).apply(installed())
    assert "would apply ClusterManager cluster-manager" in heard.text
    assert await find(hub, NAMESPACES, WHERE) is None
    await Applier(hub, heard.voice).apply(installed())
    await clean(hub, CleanOptions(dry_run=True), heard.voice)
    assert "would delete ClusterManager cluster-manager" in heard.text
    assert await find(hub, MANAGERS, "cluster-manager") is not None
    assert await find(hub, DEPLOYMENTS, "cluster-manager", WHERE) is not None


async def test_clean_leaves_nothing_of_init(hub: Cluster) -> None:
    """After clean, nothing that init made is there."""
    await Applier(hub, Heard().voice).apply(installed())
    heard = Heard()
    await clean(hub, CleanOptions(), heard.voice)
    assert "has been clean up successfully!" in heard.text
    left = Applier(hub, heard.voice)
    for obj in installed():
        resource = await left.served(kind_of(obj))
        if resource is not None:
            meta = obj["metadata"]
            assert await left.find(resource, meta.get("namespace", ""), meta["name"]) is None, meta
    with pytest.raises(VerbError, match="hub has not been initialized"):
        await clean(hub, CleanOptions(), heard.voice)


async def test_an_upgrade_changes_images_alone(hub: Cluster) -> None:
    """Settings that upgrade was not told of stay as they were."""
    made = cluster_manager(HubSpec("img:1", gates={"ManifestWorkReplicaSet": True}, bootstrap_token=True))
    await Applier(hub, Heard().voice).apply([*installed()[:-1], made])
    before = await hub.get(MANAGERS, "", "cluster-manager")
    await upgrade_hub(hub, UpgradeOptions("img:2"), Heard().voice)
    after = await hub.get(MANAGERS, "", "cluster-manager")
    changed = {key for key in after["spec"] if after["spec"][key] != before["spec"].get(key)}
    assert changed == {
        "registrationImagePullSpec",
        "workImagePullSpec",
        "placementImagePullSpec",
        "addOnManagerImagePullSpec",
    }
    assert {after["spec"][key] for key in changed} == {"img:2"}


async def test_what_is_not_there(hub: Cluster) -> None:
    """Without a ClusterManager, an account or a Klusterlet, each verb says so and what to do."""
    with pytest.raises(VerbError, match="clustermanager is not installed") as raised:
        await upgrade_hub(hub, UpgradeOptions("img:2"), Heard().voice)
    assert "gitops-ocm init" in raised.value.hint
    with pytest.raises(VerbError, match="failed to get token from sa open-cluster-management/"):
        await account_token(hub)
    assert len(await token_secret(hub)) == 16
    heard = Heard()
    await unjoin(hub, UnjoinOptions("cluster1"), heard.voice)
    assert "klusterlet corresponds to cluster1 not found" in heard.text


async def test_a_wait_ends_with_what_is_missing(hub: Cluster) -> None:
    """Each new state is told once, and the end names it with the command to look further."""
    heard, states = Heard(), iter(["one", "one", *["two"] * 100])

    async def look() -> Look:
        return Look(False, next(states))

    with pytest.raises(WaitError, match="waited 30 s for a thing: two") as raised:
        await until("a thing", look, heard.voice, Patience(30, Clock()), hint="kubectl get thing")
    assert raised.value.hint == "kubectl get thing"
    assert heard == ["Waiting for a thing...", "  one", "  two"]
    pods = await pod_ready(hub, WHERE, "cluster-manager")
    assert pods == Look(False, f"there is no pod app=cluster-manager in {WHERE} yet")
