"""How far a cluster is with its work: what an agent's conditions come to, as OCM reads them and as we do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitops_ocm.api.work_replicaset import STARTED_ANNOTATION
from gitops_ocm.decide.rollout import ClusterState, State
from gitops_ocm.decide.work_states import state_of
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULES: Object = {"manifestConfigs": [{"conditionRules": [{"condition": "Progressing"}]}]}
LETTERS = {"A": "Applied", "V": "Available", "P": "Progressing", "D": "Degraded"}
STATUSES = {"+": "True", "-": "False", "?": "Unknown"}
GENERATION = 3


def at(minutes: int) -> datetime:
    """So many minutes before now."""
    return NOW - timedelta(minutes=minutes)


def work(told: str, *, arrived: int | None = None, generation: int = GENERATION, given: int = 0) -> Object:
    """A work of the cluster `c`. `told`: `A+30 P-40 D-!9` is Applied, not Progressing, and Degraded about an
    older generation, since so many minutes; `arrived`: when its manifest was tried.
    """
    conditions = []
    for part in told.split():
        stale, since = "!" in part, int(part[2:].strip("!") or 0)
        seen = generation - stale
        conditions.append(
            {
                "type": LETTERS[part[0]],
                "status": STATUSES[part[1]],
                "observedGeneration": seen,
                "lastTransitionTime": timestamp(at(since)),
            }
        )
    applied = {"type": "Applied", "status": "True", "observedGeneration": generation}
    manifests = (
        [{"conditions": [{**applied, "lastTransitionTime": timestamp(at(arrived))}]}] if arrived else []
    )
    meta: Object = {"name": "w", "namespace": "c", "generation": generation}
    meta["creationTimestamp"] = timestamp(at(600))
    if given:
        meta["annotations"] = {STARTED_ANNOTATION: timestamp(at(given))}
    status = {"conditions": conditions, "resourceStatus": {"manifests": manifests}}
    return {"metadata": meta, "spec": {}, "status": status}


AS_OCM = [
    ("", State.TO_APPLY, None),
    ("A-5 P-5", State.TO_APPLY, None),
    ("A?5 P-5", State.TO_APPLY, None),
    ("A+!5 P-5", State.TO_APPLY, None),
    ("A+5", State.TO_APPLY, None),
    ("A+5 P-!5", State.TO_APPLY, None),
    ("A+5 P-5 D-!5", State.TO_APPLY, None),
    ("A+5 P+7 D+9", State.FAILED, 9),
    ("A+5 P+7 D-9", State.PROGRESSING, 7),
    ("A+5 P+7 D?9", State.PROGRESSING, 7),
    ("A+5 P+7", State.PROGRESSING, 7),
    ("A+5 P-7", State.SUCCEEDED, 7),
    ("A+5 P-7 D+9", State.SUCCEEDED, 7),
    ("A+5 P?7", State.PROGRESSING, 7),
    ("A+5 P?7 D+9", State.PROGRESSING, 7),
]


@pytest.mark.parametrize(("told", "state", "since"), AS_OCM)
def test_what_ocm_makes_of_conditions(told: str, state: State, since: int | None) -> None:
    """The table of the reference, and that nothing but the conditions' own times counts."""
    expected = ClusterState("c", state, at(since) if since is not None else None)
    assert state_of(work(told, arrived=3, given=2), RULES, compat=True) == expected


@pytest.mark.parametrize(("told", "state", "since"), AS_OCM)
def test_we_make_the_same_of_them_but_for_times(told: str, state: State, since: int | None) -> None:
    """The same states; nothing counts from before the work was tried, and silence from when it was given."""
    found = state_of(work(told, arrived=3), RULES)
    assert (found.state, found.given) == (state, state is State.TO_APPLY)
    assert found.since == at(3)
    later = state_of(work(told, arrived=60), RULES)
    assert later.since == at(since if since is not None else 60)


OURS = [
    ("", {"given": 8}, State.TO_APPLY, 8),
    ("", {"generation": 1}, State.TO_APPLY, 600),
    ("", {}, State.TO_APPLY, None),
    ("A-!90 P-!90", {"given": 8}, State.TO_APPLY, 8),
    ("A+90 P-90", {"given": 8}, State.SUCCEEDED, 8),
    ("A+90 P-90", {"given": 8, "arrived": 4}, State.SUCCEEDED, 4),
    ("A+90 P-2", {"given": 8, "arrived": 4}, State.SUCCEEDED, 2),
    ("A+90 P-90", {}, State.SUCCEEDED, 90),
    ("A+90 P+90", {"arrived": 4}, State.PROGRESSING, 4),
    ("A+90 P+90 D+70", {"arrived": 4}, State.FAILED, 4),
]


@pytest.mark.parametrize(("told", "facts", "state", "since"), OURS)
def test_times_are_of_the_present_generation(
    told: str, facts: dict[str, int], state: State, since: int | None
) -> None:
    """A condition that stays as it was keeps its time; what began later counts instead."""
    found = state_of(work(told, **facts), RULES)
    assert (found.state, found.since) == (state, at(since) if since is not None else None)


@pytest.mark.parametrize(
    ("told", "state", "since"),
    [("A+90 P-90", State.SUCCEEDED, 4), ("A+90 P+90", State.PROGRESSING, 9), ("A-1", State.TO_APPLY, 9)],
)
def test_a_deadline_begins_with_the_first_manifest_and_a_soak_with_the_last(
    told: str, state: State, since: int
) -> None:
    """A manifest that fails and is applied again makes a soak begin anew, but no deadline longer."""
    found = work(told, arrived=9)
    manifests = found["status"]["resourceStatus"]["manifests"]
    manifests += work(told, arrived=4)["status"]["resourceStatus"]["manifests"]
    assert (state_of(found, RULES).state, state_of(found, RULES).since) == (state, at(since))


WITHOUT_RULES = [
    ("A+5 V+7", State.SUCCEEDED, 7, False),
    ("A+5 V-7", State.PROGRESSING, 7, False),
    ("A+5 V?7", State.PROGRESSING, 7, False),
    ("A+5", State.TO_APPLY, None, True),
    ("A+5 V+!7", State.TO_APPLY, None, True),
    ("A-5 V+7", State.TO_APPLY, None, True),
    ("A+5 V+7 D+9", State.FAILED, 9, False),
    ("A+5 V+7 D-9", State.SUCCEEDED, 7, False),
    ("A+5 V+7 P+9", State.PROGRESSING, 9, False),
]


@pytest.mark.parametrize(("told", "state", "since", "given"), WITHOUT_RULES)
def test_without_a_rule_about_progress_available_is_done(
    told: str, state: State, since: int | None, given: bool
) -> None:
    """A template need not say what progress is; where somebody reports it all the same it counts."""
    found = state_of(work(told), {})
    assert (found.state, found.given) == (state, given)
    assert found.since == (at(since) if since is not None else None)
    if "P" not in told:
        assert state_of(work(told), {}, compat=True).state is State.TO_APPLY
