"""Writes that do not stick are made again ever more slowly."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gitops_ocm.decide.contract import Apply, Create, Delete, MergePatch, Side, Update, Write
from gitops_ocm.live.repeats import BASE, CAP, FORGET, FREE, Repeats, fingerprint, pause
from gitops_ocm.objects.ref import Ref

OWNER = ("rows", Ref("", "ConfigMap", "shop", "web"))
REF = Ref("", "ConfigMap", "shop", "web")


def config(value: str, version: str = "1", **status: Any) -> dict[str, Any]:
    """A ConfigMap as read at a version."""
    meta = {"name": "web", "namespace": "shop", "resourceVersion": version, "generation": int(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": value}, "status": status}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Update(config("x", "1", seen=1)), Update(config("x", "2", seen=2)), True),
        (Update(config("x")), Update(config("y")), False),
        (Update(config("x")), Update(config("x"), Side.SPOKE), False),
        (Update(config("x")), Apply(config("x")), False),
        (
            MergePatch(REF, {"metadata": {"uid": "u", "resourceVersion": "1"}, "status": {"a": 1}}),
            MergePatch(REF, {"metadata": {"uid": "u", "resourceVersion": "2"}, "status": {"a": 1}}),
            True,
        ),
        (MergePatch(REF, {"status": {"a": 1}}), MergePatch(REF, {"status": {"a": 2}}), False),
    ],
)
def test_what_counts_as_the_same(one: Write, other: Write, same: bool) -> None:
    """Versions and what a server keeps do not make a write another one; what it says does."""
    assert (fingerprint([one]) == fingerprint([other])) is same


def test_slows_down_and_recovers() -> None:
    """The first repetitions go out at once, then each waits twice as long, up to the cap."""
    repeats, now = Repeats(), 0.0
    made: list[float] = []
    for _ in range(FREE + 14):
        while wait := repeats.wait(OWNER, [Update(config("x"))], now):
            now += wait
        made.append(now)
    gaps = [b - a for a, b in itertools.pairwise(made)]
    assert gaps[:FREE] == [0.0] * FREE
    assert gaps[FREE : FREE + 4] == [BASE, 2 * BASE, 4 * BASE, 8 * BASE]
    assert gaps[-1] == CAP


def test_other_writes_start_anew() -> None:
    """A write that says something else is made at once, and so is one after a long time of peace."""
    repeats = Repeats()
    for _ in range(FREE + 1):
        assert repeats.wait(OWNER, [Update(config("x"))], 0.0) == 0
    assert repeats.wait(OWNER, [Update(config("x"))], 0.0) > 0
    assert repeats.wait(OWNER, [Update(config("y"))], 0.0) == 0
    for _ in range(FREE + 1):
        repeats.wait(OWNER, [Update(config("y"))], 1.0)
    assert repeats.wait(OWNER, [Update(config("y"))], 1.0) > 0
    assert repeats.wait(OWNER, [Update(config("y"))], 1.0 + FORGET) == 0


def test_failures_are_not_repetitions() -> None:
    """A write that failed is tried again as the queue's backoff says."""
    repeats = Repeats()
    for _ in range(20):
        assert repeats.wait(OWNER, [Update(config("x"))], 0.0) == 0
        repeats.forget(OWNER)


def test_deletions_and_nothing_never_wait() -> None:
    """What says nothing that could be undone is left alone: deletions, questions, rehearsals."""
    repeats = Repeats()
    review = Create({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}})
    rehearsal = Create(config("x"), rehearsed_by="somebody")
    for writes in ([], [Delete(REF)], [review], [rehearsal]):
        assert [repeats.wait(OWNER, writes, 0.0) for _ in range(10)] == [0.0] * 10
    assert pause(0) == 0.0
