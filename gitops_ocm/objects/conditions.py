"""`metav1.Condition` lists and the timestamps in them.

The time a condition last changed is the time its *status* changed: a new reason or message on the
same status keeps it. Order is kept, so an unchanged list stays byte-equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from gitops_ocm.objects.ref import Object


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


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with seconds: `2026-01-01T00:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as Leases and events carry: `2026-01-01T00:00:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """The instant an RFC 3339 text names, timezone-aware in UTC; ValueError when it is none."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return at.astimezone(UTC)
