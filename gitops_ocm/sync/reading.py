"""One object as it is on the hub now, for the few places where what the watches told is not enough."""

from __future__ import annotations

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object, Ref


async def live_object(cluster: Cluster, mapper: Mapper, ref: Ref, version: str) -> Object | None:
    """The object; None where it, or its kind at `version`, is not there."""
    resource = await mapper.resource_of(ref.of, version)
    if resource is None:
        return None
    return await find(cluster, resource, ref.name, ref.namespace)
