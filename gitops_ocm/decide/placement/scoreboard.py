"""What add-ons have scored, read once for each change.

A projection (`decide.contract`) of the AddOnPlacementScores; `scores` weighs them, and expressions look into
them (`functions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple

from gitops_ocm.decide.writes import name_of, namespace_of, status_of, time_at
from gitops_ocm.objects.ref import Object


class _Scored(NamedTuple):
    until: datetime | None
    values: Mapping[str, int]
    obj: Object


class Scoreboard:
    """The scores of all clusters."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], _Scored] = {}
        self._changes = 0
        self._changed: dict[str, int] = {}  # by cluster, the latest change last

    def change(self, old: Object | None, new: Object | None) -> None:
        """An AddOnPlacementScore came, changed or went."""
        cluster = namespace_of(new if new is not None else old or {})
        self._changes += 1
        self._changed.pop(cluster, None)
        self._changed[cluster] = self._changes
        if new is None:
            self._held.pop((namespace_of(old or {}), name_of(old or {})), None)
            return
        status = status_of(new)
        values = {str(s.get("name", "")): int(s.get("value", 0)) for s in status.get("scores") or ()}
        until = time_at(status.get("validUntil"))
        self._held[namespace_of(new), name_of(new)] = _Scored(until, values, new)

    def score(self, cluster: str, resource: str, name: str, now: datetime) -> int:
        """The score of that name; 0 where there is none or it is no longer valid."""
        held = self._held.get((cluster, resource))
        if held is None or (held.until is not None and now > held.until):
            return 0
        return held.values.get(name, 0)

    def expired(self, cluster: str, resource: str, now: datetime) -> bool:
        """Whether there are scores that are no longer valid."""
        held = self._held.get((cluster, resource))
        return held is not None and held.until is not None and now > held.until

    def changed_since(self, mark: int, /) -> tuple[Sequence[str], int]:
        """The clusters any of whose scores have changed since `mark`, and the mark now."""
        late = takewhile(lambda cluster: self._changed[cluster] > mark, reversed(self._changed))
        return list(late), self._changes

    def find(self, cluster: str, resource: str, /) -> Object | None:
        """The object itself."""
        held = self._held.get((cluster, resource))
        return held.obj if held is not None else None
