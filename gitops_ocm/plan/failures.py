"""What an API's answer to our write means: wait, try again, or tell a person.

Pure. Problems point at the file and line in Git whose object was refused.
"""

from __future__ import annotations

import re
from enum import Enum

from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.plan.changes import Change

_HOLDER = re.compile(r'conflict with "([^"]+)"')


class Verdict(Enum):
    """What to do about a failed write."""

    WAIT = "what it needs is still coming"
    RETRY = "the server may take it later"
    REFUSED = "somebody has to change something"
    CUT_OFF = "the server cannot be reached"


def verdict(change: Change, error: ApiError, *, coming: frozenset[tuple[str, str]] = frozenset()) -> Verdict:
    """`coming` are the (group, kind) of the CustomResourceDefinitions in the same commit."""
    if error.reason == "ServiceUnavailable" and error.__cause__ is not None:
        return Verdict.CUT_OFF
    if error.transient:
        return Verdict.RETRY
    if namespace_missing(change, error):
        return Verdict.WAIT
    if error.reason == "NotFound" and change.applies and (change.ref.group, change.ref.kind) in coming:
        return Verdict.WAIT
    if error.reason == "Conflict" and not field_conflicts(error):
        return Verdict.RETRY
    return Verdict.REFUSED


def namespace_missing(change: Change, error: ApiError) -> bool:
    """Whether the object's namespace is not there, or is on its way out."""
    if not change.ref.namespace:
        return False
    if error.reason == "NotFound":
        return error.details.get("kind") == "namespaces"
    return error.reason == "Forbidden" and any(c.reason == "NamespaceTerminating" for c in error.causes)


def problem(change: Change, error: ApiError) -> Diagnostic:
    """What a person is told."""
    where = change.wanted.origin if change.wanted else Diagnostic("", "").where
    conflicts = field_conflicts(error)
    if conflicts:
        held = "; ".join(f"{field} is held by {holder}" for field, holder in conflicts[:5])
        more = f"; and {len(conflicts) - 5} more" if len(conflicts) > 5 else ""
        return Diagnostic(
            "field-conflict",
            f"fields of this object belong to another manager: {held}{more}",
            where,
            subject=str(change.ref),
            hint="take these fields out of Git, have the other manager give them up, or set "
            "spec.conflicts: Overwrite on the HubSync to take them over",
        )
    return Diagnostic(
        f"api-{_kebab(error.reason)}",
        error.message,
        where,
        subject=str(change.ref),
        hint=error.hint or _HINTS.get(error.reason, ""),
    )


def field_conflicts(error: ApiError) -> list[tuple[str, str]]:
    """(field, manager) of each server-side-apply conflict; an empty list for any other error."""
    found = []
    for cause in error.causes:
        if cause.reason == "FieldManagerConflict":
            holder = _HOLDER.search(cause.message)
            found.append((cause.field, holder[1] if holder else cause.message))
    return found


def _kebab(reason: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", reason).lower() or "error"


_HINTS = {
    "Forbidden": "grant the sync's user this right on the hub, or remove the object from Git",
    "Invalid": "correct the object in Git; some fields cannot change once an object exists",
    "NotFound": "the hub does not serve this kind: install its CustomResourceDefinition",
}
