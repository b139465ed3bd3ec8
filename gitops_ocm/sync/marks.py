"""Our own marks on synced objects: whose they are, and where in Git they come from.

Added when an object is applied, so they are no part of its digest: a commit that does not touch an object's
content does not rewrite the object.
"""

from __future__ import annotations

from gitops_ocm.api.fleet import (
    COMMIT_ANNOTATION,
    PATH_ANNOTATION,
    PRUNE_ANNOTATION,
    PRUNE_DISABLED,
    SYNC_NAME_LABEL,
    WAVE_ANNOTATION,
)
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import Change, Live, Reason
from gitops_ocm.plan.wanted import Wanted


def marked(wanted: Wanted, *, owner: str, commit: str) -> Object:
    """The fragment to apply: the object with its owner, file and commit. Shares what it can with `wanted`."""
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
            },
        },
    }


def commit_of(change: Change, commit: str) -> str:
    """The commit to mark an object with: the one that last changed its content, not the one being synced."""
    kept = change.reason in (Reason.DRIFTED, Reason.MOVED)
    return change.live.commit if kept and change.live and change.live.commit else commit


def live_of(obj: Object, *, in_sync: bool) -> Live:
    """What a plan needs to know of an object from the hub."""
    meta = obj.get("metadata") or {}
    notes = meta.get("annotations") or {}
    return Live(
        uid=str(meta.get("uid", "")),
        owner=str((meta.get("labels") or {}).get(SYNC_NAME_LABEL, "")),
        path=str(notes.get(PATH_ANNOTATION, "")),
        commit=str(notes.get(COMMIT_ANNOTATION, "")),
        wave=_wave(notes.get(WAVE_ANNOTATION)),
        in_sync=in_sync,
        prune_disabled=notes.get(PRUNE_ANNOTATION) == PRUNE_DISABLED,
        terminating=bool(meta.get("deletionTimestamp")),
    )


def _wave(text: object) -> int:
    """The wave annotation of a live object; what is no number counts as none."""
    try:
        return int(str(text)) if text else 0
    except ValueError:
        return 0
