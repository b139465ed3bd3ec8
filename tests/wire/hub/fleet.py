"""The clusters that placement cases choose from: fourteen, each there for some predicate, taint or score.

They are in one set, bound to one namespace, and nothing but placements ever looks at them: no agents run,
and the program under test is the only controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster
from tests.wire.hub.stage import CLUSTER, Stage

LONG_AGO, FAR_OFF = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


def resources(cpu: str = "", memory: str = "", *, capacity: bool = True) -> dict[str, Any]:
    """The status of a cluster with these allocatable resources."""
    have = {k: v for k, v in {"cpu": cpu, "memory": memory}.items() if v}
    return {"allocatable": have, "capacity": have} if capacity else {"allocatable": have}


def claims(**values: str) -> dict[str, Any]:
    """The status of a cluster with these claims; `__` in a name is a dot."""
    return {"clusterClaims": [{"name": k.replace("__", "."), "value": v} for k, v in values.items()]}


def taint(key: str, effect: str = "NoSelect", value: str = "", added: str = LONG_AGO) -> dict[str, str]:
    """A taint as the API has it."""
    return {"key": key, "effect": effect, "timeAdded": added} | ({"value": value} if value else {})


LABELS: Mapping[str, Mapping[str, str]] = {
    "c1": {"env": "prod", "region": "eu", "tier": "gold", "version": "1.30.4"},
    "c2": {"env": "prod", "region": "us", "version": "1.31.0"},
    "c3": {"env": "dev", "region": "eu", "canary": ""},
    "c4": {"env": "dev"},
    "c5": {},
    "c6": {"env": "stage", "region": "eu", "version": "1.9.9"},
}
ANNOTATIONS: Mapping[str, Mapping[str, str]] = {"c1": {"note": '{"rank": 3, "tags": ["a", "b"]}'}}
STATUS: Mapping[str, Mapping[str, Any]] = {
    "c1": resources("8", "64Gi")
    | claims(platform="AWS", region="eu-west-1", kubeversion__open__io="v1.30.4-2.k3s1")
    | {"version": {"kubernetes": "v1.30.4"}},
    "c2": resources("2", "128Gi") | claims(platform="GCP", region="us-east1"),
    "c3": resources("6", "32Gi") | claims(platform="AWS", id="abc"),
    "c4": resources("500m", "16Gi") | {"version": {"kubernetes": "v1.31.0"}},
    "c6": resources("4", "48Gi", capacity=False) | claims(platform="Azure"),
}
TAINTS: Mapping[str, list[dict[str, str]]] = {
    "t1": [taint("gpu", value="a100")],
    "t2": [taint("spot")],
    "t3": [taint("slow", "PreferNoSelect", "yes")],
    "t4": [taint("fresh", "NoSelectIfNew")],
    "t5": [taint("gpu", value="a100"), taint("spot")],
    "t6": [taint(f"{CLUSTER}/unreachable")],
    "t7": [taint("soon", added=FAR_OFF)],
    "t8": [taint("fresh", "NoSelectIfNew", added=FAR_OFF)],
}
SCORES: Mapping[str, Mapping[str, Any]] = {
    "c1": {"scores": [{"name": "cpu", "value": 10}, {"name": "mem", "value": -100}]},
    "c2": {"scores": [{"name": "cpu", "value": 90}, {"name": "mem", "value": 100}], "validUntil": FAR_OFF},
    "c3": {"scores": [{"name": "cpu", "value": 100}], "validUntil": LONG_AGO},
    "c4": {"scores": [{"name": "cpu", "value": -50}]},
}
PLAIN = ("c1", "c2", "c3", "c4", "c5", "c6")
"""The clusters without taints."""


async def build(stage: Stage) -> Stage:
    """Make the fleet, its set, the bound namespace and the scores."""
    name = stage.name("fleet")
    await stage.create(cluster_set(name))
    await stage.create(binding(name, await stage.namespace("home")))
    for short in (*LABELS, *TAINTS):
        labels = dict(LABELS.get(short, {})) | ({"tainted": "yes"} if short in TAINTS else {})
        made = managed_cluster(
            stage.name(short), cluster_set=name, labels=labels, taints=TAINTS.get(short, ())
        )
        made["metadata"]["annotations"] = dict(ANNOTATIONS.get(short, {}))
        await stage.create(made, STATUS.get(short))
    for short, status in SCORES.items():
        await stage.namespace(short)
        await stage.create(score("usage", stage.name(short)), status)
    return stage


def score(name: str, cluster: str) -> Object:
    """An AddOnPlacementScore without values yet."""
    return {
        "apiVersion": f"{CLUSTER}/v1alpha1",
        "kind": "AddOnPlacementScore",
        "metadata": {"name": name, "namespace": cluster},
    }
