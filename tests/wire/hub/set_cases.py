"""Cases of registration: who is in which set, the two sets every hub has, and bindings."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import (
    binding,
    cluster_set,
)
from tests.wire.hub.cases import Collected
from tests.wire.hub.registered import (
    joined,
    says,
)
from tests.wire.hub.reported import (
    SLOW,
    is_accepted,
)
from tests.wire.hub.stage import CLUSTER, Stage

case = Collected()

EMPTY_SET = ("True", "NoClusterMatched", "No ManagedCluster selected")


def of(count: int) -> tuple[str, str, str]:
    """The condition of a set with members."""
    return ("False", "ClustersSelected", f"{count} ManagedClusters selected")


async def _in_set(stage: Stage, short: str, in_set: str | None) -> Object:
    cluster = await joined(stage, short, accepted=False)
    return await _move(stage, cluster, in_set)


async def _move(stage: Stage, cluster: Object, to: str | None) -> Object:
    name = stage.name(to) if to else None
    return await stage.patch(cluster, {"metadata": {"labels": {f"{CLUSTER}/clusterset": name}}})


@case()
async def how_many_are_in_a_set(stage: Stage) -> None:
    made = await stage.create(cluster_set(stage.name("s")))
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), EMPTY_SET)
    a = await _in_set(stage, "a", "s")
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(1))
    await _in_set(stage, "b", "s")
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(2))
    await _move(stage, a, None)
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(1))
    await _move(stage, a, "s")
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(2))
    await stage.delete(a)
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(1))


@case()
async def from_one_set_to_another(stage: Stage) -> None:
    one, two = [await stage.create(cluster_set(stage.name(s))) for s in ("one", "two")]
    a = await _in_set(stage, "a", "one")
    await stage.becomes(lambda: says(stage, one, "ClusterSetEmpty"), of(1))
    await _move(stage, a, "two")
    await stage.becomes(lambda: says(stage, one, "ClusterSetEmpty"), EMPTY_SET)
    await stage.becomes(lambda: says(stage, two, "ClusterSetEmpty"), of(1))


@case()
async def a_set_by_labels(stage: Stage) -> None:
    wanted = {"matchLabels": {"vendor": stage.name("x")}}
    made = await stage.create(cluster_set(stage.name("s"), wanted))
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), EMPTY_SET)
    a = await joined(stage, accepted=False, labels={"vendor": stage.name("x")})
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(1))
    await stage.label(a, vendor="y")
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), EMPTY_SET)


@case()
async def a_set_by_a_selector_that_changes(stage: Stage) -> None:
    await joined(stage, accepted=False, labels={"vendor": stage.name("x")})
    made = await stage.create(cluster_set(stage.name("s"), {"matchLabels": {"vendor": stage.name("y")}}))
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), EMPTY_SET)
    selector = {"labelSelector": {"matchLabels": {"vendor": stage.name("x")}}}
    await stage.patch(made, {"spec": {"clusterSelector": selector}})
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), of(1))


@case()
async def a_set_by_no_selector(stage: Stage) -> None:
    wanted = cluster_set(stage.name("s"))
    wanted["spec"]["clusterSelector"] = {"selectorType": "LabelSelector"}
    await joined(stage, accepted=False)
    made = await stage.create(wanted)
    await stage.becomes(lambda: says(stage, made, "ClusterSetEmpty"), EMPTY_SET)


STANDARD: dict[str, dict[str, Any]] = {
    "default": {"selectorType": "ExclusiveClusterSetLabel"},
    "global": {"selectorType": "LabelSelector", "labelSelector": {}},
}


async def _standard(stage: Stage, name: str) -> Any:
    found = await stage.find(f"{CLUSTER}/v1beta2", "ManagedClusterSet", name)
    return found and found["spec"]["clusterSelector"]


@case()
async def the_sets_every_hub_has(stage: Stage) -> None:
    for name, selector in STANDARD.items():
        await stage.becomes(lambda name=name: _standard(stage, name), selector, SLOW)  # type: ignore[misc]


@case()
async def every_cluster_is_in_the_global_set(stage: Stage) -> None:
    await joined(stage, accepted=False)
    await stage.until(lambda: _standard(stage, "global"), "the global set", SLOW)
    found = await stage.find(f"{CLUSTER}/v1beta2", "ManagedClusterSet", "global")
    assert found is not None

    async def filled() -> bool:
        said = await says(stage, found, "ClusterSetEmpty")
        return said is not None and said[:2] == ("False", "ClustersSelected")

    await stage.until(filled, "members of the global set")


@case(alone=True)
async def a_standard_set_is_made_again(stage: Stage) -> None:
    await stage.until(lambda: _standard(stage, "default"), "the default set", SLOW)
    found = await stage.find(f"{CLUSTER}/v1beta2", "ManagedClusterSet", "default")
    assert found is not None
    await stage.delete(found)
    await stage.becomes(lambda: _standard(stage, "default"), STANDARD["default"], SLOW)


@case(alone=True)
async def a_standard_set_is_put_back(stage: Stage) -> None:
    """Unless an annotation asks for it to be left."""
    await stage.until(lambda: _standard(stage, "global"), "the global set", SLOW)
    found = await stage.find(f"{CLUSTER}/v1beta2", "ManagedClusterSet", "global")
    assert found is not None
    mine = {"labelSelector": {"matchLabels": {"mine": "yes"}}}
    key = f"{CLUSTER}/autoupdate"
    await stage.patch(found, {"spec": {"clusterSelector": mine}})
    await stage.becomes(lambda: _standard(stage, "global"), STANDARD["global"], SLOW)
    try:
        await stage.patch(found, {"metadata": {"annotations": {key: "false"}}})
        await stage.patch(found, {"spec": {"clusterSelector": mine}})
        await is_accepted(stage, await joined(stage))
        assert await _standard(stage, "global") == STANDARD["global"] | mine
    finally:
        await stage.patch(found, {"metadata": {"annotations": {key: None}}})
    await stage.becomes(lambda: _standard(stage, "global"), STANDARD["global"], SLOW)


@case()
async def a_binding(stage: Stage) -> None:
    """It is bound while its set exists."""
    made = await stage.create(binding(stage.name("s"), await stage.namespace("home")))

    async def bound() -> Any:
        found = await says(stage, made, "Bound")
        return found and found[:2]

    await stage.becomes(bound, ("False", "ClusterSetNotFound"))
    to = await stage.create(cluster_set(stage.name("s")))
    await stage.becomes(bound, ("True", "ClusterSetBound"))
    await stage.delete(to)
    await stage.becomes(bound, ("False", "ClusterSetNotFound"))


@case()
async def what_is_said_of_a_binding(stage: Stage) -> None:
    home = await stage.namespace("home")
    await stage.create(cluster_set(stage.name("s")))
    good = await stage.create(binding(stage.name("s"), home))
    bad = await stage.create(binding(stage.name("r"), home))
    await stage.becomes(lambda: says(stage, good, "Bound"), ("True", "ClusterSetBound", ""))
    await stage.becomes(lambda: says(stage, bad, "Bound"), ("False", "ClusterSetNotFound", ""))
