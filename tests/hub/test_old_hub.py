"""A hub that knows requests for certificates at v1beta1 alone, as Kubernetes 1.16 to 1.18."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_ocm.api.cluster import GROUP_PREFIX
from gitops_ocm.apiserver.serve import serve
from gitops_ocm.decide.access import agent_identity
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.served import CSRS
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.csrs import agent_subject, cluster_csr
from gitops_ocm.testing.hub import controllers_on
from tests.hub.registrations import CLUSTERS

Eventually = Callable[..., Awaitable[object]]
BETA = replace(CSRS, version="v1beta1")


@pytest.mark.slow
@pytest.mark.parametrize("gate", [False, True])
async def test_certificates_are_renewed_with_the_gate(
    tmp_path: Path, eventually: Eventually, gate: bool
) -> None:
    """With V1beta1CSRAPICompatibility a renewal is approved through v1beta1; without, a person has to."""
    settings = HubSettings().with_gates({"V1beta1CSRAPICompatibility": gate})
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(tmp_path / "hub", beta_certificates=True))
        admin = await stack.enter_async_context(connected(server.kubeconfig_path))
        agent = HttpCluster(
            load_kubeconfig(server.kubeconfig_path).acting_as(*agent_identity("c1", "agent1"))
        )
        stack.push_async_callback(agent.close)
        options = HubOptions(frozenset({"registration"}), settings)
        await stack.enter_async_context(controllers_on(admin, options))
        await admin.create(CLUSTERS, make.managed_cluster("c1"))

        async def accepted() -> bool:
            return is_true(await admin.get(CLUSTERS, "", "c1"), "HubAcceptedManagedCluster")

        await eventually(accepted)

        async def asked(who: str) -> str:
            csr = {**cluster_csr("c1", agent_subject("c1", who)), "apiVersion": BETA.api_version}
            return str((await agent.create(BETA, csr))["metadata"]["name"])

        async def approved(name: str) -> bool:
            return is_true(await admin.get(BETA, "", name), "Approved")

        mine = await asked("agent1")
        assert (await admin.get(BETA, "", mine))["spec"]["username"] == f"{GROUP_PREFIX}c1:agent1"
        if gate:
            await eventually(lambda: approved(mine))
        await admin.create(CLUSTERS, make.managed_cluster("c2"))

        async def later() -> bool:
            return is_true(await admin.get(CLUSTERS, "", "c2"), "HubAcceptedManagedCluster")

        await eventually(later)
        assert await approved(mine) is gate
