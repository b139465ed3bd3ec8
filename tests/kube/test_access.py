"""Who gets metrics: whoever may on the cluster, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gitops_ocm.kube.access import Callers
from gitops_ocm.kube.identity import Pem
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.token_request import request_token
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import ACCOUNTS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES
from gitops_ocm.runtime.observing import Health, observed
from gitops_ocm.testing.clusters import connected

RBAC = "rbac.authorization.k8s.io"


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("kubernetes", marks=pytest.mark.controlplane)]
)
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """Each server that knows tokens."""
    found: Path = request.getfixturevalue(f"{request.param}_kubeconfig")
    return found


def reader(name: str, account: str) -> tuple[Object, Object]:
    """A role that lets an account read metrics, and its binding."""
    rules = [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "default"}
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [subject],
    }
    return role, binding


async def test_metrics_are_for_who_may_read_them(kubeconfig: Path, unique: Callable[[str], str]) -> None:
    """By the cluster's own word about the caller's token; nothing of our own identity goes with it."""
    allowed, other, health = unique("scraper"), unique("other"), Health()
    health.ready()
    tokens = {}
    async with connected(kubeconfig) as cluster:
        for name in (allowed, other):
            meta = {"name": name, "namespace": "default"}
            await cluster.create(ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
            tokens[name] = (await request_token(cluster, "default", name, 600)).text
        role, binding = reader(allowed, allowed)
        await cluster.create(CLUSTER_ROLES, role)
        await cluster.create(CLUSTER_ROLE_BINDINGS, binding)
    callers = Callers(load_kubeconfig(kubeconfig))
    async with observed("127.0.0.1", 0, health, admit=callers) as port, aiohttp.ClientSession() as client:

        async def scraped(authorization: str) -> tuple[int, str]:
            headers = {"Authorization": authorization} if authorization else {}
            url = f"https://127.0.0.1:{port}/metrics"
            async with client.get(url, headers=headers, ssl=False) as answer:
                return answer.status, await answer.text()

        assert (await scraped(""))[0] == 401
        assert (await scraped("Basic YTpi"))[0] == 401
        assert await scraped("Bearer nonsense") == (401, "the cluster does not know this token")
        status, why = await scraped(f"Bearer {tokens[other]}")
        assert (status, why) == (403, "this token's holder may not get /metrics on the cluster")
        status, text = await scraped(f"Bearer {tokens[allowed]}")
        assert status == 200
        assert "# TYPE workqueue_depth gauge" in text
        async with client.get(f"https://127.0.0.1:{port}/readyz", ssl=False) as answer:
            assert answer.status == 200


async def test_a_cluster_that_cannot_be_asked(kubeconfig: Path) -> None:
    """Nobody is let in on a guess, and the next request asks again."""
    nowhere = replace(load_kubeconfig(kubeconfig), server="https://127.0.0.1:1", certificate=Pem(), key=Pem())
    refused = await Callers(nowhere)("token", "/metrics")
    assert refused is not None
    assert refused.status == 503
