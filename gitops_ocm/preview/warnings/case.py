"""A change as the checks look at it: what came of trying it, and what was found out of that already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitops_ocm.decide.addons.management import placement_entries
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.kinds import MANAGEMENT_ADDON, PLACEMENT, REPLICA_SET
from gitops_ocm.decide.writes import is_deleting, name_of
from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.model import Act, Effect, Preview
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.presence import silent
from gitops_ocm.preview.run import Tried
from gitops_ocm.preview.state import FleetState

FEW = 6
_ACTS = (Act.CREATE, Act.CHANGE, Act.DELETE)


@dataclass(frozen=True)
class Case:
    """A preview without its warnings, and what it was made of."""

    preview: Preview
    tried: Tried
    hub: Hub
    origins: Origins
    state: FleetState

    @cached_property
    def changed(self) -> Mapping[Ref, Effect]:
        """The objects that this change makes, changes or deletes.

        A file that moves changes nothing, nor does what the hub has not got yet of the base.
        """
        return {e.ref: e for e in self.preview.effects if e.act in _ACTS and not self._is_due(e)}

    def _is_due(self, effect: Effect) -> bool:
        """Whether it is to be made for the base has it already, and the hub has not."""
        was, now = (side.objects.get(effect.ref) for side in (self.origins.base, self.origins.head))
        return was is not None and now is not None and was.digest == now.digest

    def of(self, kind: Kind, *acts: Act) -> Iterator[Effect]:
        """Those of a kind to which this is done, in order."""
        return (e for ref, e in self.changed.items() if ref.of == kind and e.act in acts)

    @cached_property
    def silent(self) -> frozenset[str]:
        """The clusters that do not answer, as the account tells; what is only assumed is no warning."""
        return silent(self.state)

    @cached_property
    def users(self) -> Mapping[Ref, Sequence[Ref]]:
        """The replica sets and add-ons that spread by each placement, after the change."""
        found: dict[Ref, list[Ref]] = {}
        for owner, entry in entries_of(self.hub.after):
            found.setdefault(placement_of(owner, entry), []).append(owner)
        return found

    def where_named(self, owner: Ref, placement: Ref) -> Location:
        """Where a replica set or an add-on says what it says of a placement."""
        replicas = owner.of == REPLICA_SET
        at = ("spec", "placementRefs") if replicas else ("spec", "installStrategy", "placements")
        entries = get(self.hub.after.objects.get(owner) or {}, *at, default=None) or ()
        for index, entry in enumerate(entries):
            if placement_of(owner, entry) == placement:
                return self.origins.of(owner, *at, index)
        return self.origins.of(owner)

    @cached_property
    def unplaced(self) -> frozenset[Ref]:
        """The replica sets and add-ons that name a placement that is not there after the change."""
        named = ((owner, placement_of(owner, entry)) for owner, entry in entries_of(self.hub.after))
        return frozenset(owner for owner, ref in named if there(self.hub.after, ref) is None)


def there(moment: Moment, ref: Ref) -> Object | None:
    """An object that is there to stay."""
    found = moment.objects.get(ref)
    return None if found is None or is_deleting(found) else found


def entries_of(moment: Moment) -> Iterator[tuple[Ref, Mapping[str, object]]]:
    """What replica sets and add-ons say of each placement that they name."""
    for kind in (MANAGEMENT_ADDON, REPLICA_SET):
        for obj in moment.by_kind.get(kind, ()):
            if is_deleting(obj):
                continue
            spec = obj.get("spec") or {}
            found = placement_entries(at_beta(obj)) if kind == MANAGEMENT_ADDON else spec.get("placementRefs")
            for entry in found or ():
                yield ref_of(obj), entry


def placement_of(owner: Ref, entry: Mapping[str, object]) -> Ref:
    """The placement that an entry names; a replica set's is in its own namespace."""
    namespace = entry.get("namespace") if owner.of == MANAGEMENT_ADDON else owner.namespace
    return Ref(*PLACEMENT, str(namespace or ""), str(entry.get("name") or ""))


# --- words ------------------------------------------------------------------------------------------


def warning(
    code: str, message: str, where: Location, subject: Ref | None = None, *, note: str = "", hint: str = ""
) -> Diagnostic:
    """A warning at a place in Git."""
    told = str(subject) if subject is not None else ""
    return Diagnostic(code, message, where, told, note, hint, Severity.WARNING)


def few(names: Collection[str], most: int = FEW) -> str:
    """A few names, sorted, and how many there are beside."""
    shown = sorted(names)
    text = ", ".join(shown[:most])
    return text if len(shown) <= most + 1 else f"{text} and {len(shown) - most:,} more"


def many(number: int, what: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def called(ref: Ref) -> str:
    """`Placement apps/prod`."""
    return f"{ref.kind} {path(ref)}"


def path(ref: Ref) -> str:
    """`apps/prod`, or `prod` for what is in no namespace."""
    return f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name


def cause_of(places: Iterable[Location], otherwise: Location) -> Location:
    """The line that most of these name, the first of them; `otherwise` where they name none."""
    known = [place for place in places if place.path]
    if not known:
        return otherwise
    counted = Counter(known)
    most = max(counted.values())
    return next(place for place in known if counted[place] == most)


def on(moment: Moment, kind: Kind) -> Mapping[str, Sequence[Object]]:
    """The objects of a kind by their namespace: what is meant for each cluster."""
    found: dict[str, list[Object]] = {}
    for obj in moment.by_kind.get(kind, ()):
        found.setdefault(obj["metadata"].get("namespace") or "", []).append(obj)
    return found


def names(objects: Iterable[Object]) -> frozenset[str]:
    """What they are called."""
    return frozenset(map(name_of, objects))
