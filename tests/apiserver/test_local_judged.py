"""What a process writes to the server in it is judged by what is registered there, like all other writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.serve import serve
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Resource

API = "admissionregistration.k8s.io/v1"
GROUP, VERSION = API.split("/")
MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
POLICIES = Resource(
    GROUP, VERSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False
)
BINDINGS = Resource(
    GROUP, VERSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", namespaced=False
)
HOOKS = Resource(
    GROUP, VERSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False
)
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
HERE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}


def config_map(name: str, **data: str) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalCluster]:
    """A server's own client; the server has a policy about who writes what, and warns of nothing."""
    async with serve(tmp_path / "hub") as server:
        cluster = server.local()
        expression = "object == null ? oldObject.data.kind != 'kept' : object.data.kind != 'bad'"
        validation = {"expression": expression, "messageExpression": "'not so, ' + request.userInfo.username"}
        spec: Any = {"matchConstraints": {"resourceRules": [RULE]}, "validations": [validation]}
        meta = {"name": "p"}
        await cluster.create(
            POLICIES, {"apiVersion": API, "kind": POLICIES.kind, "metadata": meta, "spec": spec}
        )
        spec = {"policyName": "p", "validationActions": ["Deny"], "matchResources": HERE}
        await cluster.create(
            BINDINGS, {"apiVersion": API, "kind": BINDINGS.kind, "metadata": meta, "spec": spec}
        )
        yield cluster


async def test_a_policy_judges_every_verb(local: LocalCluster) -> None:
    """Creations, changes and deletions are refused in the policy's words, and nothing of them is kept."""
    refused = "denied request: not so, gitops-ocm-admin"
    with pytest.raises(ApiError, match=refused):
        await local.create(MAPS, config_map("a", kind="bad"))
    made = await local.create(MAPS, config_map("a", kind="good"))
    with pytest.raises(ApiError, match=refused):
        await local.update(MAPS, {**made, "data": {"kind": "bad"}})
    with pytest.raises(ApiError, match=refused):
        await local.patch(MAPS, "default", "a", {"data": {"kind": "bad"}}, type=PatchType.MERGE)
    await local.patch(MAPS, "default", "a", {"data": {"kind": "kept"}}, type=PatchType.MERGE)
    with pytest.raises(ApiError):
        await local.delete(MAPS, "default", "a")
    assert (await local.get(MAPS, "default", "a"))["data"] == {"kind": "kept"}


async def test_a_webhook_that_cannot_be_asked_fails_the_write(local: LocalCluster) -> None:
    """Nobody answers at the webhook's address, which counts as its failure policy says."""
    hook = {
        "name": "nobody.example.com",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **HERE,
    }
    made = {"apiVersion": API, "kind": HOOKS.kind, "metadata": {"name": "h"}, "webhooks": [hook]}
    await local.create(HOOKS, made)
    with pytest.raises(ApiError, match=r'failed calling webhook "nobody\.example\.com"'):
        await local.create(MAPS, config_map("b", kind="good"))
    await local.delete(HOOKS, "", "h")
    assert (await local.create(MAPS, config_map("b", kind="good")))["metadata"]["name"] == "b"


async def test_a_client_that_asks_nobody_is_judged_by_what_is_built_in(local: LocalCluster) -> None:
    """The store called without a server around it knows no webhooks and no policies."""
    alone = LocalCluster(local.api)
    assert (await alone.create(MAPS, config_map("c", kind="bad")))["data"] == {"kind": "bad"}
