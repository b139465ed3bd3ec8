"""An author's add-on on a simulated hub: its manager's rows beside the hub's own for add-ons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from gitops_ocm import addon
from gitops_ocm.addon.manager import rows
from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, Delete, MergePatch, Write
from gitops_ocm.decide.controllers import hub_controllers
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

GROUP = "addon.open-cluster-management.io"
NAME = "probe"
ADDON = Ref(*CLUSTER_ADDON, "c1", NAME)
AT = "2026-01-01T00:00:00Z"


class Authored:
    """A hub with clusters `c1` and `host`, and the add-on `probe` on the first."""

    def __init__(self, author: addon.Addon[Any], *, whole: bool = False, **annotations: str) -> None:
        hub = World(load_catalog(), namespaces=["default", "fleet", "c1", "host"])
        others = hub_controllers() if whole else addon_rows(HubSettings())
        table = [*others, *rows(author)]
        self.simulation = Simulation(hub, table, now=datetime(2026, 1, 1, tzinfo=UTC))
        marks = {f"{GROUP}/{name.replace('_', '-')}": value for name, value in annotations.items()}
        cma = make.addon(NAME)
        cma["spec"]["supportedConfigs"] = [{"group": GROUP, "resource": "addondeploymentconfigs"}]
        clusters = [make.managed_cluster(name) for name in ("c1", "host")]
        self.act(*map(Create, [*clusters, cma, make.cluster_addon(NAME, "c1", annotations=marks or None)]))

    def act(self, *writes: Write) -> None:
        """Do this, and let everything settle."""
        for result in self.simulation.act(*writes):
            assert result.error is None, result.error
        self.simulation.settle()

    @property
    def addon(self) -> Object | None:
        """The add-on on `c1`."""
        found = self.simulation.hub.get(ADDON)
        return at_beta(found) if found is not None else None

    def says(self, type: str) -> tuple[str, str, str] | None:
        """Status, reason and message of a condition of it."""
        found = find(((self.addon or {}).get("status") or {}).get("conditions"), type)
        return (found["status"], found["reason"], found["message"]) if found is not None else None

    def works(self) -> dict[str, list[str]]:
        """The works, by namespace and name, with what is in them."""
        return {
            f"{w['metadata']['namespace']}/{w['metadata']['name']}": [
                f"{m['kind']} {m['metadata']['name']}" for m in w["spec"]["workload"]["manifests"]
            ]
            for w in self.simulation.hub.list(MANIFEST_WORK)
        }

    def is_clean(self) -> bool:
        """Whether nothing is left of the add-on."""
        return self.addon is None and not self.works()

    def report(self, work: str, *values: tuple[str, str, Mapping[str, Any]], available: str = "True") -> None:
        """What an agent says of a work: applied, available, and values of (resource, name)."""
        namespace, _, place = work.partition("/")
        conditions = [
            {"type": name, "status": status, "reason": "R", "message": "said", "lastTransitionTime": AT}
            for name, status in (("Applied", "True"), ("Available", available))
        ]
        status = {"conditions": conditions, "resourceStatus": {"manifests": list(_manifests(values))}}
        ref = Ref(*MANIFEST_WORK, namespace, place)
        self.act(MergePatch(ref, {"status": status}, subresource="status"))

    def annotate(self, **annotations: str | None) -> None:
        """Mark the add-on."""
        marks = {f"{GROUP}/{name.replace('_', '-')}": value for name, value in annotations.items()}
        self.act(MergePatch(ADDON, {"metadata": {"annotations": marks}}))

    def configure(self, **variables: str) -> None:
        """Set the add-on on `c1`."""
        named = [{"name": name, "value": value} for name, value in variables.items()]
        config = {
            "apiVersion": f"{GROUP}/v1alpha1",
            "kind": "AddOnDeploymentConfig",
            "metadata": {"name": NAME, "namespace": "fleet"},
            "spec": {"customizedVariables": named, "agentInstallNamespace": ""},
        }
        reference = {"group": GROUP, "resource": "addondeploymentconfigs", "namespace": "fleet", "name": NAME}
        self.act(Create(config), MergePatch(ADDON, {"spec": {"configs": [reference]}}))

    def remove(self) -> None:
        """Delete the add-on from `c1`."""
        self.act(Delete(ADDON))


def _manifests(values: Iterable[tuple[str, str, Mapping[str, Any]]]) -> Iterable[Object]:
    for ordinal, (resource, name, told) in enumerate(values):
        group = {"jobs": "batch", "deployments": "apps", "daemonsets": "apps"}.get(resource, "")
        fields = [
            {"name": key, "fieldValue": {"type": "Integer", "integer": value}}
            if isinstance(value, int)
            else {"name": key, "fieldValue": {"type": "String", "string": value}}
            for key, value in told.items()
        ]
        meta = {"ordinal": ordinal, "group": group, "version": "v1", "kind": "K", "resource": resource}
        yield {
            "resourceMeta": {**meta, "namespace": "ns", "name": name},
            "statusFeedback": {"values": fields},
            "conditions": [],
        }


def workload(name: str = "agent", kind: str = "Deployment", **annotations: str) -> Object:
    """A workload in the namespace `ns`."""
    made = make.deployment(name, "ns")
    made["kind"] = kind
    return marked(made, **annotations)


def marked(obj: Object, **annotations: str) -> Object:
    """An object with annotations of the add-on group."""
    marks = {f"{GROUP}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    meta = {**obj["metadata"], **({"annotations": marks} if marks else {})}
    return {**obj, "metadata": meta}


def hook(name: str = "bye", kind: str = "Job", **annotations: str) -> Object:
    """What runs before the add-on goes."""
    api_version = "batch/v1" if kind == "Job" else "v1"
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    spec = {"template": {"spec": pod}} if kind == "Job" else pod
    obj = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "ns"},
        "spec": spec,
    }
    return marked(obj, addon_pre_delete="", **annotations)
