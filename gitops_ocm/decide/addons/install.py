"""Which clusters have an add-on: a ManagedClusterAddOn for each that its placements select, no other.

The row is keyed by the ClusterManagementAddOn and acts for the install type Placements alone. It adds as
soon as a cluster is selected; it takes away only what surely is no longer (`decide.addons.selection`).
A plain create, so that one that somebody else has just made is left as it is; what all of them carry later
on is `decide.addons.metadata`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gitops_ocm.api.cluster import RESOURCE_CLEANUP_FINALIZER
from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.decide.addons.management import (
    BY_NAME,
    BY_PLACEMENT,
    cluster_addon,
    is_ours,
    is_placed,
    placements_of,
)
from gitops_ocm.decide.addons.selection import selection
from gitops_ocm.decide.contract import DONE, Create, Outcome, View, Write
from gitops_ocm.decide.kinds import MANAGEMENT_ADDON, NAMESPACE, cluster_ref
from gitops_ocm.decide.writes import delete, is_deleting, labels_of, name_of, namespace_of
from gitops_ocm.objects.ref import Object, Ref, ref_of


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one ClusterManagementAddOn."""
    cma = view.get(key)
    if cma is None or not is_ours(cma) or not is_placed(cma):
        return DONE
    chosen = selection(view, placements_of(cma))
    have = {namespace_of(addon): addon for addon in view.indexed(BY_NAME, key.name)}
    writes: list[Write] = []
    notes = list(chosen.doubts)
    for name in sorted(chosen.clusters - have.keys()):
        cluster = view.get(cluster_ref(name))
        if cluster is None or (why := _no_place(view, cluster)):
            notes.append(f"{name}: {why if cluster else 'there is no such ManagedCluster'}")
        elif made := cluster_addon(view, cma, cluster):
            writes.append(Create(made))
    surplus = sorted(have.keys() - chosen.clusters)
    if chosen.doubts:
        notes += [f"{len(surplus)} clusters keep it until that is clear"] if surplus else []
    else:
        writes += [w for name in surplus if not _is_emptied(view, name) for w in delete(have[name])]
    return Outcome(tuple(writes), keep_going=True, notes=tuple(notes))


def _no_place(view: View, cluster: Object) -> str:
    """Why nothing can be made for a cluster now; what changes that wakes the row."""
    if is_deleting(cluster):
        return "the cluster is being deleted"
    namespace = view.get(Ref(*NAMESPACE, "", name_of(cluster)))
    return "" if namespace is not None and not is_deleting(namespace) else "the cluster has no namespace"


def _is_emptied(view: View, name: str) -> bool:
    """Whether a deleted cluster's namespace is being emptied: that has an order of its own."""
    cluster = view.get(cluster_ref(name))
    if cluster is None or not is_deleting(cluster):
        return False
    return RESOURCE_CLEANUP_FINALIZER in (cluster["metadata"].get("finalizers") or ())


# --- what wakes the row -----------------------------------------------------------------------------


def cma_ref(name: str) -> Ref:
    """The ClusterManagementAddOn of a name."""
    return Ref(*MANAGEMENT_ADDON, "", name)


def of_addon(view: View, addon: Object) -> Iterable[Ref]:
    """The add-on that a ManagedClusterAddOn is an installation of."""
    return (cma_ref(name_of(addon)),)


def of_placement(view: View, placement: Object) -> Iterable[Ref]:
    """The add-ons that go by a placement."""
    return _by(view, namespace_of(placement), name_of(placement))


def of_decision(view: View, decision: Object) -> Iterable[Ref]:
    """The add-ons that go by the placement of a decision."""
    return _by(view, namespace_of(decision), labels_of(decision).get(PLACEMENT_LABEL, ""))


def of_cluster(view: View, obj: Object) -> Iterable[Ref]:
    """All add-ons that placements install: for a cluster, or its namespace, that comes or goes."""
    if ref_of(obj).of == NAMESPACE and view.get(cluster_ref(name_of(obj))) is None:
        return ()
    return [ref_of(cma) for cma in view.list(MANAGEMENT_ADDON) if is_placed(cma)]


def _by(view: View, namespace: str, placement: str) -> list[Ref]:
    return [ref_of(cma) for cma in view.indexed(BY_PLACEMENT, f"{namespace}/{placement}")]
