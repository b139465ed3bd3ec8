"""The history for a terminal, in the time of `zone` (None: local), and as documents for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from gitops_ocm.git.clone import Authored
from gitops_ocm.objects.ref import Ref
from gitops_ocm.report.plan_text import Line, Span
from gitops_ocm.verbs.history import Changed, Entry, History, Outcome
from gitops_ocm.verbs.history_events import Event, Tone
from gitops_ocm.verbs.history_fleet import Reach

API_VERSION = "history.gitops-ocm.io/v1alpha1"
_FEW = 3
_STYLES = {Outcome.IN_FORCE: "green", Outcome.PARTLY: "bold yellow"}
"""How the outcomes look that changed anything."""
_TONES = {Tone.GOOD: "green", Tone.BAD: "red", Tone.NEUTRAL: ""}


def history_lines(found: History, zone: tzinfo | None) -> Iterator[Line]:
    """A paragraph for each commit that the sync tried."""
    for entry in found.entries:
        yield from _entry_lines(entry, zone)
    if found.more:
        yield (Span("… older ones are not shown (-n, --since)", "dim"),)
    elif found.cut:
        yield (Span("… older history is not in this clone (git fetch --unshallow)", "dim"),)
    if not found.entries:
        yield (Span("nothing was told of any sync"),)


def _entry_lines(entry: Entry, zone: tzinfo | None) -> Iterator[Line]:
    subject, author = _subject(entry.authored)
    style = _STYLES.get(entry.outcome, "bold red")
    head = (
        Span(f"{_time(entry.at, zone)}  {entry.commit[:12]}  ", "dim"),
        Span(f"{entry.outcome.value:<8}", style),
    )
    yield (*head, Span(f"  {subject}", "bold"), Span(author))
    for text, tone in _said(entry):
        yield (Span(f"    {text}", tone),)


def _said(entry: Entry) -> Iterator[tuple[str, str]]:
    """What there is to say of an entry, each with its style."""
    if entry.outcome in _STYLES:
        facts = [_delay(entry), _objects(entry.objects), *_reach(entry)]
        yield "; ".join(filter(None, facts)), ""
    if entry.back_to:
        yield f"back to what {entry.back_to[:12]} had", "yellow"
    if entry.also:
        yield f"with {_few([f'{one.id[:12]} {one.subject}' for one in entry.also])}", "dim"
    for one in entry.overridden:
        yield f"let past the rule {one.rule}: {one.reason} ({one.by[:12]})", "yellow"
    if entry.reach is not None and entry.reach.failing:
        yield f"failing on {_few(entry.reach.failing)}", "red"
    yield from ((problem, "red") for problem in entry.problems[:_FEW])
    if len(entry.problems) > _FEW:
        yield f"and {len(entry.problems) - _FEW} more", "red"
    if entry.why and not entry.problems:
        yield entry.why, "red"
    if entry.before and entry.outcome is Outcome.PARTLY:
        yield f"{entry.before[:12]} is the last commit that is wholly in force", ""
    elif entry.before and entry.outcome is not Outcome.IN_FORCE:
        yield f"{entry.before[:12]} stayed in force", ""


def _subject(authored: Authored | None) -> tuple[str, str]:
    if authored is None:
        return "(not in this clone)", ""
    return authored.subject, f" ({authored.author})"


def _delay(entry: Entry) -> str:
    if entry.authored is None:
        return ""
    return f"{_span(entry.at - entry.authored.at)} after it was committed"


def _objects(changed: Changed) -> str:
    words = (("created", changed.created), ("changed", changed.changed), ("deleted", changed.deleted))
    parts = [f"{len(refs)} {word} ({_few([_called(ref) for ref in refs])})" for word, refs in words if refs]
    return ", ".join(parts) if parts else "no object changed"


def _called(ref: Ref) -> str:
    home = f"{ref.namespace}/" if ref.namespace else ""
    return f"{ref.kind} {home}{ref.name}"


def _reach(entry: Entry) -> Iterator[str]:
    found = entry.reach
    if found is None or not found.clusters:
        return
    yield f"{len(found.clusters)} of {found.fleet} clusters changed ({_few(found.clusters)})"
    if found.done is not None:
        later = found.done - entry.at
        yield f"all had it {_span(later)} later" if later > timedelta(0) else "all had it by then"
    elif found.waiting:
        yield f"{len(found.waiting)} have not answered ({_few(found.waiting)})"


def event_lines(
    events: Sequence[Event], commits: Mapping[str, Authored | None], zone: tzinfo | None
) -> Iterator[Line]:
    """A line for each event, newest first, under the commit that was in force."""
    source = None
    for event in events:
        if event.source != source:
            source = event.source
            subject, author = _subject(commits.get(source)) if source else ("no commit in force yet", "")
            yield (Span(f"{source[:12]:<12} ", "dim"), Span(subject, "bold"), Span(author))
        time = Span(f"    {_time(event.at, zone)}  ", "dim")
        yield (time, Span(f"{event.subject}: "), Span(event.text, _TONES[event.tone]))


def _time(at: datetime, zone: tzinfo | None) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _span(span: timedelta) -> str:
    """A span as people say it; what clocks disagree about is none."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 48 * 3600 else f"{seconds // 86_400} days"


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(words[:_FEW])
    return f"{shown} and {len(words) - _FEW} more" if len(words) > _FEW else shown


def history_document(found: History) -> dict[str, Any]:
    """The history for programs; times in UTC."""
    return {
        "apiVersion": API_VERSION,
        "kind": "History",
        "entries": [_document(entry) for entry in found.entries],
        "more": found.more,
    }


def events_document(events: Iterable[Event], more: bool) -> dict[str, Any]:
    """What befell one cluster or object, for programs."""
    items = [
        {
            "at": event.at.isoformat(),
            "statusCommit": event.told,
            "commit": event.source,
            "subject": event.subject,
            "text": event.text,
            "tone": event.tone.value,
        }
        for event in events
    ]
    return {"apiVersion": API_VERSION, "kind": "Events", "events": items, "more": more}


def _document(entry: Entry) -> dict[str, Any]:
    changed, found = entry.objects, entry.reach
    whole = {
        "commit": entry.commit,
        "outcome": entry.outcome.value,
        "at": entry.at.isoformat(),
        "statusCommit": entry.told,
        **_authored(entry.authored),
        "with": [{"commit": one.id, **_authored(one)} for one in entry.also],
        "objects": {
            "created": [str(ref) for ref in changed.created],
            "changed": [str(ref) for ref in changed.changed],
            "deleted": [str(ref) for ref in changed.deleted],
        },
        "clusters": _clusters(found) if found is not None else None,
        "why": entry.why,
        "problems": list(entry.problems),
        "inForceBefore": entry.before,
        "overridden": [{"rule": one.rule, "reason": one.reason, "by": one.by} for one in entry.overridden],
        "backTo": entry.back_to,
    }
    return {name: value for name, value in whole.items() if value not in (None, "", [])}


def _authored(one: Authored | None) -> dict[str, str]:
    return {"subject": one.subject, "author": one.author, "committed": one.at.isoformat()} if one else {}


def _clusters(found: Reach) -> dict[str, Any]:
    return {
        "fleet": found.fleet,
        "changed": list(found.clusters),
        "done": found.done.isoformat() if found.done else None,
        "failing": list(found.failing),
        "waiting": list(found.waiting),
    }
