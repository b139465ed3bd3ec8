"""`addon enable|disable`: an add-on on single clusters. `addon_create` makes new add-ons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.decide.addons.leaving import waits_for
from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.listing import CLUSTERS
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS, MANAGEMENT_ADDONS
from gitops_ocm.verbs.targets import Target
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until


def pairs(given: Sequence[str], what: str) -> dict[str, str]:
    """`key=value` texts as a mapping."""
    found: dict[str, str] = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not key or not sign:
            raise VerbError(f"error parsing {what} '{text}'. Expected to be of the form: key=value")
        found[key] = value
    return found


async def enable(
    target: Target,
    voice: Voice,
    names: Sequence[str],
    clusters: Sequence[str],
    *,
    namespace: str,
    annotations: Mapping[str, str],
    labels: Mapping[str, str],
    config_objects: Sequence[Object] = (),
) -> None:
    """Install add-ons on clusters, with configurations that are written first."""
    await check_clusters(target, clusters)
    for name in names:
        if not await target.known(MANAGEMENT_ADDONS, name):
            raise VerbError(
                f"enabling the unknown addon {name} is not supported",
                hint="`gitops-ocm get addon` lists those the hub knows; `addon create` makes one",
            )
    configs = [await _configured(target, obj) for obj in config_objects]
    for name in names:
        for cluster in clusters:
            await _enable(target, name, cluster, namespace, annotations, labels, configs)
            voice.say(f"Deploying {name} add-on to namespaces {namespace} of managed cluster: {cluster}.")


async def _enable(
    target: Target,
    name: str,
    cluster: str,
    namespace: str,
    annotations: Mapping[str, str],
    labels: Mapping[str, str],
    configs: Sequence[Object],
) -> None:
    def change(obj: Object) -> None:
        for key, given in (("annotations", annotations), ("labels", labels)):
            if given:
                obj["metadata"][key] = {**(obj["metadata"].get(key) or {}), **given}
        spec = obj.setdefault("spec", {})
        spec["installNamespace"] = namespace
        if configs:
            spec["configs"] = list(configs)

    if await target.find(CLUSTER_ADDONS, name, cluster):
        await target.edit(CLUSTER_ADDONS, name, cluster, change)
        return
    obj: dict[str, Any] = {
        "apiVersion": CLUSTER_ADDONS.api_version,
        "kind": CLUSTER_ADDONS.kind,
        "metadata": {"name": name, "namespace": cluster},
    }
    change(obj)
    await target.create(CLUSTER_ADDONS, obj)


async def _configured(target: Target, obj: Object) -> Object:
    """Write a configuration, new or as it is to be now, and say how an add-on refers to it."""
    resource = await target.resource_of(obj)
    meta = obj["metadata"]
    namespace = meta.get("namespace", "") if resource.namespaced else ""

    def change(there: Object) -> None:
        there.update(merge_patch(there, obj))

    if await target.find(resource, meta["name"], namespace):
        await target.edit(resource, meta["name"], namespace, change)
    else:
        await target.create(resource, obj)
    referent = {"namespace": namespace} if namespace else {}
    return {"group": resource.group, "resource": resource.plural, **referent, "name": meta["name"]}


async def disable(
    target: Target,
    voice: Voice,
    names: Sequence[str],
    clusters: Sequence[str],
    patience: Patience | None = None,
) -> None:
    """Remove add-ons from clusters, from all where none is named; with `patience` until they are gone."""
    await check_clusters(target, clusters)
    leaving: list[tuple[str, str]] = []
    everywhere = clusters or [obj["metadata"]["name"] for obj in await target.list(CLUSTERS)]
    for name in names:
        for cluster in everywhere:
            if await target.delete(CLUSTER_ADDONS, name, cluster):
                voice.say(f"Undeploying {name} add-on in managed cluster: {cluster}.")
                leaving.append((name, cluster))
            else:
                voice.say(f"{name} add-on not found in cluster: {cluster}.")
    for name, cluster in leaving if patience is not None and target.writes_now else ():
        assert patience is not None
        await _gone(target, voice, name, cluster, patience)


async def _gone(target: Target, voice: Voice, name: str, cluster: str, patience: Patience) -> None:
    """Wait until an add-on has left a cluster, saying what it waits for."""

    async def look() -> Look:
        left = await target.find(CLUSTER_ADDONS, name, cluster)
        if left is None:
            return Look(True)
        if not is_deleting(left):
            raise VerbError(
                f"{name} is on {cluster} again: a placement of its install strategy selects that cluster",
                hint=f"change the placement, or delete ClusterManagementAddOn {name} to remove it everywhere",
            )
        return Look(False, f"it waits for {waits_for(left)}")

    hint = f"kubectl get managedclusteraddon {name} -n {cluster} -o yaml shows whose finalizers are left"
    await until(f"add-on {name} on {cluster} to be gone", look, voice, patience, hint=hint)


async def check_clusters(target: Target, clusters: Sequence[str]) -> None:
    """Raise where one of these clusters is not known."""
    for cluster in clusters:
        if not await target.known(CLUSTERS, cluster):
            raise not_found(CLUSTERS.group, CLUSTERS.plural, cluster)
