"""The embedded hub admits writes as one with OCM's webhooks: what it fills in, refuses, and asks of whom."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
import pytest

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.apiserver.verbs import Api, WriteOptions
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEN = "2025-01-01T00:00:00Z"
CLUSTERS = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
BINDINGS = "/apis/cluster.open-cluster-management.io/v1beta2/namespaces/default/managedclustersetbindings"
WORKS = "/apis/work.open-cluster-management.io/v1/namespaces/default/manifestworks"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
TOKENS = {"root": User("root", ("system:masters",)), "bob": User("bob")}
EXECUTOR = {"subject": {"type": "ServiceAccount", "serviceAccount": {"namespace": "ns", "name": "sa"}}}


class Hub:
    """An `Api` that admits, and short words for writes to it."""

    def __init__(self) -> None:
        self.api = Api(load_catalog(), now=lambda: NOW, admission=Webhooks())

    def served(self, obj: Object) -> Any:
        found = self.api.catalog.served(obj["apiVersion"], obj["kind"])
        assert found is not None
        return found

    def create(self, obj: Object, **options: Any) -> Object:
        namespace = obj["metadata"].get("namespace", "")
        return self.api.create(self.served(obj), namespace, obj, WriteOptions(**options)).obj

    def update(self, obj: Object, subresource: str = "") -> Object:
        meta = obj["metadata"]
        served = self.served(obj)
        return self.api.update(
            served, meta.get("namespace", ""), meta["name"], obj, subresource=subresource
        ).obj

    def apply(self, obj: Object) -> Object:
        options = WriteOptions(field_manager="git", force=True)
        name = obj["metadata"]["name"]
        return self.api.patch(self.served(obj), "", name, PatchType.APPLY, obj, options).obj


def owned(obj: Object) -> str:
    """Every field that somebody owns, as text."""
    return orjson.dumps([e["fieldsV1"] for e in obj["metadata"].get("managedFields", [])]).decode()


def tainted(*taints: Object) -> Object:
    """A cluster with taints and without a set."""
    found = make.managed_cluster("c1", accepted=False, cluster_set="")
    found["spec"]["taints"] = list(taints)
    return found


@pytest.mark.parametrize("by", ["create", "apply"])
def test_what_admission_fills_in_is_nobodys(by: str) -> None:
    """A cluster comes into the default set and its taints get a time, made either way; no owner is noted."""
    hub = Hub()
    made = getattr(hub, by)(tainted({"key": "a", "effect": "NoSelect", "timeAdded": THEN}))
    assert made["metadata"]["labels"] == {CLUSTER_SET_LABEL: "default"}
    assert made["spec"]["taints"][0]["timeAdded"] == "2026-01-01T00:00:00Z"
    assert "f:taints" in owned(made)
    assert CLUSTER_SET_LABEL not in owned(made)


def test_applying_a_cluster_again_changes_nothing() -> None:
    """What admission filled in is neither removed by the next apply nor counted as a change."""
    hub = Hub()
    first = hub.apply(tainted({"key": "a", "effect": "NoSelect"}))
    again = hub.apply(tainted({"key": "a", "effect": "NoSelect"}))
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert again["metadata"]["generation"] == 1
    more = hub.apply(tainted({"key": "a", "effect": "NoSelect"}, {"key": "b", "effect": "NoSelect"}))
    assert more["metadata"]["generation"] == 2


def test_a_status_is_not_judged() -> None:
    """Only the object itself goes through admission, as the webhooks are registered."""
    hub = Hub()
    made = hub.create(make.manifest_work("w", "default", [make.config_map("a")]))
    condition = {"type": "Applied", "status": "True", "reason": "x", "lastTransitionTime": THEN}
    changed = hub.update({**made, "status": {"conditions": [{**condition, "message": ""}]}}, "status")
    assert changed["status"]["conditions"][0]["type"] == "Applied"


def test_a_dry_run_is_refused_too() -> None:
    """Admission judges what would be stored."""
    with pytest.raises(ApiError, match="manifests should not be empty"):
        Hub().create(make.manifest_work("w", "default", []), dry_run=True)


def test_a_schema_refuses_first() -> None:
    """What is no valid object gets the 422 of its fields, never a failure of the rules after it."""
    hub = Hub()
    odd: list[Any] = [5, "x", {"metadata": 5}, {**make.config_map("a"), "metadata": {"namespace": []}}]
    for manifest in odd:
        with pytest.raises(ApiError) as caught:
            hub.create(make.manifest_work("w", "default", [manifest]))
        assert caught.value.http_code in (400, 422)
    specs: list[Object] = [
        {"taints": "x"},
        {"taints": [5]},
        {"managedClusterClientConfigs": {}},
        {"hubAcceptsClient": []},
    ]
    for spec in specs:
        with pytest.raises(ApiError) as caught:
            hub.create({**make.managed_cluster("c1"), "spec": spec})
        assert caught.value.http_code in (400, 422)


def test_no_cluster_is_accepted_into_a_namespace_that_goes() -> None:
    """The namespace of the last cluster of that name has to be gone first."""
    hub = Hub()
    hub.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c1"}})
    held = make.config_map("a", "c1")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    hub.create(held)
    namespace = hub.api.catalog.served("v1", "Namespace")
    assert namespace is not None
    hub.api.delete(namespace, "", "c1")
    with pytest.raises(ApiError) as caught:
        hub.create(make.managed_cluster("c1"))
    assert caught.value.http_code == 403
    assert caught.value.message.endswith('cluster namespace "c1" is terminating')
    assert hub.create(make.managed_cluster("c1", accepted=False))["spec"]["hubAcceptsClient"] is False


class Http:
    """Requests by one user or another."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def __call__(self, user: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        merge = {"Content-Type": PatchType.MERGE.value} if method == "PATCH" else {}
        headers = {"Authorization": f"Bearer {user}", "Content-Type": "application/json", **merge}
        url = self._server.url + path
        async with self._session.request(method, url, data=orjson.dumps(body), headers=headers) as answer:
            return answer.status, orjson.loads(await answer.read())


def _grant(name: str, user: str, *rules: Object) -> list[tuple[str, Object]]:
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    return [
        ("clusterroles", {"metadata": {"name": name}, "rules": list(rules)}),
        ("clusterrolebindings", {"metadata": {"name": name}, "roleRef": ref, "subjects": [subject]}),
    ]


def _rule(group: str, resource: str, *verbs: str, **more: Any) -> Object:
    return {
        "apiGroups": [f"{group}.open-cluster-management.io"],
        "resources": [resource],
        "verbs": verbs,
    } | more


WRITE = ("create", "update", "patch")
BOB = _grant(
    "bob",
    "bob",
    _rule("cluster", "managedclusters", *WRITE),
    _rule("cluster", "managedclustersetbindings", *WRITE),
    _rule("cluster", "managedclustersets/join", "create", resourceNames=["default"]),
    _rule("work", "manifestworks", *WRITE),
)


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A hub where bob may write but little else."""
    api = Api(load_catalog(), admission=Webhooks())
    async with serve(api, tokens=TOKENS) as server:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=server.authority.pem.decode()))
        async with aiohttp.ClientSession(connector=connector) as session:
            http = Http(server, session)
            for plural, obj in BOB:
                assert (await http("root", "POST", f"{RBAC}/{plural}", obj))[0] == 201
            yield http


def webhook(name: str, what: str) -> str:
    """How a refusal begins."""
    return f'admission webhook "{name}.admission.{what}.open-cluster-management.io" denied the request: '


CLUSTER = webhook("managedclustervalidators", "cluster")
BINDING = webhook("managedclustersetbindingvalidators", "cluster")
GROUP = "cluster.open-cluster-management.io"
REFUSED: list[tuple[str, Object, int, str]] = [
    (
        CLUSTERS,
        make.managed_cluster("c1"),
        403,
        (
            f'{CLUSTER}managedclusters/accept.{GROUP} "c1" is forbidden: '
            'user "bob" cannot update the HubAcceptsClient field'
        ),
    ),
    (
        CLUSTERS,
        make.managed_cluster("c1", accepted=False, cluster_set="eu"),
        403,
        (
            f'{CLUSTER}managedclustersets/join.{GROUP} "eu" is forbidden: '
            'user "bob" cannot add/remove a ManagedCluster to/from ManagedClusterSet "eu"'
        ),
    ),
    (
        BINDINGS,
        make.binding("eu", "default"),
        403,
        (
            f'{BINDING}managedclustersets/bind.{GROUP} "eu" is forbidden: '
            'user "bob" is not allowed to bind cluster set "eu"'
        ),
    ),
    (
        WORKS,
        make.manifest_work("w", "default", [make.config_map("a")], executor=EXECUTOR),
        400,
        webhook("manifestworkvalidators", "work")
        + "user bob cannot manipulate the Manifestwork with executor ns/sa in namespace default",
    ),
]


@pytest.mark.parametrize(("path", "obj", "code", "message"), REFUSED)
async def test_writing_is_not_enough(http: Http, path: str, obj: Object, code: int, message: str) -> None:
    """Accepting, joining, binding and acting as an executor are asked of RBAC; masters may."""
    status, body = await http("bob", "POST", path, obj)
    assert (status, body["code"], body["message"]) == (code, code, message)
    assert (await http("root", "POST", path, obj))[0] == 201


async def test_what_may_be_done_is_done(http: Http) -> None:
    """A cluster registers with the right to join the default set; moving it asks for both sets."""
    asked = make.managed_cluster("c1", accepted=False, cluster_set="")
    status, made = await http("bob", "POST", CLUSTERS, asked)
    assert (status, made["metadata"]["labels"]) == (201, {CLUSTER_SET_LABEL: "default"})
    moved = {"metadata": {"labels": {CLUSTER_SET_LABEL: "eu"}}}
    status, body = await http("bob", "PATCH", f"{CLUSTERS}/c1", moved)
    assert (status, "ManagedClusterSet" in body["message"]) == (403, True)
    taint = {"key": "k", "effect": "NoSelect", "timeAdded": THEN}
    status, body = await http("bob", "PATCH", f"{CLUSTERS}/c1", {"spec": {"taints": [taint]}})
    assert body["message"] == (
        webhook("managedclustermutators", "cluster") + 'It is not allowed to set TimeAdded of Taint "k".'
    )
    assert (await http("bob", "PATCH", f"{CLUSTERS}/c1", {"spec": {"leaseDurationSeconds": 30}}))[0] == 200
