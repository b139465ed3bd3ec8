"""Random fleets with configured add-ons: what people write, phase by phase, made from a number.

The same is played on a hub with OCM's add-on manager (`configuration_recorder`, by hand) and in memory with
ours (`test_configuration_recorded`). All names are of one scene; objects are at v1beta1.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make

ADDON = "addon.open-cluster-management.io"
CLUSTER = "cluster.open-cluster-management.io"
HOME = "fleet"
CLUSTERS = tuple(f"c{n}" for n in range(6))
PLACEMENTS = ("p0", "p1", "p2", "p3")
CONFIGS = ("d0", "d1", "d2", "d3")
WAYS: Sequence[Mapping[str, Any] | None] = (
    None,
    {"type": "All"},
    {"type": "All", "all": {"progressDeadline": "1h"}},
    {"type": "Progressive", "progressive": {"maxConcurrency": 1}},
    {"type": "Progressive", "progressive": {"maxConcurrency": 2, "minSuccessTime": "1h"}},
    {"type": "Progressive", "progressive": {"maxConcurrency": "50%", "maxFailures": 1}},
    {"type": "Progressive"},
    {"type": "Progressive", "progressive": {"mandatoryDecisionGroups": [{"groupName": "canary"}]}},
    {"type": "ProgressivePerGroup"},
    {"type": "ProgressivePerGroup", "progressivePerGroup": {"mandatoryDecisionGroups": [{"groupIndex": 1}]}},
    {"type": "ProgressivePerGroup", "progressivePerGroup": {"minSuccessTime": "1h", "maxFailures": "50%"}},
)


@dataclass
class Phase:
    """What is written, in order; which add-ons' agents come up on which clusters (`ready`)."""

    written: list[Object] = field(default_factory=list)
    deleted: list[Object] = field(default_factory=list)
    ready: list[tuple[str, str]] = field(default_factory=list)


class Scene:
    """One fleet, made from a number."""

    def __init__(self, seed: int, addons: int = 12) -> None:
        self._random = random.Random(seed)
        self._names = [f"a{n}" for n in range(addons)]
        self._cmas: dict[str, Object] = {}
        self._decided: dict[str, list[list[str]]] = {}
        self._sizes: dict[str, Any] = {}
        self._templated = {name for name in self._names if self._random.random() < 0.8}
        self._ready = [(a, c) for a in self._names for c in CLUSTERS if self._random.random() < 0.75]
        # One sort of change at a time: what comes of two at once is a matter of luck where caches lag.
        self.phases = [self._begin(), self._contents("1"), self._wishes(), self._move()]
        self.phases += [self._contents("2"), self._wishes(), self._move(), self._contents("3")]

    def _begin(self) -> Phase:
        """The fleet, then the placements with what they decided, then configurations, then add-ons."""
        written: list[Object] = [make.namespace(HOME), *map(make.namespace, CLUSTERS)]
        written += [make.managed_cluster(name) for name in CLUSTERS]
        for name in PLACEMENTS:
            written += self._placement(name)
        written += [deployment_config(name, "0") for name in CONFIGS]
        for name in self._names:
            written += [template(name, n, "0") for n in (0, 1)]
            self._cmas[name] = self._cma(name)
        return Phase([*written, *self._cmas.values()], ready=self._ready)

    def _placement(self, name: str) -> list[Object]:
        size = self._random.choice([0, 1, 2, "50%"])
        number = self._random.randint(1, 3)
        chosen = self._random.sample(CLUSTERS, self._random.randint(number, len(CLUSTERS)))
        self._decided[name] = [sorted(chosen[at::number]) for at in range(number)]
        return [self._counted(name, size), *(self._decision(name, at) for at in range(number))]

    def _counted(self, name: str, size: Any = None) -> Object:
        self._sizes[name] = self._sizes.get(name, size)
        placement = make.placement(name, HOME)
        strategy = {"groupStrategy": {"clustersPerDecisionGroup": self._sizes[name]}}
        placement["spec"]["decisionStrategy"] = strategy
        return {**placement, "status": {"numberOfSelectedClusters": sum(map(len, self._decided[name]))}}

    def _decision(self, name: str, at: int) -> Object:
        return decision(name, at, "canary" if at == 0 else "", self._decided[name][at])

    def _move(self) -> Phase:
        """A cluster comes to a placement, or leaves it: one write, so that none is missing for a moment."""
        phase = Phase(ready=self._ready)
        for name in PLACEMENTS:
            groups = self._decided[name]
            at = self._random.randrange(len(groups))
            absent = sorted(set(CLUSTERS) - {c for group in groups for c in group})
            if absent and self._random.random() < 0.5:
                groups[at] = sorted([*groups[at], self._random.choice(absent)])
            elif len(groups[at]) > 1 and self._random.random() < 0.5:
                groups[at] = groups[at][1:]
            phase.written += [self._decision(name, at), self._counted(name)]
        return phase

    def _cma(self, name: str) -> Object:
        pick = self._random
        defaults: list[Object] = []
        if name in self._templated:
            defaults.append({"group": ADDON, "resource": "addontemplates", "name": f"{name}-t0"})
        if pick.random() < 0.8:
            default = self._config() if pick.random() < 0.8 else {"name": "__reserved_no_default__"}
            defaults.append({"group": ADDON, "resource": "addondeploymentconfigs", **default})
        spec: Object = {"defaultConfigs": defaults, "installStrategy": {"type": "Manual"}}
        if pick.random() < 0.85:
            chosen = pick.sample(PLACEMENTS, pick.randint(1, 3))
            entries = [self._entry(name, placement) for placement in chosen]
            spec["installStrategy"] = {"type": "Placements", "placements": entries}
        return {
            "apiVersion": f"{ADDON}/v1beta1",
            "kind": "ClusterManagementAddOn",
            "metadata": {"name": name},
            "spec": spec,
        }

    def _config(self) -> Object:
        return {"namespace": HOME, "name": self._random.choice([*CONFIGS, "missing"])}

    def _entry(self, name: str, placement: str) -> Object:
        entry: Object = {"namespace": HOME, "name": placement}
        if configs := self._configs(name):
            entry["configs"] = configs
        if (way := self._random.choice(WAYS)) is not None:
            entry["rolloutStrategy"] = dict(way)
        return entry

    def _configs(self, name: str) -> list[Object]:
        kind = {"group": ADDON, "resource": "addondeploymentconfigs"}
        found = [{**kind, **self._config()} for _ in range(self._random.choice([0, 0, 1, 2, 3]))]
        if self._random.random() < 0.3:
            found.append({"group": ADDON, "resource": "addontemplates", "name": f"{name}-t1"})
        return found

    def _contents(self, version: str) -> Phase:
        """Contents change, configurations go and come back."""
        pick, phase = self._random, Phase(ready=self._ready)
        for name in CONFIGS:
            if pick.random() < 0.4:
                phase.written.append(deployment_config(name, version))
            elif pick.random() < 0.2:
                phase.deleted.append(deployment_config(name, version))
        for name in self._names:
            if pick.random() < 0.3:
                phase.written.append(template(name, pick.choice([0, 1]), version))
        return phase

    def _wishes(self) -> Phase:
        """People change add-ons everywhere, or on one cluster."""
        pick, phase = self._random, Phase(ready=self._ready)
        for name in self._names:
            if pick.random() < 0.3:
                self._cmas[name] = self._cma(name)
                phase.written.append(self._cmas[name])
            elif pick.random() < 0.5:
                phase.written.append(own_configs(name, pick.choice(CLUSTERS), self._configs(name)))
        return phase


def deployment_config(name: str, version: str) -> Object:
    """An AddOnDeploymentConfig with a content that depends on the version."""
    variables = [{"name": "VERSION", "value": version}]
    return {
        "apiVersion": f"{ADDON}/v1beta1",
        "kind": "AddOnDeploymentConfig",
        "metadata": {"name": name, "namespace": HOME},
        "spec": {"customizedVariables": variables, "agentInstallNamespace": "agents"},
    }


def template(addon: str, number: int, version: str) -> Object:
    """An AddOnTemplate with one manifest, whose content needs every escape."""
    data = {"version": version, "text": "<é & \u2028>", "share": "1.5"}
    manifest: Object = make.config_map(f"{addon}-{number}", "default", data)
    return {
        "apiVersion": f"{ADDON}/v1alpha1",
        "kind": "AddOnTemplate",
        "metadata": {"name": f"{addon}-t{number}"},
        "spec": {
            "addonName": addon,
            "agentSpec": {
                "workload": {"manifests": [{**manifest, "odd": [1.0, 2.5, 1e21, 1e20, 1e-7, 2**63, -7]}]}
            },
        },
    }


def decision(placement: str, index: int, group: str, clusters: Sequence[str]) -> Object:
    """A PlacementDecision of one group."""
    labels = {
        f"{CLUSTER}/placement": placement,
        f"{CLUSTER}/decision-group-index": str(index),
        f"{CLUSTER}/decision-group-name": group,
    }
    return {
        "apiVersion": f"{CLUSTER}/v1beta1",
        "kind": "PlacementDecision",
        "metadata": {"name": f"{placement}-decision-{index + 1}", "namespace": HOME, "labels": labels},
        "status": {"decisions": [{"clusterName": name, "reason": ""} for name in clusters]},
    }


def own_configs(addon: str, cluster: str, configs: Sequence[Object]) -> Object:
    """What a person has an add-on use on one cluster; made there if it is not."""
    return {
        "apiVersion": f"{ADDON}/v1beta1",
        "kind": "ManagedClusterAddOn",
        "metadata": {"name": addon, "namespace": cluster},
        "spec": {"configs": list(configs)},
    }
