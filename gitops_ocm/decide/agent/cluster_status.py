"""What an agent reports of its cluster: joined, available, version, resources, claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from gitops_ocm.api.cluster import (
    AVAILABLE,
    CLOCK_SYNCED,
    CLUSTER_API_UNAVAILABLE,
    CLUSTER_AVAILABLE,
    CLUSTER_JOINED,
    HUB_ACCEPTED,
    RESERVED_CLAIMS,
    SPOKE_ONLY_LABEL,
)
from gitops_ocm.api.quantity import total
from gitops_ocm.api.registration import AGENT_REPORTER
from gitops_ocm.decide.agent.facts import certificate_condition, known
from gitops_ocm.decide.contract import DONE, Emit, Outcome, Side, View, Write
from gitops_ocm.decide.kinds import CLUSTER_CLAIM, CLUSTER_GROUP, CLUSTER_PROPERTY, NODE
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import (
    conditions_of,
    is_deleting,
    labels_of,
    name_of,
    report,
    seconds_until,
    status_of,
    time_at,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object, Ref


@dataclass(frozen=True)
class ClusterStatus:
    """Writes the status of the agent's own ManagedCluster, once the hub has accepted it."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile the agent's own ManagedCluster."""
        cluster = view.get(key)
        if cluster is None or is_deleting(cluster) or not conditions.is_true(cluster, HUB_ACCEPTED):
            return DONE
        synced = conditions.find(conditions_of(cluster), CLOCK_SYNCED)
        if synced is not None and synced.get("status") == "False":
            # The hub would take our word back at once: it measures the lease by its own clock.
            return DONE
        measured = known(view)
        if measured is None:
            return DONE
        held = conditions.with_condition(
            conditions_of(cluster),
            **CLUSTER_JOINED._asdict(),
            now=now,
        )
        if (certificate := certificate_condition(view)) is not None:
            held = conditions.with_condition(held, **certificate, now=now)
        health, wake = self._health(measured, now)
        if health is None:  # failing, but not long enough to say so
            return Outcome(requeue_after=wake)
        status, reason, message = health
        held = conditions.with_condition(
            held, type=AVAILABLE, status=status, reason=reason, message=message, now=now
        )
        fields: Object = {"conditions": held}
        if status == "True":
            fields |= self._resources(view, cluster, measured)
        writes: tuple[Write, ...] = report(cluster, fields)
        events = (*_turned(cluster, status), *self._truncated(view, cluster, bool(writes)))
        return Outcome((*writes, *events), requeue_after=wake)

    def _health(self, measured: Object, now: datetime) -> tuple[tuple[str, str, str] | None, float | None]:
        """The Available condition, and when to look again."""
        health = measured.get("health") or {}
        if health.get("healthy", True):
            return CLUSTER_AVAILABLE.verdict, None
        since = time_at(health.get("since")) or now
        due = since + timedelta(seconds=self.settings.health_grace)
        if now < due:
            return None, seconds_until(due, now)
        text = f"The kube-apiserver is not ok: {health.get('message', '')}"
        return CLUSTER_API_UNAVAILABLE.saying(error=text).verdict, None

    def _resources(self, view: View, cluster: Object, measured: Object) -> Object:
        nodes = view.list(NODE, side=Side.SPOKE)
        schedulable = [n for n in nodes if not (n.get("spec") or {}).get("unschedulable")]
        have = status_of(cluster).get("capacity") or {}
        fields: Object = {
            "version": {"kubernetes": measured["version"]},
            # Others' keys stay, and so do our own of nodes that have gone.
            "capacity": {**have, **_sum(nodes, "capacity")},
            "allocatable": _sum(schedulable, "allocatable"),
        }
        if self.settings.cluster_claims or self.settings.cluster_properties:
            reserved, custom = self._claims(view)
            fields["clusterClaims"] = [*reserved, *custom[: self.settings.max_custom_claims]]
        said = status_of(cluster)
        return {name: value for name, value in fields.items() if value or name in said}

    def _claims(self, view: View) -> tuple[list[Object], list[Object]]:
        """Reserved and custom claims, each sorted by name; a property goes before a claim of its name."""
        told: dict[str, str] = {}
        if self.settings.cluster_claims:
            told |= _values(view, f"{CLUSTER_GROUP}/v1alpha1", CLUSTER_CLAIM)
        if self.settings.cluster_properties:
            told |= _values(view, f"{CLUSTER_PROPERTY.group}/v1alpha1", CLUSTER_PROPERTY)
        reserved: list[Object] = []
        custom: list[Object] = []
        for name, value in sorted(told.items()):
            is_reserved = name in RESERVED_CLAIMS or name.endswith(self.settings.reserved_claim_suffixes)
            (reserved if is_reserved else custom).append({"name": name, "value": value})
        return reserved, custom

    def _truncated(self, view: View, cluster: Object, changed: bool) -> Iterable[Write]:
        """Say, when the status changes, that not all claims are in it."""
        limit = self.settings.max_custom_claims
        if changed and len(self._claims(view)[1]) > limit:
            text = f"the number of custom cluster claims exceeds {limit}; only the first {limit} are reported"
            reason = "CustomClusterClaimsTruncated"
            yield _event(cluster, "Normal", reason, text)


def _values(view: View, api_version: str, kind: Kind) -> dict[str, str]:
    """What claims or properties say, as far as it is meant for the hub."""
    if view.resource(api_version, kind.kind, Side.SPOKE) is None:
        return {}
    told = [found for found in view.list(kind, side=Side.SPOKE) if SPOKE_ONLY_LABEL not in labels_of(found)]
    return {name_of(found): str((found.get("spec") or {}).get("value", "")) for found in told}


def _turned(cluster: Object, status: str) -> Iterable[Emit]:
    """Tell people when the cluster becomes available or stops being so, as OCM's agent does."""
    before = conditions.find(conditions_of(cluster), AVAILABLE)
    if before is not None and before.get("status") == status:
        return ()
    name = name_of(cluster)
    if status == "True":
        text = f"The {name} is successfully imported, and the hub manages it: its API server is available"
        return (_event(cluster, "Normal", "Available", text),)
    text = f"The {name} is successfully imported. However, its API server is unavailable"
    return (_event(cluster, "Warning", "Unavailable", text),)


def _event(cluster: Object, kind: str, reason: str, text: str) -> Emit:
    """An event in the cluster's own namespace on the hub, from whom OCM's are."""
    home = name_of(cluster)
    return Emit(cluster, reason, text, kind, action=reason, namespace=home, component=AGENT_REPORTER)


def _sum(nodes: Sequence[Object], part: str) -> dict[str, str]:
    empty: dict[str, str] = {}
    return reduce(total, (status_of(node).get(part) or {} for node in nodes), empty)


def resources_changed(old: Object | None, new: Object | None) -> bool:
    """Whether a node's change can show in the cluster's status; its heartbeats do not."""
    if old is None or new is None:
        return True
    return any(
        status_of(old).get(part) != status_of(new).get(part) for part in ("capacity", "allocatable")
    ) or (old.get("spec") or {}).get("unschedulable") != (new.get("spec") or {}).get("unschedulable")
