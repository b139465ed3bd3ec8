"""The keys that wait for their turn: each once, the smallest first, so that a run can be repeated."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Generic, Protocol, TypeVar


class Ordered(Protocol):
    """What can be told smaller or greater."""

    def __lt__(self, other: Any, /) -> bool: ...


T = TypeVar("T", bound=Ordered)


class Ready(Generic[T]):
    """A set that gives its smallest element; elements have to be comparable and hashable."""

    def __init__(self) -> None:
        self._heap: list[T] = []
        self._there: set[T] = set()

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, item: T) -> None:
        """Put in, unless it is there."""
        if item not in self._there:
            self._there.add(item)
            heappush(self._heap, item)

    def update(self, items: Iterable[T]) -> None:
        """Put several in."""
        for item in items:
            self.add(item)

    def pop(self) -> T:
        """Take the smallest out."""
        item = heappop(self._heap)
        self._there.discard(item)
        return item
