"""The scheduler's debug endpoint: who may ask, and what is answered, on an embedded hub."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gitops_ocm.hub.daemon import HubOptions
from gitops_ocm.hub.placement_debug import LIMIT, DebugOptions
from gitops_ocm.kube.access import Callers
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.token_request import request_token
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import ACCOUNTS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.listing import BINDINGS, CLUSTERS, PLACEMENTS, SETS

pytestmark = pytest.mark.slow

RBAC = "rbac.authorization.k8s.io"
LABELS = {"labelSelector": {"matchLabels": {"tier": "gold"}}}
SPEC: Mapping[str, Any] = {
    "predicates": [{"requiredClusterSelector": LABELS}],
    "prioritizerPolicy": {"configurations": [{"scoreCoordinate": {"builtIn": "Steady"}, "weight": 3}]},
}


AS_GO = (
    '{"metadata":{"name":"web","namespace":"fleet"},"spec":{"predicates":[{"requiredClusterSelector":{'
    '"labelSelector":{"matchLabels":{"tier":"gold"}},"claimSelector":{},"celSelector":{}}}],'
    '"prioritizerPolicy":{"mode":"Additive","configurations":[{"scoreCoordinate":{"type":"BuiltIn",'
    '"builtIn":"Steady"},"weight":3}]},"spreadPolicy":{},"decisionStrategy":{"groupStrategy":{'
    '"clustersPerDecisionGroup":0}},"sortBy":"ClusterName","scoreRateLimit":"1m"},'
    '"status":{"numberOfSelectedClusters":0,"decisionGroups":null,"conditions":null}}'
)
"""What OCM's own endpoint answers of this placement, byte for byte."""


@dataclass(frozen=True)
class Endpoint:
    """A served endpoint and the tokens of who may ask and who may not."""

    port: int
    allowed: str
    other: str

    async def ask(self, path: str, *, method: str = "GET", token: str | None = None, body: Any = None) -> Any:
        """Status and JSON of an answer."""
        given = self.allowed if token is None else token
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        url = f"https://127.0.0.1:{self.port}/debug/placements/{path}"
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with (
            aiohttp.ClientSession() as client,
            client.request(method, url, headers=headers, ssl=False, data=data if body else None) as answer,
        ):
            return answer.status, await answer.json()


async def _token(hub: Cluster, account: str) -> str:
    meta = {"name": account, "namespace": "default"}
    await hub.create(ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    return (await request_token(hub, "default", account, 600)).text


async def _may_ask(hub: Cluster, account: str) -> None:
    rules = [
        {"apiGroups": ["cluster.open-cluster-management.io"], "resources": ["placements"], "verbs": verbs}
        for verbs in (["get"], ["create"])
    ]
    role: Object = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": account}}
    await hub.create(CLUSTER_ROLES, {**role, "rules": rules})
    bound = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": account},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": "default"}],
    }
    await hub.create(CLUSTER_ROLE_BINDINGS, bound)


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """An embedded hub with a decided placement, whose placement controller serves the endpoint."""
    from gitops_ocm.apiserver.serve import serve

    listens: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(tmp_path))
        hub = await stack.enter_async_context(connected(server.kubeconfig_path))
        admit = Callers(load_kubeconfig(server.kubeconfig_path)).to
        debug = DebugOptions("127.0.0.1", 0, admit, listens.set_result)
        options = HubOptions(frozenset({"placement"}), debug=debug)
        await stack.enter_async_context(controllers_on(hub, options))
        tokens = [await _token(hub, account) for account in ("allowed", "other")]
        await _may_ask(hub, "allowed")
        await hub.create(NAMESPACES, namespace("fleet"))
        await hub.create(SETS, cluster_set("ring"))
        await hub.create(BINDINGS, binding("ring", "fleet"))
        for name, tier, taints in (
            ("c1", "gold", []),
            ("c2", "gold", []),
            ("c3", "gold", [{"key": "old", "effect": "NoSelect"}]),
            ("c4", "tin", []),
        ):
            labels = {"tier": tier}
            made = managed_cluster(name, cluster_set="ring", labels=labels, taints=taints)
            await hub.create(CLUSTERS, made)
        await hub.create(PLACEMENTS, placement("web", "fleet", **SPEC))

        async def decided() -> bool:
            found = await hub.get(PLACEMENTS, "fleet", "web")
            return bool((found.get("status") or {}).get("numberOfSelectedClusters") == 2)

        await eventually(decided)
        yield Endpoint(await listens, tokens[0], tokens[1])


async def test_a_stored_placement_is_explained(endpoint: Endpoint) -> None:
    """Filters cumulatively, every prioritizer with its weight, totals the best first, no status."""
    status, told = await endpoint.ask("fleet/web")
    assert status == 200
    assert json.dumps(told["placement"], separators=(",", ":")) == AS_GO
    assert told["filteredPipelineResults"] == [
        {"name": "Predicate", "filteredClusters": ["c1", "c2", "c3"]},
        {"name": "Predicate,TaintToleration", "filteredClusters": ["c1", "c2"]},
    ]
    assert told["prioritizeResults"] == [
        {"name": "Balance", "weight": 1, "scores": {"c1": 100, "c2": 100}},
        {"name": "Steady", "weight": 3, "scores": {"c1": 100, "c2": 100}},
    ]
    assert told["aggregatedScores"] == [
        {"clusterName": "c1", "score": 400},
        {"clusterName": "c2", "score": 400},
    ]


async def test_a_placement_is_only_tried(endpoint: Endpoint) -> None:
    """A POST is decided as if it were there, others' choices counted; a misconfigured one to its fault."""
    tried = placement("new", "fleet", predicates=[])
    status, told = await endpoint.ask("", method="POST", body=tried)
    assert (status, [c["clusterName"] for c in told["aggregatedScores"]]) == (200, ["c4", "c1", "c2"])
    wrong = placement("new", "fleet", tolerations=[{"value": "x"}])
    status, told = await endpoint.ask("", method="POST", body=wrong)
    assert status == 200
    assert [f["name"] for f in told["filteredPipelineResults"]] == ["Predicate"]
    assert "aggregatedScores" not in told


async def test_who_may_not_is_told_why(endpoint: Endpoint) -> None:
    """No token, one nobody knows, one without the right, by the statuses of OCM's endpoint."""
    assert (await endpoint.ask("fleet/web", token=""))[0] == 401
    assert (await endpoint.ask("fleet/web", token="nonsense"))[0] == 401
    status, told = await endpoint.ask("fleet/web", token=endpoint.other)
    assert status == 403
    assert told["error"].startswith("user does not have permission to get placements in namespace fleet: ")


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "error"),
    [
        ("fleet/x", "GET", None, 404, "placement 'x' not found"),
        ("fleet/x", "DELETE", None, 405, "method DELETE not allowed"),
        ("x", "GET", None, 400, "invalid debug path: namespace and name required"),
        ("a/b/c", "GET", None, 400, 'unexpected key format: "a/b/c"'),
        ("", "POST", b"{", 400, "failed to unmarshal placement JSON: "),
        ("", "POST", b"[]", 400, "failed to unmarshal placement JSON: "),
        ("", "POST", {"spec": {"numberOfClusters": "x"}}, 400, "failed to unmarshal placement JSON: spec."),
        ("", "POST", b" " * (LIMIT + 1), 400, "request body too large: 1048577 bytes exceeds maximum of"),
    ],
)
async def test_what_cannot_be_asked(
    endpoint: Endpoint, path: str, method: str, body: Any, status: int, error: str
) -> None:
    """The endpoint's own words for what is wrong with a request."""
    answered, told = await endpoint.ask(path, method=method, body=body)
    assert answered == status
    assert told["error"].startswith(error)
