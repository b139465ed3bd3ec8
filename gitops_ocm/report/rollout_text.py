"""Where a rollout stands, as text: what holds it, its clusters in a table, and the waves to come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from gitops_ocm.decide.rollout import HoldReason
from gitops_ocm.decide.rollout.explanation import HOLDS, Explanation, Standing
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.report.tables import plain, table

_FEW = 8
"""Clusters named in a line before the rest is counted."""


def text(found: Explanation) -> str:
    """One rollout: a head, its clusters, and what comes next at the earliest."""
    rows = [(r.cluster, r.group, r.standing, _at(r.since), _until(r.standing, r.until)) for r in found.rows]
    clusters = table(("Cluster", "Group", "State", "Since", "Until"), rows) if rows else ""
    parts = ["".join(f"{line}\n" for line in _head(found)), clusters, _next(found)]
    return "\n".join(part for part in parts if part)


def _head(found: Explanation) -> Iterator[str]:
    step = found.step
    yield f"Placement {found.placement}: {_strategy(found)}"
    under_way = found.count(Standing.STARTING, Standing.UNDER_WAY, Standing.SOAKING)
    failed = found.count(Standing.FAILED, Standing.TIMED_OUT)
    done, held = found.count(Standing.DONE), found.count(Standing.HELD)
    yield f"  {done} of {len(found.rows)} clusters done, {under_way} under way, {failed} failed, {held} held"
    if step.hold is not None:
        yield f"  held: {HOLDS[step.hold.reason]}: {_some(step.hold.by)}"
    elif step.breach:
        yield f"  {HOLDS[HoldReason.BREACH]}"
    for group in step.unknown:
        yield f"  no decision group is {plain(group)}: what names it as mandatory has no effect"


def _strategy(found: Explanation) -> str:
    kind = str(found.strategy.get("type"))
    options = found.strategy.get(kind[:1].lower() + kind[1:]) or {}
    said = [f"{key} {_value(value)}" for key, value in options.items() if value not in (None, "", [], 0)]
    return plain(", ".join([kind, *said]))


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(e.get("groupName") or e.get("groupIndex") or 0) for e in value)
    return value if isinstance(value, str) else json.dumps(value)


def _next(found: Explanation) -> str:
    """The waves to come, if the clusters do as is assumed."""
    plan = found.plan
    rows = [
        (number, _at(wave.start), _some(wave.clusters), ", ".join(wave.groups), _at(wave.deadline))
        for number, wave in enumerate(plan.waves, 1)
    ]
    lines = []
    if rows:
        headers = ("Wave", "Not before", "Clusters", "Groups", "Late after")
        but = f", but for {_some(found.failing)}" if found.failing else ""
        lines += [f"If all goes well from now on{but}:\n", table(headers, rows)]
    if plan.held:
        lines.append(f"Not before something changes: {_some(plan.held)}\n")
    elif plan.end is not None and rows:
        lines.append(f"Done at {_at(plan.end)} at the earliest.\n")
    return "".join(lines)


def _at(time: datetime | None) -> str:
    return timestamp(time) if time is not None else ""


def _until(standing: Standing, time: datetime | None) -> str:
    if time is None:
        return ""
    return f"{timestamp(time)} ({'soaked' if standing is Standing.SOAKING else 'late'})"


def _some(names: Iterable[str]) -> str:
    found = [plain(name) for name in names]
    more = len(found) - _FEW
    return ", ".join(found[:_FEW]) + (f" and {more} more" if more > 0 else "")
