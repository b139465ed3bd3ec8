"""From a bootstrap kubeconfig to an agent with an identity of its own, and what ends such an identity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.klusterlet.conftest import Agent, Hub

Eventually = Callable[..., Awaitable[Any]]
Make = Callable[..., Agent]


async def test_bootstrap_to_available(hub: Hub, agent: Make, eventually: Eventually) -> None:
    """Cluster, one request, an approval, an acceptance: the cluster is joined, by its own identity."""
    one = agent()
    name = one.options.cluster_name
    async with one.running():
        await eventually(lambda: hub.known(name))
        await eventually(lambda: hub.approved(name))
        await hub.accept(name)
        await eventually(lambda: hub.available(name))
    (request,) = await hub.requests(name)
    assert request["metadata"]["name"].startswith(f"{name}-")
    assert set(await one.kept.read()) == {"kubeconfig", "tls.crt", "tls.key", "cluster-name", "agent-name"}
