"""What `doctor` prints: text for people, JSON for programs.

Objects are written by others: nothing in them that has the form of a secret gets out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.diagnosis.finding import Fact, Finding
from gitops_ocm.decide.diagnosis.ranking import Group
from gitops_ocm.report.redaction import redacted_text
from gitops_ocm.report.tables import plain
from gitops_ocm.verbs.doctor import Examination

ONE_BY_ONE = 3
"""So many findings of one cause are shown each by itself; more become one, with the names."""
NAMED = 8
SHOWN_FOLLOWERS = 5


def text(examination: Examination) -> str:
    """For people: the most fundamental first, with evidence, command, and what follows."""
    diagnosis = examination.diagnosis
    lines = [line for group in diagnosis.groups for line in _group(group)]
    lines += _unseen(examination)
    lines.append(_summary(examination))
    return "".join(f"{line}\n" for line in lines)


def _group(group: Group) -> Iterator[str]:
    mark = "NOTICE " if group.notice else "PROBLEM"
    if len(group.findings) <= ONE_BY_ONE:
        for finding in group.findings:
            yield f"{mark} {_said(finding.sentence)}  [{finding.cause}]"
            yield from _details(finding)
        return
    first = group.findings[0]
    names = group.clusters or tuple(dict.fromkeys(f.subject for f in group.findings))
    count = f"{len(names):,} {'clusters' if group.clusters else 'objects'}"
    yield f"{mark} {count}: {group.title}  [{group.cause}]"
    yield f"  which:    {_listed(names)}"
    yield f"  one:      {_said(first.sentence)}"
    yield from _details(first)


def _details(finding: Finding) -> Iterator[str]:
    for fact in finding.facts:
        yield f"  evidence: {_fact(fact)}"
    if finding.mend:
        yield f"  mend:     {plain(finding.mend)}"
    following = list(_following(finding))
    for follower in following[:SHOWN_FOLLOWERS]:
        yield f"  follows:  {_said(follower.sentence)}  [{follower.cause}]"
    if len(following) > SHOWN_FOLLOWERS:
        yield f"  follows:  and {len(following) - SHOWN_FOLLOWERS:,} more"
    yield ""


def _following(finding: Finding) -> Iterator[Finding]:
    """Whatever follows, at any distance."""
    for follower in finding.follows:
        yield follower
        yield from _following(follower)


def _fact(fact: Fact) -> str:
    field = f" {fact.field}" if fact.field else ""
    when = f" (since {fact.time})" if fact.time and fact.time != fact.value else ""
    return f"{_said(fact.subject)}{field}: {_said(fact.value)}{when}"


def _said(said: str) -> str:
    return plain(redacted_text(said))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return plain(", ".join(names[:NAMED]) + more)


def _unseen(examination: Examination) -> Iterator[str]:
    unseen = examination.diagnosis.unseen
    for what in sorted(unseen):
        yield f"NOT LOOKED AT {plain(what)}: {_said(unseen[what])}"
    if unseen:
        yield ""


def _summary(examination: Examination) -> str:
    diagnosis = examination.diagnosis
    clusters = f"{examination.clusters:,} cluster{'' if examination.clusters == 1 else 's'}"
    places = " and ".join(filter(None, (examination.hub, examination.spoke)))
    looked = f"Looked at {clusters}{f' on {places}' if places else ''}"
    problems = sum(len(group.findings) for group in diagnosis.groups if not group.notice)
    if problems:
        return f"{looked}: {problems:,} problem{'' if problems == 1 else 's'}."
    if diagnosis.unseen:
        return f"{looked}: no problem in what could be looked at."
    return f"{looked}: no problem."


def to_json(examination: Examination) -> str:
    """For programs: every finding, by cause."""
    diagnosis = examination.diagnosis
    body = {
        "healthy": diagnosis.healthy and not diagnosis.unseen,
        "time": format_time(examination.at),
        "hub": examination.hub,
        "managedCluster": examination.spoke,
        "clusters": examination.clusters,
        "causes": [_group_json(group) for group in diagnosis.groups],
        "notLookedAt": [{"what": k, "why": _said(v)} for k, v in sorted(diagnosis.unseen.items())],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "cause": group.cause,
        "title": group.title,
        "notice": group.notice,
        "clusters": list(group.clusters),
        "findings": _findings_json(group.findings),
    }


def _findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "cause": finding.cause,
            "subject": finding.subject,
            "cluster": finding.cluster,
            "sentence": _said(finding.sentence),
            "evidence": [
                {"subject": _said(f.subject), "field": f.field, "value": _said(f.value), "time": f.time}
                for f in finding.facts
            ],
            "command": finding.mend,
            "follows": _findings_json(finding.follows),
        }
        for finding in findings
    ]
