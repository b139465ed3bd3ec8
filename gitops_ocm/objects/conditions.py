"""`metav1.Condition` lists and the timestamps in them.

The time a condition last changed is the time its *status* changed: a new reason or message on the
same status keeps it. Order is kept, so an unchanged list stays byte-equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.api.scalars import format_micro_time as micro_timestamp
from gitops_ocm.api.scalars import format_time as timestamp
from gitops_ocm.api.scalars import parse_time
from gitops_ocm.objects.ref import Object

__all__ = ["find", "is_true", "micro_timestamp", "parse_time", "timestamp", "with_condition"]


def find(conditions: Iterable[Mapping[str, Any]] | None, type: str) -> Mapping[str, Any] | None:
    """The condition of that type, or None."""
    for condition in conditions or ():
        if condition.get("type") == type:
            return condition
    return None


def is_true(of: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None, type: str) -> bool:
    """Whether that condition's status is `"True"`; `of` is an object or its list of conditions."""
    if isinstance(of, Mapping):
        of = (of.get("status") or {}).get("conditions")
    found = find(of, type)
    return found is not None and found.get("status") == "True"


def with_condition(
    conditions: Iterable[Mapping[str, Any]] | None,
    *,
    type: str,
    status: str,
    reason: str,
    message: str,
    now: datetime,
    observed_generation: int | None = None,
) -> list[Object]:
    """The list with that condition set: replaced in place, or appended."""
    result = [dict(c) for c in conditions or ()]
    wanted: Object = {"type": type, "status": status, "reason": reason, "message": message}
    if observed_generation is not None:
        wanted["observedGeneration"] = observed_generation
    for at, old in enumerate(result):
        if old.get("type") == type:
            moved = old.get("status") != status or "lastTransitionTime" not in old
            wanted["lastTransitionTime"] = timestamp(now) if moved else old["lastTransitionTime"]
            if observed_generation is None and "observedGeneration" in old:
                wanted["observedGeneration"] = old["observedGeneration"]
            result[at] = wanted
            return result
    wanted["lastTransitionTime"] = timestamp(now)
    return [*result, wanted]
