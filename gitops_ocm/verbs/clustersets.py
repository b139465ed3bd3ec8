"""`create|delete clusterset` and `clusterset bind|unbind|set`: which clusters belong together, and where."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.listing import BINDINGS, CLUSTERS, SET_LABEL, SETS
from gitops_ocm.verbs.targets import Target
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, until

STANDARD = ("default", "global")
"""The sets that the hub itself keeps."""


async def create_set(target: Target, voice: Voice, name: str) -> None:
    """A new set."""
    if await target.find(SETS, name):
        voice.say(f"Clusterset {name} is already created")
        return
    await target.create(SETS, {"apiVersion": SETS.api_version, "kind": SETS.kind, "metadata": {"name": name}})
    voice.say(f"Clusterset {name} is created")


async def delete_set(target: Target, voice: Voice, name: str, patience: Patience) -> None:
    """A set that is bound nowhere, gone when this returns."""
    if name in STANDARD:
        voice.say(f"Clusterset {name} can not be deleted")
        return
    if not await target.find(SETS, name) and not await target.known(SETS, name):
        voice.say(f"Clusterset {name} not found or is already deleted")
        return
    if any((b.get("spec") or {}).get("clusterSet") == name for b in await target.list(BINDINGS)):
        voice.say(f"Clusterset {name} still bind to a namespace! Please unbind before deleted.")
        return
    await target.delete(SETS, name)
    if target.writes_now:

        async def look() -> Look:
            left = await target.find(SETS, name)
            held = ", ".join(left["metadata"].get("finalizers") or ()) if left else ""
            return Look(left is None, f"finalizers hold it: {held}" if held else "it is still there")

        hint = f"kubectl get managedclusterset {name} -o yaml shows whose finalizers are left"
        await until(f"clusterset {name} to be gone", look, voice, patience, hint=hint)
    voice.say(f"Clusterset {name} is deleted")


async def bind(target: Target, voice: Voice, name: str, namespace: str) -> None:
    """Make a set available to the placements of a namespace."""
    await _known_set(target, name)
    if await target.find(BINDINGS, name, namespace):
        voice.say(f"Clusterset {name} is already bound to Namespace {namespace}")
        return
    binding = {
        "apiVersion": BINDINGS.api_version,
        "kind": BINDINGS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterSet": name},
    }
    await target.create(BINDINGS, binding)
    voice.say(f"Clusterset {name} is bound to Namespace {namespace}")


async def unbind(target: Target, voice: Voice, name: str, namespace: str) -> None:
    """Take a set away from a namespace."""
    await target.delete(BINDINGS, name, namespace)
    voice.say(f"Clusterset {name} is unbind from namespace {namespace}")


async def set_members(
    target: Target, voice: Voice, name: str, clusters: Sequence[str], namespaces: Sequence[str]
) -> None:
    """Put clusters into a set, and give it namespaces that its clusters are to have."""
    if not clusters and not namespaces:
        raise VerbError("at least one cluster (--clusters) or namespace (--namespaces) must be specified")
    await _known_set(target, name)
    before = {cluster: await _set_of(target, cluster) for cluster in clusters}
    for cluster, was in before.items():
        if was == name:
            voice.say(f"Cluster {cluster} is already in Clusterset {name}")
            continue

        def change(obj: Object) -> None:
            obj["metadata"].setdefault("labels", {})[SET_LABEL] = name

        await target.edit(CLUSTERS, cluster, "", change)
        moved = f", from ClusterSet {was} to Clusterset {name}" if was else f" to Clusterset {name}"
        voice.say(f"Cluster {cluster} is set{moved}")
    if namespaces:
        await _add_namespaces(target, voice, name, namespaces)


async def _set_of(target: Target, cluster: str) -> str:
    found = await target.known(CLUSTERS, cluster)
    if found is None:
        raise not_found(CLUSTERS.group, CLUSTERS.plural, cluster)
    label: str = (found["metadata"].get("labels") or {}).get(SET_LABEL, "")
    return label


async def _add_namespaces(target: Target, voice: Voice, name: str, namespaces: Sequence[str]) -> None:
    voice.say(f"Processing managed namespaces: [{' '.join(namespaces)}]")
    given = list(dict.fromkeys(text.strip() for text in namespaces))
    if "" in given:
        voice.note("Warning: Empty namespace name provided, skipping")
        given.remove("")
    known = {one["name"] for one in _managed(await _known_set(target, name))}
    for namespace in (n for n in given if n in known):
        voice.say(f"Managed namespace {namespace} already exists in Clusterset {name}")
    new = [n for n in given if n not in known]
    if not new:
        what = f"All specified namespaces already exist in Clusterset {name}" if given else ""
        voice.say(f"\n{what or f'No changes made to Clusterset {name}'}")
        return

    def change(obj: Object) -> None:
        there = {one["name"] for one in _managed(obj)}
        added = [{"name": n} for n in new if n not in there]
        obj.setdefault("spec", {})["managedNamespaces"] = [*_managed(obj), *added]

    updated = await target.edit(SETS, name, "", change)
    voice.say(f"\nSuccessfully updated Clusterset {name}")
    voice.say(f"Added {len(new)} managed namespace(s): {', '.join(new)}")
    voice.say(f"Total managed namespaces in clusterset: {len(_managed(updated))}")


def _managed(obj: Object) -> Sequence[Object]:
    return (obj.get("spec") or {}).get("managedNamespaces") or ()


async def _known_set(target: Target, name: str) -> Object:
    found = await target.known(SETS, name)
    if found is None and name in STANDARD and not target.writes_now:
        return {"metadata": {"name": name}}  # Git need not declare what every hub has.
    if found is None:
        raise not_found(SETS.group, SETS.plural, name)
    return found
