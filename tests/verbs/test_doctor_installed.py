"""What is said of operators and of what they install: the operators run, their objects are made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gitops_ocm.api.operator import VALID_FEATURE_GATES
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.klusterlet.kept import SecretData
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS
from gitops_ocm.operator.process import Role, run_operator
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.objects import addon, cluster_addon, namespace
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_spoke import SpokeOptions
from gitops_ocm.verbs.doctor_text import text
from tests.verbs.doctoring import NAMESPACE, alive, causes, comes, first, hub_in_memory, made

pytestmark = pytest.mark.slow

GROUP = "operator.open-cluster-management.io/v1"


@asynccontextmanager
async def operating(cluster: Cluster, role: Role) -> AsyncIterator[None]:
    """An operator runs meanwhile."""
    stop, ready = asyncio.Event(), asyncio.Event()
    settings = OperatorSettings("gitops-ocm:test", "1.3.1")
    async with Tasks("test") as tasks:
        tasks.start("operator", run_operator(cluster, role, settings, stop, ready=ready.set))
        await ready.wait()
        try:
            yield
        finally:
            stop.set()


def klusterlet(**spec: object) -> Object:
    """A Klusterlet of the cluster c1."""
    return {
        "apiVersion": GROUP,
        "kind": "Klusterlet",
        "metadata": {"name": "klusterlet"},
        "spec": {"clusterName": "c1", "namespace": NAMESPACE, **spec},
    }


async def found_of(cause: str, spoke: Cluster, hub: Cluster | None = None) -> Examination:
    """Look at a managed cluster until a cause is found, be it under another."""

    async def look() -> Examination:
        found = await examine(hub, spoke, DoctorOptions(("c1",), settle=0, spoke=SpokeOptions("c1")))
        assert cause in causes(found), text(found)
        return found

    found = await eventually(look, describe=cause)
    assert isinstance(found, Examination)
    return found


async def test_a_hub_that_is_not_wholly_installed() -> None:
    """What an operator says of a hub whose pods do not come, and of a feature gate nobody knows."""
    gates = [{"feature": "Unheard", "mode": "Enable"}]
    manager: Object = {
        "apiVersion": GROUP,
        "kind": "ClusterManager",
        "metadata": {"name": "cluster-manager"},
        "spec": {"registrationConfiguration": {"featureGates": gates}},
    }
    async with memory() as hub, operating(hub, Role.HUB):
        await made(hub, manager)
        found = await comes(hub, "feature-gates-invalid")
        assert "Unheard" in first(found, "feature-gates-invalid").sentence
        found = await comes(hub, "operator-failed")
    finding = first(found, "operator-failed")
    assert VALID_FEATURE_GATES not in finding.sentence
    assert finding.mend == "kubectl get clustermanager cluster-manager -o yaml"


@pytest.mark.parametrize(
    ("spec", "cause", "said"),
    [
        ({}, "klusterlet-degraded", "unavailable of klusterlet-registration-agent"),
        ({"deployOption": {"mode": "Hosted"}}, "klusterlet-failed", "external-managed-kubeconfig"),
        (
            {"registrationConfiguration": {"featureGates": [{"feature": "Unheard", "mode": "Enable"}]}},
            "feature-gates-invalid",
            "Unheard",
        ),
    ],
)
async def test_agents_that_are_not_wholly_installed(spec: Object, cause: str, said: str) -> None:
    """What an operator says of agents that have nothing to join with, of a lacking kubeconfig, of a gate."""
    async with memory() as spoke, operating(spoke, Role.KLUSTERLET):
        await made(spoke, namespace(NAMESPACE), klusterlet(**spec))
        found = await found_of(cause, spoke)
    told = " ".join(finding.sentence for finding in causes(found)[cause])
    assert said in told


async def test_agents_kinds_that_are_gone() -> None:
    """A definition that the agents need and somebody deleted, once they have joined."""
    async with memory() as spoke:
        await made(spoke, namespace(NAMESPACE))
        await SecretData(spoke, NAMESPACE, "hub-kubeconfig-secret").write({"cluster-name": b"c1"})
        await made(spoke, klusterlet())
        await spoke.delete(CRDS, "", "appliedmanifestworks.work.open-cluster-management.io")
        found = await found_of("agent-crd-missing", spoke)
    assert "appliedmanifestworks" in causes(found)["agent-crd-missing"][0].sentence


async def test_addons_for_agents_that_leave_them_alone() -> None:
    """The hub has an add-on for a cluster whose agents were told to have none."""
    closed = {"featureGates": [{"feature": "AddonManagement", "mode": "Disable"}]}
    async with hub_in_memory() as hub, memory() as spoke:
        await alive(hub, "c1")
        await made(hub, addon("watch"), cluster_addon("watch", "c1"))
        await made(spoke, klusterlet(registrationConfiguration=closed))
        found = await found_of("gate-mismatch", spoke, hub)
    assert [finding.cause for finding in causes(found)["gate-mismatch"][0].follows] == ["addon-not-handled"]
