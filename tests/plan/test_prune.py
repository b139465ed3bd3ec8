"""What becomes of objects that left Git, and the guard that stops what looks like a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Action, ChangeSet, Live, Policy, PruneGuard, Reason
from gitops_ocm.plan.prune import Leaving, guard_after, guard_of, leaving

COMMIT, LATER = "c" * 40, "d" * 40


def refs(count: int) -> list[Ref]:
    """Some objects."""
    return [Ref("", "ConfigMap", "n", f"o{i}") for i in range(count)]


def judged(
    gone: int | dict[Ref, Live],
    standing: int = 10,
    *,
    commit: str = COMMIT,
    guard: PruneGuard | None = None,
    everything: bool | None = None,
    **policy: Any,
) -> Leaving:
    """Of `standing` objects `gone` left Git."""
    unwanted = {ref: Live("u", ours=True) for ref in refs(gone)} if isinstance(gone, int) else gone
    return leaving(
        unwanted,
        standing,
        everything=len(unwanted) == standing if everything is None else everything,
        owner="s",
        commit=commit,
        policy=Policy(**policy),
        guard=guard,
    )


@pytest.mark.parametrize(
    ("fields", "policy", "action", "reason"),
    [
        ({}, {}, Action.PRUNE, Reason.REMOVED),
        ({"prune_disabled": True}, {}, Action.RELEASE, Reason.OPTED_OUT),
        ({}, {"prune": False}, Action.RELEASE, Reason.PRUNE_DISABLED),
        ({"terminating": True}, {}, Action.SKIP, Reason.GOING),
        ({"terminating": True}, {"max_prune_percent": 0}, Action.SKIP, Reason.GOING),
        ({}, {"max_prune_percent": 9}, Action.SKIP, Reason.PRUNE_GUARDED),
    ],
    ids=["pruned", "opted out", "prune off", "going", "going, guarded", "guarded"],
)
def test_one_object(fields: dict[str, Any], policy: dict[str, Any], action: Action, reason: Reason) -> None:
    """What is done to one of ten objects that Git no longer has."""
    (change,) = judged({refs(1)[0]: Live("u", ours=True, **fields)}, **policy).changes
    assert (change.action, change.reason) == (action, reason)


GUARD = [
    # (on the hub, left Git, max percent, allowed, pruned)
    (10, 5, 50, False, 5),
    (10, 6, 50, False, 0),
    (10, 6, 50, True, 6),
    (10, 1, 0, False, 0),
    (10, 10, 100, False, 0),
    (10, 10, 100, True, 10),
    (1, 1, 50, False, 0),
    (3, 1, 50, False, 1),
    (10, 9, 100, False, 9),
]


@pytest.mark.parametrize(("standing", "gone", "percent", "allowed", "pruned"), GUARD)
def test_prune_guard(standing: int, gone: int, percent: int, allowed: bool, pruned: int) -> None:
    """A commit that deletes more than its share, or everything, deletes nothing unless allowed by id."""
    found = judged(gone, standing, max_prune_percent=percent, allow_commit=COMMIT if allowed else "")
    assert sum(change.action is Action.PRUNE for change in found.changes) == pruned
    assert found.guard == (None if pruned else PruneGuard(COMMIT, gone))
    assert [d.code for d in found.diagnostics] == ([] if pruned else ["prune-guarded"])
    patch = f'kubectl patch hubsync s --type=merge -p \'{{"spec":{{"prune":{{"allowCommit":"{COMMIT}"}}}}}}\''
    assert all(patch in told.hint for told in found.diagnostics)


def test_what_stays_anyway_is_not_counted() -> None:
    """Objects that are let go of, or are being deleted already, do not trip the guard."""
    one, two, three, four = refs(4)
    found = judged(
        {
            one: Live("u", ours=True, prune_disabled=True),
            two: Live("u", ours=True, prune_disabled=True),
            three: Live("u", ours=True, terminating=True),
            four: Live("u", ours=True),
        },
        standing=5,
        everything=False,
    )
    assert [change.action for change in found.changes] == [
        Action.RELEASE,
        Action.RELEASE,
        Action.SKIP,
        Action.PRUNE,
    ]


@pytest.mark.parametrize(
    ("gone", "standing", "policy", "held"),
    [
        (4, 12, {}, True),
        (4, 1000, {}, True),
        (1, 1000, {}, True),
        (4, 1000, {"max_prune_percent": 90}, True),
        (4, 1000, {"max_prune_percent": 100}, False),
        (4, 1000, {"allow_commit": LATER}, False),
        (4, 1000, {"allow_commit": COMMIT}, True),
        (0, 1000, {}, False),
    ],
    ids=["thinned", "far thinner", "fewer", "more allowed", "all allowed", "named", "earlier named", "back"],
)
def test_a_tripped_guard_holds(gone: int, standing: int, policy: dict[str, Any], held: bool) -> None:
    """However many objects later commits add: it holds until none is missing or the commit is allowed."""
    tripped = PruneGuard(COMMIT, 4)
    found = judged(gone, standing, commit=LATER, guard=tripped, **policy)
    assert any(change.reason is Reason.PRUNE_GUARDED for change in found.changes) is held
    if held:
        assert found.guard == PruneGuard(COMMIT, gone), "it names the commit that tripped it"
    plan = ChangeSet(LATER, found.changes, guard=found.guard)
    done = {change.ref for change in found.changes if change.action is Action.PRUNE}
    assert guard_after(plan, done) == (found.guard if held else None)


def test_an_allowed_deletion_that_was_interrupted_is_still_guarded() -> None:
    """Allowed for one commit and not finished: a later commit does not get the rest for nothing."""
    found = judged(4, 12, guard=PruneGuard(COMMIT, 4), allow_commit=COMMIT)
    plan = ChangeSet(COMMIT, found.changes, guard=found.guard)
    left = guard_after(plan, refs(3))
    assert left == PruneGuard(COMMIT, 4)
    rest = judged(1, 9, commit=LATER, guard=left, allow_commit=COMMIT)
    assert [change.reason for change in rest.changes] == [Reason.PRUNE_GUARDED]


@pytest.mark.parametrize(
    ("status", "guard"),
    [
        ({}, None),
        ({"pruneGuard": None}, None),
        ({"pruneGuard": {"commit": COMMIT, "count": 3}}, PruneGuard(COMMIT, 3)),
    ],
)
def test_the_guard_is_read_from_the_status(status: dict[str, Any], guard: PruneGuard | None) -> None:
    """What was recorded is found again."""
    assert guard_of(status) == guard


def test_what_is_on_disk_has_no_commit_to_allow() -> None:
    """The command that would let it go has a word in the commit's place, and not nothing."""
    (told,) = judged(9, commit="").diagnostics
    assert '"allowCommit":"COMMIT"' in told.hint
