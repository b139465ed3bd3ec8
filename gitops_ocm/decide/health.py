"""Whether a cluster is still there: leases, the clock, and the taints that keep placements away.

Rows: `Availability` (lease → Available Unknown), `ClockSync` and `Taints`, all keyed by the
ManagedCluster. Only the agent ever says that a cluster is available (`decide.agent.cluster_status`);
the hub only takes that back when the lease is no longer renewed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.api.cluster import (
    AVAILABLE,
    CLUSTER_CLOCK_OUT_OF_SYNC,
    CLUSTER_CLOCK_SYNCED,
    CLUSTER_LEASE,
    CLUSTER_LEASE_STOPPED,
    CLUSTER_NAME_LABEL,
    HUB_ACCEPTED,
    SKIP_CLOCK_CHECK_ANNOTATION,
    TAINT_UNAVAILABLE,
    TAINT_UNREACHABLE,
)
from gitops_ocm.api.registration import HUB_REPORTER
from gitops_ocm.decide.contract import DONE, Create, Emit, Outcome, View
from gitops_ocm.decide.kinds import LEASE, cluster_ref
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import (
    annotations_of,
    conditions_of,
    is_deleting,
    locked_patch,
    name_of,
    report,
    seconds_until,
    time_at,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref


def lease_ref(cluster: str) -> Ref:
    """The lease by which a cluster's agent says that it is there."""
    return Ref(*LEASE, cluster, CLUSTER_LEASE)


def cluster_of_lease(view: View, lease: Object) -> Iterable[Ref]:
    """The cluster to look at when a lease changes: only cluster leases count."""
    meta = lease["metadata"]
    return (cluster_ref(meta["namespace"]),) if meta["name"] == CLUSTER_LEASE else ()


def lease_duration(cluster: Object, default: int = 60) -> int:
    """The lease duration in force; 0 means the default, as OCM has it."""
    return int((cluster.get("spec") or {}).get("leaseDurationSeconds") or default)


def new_lease(cluster: str, now: datetime) -> Object:
    """The lease as the hub makes it; from then on the agent renews it."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": CLUSTER_LEASE,
            "namespace": cluster,
            "labels": {CLUSTER_NAME_LABEL: cluster},
        },
        "spec": {"holderIdentity": CLUSTER_LEASE, "renewTime": conditions.micro_timestamp(now)},
    }


@dataclass(frozen=True)
class Availability:
    """Makes the lease of an accepted cluster, and calls the cluster unreachable when it runs out."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedCluster; wakes exactly when its lease runs out."""
        cluster = view.get(key)
        if cluster is None or conditions.find(conditions_of(cluster), HUB_ACCEPTED) is None:
            return DONE
        lease = view.get(lease_ref(key.name))
        if lease is None:
            if is_deleting(cluster):
                return self._unknown(cluster, now)
            if not conditions.is_true(cluster, HUB_ACCEPTED):
                return DONE
            return Outcome((Create(new_lease(key.name, now)),))
        grace = timedelta(
            seconds=self.settings.lease_grace * lease_duration(cluster, self.settings.lease_duration)
        )
        renewed = time_at((lease.get("spec") or {}).get("renewTime"))
        if renewed is None or now >= renewed + grace:
            return self._unknown(cluster, now)
        return Outcome(requeue_after=seconds_until(renewed + grace, now))

    def _unknown(self, cluster: Object, now: datetime) -> Outcome:
        found = conditions.find(conditions_of(cluster), AVAILABLE)
        if found is not None and found.get("status") == "Unknown":
            return DONE
        wanted = conditions.with_condition(
            conditions_of(cluster),
            **CLUSTER_LEASE_STOPPED._asdict(),
            now=now,
        )
        text = (
            f"The {name_of(cluster)} is successfully imported. However, the connection check from the "
            "managed cluster to the hub cluster has failed"
        )
        reason, home = "AvailableUnknown", name_of(cluster)
        event = Emit(cluster, reason, text, "Warning", reason, namespace=home, component=HUB_REPORTER)
        return Outcome((*report(cluster, {"conditions": wanted}), event))


@dataclass(frozen=True)
class ClockSync:
    """Compares the time an agent wrote into its lease with the time the API server saw it written.

    OCM compares with the moment its watch delivers the change. The lease's managed fields carry that
    moment, so the judgement is the same whenever it is made, and after a restart.
    """

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedCluster."""
        cluster, lease = view.get(key), view.get(lease_ref(key.name))
        if cluster is None or lease is None or is_deleting(cluster):
            return DONE
        grace = timedelta(
            seconds=self.settings.lease_grace * lease_duration(cluster, self.settings.lease_duration)
        )
        renewed, seen = time_at((lease.get("spec") or {}).get("renewTime")), _written_at(lease)
        made = time_at(lease["metadata"].get("creationTimestamp"))
        if renewed is None or seen is None or (seen == made and as_made(lease)):
            return DONE  # nobody but the hub, which made it, has written the lease
        skipped = annotations_of(cluster).get(SKIP_CLOCK_CHECK_ANNOTATION) == "true"
        synced = skipped or abs(seen - renewed) < grace
        wanted = conditions.with_condition(
            conditions_of(cluster),
            **(CLUSTER_CLOCK_SYNCED if synced else CLUSTER_CLOCK_OUT_OF_SYNC)._asdict(),
            now=now,
        )
        return Outcome(report(cluster, {"conditions": wanted}))


def _written_at(lease: Object) -> datetime | None:
    """When the API server last took a write of `renewTime`."""
    times = [at for entry, _ in _renewals(lease) if (at := time_at(entry.get("time"))) is not None]
    return max(times, default=None)


def as_made(lease: Object) -> bool:
    """Whether nobody has renewed it: who wrote its time wrote all of it.

    Times in managed fields have whole seconds, so a first renewal may be as old as the lease. Without
    managed fields nobody knows.
    """
    entries = _renewals(lease)
    return bool(entries) and all("f:holderIdentity" in fields for _, fields in entries)


def _renewals(lease: Object) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The managed fields' entries that hold `renewTime`, each with its fields of the spec."""
    entries = lease["metadata"].get("managedFields") or ()
    both = [(entry, (entry.get("fieldsV1") or {}).get("f:spec") or {}) for entry in entries]
    return [(entry, fields) for entry, fields in both if "f:renewTime" in fields]


@dataclass(frozen=True)
class Taints:
    """Taints a cluster that is unreachable or unavailable, so that placements leave it."""

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedCluster.

        The taint is written without `timeAdded`: admission puts that in, and refuses it from others.
        """
        cluster = view.get(key)
        if cluster is None or is_deleting(cluster):
            return DONE
        found = conditions.find(conditions_of(cluster), AVAILABLE)
        status = found.get("status") if found is not None else "Unknown"
        due = {"True": "", "False": TAINT_UNAVAILABLE}.get(str(status), TAINT_UNREACHABLE)
        held = (cluster.get("spec") or {}).get("taints") or []
        ours = {TAINT_UNREACHABLE, TAINT_UNAVAILABLE} - {due}
        wanted = [taint for taint in held if taint.get("key") not in ours]
        if due and not any(t.get("key") == due and t.get("effect") == "NoSelect" for t in held):
            wanted.append({"key": due, "effect": "NoSelect"})
        if wanted == held:
            return DONE
        return Outcome((locked_patch(cluster, {"spec": {"taints": wanted or None}}),))
