"""Which clusters answer, as far as the fleet's account tells, and how those that are to come join.

A cluster that was told to be unreachable or unavailable, or that was let in and never joined, does nothing,
and rollouts wait for it. One that a change lets in is taken to join at once; of its claims and its version
nothing is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from gitops_ocm.api.cluster import AVAILABLE, CLUSTER_AVAILABLE, CLUSTER_JOINED, HUB_ACCEPTED, JOINED
from gitops_ocm.decide.contract import DONE, Controller, Outcome, View, Wake
from gitops_ocm.decide.kinds import MANAGED_CLUSTER
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, report
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.state import FleetState

MANAGER = "gitops-ocm-preview"


def silent(state: FleetState) -> frozenset[str]:
    """The clusters that were let in and do not answer."""
    return frozenset(name_of(told) for _, told in state.of(MANAGED_CLUSTER) if not _answers(told))


def _answers(told: Object) -> bool:
    available = conditions.find(conditions_of(told), AVAILABLE)
    if available is not None:
        return bool(available.get("status") == "True")
    return not conditions.is_true(told, HUB_ACCEPTED)  # else it was let in, and has not come


def joining(absent: Collection[str]) -> Controller:
    """The row by which clusters join as soon as they are let in; those that are `absent` never do."""
    away = frozenset(absent)

    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        cluster = view.get(key)
        if cluster is None or is_deleting(cluster) or key.name in away:
            return DONE
        held = conditions_of(cluster)
        if not conditions.is_true(cluster, HUB_ACCEPTED) or conditions.find(held, JOINED) is not None:
            return DONE
        for condition in (CLUSTER_JOINED, CLUSTER_AVAILABLE):
            held = conditions.with_condition(held, **condition._asdict(), now=now)
        return Outcome(report(cluster, {"conditions": held}))

    return Controller(
        "assumed-joining", "preview", reconcile, (Wake(MANAGED_CLUSTER),), field_manager=MANAGER
    )


def told(names: Iterable[str]) -> str:
    """The clusters that do not answer, in a line."""
    found = sorted(names)
    return f"{', '.join(found)} {'does' if len(found) == 1 else 'do'} not answer at present" if found else ""
