"""The top of the page, and its end: the verdict, numbers, policy, problems, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, joined, tag
from gitops_ocm.preview.formats.page.said import section, where, within
from gitops_ocm.preview.formats.words import (
    RULED,
    after,
    clock,
    counts,
    ends,
    fleet_share,
    lasting,
    number_of,
    outcome,
    percent,
    short,
    stamp,
    subject_of,
    verdict,
)
from gitops_ocm.preview.model import Preview, Ruling, Verdict

_SIGNS = {"Refused": "✗", "Changed": "~", "Unchanged": "="}
_LARGEST = 600_000


def head(found: Preview) -> Markup:
    """The verdict and the numbers."""
    what = outcome(found)
    sign = tag("span", _SIGNS[what], class_="sign", aria_hidden="true")
    line = tag("h1", sign, tag("span", verdict(found)), class_=f"verdict {what.lower()}")
    numbers = tag("ul", (tag("li", tile) for tile in _tiles(found)), class_="tiles")
    parts = [tag("p", "gitops-ocm preview: ", stamp(found), class_="stamp"), line, numbers]
    if found.until is not None:
        at = f"{after(found.until, found.now)}, {clock(found.until)}"
        told = f"This is how it is {at}; what comes later is not in it."
        parts.insert(2, tag("p", told, class_="until"))
    return joined(*parts)


def _tiles(found: Preview) -> Iterator[Markup]:
    """Numbers to go on from, each to its section."""
    for word, number in counts(found):
        yield _tile("objects", f"{number:,}", f"object{'' if number == 1 else 's'} {word}")
    whole = fleet_share(found)
    if whole.touched:
        share = percent(whole.touched, whole.clusters)
        yield _tile(
            "clusters", f"{whole.touched:,}", f"of {number_of(whole.clusters, 'cluster')} touched ({share})"
        )
    if 0 < whole.at_once < whole.touched:
        yield _tile("radius", f"{whole.at_once:,}", "at once, at most")
    if end := ends(found):
        yield _tile("rollouts", lasting(end - found.now), "until all is done, at the earliest")
    if stuck := sum(bool(rollout.waiting) for rollout in found.rollouts):
        yield _tile("rollouts", f"{stuck:,}", f"{'rollout' if stuck == 1 else 'rollouts'} would not finish")
    errors = sum(d.severity is Severity.ERROR for d in found.diagnostics)
    for number, word, target in (
        (
            len(found.forbidden),
            "refusal by policy" if len(found.forbidden) == 1 else "refusals by policy",
            "policy",
        ),
        (errors, "problem" if errors == 1 else "problems", "problems"),
        (len(found.warnings), "warning" if len(found.warnings) == 1 else "warnings", "warnings"),
    ):
        if number:
            yield _tile(target, f"{number:,}", word)


def _tile(target: str, number: str, words: str) -> Markup:
    return tag("a", tag("b", number), " ", tag("span", words), href=f"#{target}", class_=f"tile {target}")


def policy(found: Preview) -> Markup:
    """Each rule, those first that refuse."""
    order = (Verdict.REFUSED, Verdict.OVERRIDDEN, Verdict.ALLOWED)
    rulings = sorted(found.rulings, key=lambda ruling: order.index(ruling.verdict))
    rows = within(_LARGEST, rulings, lambda ruling: _ruling(ruling, found), "rules")
    return section("policy", "Policy", rows, number=len(rulings))


def _ruling(found: Ruling, preview: Preview) -> Markup:
    badge = tag(
        "span", f"{RULED[found.verdict]} {found.verdict.value}", class_=f"badge {found.verdict.value}"
    )
    parts = [badge, Markup(" "), tag("b", found.rule), where(found.where)]
    if found.message:
        parts.append(tag("p", found.message))
    if found.verdict is Verdict.OVERRIDDEN:
        by = tag("code", short(found.by)) if found.by else tag("span", "a commit")
        parts.append(tag("p", "Meant, says ", by, ": ", found.override, class_="note"))
    if found.until is not None and found.verdict is Verdict.REFUSED:
        ends_at = f"It ceases to refuse by itself {after(found.until, preview.now)}, {clock(found.until)}."
        parts.append(tag("p", ends_at, class_="note"))
    return tag("div", joined(*parts), class_=f"entry {found.verdict.value}")


def problems(found: Preview) -> Markup:
    """Why the sync would not apply it, and what a reviewer would want to know."""
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    return joined(
        _diagnostics("problems", "Problems", errors), _diagnostics("warnings", "Warnings", found.warnings)
    )


def _diagnostics(key: str, title: str, found: Sequence[Diagnostic]) -> Markup:
    return section(key, title, within(_LARGEST, found, _diagnostic, key), number=len(found))


def _diagnostic(found: Diagnostic) -> Markup:
    error = found.severity is Severity.ERROR
    badge = tag(
        "span", "✗ error" if error else "! warning", class_=f"badge {'refused' if error else 'warning'}"
    )
    subject = joined(" ", tag("b", subject_of(found.subject))) if found.subject else NOTHING
    more = (
        tag("p", tag("span", f"{label}: "), text, class_="note")
        for label, text in (("note", found.note), ("hint", found.hint))
        if text
    )
    code = tag("code", found.code, class_="code")
    told = tag("p", found.message, " ", code)
    return tag("div", badge, subject, where(found.where), told, more, class_="entry")


def made_of(found: Preview) -> Markup:
    """The commits and the moment it is computed from, and what was assumed."""
    facts = [
        ("Head", tag("code", found.head or "the work tree")),
        ("Base", tag("code", found.base or "the work tree")),
        ("State of the fleet", tag("code", found.state) if found.state else tag("span", "none is known")),
        ("Computed for", _time(found)),
    ]
    if found.state_at is not None:
        age = (
            f"{clock(found.state_at)}, {lasting(max(found.now - found.state_at, found.now - found.now))} old"
        )
        facts.insert(3, ("State written", tag("span", age)))
    if found.until is not None:
        facts.append(("Stopped at", tag("span", f"{clock(found.until)}, {after(found.until, found.now)}")))
    rows = (tag("div", tag("dt", name), tag("dd", value)) for name, value in facts)
    notes = tag("ul", (tag("li", note) for note in found.notes), class_="notes") if found.notes else NOTHING
    return section("made-of", "What this is computed from", notes, tag("dl", rows))


def _time(found: Preview) -> Markup:
    return tag("span", clock(found.now))
