"""Add-ons' agents as their configuration sees them: played, so that a test says which come up.

What really deploys agents has tests of its own; here only what the rows of configuration read is written.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.progress import config_key
from gitops_ocm.decide.addons.references import Wanted, hashes_in
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Controller, Create, Delete, MergePatch, Write
from gitops_ocm.decide.hub_table import placement_rows, registration_rows
from gitops_ocm.decide.kinds import (
    ADDON_GROUP,
    CLUSTER_ADDON,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
)
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects import conditions
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import START

OURS = {"addon-install", "addon-metadata", "addon-configuration", "addon-progressing"}
SETS = {"standard-cluster-sets", "cluster-sets", "cluster-set-bindings"}
HASHES = "open-cluster-management.io/config-spec-hash"
TEMPLATE_KIND = {"group": ADDON_GROUP, "resource": "addontemplates"}
CONFIG_KIND = {"group": ADDON_GROUP, "resource": "addondeploymentconfigs"}


def manager_rows(settings: HubSettings) -> list[Controller]:
    """What places add-ons and configures them; nobody deploys them."""
    sets = [row for row in registration_rows(settings) if row.name in SETS]
    return [*sets, *placement_rows(settings), *(row for row in addon_rows(settings) if row.name in OURS)]


def played(addon: Object, work: Object | None, *, up: bool, now: str) -> list[Write]:
    """What the manager of an add-on's agent, and then the agent, would write: nothing if that is there."""
    beta = at_beta(addon)
    status = beta.get("status") or {}
    hashes = hashes_in(status.get("configReferences") or ())
    if not conditions.is_true(beta, "Configured") or not all(hashes.values()):
        return []
    writes: list[Write] = []
    cluster, name = addon["metadata"]["namespace"], addon["metadata"]["name"]
    version = addon["apiVersion"].partition("/")[2]
    if conditions.find(status.get("conditions"), "ManifestApplied") is None:
        told = _condition("ManifestApplied", "True", "AddonManifestApplied", now)
        status = {
            "supportedConfigs": [CONFIG_KIND, TEMPLATE_KIND],
            "conditions": [*(status.get("conditions") or ()), told],
        }
        ref = Ref(*CLUSTER_ADDON, cluster, name)
        writes.append(MergePatch(ref, {"status": status}, subresource="status", version=version))
    return [*writes, *_work(cluster, name, work, hashes, up=up, now=now)]


def _work(cluster: str, name: str, work: Object | None, hashes: Wanted, *, up: bool, now: str) -> list[Write]:
    writes: list[Write] = []
    ref = Ref(*MANIFEST_WORK, cluster, f"addon-{name}-deploy-0")
    text = json.dumps({config_key(config): spec_hash for config, spec_hash in sorted(hashes.items())})
    if work is None:
        made = make.manifest_work(ref.name, cluster, [make.config_map(name)])
        made["metadata"]["labels"] = {"open-cluster-management.io/addon-name": name}
        made["metadata"]["annotations"] = {HASHES: text}
        writes.append(Create(made))
    elif work["metadata"]["annotations"].get(HASHES) != text:
        writes.append(MergePatch(ref, {"metadata": {"annotations": {HASHES: text}}}))
    told = [
        _condition("Applied", "True", "Played", now) | {"observedGeneration": 1},
        _condition("Available", str(up), "Played", now) | {"observedGeneration": 1},
    ]
    held = (work or {}).get("status", {}).get("conditions") or ()
    if [(c["type"], c["status"]) for c in held] != [(c["type"], c["status"]) for c in told]:
        writes.append(MergePatch(ref, {"status": {"conditions": told}}, subresource="status"))
    return writes


def _condition(kind: str, status: str, reason: str, now: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": now}


class Stage:
    """A hub in memory with a clock that waits: add-ons are placed and configured, their agents are played."""

    def __init__(self, catalog: Catalog, settings: HubSettings | None = None) -> None:
        rows = manager_rows(settings or HubSettings())
        self.simulation = Simulation(World(catalog, namespaces=["fleet"]), rows, now=START)
        self.bad: Collection[str] = ()
        self.act(Create(make.binding("default", "fleet")))

    @property
    def hub(self) -> World:
        """The hub's objects."""
        return self.simulation.hub

    def act(self, *writes: Write) -> None:
        """Do this; nothing may be refused."""
        for result in self.simulation.act(*writes):
            assert result.error is None, result.error

    def join(self, *names: str, **labels: str) -> None:
        """Clusters that are there and accepted."""
        for name in names:
            cluster = make.managed_cluster(name)
            cluster["metadata"].setdefault("labels", {}).update(labels)
            self.act(Create(make.namespace(name)), Create(cluster))

    def write(self, obj: Object) -> None:
        """Create an object, or give the one that is there this spec."""
        ref = ref_of(obj)
        held = self.hub.get(ref)
        if held is None:
            self.act(Create(obj))
        else:
            spec = {**dict.fromkeys(held["spec"]), **obj["spec"]}
            self.act(MergePatch(ref, {"spec": spec}, version=obj["apiVersion"].partition("/")[2]))
        self.settle()

    def delete(self, kind: Kind, name: str, namespace: str = "") -> None:
        """Delete an object."""
        self.act(Delete(Ref(*kind, namespace, name)))
        self.settle()

    def settle(self) -> None:
        """Until nobody has anything to do, the played agents neither."""
        while True:
            self.simulation.settle()
            now = conditions.timestamp(self.simulation.now)
            writes = [w for addon in self.hub.list(CLUSTER_ADDON) for w in self._play(addon, now)]
            if not writes:
                return
            self.act(*writes)

    def _play(self, addon: Object, now: str) -> list[Write]:
        cluster, name = addon["metadata"]["namespace"], addon["metadata"]["name"]
        work = self.hub.get(Ref(*MANIFEST_WORK, cluster, f"addon-{name}-deploy-0"))
        return played(addon, work, up=cluster not in self.bad, now=now)

    def wait(self, **span: float) -> None:
        """Let time pass; agents come up within the minute."""
        until = self.simulation.now + timedelta(**span)
        while self.simulation.now < until:
            left = (until - self.simulation.now).total_seconds()
            self.simulation.advance(seconds=min(left, 60))
            self.settle()

    # --- what is seen -------------------------------------------------------------------------------

    def addon(self, cluster: str, name: str = "hello") -> Object:
        """An add-on on a cluster, at v1beta1."""
        found = self.hub.get(Ref(*CLUSTER_ADDON, cluster, name))
        assert found is not None, cluster
        return at_beta(found)

    def configs(self, cluster: str, name: str = "hello") -> list[str]:
        """The names of the configurations that an add-on on a cluster has."""
        references = (self.addon(cluster, name).get("status") or {}).get("configReferences") or ()
        return [each["desiredConfig"]["name"] for each in references]

    def having(self, config: str, name: str = "hello") -> list[str]:
        """The clusters where an add-on has this configuration as it is now."""
        addons = [a for a in self.hub.list(CLUSTER_ADDON) if a["metadata"]["name"] == name]
        clusters = [addon["metadata"]["namespace"] for addon in addons]
        return [cluster for cluster in clusters if config in self.configs(cluster, name)]

    def conditions(self, cluster: str, name: str = "hello") -> Mapping[str, tuple[str, str, str]]:
        """An add-on's conditions: status, reason and message by type."""
        found = (self.addon(cluster, name).get("status") or {}).get("conditions") or ()
        return {c["type"]: (c["status"], c["reason"], c["message"]) for c in found}

    def cma(self, name: str = "hello") -> Object:
        """The ClusterManagementAddOn, at v1beta1."""
        found = self.hub.get(Ref(*MANAGEMENT_ADDON, "", name))
        assert found is not None
        return at_beta(found)

    def told(self, placement: str = "all", name: str = "hello") -> Mapping[str, tuple[str, str, str]]:
        """The conditions of a placement's part of an add-on."""
        progressions = (self.cma(name).get("status") or {}).get("installProgressions") or ()
        (found,) = [p for p in progressions if p["name"] == placement]
        return {c["type"]: (c["status"], c["reason"], c["message"]) for c in found.get("conditions") or ()}


def deployment_config(name: str, value: str = "1") -> Object:
    """An AddOnDeploymentConfig of `fleet`."""
    return {
        "apiVersion": f"{ADDON_GROUP}/v1alpha1",
        "kind": "AddOnDeploymentConfig",
        "metadata": {"name": name, "namespace": "fleet"},
        "spec": {"customizedVariables": [{"name": "VALUE", "value": value}]},
    }


def template(name: str, addon: str = "hello") -> Object:
    """An AddOnTemplate of an add-on."""
    manifests = [make.config_map(addon)]
    return {
        "apiVersion": f"{ADDON_GROUP}/v1alpha1",
        "kind": "AddOnTemplate",
        "metadata": {"name": name},
        "spec": {"addonName": addon, "agentSpec": {"workload": {"manifests": manifests}}},
    }


def config(name: str) -> Object:
    """How a placement, or an add-on, names an AddOnDeploymentConfig."""
    return {**CONFIG_KIND, "namespace": "fleet", "name": name}


def management(*placements: Any, default: str = "", name: str = "hello") -> Object:
    """The add-on, made of the template `t1`; placements are (name, configs, strategy), none: by hand."""
    made = make.addon(name, [("fleet", title) for title, _, _ in placements] or None)
    supported: list[Object] = [{**TEMPLATE_KIND, "defaultConfig": {"name": "t1"}}, dict(CONFIG_KIND)]
    if default:
        supported[1]["defaultConfig"] = {"namespace": "fleet", "name": default}
    made["spec"]["supportedConfigs"] = supported
    for entry, (_, configs, strategy) in zip(
        made["spec"]["installStrategy"].get("placements") or (), placements, strict=True
    ):
        entry |= {"configs": list(configs)} if configs else {}
        entry |= {"rolloutStrategy": strategy} if strategy else {}
    return made


def everywhere(name: str = "all", **spec: Any) -> Object:
    """A placement in `fleet` that stays with its clusters whatever their taints."""
    return make.placement(name, "fleet", tolerations=[{"operator": "Exists"}], **spec)
