"""Histories of rollouts to a fleet in memory: replica sets, placements, played agents, and the clock."""

from __future__ import annotations

import pytest

from gitops_ocm.api.placement import DECISION_GROUP_INDEX_LABEL, SCHEDULING_DISABLED_ANNOTATION
from gitops_ocm.decide.kinds import PLACEMENT_DECISION, cluster_ref
from gitops_ocm.objects.ref import Object, Ref
from tests.simulate.histories import Fleets
from tests.simulate.rollouts import SET, Rollouts

DOCUMENTED: Object = {
    "type": "Progressive",
    "progressive": {
        "mandatoryDecisionGroups": [{"groupName": "west"}, {"groupName": "east"}],
        "maxConcurrency": "25%",
        "minSuccessTime": "5m",
        "progressDeadline": "10m",
        "maxFailures": 2,
    },
}
"""The documentation's example."""
FLEET = {"west": ("w1", "w2"), "east": ("e1", "e2"), "rest": tuple("abcdefgh")}
THREE = {"rest": ("a", "b", "c")}


def progressive(**options: object) -> Object:
    """Strategy Progressive."""
    return {"type": "Progressive", "progressive": options}


def test_the_documentation_s_example_from_canaries_to_the_end(fleets: Fleets) -> None:
    """Canary groups one after the other, each soaks; a quarter at a time; two may fail, the third stops it.

    Nothing but the clock and what agents tell moves it. What failed and becomes good sets it going again.
    """
    it = Rollouts(fleets, FLEET, DOCUMENTED)
    assert it.having("1") == "w1 w2"
    it.fares("good", "w1 w2")
    it.wait(minutes=4)
    assert it.having("1") == "w1 w2"
    it.wait(minutes=1)
    assert it.having("1") == "e1 e2 w1 w2"
    it.fares("busy", "e1")
    it.fares("good", "e2")
    it.wait(minutes=9)
    it.fares("good", "e1")
    it.wait(minutes=5)
    canaries = "e1 e2 w1 w2"
    assert it.having("1") == f"a b {canaries}"
    it.fares("busy", "b")
    it.fares("good", "a")
    it.wait(minutes=6)
    assert it.having("1") == f"a b {canaries}", "the next two start together"
    it.wait(minutes=4)
    assert it.having("1") == f"a b c d {canaries}", "b has timed out, which is tolerated"
    assert it.said() == ("False", "Progressing", "")
    it.fares("bad", "c d")
    it.wait(minutes=20)
    assert it.having("1") == f"a b c d {canaries}"
    stopped = "placement p: stopped, for b, c, d failed"
    assert it.said() == ("False", "Progressing", stopped)
    assert it.events() == [("RolloutWarning", stopped)]
    it.fares("good", "c")
    assert it.said() == ("False", "Progressing", "")
    it.wait(minutes=5)
    assert it.having("1") == "a b c d e e1 e2 f w1 w2"
    it.fares("good", "e f")
    it.wait(minutes=5)
    it.fares("good", "g h b d")
    assert it.said() == ("True", "Complete", "")


def test_as_ocm_the_example_freezes_at_the_first_failure(fleets: Fleets) -> None:
    """With the compatibility asked for, OCM's decision is kept, also where it never ends."""
    it = Rollouts(fleets, FLEET, DOCUMENTED, compat=True)
    it.fares("good", "w1 w2")
    it.wait(minutes=5)
    it.fares("good", "e1 e2")
    it.wait(minutes=5)
    it.fares("good", "a")
    it.fares("busy", "b")
    it.wait(hours=3)
    assert it.having("1") == "a b e1 e2 w1 w2"


@pytest.mark.parametrize(("compat", "after"), [(False, "a"), (True, "a b")])
def test_a_soak_counts_from_the_present_template(fleets: Fleets, compat: bool, after: str) -> None:
    """A condition that stayed good through a change keeps its old time: that has soaked nothing yet."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1, minSuccessTime="5m"), compat=compat)
    for cluster in "abc":
        it.fares("good", cluster)
        it.wait(minutes=5)
    it.wait(hours=1)
    it.change("2")
    assert it.having("2") == "a"
    it.fares("good", "a")
    assert it.having("2") == after
    if not compat:
        it.wait(minutes=5)
        assert it.having("2") == "a b"


@pytest.mark.parametrize(("compat", "after"), [(False, "a"), (True, "a b")])
def test_a_deadline_counts_from_the_present_template(fleets: Fleets, compat: bool, after: str) -> None:
    """Progressing since the last template is no reason to call the present one late."""
    strategy = progressive(maxConcurrency=1, progressDeadline="10m", maxFailures="100%")
    it = Rollouts(fleets, THREE, strategy, compat=compat)
    it.fares("busy", "a")
    it.wait(minutes=9)
    it.change("2")
    it.fares("busy", "a")
    it.wait(minutes=2)
    assert it.having("2") == after
    it.wait(minutes=8)
    assert it.having("2") == "a b"


@pytest.mark.parametrize("given", ["1", "2"])
def test_a_cluster_that_never_answers_times_out(fleets: Fleets, given: str) -> None:
    """No agent takes the work up: the deadline counts from when it was given, first or changed."""
    strategy = progressive(maxConcurrency=1, progressDeadline="10m", maxFailures=1)
    it = Rollouts(fleets, THREE, strategy)
    if given == "2":
        it.fares("good", "a")
        it.fares("good", "b")
        it.fares("good", "c")
        it.wait(hours=1)
        it.change("2")
    assert it.having(given) == "a"
    it.wait(minutes=9)
    assert it.having(given) == "a"
    it.wait(minutes=1)
    assert it.having(given) == "a b"
    it.wait(minutes=10)
    assert it.having(given) == "a b"
    assert it.said()[2] == "placement p: stopped, for a, b failed"


def test_success_of_an_older_template_is_none(fleets: Fleets) -> None:
    """Until its agent has seen the new work a cluster holds its place, whatever it told of the old one."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1))
    for cluster in "abc":
        it.fares("good", cluster)
    assert it.said()[1] == "Complete"
    it.change("2")
    it.wait(hours=5)
    assert it.having("2") == "a"
    assert it.said()[1] == "Progressing"
    it.fares("unapplied", "a")
    it.wait(hours=5)
    assert it.having("2") == "a"
    it.fares("good", "a")
    assert it.having("2") == "a b"


def test_works_without_rules_are_done_when_they_are_available(fleets: Fleets) -> None:
    """A template need not define Progressing for its rollout to go on."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1), rules=False)
    for cluster in "abc":
        it.fares("without rules", cluster)
    assert it.said() == ("True", "Complete", "")
    frozen = Rollouts(fleets, THREE, progressive(maxConcurrency=1), rules=False, compat=True)
    frozen.fares("without rules", "a")
    assert frozen.having("1") == "a"


def test_a_change_in_the_middle_starts_over_with_the_canaries(fleets: Fleets) -> None:
    """What was not reached keeps what it has until the new template's turn comes to it."""
    it = Rollouts(fleets, {"canary": ("z",), "rest": ("a", "b", "c")}, {"type": "All"})
    it.fares("good", "a b c z")
    it.fleet.patch(
        SET,
        {
            "spec": {
                "placementRefs": [
                    {
                        "name": "p",
                        "rolloutStrategy": progressive(
                            maxConcurrency=1, mandatoryDecisionGroups=[{"groupName": "canary"}]
                        ),
                    }
                ]
            }
        },
    )
    it.change("2")
    it.fares("good", "z")
    it.fares("busy", "a")
    assert (it.having("2"), it.having("1")) == ("a z", "b c")
    it.change("3")
    assert (it.having("3"), it.having("2"), it.having("1")) == ("z", "a", "b c")
    it.fares("good", "z")
    assert (it.having("3"), it.having("1")) == ("a z", "b c")
    it.fares("good", "a")
    it.fares("good", "b")
    it.fares("good", "c")
    assert it.said() == ("True", "Complete", "")


def test_each_placement_rolls_out_by_its_own_strategy(fleets: Fleets) -> None:
    """All at once for one, one at a time for the other; each is summed up for itself."""
    it = Rollouts(
        fleets, {"lab": ("l1", "l2"), "prod": ("a", "b")}, {"type": "All"}, progressive(maxConcurrency=1)
    )
    assert it.having("1") == "a l1 l2"
    it.fares("good", "l1 l2 a")
    assert it.having("1") == "a b l1 l2"
    parts = it.fleet.get(SET)["status"]["placementSummary"]
    assert [(p["name"], p["availableDecisionGroups"]) for p in parts] == [
        ("p", "1 (2 / 2 clusters applied)"),
        ("p1", "1 (2 / 2 clusters applied)"),
    ]


def test_group_by_group(fleets: Fleets) -> None:
    """A whole group starts when the one before is done; one failure in each is tolerated."""
    groups = {"one": ("a", "b"), "two": ("c", "d"), "three": ("e",)}
    strategy = {"type": "ProgressivePerGroup", "progressivePerGroup": {"maxFailures": "50%"}}
    it = Rollouts(fleets, groups, strategy)
    assert it.having("1") == "a b"
    it.fares("bad", "a")
    assert it.having("1") == "a b"
    it.fares("good", "b")
    assert it.having("1") == "a b c d"
    it.fares("bad", "c d")
    assert it.having("1") == "a b c d"
    assert it.said()[2] == "placement p: stopped, for a, c, d failed"
    it.fares("good", "d")
    assert it.having("1") == "a b c d e"


def test_a_cluster_that_leaves_makes_room(fleets: Fleets) -> None:
    """Its work goes, and its failure no longer counts."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1))
    it.fares("bad", "a")
    it.wait(hours=1)
    assert it.having("1") == "a"
    it.fleet.patch(cluster_ref("a"), {"metadata": {"labels": {"ring": "elsewhere"}}})
    assert it.having("1") == "b"
    assert it.said() == ("False", "Progressing", "")


def test_a_set_deleted_in_the_middle_takes_what_there_is(fleets: Fleets) -> None:
    """Nothing is given to anybody after that."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1, minSuccessTime="5m"))
    it.fares("good", "a")
    it.fleet.delete(SET)
    it.wait(hours=1)
    assert it.works() == {}


def test_options_change_in_the_middle(fleets: Fleets) -> None:
    """More may fail, or more at a time: the rollout goes on from where it is."""
    it = Rollouts(fleets, {"rest": tuple("abcd")}, progressive(maxConcurrency=1))
    it.fares("bad", "a")
    it.restrategise(maxFailures=1)
    assert it.having("1") == "a", "the failure holds the only place"
    it.restrategise(maxConcurrency=3)
    assert it.having("1") == "a b c"
    it.restrategise(maxFailures=0)
    it.fares("good", "b")
    assert it.having("1") == "a b c"


def test_a_misspelt_canary_is_told_loudly_and_once(fleets: Fleets) -> None:
    """OCM takes it for no canary at all; the condition and one event say that there is none."""
    strategy = progressive(mandatoryDecisionGroups=[{"groupName": "canry"}], maxConcurrency=1)
    it = Rollouts(fleets, {"canary": ("z",), "rest": ("a",)}, strategy)
    told = "placement p: no decision group is canry, so nothing is mandatory there"
    assert it.said() == ("False", "Progressing", told)
    it.fares("busy", "a")
    it.wait(hours=1)
    assert it.events() == [("RolloutWarning", told)]
    it.restrategise(mandatoryDecisionGroups=[{"groupName": "canary"}])
    assert it.said() == ("False", "Progressing", "")


def test_a_defined_group_without_clusters_is_no_misspelling(fleets: Fleets) -> None:
    """A canary group that is empty today is done."""
    strategy = progressive(mandatoryDecisionGroups=[{"groupName": "canary"}], maxConcurrency=1)
    it = Rollouts(fleets, {"canary": (), "rest": ("a", "b")}, strategy)
    assert it.having("1") == "a"
    assert it.said() == ("False", "Progressing", "")


@pytest.mark.parametrize(("compat", "first"), [(False, "a b"), (True, "a b c d")])
def test_without_a_concurrency_it_is_a_decision_group_s(fleets: Fleets, compat: bool, first: str) -> None:
    """As the API documents; OCM's replica sets take everything at once."""
    it = Rollouts(fleets, {"rest": tuple("abcd")}, progressive(), per_group="50%", compat=compat)
    assert it.having("1") == first


def test_labels_reach_works_without_a_rollout(fleets: Fleets) -> None:
    """No cluster sees them: they change at once, soaks and deadlines go on."""
    it = Rollouts(fleets, THREE, progressive(maxConcurrency=1, minSuccessTime="5m"))
    it.fares("good", "a")
    it.wait(minutes=3)
    it.fleet.patch(SET, {"metadata": {"labels": {"team": "blue"}}})
    assert it.works()["a"]["metadata"]["labels"]["team"] == "blue"
    it.wait(minutes=2)
    assert it.having("1") == "a b"


def test_decisions_that_cannot_be_read_touch_no_work(fleets: Fleets) -> None:
    """Without its index nobody knows which group a decision is: what is there stays, and it is said."""
    it = Rollouts(fleets, THREE, {"type": "All"})
    marks = {"metadata": {"annotations": {SCHEDULING_DISABLED_ANNOTATION: "true"}}}
    it.fleet.patch(it.place(), marks)
    decision = Ref(*PLACEMENT_DECISION, "fleet", "p-decision-1")
    it.fleet.patch(decision, {"metadata": {"labels": {DECISION_GROUP_INDEX_LABEL: "first"}}})
    assert it.having("1") == "a b c"
    said = it.fleet.condition(SET, "PlacementVerified")
    assert said is not None
    assert said[:2] == ("False", "NotAsExpected")
    assert said[2].startswith("incorrect group index")
    assert [reason for reason, _ in it.events()] == ["RolloutNotPossible"]


def test_a_new_cluster_in_a_canary_group_goes_first(fleets: Fleets) -> None:
    """Who joins a canary group in the middle is done before others continue."""
    strategy = progressive(maxConcurrency=1, mandatoryDecisionGroups=[{"groupName": "canary"}])
    it = Rollouts(fleets, {"canary": ("y",), "rest": ("a", "b", "c")}, strategy)
    it.fares("good", "y")
    it.fares("busy", "a")
    it.fleet.patch(cluster_ref("c"), {"metadata": {"labels": {"ring": "canary"}}})
    assert it.having("1") == "a c y"
    it.fares("good", "a")
    assert it.having("1") == "a c y"
    it.fares("good", "c")
    assert it.having("1") == "a b c y"
