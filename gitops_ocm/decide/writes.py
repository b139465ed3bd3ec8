"""The few shapes of writes that all reconcilers are made of.

Each function answers with the writes still needed, so nothing is written that is already so: an empty
tuple means there is nothing to do. They know no OCM kind; what to write is for their callers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.decide.contract import (
    Apply,
    Delete,
    MergePatch,
    Outcome,
    Propagation,
    Result,
    Side,
    View,
    Write,
    status_patch,
)
from gitops_ocm.objects.conditions import parse_time
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.patch import merge_diff
from gitops_ocm.objects.ref import Object, ref_of, split_api_version

LOOK_AGAIN = 0.1
"""Seconds after which a state that was newer than we knew is looked at again."""


def is_deleting(obj: Mapping[str, Any]) -> bool:
    """Whether the object has been deleted and waits for its finalizers."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def name_of(obj: Mapping[str, Any]) -> str:
    """`metadata.name`."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Mapping[str, Any]) -> str:
    """`metadata.namespace`, `""` for a cluster-scoped object."""
    return str(obj["metadata"].get("namespace") or "")


def uid_of(obj: Mapping[str, Any]) -> str:
    """`metadata.uid`."""
    return str(obj["metadata"].get("uid") or "")


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """`metadata.labels`, empty where there are none."""
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """`metadata.annotations`, empty where there are none."""
    return obj["metadata"].get("annotations") or {}


def status_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """`status`, empty where there is none."""
    return obj.get("status") or {}


def conditions_of(obj: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """`status.conditions`, empty where there are none."""
    return status_of(obj).get("conditions") or []


def ensure(view: View, fragment: Object, side: Side = Side.HUB) -> tuple[Write, ...]:
    """Server-side apply of `fragment`, unless the live object has all of it already."""
    live = view.get(ref_of(fragment), side)
    if live is not None and covers(fragment, live):
        return ()
    return (Apply(fragment, side),)


def add_finalizer(obj: Object, finalizer: str, side: Side = Side.HUB) -> tuple[MergePatch, ...]:
    """Put a finalizer on an object that is not being deleted."""
    held = obj["metadata"].get("finalizers") or []
    if finalizer in held or is_deleting(obj):
        return ()
    return (_finalizers(obj, [*held, finalizer], side),)


def drop_finalizer(obj: Object, finalizer: str, side: Side = Side.HUB) -> tuple[MergePatch, ...]:
    """Take a finalizer off; the last one goes as `null`, as OCM's writers send it."""
    held = obj["metadata"].get("finalizers") or []
    if finalizer not in held:
        return ()
    return (_finalizers(obj, [f for f in held if f != finalizer] or None, side),)


def _finalizers(obj: Object, finalizers: list[str] | None, side: Side) -> MergePatch:
    return locked_patch(obj, {"metadata": {"finalizers": finalizers}}, side)


def locked_patch(obj: Object, body: Object, side: Side = Side.HUB) -> MergePatch:
    """A merge patch of the main resource that fails (409) if the object has moved on."""
    meta = obj["metadata"]
    lock = {"uid": meta.get("uid", ""), "resourceVersion": meta.get("resourceVersion", "")}
    _, version = split_api_version(obj.get("apiVersion", ""))
    locked = {**body, "metadata": {**body.get("metadata", {}), **lock}}
    return MergePatch(ref_of(obj), locked, side, version=version)


def delete(
    obj: Object | None, side: Side = Side.HUB, propagation: Propagation = Propagation.BACKGROUND
) -> tuple[Delete, ...]:
    """Delete this very object (by uid) unless that has happened already."""
    if obj is None or is_deleting(obj):
        return ()
    _, version = split_api_version(obj.get("apiVersion", ""))
    return (Delete(ref_of(obj), side, propagation, uid=uid_of(obj), version=version),)


def report(obj: Object, status: Mapping[str, Any], side: Side = Side.HUB) -> tuple[MergePatch, ...]:
    """Patch the given status fields to be exactly so, if they are not; other fields are left alone."""
    have = {field: value for field, value in status_of(obj).items() if field in status}
    changed = merge_diff(have, dict(status))
    return (status_patch(obj, changed, side),) if changed else ()


def errors(results: Sequence[Result]) -> list[ApiError]:
    """The errors among the results of writes."""
    return [r.error for r in results if r.error is not None]


def is_stale(error: ApiError) -> bool:
    """Whether a write lost against a newer state than we had seen: looking again is all it takes."""
    fields = any(cause.reason == "FieldManagerConflict" for cause in error.causes)
    return error.reason in ("Conflict", "AlreadyExists") and not fields


def after_failure(faults: Sequence[ApiError]) -> Outcome:
    """How to go on after writes that failed: soon and quietly if all were stale, else with backoff."""
    if all(map(is_stale, faults)):
        return Outcome(requeue_after=LOOK_AGAIN)
    return Outcome(retry="; ".join(fault.message for fault in faults if not is_stale(fault)))


def seconds_until(at: datetime, now: datetime) -> float:
    """How long from `now` to `at`; never negative."""
    return max(0.0, (at - now).total_seconds())


def time_at(text: object) -> datetime | None:
    """The time an API field holds; None where it is absent or unreadable."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return parse_time(text)
    except ValueError:
        return None
