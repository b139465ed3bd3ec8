"""Events: where they are written, and that nothing about them gets in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.decide.contract import Emit
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.events import Recorder
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.testing.objects import config_map, managed_cluster

EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)
Eventually = Callable[..., Awaitable[object]]


async def events(cluster: Cluster, namespace: str, reason: str) -> list[Object]:
    found = await cluster.list(EVENTS, namespace)
    return [event for event in found.items if event["reason"] == reason]


@pytest.mark.parametrize("about", ["of the namespace", "cluster-scoped, at home there"])
async def test_where_an_event_is(
    cluster: Cluster, namespace: str, eventually: Eventually, about: str
) -> None:
    """An event is in its object's namespace, or where a cluster-scoped object is at home, on every hub."""
    obj = config_map("a", namespace) if about == "of the namespace" else managed_cluster(namespace)
    home = "" if about == "of the namespace" else namespace
    recorder = Recorder(cluster, Mapper(cluster), SystemClock(), component="test", instance="here")
    running = asyncio.create_task(recorder.run())
    no_text: Any = None
    with capture_logs() as logs:
        recorder.emit(Emit({**obj, "metadata": {**obj["metadata"], "name": "x" * 300}}, "TooLong", "long"))
        recorder.emit(Emit(managed_cluster("gone"), "Nowhere", "no such namespace", namespace="no-such"))
        recorder.emit(Emit(obj, "Broken", no_text))
        recorder.emit(Emit(obj, "Tried", "it was tried", namespace=home))
        tried: Any = await eventually(lambda: events(cluster, namespace, "Tried"))
    running.cancel()
    (event,) = tried
    assert event["regarding"]["name"] == obj["metadata"]["name"]
    assert event["regarding"]["namespace"] == namespace
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["event not written"]
