"""What holds of every preview, tried on drawn fleets that really run their repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.plan.changes import Policy
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import Settings, Tried, attempt
from gitops_ocm.preview.state import read_state
from tests.preview.changes import drawn
from tests.preview.drawn import Case
from tests.preview.fleets import CATALOG, repository
from tests.preview.truth import HOURS, Before, account, before_change, merged, spread

pytestmark = pytest.mark.slow

ALL = Policy(max_prune_percent=100)
HEAD = "2" * 40
AT_REST = [seed for seed in range(20) if drawn(seed).meanwhile is None]


def _tried(start: Before, head: DesiredState, **settings: Any) -> Tried:
    return attempt(
        start.base,
        head,
        start.state,
        catalog=CATALOG,
        now=start.now,
        settings=Settings(policy=ALL, **settings),
    )


def _previewed(start: Before, head: DesiredState, **settings: Any) -> Preview:
    return preview_of(_tried(start, head, **settings), start.base, head, start.state, start.now)


@pytest.mark.parametrize("seed", AT_REST)
def test_no_change_is_none(seed: int) -> None:
    """A commit that changes no file does nothing to a fleet at rest but what the sync tries all the time: to
    make what others on the hub took away (an add-on, where its placements do not select the cluster).
    """
    case = drawn(seed)
    start = before_change(case)
    found = _previewed(start, repository(case.files, HEAD))
    lacking = {item.ref for item in start.base.objects if start.state.lacks(item.ref, start.base.commit)}
    assert {effect.ref for effect in found.effects} == lacking
    assert not found.clusters
    assert not found.selections
    assert not found.rollouts
    assert all(share.touched == 0 for share in found.shares)


@pytest.mark.parametrize("seed", AT_REST)
def test_the_way_back(seed: int) -> None:
    """The change undone turns every placement back, but those that keep, or only add, what they once had."""
    case = drawn(seed)
    start = before_change(case)
    head = repository(case.head, HEAD)
    there = {s.ref: s for s in _previewed(start, head).selections}
    merged(start.fleet, start.base, head, ALL)
    start.fleet.advance(hours=HOURS)
    state = read_state(account(start.fleet, head))
    end = replace(start, base=head, state=state, now=start.fleet.simulation.now)
    back = {s.ref: s for s in _previewed(end, repository(case.files, "3" * 40)).selections}
    free = _free(case)
    opposite = {ref: (s.after, s.before) for ref, s in there.items() if ref.name in free}
    assert {ref: (s.before, s.after) for ref, s in back.items() if ref.name in free} == opposite


def _free(case: Case) -> set[str]:
    """The placements that choose by what is there alone: none is limited, no taint lets clusters stay."""
    every = [obj for files in (case.files, case.head) for objects in files.values() for obj in objects]
    sticky = any(
        taint["effect"] == "NoSelectIfNew"
        for obj in every
        for taint in obj.get("spec", {}).get("taints") or ()
    )
    limited = {o["metadata"]["name"] for o in every if "numberOfClusters" in (o.get("spec") or {})}
    placements = {o["metadata"]["name"] for o in every if o["kind"] == "Placement"}
    return set() if sticky else placements - limited


@pytest.mark.parametrize("seed", range(8))
def test_a_preview_that_stops_is_the_beginning_of_the_whole(seed: int) -> None:
    """Who is given what until a moment does not depend on how far one looks."""
    case = drawn(seed)
    start, head = before_change(case), repository(case.head, HEAD)
    whole = spread(_tried(start, head).steps, start.now)
    for seconds in (0, 61, 600, 7200):
        until = timedelta(seconds=seconds)
        part = spread(_tried(start, head, until=until).steps, start.now)
        assert part == [given for given in whole if given.after <= seconds]


@pytest.mark.parametrize("seed", range(20))
def test_nobody_comes_after_a_failure(seed: int) -> None:
    """Where a strategy tolerates no failure, nobody is given anything after a cluster that fails, nor is
    anybody reached that is not reached where all goes well.
    """
    case = drawn(seed)
    start, head = before_change(case), repository(case.head, HEAD)
    well = {(r.owner, r.placement): r for r in _previewed(start, head).rollouts}
    strict = set(_strict(case))
    for failing in sorted({wave.clusters[0] for r in well.values() for wave in r.waves[:1]}):
        for rollout in _previewed(start, head, assumed=Assumptions(failing=(failing,))).rollouts:
            given = [wave for wave in rollout.waves if failing in wave.clusters]
            if (rollout.owner.name, rollout.placement.rpartition("/")[2]) not in strict or not given:
                continue
            assert all(wave.at <= given[0].at for wave in rollout.waves), (failing, rollout)


def _strict(case: Case) -> Iterator[tuple[str, str]]:
    """The replica sets and their placements that are to stop at the first failure."""
    for obj in (
        o for objects in case.head.values() for o in objects if o["kind"] == "ManifestWorkReplicaSet"
    ):
        for each in obj["spec"]["placementRefs"]:
            strategy = each.get("rolloutStrategy") or {"type": "All"}
            rule: Mapping[str, object] = next((v for k, v in strategy.items() if k != "type"), {})
            if strategy["type"] != "All" and "maxFailures" not in rule:
                yield obj["metadata"]["name"], each["name"]
