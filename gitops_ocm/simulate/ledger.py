"""The objects of a `World` with what happened to them: told to whoever runs it, and undone if that is wanted.

    mark = ledger.mark()
    ...                       # any number of changes
    ledger.rewind(mark)       # everything is as it was

To undo costs what was changed, however many objects there are. How objects are found is `store`'s, what an
API does to an object `world`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.simulate.store import Store

Change = tuple[Object | None, Object | None]


class Mark(NamedTuple):
    """A moment of a world that it can be taken back to."""

    changes: int
    events: int
    catalog: Catalog
    versions: int
    uids: int
    ending: bool


class Ledger(Store):
    """A store that tells what changed in it."""

    def __init__(self) -> None:
        super().__init__()
        self._news: list[Change] = []
        self._kept: list[Change] | None = None
        self._projections: dict[Projection[Any], Any] = {}

    def projected(self, projection: Projection[P]) -> P:
        """What a projection comes to here, kept up to date from the first time it is asked for."""
        if projection not in self._projections:
            self._projections[projection] = projection.of(self.list(projection.kind))
        found: P = self._projections[projection]
        return found

    def news(self) -> Sequence[Change]:
        """What changed since this was last asked, as (old, new)."""
        taken, self._news = self._news, []
        return taken

    def put(self, ref: Ref, new: Object) -> Object | None:
        """Keep an object; what was there before."""
        old = super().put(ref, new)
        self._changed(ref, old, new)
        return old

    def add(self, ref: Ref, new: Object) -> None:
        """Keep an object as `Store.add` does."""
        super().add(ref, new)
        self._news.append((None, new))
        if self._kept is not None:
            self._kept.append((None, new))

    def is_looked_up(self, kind: Kind) -> bool:
        """Whether anything is kept of a kind beside its objects."""
        return super().is_looked_up(kind) or any(projection.kind == kind for projection in self._projections)

    def remove(self, ref: Ref) -> Object:
        """Forget an object; the one that was kept."""
        old = super().remove(ref)
        self._changed(ref, old, None)
        return old

    def _changed(self, ref: Ref, old: Object | None, new: Object | None) -> None:
        self._news.append((old, new))
        if self._kept is not None:
            self._kept.append((old, new))
        for projection, kept in self._projections.items():
            if projection.kind == ref.of:
                kept.change(old, new)

    def objects(self) -> Mapping[Ref, Object]:
        """All objects as they are now, in no order; later changes do not show in it."""
        return dict(self._objects)

    # Undoing

    def mark(self) -> int:
        """A point to come back to. From the first one on everything that changes is remembered."""
        if self._kept is None:
            self._kept = []
        return len(self._kept)

    def since(self, mark: int) -> Sequence[Change]:
        """What changed since a mark."""
        return self._kept[mark:] if self._kept is not None else ()

    def rewind(self, mark: int) -> None:
        """Undo what came after a mark; nobody is told.

        A projection of a kind of which objects came or went is made anew when it is asked for: it may keep
        them in the order they came in.
        """
        undone = list(reversed(self.since(mark)))
        self._news = []
        self._kept = (self._kept or [])[:mark]
        moved: set[Kind] = set()
        for old, new in undone:
            ref = ref_of(new if new is not None else old or {})
            if old is None:
                super().remove(ref)
            else:
                super().put(ref, old)
            if old is None or new is None:
                moved.add(ref.of)
        self._projections = {p: kept for p, kept in self._projections.items() if p.kind not in moved}
        for old, new in undone:
            kind = ref_of(new if new is not None else old or {}).of
            for projection, kept in self._projections.items():
                if projection.kind == kind:
                    kept.change(new, old)
