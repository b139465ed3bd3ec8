"""Which predicate of a placement a cluster meets now, or no longer, and which label, claim or text did it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.placement.fleet import claims_of
from gitops_ocm.decide.placement.schedule import Schedule
from gitops_ocm.decide.placement.selector import ClusterSelector
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.model import NOWHERE
from gitops_ocm.preview.origins import Origins

Reason = tuple[str, Location]
"""What is said, and where that is written."""
_MARKS = ("label", "claim")


@dataclass(frozen=True)
class PredicateTurn:
    """The clusters that turned by predicates of one placement."""

    ref: Ref
    origins: Origins

    def reason(
        self, refused: Object, taken: Object, no: Schedule, yes: Schedule | None, *, gained: bool
    ) -> Reason:
        """Why a cluster, as `refused` by one side and `taken` by the other, meets a predicate there alone."""
        number, selector = _met(yes, taken)
        which = f"predicate {number}" if number and len(_alternatives(yes)) > 1 else "the predicate"
        how = f"meets {which} now" if gained else f"no longer meets {which}"
        before, after = (refused, taken) if gained else (taken, refused)
        watched = list(_watched(no, yes))
        changed = [told for told in _changes(before, after) if told[:2] in watched]
        if changed:
            said = ", ".join(
                f"{what} {key}: {_value(old)} → {_value(new)}" for what, key, old, new in changed
            )
            keys = [key for what, key, _, _ in changed if what == "label"]
            return f"{said}, so it {how}", self._label(name_of(after), keys)
        return self._by_text(refused, no, selector, how, gained=gained)

    def _label(self, cluster: str, keys: list[str]) -> Location:
        """Where the first of these labels is written, if Git changed it."""
        sides = (self.origins.base, self.origins.head)
        ref = cluster_ref(cluster)
        for key in keys:
            was, now = (
                labels_of(side.objects[ref].obj).get(key) if ref in side.objects else None for side in sides
            )
            if was != now:
                return self.origins.of(ref, "metadata", "labels", key)
        return NOWHERE

    def _by_text(
        self, refused: Object, no: Schedule, selector: ClusterSelector | None, how: str, *, gained: bool
    ) -> Reason:
        """No label or claim that is asked for changed: the placement did, or an expression judges anew."""
        cause = self.origins.of(self.ref, "spec", "predicates")
        alternatives = tuple(no.predicates.alternatives) if no.predicates else ()
        asked = "; ".join(next((r for r in one.refusals(refused)), "") for one in alternatives)
        if gained and selector is None:
            return "the placement has no predicates any more", cause
        if self._unchanged():
            keys = [key for what, key, _, _ in self._marks(name_of(refused)) if what == "label"]
            return f"it {how}: {asked}", self._label(name_of(refused), keys)
        if gained:
            return f"the changed predicates take it in; before, {asked}", cause
        return f"the changed predicates leave it out: {asked}", cause

    def _marks(self, cluster: str) -> Iterator[tuple[str, str, str | None, str | None]]:
        """What Git changes of a cluster's labels."""
        ref = cluster_ref(cluster)
        if ref in self.origins.base.objects and ref in self.origins.head.objects:
            yield from _changes(self.origins.base.objects[ref].obj, self.origins.head.objects[ref].obj)

    def _unchanged(self) -> bool:
        sides = (self.origins.base, self.origins.head)
        asked = [
            (side.objects[self.ref].obj.get("spec") or {}).get("predicates")
            if self.ref in side.objects
            else None
            for side in sides
        ]
        return bool(asked[0] == asked[1])


def _alternatives(choice: Schedule | None) -> tuple[ClusterSelector, ...]:
    return tuple(choice.predicates.alternatives) if choice is not None and choice.predicates else ()


def _met(choice: Schedule | None, cluster: Object) -> tuple[int, ClusterSelector | None]:
    """The first predicate that a cluster meets, counted from 1."""
    for number, selector in enumerate(_alternatives(choice), 1):
        if selector.matches(cluster):
            return number, selector
    return 0, None


def _watched(*choices: Schedule | None) -> Iterator[tuple[str, str]]:
    """The labels and claims that predicates ask about."""
    for choice in choices:
        for one in _alternatives(choice):
            yield from (("label", r.key) for r in one.labels.requirements)
            yield from (("claim", r.key) for r in one.claims.requirements)


def _changes(old: Object, new: Object) -> Iterator[tuple[str, str, str | None, str | None]]:
    """The labels and claims in which a cluster differs."""
    for what, held in zip(_MARKS, (labels_of, claims_of), strict=True):
        was: Mapping[str, Any] = held(old)
        now: Mapping[str, Any] = held(new)
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                yield what, key, was.get(key), now.get(key)


def _value(value: str | None) -> str:
    return "none" if value is None else value or '""'
