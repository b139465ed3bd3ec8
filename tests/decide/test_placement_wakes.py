"""Deciding only what a change can affect comes to the same as deciding everything anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.cluster_sets import is_member
from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.hub_table import placement_rows
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, PLACEMENT, PLACEMENT_DECISION
from gitops_ocm.decide.placement.decisions import members_of
from gitops_ocm.decide.placement.filters import Predicates
from gitops_ocm.decide.placement.fleet import Fleet
from gitops_ocm.decide.placement.tally import Tally
from gitops_ocm.decide.projection import Projection
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement

pytestmark = pytest.mark.slow

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CATALOG = load_catalog()
SETS = (
    cluster_set("prod"),
    cluster_set("test"),
    cluster_set("gold", {"matchLabels": {"tier": "gold"}}),
    cluster_set("all", {}),
)
NAMES = [f"c{n}" for n in range(5)]


def _exact(*built_in: str) -> Object:
    return {"mode": "Exact", "configurations": [{"scoreCoordinate": {"builtIn": name}} for name in built_in]}


def _label(key: str, *values: str, operator: str = "In") -> Object:
    one = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    return {"requiredClusterSelector": {"labelSelector": {"matchExpressions": [one]}}}


def _claim(*values: str) -> Object:
    one = {"key": "region", "operator": "In", "values": list(values)}
    return {"requiredClusterSelector": {"claimSelector": {"matchExpressions": [one]}}}


CANARY = {"groupName": "canary", "groupClusterSelector": {"labelSelector": {"matchLabels": {"ring": "0"}}}}
CEL = {
    "requiredClusterSelector": {"celSelector": {"celExpressions": ["managedCluster.spec.hubAcceptsClient"]}}
}
SPECS: Sequence[Mapping[str, Any]] = (
    {},
    {"clusterSets": ["prod"], "predicates": [_label("tier", "gold")]},
    {"predicates": [_label("tier", operator="Exists"), _claim("eu")]},
    {"clusterSets": ["gold", "test"], "predicates": [_label("ring", "0", operator="NotIn")]},
    {"predicates": [_claim("eu", "us")], "numberOfClusters": 2, "prioritizerPolicy": _exact("Steady")},
    {"numberOfClusters": 2, "prioritizerPolicy": _exact("ResourceAllocatableCPU")},
    {"tolerations": [{"key": "t", "operator": "Exists"}]},
    {"decisionStrategy": {"groupStrategy": {"decisionGroups": [CANARY], "clustersPerDecisionGroup": 2}}},
    {"predicates": [CEL]},
    {"predicates": [_label("tier", operator="In")]},
)


def world() -> World:
    """A hub with sets, bindings and one placement of each kind, and no clusters yet."""
    made = World(CATALOG)
    made.put(namespace("fleet"))
    for obj in SETS:
        made.put(obj)
        made.put(binding(obj["metadata"]["name"], "fleet"))
    for number, spec in enumerate(SPECS):
        made.put(placement(f"p{number}", "fleet", **spec))
    return made


states = st.fixed_dictionaries(
    {
        "set": st.sampled_from(["", "prod", "test"]),
        "tier": st.sampled_from(["", "gold", "silver"]),
        "ring": st.sampled_from(["", "0", "1"]),
        "region": st.sampled_from(["", "eu", "us", "ap"]),
        "cpu": st.sampled_from(["", "4", "8"]),
        "taint": st.sampled_from(["", "t", "u"]),
        "accepted": st.booleans(),
    }
)
steps = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | states), min_size=1, max_size=10)


def _cluster(name: str, state: Mapping[str, Any]) -> Object:
    labels = {key: state[key] for key in ("tier", "ring") if state[key]}
    taints = [{"key": state["taint"], "effect": "NoSelect"}] if state["taint"] else []
    made = managed_cluster(
        name, accepted=state["accepted"], cluster_set=state["set"], labels=labels, taints=taints
    )
    status: Object = {}
    if state["region"]:
        status["clusterClaims"] = [{"name": "region", "value": state["region"]}]
    if state["cpu"]:
        status |= {"capacity": {"cpu": state["cpu"]}, "allocatable": {"cpu": state["cpu"]}}
    return {**made, "status": status}


def _decided(of: World) -> dict[str, Any]:
    """What every placement chose, and says of it."""
    pages = {
        p["metadata"]["name"]: (p["metadata"]["labels"], (p.get("status") or {}).get("decisions") or [])
        for p in of.list(PLACEMENT_DECISION)
    }
    told = {
        p["metadata"]["name"]: {
            **p["status"],
            "conditions": [{**c, "lastTransitionTime": ""} for c in p["status"]["conditions"]],
        }
        for p in of.list(PLACEMENT)
    }
    return {"pages": pages, "told": told}


def _changed(simulation: Simulation, name: str, state: Mapping[str, Any] | None) -> None:
    """Bring a cluster into a state; None takes it away."""
    hub = simulation.hub
    ref = Ref(*MANAGED_CLUSTER, "", name)
    have = hub.get(ref)
    if state is None:
        if have is not None:
            simulation.act(Delete(ref))
        return
    wanted = _cluster(name, state)
    if have is None:
        simulation.act(Create({k: v for k, v in wanted.items() if k != "status"}))
    else:
        gone = dict.fromkeys(have["metadata"].get("labels") or {})
        body = {
            "metadata": {"labels": {**gone, **wanted["metadata"]["labels"]}},
            "spec": {"taints": wanted["spec"].get("taints"), "hubAcceptsClient": state["accepted"]},
        }
        simulation.act(MergePatch(ref, body))
    status = {"clusterClaims": None, "capacity": None, "allocatable": None, **wanted["status"]}
    simulation.act(MergePatch(ref, {"status": status}, subresource="status"))


@given(steps)
@settings(derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_woken_is_enough(drawn: list[tuple[str, Mapping[str, Any] | None]]) -> None:
    """After each change, placements that were not woken are as they would be if everything were decided."""
    simulation = Simulation(world(), placement_rows(HubSettings()), now=NOW)
    simulation.settle()
    for name, state in drawn:
        _changed(simulation, name, state)
        simulation.settle()
        assert simulation.unsettled() == []


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.none() | states), min_size=1, max_size=12))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_fleet_that_followed_changes_is_as_one_made_anew(
    drawn: list[tuple[str, Mapping[str, Any] | None]],
) -> None:
    """Sets, predicates and amounts of bit sets that were corrected are those of each cluster by itself."""
    fleet, held = Fleet(), dict[str, Object]()
    selectors = [Predicates.of(spec.get("predicates") or ()) for spec in SPECS[:-1]]
    for name, state in drawn:
        new = _cluster(name, state) if state is not None else None
        if new is None and name not in held:
            continue
        fleet.change(held.get(name), new)
        held = {**held, name: new} if new is not None else {n: c for n, c in held.items() if n != name}
        for selector in selectors:
            expected = sorted(n for n, c in held.items() if selector.matches(c))
            assert fleet.names(selector.among(fleet, fleet.everyone)) == expected
        for one in SETS:
            assert fleet.names(members_of(fleet, one)) == sorted(
                n for n, c in held.items() if is_member(one, c)
            )
        anew = Fleet.of(held.values())
        names = sorted(held)
        assert fleet.amounts(names, "cpu") == anew.amounts(names, "cpu")
        assert {t: fleet.names(b) for t, b in fleet.taints.items()} == {
            t: anew.names(b) for t, b in anew.taints.items()
        }


pages = st.tuples(
    st.sampled_from(["p", "q"]), st.integers(1, 2), st.none() | st.lists(st.sampled_from(NAMES), max_size=3)
)


@given(st.lists(st.tuples(pages, st.booleans()), max_size=15))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_what_was_decided_counts_until_it_is_seen(
    drawn: list[tuple[tuple[str, int, list[str] | None], bool]],
) -> None:
    """Counts are those of what is seen, with what was decided since in the place of what it replaces."""
    tally, seen, decided = Tally(), dict[str, Object](), dict[str, tuple[str, ...]]()
    for (owner, number, clusters), is_seen in drawn:
        name = f"{owner}-decision-{number}"
        if is_seen:
            new = _page(owner, name, clusters) if clusters is not None else None
            if new is None and name not in seen:
                continue
            tally.change(seen.get(name), new)
            seen = {**seen, name: new} if new is not None else {n: o for n, o in seen.items() if n != name}
            if new is None or decided.get(name) == tuple(clusters or ()):
                decided.pop(name, None)
        else:
            tally.decide("fleet", owner, {name: tuple(clusters or ())})
            decided = {n: c for n, c in decided.items() if not n.startswith(f"{owner}-")}
            if tuple(clusters or ()) != tuple(_clusters(seen.get(name))):
                decided[name] = tuple(clusters or ())
        counted: dict[str, int] = {}
        for page in {*seen, *decided}:
            chosen = decided.get(page, tuple(_clusters(seen.get(page))))
            for cluster in chosen:
                counted[cluster] = counted.get(cluster, 0) + 1
        assert tally.counts == counted


def _page(owner: str, name: str, clusters: list[str]) -> Object:
    label = {"cluster.open-cluster-management.io/placement": owner}
    meta = {"namespace": "fleet", "name": name, "labels": label}
    return {"metadata": meta, "status": {"decisions": [{"clusterName": c, "reason": ""} for c in clusters]}}


def _clusters(page: Object | None) -> list[str]:
    return [d["clusterName"] for d in page["status"]["decisions"]] if page is not None else []


@given(st.permutations(NAMES), st.lists(states, min_size=len(NAMES), max_size=len(NAMES)))
@settings(derandomize=True, deadline=None, max_examples=12)
def test_the_order_in_which_clusters_come_does_not_matter(
    order: list[str], drawn: list[Mapping[str, Any]]
) -> None:
    """A hub that finds its clusters there decides the same, in whichever order they were made."""
    by_name = dict(zip(NAMES, drawn, strict=True))
    found = []
    for names in (NAMES, order):
        hub = world()
        for name in names:
            hub.put(_cluster(name, by_name[name]))
        Simulation(hub, placement_rows(HubSettings()), now=NOW).settle()
        found.append(_decided(hub))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [MANAGED_CLUSTER, PLACEMENT_DECISION])
def test_a_projection_is_known_by_what_it_is_of(kind: Any) -> None:
    """Two projections of one kind by different makers are kept apart, the same one is kept once."""
    assert Projection(kind, Fleet) == Projection(kind, Fleet)
    assert len({Projection(kind, Fleet), Projection(kind, Tally), Projection(kind, Fleet)}) == 2
