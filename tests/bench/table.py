"""Medians, ratios and the table that is printed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One line: what was measured, its value, and the aim if there is one (`limit`, in `unit`)."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where no aim was set."""
        if self.limit is None:
            return ""
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if met else "missed"

    @property
    def aim(self) -> str:
        """The aim as text."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".rstrip()

    def as_json(self) -> dict[str, object]:
        """The row for machines."""
        return asdict(self) | {"verdict": self.verdict}


def median(samples: Iterable[dict[str, float]], key: str) -> float:
    """The middle of one number over repeats."""
    return statistics.median(sample[key] for sample in samples)


def median_ratio(over: Sequence[dict[str, float]], under: Sequence[dict[str, float]], key: str) -> float:
    """The middle of the ratios of neighbouring runs, which a drifting machine disturbs least."""
    return statistics.median(a[key] / b[key] for a, b in zip(over, under, strict=True))


def render(rows: Sequence[Row]) -> str:
    """The table as text (it is Markdown too)."""
    cells = [("What", "Measured", "Aim", "")]
    cells += [(r.name, f"{_short(r.value)} {r.unit}".rstrip(), r.aim, r.verdict) for r in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)


def _short(value: float) -> str:
    if value == int(value):
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
