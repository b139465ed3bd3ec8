"""Sets of clusters: who is in them, the two sets every hub has, and what bindings say.

`members` is the one place that says which cluster is in which set; placement uses it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.cluster import (
    AUTO_UPDATE_ANNOTATION,
    CLUSTER_SET_LABEL,
    DEFAULT_CLUSTER_SET,
    EXCLUSIVE_SELECTOR,
    GLOBAL_CLUSTER_SET,
    LABEL_SELECTOR,
    SET_BOUND,
    SET_NOT_FOUND,
    SET_WITH_CLUSTERS,
    SET_WITHOUT_CLUSTERS,
)
from gitops_ocm.decide.contract import DONE, Create, Outcome, Update, View
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, MANAGED_CLUSTER
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import (
    annotations_of,
    conditions_of,
    is_deleting,
    labels_of,
    name_of,
    report,
)
from gitops_ocm.objects import conditions, selectors
from gitops_ocm.objects.ref import Object, Ref

VERSION = "cluster.open-cluster-management.io/v1beta2"

STANDARD_SETS: Mapping[str, Mapping[str, Any]] = {
    DEFAULT_CLUSTER_SET: {"selectorType": EXCLUSIVE_SELECTOR},
    GLOBAL_CLUSTER_SET: {"selectorType": LABEL_SELECTOR, "labelSelector": {}},
}
"""The sets that every hub has, with their selectors."""

STANDARD_SET_REFS = tuple(Ref(*CLUSTER_SET, "", name) for name in STANDARD_SETS)


def is_member(cluster_set: Mapping[str, Any], cluster: Mapping[str, Any]) -> bool:
    """Whether a cluster is in a set; a selector type nobody knows selects nothing."""
    selector = (cluster_set.get("spec") or {}).get("clusterSelector") or {}
    match selector.get("selectorType") or EXCLUSIVE_SELECTOR:
        case "ExclusiveClusterSetLabel":
            return labels_of(cluster).get(CLUSTER_SET_LABEL) == name_of(cluster_set)
        case "LabelSelector":
            return selectors.matches(selector.get("labelSelector"), labels_of(cluster))
    return False


def members(view: View, cluster_set: Mapping[str, Any]) -> list[Object]:
    """The clusters in a set, by name; those being deleted still count."""
    return [c for c in view.list(MANAGED_CLUSTER) if is_member(cluster_set, c)]


def sets_of(view: View, cluster: Mapping[str, Any]) -> list[Object]:
    """The sets a cluster is in, by name."""
    return [s for s in view.list(CLUSTER_SET) if is_member(s, cluster)]


def bound_sets(view: View, namespace: str) -> list[Object]:
    """The sets bound to a namespace: a binding counts when a set of its name exists."""
    bindings: Sequence[Object] = view.list(CLUSTER_SET_BINDING, namespace)
    found = (view.get(Ref(*CLUSTER_SET, "", name_of(b))) for b in bindings)
    return [s for s in found if s is not None]


def sets_around(view: View, cluster: Object) -> Iterable[Ref]:
    """Keys of the sets a (changed) cluster is in."""
    return [Ref(*CLUSTER_SET, "", name_of(s)) for s in sets_of(view, cluster)]


def bindings_of_set(view: View, cluster_set: Object) -> Iterable[Ref]:
    """Keys of the bindings that name a set, in every namespace."""
    name = name_of(cluster_set)
    return [
        Ref(*CLUSTER_SET_BINDING, b["metadata"]["namespace"], name)
        for b in view.list(CLUSTER_SET_BINDING)
        if name_of(b) == name
    ]


def standard_set(name: str, selector: Mapping[str, Any]) -> Object:
    """A set that every hub has, as it is made."""
    return {
        "apiVersion": VERSION,
        "kind": CLUSTER_SET.kind,
        "metadata": {"name": name},
        "spec": {"clusterSelector": dict(selector)},
    }


def reconcile_standard_set(view: View, key: Ref, now: datetime) -> Outcome:
    """Make the sets `default` and `global`, and put their selectors back unless told not to."""
    if key.name not in STANDARD_SETS:
        return DONE
    selector = dict(STANDARD_SETS[key.name])
    live = view.get(key)
    if live is None:
        return Outcome((Create(standard_set(key.name, selector)),))
    if is_deleting(live) or annotations_of(live).get(AUTO_UPDATE_ANNOTATION) == "false":
        return DONE
    spec = live.get("spec") or {}
    if spec.get("clusterSelector") == selector:
        return DONE
    # A whole update: the selector has to lose what others put into it, whoever owns that.
    return Outcome((Update({**live, "spec": {**spec, "clusterSelector": selector}}),))


@dataclass(frozen=True)
class StandardSets:
    """Keeps the standard sets, where the hub wants them."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterSet."""
        return reconcile_standard_set(view, key, now) if self.settings.default_cluster_set else DONE


def reconcile_set(view: View, key: Ref, now: datetime) -> Outcome:
    """Say in a set's status how many clusters are in it."""
    cluster_set = view.get(key)
    if cluster_set is None or is_deleting(cluster_set):
        return DONE
    count = len(members(view, cluster_set))
    wanted = conditions.with_condition(
        conditions_of(cluster_set),
        **(SET_WITH_CLUSTERS.saying(count=count) if count else SET_WITHOUT_CLUSTERS)._asdict(),
        now=now,
    )
    return Outcome(report(cluster_set, {"conditions": wanted}))


def reconcile_binding(view: View, key: Ref, now: datetime) -> Outcome:
    """Say in a binding's status whether the set it names exists."""
    binding = view.get(key)
    if binding is None or is_deleting(binding):
        return DONE
    bound = view.get(Ref(*CLUSTER_SET, "", name_of(binding))) is not None
    wanted = conditions.with_condition(
        conditions_of(binding),
        **(SET_BOUND if bound else SET_NOT_FOUND)._asdict(),
        now=now,
    )
    return Outcome(report(binding, {"conditions": wanted}))
