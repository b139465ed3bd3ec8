"""The official Python client's dynamic API works against every server that is one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config, dynamic, watch
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import NAMESPACES


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)]
)
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The kubeconfig of each server in turn, with the OCM kinds on it."""
    request.getfixturevalue(f"{request.param}_cluster")
    found: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    return found


@pytest.fixture
def client(kubeconfig: Path, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Makes the dynamic client (to be called in a thread: it discovers over the network)."""
    api = config.new_client_from_config(str(kubeconfig))

    def make() -> Any:
        return dynamic.DynamicClient(api, cache_file=str(tmp_path / "discovery"))

    yield make
    api.close()
    api.rest_client.pool_manager.clear()


@pytest.fixture
async def place(request: pytest.FixtureRequest, kubeconfig: Path, unique: Callable[[str], str]) -> str:
    """A namespace on the server the test runs against."""
    hub = "kubernetes" if "kubernetes" in request.node.name else "embedded"
    cluster: Cluster = request.getfixturevalue(f"{hub}_cluster")
    name = unique("python")
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await cluster.create(NAMESPACES, obj)
    return name


async def test_the_life_of_an_object(client: Callable[[], Any], place: str) -> None:
    """Create, get, patch, server-side apply, list by label, replace, conflict, delete."""

    def life() -> None:
        api = client().resources.get(api_version="v1", kind="ConfigMap")
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a", "labels": {"app": "web"}},
            "data": {"k": "1"},
        }
        created = api.create(body=body, namespace=place)
        assert created.metadata.uid
        patched = api.patch(
            body={"data": {"l": "2"}},
            name="a",
            namespace=place,
            content_type="application/merge-patch+json",
        )
        assert patched.data.to_dict() == {"k": "1", "l": "2"}
        applied = api.server_side_apply(
            body={**body, "data": {"m": "3"}}, name="a", namespace=place, field_manager="us"
        )
        assert applied.data.to_dict() == {"k": "1", "l": "2", "m": "3"}
        assert [i.metadata.name for i in api.get(namespace=place, label_selector="app=web").items] == ["a"]
        with pytest.raises(ConflictError):
            api.replace(body=created.to_dict(), namespace=place)
        api.delete(name="a", namespace=place)
        with pytest.raises(NotFoundError):
            api.get(name="a", namespace=place)

    await asyncio.to_thread(life)


async def test_a_custom_kind_and_its_status(client: Callable[[], Any], place: str) -> None:
    """An OCM kind is found by discovery, and its status subresource can be written."""

    def life() -> None:
        works = client().resources.get(api_version="work.open-cluster-management.io/v1", kind="ManifestWork")
        body = {
            "apiVersion": works.group_version,
            "kind": "ManifestWork",
            "metadata": {"name": "mw-01"},
            "spec": {
                "workload": {
                    "manifests": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}]
                }
            },
        }
        created = works.create(body=body, namespace=place)
        condition = {
            "type": "Applied",
            "status": "True",
            "reason": "Done",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        written = works.status.patch(
            body={"status": {"conditions": [condition]}},
            name="mw-01",
            namespace=place,
            content_type="application/merge-patch+json",
        )
        assert written.status.conditions[0].type == "Applied"
        assert written.metadata.generation == created.metadata.generation

    await asyncio.to_thread(life)


async def test_watch(client: Callable[[], Any], place: str) -> None:
    """The client's watch sees changes made while it is open."""
    seen: list[tuple[str, str]] = []
    opened = threading.Event()
    ours = {"app": "web"}

    def follow() -> None:
        api = client().resources.get(api_version="v1", kind="ConfigMap")
        api.create(body={"metadata": {"name": "first", "labels": ours}}, namespace=place)
        watcher = watch.Watch()
        for event in api.watch(namespace=place, label_selector="app=web", timeout=30, watcher=watcher):
            seen.append((event["type"], event["object"].metadata.name))
            opened.set()
            if len(seen) == 3:
                break

    def change() -> None:
        assert opened.wait(30)
        api = client().resources.get(api_version="v1", kind="ConfigMap")
        api.create(body={"metadata": {"name": "second", "labels": ours}}, namespace=place)
        api.delete(name="second", namespace=place)

    await asyncio.gather(asyncio.to_thread(follow), asyncio.to_thread(change))
    assert seen == [("ADDED", "first"), ("ADDED", "second"), ("DELETED", "second")]
