"""Our own marks on synced objects: whose they are, where in Git they come from, and as what.

Added when an object is applied, so they are no part of its digest: a commit that does not touch an object's
content does not rewrite the object. They go with the content in one write, so whatever is killed between
two writes, each object tells truly what was last applied of it.

The label says which HubSync an object belongs to, but controllers copy labels (an Endpoints gets its
Service's): it counts only where that HubSync's own field manager applied it.
"""

from __future__ import annotations

from gitops_ocm.api.fleet import (
    COMMIT_ANNOTATION,
    DIGEST_ANNOTATION,
    DIGEST_CHARS,
    PATH_ANNOTATION,
    PRUNE_ANNOTATION,
    PRUNE_DISABLED,
    SYNC_NAME_LABEL,
    WAVE_ANNOTATION,
    sync_field_manager,
)
from gitops_ocm.objects.ownership import APPLY
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import Change, Live, Reason
from gitops_ocm.plan.taints import holds_taints
from gitops_ocm.plan.wanted import Wanted

_LABEL_FIELD = f"f:{SYNC_NAME_LABEL}"


def marked(wanted: Wanted, *, owner: str, commit: str) -> Object:
    """The fragment to apply: the object with its marks. Shares what it can with `wanted`."""
    obj = wanted.obj
    meta = obj.get("metadata") or {}
    return {
        **obj,
        "metadata": {
            **meta,
            "labels": {**(meta.get("labels") or {}), SYNC_NAME_LABEL: owner},
            "annotations": {
                **(meta.get("annotations") or {}),
                PATH_ANNOTATION: wanted.origin.path,
                COMMIT_ANNOTATION: commit,
                DIGEST_ANNOTATION: wanted.digest[:DIGEST_CHARS],
            },
        },
    }


def unmarked(live: Live, version: str) -> Object:
    """The merge patch that lets go of an object as it was at `version`; its content stays as it is."""
    notes = dict.fromkeys((PATH_ANNOTATION, COMMIT_ANNOTATION, DIGEST_ANNOTATION))
    meta = {"uid": live.uid, "resourceVersion": version}
    return {"metadata": {**meta, "labels": {SYNC_NAME_LABEL: None}, "annotations": notes}}


def commit_of(change: Change, commit: str) -> str:
    """The commit to mark an object with: the one that last changed its content, not the one being synced."""
    kept = change.reason in (Reason.DRIFTED, Reason.MOVED)
    return change.live.commit if kept and change.live and change.live.commit else commit


def owner_of(obj: Object) -> str:
    """The HubSync an object's label names, rightly or not; `""`: none."""
    return str(((obj.get("metadata") or {}).get("labels") or {}).get(SYNC_NAME_LABEL, ""))


def ours(obj: Object, name: str) -> bool:
    """Whether an object is the HubSync `name`'s: labelled so, by its field manager's own apply."""
    if owner_of(obj) != name:
        return False
    manager = sync_field_manager(name)
    for entry in obj["metadata"].get("managedFields") or ():
        if (
            entry.get("manager") == manager
            and entry.get("operation") == APPLY
            and not entry.get("subresource")
        ):
            meta = (entry.get("fieldsV1") or {}).get("f:metadata") or {}
            return _LABEL_FIELD in (meta.get("f:labels") or {})
    return False


def live_of(obj: Object, name: str, *, in_sync: bool) -> Live:
    """What a plan of the HubSync `name` needs to know of an object from the hub."""
    meta = obj.get("metadata") or {}
    notes = meta.get("annotations") or {}
    return Live(
        uid=str(meta.get("uid", "")),
        ours=ours(obj, name),
        owner=owner_of(obj),
        path=str(notes.get(PATH_ANNOTATION, "")),
        commit=str(notes.get(COMMIT_ANNOTATION, "")),
        digest=str(notes.get(DIGEST_ANNOTATION, "")),
        wave=_wave(notes.get(WAVE_ANNOTATION)),
        in_sync=in_sync,
        prune_disabled=notes.get(PRUNE_ANNOTATION) == PRUNE_DISABLED,
        terminating=bool(meta.get("deletionTimestamp")),
        taints=holds_taints(obj, sync_field_manager(name)),
    )


def _wave(text: object) -> int:
    """The wave annotation of a live object; what is no number counts as none."""
    try:
        return int(str(text)) if text else 0
    except ValueError:
        return 0
