"""The placement row: read the hub, schedule, write PlacementDecisions and the placement's status.

Readers of decisions use `decisions_of`; how a choice is made is `decide.placement.schedule`, what wakes the
row is `decide.placement.wakes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL, EXCLUSIVE_SELECTOR, LABEL_SELECTOR
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.placement import (
    DECISION_GROUP_INDEX_LABEL,
    DECISION_GROUP_NAME_LABEL,
    NO_BINDINGS,
    NO_INTERSECTION,
    PLACEMENT_LABEL,
    SCHEDULING_DISABLED_ANNOTATION,
    WRONGLY_CONFIGURED,
)
from gitops_ocm.decide.cluster_sets import bound_sets
from gitops_ocm.decide.contract import DONE, Apply, Create, Outcome, Result, View, Write
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, PLACEMENT, PLACEMENT_DECISION, PLACEMENT_SCORE
from gitops_ocm.decide.placement import events
from gitops_ocm.decide.placement.fleet import Bits, Fleet
from gitops_ocm.decide.placement.groups import Slice, slices
from gitops_ocm.decide.placement.schedule import Candidates, Schedule, schedule
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.decide.placement.scores import Ranking, Surroundings
from gitops_ocm.decide.placement.selector import requirements
from gitops_ocm.decide.placement.tally import Tally
from gitops_ocm.decide.placement.tally import clusters_in as clusters_in
from gitops_ocm.decide.projection import Projection
from gitops_ocm.decide.writes import (
    after_failure,
    annotations_of,
    conditions_of,
    delete,
    errors,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    report,
    seconds_until,
    uid_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.selectors import Requirement

VERSION = "cluster.open-cluster-management.io/v1beta1"

_MISTAKES = frozenset({NO_BINDINGS.reason, NO_INTERSECTION.reason, WRONGLY_CONFIGURED.reason})
"""Why nothing is selected where that is the placement's own fault, or its namespace's."""

FLEET = Projection(MANAGED_CLUSTER, Fleet)
TALLY = Projection(PLACEMENT_DECISION, Tally)
SCOREBOARD = Projection(PLACEMENT_SCORE, Scoreboard)


def decisions_of(view: View, namespace: str, placement: str) -> Sequence[Object]:
    """The PlacementDecisions of a placement, by name."""
    return view.list(PLACEMENT_DECISION, namespace, labels={PLACEMENT_LABEL: placement})


def members_of(fleet: Fleet, cluster_set: Mapping[str, object]) -> Bits:
    """The clusters in a set: `cluster_sets.is_member` for all of them at once."""
    spec = cluster_set.get("spec")
    selector = (spec.get("clusterSelector") if isinstance(spec, Mapping) else None) or {}
    match selector.get("selectorType") or EXCLUSIVE_SELECTOR:
        case kind if kind == EXCLUSIVE_SELECTOR:
            return fleet.labelled([Requirement(CLUSTER_SET_LABEL, "In", frozenset({name_of(cluster_set)}))])
        case kind if kind == LABEL_SELECTOR and selector.get("labelSelector") is not None:
            return fleet.labelled(requirements(selector["labelSelector"]))
    return 0


def survey(view: View, placement: Object, now: datetime) -> tuple[Candidates, Surroundings]:
    """What a placement is decided from, read from the hub."""
    namespace, name = namespace_of(placement), name_of(placement)
    bound = bound_sets(view, namespace)
    asked = (placement.get("spec") or {}).get("clusterSets") or [name_of(s) for s in bound]
    eligible = [s for s in bound if name_of(s) in asked]
    fleet, tally = view.projected(FLEET), view.projected(TALLY)
    clusters = 0
    for cluster_set in eligible:
        clusters |= members_of(fleet, cluster_set)
    candidates = Candidates(
        tuple(map(name_of, bound)), tuple(map(name_of, eligible)), fleet, clusters & ~fleet.deleting
    )
    around = Surroundings(
        now=now,
        elsewhere=tally.elsewhere(namespace, name),
        chosen=frozenset[str]().union(*tally.pages(namespace, name).values()),
        scoreboard=view.projected(SCOREBOARD),
    )
    return candidates, around


def is_paused(placement: Object) -> bool:
    """Whether its decisions are to stay as they are, whatever happens."""
    return is_deleting(placement) or annotations_of(placement).get(SCHEDULING_DISABLED_ANNOTATION) == "true"


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one Placement."""
    placement, tally = view.get(key), view.projected(TALLY)
    pages = tally.pages(key.namespace, key.name)
    if placement is None or is_paused(placement):
        tally.forget(key.namespace, key.name)
        return DONE
    choice = schedule(placement, *survey(view, placement, now))
    if choice.undecided:
        tally.forget(key.namespace, key.name)
        return Outcome(_complaint(placement, choice, now))
    wanted = slices(key.name, choice.groups or ())
    names = {*pages, *(piece.name for piece in wanted)}
    found = {name: view.get(Ref(*PLACEMENT_DECISION, key.namespace, name)) for name in names}
    live = {name: pd for name, pd in found.items() if pd is not None}
    ours = {name for name, pd in live.items() if labels_of(pd).get(PLACEMENT_LABEL) == key.name}
    told = _told(choice, wanted, pages)
    # The others see the choice at once, and no more of an earlier one.
    chosen = dict.fromkeys(ours, ()) | {piece.name: piece.clusters for piece in wanted}
    tally.decide(key.namespace, key.name, chosen)
    stamps = [stamp(placement, piece) for piece in wanted]
    due = [s for s in stamps if (have := live.get(name_of(s))) is None or not covers(s, have)]
    wake = seconds_until(choice.recheck, now) if choice.recheck else None

    def then(results: Sequence[Result]) -> Outcome:
        if faults := errors(results):
            tally.forget(key.namespace, key.name)
            return after_failure(faults)
        written = {name_of(r.obj): r.obj for r in results if r.obj is not None}
        retired = {name: live[name] for name in ours - {piece.name for piece in wanted}}
        return Outcome(
            (
                *(events.created(placement, written[n]) for s in due if (n := name_of(s)) not in live),
                *_fill(placement, told, wanted, {**live, **written}, pages),
                *_retire(placement, retired),
                *_status(placement, choice, wanted, now),
            ),
            requeue_after=wake,
        )

    if not due:
        return then(())
    stamped = (Apply(stamp) if name_of(stamp) in live else Create(stamp) for stamp in due)
    return Outcome(tuple(stamped), then=then)


@dataclass(frozen=True)
class _Told:
    """What events say of a decision: reckoned before it counts itself, and only where something changes."""

    ranking: Ranking
    warning: str = ""


def _told(choice: Schedule, wanted: Iterable[Slice], pages: Mapping[str, Sequence[str]]) -> _Told:
    if all(pages.get(piece.name) == piece.clusters for piece in wanted):
        return _Told(Ranking((), (), ()))
    ranking = choice.some_scores(events.MOST_TOLD)
    return _Told(ranking, ranking.warning)


def stamp(placement: Object, piece: Slice) -> Object:
    """A PlacementDecision without its status."""
    owner = {
        "apiVersion": VERSION,
        "kind": PLACEMENT.kind,
        "name": name_of(placement),
        "uid": uid_of(placement),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": VERSION,
        "kind": PLACEMENT_DECISION.kind,
        "metadata": {
            "name": piece.name,
            "namespace": namespace_of(placement),
            "labels": {
                PLACEMENT_LABEL: name_of(placement),
                DECISION_GROUP_INDEX_LABEL: str(piece.group.index),
                DECISION_GROUP_NAME_LABEL: piece.group.name,
            },
            "ownerReferences": [owner],
        },
    }


def safe_order(
    have: Mapping[str, Sequence[str]], want: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, list[str]]]:
    """In which order to write decisions so that no cluster that stays selected is ever in none.

    A decision loses a cluster only once another one that gains it is written. Where decisions wait for
    each other in a circle, one is written with its old and new clusters, and finished next time.
    """
    pending = sorted(n for n in want if n not in have or [*have[n]] != [*want[n]])
    if not pending:
        return
    held = {name: set(clusters) for name, clusters in have.items()}
    holders = Counter(cluster for clusters in held.values() for cluster in clusters)
    staying = {cluster for clusters in want.values() for cluster in clusters}
    losing = {n: (held.get(n, set()) - set(want[n])) & staying for n in pending}
    while pending:
        name = next((n for n in pending if all(holders[c] > 1 for c in losing[n])), None)
        if name is None:
            name = min(pending, key=lambda n: (len(held[n] | set(want[n])), n))
            clusters = sorted(held[name] | set(want[name]))
        else:
            clusters = list(want[name])
        pending.remove(name)
        holders.subtract(held.get(name, ()))
        holders.update(set(clusters))
        yield name, clusters


def _fill(
    placement: Object,
    told: _Told,
    wanted: Iterable[Slice],
    live: Mapping[str, Object],
    pages: Mapping[str, Sequence[str]],
) -> Iterator[Write]:
    """Write the clusters of decisions; one that never had any keeps having no status.

    The scores are told once, however many decisions they lead to.
    """
    want = {piece.name: piece.clusters for piece in wanted}
    have = {name: pages.get(name, ()) for name in live}
    for number, (name, clusters) in enumerate(safe_order(have, want)):
        decisions = [{"clusterName": cluster, "reason": ""} for cluster in clusters]
        yield from report(live[name], {"decisions": decisions})
        yield events.updated(placement, live[name], told.warning)
        if told.ranking.names and not number:
            yield events.scored(placement, live[name], told.ranking)


def _retire(placement: Object, retired: Mapping[str, Object]) -> Iterator[Write]:
    for name in sorted(retired):
        if writes := delete(retired[name]):
            yield from writes
            yield events.deleted(placement, retired[name])


def _status(placement: Object, choice: Schedule, wanted: Sequence[Slice], now: datetime) -> tuple[Write, ...]:
    held: Sequence[Mapping[str, object]] = conditions_of(placement)
    for judged in (choice.misconfigured, choice.satisfied):
        held = conditions.with_condition(held, **judged._asdict(), now=now)
    pages: dict[int, list[str]] = {}
    for piece in wanted:
        pages.setdefault(piece.group.index, []).append(piece.name)
    groups = [
        {
            "decisionGroupIndex": group.index,
            "decisionGroupName": group.name,
            "decisions": pages[group.index],
            "clusterCount": len(group.clusters),
        }
        for group in choice.groups or ()
    ]
    written = report(
        placement,
        {"numberOfSelectedClusters": len(choice.selected), "decisionGroups": groups, "conditions": held},
    )
    return (*written, *(events.mistake(placement, one) for one in _mistakes(placement, choice)))


def _complaint(placement: Object, choice: Schedule, now: datetime) -> tuple[Write, ...]:
    """What is said where nothing could be decided: all else stays."""
    wrong = choice.misconfigured
    held = conditions.with_condition(conditions_of(placement), **wrong._asdict(), now=now)
    mistakes = (m for m in _mistakes(placement, choice) if m.type == wrong.type)
    return (*report(placement, {"conditions": held}), *(events.mistake(placement, one) for one in mistakes))


def _mistakes(placement: Object, choice: Schedule) -> Iterator[KnownCondition]:
    """What somebody has to mend, if it was not told before."""
    for judged in (choice.misconfigured, choice.satisfied):
        told = conditions.find(conditions_of(placement), judged.type) or {}
        new = (told.get("reason"), told.get("message")) != (judged.reason, judged.message)
        if new and judged.reason in _MISTAKES:
            yield judged
