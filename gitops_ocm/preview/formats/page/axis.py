"""One axis of time for all rollouts of a page: where a moment stands on it, and which moments are marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gitops_ocm.preview.formats.page.markup import NOTHING, Markup, tag
from gitops_ocm.preview.formats.words import lasting
from gitops_ocm.preview.model import Preview, Rollout

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_DAY = 86400
_MARKS = 5
_MARGIN = 1.06
"""What the axis has beyond the last moment, in parts of it."""
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True)
class Axis:
    """From `start`, for `span`; no time at all where everything is at once."""

    start: datetime
    span: timedelta

    @property
    def any(self) -> bool:
        """Whether there is any time to show."""
        return self.span >= _INSTANT

    def at(self, moment: datetime) -> float:
        """Where it is, in percent; what is before or beyond stands at the end."""
        return min(100.0, max(0.0, 100 * ((moment - self.start) / self.span))) if self.any else 0.0

    def holds(self, moment: datetime) -> bool:
        """Whether it is not beyond the end."""
        return moment <= self.start + self.span

    def marks(self) -> Iterator[tuple[float, str]]:
        """Even moments, with their names."""
        seconds = self.span.total_seconds()
        step = next((step for step in _STEPS if seconds / step <= _MARKS), 0)
        if not step:
            days = seconds / _DAY / _MARKS
            step = _DAY * next(factor for factor in _days() if factor >= days)
        for number in range(int(seconds // step) + 1):
            span = timedelta(seconds=number * step)
            yield self.at(self.start + span), lasting(span) if number else "now"

    def grid(self) -> Markup:
        """The marks as lines, behind what is drawn."""
        return Markup(
            "".join(
                tag("line", class_="grid", x1=_at(at), x2=_at(at), y1="0", y2="100%")
                for at, _ in self.marks()
            )
        )

    def head(self) -> Markup:
        """The axis itself: each mark's name."""
        if not self.any:
            return NOTHING
        texts = (tag("text", name, x=_at(at), y="1em", class_="tick") for at, name in self.marks())
        return tag("svg", self.grid(), *texts, class_="axis", aria_hidden="true")


def axis_of(found: Preview) -> Axis:
    """The axis on which all rollouts fit that end; deadlines may be beyond it, if there is anything else."""
    last = max((moment for r in found.rollouts for moment in _planned(r)), default=found.now)
    if last - found.now < _INSTANT:
        deadlines = (wave.deadline for r in found.rollouts for wave in r.waves if wave.deadline is not None)
        last = max(deadlines, default=found.now)
    return Axis(found.now, (last - found.now) * _MARGIN)


def _planned(found: Rollout) -> Iterator[datetime]:
    for wave in found.waves:
        yield wave.at
        if wave.soaked is not None:
            yield wave.soaked
    if found.end is not None:
        yield found.end


def _days() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 …"""
    factor = 1
    while True:
        yield from (factor, 2 * factor, 5 * factor)
        factor *= 10


def _at(percent: float) -> str:
    return f"{percent:.4g}%"
