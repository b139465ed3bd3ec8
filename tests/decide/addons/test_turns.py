"""A configuration changed in place reaches a cluster when the rollout says so, not before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.decide.addons.agent_table import template_rows
from gitops_ocm.decide.addons.config_objects import spec_hash
from gitops_ocm.decide.contract import Apply, Create, Delete, MergePatch
from gitops_ocm.decide.kinds import ADDON_TEMPLATE, CLUSTER_ADDON, DEPLOYMENT_CONFIG, MANIFEST_WORK
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from tests.decide.addons.template_cases import ADDON, Case, cluster_objects, config_map, named, variables

NAME = "hello"
KEY = Ref(*CLUSTER_ADDON, "c1", NAME)
CONFIG, TEMPLATE = Ref(*DEPLOYMENT_CONFIG, "fleet", NAME), Ref(*ADDON_TEMPLATE, "", NAME)
AT = "2026-01-01T00:00:00Z"


class Hub:
    """The rows that deploy, and nobody who configures but the test."""

    def __init__(self, catalog: Catalog, *manifests: Object) -> None:
        world = World(catalog, namespaces=["default"])
        rows = template_rows("open-cluster-management-hub")
        self.simulation = Simulation(world, rows, now=datetime(2026, 1, 1, tzinfo=UTC))
        case = Case(NAME, [config_map(k="{{A}}"), *manifests], variables(A="old"))
        made = [*cluster_objects(), *case.objects()]
        for obj in made:
            if obj["kind"] == "ManagedClusterAddOn":
                cma = world.get(Ref(ADDON, "ClusterManagementAddOn", "", NAME))
                assert cma is not None
                owner = {"apiVersion": f"{ADDON}/v1beta1", "kind": "ClusterManagementAddOn", "name": NAME}
                obj["metadata"]["ownerReferences"] = [{**owner, "uid": cma["metadata"]["uid"]}]
            self.act(Create(obj))

    def act(self, write: Any) -> None:
        """Do this, and let everything settle."""
        assert self.simulation.act(write)[0].error is None
        self.simulation.settle()

    def hashes(self) -> dict[Ref, str]:
        """What the configurations hash to now."""
        return {ref: spec_hash(self.found(ref)) for ref in (TEMPLATE, CONFIG)}

    def desire(self, hashes: dict[Ref, str], configured: str = "True") -> None:
        """What the rollout says is desired on the cluster, and whether that holds."""
        references = [
            {
                "group": ADDON,
                "resource": resource,
                "desiredConfig": {"name": NAME, "namespace": ref.namespace, "specHash": hashes[ref]},
            }
            for ref, resource in ((CONFIG, "addondeploymentconfigs"), (TEMPLATE, "addontemplates"))
        ]
        held = [
            c for c in self.found(KEY).get("status", {}).get("conditions") or () if c["type"] != "Configured"
        ]
        told = {"type": "Configured", "status": configured, "reason": "R", "message": ""}
        conditions = [*held, {**told, "lastTransitionTime": AT}]
        status = {"configReferences": references, "conditions": conditions}
        self.act(MergePatch(KEY, {"status": status}, subresource="status", version="v1beta1"))

    def found(self, ref: Ref) -> Object:
        """An object that has to be there."""
        found = self.simulation.hub.get(ref)
        assert found is not None, ref
        return found

    def says(self) -> str:
        """What is deployed."""
        work = self.found(Ref(*MANIFEST_WORK, "c1", f"addon-{NAME}-deploy-0"))
        return str(work["spec"]["workload"]["manifests"][0]["data"]["k"])

    def condition(self) -> str:
        """What is said of the manifests."""
        conditions = self.found(KEY)["status"].get("conditions") or []
        return next((str(c["message"]) for c in conditions if c["type"] == "ManifestApplied"), "")


@pytest.fixture
def hub(converting_catalog: Catalog) -> Hub:
    """A hub with the add-on deployed."""
    hub = Hub(converting_catalog)
    hub.desire(hub.hashes())
    assert hub.says() == "old"
    return hub


def test_a_change_waits_for_its_turn(hub: Hub) -> None:
    """Not on being woken, not on a resync; at once when the status has the new hash; one write for it."""
    hub.act(MergePatch(CONFIG, {"spec": variables(A="new")}))
    hub.act(MergePatch(KEY, {"metadata": {"labels": {"x": "y"}}}))
    hub.simulation.advance(hours=1)
    assert hub.says() == "old"
    before = len(hub.simulation.steps)
    hub.desire(hub.hashes())
    assert hub.says() == "new"
    written = [r.write for step in hub.simulation.steps[before:] for r in step.results]
    assert len([write for write in written if isinstance(write, Apply)]) == 1


def test_a_cluster_that_has_nothing_yet_does_not_wait(hub: Hub) -> None:
    """Its work, deleted, is made of what there is."""
    hub.act(MergePatch(CONFIG, {"spec": variables(A="new")}))
    hub.act(Delete(Ref(*MANIFEST_WORK, "c1", f"addon-{NAME}-deploy-0")))
    assert hub.says() == "new"


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        (CONFIG, f'addondeploymentconfigs.{ADDON} "{NAME}" not found'),
        (TEMPLATE, f'addontemplate.{ADDON} "{NAME}" not found'),
    ],
    ids=["config", "template"],
)
def test_a_configuration_that_is_deleted_is_told(hub: Hub, ref: Ref, why: str) -> None:
    """By a condition with OCM's reason; what is deployed stays."""
    hub.act(Delete(ref))
    assert hub.condition() == f"failed to get manifest from agent interface: {why}"
    assert hub.says() == "old"


def test_a_configuration_without_a_hash_is_told(hub: Hub) -> None:
    """So the status says that an object is not there."""
    hub.desire({**hub.hashes(), TEMPLATE: ""})
    why = f"addon {NAME} template desired spec hash is empty"
    assert hub.condition() == f"failed to get manifest from agent interface: {why}"


def test_hooks_do_not_wait_for_a_configuration(converting_catalog: Catalog) -> None:
    """Neither are they let go while one is on its way, nor does a deletion in the midst of it hang."""
    job = named("batch/v1", "Job", "bye", "ns", spec={"template": {"spec": {"containers": []}}})
    job["metadata"]["annotations"] = {f"{ADDON}/addon-pre-delete": ""}
    hub = Hub(converting_catalog, job)
    hub.desire(hub.hashes())
    hub.desire(hub.hashes(), configured="False")
    assert hub.found(KEY)["metadata"]["finalizers"] == [f"{ADDON}/addon-pre-delete"]
    hub.act(Delete(KEY))
    assert hub.found(Ref(*MANIFEST_WORK, "c1", f"addon-{NAME}-pre-delete"))
