"""The simulator's store: whatever was changed in it and undone again, it finds what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.contract import Delete, Index, MergePatch
from gitops_ocm.decide.kinds import MANAGED_CLUSTER
from gitops_ocm.decide.placement.decisions import FLEET
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.ledger import Ledger
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import START

pytestmark = pytest.mark.slow

CONFIG = Kind("", "ConfigMap")
BY_KEY = Index("by-key", CONFIG, lambda obj: obj.get("data", {}).values())
NAMES, SPACES, UIDS = ("a", "b", "c"), ("n1", "n2"), ("u1", "u2", "u3")

LABELS = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["1", "2"]))


@st.composite
def _objects(draw: st.DrawFn) -> Object:
    """A cluster or a ConfigMap, perhaps with an owner, perhaps on its way out."""
    number = draw(st.integers(0, len(NAMES) - 1))
    meta: Object = {"name": NAMES[number]}
    if labels := draw(LABELS):
        meta["labels"] = labels
    if owners := draw(st.lists(st.sampled_from(UIDS), max_size=2, unique=True)):
        meta["ownerReferences"] = [{"uid": uid} for uid in owners]
    if draw(st.booleans()):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if draw(st.booleans()):
        meta["uid"] = UIDS[number]
        api_version = "cluster.open-cluster-management.io/v1"
        return {"apiVersion": api_version, "kind": "ManagedCluster", "metadata": meta}
    meta["namespace"] = draw(st.sampled_from(SPACES))
    meta["uid"] = f"{meta['namespace']}-{number}"
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": draw(LABELS)}


CHANGES = st.lists(st.tuples(_objects(), st.booleans()), max_size=8)


def _change(ledger: Ledger, changes: Sequence[tuple[Object, bool]]) -> None:
    for obj, goes in changes:
        ref = ref_of(obj)
        if not goes:
            ledger.put(ref, obj)
        elif ledger.get(ref) is not None:
            ledger.remove(ref)


def _found(ledger: Ledger) -> list[Any]:
    """All that can be asked of it. `ending` may name more than has to go: it is asked about what does."""
    fleet = ledger.projected(FLEET)
    return [
        ledger.all(),
        sorted(ledger.objects().items()),
        [ledger.list(kind, space) for kind in (CONFIG, MANAGED_CLUSTER) for space in (None, "", *SPACES)],
        [ledger.list(CONFIG, space, {"x": v}) for space in (None, "n1") for v in ("1", "2")],
        ledger.list(CONFIG, None, {"x": "1", "y": "2"}),
        [ledger.indexed(BY_KEY, value) for value in ("1", "2")],
        [ledger.dependents(uid) for uid in UIDS],
        [ledger.inside(space) for space in SPACES],
        [obj for obj in ledger.ending() if obj["metadata"].get("deletionTimestamp")],
        [ledger.owners_alive(obj) for obj in ledger.all()],
        fleet.names(fleet.everyone),
        [list(fleet.names(fleet.bit(name))) for name in NAMES],
        list(fleet.names(fleet.deleting)),
    ]


@given(CHANGES, CHANGES, CHANGES, st.booleans())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_rewind(
    first: list[tuple[Object, bool]],
    undone: list[tuple[Object, bool]],
    then: list[tuple[Object, bool]],
    looked_up: bool,
) -> None:
    """What was undone never was, for every way to look things up, however far they were looked up before."""
    ledger, plain = Ledger(), Ledger()
    _change(ledger, first)
    _change(plain, first)
    if looked_up:
        _found(ledger)
    mark = ledger.mark()
    _change(ledger, undone)
    if looked_up:
        _found(ledger)
    ledger.rewind(mark)
    assert _found(ledger) == _found(plain)
    assert not ledger.news()
    _change(ledger, then)
    _change(plain, then)
    assert _found(ledger) == _found(plain)
    ledger.rewind(mark)
    again = Ledger()
    _change(again, first)
    assert _found(ledger) == _found(again)


def test_a_world_goes_back() -> None:
    """Versions, uids and what is still to go are as they were, too: the same again comes to the same."""
    world = World(load_catalog(), namespaces=["n1"])
    world.put(make.managed_cluster("c1"))
    mark = world.mark()
    histories = []
    for _ in range(3):
        world.changes()
        config = make.config_map("one", "n1")
        world.put({**config, "metadata": {**config["metadata"], "finalizers": ["a/b"]}})
        ref = ref_of(config)
        patch = MergePatch(Ref(*MANAGED_CLUSTER, "", "c1"), {"metadata": {"labels": {"x": "1"}}})
        results = [world.write(write, manager="test", now=START) for write in (patch, Delete(ref))]
        assert [result.error for result in results] == [None, None]
        histories.append((world.changes(), world.all(), len(world.since(mark))))
        world.rewind(mark)
        assert world.get(ref) is None
        assert not world.since(mark)
    assert histories[0] == histories[1] == histories[2]


def test_begin() -> None:
    """Many objects shown at once are as if each were put."""
    objects = [make.manifest_work(f"w{n}", "n1", [make.config_map("one")]) for n in range(3)]
    objects.append(make.namespace("n2"))
    one, other = (World(load_catalog(), namespaces=["n1"]) for _ in range(2))
    for obj in objects:
        one.put(obj)
    other.begin((ref_of(obj), obj) for obj in objects)
    assert one.all() == other.all()
    assert one.changes() == other.changes()
