"""How often each cluster has been chosen, by all PlacementDecisions of a hub.

A projection (`decide.contract`) of the PlacementDecisions. What this process has decided counts from the
moment it is decided: several placements are written at once, and each is to see what the others chose
although the API has not told of it yet. Scores are made of it by `scores`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.decide.writes import labels_of, name_of, namespace_of, status_of
from gitops_ocm.objects.ref import Object

Page = tuple[str, str]
"""Namespace and name of a PlacementDecision."""
Clusters = tuple[str, ...]


def clusters_in(decision: Mapping[str, object]) -> list[str]:
    """The clusters one PlacementDecision names; it may have no status yet."""
    return [d["clusterName"] for d in status_of(decision).get("decisions") or ()]


@dataclass(frozen=True)
class Elsewhere:
    """How often clusters are chosen by others: `counts` of everybody without those of one's own `pages`."""

    counts: Mapping[str, int] = field(default_factory=dict)
    pages: tuple[Clusters, ...] = ()

    @cached_property
    def own(self) -> Mapping[str, int]:
        """How often one chooses clusters oneself."""
        return Counter(chain.from_iterable(self.pages))

    def of(self, cluster: str) -> int:
        """How many decisions of others name a cluster."""
        return self.counts.get(cluster, 0) - self.own.get(cluster, 0)

    @cached_property
    def most(self) -> int:
        """The count of the cluster that is chosen most."""
        top = max(self.counts.values(), default=0)
        if not self.own or any(n == top and c not in self.own for c, n in self.counts.items()):
            return top
        return max(self.of(cluster) for cluster in self.counts)


class Tally:
    """The decisions of a hub, counted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._seen: dict[Page, Clusters] = {}
        self._decided: dict[Page, Clusters] = {}
        self._pages: defaultdict[Page, dict[str, Clusters]] = defaultdict(dict)
        self._deciding: defaultdict[Page, set[Page]] = defaultdict(set)

    def change(self, old: Object | None, new: Object | None) -> None:
        """A PlacementDecision came, changed or went."""
        obj = new if new is not None else old
        assert obj is not None
        page = (namespace_of(obj), name_of(obj))
        before = self._decided.get(page, self._seen.get(page, ()))
        if old is not None and (pages := self._pages.get(self._owner(old))) is not None:
            pages.pop(page[1], None)
            if not pages:
                del self._pages[self._owner(old)]
        if new is None:
            self._seen.pop(page, None)
        else:
            self._seen[page] = self._pages[self._owner(new)][page[1]] = tuple(clusters_in(new))
        if new is None or self._decided.get(page) == self._seen[page]:
            self._decided.pop(page, None)
        self._recount(before, self._decided.get(page, self._seen.get(page, ())))

    @staticmethod
    def _owner(decision: Object) -> Page:
        return namespace_of(decision), labels_of(decision).get(PLACEMENT_LABEL, "")

    def pages(self, namespace: str, placement: str) -> Mapping[str, Clusters]:
        """What the API tells of a placement's decisions: their clusters by their names."""
        return self._pages.get((namespace, placement), {})

    def elsewhere(self, namespace: str, placement: str) -> Elsewhere:
        """What all other placements have chosen."""
        pages = self.pages(namespace, placement).items()
        return Elsewhere(self.counts, tuple(self._decided.get((namespace, n), c) for n, c in pages))

    def decide(self, namespace: str, placement: str, decided: Mapping[str, Clusters]) -> None:
        """Count what is about to be written, by the names of the decisions, as if it were written."""
        self.forget(namespace, placement)
        for name, clusters in decided.items():
            page = (namespace, name)
            seen = self._seen.get(page, ())
            if clusters != seen:
                self._decided[page] = clusters
                self._deciding[namespace, placement].add(page)
                self._recount(seen, clusters)

    def forget(self, namespace: str, placement: str) -> None:
        """Count again only what the API tells of a placement."""
        for page in self._deciding.pop((namespace, placement), ()):
            if (before := self._decided.pop(page, None)) is not None:
                self._recount(before, self._seen.get(page, ()))

    def _recount(self, before: Clusters, after: Clusters) -> None:
        if before == after:
            return
        self.counts.update(after)
        self.counts.subtract(before)
        for cluster in before:
            if not self.counts[cluster]:
                del self.counts[cluster]
