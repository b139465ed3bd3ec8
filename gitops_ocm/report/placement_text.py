"""Why a placement chose as it did, as text: all candidates in a table, or one cluster in full."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.decide.placement.explanation import Explanation, PartScore, Verdict
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.report.tables import plain, table


def text(explanation: Explanation) -> str:
    """What was decided, and every candidate with what speaks for and against it."""
    verdicts = explanation.verdicts
    parts = next(([score.name for score in v.scores] for v in verdicts if v.scores), [])
    headers = ("Cluster", "Selected", "Group", "Score", *parts, "Why not")
    rows = [
        (v.cluster, "yes" if v.selected else "no", v.group, v.total, *_parts(v, len(parts)), v.why)
        for v in verdicts
    ]
    lines = "".join(f"{line}\n" for line in _head(explanation))
    return f"{lines}\n{table(headers, rows)}" if rows else lines


def text_of_one(explanation: Explanation) -> str:
    """What was decided, and one cluster in full."""
    lines = [*_head(explanation), ""]
    for verdict in explanation.verdicts:
        lines += _in_full(verdict)
    return "".join(f"{line}\n" for line in lines)


def _head(explanation: Explanation) -> Iterator[str]:
    placement, count = explanation.placement, explanation.selected
    where = f"{namespace_of(placement)}/{name_of(placement)}"
    yield f"Placement {where}"
    if explanation.paused:
        yield "  Scheduling is disabled by an annotation: decisions stay; below is what they would be."
    sets, bound = ", ".join(explanation.eligible) or "none", ", ".join(explanation.bound) or "none"
    yield f"  Cluster sets: {sets} (bound to the namespace: {bound})"
    for told in (explanation.satisfied, explanation.misconfigured):
        yield f"  {told.type}: {told.status} ({told.reason}): {plain(told.message)}"
    if explanation.limit is not None:
        yield f"  Limit: {explanation.limit} of the {explanation.qualified} that qualify"
    for unknown in explanation.unknown:
        yield f"  Not known: {plain(unknown)}"
    if len(explanation.verdicts) > 1:
        yield f"  {count} of {len(explanation.verdicts)} candidates selected"


def _parts(verdict: Verdict, columns: int) -> list[str | None]:
    return [_short(score) for score in verdict.scores] or [None] * columns


def _short(score: PartScore) -> str:
    given = "none" if score.score is None else str(score.score)
    return given if score.weight == 1 else f"{given} × {score.weight}"


def _in_full(verdict: Verdict) -> Iterator[str]:
    name = plain(verdict.cluster)
    if verdict.selected:
        yield f"Cluster {name}: selected, in decision group {verdict.group}"
    else:
        yield f"Cluster {name}: not selected: {plain(verdict.why)}"
    for number, refused in enumerate(verdict.predicates, 1):
        yield f"  predicate {number}: {'met' if not refused else f'not met: {plain(refused)}'}"
    if verdict.predicates or verdict.place:
        taints = [f"  {plain(taint)}" for taint in verdict.taints]
        yield from taints or ["  taints: none that is not tolerated"]
        yield from (f"  {plain(taint)}" for taint in verdict.tolerated)
    for score in verdict.scores:
        given = "no score" if score.score is None else f"score {score.score}"
        yield f"  {score.name}: {given} × weight {score.weight} = {score.weighted} ({plain(score.grounds)})"
    if verdict.place:
        yield f"  score in all {verdict.total}, place {verdict.place} of those that qualify"
