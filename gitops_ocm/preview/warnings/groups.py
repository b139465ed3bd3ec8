"""Decision groups that do not come out as meant: one that is empty, two that want the same cluster, none.

Told where this change makes it so: a group (or the rollout that names it) is written to, or clusters of the
placement turn or are written to. Clusters in no group are told of where there are several, as where one group
is a canary all others are meant to be in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gitops_ocm.decide.addons.selection import choice
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, PLACEMENT, cluster_ref
from gitops_ocm.decide.placement.decisions import FLEET
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.groups import named_groups
from gitops_ocm.decide.rollout import RolloutError
from gitops_ocm.decide.rollout.groups import groups_of
from gitops_ocm.decide.rollout.limits import first_groups, limits_of
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.ref import Ref, ref_of
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.warnings.case import (
    Case,
    entries_of,
    few,
    path,
    placement_of,
    there,
    warning,
)

_AT = ("spec", "decisionStrategy", "groupStrategy", "decisionGroups")


def groups(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    told: set[tuple[Ref, str]] = set()
    yield from _mandatory(case, told)
    turned = {selection.ref for selection in case.preview.selections}
    relabelled = {effect.ref.name for effect in case.of(MANAGED_CLUSTER, Act.CHANGE)}
    for obj in case.hub.after.by_kind.get(PLACEMENT, ()):
        ref = ref_of(obj)
        strategy = (obj.get("spec") or {}).get("decisionStrategy") or {}
        touched = ref in turned or ref in case.changed
        touched = touched or not relabelled.isdisjoint(case.hub.after.decided.get(ref, ()))
        if touched and (strategy.get("groupStrategy") or {}).get("decisionGroups"):
            yield from _of_placement(case, ref, told)


# --- groups that are to come first ------------------------------------------------------------------


def _mandatory(case: Case, told: set[tuple[Ref, str]]) -> Iterator[Diagnostic]:
    before = {(owner, placement_of(owner, entry)): entry for owner, entry in entries_of(case.hub.before)}
    for owner, entry in entries_of(case.hub.after):
        ref = placement_of(owner, entry)
        missing = _without_clusters(case.hub.after, ref, entry)
        if not missing:
            continue
        same = owner not in case.changed and before.get((owner, ref)) is not None
        was = _without_clusters(case.hub.before, ref, before[owner, ref]) if same else ()
        for name in missing:
            if name in was:
                continue
            told.add((ref, name))
            yield warning(
                "canary-group-empty",
                f"decision group {name} of Placement {path(ref)} is to come first, and no cluster is in it: "
                "the rollout begins with everybody else",
                _cause(case, owner, ref, name),
                owner,
                hint=f"label a cluster so that it is in {name}, or name another group under "
                "mandatoryDecisionGroups",
            )


def _cause(case: Case, owner: Ref, ref: Ref, name: str) -> Location:
    """Where it is written that nobody is in a group: in the rollout, the placement, or a cluster."""
    if owner in case.changed:
        return case.where_named(owner, ref)
    if ref in case.changed:
        return case.origins.of(ref, *_AT)
    left = sorted(_Cut.of(case.hub.before, ref).named.get(name, ()))
    places = (
        case.origins.of(cluster_ref(c), "metadata", "labels") for c in left if cluster_ref(c) in case.changed
    )
    return next(places, case.origins.of(owner))


def _without_clusters(moment: Moment, ref: Ref, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups that an entry wants first and that have no cluster, where the placement has any at all."""
    try:
        limits = limits_of(entry.get("rolloutStrategy"))
        if not limits.mandatory:
            return ()
        chosen = choice(moment.view, ref.namespace, ref.name)
        first, unknown = first_groups(limits, groups_of(chosen.decisions, chosen.placement))
    except RolloutError:
        return ()
    if not chosen.clusters:
        return ()
    return (*(g.name or str(g.index) for g in first if not g.clusters), *unknown)


# --- groups of a placement --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cut:
    """The clusters that match each named group of a placement, whatever group has them, and the rest."""

    named: Mapping[str, frozenset[str]]
    rest: frozenset[str]

    @classmethod
    def of(cls, moment: Moment, ref: Ref) -> _Cut:
        obj, selected = there(moment, ref), moment.decided.get(ref, frozenset())
        strategy = ((obj or {}).get("spec") or {}).get("decisionStrategy")
        fleet = moment.view.projected(FLEET)
        bits = fleet.bits(selected & moment.clusters.keys())
        try:
            named = {
                name: frozenset(fleet.names(selector.among(fleet, bits)))
                for name, selector in named_groups(strategy)
            }
        except Misconfigured:
            return cls({}, frozenset())
        return cls(named, selected.difference(*named.values()))


def _of_placement(case: Case, ref: Ref, told: set[tuple[Ref, str]]) -> Iterator[Diagnostic]:
    before, after = _Cut.of(case.hub.before, ref), _Cut.of(case.hub.after, ref)
    if not case.hub.after.decided.get(ref):
        return  # it selects nobody: that is told
    for at, (name, clusters) in enumerate(after.named.items()):
        if not clusters and (ref, name) not in told and before.named.get(name, frozenset("?")):
            had = before.named.get(name)
            was = f"; before, {few(had)} {'was' if len(had) == 1 else 'were'}" if had else ""
            yield warning(
                "decision-group-empty",
                f"no selected cluster is in its decision group {name}{was}",
                case.origins.of(ref, *_AT, at),
                ref,
                hint="correct the group's selector, or the clusters' labels",
            )
    yield from _overlaps(case, ref, before, after)
    if len(after.named) > 1 and (out := after.rest - (before.rest if len(before.named) > 1 else frozenset())):
        yield warning(
            "clusters-in-no-group",
            f"{few(out)} {'is' if len(out) == 1 else 'are'} in none of its decision groups "
            f"({few(after.named)}): {'it comes' if len(out) == 1 else 'they come'} after all of them",
            case.origins.of(ref, *_AT),
            ref,
            hint="add a group that takes what is left, or label them",
        )


def _overlaps(case: Case, ref: Ref, before: _Cut, after: _Cut) -> Iterator[Diagnostic]:
    for first, second in combinations(after.named, 2):
        both = after.named[first] & after.named[second]
        was = before.named.get(first, frozenset()) & before.named.get(second, frozenset())
        if fresh := both - was:
            yield warning(
                "decision-groups-overlap",
                f"{few(fresh)} {'matches' if len(fresh) == 1 else 'match'} its decision groups {first} and "
                f"{second}: the first one has {'it' if len(fresh) == 1 else 'them'}",
                case.origins.of(ref, *_AT, list(after.named).index(second)),
                ref,
                hint=f"let the selector of {second} leave out what group {first} takes",
            )
