"""The policy after the merge: what it refuses does not come in force, until somebody means it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.objects.ref import Resource
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.gate import LOOK_AGAIN
from gitops_ocm.sync.loop import SyncLoop, SyncSettings
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from gitops_ocm.testing.waiting import eventually

pytestmark = pytest.mark.slow

FEW = "policy:\n  rules:\n    - name: few\n      maxDeletions: 1\n      message: Ask first.\n"
FILES = {
    "gitops-ocm.yaml": FEW,
    "hub/ns.yaml": NAMESPACE,
    **{f"hub/{name}.yaml": config_map(name) for name in "abcdef"},
}
TWO_GONE: dict[str, str | None] = {"hub/a.yaml": None, "hub/b.yaml": None}
ALL = list("abcdef")


class Moved(SystemClock):
    """The machine's clock, put to another time."""

    def __init__(self, at: str) -> None:
        self.at = datetime.fromisoformat(at).replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


def loop_at(fleet: Fleet, clock: SystemClock) -> SyncLoop:
    """A sync process whose wall clock is that one."""
    settings = SyncSettings(fleet.cache, patience=0.0, retry_base=0.01)
    return SyncLoop(
        fleet.wire,
        "fleet",
        settings=settings,
        catalog=load_catalog(),
        clock=clock,
        listener=fleet.events.append,
    )


async def started(fleet: Fleet, policy: str = FEW) -> str:
    """A hub that runs the repository with a policy."""
    commit = fleet.repo.commit({**FILES, "gitops-ocm.yaml": policy})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    return commit


def say(fleet: Fleet, message: str) -> str:
    """A commit that changes nothing and says something."""
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    commit = fleet.repo.git(*name, "commit-tree", "main^{tree}", "-p", "main", "-m", message)
    fleet.repo.git("update-ref", "refs/heads/main", commit)
    return commit


async def policy_of(fleet: Fleet) -> dict[str, Any]:
    found: dict[str, Any] = (await fleet.status()).get("policy") or {}
    return found


async def test_a_first_commit_has_nothing_to_be_judged_by(fleet: Fleet) -> None:
    """It comes in force with its policy, which is noted."""
    commit = await started(fleet)
    assert await policy_of(fleet) == {"rulesInForce": 1, "commit": commit, "allowed": True}


async def test_a_refused_commit_changes_nothing(fleet: Fleet) -> None:
    """The last commit stays in force, and the HubSync tells which rule, where, and what to do."""
    first = await started(fleet)
    second = fleet.repo.commit({**TWO_GONE, "hub/c.yaml": config_map("c", "2")})
    attempt = await fleet.loop().once()
    assert attempt.verdict.reason == "RefusedByPolicy"
    assert await fleet.names() == ALL
    status = await fleet.status()
    assert (status["lastAppliedCommit"], status["lastAttemptedCommit"]) == (first, second)
    assert await fleet.condition("Ready") == ("False", "RefusedByPolicy")
    assert await fleet.condition("Stalled") == ("True", "RefusedByPolicy")
    (problem,) = status["problems"]
    assert (problem["code"], problem["path"], problem["line"]) == ("policy-refuses", "gitops-ocm.yaml", 3)
    assert (
        "2 of 7 objects deleted (ConfigMap shop/a, ConfigMap shop/b); at most 1 may be" in problem["message"]
    )
    assert "Gitops-Override: few: REASON" in problem["message"]
    policy = status["policy"]
    assert (policy["commit"], policy["allowed"], policy["rulesInForce"]) == (second, False, 1)
    assert [(r["rule"], r["verdict"], r["line"]) for r in policy["rulings"]] == [("few", "refused", 3)]


EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)


async def test_refusals_and_overrides_are_events(fleet: Fleet) -> None:
    """Each is told once, about the HubSync, however often the sync looks at the commit."""
    await started(fleet)
    fleet.repo.commit(TWO_GONE)
    loop = fleet.loop()
    await loop.once()
    await loop.once()
    say(fleet, "Mean it\n\nGitops-Override: few: agreed in #12")
    await loop.once()
    found = (await fleet.wire.hub.list(EVENTS, "default")).items
    told = {event["reason"]: event for event in found}
    assert len(found) == len(told) == 2
    assert told["RefusedByPolicy"]["regarding"]["name"] == "fleet"
    assert "few: 2 of 7 objects deleted" in told["RefusedByPolicy"]["note"]
    assert "(meant: agreed in #12)" in told["PolicyOverridden"]["note"]


async def test_an_override_lets_it_through_and_is_recorded(fleet: Fleet) -> None:
    """A later commit's trailer, with its reason, is on the HubSync; the next commit is judged anew."""
    await started(fleet)
    fleet.repo.commit(TWO_GONE)
    assert not (await fleet.loop().once()).ok
    meant = say(fleet, "Mean it\n\nGitops-Override: few: agreed in #12")
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == list("cdef")
    (ruling,) = (await policy_of(fleet))["rulings"]
    assert (ruling["verdict"], ruling["override"], ruling["by"]) == ("overridden", "agreed in #12", meant)
    fleet.repo.commit({"hub/c.yaml": None, "hub/d.yaml": None})
    assert not (await fleet.loop().once()).ok
    assert await fleet.names() == list("cdef")


async def test_a_commit_cannot_take_the_policy_away(fleet: Fleet) -> None:
    """The policy in force judges, also of its own end."""
    await started(fleet)
    fleet.repo.commit({"gitops-ocm.yaml": None, **TWO_GONE})
    assert (await fleet.loop().once()).verdict.reason == "RefusedByPolicy"
    rules = [ruling["rule"] for ruling in (await policy_of(fleet))["rulings"]]
    assert rules == ["few", "policy"]
    assert await fleet.names() == ALL


async def test_a_broken_commit_after_a_refused_one_leaves_the_good_one_in_force(fleet: Fleet) -> None:
    """What was refused does not come in by the back door of the last commit without errors."""
    first = await started(fleet)
    loop = fleet.loop()
    fleet.repo.commit(TWO_GONE)
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    assert (await loop.sync_now()).verdict.reason == "RefusedByPolicy"
    fleet.repo.commit({"hub/c.yaml": "nonsense: ["})
    assert (await loop.sync_now()).verdict.reason == "InvalidCommit"
    stop.set()
    await running
    assert await fleet.names() == ALL
    assert (await fleet.status())["lastAppliedCommit"] == first


async def test_drift_is_put_back_while_a_commit_is_refused(fleet: Fleet) -> None:
    """The commit in force is kept so on the hub."""
    from gitops_ocm.objects.served import CONFIG_MAPS

    await started(fleet)
    fleet.repo.commit(TWO_GONE)
    await fleet.wire.hub.delete(CONFIG_MAPS, "shop", "a")
    await fleet.loop().once()
    assert await fleet.names() == ALL


async def test_killed_at_any_request_it_still_refuses(fleet: Fleet) -> None:
    """Whichever write is the last one before the wire is cut, nothing refused is ever applied."""
    await started(fleet)
    fleet.repo.commit(TWO_GONE)
    for at in (1, 2):
        fleet.wire.cut_after = fleet.wire.writes + at
        with suppress(Unreachable):
            await fleet.loop().once()
        fleet.wire.cut_after, fleet.wire.down = 0, False
        assert await fleet.names() == ALL
    assert (await fleet.loop().once()).verdict.reason == "RefusedByPolicy"


FREEZE = "policy:\n  rules:\n    - name: weekend\n      freeze: {from: Fri 17:00, to: Mon 08:00}\n"


async def test_a_freeze_is_waited_for(fleet: Fleet) -> None:
    """In its time nothing changes; the sync knows when it ends, and goes on by itself then."""
    await started(fleet, FREEZE)
    second = fleet.repo.commit({"hub/c.yaml": config_map("c", "2")})
    clock = Moved("2026-11-30 07:58:00")  # a Monday
    loop = loop_at(fleet, clock)
    attempt = await loop.once()
    assert attempt.verdict.reason == "FrozenByPolicy"
    assert attempt.until == clock.at + timedelta(minutes=2)
    assert await fleet.condition("Reconciling") == ("True", "FrozenByPolicy")
    assert (await policy_of(fleet))["until"] == "2026-11-30T08:00:00Z"
    clock.at += timedelta(minutes=2)
    assert (await loop.once()).ok
    assert (await fleet.status())["lastAppliedCommit"] == second


async def test_a_running_sync_wakes_when_a_freeze_ends(fleet: Fleet) -> None:
    """Nobody pokes it, and its interval is an hour."""
    await started(fleet, FREEZE)
    second = fleet.repo.commit({"hub/c.yaml": config_map("c", "2")})
    clock = Moved("2026-11-30 07:59:59")
    loop = loop_at(fleet, clock)
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    assert (await loop.sync_now()).verdict.reason == "FrozenByPolicy"
    clock.at += timedelta(seconds=1)

    async def arrived() -> bool:
        return bool((await fleet.status())["lastAppliedCommit"] == second)

    await eventually(arrived)
    stop.set()
    await running


async def test_what_was_let_through_is_not_judged_again(fleet: Fleet) -> None:
    """A commit that was under way when a freeze began is finished, also by a process that was restarted."""
    await started(fleet, FREEZE)
    second = fleet.repo.commit({"hub/c.yaml": config_map("c", "2")})
    clock = Moved("2026-11-27 16:59:00")
    fleet.wire.cut_before = fleet.wire.writes + 2
    with pytest.raises(Unreachable):
        await loop_at(fleet, clock).once()
    fleet.wire.cut_before, fleet.wire.down = 0, False
    assert (await fleet.status())["lastAppliedCommit"] != second
    clock.at += timedelta(minutes=5)
    assert (await loop_at(fleet, clock).once()).ok
    assert (await fleet.status())["lastAppliedCommit"] == second


async def test_judging_that_takes_too_long_refuses(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can say what the policy says, the commit waits, and it is said why."""
    await started(fleet)
    fleet.repo.commit({"hub/c.yaml": config_map("c", "2")})
    monkeypatch.setattr("gitops_ocm.sync.gate.LIMIT", -1.0)
    clock = Moved("2026-11-27 16:59:00")
    attempt = await loop_at(fleet, clock).once()
    assert attempt.verdict.reason == "RefusedByPolicy"
    assert "took longer than it may" in attempt.problems[0].message
    assert attempt.until == clock.at + LOOK_AGAIN
    say(fleet, "Go on\n\nGitops-Override: policy: I have looked at it myself")
    assert (await loop_at(fleet, clock).once()).ok
    assert (await policy_of(fleet))["rulings"][0]["override"] == "I have looked at it myself"


async def test_a_commit_in_force_that_is_gone_refuses(fleet: Fleet) -> None:
    """History was rewritten and swept away: the policy is not known, so somebody has to mean it."""
    await started(fleet)
    tree = fleet.repo.git("rev-parse", "main^{tree}")
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    fleet.repo.git("update-ref", "refs/heads/main", fleet.repo.git(*name, "commit-tree", tree, "-m", "Anew"))
    fleet.repo.git("reflog", "expire", "--expire=now", "--all")
    fleet.repo.git("gc", "--quiet", "--prune=now")
    attempt = await fleet.loop().once()
    assert attempt.verdict.reason == "RefusedByPolicy"
    assert "its policy is not known" in attempt.problems[0].message
    say(fleet, "Go on\n\nGitops-Override: policy: rewritten on purpose")
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == ALL


async def test_without_a_policy_nothing_is_asked_for_it(fleet: Fleet) -> None:
    """A commit costs the requests it did: one apply, one status."""
    fleet.repo.commit({path: text for path, text in FILES.items() if path != "gitops-ocm.yaml"})
    await fleet.sync_object()
    await fleet.loop().once()
    before = fleet.wire.writes
    fleet.repo.commit({"hub/c.yaml": config_map("c", "2")})
    assert (await fleet.loop().once()).ok
    assert fleet.wire.writes == before + 2
    assert "policy" not in await fleet.status()
