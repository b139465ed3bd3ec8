"""The scale of custom kinds, the protection of claims, and add-ons at both their versions."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.apiserver.own_service import own_service
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.clusters import install
from tests.builtin.sides import Both, Side

GROUP = "scaled.gitops-ocm.io"
SCALED: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"things.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "scale": {
                        "specReplicasPath": ".spec.size.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    }
                },
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}
THINGS = Resource(GROUP, "v1", "Thing", "things", namespaced=True, subresources=frozenset({"scale"}))
STATUS = {"replicas": 2, "selector": "a=b"}
OWN = ("uid", "resourceVersion", "creationTimestamp")


async def _scaled(side: Side, namespace: str) -> list[Any]:
    """What a custom kind's `scale` says, takes, and refuses."""
    await install(side.cluster, [SCALED])
    thing = {"apiVersion": f"{GROUP}/v1", "kind": "Thing"}
    full = {**thing, "metadata": {"name": "full", "namespace": namespace}, "status": STATUS}
    await side.cluster.create(THINGS, {**full, "spec": {"size": {"replicas": 3}}})
    await side.cluster.create(THINGS, {**thing, "metadata": {"name": "empty", "namespace": namespace}})

    async def scale(name: str, body: Object) -> Object:
        patched = side.cluster.patch(THINGS, namespace, name, body, type=PatchType.MERGE, subresource="scale")
        return await patched

    answers: list[Any] = [await scale("full", {}), await scale("full", {"spec": {"replicas": 5}})]
    answers.append((await side.cluster.get(THINGS, namespace, "full"))["spec"])
    with pytest.raises(ApiError) as refused:
        await scale("empty", {})
    answers.append((refused.value.http_code, refused.value.message))
    for answer in answers[:2]:
        for name in OWN:
            answer["metadata"].pop(name)
    return answers


@pytest.mark.controlplane
async def test_a_custom_kind_is_scaled(both: Both) -> None:
    """The `scale` of a custom kind is where its definition says, on both servers alike."""
    real, ours = [await _scaled(side, both.namespace) for side in (both.real, both.ours)]
    assert ours == real
    assert ours[0]["spec"] == {"replicas": 3}
    assert ours[2] == {"size": {"replicas": 5}}


@pytest.mark.parametrize("claimed", [False, True], ids=["unused", "used"])
async def test_a_claim_stays_while_a_pod_uses_it(memory_cluster: Cluster, unique: Any, claimed: bool) -> None:
    """A deleted claim goes at once where nothing uses it, else with the last pod that does."""
    kinds = {r.kind: r for r in await memory_cluster.discover() if r.api_version == "v1"}
    place = unique("claims")
    await memory_cluster.create(
        kinds["Namespace"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}}
    )
    meta = {"name": "it", "namespace": place}
    spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    await memory_cluster.create(kinds["PersistentVolumeClaim"], claim)
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "it"}}
    pod = {"containers": [{"name": "c", "image": "i"}], "volumes": [volume] if claimed else []}
    await memory_cluster.create(
        kinds["Pod"], {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod}
    )
    await memory_cluster.delete(kinds["PersistentVolumeClaim"], place, "it")
    held = (await memory_cluster.list(kinds["PersistentVolumeClaim"], place)).items
    assert len(held) == (1 if claimed else 0)
    await memory_cluster.delete(kinds["Pod"], place, "it")
    assert not (await memory_cluster.list(kinds["PersistentVolumeClaim"], place)).items


async def test_add_ons_are_served_at_both_versions(memory_cluster: Cluster, unique: Any) -> None:
    """What is written at one version reads at the other, with what that calls its fields."""
    kinds = {r.version: r for r in await memory_cluster.discover() if r.kind == "ClusterManagementAddOn"}
    assert set(kinds) == {"v1alpha1", "v1beta1"}
    name = unique("addon")
    newer: Object = {
        "apiVersion": kinds["v1beta1"].api_version,
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": name},
        "spec": {"defaultConfigs": [{"group": "g.example.com", "resource": "r", "name": "c"}]},
    }
    await memory_cluster.create(kinds["v1beta1"], newer)
    older = await memory_cluster.get(kinds["v1alpha1"], "", name)
    wanted = [{"group": "g.example.com", "resource": "r", "defaultConfig": {"name": "c"}}]
    assert older["spec"]["supportedConfigs"] == wanted
    assert (await memory_cluster.get(kinds["v1beta1"], "", name))["spec"] == {
        **newer["spec"],
        "installStrategy": {"type": "Manual"},
    }


@pytest.mark.controlplane
async def test_the_servers_own_service(both: Both) -> None:
    """`default/kubernetes` leads to the server, on the port it listens at."""
    found = []
    for side in (both.real, both.ours):
        service = await side.cluster.get(side.kinds["v1", "Service"], "default", "kubernetes")
        (port,) = service["spec"]["ports"]
        assert side.cluster.server.endswith(f":{port.pop('targetPort')}")
        assert service["spec"].pop("clusterIP") == service["spec"].pop("clusterIPs")[0]
        found.append((service["metadata"]["labels"], service["spec"], service["status"]))
    assert found[1] == found[0]


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("https://127.0.0.1:6443", ["Service"]),
        ("https://hub.example.com:6443", ["Service"]),
        ("https://192.0.2.7:6443", ["Service", "Endpoints", "EndpointSlice"]),
        ("https://[2001:db8::1]:6443", ["Service", "Endpoints", "EndpointSlice"]),
    ],
)
def test_endpoints_are_addresses_others_reach(url: str, kinds: list[str]) -> None:
    """No endpoints on loopback, as kube-apiserver refuses them; none behind a name."""
    assert [obj["kind"] for obj in own_service(url)] == kinds
