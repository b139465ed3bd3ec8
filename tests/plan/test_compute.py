"""The judgement of what a commit means: one row per case, and the laws that hold for all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.errors import Location
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Action, ChangeSet, DriftMode, Live, Policy, Reason
from gitops_ocm.plan.compute import compute, written_ahead
from gitops_ocm.plan.inventory import Entry, Inventory, entry_digest
from gitops_ocm.plan.outcome import recorded
from gitops_ocm.plan.wanted import Wanted

COMMIT = "c" * 40
A = Ref("", "ConfigMap", "n", "a")


def wanted(name: str = "a", value: str = "1", path: str = "hub/a.yaml", kind: str = "ConfigMap") -> Wanted:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "n"},
        "data": {"v": value},
    }
    return Wanted(Ref("", kind, "n", name), obj, digest(obj), 0, Location(path, 1, COMMIT))


def known(item: Wanted) -> Entry:
    return Entry("v1", entry_digest(item.digest))


def live(**fields: Any) -> Live:
    return Live(**{"uid": "u", "owner": "s", "path": "hub/a.yaml", "commit": COMMIT, **fields})


OLD = wanted(value="0")
NEW = wanted(value="1")

CASES: list[tuple[str, Entry | None, Live | None, Policy, Action, Reason, bool]] = [
    ("new", None, None, Policy(), Action.CREATE, Reason.NEW, False),
    ("new, overwriting", None, None, Policy(overwrite=True), Action.CREATE, Reason.NEW, True),
    ("labelled, not in inventory", None, live(), Policy(), Action.ADOPT, Reason.FOUND, False),
    ("of another sync", None, live(owner="x"), Policy(), Action.SKIP, Reason.FOREIGN, False),
    ("taken by another sync", known(NEW), live(owner="x"), Policy(), Action.SKIP, Reason.FOREIGN, False),
    ("same", known(NEW), live(), Policy(), Action.UNCHANGED, Reason.SAME, False),
    ("changed", known(OLD), live(), Policy(), Action.CONFIGURE, Reason.CHANGED, True),
    ("changed and gone", known(OLD), None, Policy(), Action.CREATE, Reason.CHANGED, True),
    (
        "changed and drifted",
        known(OLD),
        live(in_sync=False),
        Policy(),
        Action.CONFIGURE,
        Reason.CHANGED,
        True,
    ),
    ("moved", known(NEW), live(path="hub/b.yaml"), Policy(), Action.CONFIGURE, Reason.MOVED, True),
    ("drifted", known(NEW), live(in_sync=False), Policy(), Action.CONFIGURE, Reason.DRIFTED, True),
    ("gone", known(NEW), None, Policy(), Action.CREATE, Reason.GONE, True),
    (
        "drift reported",
        known(NEW),
        live(in_sync=False),
        Policy(drift=DriftMode.REPORT),
        Action.SKIP,
        Reason.DRIFT_REPORTED,
        True,
    ),
    (
        "gone, reported",
        known(NEW),
        None,
        Policy(drift=DriftMode.REPORT),
        Action.SKIP,
        Reason.DRIFT_REPORTED,
        True,
    ),
    (
        "drift ignored",
        known(NEW),
        live(in_sync=False),
        Policy(drift=DriftMode.IGNORE),
        Action.SKIP,
        Reason.DRIFT_IGNORED,
        True,
    ),
    ("interrupted create", Entry("v1"), None, Policy(), Action.CREATE, Reason.UNFINISHED, False),
    ("interrupted, there", Entry("v1"), live(), Policy(), Action.CONFIGURE, Reason.UNFINISHED, False),
]


@pytest.mark.parametrize(
    ("entry", "seen", "policy", "action", "reason", "force"),
    [c[1:] for c in CASES],
    ids=[c[0] for c in CASES],
)
def test_a_wanted_object(
    entry: Entry | None, seen: Live | None, policy: Policy, action: Action, reason: Reason, force: bool
) -> None:
    """What is done to an object Git wants, by what the inventory and the hub say of it."""
    inventory = Inventory({A: entry} if entry else {})
    (change,) = compute([NEW], inventory, {A: seen} if seen else {}, owner="s", commit=COMMIT, policy=policy)
    assert (change.action, change.reason, change.force) == (action, reason, force)


UNWANTED: list[tuple[str, Live | None, Policy, Action, Reason]] = [
    ("pruned", live(), Policy(max_prune_percent=100), Action.PRUNE, Reason.REMOVED),
    ("pruned, not seen", None, Policy(max_prune_percent=100), Action.PRUNE, Reason.REMOVED),
    ("opted out", live(prune_disabled=True), Policy(max_prune_percent=100), Action.SKIP, Reason.RELEASED),
    ("prune off", live(), Policy(prune=False), Action.SKIP, Reason.PRUNE_DISABLED),
    ("taken over", live(owner="x"), Policy(max_prune_percent=100), Action.SKIP, Reason.FOREIGN),
    ("guarded", live(), Policy(max_prune_percent=10), Action.SKIP, Reason.PRUNE_GUARDED),
]


@pytest.mark.parametrize(
    ("seen", "policy", "action", "reason"), [c[1:] for c in UNWANTED], ids=[c[0] for c in UNWANTED]
)
def test_an_object_that_left_git(seen: Live | None, policy: Policy, action: Action, reason: Reason) -> None:
    """What is done to an object of the inventory that Git no longer has."""
    stays = wanted("b")
    inventory = Inventory({A: known(NEW), stays.ref: known(stays)})
    plan = compute(
        [stays],
        inventory,
        {stays.ref: live(), **({A: seen} if seen else {})},
        owner="s",
        commit=COMMIT,
        policy=policy,
    )
    (change,) = [c for c in plan if c.ref == A]
    assert (change.action, change.reason) == (action, reason)


GUARD = [
    # (inventory size, kept, max percent, allowed, pruned)
    (10, 5, 50, False, 5),
    (10, 4, 50, False, 0),
    (10, 4, 50, True, 6),
    (10, 9, 0, False, 0),
    (10, 10, 0, False, 0),
    (10, 0, 100, False, 0),
    (10, 0, 100, True, 10),
    (1, 0, 50, False, 0),
    (3, 2, 50, False, 1),
    (10, 1, 100, False, 9),
]


@pytest.mark.parametrize(("size", "keep", "percent", "allowed", "pruned"), GUARD)
def test_prune_guard(size: int, keep: int, percent: int, allowed: bool, pruned: int) -> None:
    """A commit that deletes more than its share, or everything, deletes nothing unless allowed by id."""
    items = [wanted(f"o{i}") for i in range(size)]
    inventory = Inventory({i.ref: known(i) for i in items})
    policy = Policy(max_prune_percent=percent, allow_commit=COMMIT if allowed else "")
    plan = compute(
        items[:keep], inventory, {i.ref: live() for i in items}, owner="s", commit=COMMIT, policy=policy
    )
    assert plan.counts[Action.PRUNE] == pruned
    guarded = [d for d in plan.diagnostics if d.code == "prune-guarded"]
    assert bool(guarded) == (size > keep and not pruned)
    for found in guarded:
        assert (
            f'kubectl patch hubsync s --type=merge -p \'{{"spec":{{"prune":{{"allowCommit":"{COMMIT}"}}}}}}\''
            in (found.hint)
        )


def test_a_guarded_prune_is_not_thinned_out_by_new_objects() -> None:
    """Replacing everything is guarded before, during and after the new objects were added."""
    old = [wanted(f"old{i}") for i in range(4)]
    new = [wanted(f"new{i}") for i in range(8)]
    inventory = Inventory({i.ref: known(i) for i in old})
    for _ in range(3):
        seen = {ref: live() for ref in inventory}
        plan = compute(new, inventory, seen, owner="s", commit=COMMIT)
        assert plan.counts[Action.PRUNE] == 0
        inventory = written_ahead(plan, inventory)
        again = compute(new, inventory, seen, owner="s", commit=COMMIT)
        assert again.counts[Action.PRUNE] == 0
        inventory = recorded(again, inventory, applied={w.ref for w in new}, pruned=())
    allowed = compute(new, inventory, {}, owner="s", commit=COMMIT, policy=Policy(allow_commit=COMMIT))
    assert allowed.counts[Action.PRUNE] == len(old)


def test_held_objects_that_come_back_are_held_no_longer() -> None:
    """Bringing the files back ends the guard; a later small deletion is then allowed."""
    items = [wanted(f"o{i}") for i in range(4)]
    inventory = Inventory({i.ref: known(i) for i in items})
    seen = {i.ref: live() for i in items}
    plan = compute(items[:1], inventory, seen, owner="s", commit=COMMIT)
    inventory = written_ahead(plan, inventory)
    assert sum(entry.held for entry in inventory.values()) == 3
    plan = compute(items, inventory, seen, owner="s", commit=COMMIT)
    inventory = written_ahead(plan, inventory)
    assert not any(entry.held for entry in inventory.values())
    plan = compute(items[:3], inventory, seen, owner="s", commit=COMMIT)
    assert plan.counts[Action.PRUNE] == 1


NAMES = st.sampled_from([f"o{i}" for i in range(8)])
COMMITS = st.lists(st.dictionaries(NAMES, st.sampled_from("123"), max_size=8), min_size=1, max_size=6)
POLICIES = st.builds(
    Policy, prune=st.booleans(), max_prune_percent=st.sampled_from([0, 30, 50, 100]), overwrite=st.booleans()
)


def carried_out(plan: ChangeSet, hub: dict[Ref, Live]) -> tuple[set[Ref], set[Ref]]:
    """What a faultless hub makes of a plan."""
    applied, pruned = set(), set()
    for change in plan:
        if change.applies and change.wanted:
            hub[change.ref] = live(path=change.wanted.origin.path)
            applied.add(change.ref)
        elif change.action is Action.PRUNE:
            hub.pop(change.ref, None)
            pruned.add(change.ref)
    return applied, pruned


@settings(derandomize=True, deadline=None)
@given(COMMITS, POLICIES)
def test_a_plan_carried_out_leaves_nothing_to_do(commits: list[dict[str, str]], policy: Policy) -> None:
    """After every commit of a history, planning again finds nothing; no wanted object is ever missing."""
    hub: dict[Ref, Live] = {}
    inventory = Inventory()
    for content in commits:
        items = [wanted(name, value) for name, value in sorted(content.items())]
        plan = compute(items, inventory, hub, owner="s", commit=COMMIT, policy=policy)
        assert {c.ref for c in plan} == {i.ref for i in items} | set(inventory)
        ahead = written_ahead(plan, inventory)
        applied, pruned = carried_out(plan, hub)
        inventory = recorded(plan, ahead, applied=applied, pruned=pruned)
        again = compute(items, inventory, hub, owner="s", commit=COMMIT, policy=policy)
        assert again.nothing_to_do, str(again)
        assert written_ahead(again, inventory) is inventory
        assert {i.ref for i in items} <= hub.keys()
        assert {i.ref for i in items} <= set(inventory)


@settings(derandomize=True, deadline=None)
@given(COMMITS, st.data())
def test_no_crash_orphans_an_object(commits: list[dict[str, str]], data: st.DataObject) -> None:
    """Killed after any write, what is on the hub is in the inventory, and the next pass converges."""
    hub: dict[Ref, Live] = {}
    inventory = Inventory()
    policy = Policy(max_prune_percent=100, allow_commit=COMMIT)
    for content in commits:
        items = [wanted(name, value) for name, value in sorted(content.items())]
        plan = compute(items, inventory, hub, owner="s", commit=COMMIT, policy=policy)
        inventory = written_ahead(plan, inventory)
        work = [c for c in plan.changes if c.applies or c.action is Action.PRUNE]
        for change in work[: data.draw(st.integers(0, len(work)))]:
            carried_out(ChangeSet(COMMIT, (change,)), hub)
            assert hub.keys() <= set(inventory)
    items = [wanted(name, value) for name, value in sorted(commits[-1].items())]
    plan = compute(items, inventory, hub, owner="s", commit=COMMIT, policy=policy)
    inventory = written_ahead(plan, inventory)
    applied, pruned = carried_out(plan, hub)
    inventory = recorded(plan, inventory, applied=applied, pruned=pruned)
    assert hub.keys() == {i.ref for i in items} == set(inventory)


def test_a_refused_new_object_is_never_ours() -> None:
    """An object the hub refused is not claimed, one whose fate is unknown is, and a known one stays known."""
    items = [wanted("refused"), wanted("unknown"), wanted("kept", "2")]
    inventory = Inventory({items[2].ref: Entry("v1", "old")})
    plan = compute(items, inventory, {items[2].ref: live()}, owner="s", commit=COMMIT)
    ahead = written_ahead(plan, inventory)
    after = recorded(plan, ahead, applied=(), pruned=(), refused={items[0].ref, items[2].ref})
    assert dict(after) == {items[1].ref: Entry("v1"), items[2].ref: Entry("v1", "old")}


def test_a_change_set_prints_itself() -> None:
    """A plan as text names what changes and counts the rest."""
    items = [wanted("a"), wanted("b"), wanted("c")]
    inventory = Inventory({items[0].ref: known(items[0]), items[1].ref: Entry("v1", "old")})
    plan = compute(items, inventory, {i.ref: live() for i in items[:2]}, owner="s", commit=COMMIT)
    assert str(plan) == (
        "configure ConfigMap n/b (changed in Git)\n"
        "create ConfigMap n/c (new in Git)\n"
        "1 create, 1 configure, 1 unchanged"
    )
