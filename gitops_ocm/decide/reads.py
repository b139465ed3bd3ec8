"""What a reconcile looked at outside the kinds its controller declares.

Both interpreters keep that record, by the same `get` and `list`, and wake the key when any of it changes.
Where the objects come from is theirs: `live.view` has caches, `simulate.view` worlds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from gitops_ocm.decide.contract import Side
from gitops_ocm.objects.ref import Kind, Object, Ref

Seen = tuple[Side, Ref] | tuple[Side, Kind, str]
"""An object, or the objects of a kind in a namespace (`""`: all)."""


class RecordingView(ABC):
    """`get` and `list` of a `contract.View`, noting in `seen` what is not `declared`."""

    def __init__(self, declared: Collection[tuple[Side, Kind]], seen: set[Seen]) -> None:
        self._declared = declared
        self.seen = seen

    def get(self, ref: Ref, side: Side = Side.HUB) -> Object | None:
        """The object, or None."""
        if (side, ref.of) not in self._declared:
            self.seen.add((side, ref))
        return self._get(ref, side)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        side: Side = Side.HUB,
    ) -> Sequence[Object]:
        """All objects of a kind, sorted."""
        if (side, kind) not in self._declared:
            self.seen.add((side, kind, namespace or ""))
        return self._list(kind, namespace, labels, side)

    @abstractmethod
    def _get(self, ref: Ref, side: Side) -> Object | None: ...

    @abstractmethod
    def _list(
        self, kind: Kind, namespace: str | None, labels: Mapping[str, str] | None, side: Side
    ) -> Sequence[Object]: ...


def outdated(side: Side, ref: Ref) -> tuple[Seen, ...]:
    """What a change of this object makes out of date."""
    return (side, ref), (side, ref.of, ""), (side, ref.of, ref.namespace)
