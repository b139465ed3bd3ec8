"""ClusterManagers and Klusterlets for tests, and everything they become."""

from __future__ import annotations

from typing import Any

from gitops_ocm.api.operator import ClusterManager
from gitops_ocm.api.operator_klusterlet import Klusterlet
from gitops_ocm.decide.operators.agent_objects import klusterlet_plan
from gitops_ocm.decide.operators.hub_objects import hub_plan
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.objects.ref import Object

SETTINGS = OperatorSettings("gitops-ocm:1", "1.3.1")
GROUP = "operator.open-cluster-management.io/v1"


def manager(spec: dict[str, Any], **metadata: Any) -> Object:
    """A ClusterManager as an API server has it, defaults filled in."""
    meta = {"name": "cluster-manager", "uid": "u1", **metadata}
    made = ClusterManager.model_validate({"metadata": meta, "spec": spec})
    found: Object = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {**found, "metadata": meta}


def klusterlet(spec: dict[str, Any], **metadata: Any) -> Object:
    """A Klusterlet as an API server has it, defaults filled in."""
    meta = {"name": "klusterlet", "uid": "u2", **metadata}
    made = Klusterlet.model_validate({"metadata": meta, "spec": spec})
    found: Object = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {**found, "metadata": meta}


def of_hub(spec: dict[str, Any], **options: Any) -> dict[tuple[str, str], Object]:
    """Everything a ClusterManager becomes, by kind and name."""
    plan = hub_plan(manager(spec), SETTINGS, **{"replicas": 1, **options})
    return {(obj["kind"], obj["metadata"]["name"]): obj for _, obj in plan.objects()}


def of_agent(spec: dict[str, Any], **options: Any) -> dict[tuple[str, str], Object]:
    """Everything a Klusterlet becomes, by kind and name."""
    given = {"replicas": 1, "connected": True, **options}
    plan = klusterlet_plan(klusterlet({"clusterName": "c1", **spec}), SETTINGS, **given)
    return {(obj["kind"], obj["metadata"]["name"]): obj for _, obj in plan.objects()}


def deployment(objects: dict[tuple[str, str], Object], name: str) -> Object:
    """The pod spec of a Deployment."""
    found: Object = objects["Deployment", name]["spec"]["template"]["spec"]
    return found


def container(objects: dict[tuple[str, str], Object], name: str) -> Object:
    """The container of a Deployment."""
    found: Object = deployment(objects, name)["containers"][0]
    return found


REGISTRATION = "cluster-manager-registration-controller"
AGENT, WORKER = "klusterlet-registration-agent", "klusterlet-work-agent"
