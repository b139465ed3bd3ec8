"""What watches tell, in whatever order it arrives: drift is noticed, our own writes are not drift."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.errors import Location
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.sync.marks import marked
from gitops_ocm.sync.observed import Observed

COMMIT = "c" * 40


def wish(value: str = "1") -> Wanted:
    obj: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "n"},
        "data": {"v": value},
    }
    return Wanted(ref_of(obj), obj, digest(obj), 0, Location("a.yaml", 1, COMMIT))


A = wish().ref


def on_hub(
    version: int,
    *,
    data: dict[str, Any] | None = None,
    owner: str = "s",
    manager: str = "gitops-ocm-sync-s",
    operation: str = "Apply",
    labelled: bool = True,
) -> Object:
    """The object as a hub shows it at a version, with what its one manager holds."""
    obj = marked(wish(), owner=owner, commit=COMMIT)
    label: Object = {"f:labels": {"f:sync.gitops-ocm.io/name": {}}}
    fields: Object = {"f:data": {"f:v": {}}, "f:metadata": label if labelled else {}}
    managed = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1"}
    meta = {
        **obj["metadata"],
        "uid": "u",
        "resourceVersion": str(version),
        "managedFields": [{**managed, "fieldsV1": fields}],
    }
    return {**obj, "metadata": meta, "data": data or {"v": "1"}}


class Told:
    """Counts the news."""

    def __init__(self) -> None:
        self.count = 0
        self.observed = Observed("s", self._more)
        self.observed.expect({A: wish()})

    def _more(self) -> None:
        self.count += 1


@pytest.mark.parametrize("first", ["answer", "event"])
def test_our_own_apply_is_no_news(first: str) -> None:
    """Whether its answer or its watch event is quicker, an apply of ours is not drift."""
    told = Told()
    steps = [told.observed.applied, told.observed.seen]
    for step in steps if first == "answer" else reversed(steps):
        step(on_hub(5))
    assert told.count == 0
    assert told.observed[A].in_sync
    assert told.observed.off == frozenset()


def test_a_late_event_does_not_undo_a_newer_answer() -> None:
    """An event from before our apply that arrives after it tells nothing."""
    told = Told()
    told.observed.applied(on_hub(9))
    told.observed.seen(on_hub(5, data={"v": "x"}))
    assert told.observed[A].in_sync


def test_a_change_that_overtakes_the_answer_counts() -> None:
    """Somebody changed it right after our apply, and the watch told first: the answer is old."""
    told = Told()
    told.observed.applied(on_hub(5))
    told.observed.seen(on_hub(8, data={"v": "x"}))
    told.observed.applied(on_hub(7))
    assert not told.observed[A].in_sync
    assert told.observed.off == {A}


def test_a_list_begun_before_our_delete_brings_nothing_back() -> None:
    """What it still shows of an object that we deleted is old; that it is being deleted is not."""
    told = Told()
    told.observed.expect({})
    told.observed.seen(on_hub(5))
    told.observed.planned()
    told.observed.deleted(A)
    told.observed.seen(on_hub(6))
    assert not told.observed.counts()
    assert not told.observed.news
    going = on_hub(7)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    told.observed.seen(going)
    assert told.observed[A].terminating
    told.observed.gone(A)
    told.observed.planned()
    told.observed.seen(on_hub(8))  # nothing that was begun before is on its way any more
    assert dict(told.observed.counts()) == {A.of: 1}


def without(note: str) -> Object:
    """The object at version 6 without one of our annotations."""
    obj = on_hub(6)
    del obj["metadata"]["annotations"][f"sync.gitops-ocm.io/{note}"]
    return obj


@pytest.mark.parametrize(
    ("seen", "in_sync"),
    [
        (on_hub(6), True),
        (on_hub(6, data={"v": "1", "theirs": "x"}), True),
        (on_hub(6, data={"v": "x"}), False),
        (without("commit"), False),
        (without("digest"), False),
    ],
    ids=["touched", "foreign field", "our field", "no commit", "no digest"],
)
def test_what_is_drift(seen: Object, in_sync: bool) -> None:
    """Our fields and our marks are ours; fields of others are theirs."""
    told = Told()
    told.observed.applied(on_hub(5))
    told.observed.seen(seen)
    assert told.observed[A].in_sync is in_sync
    assert told.count == (0 if in_sync else 1)


NOT_OURS = {
    "label gone": on_hub(6, owner=""),
    "another HubSync's": on_hub(6, owner="other", manager="gitops-ocm-sync-other"),
    "copied by a controller": on_hub(6, manager="kube-controller-manager", operation="Update"),
    "applied by somebody": on_hub(6, manager="kubectl"),
    "labelled by another HubSync's manager": on_hub(6, manager="gitops-ocm-sync-other"),
    "written, not applied, in our name": on_hub(6, operation="Update"),
    "our fields without the label": on_hub(6, labelled=False),
}


@pytest.mark.parametrize("seen", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_what_is_not_ours_is_as_good_as_not_there(seen: Object) -> None:
    """A label proves nothing unless our own apply put it there: such an object is never pruned for it."""
    stranger = Told()
    stranger.observed.expect({})
    stranger.observed.seen(seen)
    assert (len(stranger.observed), stranger.count) == (0, 0)
    lost = Told()
    lost.observed.applied(on_hub(5))
    lost.observed.seen(seen)
    assert (lost.observed.get(A), set(lost.observed.off), lost.count) == (None, {A}, 1)


def test_a_value_the_server_writes_differently_costs_one_apply() -> None:
    """A normalised value looks like drift once; after the next apply its form on the hub is known."""
    told = Told()
    told.observed.applied(on_hub(5, data={"v": "one"}))
    assert told.observed[A].in_sync
    told.observed.seen(on_hub(6, data={"v": "one", "theirs": "x"}))
    assert not told.observed[A].in_sync
    told.observed.applied(on_hub(6, data={"v": "one", "theirs": "x"}))
    assert told.observed[A].in_sync
    told.observed.seen(on_hub(7, data={"v": "one", "theirs": "y"}))
    assert told.observed[A].in_sync
    told.observed.seen(on_hub(8, data={"v": "two"}))
    assert not told.observed[A].in_sync


def test_gone_and_back() -> None:
    """A deletion is news once, and so is the return."""
    told = Told()
    told.observed.applied(on_hub(5))
    told.observed.gone(A)
    told.observed.gone(A)
    assert (told.count, told.observed.off) == (1, frozenset({A}))
    told.observed.seen(on_hub(9))
    assert (told.count, told.observed.off) == (2, frozenset())


def test_what_git_does_not_want_is_not_judged() -> None:
    """Objects that left Git, or were never in it, are known but never drift."""
    told = Told()
    told.observed.applied(on_hub(5))
    told.observed.expect({})
    told.observed.seen(on_hub(6, data={"v": "x"}))
    told.observed.gone(Ref("", "ConfigMap", "n", "other"))
    assert told.observed[A].in_sync
    assert told.count == 0


def test_what_turns_up_without_being_wanted_is_news_once() -> None:
    """An object of ours that Git does not want, and nobody knew of, is for the next plan to delete."""
    told = Told()
    told.observed.expect({})
    told.observed.seen(on_hub(5))
    told.observed.seen(on_hub(6))
    assert (told.count, told.observed.news) == (1, True)
    told.observed.planned()
    told.observed.seen(on_hub(7))
    assert not told.observed.news


def test_objects_are_counted_by_kind() -> None:
    """What is being deleted does not count any more."""
    told = Told()
    told.observed.seen(on_hub(5))
    assert told.observed.counts() == {A.of: 1}
    going = on_hub(6)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    told.observed.seen(going)
    assert told.observed.counts() == {}


@pytest.mark.parametrize("seen_to", [4, 5])
def test_a_list_from_before_a_write_says_nothing_of_it(seen_to: int) -> None:
    """An object that a list lacks is gone, unless it was written after the list was made."""
    told = Told()
    told.observed.applied(on_hub(5))
    told.observed.only(A.of, (), lambda version: int(version) <= seen_to)
    assert (A in told.observed) is (seen_to < 5)
