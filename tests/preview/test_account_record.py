"""The account as one record says what the files of the status branch say, and nothing that is not its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.account_record import read, written
from gitops_ocm.preview.state import FleetState, read_state
from tests.preview.fleets import ordinary, repository, running, told

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def state() -> FleetState:
    """What the status branch of the ordinary fleet tells."""
    return read_state(told(running(repository(ordinary()))), at=AT)


def test_there_and_back(state: FleetState) -> None:
    """What is read is what was written: every object, in the same order, its fields too."""
    found = read(state.commit, written(state))
    assert found == state
    assert found is not None
    for (ref, obj), (was, before) in zip(found.objects.items(), state.objects.items(), strict=True):
        assert (ref, list(obj.items())) == (was, list(before.items()))
        assert list(obj["metadata"]) == list(before["metadata"])


def test_what_says_the_same_is_one(state: FleetState) -> None:
    """Equal statuses are one object afterwards."""
    found = read(state.commit, written(state))
    assert found is not None
    said = [obj["status"] for obj in found.objects.values() if "status" in obj]
    assert len({id(one) for one in said}) == len({str(one) for one in said}) < len(said)


@pytest.mark.parametrize(
    "meta",
    [{"name": "c1"}, {"name": ""}, {"name": "c1", "namespace": ""}, {"namespace": "c1", "name": "other"}, {}],
    ids=str,
)
def test_names(meta: dict[str, Any]) -> None:
    """Names come back as they were, whether they are those that the file is known by or not."""
    kind, refs = "cluster.open-cluster-management.io", ("c1", "c2")
    objects = {Ref(kind, "ManagedCluster", "", name): {"metadata": {**meta, "a": name}} for name in refs}
    objects |= {Ref(kind, "ManagedCluster", name, "c1"): {"metadata": dict(meta)} for name in refs}
    state = FleetState("c0ffee", objects)
    assert read(state.commit, written(state)) == state


@pytest.mark.parametrize("state", [FleetState(), FleetState("c0ffee")], ids=["no commit", "no file"])
def test_nothing(state: FleetState) -> None:
    """An account of nothing is one, too."""
    assert read(state.commit, written(state)) == state


def test_with_problems() -> None:
    """An account with a file that cannot be read is not kept: that is told of each time."""
    state = read_state(memory_tree({"clusters/one/cluster.yaml": "a: [1"}))
    assert state.problems
    assert written(state) == b""


def test_too_large_a_number(state: FleetState) -> None:
    """A number that JSON has no room for is no reason to fail: that account is read from its files."""
    ref = Ref("cluster.open-cluster-management.io", "ManagedCluster", "", "large")
    one: dict[str, Any] = {"kind": "ManagedCluster", "metadata": {"name": "large"}, "spec": {"n": 2**70}}
    assert written(replace(state, objects={**state.objects, ref: one})) == b""


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", b"{}", b"[]", b"[1,2,3,4]", b'["",[],[],[[7,"",""]]]', b'["then",[],[],[]]'],
    ids=str,
)
def test_of_another(data: bytes) -> None:
    """Bytes that nobody wrote for this are no account."""
    assert read("c0ffee", data) is None
