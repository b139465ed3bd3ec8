"""The list of manifests in a work's status: carried over from the last one, entry by entry.

Two rows write it, `decide.agent.apply` (the list and Applied) and `decide.agent.feedback` (Available and
values); each keeps what the other wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import APPLIED, WORK_IS_APPLIED, WORK_NOT_APPLIED
from gitops_ocm.decide.writes import conditions_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object


def reported(work: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The manifests as they were last reported."""
    found: Sequence[Mapping[str, Any]] = (status_of(work).get("resourceStatus") or {}).get("manifests") or []
    return found


def generation_of(work: Mapping[str, Any]) -> int:
    """`metadata.generation`."""
    return int(work["metadata"].get("generation") or 0)


def is_applied(work: Mapping[str, Any], entry: Mapping[str, Any] | None) -> bool:
    """Whether this generation of a reported manifest has been applied."""
    found = conditions.find((entry or {}).get("conditions"), APPLIED)
    return (
        found is not None
        and found.get("status") == "True"
        and found.get("observedGeneration") == generation_of(work)
    )


def is_reported(work: Mapping[str, Any]) -> bool:
    """Whether the reported list is the one of this generation."""
    found = conditions.find(conditions_of(work), APPLIED)
    return found is not None and found.get("observedGeneration") == generation_of(work)


def previous(
    metas: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any] | None]:
    """For each manifest its old entry: the same meta, or the same but for its place if that is clear."""
    exact = {_meta_key(e, ordinal=True): e for e in old}
    loose: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for entry in old:
        loose.setdefault(_meta_key(entry, ordinal=False), []).append(entry)
    found: list[Mapping[str, Any] | None] = []
    for meta in metas:
        wrapped = {"resourceMeta": meta}
        same = loose.get(_meta_key(wrapped, ordinal=False), [])
        found.append(exact.get(_meta_key(wrapped, ordinal=True)) or (same[0] if len(same) == 1 else None))
    return found


def _meta_key(entry: Mapping[str, Any], *, ordinal: bool) -> tuple[Any, ...]:
    meta = entry.get("resourceMeta") or {}
    names = ("group", "version", "kind", "resource", "namespace", "name")
    place = meta.get("ordinal", 0) if ordinal else None
    return (place, *(meta.get(n) or "" for n in names))


def applied_entry(
    meta: Mapping[str, Any],
    old: Mapping[str, Any] | None,
    judged: KnownCondition,
    *,
    generation: int,
    now: datetime,
) -> Object:
    """An entry with its Applied condition; of a new generation the condition is a new one."""
    held = (old or {}).get("conditions") or []
    found = conditions.find(held, APPLIED)
    if found is not None and found.get("observedGeneration") != generation:
        held = [c for c in held if c.get("type") != APPLIED]
    kept = {k: v for k, v in (old or {}).items() if k not in ("resourceMeta", "conditions")}
    entry: Object = {"statusFeedback": {}, **kept}
    entry["resourceMeta"] = dict(meta)
    entry["conditions"] = conditions.with_condition(
        held,
        **judged._asdict(),
        now=now,
        observed_generation=generation,
    )
    return entry


def with_applied(work: Object, entries: Sequence[Mapping[str, Any]], now: datetime) -> list[Object]:
    """The work's conditions with Applied summed up over its manifests; without any it says nothing."""
    if not entries:
        return [dict(c) for c in conditions_of(work)]
    good = all(conditions.is_true(e.get("conditions") or [], APPLIED) for e in entries)
    return with_condition(work, WORK_IS_APPLIED if good else WORK_NOT_APPLIED, now)


def with_condition(work: Object, told: KnownCondition, now: datetime) -> list[Object]:
    """The work's conditions with one that speaks of its generation as it is."""
    return conditions.with_condition(
        conditions_of(work), **told._asdict(), now=now, observed_generation=generation_of(work)
    )
