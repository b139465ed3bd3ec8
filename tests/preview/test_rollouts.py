"""How a change spreads: waves with their times, who is not reached, and why, in words with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.model import Rollout
from gitops_ocm.testing import objects as make
from tests.preview.merged import NOW, Files, named, previewed

SIX = tuple(f"c{number}" for number in range(1, 7))
GROUPS = {
    "groupStrategy": {
        "decisionGroups": [
            {
                "groupName": "canary",
                "groupClusterSelector": {"labelSelector": {"matchLabels": {"canary": "yes"}}},
            }
        ],
        "clustersPerDecisionGroup": 2,
    }
}


def progressive(**options: Any) -> Mapping[str, Any]:
    """Some at a time."""
    return {"type": "Progressive", "progressive": options}


def per_group(**options: Any) -> Mapping[str, Any]:
    """Group by group."""
    return {"type": "ProgressivePerGroup", "progressivePerGroup": options}


def fleet(*placements: str, refused: tuple[str, ...] = ()) -> Files:
    """Six clusters, two of them canaries, and a replica set on one placement of all, or on these."""
    files: Files = {
        f"clusters/{name}.yaml": [
            make.managed_cluster(
                name,
                accepted=name not in refused,
                labels={"canary": "yes" if name < "c3" else "no", "half": "1" if name < "c4" else "2"},
            )
        ]
        for name in SIX
    }
    halves = [
        make.placement(
            f"half{n}",
            "fleet",
            predicates=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"half": str(n)}}}}],
        )
        for n in (1, 2)
    ]
    files["hub/fleet.yaml"] = [
        make.namespace("fleet"),
        make.binding("default", "fleet"),
        make.placement("all", "fleet"),
        make.placement("grouped", "fleet", decisionStrategy=GROUPS),
        *halves,
    ]
    files["works/web.yaml"] = [
        make.replica_set("web", "fleet", placements or ("all",), [make.config_map("web")])
    ]
    return files


def spread(
    files: Files, *strategies: Mapping[str, Any] | None, assumed: Assumptions | None = None
) -> tuple[Rollout, ...]:
    """The rollouts of another template, under these strategies of the placements."""

    def edit(after: Files) -> None:
        spec = named(after, "ManifestWorkReplicaSet", "web")["spec"]
        for ref, strategy in zip(spec["placementRefs"], strategies, strict=True):
            if strategy is not None:
                ref["rolloutStrategy"] = strategy
        spec["manifestWorkTemplate"]["workload"]["manifests"] = [make.config_map("web", data={"key": "new"})]

    return previewed(files, edit, assumed=assumed).rollouts


def waves(found: Rollout) -> list[tuple[float, str, str, float | None, float | None]]:
    """Minutes after the merge, clusters, groups, minutes until soaked and until late."""

    def minutes(at: Any) -> float | None:
        return None if at is None else (at - NOW) / timedelta(minutes=1)

    return [
        (
            minutes(wave.at) or 0.0,
            " ".join(wave.clusters),
            " ".join(wave.groups),
            minutes(wave.soaked),
            minutes(wave.deadline),
        )
        for wave in found.waves
    ]


FAIL = Assumptions(failing=("c1",))
DOWN = Assumptions(down=("c1",))
GOES: dict[str, tuple[tuple[str, ...], Any, Assumptions | None, str, list[Any]]] = {
    "all": ((), None, None, "All, everyone at once", [(0, "c1 c2 c3 c4 c5 c6", "", 0, None)]),
    "all, slowly": (
        (),
        None,
        Assumptions(takes=60),
        "All, everyone at once",
        [(0, "c1 c2 c3 c4 c5 c6", "", 1, None)],
    ),
    "some at a time": (
        (),
        progressive(maxConcurrency=4, minSuccessTime="5m", progressDeadline="10m"),
        None,
        "Progressive, 4 at once, soak 5m, deadline 10m",
        [(0, "c1 c2 c3 c4", "", 5, 10), (5, "c5 c6", "", 10, 15)],
    ),
    "a share at a time, some may fail": (
        (),
        progressive(maxConcurrency="50%", maxFailures=1, progressDeadline="1m"),
        FAIL,
        "Progressive, 50% at once, deadline 1m, up to 1 may fail",
        [(0, "c1 c2 c3", "", 0, 1), (0, "c4 c5", "", 0, 1), (0, "c6", "", 0, 1)],
    ),
    "canaries first": (
        ("grouped",),
        progressive(maxConcurrency=4, minSuccessTime="1m", mandatoryDecisionGroups=[{"groupName": "canary"}]),
        None,
        "Progressive, 4 at once, soak 1m, canary first",
        [(0, "c1 c2", "canary", 1, None), (1, "c3 c4 c5 c6", "1 2", 2, None)],
    ),
    "group by group": (
        ("grouped",),
        per_group(minSuccessTime="1m"),
        None,
        "ProgressivePerGroup, group by group, soak 1m",
        [(0, "c1 c2", "canary", 1, None), (1, "c3 c4", "1", 2, None), (2, "c5 c6", "2", 3, None)],
    ),
}


@pytest.mark.parametrize("name", GOES)
def test_waves(name: str) -> None:
    """Who starts together, when at the earliest, when that has soaked and when it is late."""
    placements, strategy, assumed, in_words, expected = GOES[name]
    (found,) = spread(fleet(*placements), strategy, assumed=assumed)
    assert (found.strategy, waves(found)) == (in_words, expected)


STOPS: dict[str, tuple[tuple[str, ...], Any, Assumptions, str, str, str, str]] = {
    "one failed": (
        (),
        progressive(maxConcurrency=2),
        FAIL,
        "c3 c4 c5 c6",
        "c1",
        "",
        "stopped: 1 of 6 clusters failed (c1), maxFailures is 0",
    ),
    "more failed than the share that may": (
        (),
        progressive(maxConcurrency=3, maxFailures="20%"),
        Assumptions(failing=("c1", "c2", "c3")),
        "c4 c5 c6",
        "c1 c2 c3",
        "",
        "stopped: 3 of 6 clusters failed (c1, c2, c3), maxFailures is 20% (2)",
    ),
    "late is failed": (
        (),
        progressive(maxConcurrency=2, progressDeadline="10m", minSuccessTime="8m"),
        DOWN,
        "c4 c5 c6",
        "c1",
        "",
        "stopped: 1 of 6 clusters failed (c1), maxFailures is 0",
    ),
    "one does not answer, and nothing says how long that may take": (
        (),
        progressive(maxConcurrency=1),
        DOWN,
        "c2 c3 c4 c5 c6",
        "",
        "c1",
        "maxConcurrency is 1: c1 under way",
    ),
    "a failure that is tolerated holds its place": (
        (),
        progressive(maxConcurrency=1, maxFailures=2),
        FAIL,
        "c2 c3 c4 c5 c6",
        "c1",
        "",
        "maxConcurrency is 1: c1 failed",
    ),
    "a canary failed": (
        ("grouped",),
        progressive(maxFailures=3, mandatoryDecisionGroups=[{"groupName": "canary"}]),
        FAIL,
        "c3 c4 c5 c6",
        "c1",
        "",
        "stopped: 1 of 2 clusters of mandatory decision group canary failed (c1), none may",
    ),
    "a canary does not answer": (
        ("grouped",),
        progressive(mandatoryDecisionGroups=[{"groupName": "canary"}]),
        DOWN,
        "c3 c4 c5 c6",
        "",
        "c1",
        "mandatory decision group canary comes first: c1 under way",
    ),
    "one of a group failed": (
        ("grouped",),
        per_group(),
        Assumptions(failing=("c3",)),
        "c5 c6",
        "c3",
        "",
        "stopped: 1 of 2 clusters of decision group 1 failed (c3), maxFailures is 0",
    ),
    "one of a group does not answer": (
        ("grouped",),
        per_group(),
        Assumptions(down=("c4",)),
        "c5 c6",
        "",
        "c4",
        "decision group 1 comes first: c4 under way",
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_where_it_stops(name: str) -> None:
    """Who is not reached, failed or under way, and why, with limit and numbers; no end is told."""
    placements, strategy, assumed, waiting, failed, under_way, why = STOPS[name]
    (found,) = spread(fleet(*placements), strategy, assumed=assumed)
    assert (found.waiting, found.failed, found.under_way, found.why) == (
        tuple(waiting.split()),
        tuple(failed.split()),
        tuple(under_way.split()),
        why,
    )
    assert found.end is None


def test_placements_of_one_set() -> None:
    """Each placement of a replica set has its own rule, its own waves and its own end."""
    one, two = spread(fleet("half1", "half2"), progressive(maxConcurrency=2, minSuccessTime="1h"), None)
    assert (one.placement, two.placement) == ("fleet/half1", "fleet/half2")
    assert waves(one) == [(0, "c1 c2", "", 60, None), (60, "c3", "", 120, None)]
    assert waves(two) == [(0, "c4 c5 c6", "", 0, None)]
    assert (one.end, two.end) == (NOW + timedelta(hours=2), NOW)
    assert (one.kind, one.soak, two.kind) == ("Progressive", timedelta(hours=1), "All")


def test_of_clusters_that_are_not_accepted() -> None:
    """A cluster that has no namespace is not reached, and that is the reason."""
    files = fleet(refused=("c2",))
    named(files, "Placement", "all")["spec"]["tolerations"] = [{"operator": "Exists"}]
    (found,) = spread(files, None)
    assert found.waiting == ("c2",)
    assert found.why == "nothing can be made for c2: not accepted, so there is no namespace"


def test_without_a_placement() -> None:
    """A replica set on a placement that is not there reaches nobody, and says so."""

    def edit(files: Files) -> None:
        named(files, "ManifestWorkReplicaSet", "web")["spec"]["placementRefs"] = [{"name": "nowhere"}]

    (found,) = previewed(fleet(), edit).rollouts
    assert found.why == "Placement fleet/nowhere does not exist"


def test_mandatory_groups_are_told() -> None:
    """A policy can ask for canaries: which groups come first is told, and where the rule is written."""
    strategy = per_group(mandatoryDecisionGroups=[{"groupName": "canary"}], minSuccessTime="90s")
    (found,) = spread(fleet("grouped"), strategy)
    assert (found.mandatory, found.soak) == (("canary",), timedelta(seconds=90))
    assert (found.origin.path, found.placement) == ("works/web.yaml", "fleet/grouped")
