"""A cluster's taints: Git's, and what the hub has to say about them.

`spec.taints` is one value to server-side apply, but two write it. Git says which taints a cluster has;
OCM's webhook notes since when (`timeAdded`) and refuses an update that takes that away; the hub's health
controller adds and removes the taints of clusters it cannot reach. So an apply from Git carries the times
and the hub's own taints that are there. Source:
registration.md of the protocol reference, "Taints set by the hub" and "Mutation of ManagedCluster".

When the last taint leaves Git, an apply no longer names the list, and it stays whole where the hub's
controller has written it too. So what we hold of it is taken off before, and the hub's own is left. What we
hold is known: the list is one value, so while our apply is still among its managers it is what we sent last,
Git's taints and the hub's. Of a list that somebody else wrote since, nobody can tell: it stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.cluster import TAINT_UNAVAILABLE, TAINT_UNREACHABLE
from gitops_ocm.objects.ownership import APPLY, fields_owned_by
from gitops_ocm.objects.ref import Kind, Object, kind_of

MANAGED_CLUSTER = Kind("cluster.open-cluster-management.io", "ManagedCluster")
_HUBS = frozenset({TAINT_UNAVAILABLE, TAINT_UNREACHABLE})


def has_taints(fragment: Object) -> bool:
    """Whether an apply of `fragment` needs to know the live object's taints."""
    return kind_of(fragment) == MANAGED_CLUSTER and bool((fragment.get("spec") or {}).get("taints"))


def with_live_taints(fragment: Object, live: Object | None) -> Object:
    """`fragment` with the times and the hub's own taints that the live object has."""
    if live is None or not has_taints(fragment):
        return fragment
    present = (live.get("spec") or {}).get("taints") or ()
    times = {_same(t): t["timeAdded"] for t in present if "timeAdded" in t}
    wished = [_timed(taint, times.get(_same(taint))) for taint in fragment["spec"]["taints"]]
    known = {_same(taint) for taint in wished}
    hubs = [dict(t) for t in present if t.get("key") in _HUBS and _same(t) not in known]
    return {**fragment, "spec": {**fragment["spec"], "taints": [*wished, *hubs]}}


def holds_taints(obj: Object, manager: str) -> bool:
    """Whether the last apply of `manager` still stands in a cluster's taints."""
    if kind_of(obj) != MANAGED_CLUSTER or not (obj.get("spec") or {}).get("taints"):
        return False
    return "f:taints" in (fields_owned_by(obj, manager, operation=APPLY).get("f:spec") or {})


def left_of(fragment: Object, live: Object, manager: str) -> list[Object] | None:
    """The hub's own taints, all that stays when Git's leave with `fragment`; None: nothing has to go."""
    if has_taints(fragment) or not holds_taints(live, manager):
        return None
    return [dict(taint) for taint in live["spec"]["taints"] if taint.get("key") in _HUBS]


def with_taints(live: Object, taints: list[Object]) -> Object:
    """The merge patch that leaves a cluster, exactly as it was looked at, with these taints."""
    seen = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    return {"metadata": seen, "spec": {"taints": taints or None}}


def _same(taint: Mapping[str, Any]) -> tuple[Any, ...]:
    return taint.get("key"), taint.get("value") or "", taint.get("effect")


def _timed(taint: Mapping[str, Any], time: str | None) -> dict[str, Any]:
    return dict(taint) if time is None or "timeAdded" in taint else {**taint, "timeAdded": time}
