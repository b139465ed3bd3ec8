"""The scheduler's metrics have the names, labels and buckets of OCM's placement controller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gitops_ocm.hub.daemon import HubOptions, run_hub
from gitops_ocm.objects.ref import Resource
from gitops_ocm.runtime import metrics
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import apply, memory

Eventually = Callable[..., Awaitable[object]]
PLACEMENTS = Resource(
    "cluster.open-cluster-management.io", "v1beta1", "Placement", "placements", namespaced=True
)
PARTS = (
    ("filter", "Predicate"),
    ("filter", "TaintToleration"),
    ("prioritizer", "AddOn"),
    ("prioritizer", "Balance"),
    ("prioritizer", "Steady"),
)


def counted() -> dict[tuple[str, str, str], float]:
    """How often each was measured so far: by metric, kind and plugin."""
    found: dict[tuple[str, str, str], float] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples if family.name.startswith("scheduling_") else ():
            labels = dict(sample.labels)
            assert labels.pop("name") == "placement_scheduling"
            if sample.name.endswith("_count"):
                found[family.name, labels.get("plugin_type", ""), labels.get("plugin_name", "")] = (
                    sample.value
                )
    return found


def test_buckets_are_decades() -> None:
    """From a microsecond to a quarter of an hour, as in `ExponentialBuckets(10e-7, 10, 10)`."""
    metrics.SCHEDULING_SECONDS.labels("placement_scheduling")
    families = {f.name: f for f in text_string_to_metric_families(metrics.render().decode())}
    samples = families["scheduling_scheduling_duration_seconds"].samples
    bounds = [float(s.labels["le"]) for s in samples if s.name.endswith("_bucket")]
    assert bounds[:10] == pytest.approx([1e-6 * 10**power for power in range(10)])


async def test_a_decision_is_measured_in_its_parts(eventually: Eventually) -> None:
    """Decision, writes, each filter and prioritizer, and the expressions on each of three clusters."""
    before = counted()
    text = {"celSelector": {"celExpressions": ["managedCluster.metadata.name != 'test-of-metrics'"]}}
    score = {"type": "AddOn", "addOn": {"resourceName": "usage", "scoreName": "cpu"}}
    spec = {
        "predicates": [{"requiredClusterSelector": text}],
        "prioritizerPolicy": {"configurations": [{"scoreCoordinate": score, "weight": 1}]},
        "numberOfClusters": 2,
    }
    async with memory() as hub:
        await apply(hub, [make.namespace("fleet"), make.cluster_set("ring"), make.binding("ring", "fleet")])
        await apply(hub, [make.managed_cluster(f"c{n}", cluster_set="ring") for n in range(3)])
        await hub.create(PLACEMENTS, make.placement("web", "fleet", **spec))
        stop, ready = asyncio.Event(), asyncio.Event()
        options = HubOptions(groups=frozenset({"placement"}))
        running = asyncio.create_task(run_hub(hub, options, stop, ready=ready.set))

        async def decided() -> bool:
            found = await hub.get(PLACEMENTS, "fleet", "web")
            assert found.get("status", {}).get("numberOfSelectedClusters") == 2
            return True

        await eventually(decided, 30)
        stop.set()
        await running
    after = counted()
    more = {key: value - before.get(key, 0) for key, value in after.items()}
    assert more["scheduling_cel_runtime_duration_seconds", "", ""] == 3
    for part in (("", ""), *PARTS):
        name = "plugin" if part[0] else "scheduling"
        assert more[f"scheduling_{name}_duration_seconds", *part] >= 1
    assert more["scheduling_bind_duration_seconds", "", ""] >= 1
    assert {key[1:] for key in after if key[1]} >= set(PARTS)
