"""Reads that take absence for an answer: most who look for something are ready not to find it.

A caller to whom absence is an error calls the `Cluster` itself.
"""

from __future__ import annotations

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource


async def find(cluster: Cluster, resource: Resource, name: str, namespace: str = "") -> Object | None:
    """GET, None where there is no such object, or no such kind."""
    try:
        return await cluster.get(resource, namespace, name)
    except ApiError as error:
        if error.http_code == 404:
            return None
        raise


async def find_all(cluster: Cluster, resource: Resource) -> list[Object]:
    """LIST in all namespaces, nothing where the kind is not served."""
    try:
        return list((await cluster.list(resource)).items)
    except ApiError as error:
        if error.http_code == 404:
            return []
        raise
