"""Placements that come to select nobody, or far fewer, and those that are named and not there.

Told of placements that this change writes, that it cuts off (a binding or a set goes), or whose clusters turn
by it; a placement that selected nobody before and is not written to is passed over. Of a placement there is
one warning: the first of these that holds is the cause of the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.decide.cluster_sets import bound_sets
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, PLACEMENT
from gitops_ocm.decide.writes import conditions_of
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Ref, ref_of
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Act, Selection
from gitops_ocm.preview.warnings.case import (
    Case,
    called,
    cause_of,
    entries_of,
    few,
    many,
    names,
    path,
    placement_of,
    there,
    warning,
)

MOST = 0.5
"""A placement that lets more than this part of its clusters go is told of."""


def placements(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    yield from _named_and_missing(case)
    selections = {selection.ref: selection for selection in case.preview.selections}
    homes = {e.ref.namespace for e in case.of(CLUSTER_SET_BINDING, Act.DELETE)}
    sets_go = any(case.of(CLUSTER_SET, Act.DELETE))
    for obj in case.hub.after.by_kind.get(PLACEMENT, ()):
        ref = ref_of(obj)
        written = ref in case.changed
        if not (written or ref in selections or ref.namespace in homes or sets_go):
            continue
        if there(case.hub.after, ref) is not None:
            yield from _of(case, ref, selections.get(ref), written=written)


def _of(case: Case, ref: Ref, found: Selection | None, *, written: bool) -> Iterator[Diagnostic]:
    """The warning of one placement, if there is one."""
    bound, asked = _reach(case.hub.after, ref)
    had, wanted = _reach(case.hub.before, ref)
    if not bound & (asked or bound) and (written or had & (wanted or had)):
        if not _is_told(case, ref):
            yield _unbound(case, ref, asked, bound, lost=had - bound)
    elif not case.hub.after.decided.get(ref) and (written or (found is not None and found.before)):
        yield _empty(case, ref, found)
    elif found is not None and len(found.lost) > MOST * len(found.before) and (users := case.users.get(ref)):
        users_told = few({called(user) for user in users}, 3)
        yield warning(
            "placement-loses-most",
            f"{len(found.lost)} of the {many(len(found.before), 'cluster')} that it selected go: "
            f"{few(found.lost)}",
            _cause(case, found),
            ref,
            note=f"what they have of {users_told} is deleted there",
            hint="if they should keep it, leave them selected until another placement has them",
        )


def _is_told(case: Case, ref: Ref) -> bool:
    """Whether the commit's own checks tell already that what it asks for is not bound."""
    found = case.preview.diagnostics
    return any(d.code == "cluster-set-not-bound" and d.subject == str(ref) for d in found)


def _reach(moment: Moment, ref: Ref) -> tuple[frozenset[str], frozenset[str]]:
    """The sets bound to a placement's namespace, and those it asks for (none: all)."""
    spec = (moment.objects.get(ref) or {}).get("spec") or {}
    return names(bound_sets(moment.view, ref.namespace)), frozenset(spec.get("clusterSets") or ())


def _unbound(
    case: Case, ref: Ref, asked: frozenset[str], bound: frozenset[str], lost: frozenset[str]
) -> Diagnostic:
    home = ref.namespace
    if not bound:
        why = f"no cluster set is bound to its namespace {home}: it cannot select any cluster"
    else:
        why = f"none of its cluster sets ({few(asked)}) is bound to its namespace {home}, only {few(bound)}"
    name = min(lost & asked or lost or asked, default="NAME")
    gone = Ref(*CLUSTER_SET_BINDING, home, name)
    field = ("spec", "clusterSets") if asked else ()
    where = case.origins.of(gone) if gone in case.changed else case.origins.of(ref, *field)
    hint = f"bind one: gitops-ocm clusterset bind {name} --namespace {home}"
    return warning("placement-unbound", why, where, ref, hint=hint)


def _empty(case: Case, ref: Ref, found: Selection | None) -> Diagnostic:
    obj = case.hub.after.objects.get(ref) or {}
    told = find(conditions_of(obj), "PlacementSatisfied") or {}
    why = str(told.get("message") or "") if told.get("status") == "False" else ""
    before = f"; before, it selected {few(found.before)}" if found is not None and found.before else ""
    users = case.users.get(ref, ())
    note = f"{few({called(user) for user in users}, 3)} would be on no cluster by it" if users else ""
    return warning(
        "placement-selects-nothing",
        f"it selects no cluster{f': {why}' if why else ''}{before}",
        _cause(case, found) if found is not None else case.origins.of(ref),
        ref,
        note=note,
        hint=f"gitops-ocm explain placement {path(ref)} tells why each cluster is left out",
    )


def _cause(case: Case, found: Selection) -> Location:
    """The line that lets its clusters go: one of its own where it is written to, else theirs."""
    causes = [turn.cause for turn in found.turns if not turn.gained]
    return cause_of(causes, case.origins.of(found.ref))


# --- placements that are named and not there ---------------------------------------------------------


def _named_and_missing(case: Case) -> Iterator[Diagnostic]:
    """Told where the owner is written to, or the placement goes."""
    for owner, entry in entries_of(case.hub.after):
        ref = placement_of(owner, entry)
        goes = ref in case.changed
        if there(case.hub.after, ref) is not None or not (goes or owner in case.changed):
            continue
        where = case.origins.of(ref) if goes else case.where_named(owner, ref)
        what = "is deleted, and" if goes else "does not exist, and"
        yield warning(
            "placement-missing",
            f"Placement {path(ref)} {what} {called(owner)} names it",
            where,
            owner,
            note=_kept(case, owner),
            hint=f"name another placement, or keep {path(ref)}",
        )


def _kept(case: Case, owner: Ref) -> str:
    """What becomes of what is on clusters already, as the preview has found."""
    gone = [
        cluster.name
        for cluster in case.preview.clusters
        for effect in cluster.effects
        if effect.owner == owner and effect.act is Act.DELETE
    ]
    if gone:
        return f"it is taken off {few(set(gone))}"
    return "clusters that have it keep it as it is, and get no more of its changes"
