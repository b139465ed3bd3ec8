"""The judgement of what a commit means: one row per case, and the laws that hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.errors import Location
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.plan.changes import Action, ChangeSet, DriftMode, Live, Policy, PruneGuard, Reason
from gitops_ocm.plan.compute import compute
from gitops_ocm.plan.inventory import Inventory, counted, written_ahead
from gitops_ocm.plan.prune import guard_after
from gitops_ocm.plan.wanted import Wanted

COMMIT = "c" * 40
A = Ref("", "ConfigMap", "n", "a")
MAPS = Kind("", "ConfigMap")


def wanted(name: str = "a", value: str = "1", path: str = "hub/a.yaml", kind: str = "ConfigMap") -> Wanted:
    obj: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "n"},
        "data": {"v": value},
    }
    return Wanted(Ref("", kind, "n", name), obj, digest(obj), 0, Location(path, 1, COMMIT))


def live(item: Wanted | None = None, **fields: Any) -> Live:
    """An object of ours on the hub, as `item` was applied."""
    item = item or wanted()
    told = {"owner": "s", "path": item.origin.path, "commit": COMMIT, "digest": item.digest[:16]}
    return Live(**{"uid": "u", "ours": True, **told, **fields})


OLD = wanted(value="0")
NEW = wanted(value="1")
FOREIGN = live(ours=False, owner="x")
REPORT, IGNORE = Policy(drift=DriftMode.REPORT), Policy(drift=DriftMode.IGNORE)

CASES: list[tuple[str, Wanted | None, Live | None, Policy, Action, Reason, bool]] = [
    ("new", None, None, Policy(), Action.CREATE, Reason.NEW, False),
    ("new, overwriting", None, None, Policy(overwrite=True), Action.CREATE, Reason.NEW, True),
    ("nobody's", None, live(ours=False, owner=""), Policy(), Action.ADOPT, Reason.FOUND, False),
    ("a copied label", None, live(ours=False), Policy(), Action.ADOPT, Reason.FOUND, False),
    ("of another sync", None, FOREIGN, Policy(), Action.SKIP, Reason.FOREIGN, False),
    ("taken by another sync", NEW, FOREIGN, Policy(), Action.SKIP, Reason.FOREIGN, False),
    ("same", NEW, live(), Policy(), Action.UNCHANGED, Reason.SAME, False),
    ("same, after a restart", None, live(), Policy(), Action.UNCHANGED, Reason.SAME, False),
    ("changed", OLD, live(OLD), Policy(), Action.CONFIGURE, Reason.CHANGED, True),
    ("without a digest", NEW, live(digest=""), Policy(), Action.CONFIGURE, Reason.CHANGED, True),
    ("changed and gone", OLD, None, Policy(), Action.CREATE, Reason.CHANGED, True),
    ("changed and gone, reported", OLD, None, REPORT, Action.CREATE, Reason.CHANGED, True),
    ("changed and drifted", OLD, live(OLD, in_sync=False), REPORT, Action.CONFIGURE, Reason.CHANGED, True),
    ("moved", NEW, live(path="hub/b.yaml"), Policy(), Action.CONFIGURE, Reason.MOVED, True),
    ("drifted", NEW, live(in_sync=False), Policy(), Action.CONFIGURE, Reason.DRIFTED, True),
    ("gone", NEW, None, Policy(), Action.CREATE, Reason.GONE, True),
    ("drift reported", NEW, live(in_sync=False), REPORT, Action.SKIP, Reason.DRIFT_REPORTED, True),
    ("gone, reported", NEW, None, REPORT, Action.SKIP, Reason.DRIFT_REPORTED, True),
    ("new, with drift reported", None, None, REPORT, Action.CREATE, Reason.NEW, False),
    ("drift ignored", NEW, live(in_sync=False), IGNORE, Action.SKIP, Reason.DRIFT_IGNORED, True),
]


@pytest.mark.parametrize(
    ("before", "seen", "policy", "action", "reason", "force"),
    [c[1:] for c in CASES],
    ids=[c[0] for c in CASES],
)
def test_a_wanted_object(
    before: Wanted | None, seen: Live | None, policy: Policy, action: Action, reason: Reason, force: bool
) -> None:
    """What is done to an object Git wants, by what was in force of it and what the hub says of it."""
    (change,) = compute(
        [NEW],
        {A: seen} if seen else {},
        owner="s",
        commit=COMMIT,
        policy=policy,
        in_force={A: before} if before else {},
    )
    assert (change.action, change.reason, change.force) == (action, reason, force)


def test_of_another_sync_tells_whose_and_from_where() -> None:
    """A person learns which HubSync has the object, and how to take it from one that is gone."""
    (problem,) = compute([NEW], {A: replace(FOREIGN, path="x/a.yaml")}, owner="s", commit=COMMIT).diagnostics
    assert problem.message == "HubSync x already manages this object (x/a.yaml)"
    assert "kubectl label configmap a -n n sync.gitops-ocm.io/name-" in problem.hint


NAMES = st.sampled_from([f"o{i}" for i in range(8)])
COMMITS = st.lists(st.dictionaries(NAMES, st.sampled_from("123"), max_size=8), min_size=1, max_size=6)
POLICIES = st.builds(
    Policy, prune=st.booleans(), max_prune_percent=st.sampled_from([0, 30, 50, 100]), overwrite=st.booleans()
)


def carried_out(plan: ChangeSet, hub: dict[Ref, Live]) -> set[Ref]:
    """What a faultless hub makes of a plan; what was deleted."""
    pruned = set()
    for change in plan:
        if change.applies and change.wanted:
            hub[change.ref] = live(change.wanted)
        elif change.action is Action.RELEASE:
            hub.pop(change.ref, None)
        elif change.action is Action.PRUNE:
            hub.pop(change.ref, None)
            pruned.add(change.ref)
    return pruned


def kinds(hub: dict[Ref, Live]) -> dict[Kind, int]:
    """How many objects there are of each kind."""
    return {kind: sum(ref.of == kind for ref in hub) for kind in {ref.of for ref in hub}}


@settings(derandomize=True, deadline=None)
@given(COMMITS, POLICIES)
def test_a_plan_carried_out_leaves_nothing_to_do(commits: list[dict[str, str]], policy: Policy) -> None:
    """After every commit of a history, planning again finds nothing; no wanted object is ever missing."""
    hub: dict[Ref, Live] = {}
    inventory, guard = Inventory(), None
    for content in commits:
        items = [wanted(name, value) for name, value in sorted(content.items())]
        plan = compute(items, hub, owner="s", commit=COMMIT, policy=policy, guard=guard)
        assert {c.ref for c in plan} == {i.ref for i in items} | hub.keys()
        inventory = written_ahead(plan, inventory)
        guard = guard_after(plan, carried_out(plan, hub))
        inventory = counted(plan, inventory, kinds(hub), served=lambda kind: True)
        again = compute(items, hub, owner="s", commit=COMMIT, policy=policy, guard=guard)
        assert again.nothing_to_do, str(again)
        assert guard_after(again, ()) == guard
        assert written_ahead(again, inventory) is inventory
        assert counted(again, inventory, kinds(hub), served=lambda kind: True) is inventory
        assert {i.ref for i in items} <= hub.keys()
        assert {kind: entry.count for kind, entry in inventory.items()} == kinds(hub)


@settings(derandomize=True, deadline=None)
@given(COMMITS, st.data())
def test_no_crash_orphans_an_object(commits: list[dict[str, str]], data: st.DataObject) -> None:
    """Killed after any write, the kinds on the hub are in the inventory, and the next pass converges."""
    hub: dict[Ref, Live] = {}
    inventory = Inventory()
    policy = Policy(max_prune_percent=100, allow_commit=COMMIT)
    for content in commits:
        items = [wanted(name, value) for name, value in sorted(content.items())]
        plan = compute(items, hub, owner="s", commit=COMMIT, policy=policy)
        inventory = written_ahead(plan, inventory)
        work = [c for c in plan.changes if c.applies or c.action is Action.PRUNE]
        for change in work[: data.draw(st.integers(0, len(work)))]:
            carried_out(ChangeSet(COMMIT, (change,)), hub)
            assert kinds(hub).keys() <= inventory.keys()
    items = [wanted(name, value) for name, value in sorted(commits[-1].items())]
    plan = compute(items, hub, owner="s", commit=COMMIT, policy=policy)
    inventory = written_ahead(plan, inventory)
    carried_out(plan, hub)
    assert hub.keys() == {i.ref for i in items}
    assert counted(plan, inventory, kinds(hub), served=lambda kind: True).keys() == kinds(hub).keys()


@settings(derandomize=True, deadline=None)
@given(COMMITS, st.data())
def test_no_crash_lets_a_guarded_deletion_through(commits: list[dict[str, str]], data: st.DataObject) -> None:
    """Whatever is killed when: no object is deleted by a history of which each commit wants too much."""
    stays = {f"keep{i}": wanted(f"keep{i}") for i in range(3)}
    hub: dict[Ref, Live] = {item.ref: live(item) for item in stays.values()}
    guard: PruneGuard | None = None
    for content in commits:
        # Every commit lacks all of `stays`, and brings objects that would thin their share out.
        items = [wanted(name, value) for name, value in sorted(content.items())]
        plan = compute(items, hub, owner="s", commit=COMMIT, guard=guard)
        guard = plan.guard
        assert plan.counts[Action.PRUNE] == 0
        work = [c for c in plan.changes if c.applies]
        for change in work[: data.draw(st.integers(0, len(work)))]:
            carried_out(ChangeSet(COMMIT, (change,)), hub)
    assert {item.ref for item in stays.values()} <= hub.keys()


def test_a_change_set_prints_itself() -> None:
    """A plan as text names what changes and counts the rest."""
    items = [wanted("a"), wanted("b"), wanted("c")]
    seen = {items[0].ref: live(items[0]), items[1].ref: live(wanted("b", "0"))}
    assert str(compute(items, seen, owner="s", commit=COMMIT)) == (
        "configure ConfigMap n/b (changed in Git)\n"
        "create ConfigMap n/c (new in Git)\n"
        "1 to create, 1 to configure, 1 unchanged"
    )
