"""What every namespace has of itself: there from the start, back when it goes, gone with the namespace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.apiserver.standing import usual
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog


class Hub:
    """An `Api` that keeps the usual objects, and short words for its calls."""

    def __init__(self, storage: Any = None, *, ca: str = "one") -> None:
        self.api = Api(load_catalog(ocm=False), storage)
        self.api.keep_in_namespaces(usual(ca))

    def served(self, kind: str) -> Served:
        found = self.api.catalog.served("v1", kind)
        assert found is not None
        return found

    def namespace(self, name: str) -> None:
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.api.create(self.served("Namespace"), "", obj)

    def ca(self, namespace: str) -> str:
        found: str = self.api.get(self.served("ConfigMap"), namespace, "kube-root-ca.crt")["data"]["ca.crt"]
        return found

    def account(self, namespace: str) -> Object:
        return self.api.get(self.served("ServiceAccount"), namespace, "default")


@pytest.mark.parametrize("namespace", ["default", "kube-system", "new"])
def test_every_namespace_has_them(namespace: str) -> None:
    """Those from the start as well as new ones."""
    hub = Hub()
    if namespace == "new":
        hub.namespace(namespace)
    assert hub.ca(namespace) == "one"
    assert hub.account(namespace)["metadata"]["uid"]


def test_they_come_back() -> None:
    """Deleted ones are made anew, changed ones are set right; the rest of them is nobody's business."""
    hub = Hub()
    before = hub.account("default")
    hub.api.delete(hub.served("ServiceAccount"), "default", "default")
    assert hub.account("default")["metadata"]["uid"] != before["metadata"]["uid"]
    hub.api.delete(hub.served("ConfigMap"), "default", "kube-root-ca.crt")
    assert hub.ca("default") == "one"
    patch = {"metadata": {"labels": {"a": "b"}}, "data": {"ca.crt": "forged", "more": "x"}}
    hub.api.patch(hub.served("ConfigMap"), "default", "kube-root-ca.crt", PatchType.MERGE, patch)
    found = hub.api.get(hub.served("ConfigMap"), "default", "kube-root-ca.crt")
    assert (found["data"], found["metadata"]["labels"]) == ({"ca.crt": "one"}, {"a": "b"})
    hub.api.delete_collection(hub.served("ServiceAccount"), "default")
    assert hub.account("default")


def test_they_do_not_hold_a_namespace() -> None:
    """A namespace that goes takes them along, at once or after what has finalizers."""
    hub = Hub()
    hub.namespace("n")
    hub.api.delete(hub.served("Namespace"), "", "n")
    with pytest.raises(ApiError, match="not found"):
        hub.api.get(hub.served("Namespace"), "", "n")
    hub.namespace("held")
    meta = {"name": "a", "finalizers": ["example.com/hold"]}
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    hub.api.create(hub.served("ConfigMap"), "held", held)
    hub.api.delete(hub.served("Namespace"), "", "held")
    left = [o["metadata"]["name"] for o in hub.api.list(hub.served("ConfigMap"), "held").items]
    assert left == ["a"]
    body = {"metadata": {"finalizers": None}}
    hub.api.patch(hub.served("ConfigMap"), "held", "a", PatchType.MERGE, body)
    assert not hub.api.list(hub.served("ServiceAccount"), "held").items


def test_a_new_ca_reaches_old_namespaces(tmp_path: Path) -> None:
    """What was stored under another CA is set right at the start; what is right is left alone."""
    first = Hub(SqliteStorage(tmp_path / "state.db"))
    first.namespace("n")
    version = first.api.store.version
    first.api.close()
    again = Hub(SqliteStorage(tmp_path / "state.db"))
    assert again.api.store.version == version
    again.api.close()
    other = Hub(SqliteStorage(tmp_path / "state.db"), ca="two")
    assert (other.ca("n"), other.ca("default")) == ("two", "two")
    other.api.close()


async def test_a_server_publishes_its_own_ca() -> None:
    """Pods, had it any, could trust the server."""
    async with serve(Api(load_catalog(ocm=False))) as server:
        served = server.api.catalog.served("v1", "ConfigMap")
        assert served is not None
        found = server.api.get(served, "default", "kube-root-ca.crt")
        assert found["data"]["ca.crt"] == server.authority.pem.decode()
