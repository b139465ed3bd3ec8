"""Which of several hubs an agent registers with: the one it belongs to, else the first that would have it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from gitops_ocm.decide.agent.rights import BOOTSTRAP_RIGHTS
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.bootstrap import CLUSTERS, Bootstrap
from gitops_ocm.kube.access import may
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.runtime.log import get_logger

_log = get_logger("registration")

_PATIENCE = 20.0


async def choose(
    found: Sequence[Bootstrap], present: str, cluster: str, left: Collection[str]
) -> Bootstrap | None:
    """The hub at `present`, unless it was `left`, and then the others in order; None where none will do."""
    order = sorted(found, key=lambda b: (b.address.server in left, b.address.server != present))
    for bootstrap in order:
        why = await _unfit(bootstrap, cluster)
        if not why:
            return bootstrap
        _log.info("hub passed over", server=bootstrap.address.server, because=why)
    return None


async def _unfit(bootstrap: Bootstrap, cluster: str) -> str:
    """Why a hub cannot be registered with now; `""`: it can."""
    try:
        async with bootstrap.client() as hub, asyncio.timeout(_PATIENCE):
            for right in BOOTSTRAP_RIGHTS:
                if not await may(hub, right):
                    return f"its bootstrap kubeconfig may not {right}"
            return await _unwelcome(hub, cluster)
    except GitopsError as error:
        return error.message
    except TimeoutError:
        return f"no answer within {_PATIENCE:g} s"


async def _unwelcome(hub: Cluster, cluster: str) -> str:
    there = await find(hub, CLUSTERS, cluster)
    if there is None or (there.get("spec") or {}).get("hubAcceptsClient"):
        return ""
    return "it does not accept the cluster"
