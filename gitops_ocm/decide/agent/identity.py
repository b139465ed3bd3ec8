"""Names that tie the hub's ManifestWork, the AppliedManifestWork on the cluster and what is applied.

The AppliedManifestWork ("anchor" here) is the agent's ledger of one work: it owns what was applied, and
it outlives the work long enough to take that away again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_ocm.api.work import APPLIED_WORK_FINALIZER
from gitops_ocm.decide.contract import Side, View
from gitops_ocm.decide.kinds import APPLIED_WORK, MANIFEST_WORK, WORK_GROUP
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import labels_of, name_of, uid_of
from gitops_ocm.objects.ref import Object, Ref, Resource

ANCHOR_VERSION = f"{WORK_GROUP}/v1"


def anchor_ref(settings: AgentSettings, work: str) -> Ref:
    """The AppliedManifestWork of a work."""
    return Ref(*APPLIED_WORK, "", f"{settings.hub_hash}-{work}")


def new_anchor(settings: AgentSettings, work: Object) -> Object:
    """The AppliedManifestWork as it is made; it has its finalizer from the start."""
    meta: Object = {
        "name": anchor_ref(settings, name_of(work)).name,
        "finalizers": [APPLIED_WORK_FINALIZER],
    }
    if labels := labels_of(work):
        meta["labels"] = dict(labels)
    return {
        "apiVersion": ANCHOR_VERSION,
        "kind": APPLIED_WORK.kind,
        "metadata": meta,
        "spec": anchor_spec(settings, work),
    }


def anchor_spec(settings: AgentSettings, work: Object) -> Object:
    """What an AppliedManifestWork says of its work."""
    return {
        "hubHash": settings.hub_hash,
        "manifestWorkName": name_of(work),
        "agentID": settings.agent,
    }


def owner_reference(anchor: Object) -> Object:
    """By which an applied object belongs to its AppliedManifestWork."""
    return {
        "apiVersion": ANCHOR_VERSION,
        "kind": APPLIED_WORK.kind,
        "name": name_of(anchor),
        "uid": uid_of(anchor),
    }


def work_of_anchor(settings: AgentSettings, anchor: Object) -> Iterable[Ref]:
    """The key of the work an AppliedManifestWork of this hub is for."""
    spec = anchor.get("spec") or {}
    name = spec.get("manifestWorkName", "")
    if name_of(anchor) != anchor_ref(settings, name).name:
        return ()
    return (Ref(*MANIFEST_WORK, settings.cluster_name, name),)


Identity = tuple[str, str, str, str]
"""Group, plural, namespace, name: how ledgers and rules name an applied object."""

LEDGER_FIELDS = ("group", "version", "resource", "namespace", "name")
"""What a ledger entry always has, empty or not, beside the uid once it is known; also its order."""


def identity_of(entry: Mapping[str, Any]) -> Identity:
    """The identity in a ledger entry, a reported manifest's meta or an orphaning rule."""
    return (
        entry.get("group") or "",
        entry.get("resource") or "",
        entry.get("namespace") or "",
        entry.get("name") or "",
    )


def ref_in(resource: Resource, entry: Mapping[str, Any]) -> Ref:
    """The object an entry names, by how its kind is served."""
    _, _, namespace, name = identity_of(entry)
    return Ref(resource.group, resource.kind, namespace, name)


def served_as(view: View, entry: Mapping[str, Any]) -> Resource | None:
    """How the cluster serves the kind an entry names by its plural; None where it does not."""
    group, version = entry.get("group") or "", entry.get("version") or ""
    api_version = f"{group}/{version}" if group else version
    return view.resource_named(api_version, entry.get("resource") or "", Side.SPOKE)
