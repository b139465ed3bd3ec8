"""What is not reconciled before a merge makes no difference: previews are those of everything reconciled.

`attempt(whole=True)` reconciles all; without it only who is not at rest and what the change reaches. Held to
each other byte by byte, on drawn fleets, on pull requests as they are read, and on fleets whose account tells
that something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANIFEST_WORK, PLACEMENT, REPLICA_SET
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview import account_record
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.formats import Format, render
from gitops_ocm.preview.rest import OF_SETS
from gitops_ocm.preview.run import Settings, attempt
from gitops_ocm.preview.stage import set_up
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.preview.table import rows
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.simulate.process import process_of
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.verbs.preview import Reviewer
from tests.bench.preview_fleet import Size, cluster_file, cluster_name, desired, set_file, told
from tests.preview.changes import drawn
from tests.preview.fleets import CATALOG
from tests.preview.golden.cases import CASES
from tests.preview.golden.stage import NOW as GOLDEN_NOW
from tests.preview.golden.stage import Stage
from tests.preview.truth import before_change

SEEDS, AT_ONCE = 60, 15
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _both(
    base: DesiredState, head: DesiredState, state: FleetState, settings: Settings, now: datetime = NOW
) -> tuple[str, str]:
    """The preview, of an account that was recorded, and the one for which everything is reconciled."""
    recorded = account_record.read(state.commit, account_record.written(state)) or state
    found = []
    for told_of, whole in ((recorded, False), (state, True)):
        tried = attempt(base, head, told_of, catalog=CATALOG, now=now, settings=settings, whole=whole)
        found.append(render(preview_of(tried, base, head, told_of, now), Format.JSON))
    return found[0], found[1]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_drawn(first: int) -> None:
    """Of random fleets and changes."""
    for seed in range(first, first + AT_ONCE):
        start = before_change(drawn(seed))
        lazy, whole = _both(start.base, start.head, start.state, start.settings, start.now)
        assert lazy == whole, seed


@pytest.mark.slow
def test_pull_requests(tmp_path: Path) -> None:
    """Of pull requests as they are read."""
    stage = Stage(tmp_path / "fleet")
    for case in CASES:
        with Reviewer(stage.path) as reviewer:
            found = reviewer.read(f"main..{case.name}")
            if found.head.ok:
                settings = Settings(assumed=case.assumed)
                lazy, whole = _both(found.base, found.head, found.state, settings, GOLDEN_NOW)
                assert lazy == whole, case.name


# --- fleets whose account tells of something that is not as it is to be ------------------------------

SIZE = Size(clusters=8, placements=9, replica_sets=3)
NAME = cluster_name(3)
Told = dict[Ref, Object]
Texts = dict[str, str]


@cache
def _base() -> tuple[Texts, DesiredState, FleetState]:
    """A fleet at rest: its files, what they mean, and what is told of it."""
    files = desired(SIZE)
    state = read_state(memory_tree(told(files), commit="5" * 40), at=NOW - timedelta(minutes=5))
    return files, compile_tree(memory_tree(files, commit="b" * 40), CATALOG), state


def _of(kind: tuple[str, str], name: str = "", namespace: str = "") -> Callable[[Told], Any]:
    def find(objects: Told) -> Object:
        return next(
            obj
            for ref, obj in sorted(objects.items())
            if ref[:2] == kind and name in ref.name and namespace in ref.namespace
        )

    return find


WORK = _of(MANIFEST_WORK, "web-001", NAME)
CLUSTER = _of(MANAGED_CLUSTER, NAME)
MOST = _of(PLACEMENT, "most")


def _without(find: Callable[[Told], Any]) -> Callable[[Told], None]:
    def change(objects: Told) -> None:
        obj = find(objects)
        del objects[next(ref for ref, other in objects.items() if other is obj)]

    return change


def _says(find: Callable[[Told], Any], **status: Any) -> Callable[[Told], None]:
    return lambda objects: find(objects)["status"].update(status)


def _meta(find: Callable[[Told], Any], field: str, **values: str) -> Callable[[Told], None]:
    def change(objects: Told) -> None:
        meta = find(objects)["metadata"]
        meta[field] = {**meta.get(field, {}), **{k.replace("__", "/"): v for k, v in values.items()}}

    return change


def _one_too_many(objects: Told) -> None:
    """A work that a replica set made for a cluster that is not chosen for it, or was once."""
    work = deepcopy(WORK(objects))
    work["metadata"]["name"] = "web-001-older"
    objects[Ref(*MANIFEST_WORK, NAME, "web-001-older")] = work


def _conditions(*states: str, reason: str = "Told") -> list[Object]:
    """Conditions by what `TYPE=STATUS` says."""
    pairs = (state.split("=") for state in states)
    at = "2026-03-01T11:00:00Z"
    return [{"type": t, "status": s, "reason": reason, "lastTransitionTime": at} for t, s in pairs]


OWNER = "work.open-cluster-management.io__"
TOLD: dict[str, Callable[[Told], None]] = {
    "all is well": lambda objects: None,
    "a work is missing": _without(WORK),
    "a work fails": _says(WORK, conditions=_conditions("Applied=True", "Available=False", "Degraded=True")),
    "a work is under way": _says(WORK, conditions=_conditions("Applied=True", "Available=Unknown")),
    "a work was not answered": _says(WORK, conditions=[]),
    "a work waits for an assumed agent": _says(
        WORK, conditions=_conditions("Applied=True", "Progressing=True", reason="AssumedUnderWay")
    ),
    "a work has an earlier template": _meta(WORK, "annotations", **{"status.gitops-ocm.io__spec": "0" * 16}),
    "a work is of no set": _meta(WORK, "labels", **{f"{OWNER}manifestworkreplicaset": "fleet.gone"}),
    "a work is of another placement": _meta(WORK, "labels", **{f"{OWNER}placementname": "region-01"}),
    "a work is too many": _one_too_many,
    "a placement is not decided": _says(MOST, conditions=[]),
    "a placement was decided otherwise": _says(MOST, decisions=[cluster_name(0)]),
    "a replica set is not told of": _without(_of(REPLICA_SET, "web-001")),
    "a cluster is not told of": _without(CLUSTER),
    "a cluster has not joined": _says(CLUSTER, conditions=_conditions("HubAcceptedManagedCluster=True")),
    "a cluster does not answer": _says(
        CLUSTER,
        conditions=_conditions("HubAcceptedManagedCluster=True", "ManagedClusterConditionAvailable=Unknown"),
    ),
    "a cluster has a label of an add-on that is gone": _meta(
        CLUSTER, "labels", **{"feature.open-cluster-management.io__addon-x": "available"}
    ),
}


def _swap(path: str, old: str, new: str) -> Callable[[Texts], None]:
    def change(files: Texts) -> None:
        assert old in files[path]
        files[path] = files[path].replace(old, new)

    return change


SLOWLY = """name: most
    rolloutStrategy:
      type: Progressive
      progressive:
        minSuccessTime: 5m
        maxConcurrency: 1
"""


def _removal(path: str) -> Callable[[Texts], None]:
    def change(files: Texts) -> None:
        del files[path]

    return change


def _new_set(files: Texts) -> None:
    files["works/new.yaml"] = to_yaml(make.replica_set("new", "fleet", ["most"], [make.config_map("new")]))


CHANGES: dict[str, Callable[[Texts], None]] = {
    "nothing": lambda files: None,
    "a label": _swap(cluster_file(3), "ring: ring3", "ring: ring9"),
    "a template": _swap(set_file(1), "kind: Deployment", "kind: StatefulSet"),
    "a set goes": _removal(set_file(1)),
    "a set comes": _new_set,
    "a placement": _swap("hub/placements/most.yaml", "ring9", "ring2"),
    "a cluster goes": _removal(cluster_file(3)),
    "it is rolled out slowly": _swap(set_file(1), "name: most\n", SLOWLY),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", TOLD)
def test_what_is_told(damage: str) -> None:
    """Whatever is wrong with one object, and whatever changes."""
    files, base, state = _base()
    objects = deepcopy(dict(state.objects))
    TOLD[damage](objects)
    for name, change in CHANGES.items():
        after = dict(files)
        change(after)
        head = compile_tree(memory_tree(after, commit="f" * 40), CATALOG)
        assert head.ok, head.diagnostics
        account = FleetState(state.commit, objects, at=state.at)
        lazy, whole = _both(base, head, account, Settings())
        assert lazy == whole, name


ASSUMED = {
    "somebody fails": Settings(assumed=Assumptions(failing=(NAME,))),
    "somebody is away": Settings(assumed=Assumptions(down=("label=ring=ring2",))),
    "somebody moves": Settings(assumed=Assumptions(labels=(f"{NAME}:ring=ring9",))),
    "it takes a minute": Settings(assumed=Assumptions(takes=60)),
    "half way": Settings(assumed=Assumptions(takes=60), until=timedelta(seconds=90)),
    "OCM's rollouts": Settings(hub=HubSettings(rollout_compat=True)),
}


@pytest.mark.parametrize("name", ASSUMED)
def test_what_is_assumed(name: str) -> None:
    """Whatever clusters are assumed to do with a template that is rolled out slowly."""
    files, base, state = _base()
    after = dict(files)
    CHANGES["it is rolled out slowly"](after)
    CHANGES["a template"](after)
    head = compile_tree(memory_tree(after, commit="f" * 40), CATALOG)
    lazy, whole = _both(base, head, state, ASSUMED[name])
    assert lazy == whole


# --- what makes it quick ----------------------------------------------------------------------------


def test_who_is_at_rest() -> None:
    """Of a fleet at rest no replica set, no work and no cluster has anything to do."""
    _, base, state = _base()
    rest = set_up(base, state, CATALOG).rest(HubSettings(), NOW)
    assert {row for row, _ in rest.restless} <= {"cluster-sets", "cluster-set-bindings"}
    assert not rest.unanswered
    assert not rest.unjoined


@pytest.mark.parametrize("row", [r for r in rows(HubSettings()) if r.group == "addon"], ids=lambda r: r.name)
def test_works_of_nobody(row: Any) -> None:
    """No row of add-ons looks at a work that carries none: so they are passed over."""
    world = World(CATALOG, namespaces=["c1"])
    work = make.manifest_work("one", "c1", [make.config_map("one")])
    view = process_of("", [row], {Side.HUB: world}).view(row)
    woken = [key for wake in row.wakes if wake.kind == MANIFEST_WORK for key in wake.keys(view, None, work)]
    assert ADDON_NAME_LABEL not in work["metadata"].get("labels", {})
    assert woken == []


@pytest.mark.parametrize("name", OF_SETS)
def test_sets(name: str) -> None:
    """What clusters and sets wake a row of sets for are objects that are there: to list these is enough."""
    _, base, state = _base()
    world = set_up(base, state, CATALOG).world
    table = rows(HubSettings())
    row = next(row for row in table if row.name == name)
    keys = set(process_of("", table, {Side.HUB: world}).keys_of(row))
    assert keys
    assert keys == {ref_of(obj) for obj in world.list(OF_SETS[name])}
