"""A program on the official Python client that prints what a server tells it: the same for any server.

    python python_story.py KUBECONFIG NAMESPACE

In parts: typed, errors, dynamic, watch, informer, leader election, and the asyncio half of the library.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

from kubernetes import aio, client, config, dynamic, informer, watch
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

PATIENCE = 30.0
LABELS = {"app": "demo"}


def say(*words: object) -> None:
    """One line of the account."""
    print(*words, flush=True)


def shown(value: Any) -> Any:
    """A model as plain data, without what nobody set."""
    return client.ApiClient().sanitize_for_serialization(value)


def deployment(name: str) -> client.V1Deployment:
    """A small deployment."""
    container = client.V1Container(
        name="main", image="demo:1", resources=client.V1ResourceRequirements(limits={"cpu": "0.5"})
    )
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=LABELS), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(selector=client.V1LabelSelector(match_labels=LABELS), template=template)
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name, labels=LABELS), spec=spec)


def typed(namespace: str) -> None:
    """Create, read, list, patch, scale and delete."""
    apps = client.AppsV1Api()
    say("created", shown(apps.create_namespaced_deployment(namespace, deployment("typed")).spec))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "demo:2"}]}}}}
    patched = apps.patch_namespaced_deployment("typed", namespace, patch)
    say("patched", shown(patched.spec.template.spec.containers), patched.metadata.generation)
    scaled = apps.patch_namespaced_deployment_scale("typed", namespace, {"spec": {"replicas": 4}})
    say("scaled", scaled.spec.replicas, scaled.status.selector)
    found = apps.list_namespaced_deployment(namespace, label_selector="app=demo", limit=1)
    say("listed", [item.metadata.name for item in found.items], found.metadata._continue)
    gone = apps.delete_namespaced_deployment("typed", namespace)
    say("deleted", shown(gone)["status"])
    core = client.CoreV1Api()
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="typed"), string_data={"a": "text"})
    say("secret", shown(core.create_namespaced_secret(namespace, secret).data))
    versions = client.VersionApi().get_code()
    say("version", versions.major, versions.minor)


def errors(namespace: str) -> None:
    """What a refusal looks like."""
    core = client.CoreV1Api()
    bad = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="Not a name"))
    calls: dict[str, Callable[[], Any]] = {
        "absent": lambda: core.read_namespaced_config_map("absent", namespace),
        "invalid": lambda: core.create_namespaced_config_map(namespace, bad),
        "selector": lambda: core.list_namespaced_config_map(namespace, label_selector="a b"),
        "version": lambda: core.list_namespaced_config_map(namespace, resource_version="x"),
    }
    for name, call in calls.items():
        try:
            call()
        except client.ApiException as error:
            say(name, error.status, error.reason)


def without_types(namespace: str) -> None:
    """The dynamic client finds kinds by discovery; server-side apply among its verbs."""
    maps = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"a": "1"}}
    applied = maps.server_side_apply(body=body, namespace=namespace, field_manager="one")
    say("applied", applied.data.to_dict())
    try:
        other = {**body, "data": {"a": "2"}}
        maps.server_side_apply(body=other, namespace=namespace, field_manager="two")
    except dynamic.exceptions.ConflictError as error:
        say("conflict", error.status)
    say(
        "listed",
        [
            item.metadata.name
            for item in maps.get(namespace=namespace, field_selector="metadata.name=dynamic").items
        ],
    )
    maps.delete(name="dynamic", namespace=namespace)


def watched(namespace: str) -> None:
    """A watch from the start tells of what is there, and then of what happens."""
    core = client.CoreV1Api()
    names = {"label_selector": "part=watch"}
    made = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="watched", labels={"part": "watch"}))
    core.create_namespaced_config_map(namespace, made)
    stream = watch.Watch()
    for event in stream.stream(core.list_namespaced_config_map, namespace, timeout_seconds=30, **names):
        say("event", event["type"], event["object"].metadata.name, event["object"].data)
        if event["type"] == "ADDED":
            core.patch_namespaced_config_map("watched", namespace, {"data": {"a": "b"}})
        elif event["type"] == "MODIFIED":
            core.delete_namespaced_config_map("watched", namespace)
        else:
            stream.stop()


def informed(namespace: str) -> None:
    """An informer's cache follows."""
    core = client.CoreV1Api()
    events: queue.Queue[tuple[str, str]] = queue.Queue()
    shared = informer.SharedInformer(
        core.list_namespaced_config_map, namespace=namespace, label_selector="part=informer"
    )
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        shared.add_event_handler(kind, lambda obj, kind=kind: events.put((kind, obj.metadata.name)))
    for name in ("one", "two"):
        meta = client.V1ObjectMeta(name=name, labels={"part": "informer"})
        core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=meta))
    shared.start()
    say("informer", sorted(events.get(timeout=PATIENCE) for _ in range(2)))
    core.patch_namespaced_config_map("one", namespace, {"data": {"x": "y"}})
    say("informer", events.get(timeout=PATIENCE))
    core.delete_namespaced_config_map("two", namespace)
    say("informer", events.get(timeout=PATIENCE))
    say("cache", sorted(obj.metadata.name for obj in shared.cache.list()))
    # Its thread ends with the process: it reads a stream that the server holds open.


def elected(namespace: str) -> None:
    """The first candidate leads."""
    leads = threading.Event()
    lock = LeaseLock("leader", namespace, "first")
    settings = electionconfig.Config(
        lock,
        lease_duration=15,
        renew_deadline=10,
        retry_period=2,
        onstarted_leading=lambda *_: leads.set(),
        onstopped_leading=lambda *_: None,
    )
    threading.Thread(target=leaderelection.LeaderElection(settings).run, daemon=True).start()
    say("leads", leads.wait(PATIENCE))
    lease = client.CoordinationV1Api().read_namespaced_lease("leader", namespace)
    say("lease", lease.spec.holder_identity, lease.spec.lease_duration_seconds)


async def meanwhile(kubeconfig: str, namespace: str) -> None:
    """The same in asyncio: create, watch, delete."""
    await aio.config.load_kube_config(kubeconfig)
    async with aio.client.ApiClient() as api:
        core = aio.client.CoreV1Api(api)
        meta = aio.client.V1ObjectMeta(name="aio", labels={"part": "aio"})
        await core.create_namespaced_config_map(
            namespace, aio.client.V1ConfigMap(metadata=meta, data={"a": "1"})
        )
        stream = aio.watch.Watch()
        async for event in stream.stream(
            core.list_namespaced_config_map, namespace, label_selector="part=aio", timeout_seconds=30
        ):
            say("aio", event["type"], event["object"].data)
            if event["type"] == "DELETED":
                stream.stop()
            else:
                await core.delete_namespaced_config_map("aio", namespace)
        await stream.close()
        found = await core.list_namespaced_config_map(namespace, label_selector="part=aio")
        say("aio", len(found.items))


def main(kubeconfig: str, namespace: str) -> None:
    """Tell the whole story."""
    logging.disable(logging.CRITICAL)
    config.load_kube_config(kubeconfig)
    for part in (typed, errors, without_types, watched, informed, elected):
        say("==", part.__name__)
        part(namespace)
    say("== aio")
    asyncio.run(meanwhile(kubeconfig, namespace))


if __name__ == "__main__":
    main(*sys.argv[1:])
