"""Looking again and again: what is told, and when nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGINT

import pytest

from gitops_ocm.decide.diagnosis.events import EVENT
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.clusters import embedded, memory
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.testing.objects import managed_cluster, namespace
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import CannotLook, DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_spoke import SpokeOptions
from gitops_ocm.verbs.doctor_watch import watched
from tests.verbs.doctoring import NAMESPACE, causes, first, looked, made, roots


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub without controllers, with a cluster that nobody has accepted."""
    async with memory() as cluster:
        await cluster.create(CLUSTERS, managed_cluster("waiting", accepted=False, cluster_set=""))
        yield cluster


async def test_only_what_changes_is_told(hub: Cluster) -> None:
    """Each finding is told once as long as it stays; a hub that is away once, and what is found after it."""
    told: list[list[str]] = []
    complaints: list[str] = []
    looks, away, stop = 0, asyncio.Event(), asyncio.Event()

    async def look() -> Examination:
        nonlocal looks
        looks += 1
        if away.is_set():
            raise CannotLook("nobody answers")
        return await examine(hub, None, DoctorOptions(settle=3600))

    def complain(error: GitopsError) -> None:
        complaints.append(error.message)

    async def several() -> None:
        seen = looks
        await eventually(lambda: looks > seen + 3)

    running = asyncio.create_task(
        watched(look, lambda found: told.append(roots(found)), complain, stop, every=0.01)
    )
    await several()
    assert told == [["cluster-not-accepted"]]
    await hub.delete(CLUSTERS, "", "waiting")
    await eventually(lambda: told[1:] == [[]])
    away.set()
    await several()
    assert complaints == ["nobody answers"]
    away.clear()
    await eventually(lambda: told[2:] == [[]])
    stop.set()
    last = await running
    assert last is not None
    assert last.diagnosis.healthy


async def test_a_stop_does_not_wait() -> None:
    """Who is stopped while a hub does not answer does not wait for it."""
    stop, begun = asyncio.Event(), asyncio.Event()

    async def look() -> Examination:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this")

    running = asyncio.create_task(watched(look, print, print, stop, every=60))
    await begun.wait()
    stop.set()
    assert await running is None


@pytest.mark.slow
async def test_the_command(tmp_path: Path) -> None:
    """`--watch` tells what changes, and ends on Ctrl-C with the status of its last look."""
    async with embedded(tmp_path / "hub") as hub:
        await hub.create(CLUSTERS, managed_cluster("waiting", accepted=False, cluster_set=""))
        arguments = ("--kubeconfig", str(tmp_path / "hub" / "kubeconfig"), "--settle", "3600")
        with Daemon(
            "doctor", "--watch", "--interval", "0.2", *arguments, env=environment(tmp_path)
        ) as daemon:
            await daemon.said("cluster-not-accepted")
            await hub.delete(CLUSTERS, "", "waiting")
            await daemon.said("no problem")
            daemon.send(SIGINT)
            assert await daemon.ended() == 0
            assert daemon.output.count("cluster-not-accepted") == 1
            assert TRACEBACK not in daemon.output


def event(regarding: Object, reason: str, note: str, *, at: str, kind: str = "Warning") -> Object:
    """An event as a controller writes it."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": EVENT.kind,
        "metadata": {"name": f"{regarding['name']}.{at[-10:-1]}".replace(":", "-"), "namespace": NAMESPACE},
        "eventTime": at,
        "reportingController": "replicaset-controller",
        "reportingInstance": "here",
        "action": "Create",
        "reason": reason,
        "regarding": {**regarding, "namespace": NAMESPACE},
        "type": kind,
        "note": note,
    }


async def test_pods_that_are_not_even_made() -> None:
    """What only events tell: a quota that leaves no pod of the agents; until one has come."""
    regarding = {"kind": "ReplicaSet", "name": "klusterlet-work-agent-abc12", "apiVersion": "apps/v1"}
    times = [f"2026-01-01T00:00:0{n}.000000Z" for n in range(3)]
    klusterlet: Object = {
        "apiVersion": "operator.open-cluster-management.io/v1",
        "kind": "Klusterlet",
        "metadata": {"name": "klusterlet"},
        "spec": {"clusterName": "c1", "namespace": NAMESPACE},
    }

    async with memory() as spoke:
        await made(
            spoke,
            namespace(NAMESPACE),
            klusterlet,
            event(regarding, "FailedCreate", "exceeded quota: none, once", at=times[0]),
            event(regarding, "FailedCreate", "exceeded quota: none, again", at=times[1]),
            event(regarding, "SuccessfulCreate", "created", at=times[2], kind="Normal"),
        )
        options = DoctorOptions(("c1",), settle=0, spoke=SpokeOptions("c1"))
        found = await examine(None, spoke, options)
        (finding,) = causes(found)["agent-pods"]
        assert "exceeded quota: none, again" in finding.sentence
        name = "klusterlet-work-agent-abc12"
        assert finding.mend == f"kubectl -n {NAMESPACE} describe replicaset {name}"
        pod: Object = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "klusterlet-work-agent-came", "namespace": NAMESPACE},
            "spec": {"containers": [{"name": "main", "image": "example.com/a:1"}]},
        }
        await made(spoke, pod)
        after = await examine(None, spoke, options)
    assert [f.subject for f in causes(after)["agent-pods"]] == [f"Pod {NAMESPACE}/klusterlet-work-agent-came"]


async def test_the_latest_warnings_are_evidence(hub: Cluster) -> None:
    """What controllers said of an object is told with it: the newest of each reason, and no more than two."""
    about = {"kind": "ManagedCluster", "name": "waiting", "apiVersion": CLUSTERS.api_version}
    told = [("Old", "first"), ("Old", "second"), ("New", "third"), ("Newer", "fourth")]
    events = [
        event(about, reason, note, at=f"2026-01-01T00:00:0{n}.000000Z")
        for n, (reason, note) in enumerate(told)
    ]
    for each in events:
        each["metadata"]["namespace"] = each["regarding"]["namespace"] = "waiting"
    await made(hub, namespace("waiting"), *events)
    found = await looked(hub, "waiting")
    said = [(f.field, f.value) for f in first(found, "cluster-not-accepted").facts if "Event" in f.field]
    assert said == [("Event Newer", "fourth"), ("Event New", "third")]
