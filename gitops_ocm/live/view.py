"""The `View` a live reconciler gets: caches of one or two sides, and a record of what it looked at.

What a controller looks at without being woken by it (`Unread` made the runner watch it) wakes the
key when it changes: `Reads` says what that was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_ocm.decide.contract import Side, Unread, Want
from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.decide.reads import RecordingView, Seen
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource


@dataclass(slots=True)
class Reads:
    """What one reconcile looked at, outside the kinds its controller declares."""

    seen: set[Seen] = field(default_factory=set)
    required: set[tuple[Side, Kind, str]] = field(default_factory=set)
    """What it asked to have watched; not by itself a reason to be woken."""
    missed: set[tuple[Side, str, str]] = field(default_factory=set)
    """(side, apiVersion, kind or plural) that the API did not serve."""

    def wants(self) -> set[tuple[Side, Kind, str]]:
        """The watches these reads rest on: (side, kind, namespace), `""` for all namespaces."""
        return self.required | {_watch_for(seen) for seen in self.seen}


def _watch_for(seen: Seen) -> tuple[Side, Kind, str]:
    match seen:
        case side, ref:
            return side, ref.of, ref.namespace
        case side, kind, namespace:
            return side, kind, namespace


class LiveView(RecordingView):
    """Implements `decide.contract.View` over caches."""

    def __init__(
        self,
        caches: Mapping[Side, Cache],
        declared: Collection[tuple[Side, Kind]] = (),
        reads: Reads | None = None,
    ) -> None:
        self.reads = reads if reads is not None else Reads()
        super().__init__(declared, self.reads.seen)
        self._caches = caches

    def _get(self, ref: Ref, side: Side) -> Object | None:
        return self._caches[side].get(ref)

    def _list(
        self, kind: Kind, namespace: str | None, labels: Mapping[str, str] | None, side: Side
    ) -> Sequence[Object]:
        return self._caches[side].list(kind, namespace, labels=labels)

    def indexed(self, index: str, value: str, side: Side = Side.HUB) -> Sequence[Object]:
        """Objects filed under `value`, sorted."""
        return self._caches[side].indexed(index, value)

    def projected(self, projection: Projection[P]) -> P:
        """What a cache keeps of a kind as a whole."""
        return self._caches[projection.side].projected(projection)

    def resource(self, api_version: str, kind: str, side: Side = Side.HUB) -> Resource | None:
        """How a kind is served; a miss is remembered, so that the key is woken when it is."""
        return self._noted(self._mapper(side).known_for(api_version, kind), side, api_version, kind)

    def resource_named(self, api_version: str, plural: str, side: Side = Side.HUB) -> Resource | None:
        """As `resource`, by the plural."""
        return self._noted(self._mapper(side).known_named(api_version, plural), side, api_version, plural)

    def _mapper(self, side: Side) -> Mapper:
        mapper = self._caches[side].mapper
        if not mapper.discovered.is_set():
            raise Unread(side, ())  # the runner waits for discovery; the reconciler need not know
        return mapper

    def _noted(self, found: Resource | None, side: Side, api_version: str, name: str) -> Resource | None:
        if found is None:
            self.reads.missed.add((side, api_version, name))
        return found

    def require(self, wants: Iterable[Want], side: Side = Side.HUB) -> None:
        """One `Unread` for all that is not watched yet."""
        wants = list(wants)
        self.reads.required.update(
            (side, w.kind, w.namespace) for w in wants if (side, w.kind) not in self._declared
        )
        self._caches[side].require(wants)
