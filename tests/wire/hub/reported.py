"""What an agent would say of its cluster, and how a case waits for the hub to answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gitops_ocm.objects.ref import Object
from tests.wire.hub.registered import (
    ACCEPTED,
    says,
)
from tests.wire.hub.stage import Stage

AVAILABLE, HUB_ACCEPTED = "ManagedClusterConditionAvailable", "HubAcceptedManagedCluster"
CLOCK = "ManagedClusterConditionClockSynced"
SLOW = 90.0
"""Seconds for what OCM looks at every ten seconds, or after a lease has run out."""


def stamp(seconds: float = 0) -> str:
    """A time of a lease, `seconds` from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def is_accepted(stage: Stage, cluster: Object) -> None:
    """Wait until the hub has made all there is for an accepted cluster."""
    await stage.becomes(lambda: says(stage, cluster, HUB_ACCEPTED), ACCEPTED)


async def reported(stage: Stage, cluster: Object, type_: str, status: str) -> None:
    """Say what an agent would say of its cluster, beside the conditions that are there."""
    held = (await stage.get(cluster)).get("status", {}).get("conditions", [])
    said = {
        "type": type_,
        "status": status,
        "reason": "Test",
        "message": "as the agent says",
        "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    await stage.report(cluster, {"conditions": [*(c for c in held if c["type"] != type_), said]})


async def lease_of(stage: Stage, short: str = "a") -> Object | None:
    """A cluster's lease."""
    name = stage.name(short)
    return await stage.find("coordination.k8s.io/v1", "Lease", "managed-cluster-lease", name)


async def has_lease(stage: Stage, short: str = "a") -> Object:
    """Wait for a cluster's lease."""
    found: Object = await stage.until(lambda: lease_of(stage, short), "a lease")
    return found
