"""The `View` of a simulated reconcile: worlds that are always up to date, and a record of what was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from gitops_ocm.decide.contract import Index, Side, Want
from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.decide.reads import RecordingView
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, kind_of
from gitops_ocm.simulate.world import World

Narrow = Mapping[tuple[Side, Kind], Collection[Want]]
"""What is watched of kinds that are not watched as a whole."""


class WorldView(RecordingView):
    """Implements `decide.contract.View`.

    What a process has watched in part only (`narrow`) it sees in part only, as a live one does.
    """

    def __init__(
        self,
        worlds: Mapping[Side, World],
        indexes: Mapping[str, Index],
        declared: Collection[tuple[Side, Kind]] = (),
        narrow: Narrow = MappingProxyType({}),
    ) -> None:
        super().__init__(declared, set())
        self._worlds = worlds
        self._indexes = indexes
        self._narrow = narrow

    def _get(self, ref: Ref, side: Side) -> Object | None:
        return self._worlds[side].get(ref)

    def _list(
        self, kind: Kind, namespace: str | None, labels: Mapping[str, str] | None, side: Side
    ) -> Sequence[Object]:
        found = self._worlds[side].list(kind, namespace, labels)
        wants = [w for w in self._narrow.get((side, kind), ()) if namespace in (None, w.namespace)]
        return [obj for obj in found if covered(wants, obj)] if wants else found

    def indexed(self, index: str, value: str, side: Side = Side.HUB) -> Sequence[Object]:
        """Objects an index files under `value`."""
        found = self._indexes[index]
        if (side, found.kind) not in self._declared:
            self.seen.add((side, found.kind, ""))
        objects = self._worlds[side].indexed(found, value)
        wants = self._narrow.get((side, found.kind))
        return [obj for obj in objects if covered(wants, obj)] if wants else objects

    def projected(self, projection: Projection[P]) -> P:
        """What the world keeps of a kind as a whole."""
        return self._worlds[projection.side].projected(projection)

    def resource(self, api_version: str, kind: str, side: Side = Side.HUB) -> Resource | None:
        """How the world serves a kind."""
        return self._worlds[side].catalog.resource(api_version, kind)

    def resource_named(self, api_version: str, plural: str, side: Side = Side.HUB) -> Resource | None:
        """The same by plural."""
        found = self._worlds[side].catalog.resources()
        return next((r for r in found if r.plural == plural and r.api_version == api_version), None)

    def require(self, wants: Iterable[Want], side: Side = Side.HUB) -> None:
        """Everything is known here."""


def covered(wants: Iterable[Want], obj: Object) -> bool:
    """Whether one of `wants` covers an object."""
    meta = obj["metadata"]
    own = Want(kind_of(obj), meta.get("namespace") or "", name=meta["name"])
    return any(want.covers(own) for want in wants)
