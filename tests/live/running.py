"""A runner at work against an API server that can misbehave, and a controller that copies: no tests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from gitops_ocm.decide.contract import (
    DONE,
    Apply,
    Controller,
    Delete,
    Outcome,
    Side,
    View,
    Wake,
)
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.live.runner import Runner, RunnerSettings
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource

CONFIG_MAP = Kind("", "ConfigMap")
SECRET = Kind("", "Secret")
EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)
WIDGET = Kind("example.com", "Widget")
WIDGETS = Resource("example.com", "v1", "Widget", "widgets", namespaced=True)
Eventually = Callable[..., Awaitable[object]]


def obj(name: str, kind: str = "ConfigMap", api: str = "v1", **data: str) -> Object:
    """An object in the namespace default."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "data": data}


def ref(name: str, kind: Kind = CONFIG_MAP) -> Ref:
    """An object of that name there."""
    return Ref(kind.group, kind.kind, "default", name)


@asynccontextmanager
async def running(
    http: HttpCluster, quick: WatchSettings, *controllers: Controller, **settings: float
) -> AsyncIterator[Runner]:
    """A runner at work; it is stopped properly at the end."""
    runner = Runner(
        controllers,
        {Side.HUB: http},
        settings=RunnerSettings(watch=quick, missing_kind=0.05, **settings),  # type: ignore[arg-type]
        rng=random.Random(1),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    try:
        yield runner
    finally:
        stop.set()
        await task


def copies(view: View, key: Ref, _now: datetime) -> Outcome:
    """A Secret for each ConfigMap, with the same data; gone when the ConfigMap is."""
    source, copy = view.get(key), view.get(ref(key.name, SECRET))
    if source is None:
        return Outcome((Delete(ref(key.name, SECRET)),)) if copy else DONE
    if copy is not None and copy["data"] == source["data"]:
        return DONE
    return Outcome((Apply(obj(key.name, "Secret", **source["data"])),))


COPIES = Controller(
    "copies", "test", copies, (Wake(CONFIG_MAP), Wake(SECRET, to=lambda _v, o: [ref(o["metadata"]["name"])]))
)
