"""Numbers of costs and sizes: whole, and never more than 64 bits hold."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

MOST = (1 << 64) - 1


def added(one: int, other: int) -> int:
    """A sum, or the most there is."""
    return min(one + other, MOST)


def times(one: int, other: int) -> int:
    """A product, or the most there is."""
    return min(one * other, MOST)


def scaled(number: int, factor: float) -> int:
    """A number times a factor, rounded up."""
    return min(ceil(float(number) * factor), MOST)


class Size(NamedTuple):
    """How big a value may be: characters, bytes, items or entries."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        """Both together."""
        return Size(added(self.least, other.least), added(self.most, other.most))

    def times(self, other: Size) -> Size:
        """One as many times as the other."""
        return Size(times(self.least, other.least), times(self.most, other.most))

    def union(self, other: Size) -> Size:
        """Either."""
        return Size(min(self.least, other.least), max(self.most, other.most))


UNKNOWN = Size(0, MOST)
ONE = Size(1, 1)
