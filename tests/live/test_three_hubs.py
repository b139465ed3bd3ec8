"""The same controller, run by the live runner on each kind of API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from gitops_ocm.decide.contract import (
    DONE,
    Apply,
    Controller,
    Delete,
    Emit,
    MergePatch,
    Outcome,
    Read,
    Side,
    View,
    Wake,
)
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, ref_of
from gitops_ocm.objects.served import CONFIG_MAPS

EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)
CONFIG_MAP = Kind("", "ConfigMap")
OWN = "test/copy-of"
Eventually = Callable[..., Awaitable[object]]


def copies(view: View, key: Ref, _now: datetime) -> Outcome:
    """A ConfigMap `copy-NAME` for each; the original is marked (locked) and an event is left."""
    if key.name.startswith("copy-") or key.name == "kube-root-ca.crt":
        return DONE
    copy_ref = key._replace(name=f"copy-{key.name}")
    source, copy = view.get(key), view.get(copy_ref)
    if source is None:
        return Outcome((Delete(copy_ref, uid=copy["metadata"]["uid"]),)) if copy else DONE
    wanted = source["data"]
    if copy is None or copy.get("data") != wanted:
        meta = {"name": copy_ref.name, "namespace": key.namespace, "labels": {OWN: key.name}}
        return Outcome((Apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": wanted}),))
    if (source["metadata"].get("annotations") or {}).get("copied") != wanted["n"]:
        body = {
            "metadata": {
                "uid": source["metadata"]["uid"],
                "resourceVersion": source["metadata"]["resourceVersion"],
                "annotations": {"copied": wanted["n"]},
            }
        }
        return Outcome((MergePatch(key, body), Emit(source, "Copied", "a copy was made", action="Copy")))
    return DONE


def original(_view: View, obj: Object) -> list[Ref]:
    name = (obj["metadata"].get("labels") or {}).get(OWN)
    return [ref_of(obj)._replace(name=name)] if name else [ref_of(obj)]


async def test_a_controller_converges_on_every_hub(
    cluster: Cluster, namespace: str, eventually: Eventually
) -> None:
    """Create, change, drift and delete are answered; then it rests; events arrive."""
    wakes, reads = (Wake(CONFIG_MAP, to=original),), (Read(CONFIG_MAP, namespace),)
    row = Controller("copies", "test", copies, wakes, reads, field_manager="copier")
    runner = Runner([row], {Side.HUB: cluster})
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))

    def config_map(n: int, value: str) -> Object:
        meta = {"name": f"c{n}", "namespace": namespace}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"n": value}}

    async def shown(name: str) -> str | None:
        try:
            got = await cluster.get(CONFIG_MAPS, namespace, name)
        except ApiError as error:
            if error.reason == "NotFound":
                return None
            raise
        return str(got["data"]["n"])

    async def all_copied(expected: dict[int, str | None]) -> bool:
        return all([await shown(f"copy-c{n}") == value for n, value in expected.items()])

    try:
        for n in range(3):
            await cluster.create(CONFIG_MAPS, config_map(n, "1"))
        await runner.synced()
        for n in range(3, 10):
            await cluster.create(CONFIG_MAPS, config_map(n, "1"))
        await eventually(lambda: all_copied(dict.fromkeys(range(10), "1")))
        await cluster.patch(CONFIG_MAPS, namespace, "c0", {"data": {"n": "2"}})
        await cluster.patch(CONFIG_MAPS, namespace, "copy-c1", {"data": {"n": "drifted"}})
        await cluster.delete(CONFIG_MAPS, namespace, "copy-c2")
        await cluster.delete(CONFIG_MAPS, namespace, "c3")
        await eventually(lambda: all_copied({0: "2", 1: "1", 2: "1", 3: None}))
        await eventually(lambda: runner.status().idle)
        copy = await cluster.get(CONFIG_MAPS, namespace, "copy-c1")
        assert {m["manager"] for m in copy["metadata"]["managedFields"]} >= {"copier"}

        async def events() -> bool:
            found = (await cluster.list(EVENTS, namespace)).items
            return {e["regarding"]["name"] for e in found} >= {f"c{n}" for n in range(10) if n != 3}

        await eventually(events)
    finally:
        stop.set()
        await running
