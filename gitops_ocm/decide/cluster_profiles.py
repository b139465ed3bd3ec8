"""ClusterProfiles: each namespace that has a cluster set bound gets one for each of the set's clusters.

Rows, with the gate ClusterProfile: `reconcile_namespace`, keyed by the namespace, makes and removes them;
`reconcile_profile`, keyed by the profile, tells in its status what the ManagedCluster says. Profiles of
other managers are left alone, also where they have a cluster's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from gitops_ocm.api.cluster import AVAILABLE, BOUND, CLUSTER_NAME_LABEL, CLUSTER_SET_LABEL
from gitops_ocm.api.cluster import JOINED as CLUSTER_JOINED
from gitops_ocm.api.cluster_profile import (
    CONTROL_PLANE_HEALTHY,
    JOINED,
    MANAGER,
    MANAGER_LABEL,
    SET_LABEL,
)
from gitops_ocm.decide.cluster_sets import members, sets_of
from gitops_ocm.decide.contract import DONE, Outcome, View
from gitops_ocm.decide.kinds import CLUSTER_PROFILE, CLUSTER_SET, CLUSTER_SET_BINDING, NAMESPACE, cluster_ref
from gitops_ocm.decide.writes import (
    conditions_of,
    delete,
    ensure,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    report,
    status_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

BY_CLUSTER = "cluster-profiles-by-cluster"
_FROM = {AVAILABLE: CONTROL_PLANE_HEALTHY, CLUSTER_JOINED: JOINED}


def reconcile_namespace(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile the profiles of one namespace."""
    home = view.get(key)
    if home is None or is_deleting(home):
        return DONE
    wanted = {name_of(c): c for c in _clusters(view, key.name) if not is_deleting(c)}
    held = {name_of(p): p for p in view.list(CLUSTER_PROFILE, key.name)}
    made = (
        write
        for name, cluster in sorted(wanted.items())
        if name not in held or is_ours(held[name])
        for write in ensure(view, _profile(cluster, key.name))
    )
    gone = (
        write
        for name, profile in sorted(held.items())
        if name not in wanted and is_ours(profile)
        for write in delete(profile)
    )
    return Outcome((*made, *gone), keep_going=True)


def reconcile_profile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile the status of one profile."""
    profile = view.get(key)
    if profile is None or is_deleting(profile) or not is_ours(profile):
        return DONE
    cluster = view.get(cluster_ref(key.name))
    if cluster is None:
        return DONE
    known = status_of(cluster)
    wanted = conditions_of(profile)
    for theirs, ours in _FROM.items():
        if (found := conditions.find(conditions_of(cluster), theirs)) is not None:
            status, reason, message = (str(found.get(part, "")) for part in ("status", "reason", "message"))
            wanted = conditions.with_condition(
                wanted, type=ours, status=status, reason=reason, message=message, now=now
            )
    claims = known.get("clusterClaims") or ()
    told: dict[str, Any] = {
        "version": {"kubernetes": (known.get("version") or {}).get("kubernetes") or ""},
        "properties": [{"name": claim["name"], "value": claim["value"]} for claim in claims],
        "conditions": wanted,
    }
    return Outcome(report(profile, told))


def is_ours(profile: Object) -> bool:
    """Whether a profile is of this manager; that cannot change."""
    manager = (profile.get("spec") or {}).get("clusterManager") or {}
    return manager.get("name") == MANAGER and labels_of(profile).get(MANAGER_LABEL) == MANAGER


def _clusters(view: View, namespace: str) -> Iterable[Object]:
    """The clusters of the sets that are bound to a namespace, by what the bindings say of themselves."""
    for binding in view.list(CLUSTER_SET_BINDING, namespace):
        cluster_set = view.get(Ref(*CLUSTER_SET, "", name_of(binding)))
        if cluster_set is not None and conditions.is_true(binding, BOUND):
            yield from members(view, cluster_set)


def _profile(cluster: Object, namespace: str) -> Object:
    name = name_of(cluster)
    labels = {
        MANAGER_LABEL: MANAGER,
        CLUSTER_NAME_LABEL: name,
        SET_LABEL: labels_of(cluster).get(CLUSTER_SET_LABEL, ""),
    }
    return {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": CLUSTER_PROFILE.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"displayName": name, "clusterManager": {"name": MANAGER}},
    }


# --- what wakes the rows ----------------------------------------------------------------------------


def own_namespace(view: View, obj: Object) -> Iterable[Ref]:
    """The namespace that an object is in."""
    return (Ref(*NAMESPACE, "", namespace_of(obj)),)


def of_set(view: View, cluster_set: Object) -> Iterable[Ref]:
    """The namespaces to which a set is bound."""
    return _bound_to(view, {name_of(cluster_set)})


def of_cluster(view: View, cluster: Object) -> Iterable[Ref]:
    """The namespaces to which one of a cluster's sets is bound."""
    return _bound_to(view, {name_of(s) for s in sets_of(view, cluster)})


def profiles_of(view: View, cluster: Object) -> Iterable[Ref]:
    """The profiles of a cluster, in all namespaces."""
    found = view.indexed(BY_CLUSTER, name_of(cluster))
    return [Ref(*CLUSTER_PROFILE, namespace_of(p), name_of(p)) for p in found]


def own_name(profile: Object) -> Iterable[str]:
    """What a profile is filed under: it has the name of its cluster."""
    return (name_of(profile),)


def _bound_to(view: View, sets: set[str]) -> list[Ref]:
    bindings = view.list(CLUSTER_SET_BINDING)
    return sorted({Ref(*NAMESPACE, "", namespace_of(b)) for b in bindings if name_of(b) in sets})
