"""The placement row: read the hub, schedule, write PlacementDecisions and the placement's status.

Readers of decisions use `decided`; how a choice is made is `decide.placement.schedule`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gitops_ocm.api.placement import (
    DECISION_GROUP_INDEX_LABEL,
    DECISION_GROUP_NAME_LABEL,
    PLACEMENT_LABEL,
    SCHEDULING_DISABLED_ANNOTATION,
)
from gitops_ocm.decide.cluster_sets import bound_sets, members, sets_of
from gitops_ocm.decide.contract import DONE, Apply, Outcome, Result, View, Write
from gitops_ocm.decide.kinds import (
    CLUSTER_SET_BINDING,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
    cluster_ref,
)
from gitops_ocm.decide.placement import events
from gitops_ocm.decide.placement.groups import Slice, slices
from gitops_ocm.decide.placement.schedule import Candidates, Schedule, schedule
from gitops_ocm.decide.placement.scores import Surroundings, counts_elsewhere
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
    status_of,
    uid_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object, Ref

VERSION = "cluster.open-cluster-management.io/v1beta1"


def decisions_of(view: View, namespace: str, placement: str) -> Sequence[Object]:
    """The PlacementDecisions of a placement, by name."""
    return view.list(PLACEMENT_DECISION, namespace, labels={PLACEMENT_LABEL: placement})


def clusters_in(decision: Mapping[str, object]) -> list[str]:
    """The clusters one PlacementDecision names; it may have no status yet."""
    return [d["clusterName"] for d in status_of(decision).get("decisions") or ()]


def decided(view: View, namespace: str, placement: str) -> list[str]:
    """All clusters a placement has decided for, by name: the union, for they move between decisions."""
    found = decisions_of(view, namespace, placement)
    return sorted({name for decision in found for name in clusters_in(decision)})


def survey(view: View, placement: Object, now: datetime) -> tuple[Candidates, Surroundings]:
    """What a placement is decided from, read from the hub."""
    namespace, name = namespace_of(placement), name_of(placement)
    bound = bound_sets(view, namespace)
    asked = (placement.get("spec") or {}).get("clusterSets") or [name_of(s) for s in bound]
    eligible = [s for s in bound if name_of(s) in asked]
    found = {name_of(c): c for s in eligible for c in members(view, s) if not is_deleting(c)}
    everyone = view.list(PLACEMENT_DECISION)
    own = [
        pd for pd in everyone if namespace_of(pd) == namespace and labels_of(pd).get(PLACEMENT_LABEL) == name
    ]
    mine = {name_of(pd) for pd in own}
    others = [pd for pd in everyone if not (namespace_of(pd) == namespace and name_of(pd) in mine)]
    candidates = Candidates(
        tuple(map(name_of, bound)), tuple(map(name_of, eligible)), tuple(found[n] for n in sorted(found))
    )
    around = Surroundings(
        elsewhere=counts_elsewhere(others),
        chosen=frozenset(cluster for pd in own for cluster in clusters_in(pd)),
        score_object=lambda cluster, resource: view.get(Ref(*PLACEMENT_SCORE, cluster, resource)),
        now=now,
    )
    return candidates, around


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one Placement."""
    placement = view.get(key)
    if (
        placement is None
        or is_deleting(placement)
        or annotations_of(placement).get(SCHEDULING_DISABLED_ANNOTATION) == "true"
    ):
        return DONE
    choice = schedule(placement, *survey(view, placement, now))
    wanted = slices(key.name, choice.groups or ())
    live = {name_of(pd): pd for pd in decisions_of(view, key.namespace, key.name)}
    stamps = [_stamp(placement, piece) for piece in wanted]
    due = [s for s in stamps if (have := live.get(name_of(s))) is None or not covers(s, have)]
    wake = seconds_until(choice.recheck, now) if choice.recheck else None

    def then(results: Sequence[Result]) -> Outcome:
        if faults := errors(results):
            return after_failure(faults)
        written = {name_of(r.obj): r.obj for r in results if r.obj is not None}
        return Outcome(
            (
                *(events.created(placement, name_of(s)) for s in due if name_of(s) not in live),
                *_fill(placement, choice, wanted, {**live, **written}),
                *_retire(placement, live, {piece.name for piece in wanted}),
                *_status(placement, choice, wanted, now),
            ),
            requeue_after=wake,
            notes=tuple(f"{cluster}: {why}" for cluster, why in sorted(choice.dropped.items())),
        )

    if not due:
        return then(())
    return Outcome(tuple(Apply(stamp) for stamp in due), then=then)


def _stamp(placement: Object, piece: Slice) -> Object:
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
    holding = {name: set(clusters) for name, clusters in have.items()}
    staying = {cluster for clusters in want.values() for cluster in clusters}
    pending = sorted(n for n in want if n not in have or list(have[n]) != list(want[n]))

    def free(name: str) -> bool:
        elsewhere = {c for other, held in holding.items() if other != name for c in held}
        return not (holding.get(name, set()) - set(want[name])) & staying - elsewhere

    while pending:
        name = next((n for n in pending if free(n)), None)
        if name is None:
            name = min(pending, key=lambda n: (len(holding[n] | set(want[n])), n))
            clusters = sorted(holding[name] | set(want[name]))
        else:
            clusters = list(want[name])
        pending.remove(name)
        holding[name] = set(clusters)
        yield name, clusters


def _fill(
    placement: Object, choice: Schedule, wanted: Iterable[Slice], live: Mapping[str, Object]
) -> Iterator[Write]:
    """Write the clusters of decisions; one that never had any keeps having no status."""
    want = {piece.name: list(piece.clusters) for piece in wanted}
    have = {name: clusters_in(pd) for name, pd in live.items()}
    for name, clusters in safe_order(have, want):
        decisions = [{"clusterName": cluster, "reason": ""} for cluster in clusters]
        yield from report(live[name], {"decisions": decisions})
        yield events.updated(placement, name)
        if choice.scores:
            yield events.scored(placement, choice.scores)


def _retire(placement: Object, live: Mapping[str, Object], wanted: set[str]) -> Iterator[Write]:
    for name in sorted(live.keys() - wanted):
        if writes := delete(live[name]):
            yield from writes
            yield events.deleted(placement, name)


def _status(placement: Object, choice: Schedule, wanted: Sequence[Slice], now: datetime) -> tuple[Write, ...]:
    held: Sequence[Mapping[str, object]] = conditions_of(placement)
    for judged in (choice.misconfigured, choice.satisfied):
        held = conditions.with_condition(held, **judged._asdict(), now=now)
    groups = [
        {
            "decisionGroupIndex": group.index,
            "decisionGroupName": group.name,
            "decisions": [piece.name for piece in wanted if piece.group == group],
            "clusterCount": len(group.clusters),
        }
        for group in choice.groups or ()
    ]
    return report(
        placement,
        {"numberOfSelectedClusters": len(choice.selected), "decisionGroups": groups, "conditions": held},
    )


# --- what wakes the row -----------------------------------------------------------------------------


def of_decision(view: View, decision: Object) -> Iterable[Ref]:
    """The placement a PlacementDecision belongs to."""
    name = labels_of(decision).get(PLACEMENT_LABEL)
    return (Ref(*PLACEMENT, namespace_of(decision), name),) if name else ()


def _of_namespaces(view: View, namespaces: Iterable[str]) -> list[Ref]:
    return [
        Ref(*PLACEMENT, namespace, name_of(p))
        for namespace in sorted(set(namespaces))
        for p in view.list(PLACEMENT, namespace)
    ]


def of_binding(view: View, binding: Object) -> Iterable[Ref]:
    """All placements of the binding's namespace: any of them may have to word its status anew."""
    return _of_namespaces(view, [namespace_of(binding)])


def of_set(view: View, cluster_set: Object) -> Iterable[Ref]:
    """All placements of the namespaces the set is bound to."""
    name = name_of(cluster_set)
    bindings = view.list(CLUSTER_SET_BINDING)
    return _of_namespaces(view, (namespace_of(b) for b in bindings if name_of(b) == name))


def of_cluster(view: View, cluster: Object) -> Iterable[Ref]:
    """The placements that may choose a cluster: through its sets and their bindings."""
    sets = {name_of(s) for s in sets_of(view, cluster)}
    spaces = {namespace_of(b) for b in view.list(CLUSTER_SET_BINDING) if name_of(b) in sets}
    found: list[Ref] = []
    for namespace in sorted(spaces):
        for placement in view.list(PLACEMENT, namespace):
            asked = (placement.get("spec") or {}).get("clusterSets")
            if not asked or sets.intersection(asked):
                found.append(Ref(*PLACEMENT, namespace, name_of(placement)))
    return found


def of_score(view: View, score: Object) -> Iterable[Ref]:
    """The placements that weigh a score and may choose the cluster it is about."""
    cluster = view.get(cluster_ref(namespace_of(score)))
    if cluster is None:
        return ()
    return [key for key in of_cluster(view, cluster) if _weighs(view.get(key), name_of(score))]


def _weighs(placement: Object | None, resource: str) -> bool:
    policy = ((placement or {}).get("spec") or {}).get("prioritizerPolicy") or {}
    entries = policy.get("configurations") or ()
    addons = ((e.get("scoreCoordinate") or {}).get("addOn") or {} for e in entries)
    return any(addon.get("resourceName") == resource for addon in addons)
