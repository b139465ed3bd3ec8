"""Cluster sets: bindings that bind nothing, sets that go with clusters in them, clusters that leave a set.

Told of bindings and sets that this change writes or takes away, and of clusters it moves where a placement
lets them go by that, or the set they are put into does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.cluster_sets import members
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, MANAGED_CLUSTER
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.warnings.case import Case, few, many, path, there, warning


def cluster_sets(case: Case) -> Iterator[Diagnostic]:
    """All of them."""
    yield from _bindings(case)
    yield from _deleted(case)
    yield from _moved(case)


def _bindings(case: Case) -> Iterator[Diagnostic]:
    view = case.hub.after.view
    for effect in case.of(CLUSTER_SET_BINDING, Act.CREATE, Act.CHANGE):
        ref, cluster_set = effect.ref, there(case.hub.after, Ref(*CLUSTER_SET, "", effect.ref.name))
        if cluster_set is None:
            yield warning(
                "binding-without-set",
                f"it binds the cluster set {ref.name}, which does not exist",
                case.origins.of(ref, "spec", "clusterSet"),
                ref,
                hint=f"declare a ManagedClusterSet {ref.name}, or bind another one",
            )
        elif not members(view, cluster_set):
            yield warning(
                "binding-of-empty-set",
                f"it binds the cluster set {ref.name}, which has no cluster",
                case.origins.of(ref),
                ref,
                hint=f"clusters are put into it by the label {CLUSTER_SET_LABEL}: {ref.name}",
            )


def _deleted(case: Case) -> Iterator[Diagnostic]:
    """A set that goes while clusters are in it, or while it is bound."""
    for effect in case.of(CLUSTER_SET, Act.DELETE):
        name, old = effect.ref.name, case.hub.before.objects.get(effect.ref)
        if there(case.hub.after, effect.ref) is not None:
            continue  # the hub has made it again
        left = members(case.hub.after.view, old) if old is not None else []
        bound = [b for b in case.hub.after.by_kind.get(CLUSTER_SET_BINDING, ()) if name_of(b) == name]
        if left:
            let_go = _letting_go(case, {name_of(cluster) for cluster in left})
            yield warning(
                "cluster-set-deleted",
                f"the cluster set goes while {many(len(left), 'cluster')} "
                f"{'is' if len(left) == 1 else 'are'} in it: {few({name_of(c) for c in left})}",
                effect.origin,
                effect.ref,
                note=f"{few(let_go)} let clusters go by this" if let_go else "",
                hint="put the clusters into another set first",
            )
        elif bound:
            homes = {str(b["metadata"].get("namespace")) for b in bound}
            yield warning(
                "binding-without-set",
                f"the cluster set goes while it is bound to {few(homes)}",
                effect.origin,
                effect.ref,
                hint="take its ManagedClusterSetBindings out of Git, too",
            )


def _moved(case: Case) -> Iterator[Diagnostic]:
    """Clusters by the sets they leave, and the one that they are put into."""
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for effect in case.of(MANAGED_CLUSTER, Act.CHANGE):
        name = effect.ref.name
        before, after = (moment.sets.get(name, ()) for moment in (case.hub.before, case.hub.after))
        was, to = (_label(moment, name) for moment in (case.hub.before, case.hub.after))
        to = to if to != was else ""
        gone = tuple(s for s in before if s not in after and there(case.hub.after, _set(s)) is not None)
        if gone or (to and there(case.hub.after, _set(to)) is None):
            found.setdefault((gone, to), []).append(name)
    for (gone, to), clusters in found.items():
        yield from _of_move(case, gone, to, clusters)


def _of_move(case: Case, gone: tuple[str, ...], to: str, clusters: list[str]) -> Iterator[Diagnostic]:
    ref = Ref(*MANAGED_CLUSTER, "", min(clusters))
    where = case.origins.of(ref, "metadata", "labels", *([CLUSTER_SET_LABEL] if to else []))
    subject = ref if len(clusters) == 1 else None
    who = "it" if len(clusters) == 1 else few(clusters)
    verb = "is" if len(clusters) == 1 else "are"
    if to and there(case.hub.after, _set(to)) is None:
        yield warning(
            "cluster-set-missing",
            f"{who} {verb} put into the cluster set {to}, which does not exist: in that no placement finds "
            f"{'it' if len(clusters) == 1 else 'them'}",
            where,
            subject,
            hint=f"declare a ManagedClusterSet {to}, or correct the label",
        )
        return
    if let_go := _letting_go(case, set(clusters)):
        leaves = "leaves" if len(clusters) == 1 else "leave"
        homes = sorted({placement.partition("/")[0] for placement in let_go})
        bind = f"bind it, where they should stay: gitops-ocm clusterset bind {to} --namespace {homes[0]}"
        yield warning(
            "cluster-leaves-set",
            f"{who} {leaves} cluster set {few(gone)}{f' for {to}' if to else ''}: "
            f"{few(let_go)} let{'s' if len(let_go) == 1 else ''} "
            f"{'it' if len(clusters) == 1 else 'them'} go by this",
            where,
            subject,
            note="what they have there by these placements is deleted",
            hint=bind if to else "",
        )


def _letting_go(case: Case, clusters: set[str]) -> set[str]:
    """The placements that lose any of these clusters, for they are out of their reach."""
    return {
        path(selection.ref)
        for selection in case.preview.selections
        if any(not t.gained and t.cluster in clusters and " cluster set " in t.why for t in selection.turns)
    }


def _label(moment: Moment, cluster: str) -> str:
    found = moment.clusters.get(cluster)
    return labels_of(found).get(CLUSTER_SET_LABEL, "") if found is not None else ""


def _set(name: str) -> Ref:
    return Ref(*CLUSTER_SET, "", name)
