"""What the Warning events of the last hour add: the latest words of whoever tried, as further evidence.

Events are gone after an hour and may be dropped, so nothing is concluded from their absence. The one thing
they alone tell is why pods are not even made (a quota, a webhook): `pods` asks for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gitops_ocm.decide.diagnosis.finding import Fact, Finding, cut
from gitops_ocm.objects.ref import Kind, Object

EVENT = Kind("events.k8s.io", "Event")
_NAMED = re.compile(r"[A-Z]\w+ (?:([a-z0-9-]+)/)?[^ /]+")
AT_MOST = 2
"""So many events are told with a finding; the newest of each reason."""


def is_warning(event: Object) -> bool:
    """Whether it tells of trouble."""
    return event.get("type") == "Warning"


def places(findings: Iterable[Finding]) -> list[str]:
    """The namespaces where the events about what findings name are, sorted.

    Those about a ManagedCluster are in its own, those about anything else without a namespace in `default`.
    """
    found: set[str] = set()
    for finding in _all(findings):
        for subject in _subjects(finding):
            if named := _NAMED.fullmatch(subject):
                found.add(named[1] or "default")
        if finding.cluster:
            found.add(finding.cluster)
    return sorted(found)


def with_events(findings: Iterable[Finding], events: Iterable[Object]) -> list[Finding]:
    """The findings, each with the latest warnings about what it names."""
    about: dict[str, list[Object]] = {}
    for event in sorted(events, key=when, reverse=True):
        regarding = event.get("regarding") or {}
        kind, name = regarding.get("kind"), regarding.get("name")
        about.setdefault(f"{kind} {name}", []).append(event)
        about.setdefault(f"{kind} {regarding.get('namespace')}/{name}", []).append(event)
    return [_told(finding, about) for finding in findings]


def _told(finding: Finding, about: Mapping[str, list[Object]]) -> Finding:
    latest: dict[str, Fact] = {}
    for subject in _subjects(finding):
        for event in about.get(subject, ()):
            latest.setdefault(str(event.get("reason") or ""), _fact(subject, event))
    newest = sorted(latest.values(), key=lambda fact: fact.time, reverse=True)[:AT_MOST]
    follows = tuple(_told(follower, about) for follower in finding.follows)
    return replace(finding, facts=(*finding.facts, *newest), follows=follows)


def _fact(subject: str, event: Object) -> Fact:
    return Fact(subject, f"Event {event.get('reason')}", cut(str(event.get("note") or "")), when(event))


def when(event: Mapping[str, Any]) -> str:
    """When it was seen last, as an API server writes it."""
    series = event.get("series") or {}
    told = (series.get("lastObservedTime"), event.get("deprecatedLastTimestamp"), event.get("eventTime"))
    found = next((str(time) for time in told if time), event["metadata"].get("creationTimestamp") or "")
    return f"{found.partition('.')[0].rstrip('Z')}Z" if found else ""


def _subjects(finding: Finding) -> list[str]:
    return list(dict.fromkeys((finding.subject, *(fact.subject for fact in finding.facts))))


def _all(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from _all(finding.follows)
