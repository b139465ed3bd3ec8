"""Rollouts as a timeline: waves on one axis of time, what each waits for, and where a rollout stops.

A wave's bar goes from its earliest start to when it counts as done at the earliest; a thin line goes on to
its deadline. Everything that is drawn is written beside it, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gitops_ocm.preview.formats.page.axis import Axis, axis_of
from gitops_ocm.preview.formats.page.groups import KINDS, Group, Groups
from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, tag
from gitops_ocm.preview.formats.page.said import moment, section, where, who, within
from gitops_ocm.preview.formats.words import (
    after,
    clock,
    done_by,
    fails_by,
    groups_of,
    number_of,
    rollout_rule,
    rollout_title,
)
from gitops_ocm.preview.model import Preview, Rollout, Wave

_LARGEST = 2_000_000
_FIRST = 20
"""So many rollouts are shown before a fold."""
_OPENED = 3
"""Of more than these only those are unfolded that stop."""
_WAVES = 40
"""So many waves of one rollout are listed, the last among them."""
_LEAST = 0.4
"""Percent of the axis that can be told from nothing."""
_DRAWN = 300
"""So many waves of one rollout are drawn beside each other."""


def rollouts(found: Preview, groups: Groups) -> Markup:
    """All rollouts of a preview."""
    axis = axis_of(found)
    told = [(rollout, _groups(rollout, found.now, groups)) for rollout in found.rollouts]
    opened = len(told) <= _OPENED
    entries = within(
        _LARGEST, told, lambda pair: _rollout(*pair, axis, found.now, opened), "rollouts", first=_FIRST
    )
    overview = _overview(found, axis) if len(told) > 1 and axis.any else NOTHING
    return section("rollouts", "Rollouts", overview, entries, number=len(told))


def _groups(found: Rollout, now: datetime, groups: Groups) -> tuple[list[Group], list[tuple[Group, str]]]:
    """Its waves, and how it leaves others, as groups of clusters."""
    about, placement = f"Rollout of {rollout_title(found)}", found.placement
    waves = [
        groups.add(f"wave {number}{_times(wave, now)}", wave.clusters, about=about, placement=placement)
        for number, wave in enumerate(found.waves, start=1)
    ]
    ends = [
        (
            groups.add(
                f"{kind}: {why}" if why else kind, clusters, about=about, kind=kind, placement=placement
            ),
            why,
        )
        for kind, clusters, why in (
            ("failed", found.failed, ""),
            ("under way", found.under_way, "given it, and not done when the preview ends"),
            ("not reached", found.waiting, found.why),
            ("in progress from before", found.unfinished, "had not yet got what the base commit wants"),
        )
        if clusters
    ]
    return waves, ends


def _times(wave: Wave, now: datetime) -> str:
    done = done_by(wave, now)
    return f": starts {after(wave.at, now)}{f', done {done}' if done else ''}"


# All on one axis


def _overview(found: Preview, axis: Axis) -> Markup:
    """Each rollout on a line of its own."""
    rows = (
        tag("li", tag("span", rollout_title(rollout), class_="names"), _lane(rollout, axis))
        for rollout in found.rollouts[:_WAVES]
    )
    head = tag("li", tag("span"), axis.head(), class_="head", aria_hidden="true")
    return tag("ul", head, *rows, class_="overview", aria_hidden="true")


def _lane(found: Rollout, axis: Axis) -> Markup:
    """All waves of a rollout on one line, and where it stops."""
    bars = (_bar(axis.at(wave.at), axis.at(_done(wave))) for wave in found.waves[:_DRAWN])
    return tag("svg", axis.grid(), _stopped(found, axis), *bars, class_="lane", aria_hidden="true")


def _stopped(found: Rollout, axis: Axis) -> Markup:
    """From where a rollout stops, if it does."""
    if not _is_stuck(found):
        return NOTHING
    at = max((axis.at(_done(wave)) for wave in found.waves), default=0.0)
    return tag("rect", class_="stopped", x=_percent(at), width=_percent(100 - at), y="20%", height="60%")


# One rollout


def _rollout(
    found: Rollout,
    groups: tuple[list[Group], list[tuple[Group, str]]],
    axis: Axis,
    now: datetime,
    opened: bool,
) -> Markup:
    waves, ends = groups
    rule = rollout_rule(found)
    stuck = _is_stuck(found)
    listed = tag("ol", _waves(found, waves, axis, now), class_="waves")
    if len(waves) > 1:
        summary = tag("summary", number_of(len(waves), "wave"), *_finish(found, now))
        listed = tag("details", summary, listed, open=opened or stuck)
    return tag(
        "article",
        tag("h3", tag("b", rollout_title(found)), where(found.origin)),
        tag("p", rule, class_="rule") if rule else NOTHING,
        listed if waves else NOTHING,
        tag("ul", (_end(group, why) for group, why in ends), class_="ends") if ends else NOTHING,
        tag("p", "It would not finish.", class_="finish") if stuck and found.end is None else NOTHING,
        class_=f"entry rollout{' refused' if stuck else ''}",
    )


def _waves(found: Rollout, groups: Sequence[Group], axis: Axis, now: datetime) -> Iterator[Markup]:
    """The waves under the axis; of very many the first, and the last."""
    numbered = list(zip(range(1, len(groups) + 1), found.waves, groups, strict=True))
    hidden = len(numbered) - _WAVES if len(numbered) > _WAVES + 1 else 0
    if axis.any and numbered:
        yield tag("li", axis.head(), class_="head", aria_hidden="true")
    for number, wave, group in numbered[: _WAVES - 1] if hidden else numbered:
        yield _wave(number, wave, group, axis, now)
    if hidden:
        yield tag("li", f"… {number_of(hidden, 'more wave')}: the grid knows each cluster's", class_="more")
        yield _wave(*numbered[-1], axis, now)
    if axis.any and _is_stuck(found):
        chart = tag("svg", axis.grid(), _stopped(found, axis), class_="lane")
        yield tag("li", tag("b", "✗ stops"), chart, class_="stop", aria_hidden="true")


def _wave(number: int, wave: Wave, group: Group, axis: Axis, now: datetime) -> Markup:
    done, fails, names = done_by(wave, now), fails_by(wave, now), groups_of(wave)
    times = [tag("span", "starts ", moment(wave.at, now))]
    if done and wave.soaked is not None:
        times.append(tag("span", "done ", moment(wave.soaked, now)))
    if fails and wave.deadline is not None:
        times.append(tag("span", "failed if not good ", moment(wave.deadline, now)))
    label = tag("b", f"wave {number}")
    named = tag("span", names, class_="group") if names else NOTHING
    chart = (
        tag("svg", axis.grid(), *_drawn(wave, axis), class_="lane", aria_hidden="true")
        if axis.any
        else NOTHING
    )
    told = tag("p", tag("span", times, class_="times"), " ", named, " ", who(group))
    return tag("li", label, chart, told, id=group.key)


def _drawn(wave: Wave, axis: Axis) -> Iterator[Markup]:
    start, done = axis.at(wave.at), axis.at(_done(wave))
    if wave.deadline is not None:
        deadline = axis.at(wave.deadline)
        yield tag("line", class_="deadline", x1=_percent(done), x2=_percent(deadline), y1="50%", y2="50%")
        if axis.holds(wave.deadline):
            yield tag(
                "line",
                class_="deadline end",
                x1=_percent(deadline),
                x2=_percent(deadline),
                y1="25%",
                y2="75%",
            )
    yield _bar(start, done)


def _bar(start: float, done: float) -> Markup:
    """A wave's time; one that takes none, or next to none, is a mark."""
    if done - start < _LEAST:
        at = _percent(start)
        return tag("line", class_="instant", x1=at, x2=at, y1="15%", y2="85%")
    return tag("rect", class_="wave", x=_percent(start), width=_percent(done - start), y="20%", height="60%")


def _end(group: Group, why: str) -> Markup:
    sign, style, _ = KINDS[group.kind]
    badge = tag("span", f"{sign} {group.kind}", class_=f"badge {style}")
    reason = tag("span", why, class_="why") if why else NOTHING
    return tag("li", badge, " ", reason, " ", who(group), id=group.key)


def _finish(found: Rollout, now: datetime) -> Iterator[Markup]:
    if found.end is not None:
        at = moment(found.end, now)
        yield tag("span", ", all done ", at, f" at the earliest ({clock(found.end)})", class_="finish")


def _is_stuck(found: Rollout) -> bool:
    return bool(found.waiting or found.failed)


def _done(wave: Wave) -> datetime:
    return wave.soaked if wave.soaked is not None else wave.at


def _percent(at: float) -> str:
    return f"{at:.4g}%"
