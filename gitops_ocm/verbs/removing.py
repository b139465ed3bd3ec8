"""Takes away what an installation made: in the reverse of the order it was made in."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.objects.ref import Kind, Object, kind_of
from gitops_ocm.objects.served import CRDS, DEPLOYMENTS, NAMESPACES
from gitops_ocm.verbs.applying import Applier


async def remove_objects(applier: Applier, objects: Iterable[Object]) -> None:
    """Delete them, the last first, and wait until namespaces and CRDs are gone."""
    for obj in reversed(list(objects)):
        meta = obj["metadata"]
        kind = kind_of(obj)
        resource = await applier.served(kind)
        if resource is None:
            continue
        namespace = meta.get("namespace", "") if resource.namespaced else ""
        if kind in (CRDS.of, NAMESPACES.of):
            removed = await applier.delete_and_wait(resource, namespace, meta["name"])
        else:
            removed = await applier.delete(resource, namespace, meta["name"])
        if removed:
            applier.applied.append(obj)


async def remove_operator(applier: Applier, objects: Iterable[Object], *, beside: tuple[str, str]) -> None:
    """Take away an operator; its namespace stays where that of the other kind lives in it, too.

    `beside` is the other one's Deployment, and the kind it looks after.
    """
    deployment, kind = beside
    shared = await applier.find(DEPLOYMENTS, OPERATOR_NAMESPACE, deployment) is not None
    resource = await applier.served(Kind("operator.open-cluster-management.io", kind))
    if resource is not None and (await applier.cluster.list(resource)).items:
        shared = True
    await remove_objects(applier, [obj for obj in objects if not (shared and obj["kind"] == "Namespace")])
