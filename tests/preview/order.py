"""In which order clusters are given what: as a preview's controllers wrote it, and as a hub was seen to do.

Waves are compared, not seconds: on a hub that is served controllers work at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import Delete
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.run import Tried
from tests.preview.truth import content_of, manifests_of

GIVEN = (MANIFEST_WORK, CLUSTER_ADDON)
"""What clusters are given."""
TOGETHER = 20.0
"""What is done within so many seconds counts as one wave: soaks that are drawn are a minute or none."""
Waves = Mapping[str, Sequence[frozenset[str]]]
"""By what is given (of whom, with which content): the clusters, wave by wave."""


@dataclass(frozen=True)
class Given:
    """A work or an add-on that was written; without `what` it was taken away."""

    at: datetime
    ref: Ref
    what: str = ""


@dataclass
class Hands:
    """What clusters hold. To lose something and to be given the same again at once is nothing."""

    held: dict[Ref, str]
    gone: dict[Ref, datetime] = field(default_factory=dict)
    given: dict[Ref, datetime] = field(default_factory=dict)

    def lose(self, ref: Ref, at: datetime) -> Given:
        """It was taken away."""
        self.gone[ref] = at
        return Given(at, ref)

    def get(self, ref: Ref, what: str, at: datetime) -> bool:
        """It was written; whether that is news."""
        left, since = self.gone.pop(ref, None), self.given.get(ref)
        news = self.held.get(ref) != what
        if left is not None and not news:
            # The same again: news after a while, or where it was not had for long before.
            news = _apart(left, at) or (since is not None and not _apart(since, left))
        if news:
            self.held[ref], self.given[ref] = what, at
        return news


def _apart(first: datetime, second: datetime) -> bool:
    return (second - first).total_seconds() > TOGETHER


def place_of(obj: Object) -> Ref:
    """What is given, by whose it is: a replica set's work may come back by another name."""
    ref = ref_of(obj)
    owner = (obj["metadata"].get("labels") or {}).get(REPLICA_SET_LABEL) if ref.of == MANIFEST_WORK else None
    return ref if owner is None else ref._replace(name=owner)


def written(tried: Tried, before: Mapping[Ref, Object]) -> Iterator[Given]:
    """What a preview's controllers wrote, where it was other than what was there.

    Of a work whose manifests it did not know, for no file has them, that is what was there `before`.
    """
    known = {ref: obj for ref, obj in tried.before.items() if ref.of != MANIFEST_WORK or manifests_of(obj)}
    there = {ref: obj for ref, obj in (dict(before) | known).items() if ref.of in GIVEN}
    hands = Hands({place_of(obj): content_of(obj) for obj in there.values()})
    places = {ref: place_of(obj) for ref, obj in there.items()}
    from_git = {change.ref for change in tried.plan if change.wanted is not None}
    # What went with its owner nobody deleted by a write: it is not known when.
    lasting = tried.after.keys() | {
        result.write.ref
        for step in tried.steps
        for result in step.results
        if isinstance(result.write, Delete)
    }
    for step in tried.steps:
        for result in step.results:
            write, obj = result.write, result.obj
            if isinstance(write, Delete) and result.ok:
                yield hands.lose(places.get(write.ref, write.ref), step.at)
            elif obj is not None and (ref := ref_of(obj)).of in GIVEN:
                place = places[ref] = place_of(obj)
                news = hands.get(place, content_of(obj), step.at)
                if news and ref not in from_git and ref in lasting:
                    yield Given(step.at, place, content_of(obj))


def waves(given: Iterable[Given]) -> dict[str, list[frozenset[str]]]:
    """Who was given each thing together, in order; a cluster counts once, when it was first given it.

    What was taken back or changed in the same moment does not count: controllers that work at the same time
    may come to that by another way.
    """
    moments: dict[str, dict[str, float]] = {}
    for each in _lasting(given):
        moments.setdefault(each.what, {}).setdefault(each.ref.namespace, each.at.timestamp())
    found = {}
    for what, clusters in moments.items():
        waves: list[set[str]] = []
        last = None
        for cluster, at in sorted(clusters.items(), key=lambda each: (each[1], each[0])):
            if last is None or at - last > TOGETHER:
                waves.append(set())
            waves[-1].add(cluster)
            last = at
        found[what] = [frozenset(wave) for wave in waves]
    return found


def _lasting(given: Iterable[Given]) -> Iterator[Given]:
    each = sorted(given, key=lambda one: one.at)
    for number, one in enumerate(each):
        later = (other for other in each[number + 1 :] if other.ref == one.ref and other.what != one.what)
        after = next(later, None)
        if one.what and (after is None or (after.at - one.at).total_seconds() > TOGETHER):
            yield one


def orders(said: Waves, came: Waves) -> list[str]:
    return [
        f"waves of {what}: said {_shown(said.get(what))}, came {_shown(came.get(what))}"
        for what in sorted({*said, *came})
        if said.get(what) != came.get(what)
    ]


def _shown(waves: Sequence[frozenset[str]] | None) -> str:
    return " then ".join(" ".join(sorted(wave)) for wave in waves) if waves else "nobody"
