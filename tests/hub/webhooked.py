"""An API server that calls our webhooks, for the objects of one test."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gitops_ocm.decide.operators.webhooks import HOOKS
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.waiting import eventually
from tests.hub.conftest import Served

GROUP = "admissionregistration.k8s.io"


def configurations(webhooks: Served, marks: Mapping[str, str]) -> list[Object]:
    """OCM's four, calling loopback for objects with these labels."""
    ca = base64.b64encode(webhooks.authority.pem).decode()
    found = []
    for _, kind, name, group, version, resource, verb, word in HOOKS:
        path = f"/{verb}-{group.replace('.', '-')}-{version}-{word}"
        hook = {
            "name": name,
            "clientConfig": {"url": f"{webhooks.url}{path}", "caBundle": ca},
            "rules": [
                {
                    "operations": ["CREATE", "UPDATE"],
                    "apiGroups": [group],
                    "apiVersions": [version],
                    "resources": [resource],
                }
            ],
            "objectSelector": {"matchLabels": dict(marks)},
            "admissionReviewVersions": ["v1beta1", "v1"],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "timeoutSeconds": 10,
        }
        unique = f"{name}.{next(iter(marks.values()))}"
        found.append(
            {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": unique}, "webhooks": [hook]}
        )
    return found


@asynccontextmanager
async def installed(cluster: Cluster, webhooks: Served, marks: Mapping[str, str]) -> AsyncIterator[None]:
    """Have the server call the webhooks; entered once it does."""
    made = []
    try:
        for obj in configurations(webhooks, marks):
            resource = Resource(GROUP, "v1", obj["kind"], f"{obj['kind'].lower()}s", namespaced=False)
            await cluster.create(resource, obj)
            made.append((resource, obj["metadata"]["name"]))
        await eventually(lambda: _called(cluster, marks), describe="the webhooks are called")
        yield
    finally:
        for resource, name in made:
            await cluster.delete(resource, "", name)


async def _called(cluster: Cluster, marks: Mapping[str, str]) -> bool:
    """Whether a cluster is given its default set, in a dry run."""
    kind = Resource(HOOKS[0][3], HOOKS[0][4], "ManagedCluster", HOOKS[0][5], namespaced=False)
    obj = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": "called", "labels": dict(marks)},
    }
    made = await cluster.create(kind, obj, dry_run=True)
    return "cluster.open-cluster-management.io/clusterset" in made["metadata"]["labels"]
