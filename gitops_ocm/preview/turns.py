"""Why a placement takes a cluster now, or lets it go: what flipped, and whether that was changed in Git.

Both sides are decided anew by the scheduler itself (`decide.placement`), once for all clusters that turned.
The side that does not take a cluster says at which step it fell out; what differs there from the other side
is the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.placement.decisions import is_paused, survey
from gitops_ocm.decide.placement.filters import TAINTS
from gitops_ocm.decide.placement.fleet import Taint, taint_of, taints_of
from gitops_ocm.decide.placement.schedule import Schedule, schedule
from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.bound_sets import SetTurns
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.model import NOWHERE, Turn
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.predicates import PredicateTurn, Reason


class Look:
    """A placement's decision on one side; None where it is not there."""

    def __init__(self, moment: Moment, ref: Ref) -> None:
        self.moment = moment
        self.placement: Object | None = moment.objects.get(ref)

    @cached_property
    def choice(self) -> Schedule | None:
        """Decided anew from what there is."""
        if self.placement is None or is_deleting(self.placement):
            return None
        return schedule(self.placement, *survey(self.moment.view, self.placement, self.moment.at))

    def cluster(self, name: str) -> Object | None:
        """A cluster that is there to stay."""
        found = self.moment.clusters.get(name)
        return None if found is None or is_deleting(found) else found

    @cached_property
    def places(self) -> dict[str, int]:
        """Each cluster's place by score, from 1."""
        best = self.choice.ranking.best() if self.choice is not None else ()
        return {name: at for at, name in enumerate(best, 1)}

    @cached_property
    def totals(self) -> dict[str, int]:
        """Each cluster's score."""
        ranking = self.choice.ranking if self.choice is not None else None
        return dict(zip(ranking.names, ranking.totals, strict=True)) if ranking is not None else {}

    @property
    def number(self) -> int | None:
        """How many clusters are wanted."""
        found = ((self.placement or {}).get("spec") or {}).get("numberOfClusters")
        return int(found) if found is not None else None


@dataclass(frozen=True)
class Turns:
    """The clusters of one placement that turned."""

    hub: Hub
    ref: Ref
    origins: Origins

    @cached_property
    def before(self) -> Look:
        """Before the change."""
        return Look(self.hub.before, self.ref)

    @cached_property
    def after(self) -> Look:
        """After it."""
        return Look(self.hub.after, self.ref)

    def of(self, gained: Collection[str], lost: Collection[str]) -> Iterator[Turn]:
        """Each of them with its reason, by name."""
        for name in sorted({*gained, *lost}):
            why, cause = self._reason(name, gained=name in gained)
            yield Turn(name, name in gained, why, cause)

    def _reason(self, name: str, *, gained: bool) -> Reason:
        no, yes = (self.before, self.after) if gained else (self.after, self.before)
        if no.placement is None or is_deleting(no.placement):
            why = "the placement is new" if gained else "the placement is deleted"
            return why, self.origins.of(self.ref)
        if no.cluster(name) is None:
            return self._of_cluster(name, gained=gained)
        choice = no.choice
        if choice is None or is_paused(no.placement):
            return "scheduling is disabled: somebody else decides", self.origins.of(self.ref)
        fleet = choice.candidates.fleet
        bit = fleet.bit(name)
        if not bit & choice.candidates.clusters:
            return SetTurns(self.hub, self.ref, self.origins).reason(name, gained=gained)
        for step, passed in choice.passed:
            if not bit & passed:
                if step == TAINTS:
                    return self._of_taints(name, no, yes, gained=gained)
                return PredicateTurn(self.ref, self.origins).reason(
                    no.cluster(name) or {}, yes.cluster(name) or {}, choice, yes.choice, gained=gained
                )
        if not choice.scored:
            return choice.misconfigured.message, self.origins.of(self.ref, "spec")
        return self._of_scores(name, gained=gained)

    def _of_cluster(self, name: str, *, gained: bool) -> Reason:
        if gained:
            return "the cluster is new", self.origins.of(cluster_ref(name))
        leaving = self.hub.after.clusters.get(name) is not None
        why = "the cluster is being deleted" if leaving else "the cluster is deleted"
        return why, self.origins.of(cluster_ref(name))

    def _of_taints(self, name: str, no: Look, yes: Look, *, gained: bool) -> Reason:
        refused, refuser = no.cluster(name) or {}, no.choice
        held = {taint_of(wire) for wire in taints_of(yes.cluster(name) or {})}
        taints = list(_refused(refuser, refused)) if refuser is not None else []
        fresh = [taint for taint in taints if taint not in held]
        path = ("spec", "taints")
        if fresh:
            how = "is gone" if gained else "is added, and not tolerated"
            return f"{_named(fresh)} {how}", self.origins.of(cluster_ref(name), *path)
        how = "is tolerated now" if gained else "is no longer tolerated"
        same = _tolerations(no.placement) == _tolerations(yes.placement)
        return f"{_named(taints)} {how}", NOWHERE if same else self.origins.of(
            self.ref, "spec", "tolerations"
        )

    def _of_scores(self, name: str, *, gained: bool) -> Reason:
        was, now = self.before.number, self.after.number
        limit = self.origins.of(self.ref, "spec", "numberOfClusters")
        if was != now:
            told = [str(n) if n is not None else "all" for n in (was, now)]
            at = self.after.places.get(name) if now is not None else None
            place = f", it is in place {at}" if at is not None else ""
            return f"numberOfClusters: {told[0]} → {told[1]}{place}", limit
        scores = [look.totals.get(name) for look in (self.before, self.after)]
        places = [look.places.get(name) for look in (self.before, self.after)]
        score = f"score {_change(scores)}" if any(s is not None for s in scores) else "score"
        place = f"place {_change(places)} of {now} wanted" if any(places) else ""
        policies = [_policy(look.placement) for look in (self.before, self.after)]
        cause = (
            self.origins.of(self.ref, "spec", "prioritizerPolicy") if policies[0] != policies[1] else NOWHERE
        )
        return ", ".join(filter(None, (score, place))), cause


def _refused(choice: Schedule, cluster: Object) -> Iterator[Taint]:
    """The taints of a cluster that are not tolerated."""
    for wire in taints_of(cluster):
        alone = {**cluster, "spec": {"taints": [wire]}}
        if choice.tolerations is not None and any(choice.tolerations.left_out(alone)):
            yield taint_of(wire)


def _named(taints: Iterable[Taint]) -> str:
    told = (f"{t.key}{f'={t.value}' if t.value else ''}:{t.effect}" for t in taints)
    return f"taint {', '.join(told)}"


def _tolerations(placement: Object | None) -> object:
    return ((placement or {}).get("spec") or {}).get("tolerations") or []


def _policy(placement: Object | None) -> object:
    return ((placement or {}).get("spec") or {}).get("prioritizerPolicy")


def _change(values: Sequence[int | None]) -> str:
    """`83 → 40`, or `40` where it did not change."""
    told = list(dict.fromkeys(str(value) for value in values if value is not None))
    return " → ".join(told)
