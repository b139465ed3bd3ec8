"""Which namespaces a cluster's sets want on it: told to its agent in the ManagedCluster's status.

The agent makes them and says there how that went, so what it said of an entry that stays is kept. One row,
keyed by the ManagedCluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.decide.cluster_sets import members, sets_of
from gitops_ocm.decide.contract import DONE, Outcome, View, status_patch
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, cluster_ref
from gitops_ocm.decide.writes import is_deleting, name_of, status_of
from gitops_ocm.objects.ref import Object, Ref


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one ManagedCluster."""
    cluster = view.get(key)
    if cluster is None or is_deleting(cluster):
        return DONE
    held = _held(cluster)
    told = {(entry.get("clusterSet"), entry.get("name")): entry for entry in held}
    pairs = {
        (name_of(cluster_set), str(namespace.get("name")))
        for cluster_set in sets_of(view, cluster)
        if not is_deleting(cluster_set)
        for namespace in (cluster_set.get("spec") or {}).get("managedNamespaces") or ()
    }
    wanted = [
        dict(told.get((of_set, name)) or {"clusterSet": of_set, "name": name})
        for of_set, name in sorted(pairs)
    ]
    if wanted == held:
        return DONE
    return Outcome((status_patch(cluster, {"managedNamespaces": wanted or None}),))


def of_set(view: View, cluster_set: Object) -> Iterable[Ref]:
    """The clusters in a (changed) set, and those that were told to keep its namespaces."""
    name = name_of(cluster_set)
    inside = {name_of(cluster) for cluster in members(view, cluster_set)}
    before = {
        name_of(cluster)
        for cluster in view.list(MANAGED_CLUSTER)
        if any(entry.get("clusterSet") == name for entry in _held(cluster))
    }
    return [cluster_ref(cluster) for cluster in sorted(inside | before)]


def asks_otherwise(old: Object | None, new: Object | None) -> bool:
    """Whether a set changes in what it selects or asks for, or begins to go."""
    if old is None or new is None:
        return True
    return old.get("spec") != new.get("spec") or is_deleting(old) != is_deleting(new)


def _held(cluster: Object) -> list[Mapping[str, Any]]:
    return list(status_of(cluster).get("managedNamespaces") or ())
