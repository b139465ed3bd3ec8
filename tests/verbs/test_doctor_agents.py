"""What keeps agents and controllers from working: pods, an unwell API server, a leader that was killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.hub.simulated import simulated_workloads
from gitops_ocm.klusterlet.kept import Folder
from gitops_ocm.klusterlet.process import Klusterlet
from gitops_ocm.klusterlet.registration import RegistrationOptions
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import DEPLOYMENTS, NAMESPACES
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.clusters import embedded, install, memory
from gitops_ocm.testing.commands import Daemon, environment
from gitops_ocm.testing.objects import deployment, namespace
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_spoke import SpokeOptions
from tests.klusterlet.conftest import Agent, hub_at
from tests.verbs.doctoring import NAMESPACE, Unique, Ward, first, folded, roots

pytestmark = pytest.mark.slow


@asynccontextmanager
async def with_pods() -> AsyncIterator[Cluster]:
    """A cluster whose workloads get pods."""
    api, stop = Api(load_catalog()), asyncio.Event()
    cluster = LocalCluster(api)
    await install(cluster, crds())
    async with simulated_workloads({"c1": api}, stop):
        yield cluster
    await cluster.close()
    api.close()


def wrong(name: str, where: str, how: str) -> Object:
    """A Deployment whose pods go wrong in this way."""
    made = deployment(name, where)
    made["spec"]["template"].setdefault("metadata", {})["annotations"] = {"gitops-ocm.io/simulate": how}
    return made


@pytest.mark.parametrize(
    ("how", "said"),
    [("image-pull", "ImagePull"), ("crash-loop", "CrashLoopBackOff"), ("pending", "")],
)
async def test_pods_that_do_not_run(how: str, said: str) -> None:
    """Pods of the hub's components, and of the agents, are told in the kubelet's words."""
    async with with_pods() as cluster:
        for where in ("open-cluster-management-hub", NAMESPACE):
            await cluster.create(NAMESPACES, namespace(where))
            await cluster.create(DEPLOYMENTS, wrong("klusterlet-registration-agent", where, how))
        klusterlet = {
            "apiVersion": "operator.open-cluster-management.io/v1",
            "kind": "Klusterlet",
            "metadata": {"name": "klusterlet"},
            "spec": {"clusterName": "c1", "namespace": NAMESPACE},
        }
        served = {r.kind: r for r in await cluster.discover()}
        await cluster.create(served["Klusterlet"], klusterlet)

        async def look() -> Examination:
            found = await examine(cluster, cluster, DoctorOptions(settle=0, spoke=SpokeOptions("c1")))
            assert {"hub-pods", "agent-pods"} <= {*roots(found), *folded(found)}
            finding = first(found, "hub-pods")
            assert said in finding.sentence
            assert not said or any(fact.field.startswith("Event ") for fact in finding.facts)
            return found

        found = await eventually(look)
    assert isinstance(found, Examination)
    mend = first(found, "hub-pods").mend
    assert mend.startswith("kubectl -n open-cluster-management-hub ")
    assert ("logs" in mend) == (how == "crash-loop")


class Sick:
    """A managed cluster whose API server says that it is unwell, and works all the same."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def probe(self) -> None:
        """`/livez` fails."""
        raise ApiError("InternalError", "[-]etcd failed: reason withheld")


async def test_an_api_server_that_is_unwell(
    embedded_kubeconfig: Path, tmp_path: Path, unique: Unique
) -> None:
    """What the agent reports and what is seen from here are one finding, in the API server's words."""
    name = unique("sick")
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_at(embedded_kubeconfig, tmp_path))
        spoke: Any = Sick(await stack.enter_async_context(memory()))
        ward, folder = Ward(hub, spoke, tmp_path), Folder(tmp_path / "agent")
        settings = AgentSettings("", health_grace=0)
        klusterlet = Klusterlet(spoke, spoke, folder, Folder(tmp_path / "notes"), settings)
        options = RegistrationOptions(bootstraps=(hub.bootstrap,), cluster_name=name, look=0.05)
        async with Agent(options, klusterlet).running():
            await eventually(lambda: hub.requests(name))
            await hub.approved(name)
            await eventually(lambda: hub.known(name))
            await hub.accept(name)

            async def look() -> Examination:
                found = await ward.examined(name, spoke=True, hub_folder=tmp_path / "agent")
                assert roots(found) == ["cluster-api-unwell"]
                assert first(found, "cluster-api-unwell").subject == f"ManagedCluster {name}"
                return found

            found = await eventually(look)
    assert isinstance(found, Examination)
    assert "etcd failed" in first(found, "cluster-api-unwell").sentence


@pytest.mark.slow
async def test_a_leader_that_was_killed(tmp_path: Path) -> None:
    """Controllers that were killed are missed once their leader's lease is over."""
    async with embedded(tmp_path / "hub") as hub:
        options = DoctorOptions(settle=0)
        kubeconfig = str(tmp_path / "hub" / "kubeconfig")
        short = ("--leader-election-lease-duration", "2s", "--leader-election-renew-deadline", "1s")
        arguments = ("--kubeconfig", kubeconfig, "--controllers", "registration", *short)
        retry = ("--leader-election-retry-period", "250ms")
        with Daemon("hub", "run", *arguments, *retry, env=environment(tmp_path)) as daemon:
            await daemon.said("controllers run")

            async def well() -> bool:
                return not roots(await examine(hub, None, options))

            await eventually(well)
            daemon.send(SIGKILL)
            await daemon.ended()

        async def missed() -> Examination | None:
            found = await examine(hub, None, options)
            return found if roots(found) == ["controllers-stopped"] else None

        found = await eventually(missed, 30)
        assert found is not None
        finding = first(found, "controllers-stopped")
    assert finding.subject == "Lease open-cluster-management-hub/registration-controller-lock"
    assert finding.mend == "gitops-ocm hub run --controllers registration"
