"""An embedded server whose own OCM admission is off calls the hub's webhooks, which are registered in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.clusters import connected
from tests.differential.webhooks import webhook
from tests.hub.conftest import Serve
from tests.hub.webhooked import installed

pytestmark = pytest.mark.slow

CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
HOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    namespaced=False,
)
MARKS = {"example.com/test": "called"}


def _cluster(name: str, **spec: object) -> Object:
    return {
        "apiVersion": CLUSTERS.api_version,
        "kind": CLUSTERS.kind,
        "metadata": {"name": name, "labels": dict(MARKS)},
        "spec": spec,
    }


async def test_the_hubs_webhooks_are_called(tmp_path: Path, served: Serve) -> None:
    """They fill in the default set and the times of taints, and refuse what OCM refuses, in its words."""
    async with serve(tmp_path / "hub", admission=None) as server, connected(server.kubeconfig_path) as hub:
        before = await hub.create(CLUSTERS, _cluster("before"))
        assert "cluster.open-cluster-management.io/clusterset" not in before["metadata"]["labels"]
        async with served(hub) as webhooks, installed(hub, webhooks, MARKS):
            taints = [{"key": "a", "effect": "NoSelect"}]
            made = await hub.create(CLUSTERS, _cluster("c1", taints=taints))
            assert made["metadata"]["labels"]["cluster.open-cluster-management.io/clusterset"] == "default"
            assert made["spec"]["taints"][0]["timeAdded"]
            owners = [entry["fieldsV1"] for entry in made["metadata"]["managedFields"]]
            assert "clusterset" not in str(owners)
            bad = {"spec": {"managedClusterClientConfigs": [{"url": "http://x", "caBundle": ""}]}}
            with pytest.raises(ApiError, match=r"admission webhook .* denied the request: .*client configs"):
                await hub.patch(CLUSTERS, "", "c1", bad)
        after = await hub.create(CLUSTERS, _cluster("after"))
        assert "cluster.open-cluster-management.io/clusterset" not in after["metadata"]["labels"]


def _labels(url: str, ca: str) -> Object:
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    hook = {
        "name": "label.example.com",
        "clientConfig": {"url": f"{url}/ours/label", "caBundle": ca},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "objectSelector": {"matchLabels": MARKS},
    }
    return {
        "apiVersion": HOOKS.api_version,
        "kind": HOOKS.kind,
        "metadata": {"name": "label"},
        "webhooks": [hook],
    }


async def _patched(hub: Cluster, number: int) -> None:
    body = {"data": {f"k{number}": "v"}}
    await hub.patch(MAPS, "default", "busy", body, type=PatchType.MERGE)


async def test_writes_at_once_lose_nothing(tmp_path: Path) -> None:
    """While one write waits for its webhook others change the object: all of them are in it in the end."""
    async with (
        serve(tmp_path / "hub") as server,
        connected(server.kubeconfig_path) as hub,
        webhook(tmp_path / "pki") as hooks,
    ):
        await hub.create(HOOKS, _labels(hooks.url, hooks.ca))
        made: Object = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "busy"},
            "data": {"a": "b"},
        }
        made["metadata"] |= {"namespace": "default", "labels": dict(MARKS)}
        await hub.create(MAPS, made)
        await asyncio.gather(*(_patched(hub, number) for number in range(12)))
        found = await hub.get(MAPS, "default", "busy")
        assert found["data"] == {"a": "b", "labelled": "yes", **{f"k{number}": "v" for number in range(12)}}
        names = [review["request"]["operation"] for _, _, review in hooks.asked]
        assert names[0] == "CREATE"
        assert names.count("UPDATE") >= 12


async def test_a_webhook_behind_a_service(tmp_path: Path) -> None:
    """A webhook that is a Service is reached at its endpoints, by the Service's name in its certificate."""
    async with (
        serve(tmp_path / "hub") as server,
        connected(server.kubeconfig_path) as hub,
        webhook(tmp_path / "pki", "hook.default.svc") as hooks,
    ):
        port = int(hooks.url.rpartition(":")[2])
        meta = {"name": "hook", "namespace": "default"}
        await hub.create(
            Resource("", "v1", "Service", "services", namespaced=True),
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 443}]}},
        )
        await hub.create(
            Resource("", "v1", "Endpoints", "endpoints", namespaced=True),
            {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": meta,
                "subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": port}]}],
            },
        )
        wanted = _labels(hooks.url, hooks.ca)
        place = {"namespace": "default", "name": "hook", "path": "/ours/label"}
        wanted["webhooks"][0]["clientConfig"] = {"service": place, "caBundle": hooks.ca}
        await hub.create(HOOKS, wanted)
        made = await hub.create(
            MAPS,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "m", "namespace": "default", "labels": dict(MARKS)},
                "data": {"a": "b"},
            },
        )
        assert made["data"]["labelled"] == "yes"
