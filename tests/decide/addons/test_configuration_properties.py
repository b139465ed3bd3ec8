"""Whatever people change and clusters do: the limits of the rollout hold, and in the end all have it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.conditions import find, parse_time
from tests.decide.addons.playing import Stage, config, deployment_config, everywhere, management, template

CLUSTERS = ("a", "b", "c", "d", "e")
SOAK, DEADLINE = timedelta(minutes=5), timedelta(minutes=10)
LIMITS = {"maxConcurrency": 2, "minSuccessTime": "5m", "progressDeadline": "10m", "maxFailures": 1}
STRATEGY = {"type": "Progressive", "progressive": LIMITS}
ACTS = st.one_of(
    st.tuples(st.just("content"), st.sampled_from("123")),
    st.tuples(st.just("config"), st.sampled_from(["one", "two"])),
    st.tuples(st.just("bad"), st.sets(st.sampled_from(CLUSTERS), max_size=2).map(sorted)),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 6, 11])),
)


def begin(catalog: Catalog) -> Stage:
    """Five clusters, and the add-on on its way to them."""
    stage = Stage(catalog)
    for obj in (template("t1"), deployment_config("one"), deployment_config("two"), everywhere()):
        stage.write(obj)
    stage.join(*CLUSTERS)
    stage.write(management(("all", [config("one")], STRATEGY)))
    return stage


def do(stage: Stage, act: str, value: Any) -> None:
    """One thing that happens."""
    match act:
        case "content":
            stage.write(deployment_config("one", value))
        case "config":
            stage.write(management(("all", [config(value)], STRATEGY)))
        case "bad":
            stage.bad = value
            stage.settle()
        case "wait":
            stage.wait(minutes=value)


def under_way(stage: Stage) -> list[str]:
    """The clusters that have what is wanted and are neither done nor given up."""
    (progress,) = stage.cma()["status"]["installProgressions"]
    wanted = [r["desiredConfig"] for r in progress["configReferences"]]
    found = []
    for cluster in CLUSTERS:
        status = stage.addon(cluster).get("status") or {}
        references = status.get("configReferences") or []
        told = find(status.get("conditions"), "Progressing")
        if [r["desiredConfig"] for r in references] != wanted or told is None:
            continue
        age = stage.simulation.now - parse_time(told["lastTransitionTime"])
        applied = [r.get("lastAppliedConfig") for r in references] == wanted
        if age < (SOAK if applied and told["reason"] == "Completed" else DEADLINE) and not (
            applied and told["reason"] != "Completed"
        ):
            found.append(cluster)
    return found


@given(acts=st.lists(ACTS, max_size=8))
@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.slow
def test_limits_hold_and_all_arrive(plain_catalog: Catalog, acts: list[tuple[str, Any]]) -> None:
    """Never more under way than may be; with every cluster good again, all have what is wanted and rest."""
    stage = begin(plain_catalog)
    assert len(under_way(stage)) <= 2
    for act, value in acts:
        do(stage, act, value)
        assert len(under_way(stage)) <= 2, (act, value)
    stage.bad = ()
    stage.settle()
    stage.wait(minutes=40)
    assert [c["reason"] for c in _progress(stage)] == ["Completed"]
    assert {stage.conditions(c)["Progressing"][1] for c in CLUSTERS} == {"Completed"}
    for one, other in pairwise(CLUSTERS):
        assert stage.configs(one) == stage.configs(other)
    assert stage.simulation.unsettled() == []


def _progress(stage: Stage) -> list[Any]:
    (progress,) = stage.cma()["status"]["installProgressions"]
    return list(progress["conditions"])
