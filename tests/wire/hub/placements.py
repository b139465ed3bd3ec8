"""What a placement's decisions look like on the wire, derived from the groups a case expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.hub.stage import CLUSTER, Stage, conditions

BETA = f"{CLUSTER}/v1beta1"
Groups = Sequence[tuple[str, Sequence[str]]]
Verdict = tuple[str, str, str]

SCHEDULED: Verdict = ("True", "AllDecisionsScheduled", "All cluster decisions scheduled")
NO_MATCH: Verdict = (
    "False",
    "NoManagedClusterMatched",
    "No ManagedCluster matches any of the cluster predicate",
)
NO_BINDING: Verdict = (
    "False",
    "NoManagedClusterSetBindings",
    "No valid ManagedClusterSetBindings found in placement namespace",
)
FINE: Verdict = ("False", "Succeedconfigured", "Placement configurations check pass")


def short_of(count: int) -> Verdict:
    """The verdict when `count` clusters too few were found."""
    return ("False", "NotAllDecisionsScheduled", f"{count} cluster decisions unscheduled")


def wrong(message: str) -> Verdict:
    """The verdict on a placement that says something that cannot be."""
    return ("True", "Misconfigured", message)


def one_group(*clusters: str) -> Groups:
    """All clusters in the one unnamed group."""
    return [("", clusters)]


def expected(
    placement: str,
    groups: Groups,
    satisfied: Verdict = SCHEDULED,
    misconfigured: Verdict = FINE,
    selected: int | None = None,
) -> dict[str, Any]:
    """All that is to be seen of a placement with these decision groups."""
    decisions: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for index, (group, clusters) in enumerate(groups):
        names = []
        for start in range(0, max(1, len(clusters)), 100):
            names.append(f"{placement}-decision-{len(decisions) + 1}")
            part = clusters[start : start + 100]
            decisions.append(_decision(placement, names[-1], index, group, part))
        told.append(
            {
                "decisionGroupIndex": index,
                "decisionGroupName": group,
                "decisions": names,
                "clusterCount": len(clusters),
            }
        )
    return {
        "decisions": decisions,
        "groups": told,
        "selected": sum(len(c) for _, c in groups) if selected is None else selected,
        "conditions": {"PlacementSatisfied": satisfied, "PlacementMisconfigured": misconfigured},
    }


def _decision(placement: str, name: str, index: int, group: str, clusters: Sequence[str]) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {
            f"{CLUSTER}/placement": placement,
            f"{CLUSTER}/decision-group-index": str(index),
            f"{CLUSTER}/decision-group-name": group,
        },
        "owners": [
            {
                "apiVersion": BETA,
                "kind": "Placement",
                "name": placement,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
        "finalizers": [],
        "clusters": [{"clusterName": c, "reason": ""} for c in clusters],
    }


async def seen(stage: Stage, placement: Object) -> dict[str, Any]:
    """The same, as it is now."""
    now = await stage.get(placement)
    namespace, name = now["metadata"]["namespace"], now["metadata"]["name"]
    found = await stage.list(BETA, "PlacementDecision", namespace, f"{CLUSTER}/placement={name}")
    found.sort(key=lambda d: int(d["metadata"]["name"].rpartition("-")[2]))
    status: Mapping[str, Any] = now.get("status") or {}
    whole = {
        "decisions": [_seen_decision(stage, now, d) for d in found],
        "groups": status.get("decisionGroups"),
        "selected": status.get("numberOfSelectedClusters") or 0,  # OCM leaves a first 0 out
        "conditions": conditions(now),
    }
    plain: dict[str, Any] = stage.plain(whole)
    plain["conditions"] = {k: tuple(v) for k, v in plain["conditions"].items()}
    return plain


def _seen_decision(stage: Stage, placement: Object, decision: Object) -> dict[str, Any]:
    owners = decision["metadata"].get("ownerReferences", [])
    for owner in owners:
        assert owner["uid"] == placement["metadata"]["uid"], stage.prefix
    return {
        "name": decision["metadata"]["name"],
        "labels": decision["metadata"].get("labels"),
        "owners": [{k: v for k, v in owner.items() if k != "uid"} for owner in owners],
        "finalizers": decision["metadata"].get("finalizers", []),
        "clusters": (decision.get("status") or {}).get("decisions") or [],
    }


async def clusters_of(stage: Stage, placement: Object) -> list[str]:
    """Which clusters the decisions name, in their order."""
    whole = await seen(stage, placement)
    return [c["clusterName"] for d in whole["decisions"] for c in d["clusters"]]


async def notes(stage: Stage, placement: Object, reason: str) -> list[tuple[str, str]]:
    """The events of one reason about a placement: type and note."""
    events = await stage.list("events.k8s.io/v1", "Event", placement["metadata"]["namespace"])
    return [
        (e["type"], stage.plain(e["note"]))
        for e in events
        if e.get("reason") == reason and e["regarding"]["name"] == placement["metadata"]["name"]
    ]
