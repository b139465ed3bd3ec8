"""Rollouts that do not go on: which are called so, by whom they are held, and what they follow from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.diagnosis.evidence import Rolling
from gitops_ocm.decide.rollout.explanation import explain
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.model import ClusterState, State
from gitops_ocm.objects.ref import Object
from tests.decide.diagnosis.given import LONG_AGO, NOW, found, hub, obj

NAMES = ("c1", "c2", "c3", "c4")
SET = "ManifestWorkReplicaSet fleet/web"
COMMAND = "gitops-ocm explain rollout mwrs/web -n fleet"


def cluster(name: str, available: str) -> Object:
    """A cluster whose agent has joined; whether it is available."""
    states = {
        "HubAcceptedManagedCluster": "True",
        "ManagedClusterJoined": "True",
        "ManagedClusterConditionAvailable": available,
    }
    told = [
        {
            "type": type_,
            "status": status,
            "reason": "R",
            "message": "",
            "lastTransitionTime": format_time(LONG_AGO),
        }
        for type_, status in states.items()
    ]
    spec = {"hubAcceptsClient": True, "leaseDurationSeconds": 60}
    status = {"conditions": told}
    return obj("cluster.open-cluster-management.io/v1", "ManagedCluster", name, spec=spec, status=status)


def lease(name: str) -> Object:
    """It was renewed just now."""
    spec = {"renewTime": format_time(NOW)}
    return obj("coordination.k8s.io/v1", "Lease", "managed-cluster-lease", name, spec=spec)


def rolling(strategy: Object, states: Mapping[str, State], groups: tuple[Group, ...] = ()) -> Rolling:
    """A rollout in which these clusters stand so since an hour; all others have not begun."""
    since = NOW - timedelta(hours=1)
    known = [ClusterState(name, state, since) for name, state in states.items()]
    known += [ClusterState(name) for name in NAMES if name not in states]
    told = explain("p", strategy, groups or (Group(0, "", tuple(NAMES)),), known, NOW)
    return Rolling(SET, told, COMMAND)


def progressive(**options: Any) -> Object:
    """A strategy."""
    return {"type": "Progressive", "progressive": options}


CASES: list[tuple[Rolling, str, str, str]] = [
    (rolling(progressive(maxConcurrency=2), {"c1": State.PROGRESSING}), "", "", ""),
    (rolling({"type": "All"}, {"c1": State.FAILED}), "", "", ""),
    (
        rolling(progressive(maxConcurrency=2, maxFailures=1), {"c1": State.FAILED, "c2": State.FAILED}),
        "",
        "rollout-stopped",
        (
            f"The rollout of {SET} over the placement p is stopped: 2 of 4 clusters failed (c1, c2), "
            "maxFailures is 1; 2 clusters wait."
        ),
    ),
    (
        rolling(progressive(maxConcurrency=1), {"c1": State.PROGRESSING}),
        "c1",
        "rollout-held",
        (
            f"The rollout of {SET} over the placement p does not go on: maxConcurrency is 1: c1 under way; "
            "3 clusters wait."
        ),
    ),
    (
        rolling(progressive(maxConcurrency=2), {"c1": State.PROGRESSING, "c2": State.PROGRESSING}),
        "c1",
        "",
        "",
    ),
    (
        rolling(
            progressive(mandatoryDecisionGroups=[{"groupName": "canary"}], maxConcurrency=4),
            {"c1": State.FAILED},
            (Group(0, "canary", ("c1",)), Group(1, "", tuple(NAMES[1:]))),
        ),
        "",
        "rollout-stopped",
        (
            f"The rollout of {SET} over the placement p is stopped: 1 of 1 clusters of mandatory decision "
            "group canary failed (c1), none may; 3 clusters wait."
        ),
    ),
]


@pytest.mark.parametrize(("given", "lost", "cause", "sentence"), CASES)
def test_what_is_said_of_a_rollout(given: Rolling, lost: str, cause: str, sentence: str) -> None:
    """One that goes on by itself is no trouble; one that does not is told with cause, clusters and limits."""
    seen = [item for n in NAMES for item in (cluster(n, "False" if n == lost else "True"), lease(n))]
    every = [
        finding
        for root in found(hub(*seen, rollouts=(given,))).findings
        for finding in (root, *root.follows)
        if finding.cause.startswith("rollout")
    ]
    assert [(f.cause, f.sentence, f.mend) for f in every] == ([(cause, sentence, COMMAND)] if cause else [])
    for finding in every:
        assert finding.through == given.standing.step.hold.by  # type: ignore[union-attr]
        assert [fact.subject for fact in finding.facts] == [f"ManagedCluster {c}" for c in finding.through]


def test_a_rollout_follows_from_its_clusters() -> None:
    """Where the cluster that holds it is not well, that is what is wrong, and the rollout follows."""
    given = rolling(progressive(maxConcurrency=1), {"c1": State.PROGRESSING})
    seen = [item for n in NAMES for item in (cluster(n, "False" if n == "c1" else "True"), lease(n))]
    diagnosis = found(hub(*seen, rollouts=(given,)))
    assert [(f.cause, f.cluster, [g.cause for g in f.follows]) for f in diagnosis.findings] == [
        ("cluster-api-unwell", "c1", ["rollout-held"])
    ]
