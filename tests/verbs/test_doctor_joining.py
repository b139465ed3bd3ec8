"""Why a cluster is not in the fleet, or is lost to it: each cause is made by agents and a hub at work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_ocm.klusterlet.kept import Folder
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.conditions import micro_timestamp
from gitops_ocm.objects.served import CSRS, LEASES, NAMESPACES
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.csrs import agent_subject, cluster_csr
from gitops_ocm.testing.joining import CLUSTERS, answer
from gitops_ocm.testing.objects import config_map, manifest_work
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import DoctorOptions, examine
from gitops_ocm.verbs.targets import ocm
from tests.klusterlet.clock import Jumping
from tests.klusterlet.conftest import hub_at
from tests.verbs.doctoring import Unique, Ward, first, folded, roots

pytestmark = pytest.mark.slow

WORKS = ocm("work.open-cluster-management.io/v1", "ManifestWork")


@pytest.fixture
async def ward(embedded_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Ward]:
    """The embedded hub with its controllers, and an embedded cluster to be managed."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(hub_at(embedded_kubeconfig, tmp_path))
        spoke = await stack.enter_async_context(memory())
        yield Ward(hub, spoke, tmp_path)


async def test_who_never_asked(ward: Ward, unique: Unique) -> None:
    """A cluster of which there is nothing is said never to have asked, with the command that starts it."""
    found = await ward.examined(unique("unheard"))
    assert roots(found) == ["cluster-unknown"]
    assert first(found, "cluster-unknown").mend == "gitops-ocm get token"


async def test_from_request_to_health(ward: Ward, unique: Unique) -> None:
    """Pending, then approved but not accepted, then well; each time the root is what is to be done next."""
    name = unique("course")
    one = ward.agent(name, secret=True)
    async with one.running():
        found = await ward.found("csr-pending", name)
        assert "cluster-not-accepted" in folded(found)
        assert first(found, "csr-pending").mend == f"gitops-ocm accept --clusters {name}"
        await eventually(lambda: ward.hub.approved(name))
        found = await ward.found("cluster-not-accepted", name)
        assert roots(found) == ["cluster-not-accepted"]
        await ward.joined(name)
        await ward.healthy(name, spoke=True)


async def test_a_denied_request(ward: Ward, unique: Unique) -> None:
    """A denial is named, with who said what, and deleting the request as the way to another try."""
    name = unique("denied")
    async with ward.agent(name).running():
        await eventually(lambda: ward.hub.requests(name))
        (request,) = await ward.hub.requests(name)
        await answer(ward.hub.admin, request["metadata"]["name"], "Denied")
        found = await ward.found("csr-denied", name)
    finding = first(found, "csr-denied")
    assert finding.mend == f"kubectl delete csr {request['metadata']['name']}"
    assert any("said by a person" in fact.value for fact in finding.facts)
    assert roots(found) == ["csr-denied"]


async def test_nobody_signs() -> None:
    """A request that is approved and stays without a certificate shows that no signer works."""
    async with memory() as hub:  # no controllers and no housekeeping: nobody signs
        made = await hub.create(CSRS, cluster_csr("unsigned", agent_subject("unsigned"), label="unsigned"))
        await answer(hub, made["metadata"]["name"])
        found = await examine(hub, None, DoctorOptions(("unsigned",), settle=0))
    assert roots(found) == ["csr-unsigned"]


async def test_a_cluster_that_was_denied(ward: Ward, unique: Unique) -> None:
    """Acceptance that was taken back is the root of everything that follows for the agent."""
    name = unique("shut-out")
    async with ward.agent(name).running():
        await ward.joined(name)
        await ward.hub.accept(name, False)
        found = await ward.found("cluster-denied", name)
    assert "spec.hubAcceptsClient" in {fact.field for fact in first(found, "cluster-denied").facts}


@pytest.mark.slow
async def test_an_agent_that_went_silent(ward: Ward, unique: Unique) -> None:
    """A lease that ran out is the cause, the unknown availability follows; an agent that is back is well."""
    name = unique("silent")
    one = ward.agent(name, secret=True)
    async with one.running():
        await ward.joined(name)
    found = await ward.found("agent-silent", name)
    finding = first(found, "agent-silent")
    assert finding.facts[0].field == "spec.renewTime"
    assert finding.mend == f"gitops-ocm doctor {name} --spoke-kubeconfig FILE"

    async def unknown() -> bool:
        return "cluster-unavailable" in folded(await ward.examined(name))

    await eventually(unknown)
    assert roots(await ward.examined(name)) == ["agent-silent"]
    async with ward.agent(name, secret=True).running():
        await ward.healthy(name, spoke=True)


async def test_a_clock_that_is_wrong(ward: Ward, unique: Unique) -> None:
    """An agent whose clock is an hour ahead: the clocks are the cause, with both times as evidence."""
    name, clock = unique("ahead"), Jumping()
    async with ward.agent(name, clock=clock).running():
        await ward.joined(name)
        clock.jump(1800)
        found = await ward.found("clock-skewed", name)
    finding = first(found, "clock-skewed")
    assert {"status.conditions[ManagedClusterConditionClockSynced]", "spec.renewTime"} <= {
        fact.field for fact in finding.facts
    }


async def test_two_agents_of_one_name(ward: Ward, unique: Unique) -> None:
    """A newcomer asks by a name whose lease somebody else keeps renewing: more than a pending request."""
    name = unique("twins")
    async with ward.agent(name).running():
        await ward.joined(name)
        async with ward.agent(name, place=f"{name}-b").running():
            found = await ward.found("name-clash", name)
            assert "csr-pending" in folded(found)
            pending = [r for r in await ward.hub.requests(name) if not r.get("status")]
            assert (
                first(found, "name-clash").mend
                == f"kubectl certificate deny {pending[0]['metadata']['name']}"
            )


async def test_two_that_ask_at_once(ward: Ward, unique: Unique) -> None:
    """Two agents that both wait to join by one name are a clash as well."""
    name = unique("rivals")
    async with ward.agent(name).running(), ward.agent(name, place=f"{name}-b").running():
        found = await ward.found("name-clash", name)
    assert len({f.value for f in first(found, "name-clash").facts if f.field == "the name asked for"}) == 2


async def test_who_joins_again_is_no_clash(ward: Ward, unique: Unique) -> None:
    """An agent that lost all it kept and joined anew, by another name of its own, is well."""
    name = unique("again")
    one = ward.agent(name)
    async with one.running():
        await ward.joined(name)
    another = ward.agent(name, place=f"{name}-new")
    async with another.running():
        await eventually(lambda: ward.hub.approved(name))
        await ward.healthy(name)


async def test_a_namespace_that_goes(ward: Ward, unique: Unique) -> None:
    """A cluster's namespace that is being deleted is named, with what holds it up."""
    name = unique("emptied")
    async with ward.agent(name).running():
        await ward.joined(name)
    work = manifest_work("held", name, [config_map("held")])
    work["metadata"]["finalizers"] = ["example.com/held"]
    await ward.hub.admin.create(WORKS, work)
    await ward.hub.admin.delete(NAMESPACES, "", name)
    found = await ward.found("namespace-terminating", name)
    assert first(found, "namespace-terminating").facts[0].field == "metadata.deletionTimestamp"
    patch = {"metadata": {"finalizers": None}}
    await ward.hub.admin.patch(WORKS, name, "held", patch, type=PatchType.MERGE)


async def test_nobody_reconciles() -> None:
    """An acceptance without effect, and no leader's lease: the hub's controllers are not there."""
    async with memory() as hub:
        cluster = {
            "apiVersion": CLUSTERS.api_version,
            "kind": CLUSTERS.kind,
            "metadata": {"name": "waiting"},
            "spec": {"hubAcceptsClient": True},
        }
        await hub.create(CLUSTERS, cluster)
        found = await examine(hub, None, DoctorOptions(("waiting",), settle=0))
        patient = await examine(hub, None, DoctorOptions(("waiting",), settle=60))
    assert roots(found) == ["controllers-stopped"]
    assert "acceptance-not-handled" in folded(found)
    assert first(found, "controllers-stopped").mend == "gitops-ocm hub run --controllers registration"
    assert not patient.diagnosis.findings  # it was made just now: controllers may still come to it


async def test_what_an_agent_kept_is_read_from_a_directory(ward: Ward, unique: Unique) -> None:
    """An agent that keeps its identity in files is looked at there."""
    name = unique("on-disk")
    async with ward.agent(name).running():
        await ward.joined(name)
        kept = ward.folder / "agents" / name
        assert await Folder(kept).read()
        await ward.healthy(name, hub_folder=kept)


async def test_a_leader_that_is_gone() -> None:
    """A lease that nobody has renewed for longer than it lasts says that no controllers lead."""

    async with memory() as hub:
        await hub.create(
            NAMESPACES,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "open-cluster-management-hub"}},
        )
        old = micro_timestamp(datetime.now(UTC) - timedelta(minutes=10))
        spec = {"holderIdentity": "gone", "leaseDurationSeconds": 137, "renewTime": old}
        meta = {"name": "registration-controller-lock", "namespace": "open-cluster-management-hub"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
        await hub.create(LEASES, lease)
        found = await examine(hub, None, DoctorOptions(settle=0))
    assert roots(found) == ["controllers-stopped"]
