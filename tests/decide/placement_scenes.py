"""Random fleets and placements, the same for the same number: what OCM's scheduler and ours both decide.

A scene is a few cluster sets, clusters, scores and placements that are created one after the other; each
sees what those before it chose. Names are unique on a hub that plays many scenes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, placement

GROUP = "cluster.open-cluster-management.io"
ENVIRONMENTS, TIERS, REGIONS = ("prod", "dev", "test"), ("gold", "silver"), ("eu", "us", "ap")
TAINTS = ("maintenance", "gpu", "old")
LONG_AGO, FAR_OFF = "2020-01-01T00:00:00Z", 10**10


@dataclass(frozen=True)
class Scene:
    """What there is before the placements, with the statuses of clusters and scores in them."""

    number: int
    namespace: str
    sets: Sequence[Object]
    bindings: Sequence[Object]
    clusters: Sequence[Object]
    scores: Sequence[Object]
    placements: Sequence[Object]


def scene(number: int, *, placements: int = 20) -> Scene:
    """The scene of that number."""
    rng = Random(number)
    home = f"scene-{number}"
    sets = [
        cluster_set(f"{home}-a"),
        cluster_set(f"{home}-b"),
        cluster_set(f"{home}-c", _by_label(rng, home)),
    ]
    bound = [s["metadata"]["name"] for s in sets if rng.random() < 0.8] or [sets[0]["metadata"]["name"]]
    count = rng.choice((0, 1, 3, 8, 15, 25, 120))
    clusters = [_cluster(rng, home, n) for n in range(count)]
    return Scene(
        number,
        home,
        sets,
        [binding(name, home) for name in bound],
        clusters,
        [s for c in clusters for s in _scores(rng, c["metadata"]["name"])],
        [placement(f"p{n}", home, **_spec(rng, home)) for n in range(placements)],
    )


def _by_label(rng: Random, home: str) -> Object:
    tier = {"key": "tier", "operator": "In", "values": [rng.choice(TIERS)]}
    return {"matchLabels": {"scene": home}, "matchExpressions": [tier]}


def _cluster(rng: Random, home: str, number: int) -> Object:
    labels = {"scene": home, "env": rng.choice(ENVIRONMENTS)}
    if rng.random() < 0.7:
        labels["tier"] = rng.choice(TIERS)
    if rng.random() < 0.3:
        labels["canary"] = rng.choice(("true", ""))
    taints = [
        {"key": key, "effect": rng.choice(("NoSelect", "NoSelectIfNew", "PreferNoSelect")), "value": value}
        for key in TAINTS
        if rng.random() < 0.12 and (value := rng.choice(("", "x"))) is not None
    ]
    made = managed_cluster(
        f"{home}-c{number}", cluster_set=f"{home}-{rng.choice('aab')}", labels=labels, taints=taints
    )
    made["status"] = _status(rng, number)
    return made


def _status(rng: Random, number: int) -> Object:
    claims = [{"name": "id.k8s.io", "value": f"id-{number}"}]
    if rng.random() < 0.8:
        claims.append({"name": "region", "value": rng.choice(REGIONS)})
    if rng.random() < 0.3:
        claims.append({"name": "url", "value": f"https://{number}.example.com:6443"})
    status: Object = {"clusterClaims": claims, "version": {"kubernetes": f"v1.{rng.randint(28, 35)}.1"}}
    cpu, memory = rng.choice(("500m", "2", "8", "7", "64")), rng.choice(("512Mi", "32Gi", "64Gi", "100Gi"))
    if rng.random() < 0.8:
        status["capacity"] = {"cpu": "64", "memory": "128Gi"}
        status["allocatable"] = {"cpu": cpu, "memory": memory}
        if rng.random() < 0.1:
            del status["capacity"][rng.choice(("cpu", "memory"))]
    return status


def _scores(rng: Random, cluster: str) -> list[Object]:
    if rng.random() < 0.4:
        return []
    status: Object = {
        "scores": [
            {"name": name, "value": rng.randint(-100, 100)} for name in ("cpu", "mem") if rng.random() < 0.9
        ]
    }
    if rng.random() < 0.3:
        status["validUntil"] = rng.choice((LONG_AGO, "2099-01-01T00:00:00Z"))
    return [
        {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "AddOnPlacementScore",
            "metadata": {"name": "usage", "namespace": cluster},
            "status": status,
        }
    ]


def _spec(rng: Random, home: str) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    if rng.random() < 0.3:
        spec["clusterSets"] = [f"{home}-{s}" for s in rng.sample("abcz", rng.randint(1, 2))]
    if rng.random() < 0.5:
        spec["numberOfClusters"] = rng.choice((0, 1, 1, 2, 3, 7, 40))
    if rng.random() < 0.7:
        spec["predicates"] = [
            {"requiredClusterSelector": _selector(rng)} for _ in range(rng.choice((1, 1, 2)))
        ]
    if rng.random() < 0.6:
        spec["prioritizerPolicy"] = _policy(rng)
    if rng.random() < 0.5:
        spec["tolerations"] = [_toleration(rng) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.6:
        spec["decisionStrategy"] = {"groupStrategy": _strategy(rng)}
    return spec


def _expression(rng: Random, values: Mapping[str, Sequence[str]]) -> Object:
    key = rng.choice(list(values))
    operator = rng.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    count = rng.randint(1, 2)
    return {"key": key, "operator": operator, "values": sorted(rng.sample(sorted(values[key]), count))}


_LABELS = {"env": ENVIRONMENTS, "tier": TIERS, "canary": ("true", "")}
_CLAIMS = {"region": REGIONS, "id.k8s.io": ("id-0", "id-3", "id-11")}
_CEL = (
    'managedCluster.metadata.labels["env"].matches("^p")',
    'managedCluster.status.clusterClaims.exists(c, c.name == "region" && c.value == "eu")',
    'managedCluster.scores("usage").filter(s, s.name == "cpu").all(s, s.value > 0)',
    'managedCluster.metadata.?labels[?"tier"].orValue("none") != "gold"',
    'managedCluster.status.version.kubernetes.startsWith("v1.3")',
    'managedCluster.metadata.labels["canary"] == "true"',
    "quantity(managedCluster.status.allocatable.memory).isGreaterThan(quantity('40Gi'))",
    "managedCluster.spec.?taints.orValue([]).size() == 0",
    "managedCluster.metadata.name",
)
_BROKEN = (
    {"labelSelector": {"matchExpressions": [{"key": "env", "operator": "In"}]}},
    {"labelSelector": {"matchExpressions": [{"key": "env", "operator": "Gt", "values": ["1"]}]}},
    {"claimSelector": {"matchExpressions": [{"key": "url", "operator": "In", "values": ["https://x"]}]}},
    {"labelSelector": {"matchExpressions": [{"key": "env", "operator": "Exists", "values": ["x", "y"]}]}},
    {"celSelector": {"celExpressions": ["foo"]}},
)


def _selector(rng: Random) -> Object:
    if rng.random() < 0.04:
        return dict(rng.choice(_BROKEN))
    made: Object = {}
    if rng.random() < 0.6:
        made["labelSelector"] = {"matchExpressions": [_expression(rng, _LABELS)]}
        if rng.random() < 0.3:
            made["labelSelector"]["matchLabels"] = {"env": rng.choice(ENVIRONMENTS)}
    if rng.random() < 0.4:
        made["claimSelector"] = {"matchExpressions": [_expression(rng, _CLAIMS)]}
    if rng.random() < 0.25:
        made["celSelector"] = {"celExpressions": [rng.choice(_CEL)]}
    return made


def _policy(rng: Random) -> Object:
    names = ("Balance", "Steady", "ResourceAllocatableCPU", "ResourceAllocatableMemory")
    coordinates: list[Object] = [{"type": "BuiltIn", "builtIn": name} for name in names]
    for score in ("cpu", "mem", "none"):
        add_on = {"resourceName": rng.choice(("usage", "usage", "other")), "scoreName": score}
        coordinates.append({"type": "AddOn", "addOn": add_on})
    if rng.random() < 0.03:
        coordinates.append({"type": "BuiltIn", "builtIn": "Spread"})
    chosen = [rng.choice(coordinates) for _ in range(rng.randint(1, 4))]
    weights = (-10, -2, -1, 0, 1, 1, 2, 3, 10)
    return {
        "mode": rng.choice(("Additive", "Exact")),
        "configurations": [{"scoreCoordinate": c, "weight": rng.choice(weights)} for c in chosen],
    }


def _toleration(rng: Random) -> Object:
    if rng.random() < 0.04:
        return {"value": "x"}
    if rng.random() < 0.3:
        made: Object = {"operator": "Exists"}
    elif rng.random() < 0.6:
        made = {"key": rng.choice(TAINTS), "operator": "Exists"}
    else:
        made = {"key": rng.choice(TAINTS), "value": rng.choice(("x", ""))}
    if rng.random() < 0.3:
        made["effect"] = rng.choice(("NoSelect", "NoSelectIfNew"))
    if rng.random() < 0.2:
        made["tolerationSeconds"] = rng.choice((0, FAR_OFF))
    return made


def _strategy(rng: Random) -> Object:
    made: Object = {}
    if rng.random() < 0.7:
        made["clustersPerDecisionGroup"] = rng.choice((1, 2, 3, 10, "7%", "20%", "33%", "58%", "100%", "5"))
    if rng.random() < 0.6:
        made["decisionGroups"] = [
            {"groupName": f"group-{n}", "groupClusterSelector": _group_selector(rng)}
            for n in range(rng.randint(1, 3))
        ]
    return made


def _group_selector(rng: Random) -> Object:
    made: Object = {}
    if rng.random() < 0.7:
        made["labelSelector"] = {"matchExpressions": [_expression(rng, _LABELS)]}
    if rng.random() < 0.4:
        made["claimSelector"] = {"matchExpressions": [_expression(rng, _CLAIMS)]}
    return made
