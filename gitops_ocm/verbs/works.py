"""`create|delete work`: manifests on clusters, named ones or those that a Placement has selected."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.listing import DECISIONS, PLACEMENTS, decided
from gitops_ocm.verbs.listing_work import WORKS
from gitops_ocm.verbs.targets import Target, ocm
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until

REPLICA_SETS = ocm("work.open-cluster-management.io/v1alpha1", "ManifestWorkReplicaSet")


async def create_works(
    target: Target,
    voice: Voice,
    name: str,
    manifests: Sequence[Object],
    clusters: Sequence[str],
    *,
    overwrite: bool,
) -> None:
    """One ManifestWork in each cluster's namespace."""
    for cluster in clusters:
        if await target.find(WORKS, name, cluster) is None:
            obj = {
                "apiVersion": WORKS.api_version,
                "kind": WORKS.kind,
                "metadata": {"name": name, "namespace": cluster},
                "spec": {"workload": {"manifests": list(manifests)}},
            }
            await target.create(WORKS, obj)
            voice.say(f"create work {name} in cluster {cluster}")
        elif not overwrite:
            voice.say(f"work {name} in cluster {cluster} already exists")
        else:
            await target.edit(WORKS, name, cluster, lambda obj: _with_manifests(obj["spec"], manifests))
            voice.say(f"update work {name} in cluster {cluster}")


async def create_works_placed(
    target: Target,
    voice: Voice,
    name: str,
    manifests: Sequence[Object],
    placement: str,
    *,
    overwrite: bool,
) -> None:
    """Works for what a Placement has selected by now; `overwrite` removes those it no longer selects."""
    namespace, called = await _placement(target, placement)
    selected = decided(await target.list(DECISIONS, namespace)).get((namespace, called), [])
    there = [w["metadata"]["namespace"] for w in await target.list(WORKS) if w["metadata"]["name"] == name]
    if overwrite:
        for cluster in sorted(set(there) - set(selected)):
            await target.delete(WORKS, name, cluster)
            voice.say(f"delete work {name} in cluster {cluster}")
    await create_works(target, voice, name, manifests, sorted(set(selected)), overwrite=overwrite)


async def create_replica_set(
    target: Target,
    voice: Voice,
    name: str,
    manifests: Sequence[Object],
    placement: str,
    *,
    overwrite: bool,
) -> None:
    """One ManifestWorkReplicaSet beside the Placement, which the hub keeps up with."""
    namespace, called = await _placement(target, placement)
    refs = [{"name": called, "rolloutStrategy": {"type": "All"}}]
    if await target.find(REPLICA_SETS, name, namespace) is None:
        obj = {
            "apiVersion": REPLICA_SETS.api_version,
            "kind": REPLICA_SETS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "manifestWorkTemplate": {"workload": {"manifests": list(manifests)}},
                "placementRefs": refs,
            },
        }
        await target.create(REPLICA_SETS, obj)
        voice.say(f"create manifestworkreplicaset {name} in namespace {namespace}")
        return
    if not overwrite:
        voice.say(f"manifestworkreplicaset {name} in namespace {namespace} already exists")
        return

    def change(obj: Object) -> None:
        _with_manifests(obj["spec"].setdefault("manifestWorkTemplate", {}), manifests)
        obj["spec"]["placementRefs"] = refs

    await target.edit(REPLICA_SETS, name, namespace, change)
    voice.say(f"update manifestworkreplicaset {name} in namespace {namespace}")


async def delete_works(
    target: Target, voice: Voice, name: str, clusters: Sequence[str], patience: Patience, *, force: bool
) -> None:
    """Remove the work of each cluster, gone when this returns; `force` does without the agents' cleanup."""
    results = await asyncio.gather(
        *(_delete(target, voice, name, cluster, patience, force) for cluster in clusters),
        return_exceptions=True,
    )
    failed = [result for result in results if isinstance(result, BaseException)]
    if failed:
        raise failed[0]


async def _delete(
    target: Target, voice: Voice, name: str, cluster: str, patience: Patience, force: bool
) -> None:
    if not await target.delete(WORKS, name, cluster):
        voice.say(f"work {name} not found or is already deleted")
        return
    if target.writes_now:
        if force and await target.find(WORKS, name, cluster):
            await target.edit(WORKS, name, cluster, _without_finalizers)

        async def look() -> Look:
            left = await target.find(WORKS, name, cluster)
            held = ", ".join(left["metadata"].get("finalizers") or ()) if left else ""
            return Look(left is None, f"finalizers hold it: {held}" if held else "it is still there")

        hint = f"is the agent of {cluster} running? --force does without its cleanup and leaves things there"
        await until(f"work {name} in cluster {cluster} to be gone", look, voice, patience, hint=hint)
    voice.say(f"work {name} in cluster {cluster} is deleted")


def _without_finalizers(obj: Object) -> None:
    obj["metadata"].pop("finalizers", None)


def _with_manifests(spec: Object, manifests: Sequence[Object]) -> None:
    spec.setdefault("workload", {})["manifests"] = list(manifests)


async def _placement(target: Target, text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    if not namespace or not name or "/" in name:
        raise VerbError(f"the name of the placement {text} must be in the format of <namespace>/<name>")
    if not await target.known(PLACEMENTS, name, namespace):
        raise not_found(PLACEMENTS.group, PLACEMENTS.plural, name)
    return namespace, name
