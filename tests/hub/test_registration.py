"""Who gets a certificate of a hub, and what it is good for: on both servers, with real rights and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from gitops_ocm.api.cluster import GROUP_PREFIX, MANAGED_CLUSTERS_GROUP
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.served import CSRS, LEASES, SECRETS
from gitops_ocm.testing.csrs import Subject, agent_subject, separate
from tests.hub.conftest import Serve
from tests.hub.registrations import CLUSTERS, WORKS, Hub, ask, hub_at_work, managed_cluster, refused
from tests.hub.webhooked import installed

pytestmark = pytest.mark.slow
Eventually = Callable[..., Awaitable[object]]
Open = Callable[..., AbstractAsyncContextManager[Hub]]


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)]
)
def kubeconfig(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """Each hub whose RBAC is asked: which it is, and how to reach it."""
    return request.param, request.getfixturevalue(f"{request.param}_kubeconfig")


@pytest.fixture
def opened(kubeconfig: tuple[str, Path], tmp_path: Path, unique: Callable[[str], str], served: Serve) -> Open:
    """`async with opened() as hub`: either server as a hub; the real one with our webhooks installed."""
    server, path = kubeconfig

    @asynccontextmanager
    async def start(*, auto_approval: bool = False) -> AsyncIterator[Hub]:
        marks = {"example.com/test": unique("registration")}
        name = unique("bootstrap")
        async with hub_at_work(path, tmp_path, name, auto_approval=auto_approval, marks=marks) as hub:
            if server == "embedded":
                yield hub
                return
            async with served(hub.admin) as webhooks, installed(hub.admin, webhooks, marks):
                yield hub

    return start


async def test_a_bootstrap_identity_can_only_ask(opened: Open, unique: Callable[[str], str]) -> None:
    """It may file requests; it lets nobody in, approves nothing, and reads nothing of other clusters."""
    async with opened() as hub:
        mine, other = unique("mine"), unique("other")
        await hub.registered(other)
        boot = hub.bootstrap
        said = await refused(boot.create(CLUSTERS, managed_cluster(mine, hub.marks, accepted=True)))
        assert f'user "{hub.bootstrap_user}" cannot update the HubAcceptsClient field' in said
        await hub.registered(mine, accepted=False)
        accept = {"spec": {"hubAcceptsClient": True}}
        await refused(boot.patch(CLUSTERS, "", mine, accept, type=PatchType.MERGE))
        csr = await ask(boot, mine)
        found = await boot.get(CSRS, "", csr)
        await refused(boot.update(CSRS, found, subresource="approval"))
        await refused(boot.list(WORKS, other))
        await refused(boot.get(LEASES, other, "managed-cluster-lease"))
        await refused(boot.list(SECRETS, other))
        assert not await hub.approved(csr)


def subjects(cluster: str) -> list[Subject]:
    """What a cluster is not due: other organizations, others' names, no agent."""
    own = f"{GROUP_PREFIX}{cluster}"
    names = (("CN", f"{own}:agent1"),)
    both = (("O", own), ("O", MANAGED_CLUSTERS_GROUP))
    return [
        ((*both, ("O", "system:authenticated-extra")), names),
        ((("O", f"{GROUP_PREFIX}elsewhere"), ("O", MANAGED_CLUSTERS_GROUP)), names),
        (both, (("CN", f"{GROUP_PREFIX}elsewhere:agent1"),)),
        (both, (("CN", own),)),
        (both, (("CN", "system:admin"),)),
    ]


async def test_only_what_is_due_is_approved_unseen(
    opened: Open, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """Of a named bootstrap identity's requests the good one is approved, and none that asks for more."""
    async with opened(auto_approval=True) as hub:
        name = unique("auto")
        await hub.registered(name, accepted=False)
        wrong = [await ask(hub.bootstrap, name, subject) for subject in subjects(name)]
        wrong.append(await ask(hub.bootstrap, name, usages=["digital signature", "server auth"]))
        wrong.append(await ask(hub.bootstrap, name, usages=["client auth", "server auth"]))
        wrong.append(await ask(hub.bootstrap, name, label=unique("another")))
        good = [
            await ask(hub.bootstrap, name),
            await ask(hub.bootstrap, name, separate(agent_subject(name))),
        ]
        for csr in good:
            await hub.issued(csr)
        assert [csr for csr in wrong if await hub.approved(csr)] == []

        async def accepted() -> bool:
            return bool((await hub.admin.get(CLUSTERS, "", name))["spec"]["hubAcceptsClient"])

        await eventually(accepted)
        await hub.accept(name, False)  # a person's denial stays: nothing accepts the cluster a second time
        found = await hub.admin.get(CLUSTERS, "", name)
        assert "open-cluster-management.io/automatically-accepted-on" in found["metadata"]["annotations"]


async def test_an_agent_renews_its_own_certificate_only(opened: Open, unique: Callable[[str], str]) -> None:
    """As itself it gets a new one at once; asking for another cluster's, or for more, it gets nothing."""
    async with opened() as hub:
        mine, other = unique("mine"), unique("other")
        await hub.registered(other)
        await hub.registered(mine)
        agent = await hub.agent(mine)
        lease = await agent.get(LEASES, mine, "managed-cluster-lease")
        assert lease["spec"]["holderIdentity"] == "managed-cluster-lease"
        wrong = [await ask(agent, mine, subject) for subject in subjects(mine)]
        wrong.append(await ask(agent, other))
        wrong.append(await ask(agent, other, label=mine))
        wrong.append(await ask(agent, mine, agent_subject(mine, "agent2")))
        wrong.append(await ask(agent, mine, usages=["digital signature", "server auth"]))
        await hub.issued(await ask(agent, mine))
        assert [csr for csr in wrong if await hub.approved(csr)] == []
        await refused(agent.get(LEASES, other, "managed-cluster-lease"))
        await refused(agent.get(CLUSTERS, "", other))
        await refused(agent.list(WORKS, other))


async def test_a_denied_cluster_loses_its_access(
    opened: Open, unique: Callable[[str], str], eventually: Eventually
) -> None:
    """Its certificate is still good, and good for nothing but looking at its own ManagedCluster."""
    async with opened() as hub:
        name = unique("denied")
        await hub.registered(name)
        agent = await hub.agent(name)
        await agent.list(WORKS, name)
        await hub.accept(name, False)
        status = {"status": {"version": {"kubernetes": "v1"}}}

        async def shut() -> bool:
            await refused(agent.get(LEASES, name, "managed-cluster-lease"))
            await refused(agent.list(WORKS, name))
            await refused(agent.patch(CLUSTERS, "", name, status, type=PatchType.MERGE, subresource="status"))
            await refused(ask(agent, name))
            return True

        await eventually(shut, 10, describe="every right is gone")
        assert (await agent.get(CLUSTERS, "", name))["spec"]["hubAcceptsClient"] is False
