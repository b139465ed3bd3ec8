"""How one cluster stands on the hub: its objects beside one another, and when they last changed.

What the themes (`joining`, `availability`, ...) judge. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.api.cluster import HUB_ACCEPTED, JOINED
from gitops_ocm.decide.diagnosis.evidence import Evidence, Hub, Request
from gitops_ocm.decide.health import lease_duration, lease_ref
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, cluster_ref
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object

GRACE = 5
"""Lease durations after which a silent cluster is called lost: OCM's, and ours unless told otherwise."""


@dataclass(frozen=True)
class Standing:
    """One cluster: its ManagedCluster and lease (None: there is none) and its certificate requests."""

    name: str
    cluster: Object | None
    lease: Object | None
    requests: Sequence[Request]

    @property
    def wanted(self) -> bool:
        """Whether the hub is to accept it."""
        return bool(self.cluster and (self.cluster.get("spec") or {}).get("hubAcceptsClient"))

    @property
    def accepted(self) -> bool:
        """Whether the hub has accepted it, with all that belongs to it."""
        return self.cluster is not None and conditions.is_true(self.cluster, HUB_ACCEPTED)

    @property
    def joined(self) -> bool:
        """Whether its agent has ever come with its own certificate."""
        return self.cluster is not None and conditions.is_true(self.cluster, JOINED)

    @property
    def leaving(self) -> bool:
        """Whether it is being deleted."""
        return self.cluster is not None and is_deleting(self.cluster)

    @property
    def renewed(self) -> datetime | None:
        """When its lease was last renewed."""
        return time_at(((self.lease or {}).get("spec") or {}).get("renewTime"))

    @property
    def duration(self) -> timedelta:
        """How often its agent is to renew the lease."""
        return timedelta(seconds=lease_duration(self.cluster or {}))

    def silent(self, now: datetime) -> bool:
        """Whether the lease ran out."""
        return self.renewed is not None and now >= self.renewed + GRACE * self.duration

    def heard(self, now: datetime) -> bool:
        """Whether its agent joined and has renewed the lease in time."""
        return self.joined and self.renewed is not None and not self.silent(now)

    def condition(self, type: str) -> Mapping[str, Any] | None:
        """A condition of the ManagedCluster."""
        return conditions.find(conditions_of(self.cluster), type) if self.cluster is not None else None


def standings(evidence: Evidence) -> Iterator[Standing]:
    """The clusters asked for, or all that the hub knows or is asked by, by name."""
    hub = evidence.hub
    if hub is None or not hub.objects.seen(MANAGED_CLUSTER):
        return
    if evidence.clusters:
        names = set(evidence.clusters)
    else:
        names = {name_of(c) for c in hub.objects.list(MANAGED_CLUSTER)} | set(hub.requests_by_cluster)
        names |= {evidence.spoke.cluster} - {""} if evidence.spoke else set()
    for name in sorted(names):
        yield standing(hub, name)


def standing(hub: Hub, name: str) -> Standing:
    """How one cluster stands."""
    objects = hub.objects
    return Standing(
        name,
        objects.get(cluster_ref(name)),
        objects.get(lease_ref(name)),
        hub.requests_by_cluster.get(name, ()),
    )


def changed_at(obj: Object) -> datetime | None:
    """When somebody last changed what is wanted of an object: its status does not count."""
    meta = obj["metadata"]
    times = [
        time_at(entry.get("time"))
        for entry in meta.get("managedFields") or ()
        if not entry.get("subresource")
    ]
    known = [at for at in (*times, time_at(meta.get("creationTimestamp"))) if at is not None]
    return max(known, default=None)


def since(condition: Mapping[str, Any]) -> datetime | None:
    """When a condition last changed."""
    return time_at(condition.get("lastTransitionTime"))
