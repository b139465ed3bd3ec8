"""The agent's sign of life: its lease on the hub, renewed for as long as the hub accepts the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gitops_ocm.api.cluster import HUB_ACCEPTED
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.contract import DONE, Outcome, Update, View
from gitops_ocm.decide.health import as_made, lease_duration, lease_ref
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import seconds_until, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Ref

JITTER = 0.25


@dataclass(frozen=True)
class Heartbeat:
    """Renews the cluster lease each lease duration, stretched by up to a quarter; a new one at once."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile the agent's own ManagedCluster."""
        cluster, lease = view.get(key), view.get(lease_ref(key.name))
        if cluster is None or lease is None or not conditions.is_true(cluster, HUB_ACCEPTED):
            return DONE
        spec = lease.get("spec") or {}
        period = lease_duration(cluster)
        last = str(spec.get("renewTime") or "")
        renewed = time_at(last)
        # By the first renewal the hub sees that the agent is there, and whether its clock is right.
        if renewed is not None and renewed <= now and not as_made(lease):
            due = renewed + timedelta(seconds=spread(period, JITTER, key.name, last))
            if now < due:
                return Outcome(requeue_after=seconds_until(due, now))
        # PUT, as OCM does: an agent may update its lease but neither patch nor create it.
        # Whoever writes what is there already does not count as its writer.
        at = now if renewed != now else now + timedelta(microseconds=1)
        beat = {**lease, "spec": {**spec, "renewTime": conditions.micro_timestamp(at)}}
        again = spread(period, JITTER, key.name, beat["spec"]["renewTime"])
        return Outcome((Update(beat),), requeue_after=again)
