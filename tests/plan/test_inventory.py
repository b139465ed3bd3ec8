"""The inventory: kinds with a version and a count, and a round trip through a HubSync's status."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Reason
from gitops_ocm.plan.inventory import Entry, Inventory, counted, written_ahead
from gitops_ocm.plan.wanted import Wanted

DNS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
KINDS = st.builds(
    Kind,
    group=st.one_of(st.just(""), DNS),
    kind=st.from_regex(r"[A-Z][A-Za-z0-9]{0,20}", fullmatch=True),
)
ENTRIES = st.builds(Entry, version=st.sampled_from(["v1", "v1beta1"]), count=st.integers(0, 10_000))
MAPS, WORKS = Kind("", "ConfigMap"), Kind("work.open-cluster-management.io", "ManifestWork")


@settings(derandomize=True, deadline=None)
@given(st.dictionaries(KINDS, ENTRIES, max_size=20))
def test_status_round_trip(entries: dict[Kind, Entry]) -> None:
    """What is written to a status is read back, in an order that does not depend on history."""
    status = Inventory(entries).to_status()
    assert dict(Inventory.from_status(status)) == entries
    assert Inventory(dict(reversed(entries.items()))).to_status() == status


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (None, {}),
        ({}, {}),
        ({"kinds": None}, {}),
        ({"kinds": [{"kind": "ConfigMap"}]}, {MAPS: Entry("")}),
        ({"kinds": [{"group": "", "kind": ""}]}, {}),
        ({"entries": [{"id": "n_a__ConfigMap", "v": "v1", "d": "1"}]}, {}),
    ],
    ids=["none", "empty", "null", "by hand", "nameless", "of another shape"],
)
def test_what_others_made_of_it_is_read_as_far_as_it_goes(
    status: dict[str, object] | None, kinds: dict[Kind, Entry]
) -> None:
    """A status that was edited by hand hides or invents kinds to look at, and breaks nothing."""
    assert dict(Inventory.from_status(status)) == kinds


def apply(kind: Kind, name: str, action: Action = Action.CREATE, version: str = "v1") -> Change:
    """A change of an object Git wants."""
    ref = Ref(*kind, "n", name)
    return Change(ref, action, Reason.NEW, Wanted(ref, {}, ""), version=version)


def test_a_new_kind_is_entered_before_its_first_object() -> None:
    """Only a kind that is not known yet makes a new inventory, however many objects of it come."""
    known = Inventory({MAPS: Entry("v1", 7)})
    same = ChangeSet("c", tuple(apply(MAPS, str(i)) for i in range(5)))
    assert written_ahead(same, known) is known
    idle = ChangeSet("c", (apply(WORKS, "w", Action.SKIP),))
    assert written_ahead(idle, known) is known
    both = ChangeSet("c", (apply(MAPS, "a"), apply(WORKS, "w")))
    assert dict(written_ahead(both, known)) == {MAPS: Entry("v1", 7), WORKS: Entry("v1")}


def test_a_kind_that_was_there_already_is_entered() -> None:
    """Where the record was lost, what the objects themselves tell is recorded again."""
    plan = ChangeSet("c", (apply(MAPS, "a", Action.UNCHANGED),))
    assert counted(plan, Inventory(), {MAPS: 1}, served=lambda kind: True) == {MAPS: Entry("v1", 1)}


@pytest.mark.parametrize(
    ("in_git", "left", "served", "kept"),
    [
        (True, 1, True, True),
        (True, 0, True, True),
        (False, 1, True, True),
        (False, 0, True, False),
        (False, 0, False, True),
    ],
    ids=["in Git", "in Git, none yet", "objects left", "nothing left", "not served"],
)
def test_a_kind_is_forgotten_only_when_nothing_of_it_can_be_left(
    in_git: bool, left: int, served: bool, kept: bool
) -> None:
    """Not while Git wants it, not while objects are there, and not while the hub hides them."""
    plan = ChangeSet("c", (apply(WORKS, "w"),) if in_git else ())
    known = Inventory({WORKS: Entry("v1", 3)})
    found = counted(plan, known, {WORKS: left}, served=lambda kind: served)
    assert dict(found) == ({WORKS: Entry("v1", left)} if kept else {})


def test_counting_the_same_again_changes_nothing() -> None:
    """An inventory that is true is handed back as it is; another version in Git is noted."""
    known = Inventory({MAPS: Entry("v1", 2)})
    plan = ChangeSet("c", (apply(MAPS, "a"), apply(MAPS, "b")))
    assert counted(plan, known, {MAPS: 2}, served=lambda kind: True) is known
    newer = ChangeSet("c", (apply(MAPS, "a", version="v2"),))
    assert counted(newer, known, {MAPS: 1}, served=lambda kind: True) == {MAPS: Entry("v2", 1)}
