"""How Deployments fare, and what conditions an operator makes of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.operator import VALID_FEATURE_GATES
from gitops_ocm.decide.contract import Side, View
from gitops_ocm.decide.kinds import NODE
from gitops_ocm.decide.operators.plan import DEPLOYMENT
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.writes import labels_of, name_of, status_of
from gitops_ocm.objects.conditions import with_condition
from gitops_ocm.objects.ref import Object, Ref

ROLLING = 1.0
"""Seconds between looks at Deployments that are rolling: people wait for them."""
SEVERAL = 3
"""Replicas where the control plane has more than one node."""


@dataclass(frozen=True)
class Verdict:
    """A condition, before it has a time."""

    type: str
    status: bool
    reason: str
    message: str


def with_verdicts(
    conditions: Sequence[Mapping[str, Any]],
    verdicts: Sequence[Verdict],
    generation: int | None,
    now: datetime,
) -> list[Object]:
    """The conditions with those verdicts."""
    found = [dict(c) for c in conditions]
    for verdict in verdicts:
        found = with_condition(
            found,
            type=verdict.type,
            status="True" if verdict.status else "False",
            reason=verdict.reason,
            message=verdict.message,
            now=now,
            observed_generation=generation,
        )
    return found


def gates_verdict(unknown: Sequence[str]) -> Verdict:
    """Whether all feature gates of a spec are known."""
    if unknown:
        return Verdict(
            VALID_FEATURE_GATES,
            False,
            "InvalidFeatureGatesExisting",
            f"There are some invalid feature gates: {', '.join(unknown)}",
        )
    return Verdict(VALID_FEATURE_GATES, True, "FeatureGatesAllValid", "Feature gates are all valid")


def replicas(view: View, settings: OperatorSettings) -> int:
    """How many pods a component gets: more than one only where that can help."""
    if settings.replicas:
        return settings.replicas
    nodes = [node for node in view.list(NODE) if settings.control_plane_label in labels_of(node)]
    return SEVERAL if len(nodes) > 1 else 1


def live_deployments(view: View, namespace: str, names: Sequence[str]) -> list[Object]:
    """Those of the Deployments that are there."""
    found = (view.get(Ref(*DEPLOYMENT, namespace, name), Side.HUB) for name in names)
    return [obj for obj in found if obj is not None]


def wanted_replicas(deployment: Object) -> int:
    """How many pods a Deployment is to have."""
    return int((deployment.get("spec") or {}).get("replicas", 1))


def available(deployment: Object) -> int:
    """How many of them are available."""
    return int(status_of(deployment).get("availableReplicas") or 0)


def rolled_out(deployment: Object) -> bool:
    """Whether all pods are of the newest template and available."""
    status, wanted = status_of(deployment), wanted_replicas(deployment)
    seen = int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
    return (
        seen
        and int(status.get("updatedReplicas") or 0) >= wanted
        and int(status.get("replicas") or 0) <= wanted
        and available(deployment) >= wanted
    )


def unavailable(deployments: Sequence[Object]) -> str:
    """Which Deployments lack pods, in words; empty where none does."""
    return ", ".join(
        f"{wanted_replicas(d) - available(d)} of requested instances are unavailable of {name_of(d)}"
        for d in deployments
        if available(d) < wanted_replicas(d)
    )
