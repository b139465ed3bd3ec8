"""What an operator finds when it looks at an agent's hub: each state of the two Secrets has its reason."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.served import NAMESPACES, SECRETS
from gitops_ocm.operator.connection import look
from gitops_ocm.testing.clusters import memory

pytestmark = pytest.mark.slow

NAMESPACE = "open-cluster-management-agent"
BOOTSTRAP, HUB = "bootstrap-hub-kubeconfig", "hub-kubeconfig-secret"
GOOD, STRANGER, NOWHERE = "good", "stranger", "nowhere"


@pytest.fixture(scope="module")
async def kubeconfigs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, bytes]]:
    """Kubeconfigs of an embedded hub: of its administrator, of somebody unknown, and of no hub at all."""
    folder = tmp_path_factory.mktemp("hub")
    async with serve(folder) as server:
        connection = load_kubeconfig(server.kubeconfig_path)
        given: dict[str, Any] = {"server": connection.server, "ca": connection.ca.read()}
        Kubeconfig(**given, token="not-a-token").write(folder / STRANGER)
        Kubeconfig(server="https://127.0.0.1:1", token="any").write(folder / NOWHERE)
        yield {
            GOOD: server.kubeconfig_path.read_bytes(),
            STRANGER: (folder / STRANGER).read_bytes(),
            NOWHERE: (folder / NOWHERE).read_bytes(),
        }


async def put(cluster: Cluster, name: str, data: Mapping[str, bytes]) -> None:
    """A Secret in the agents' namespace."""
    coded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    meta = {"name": name, "namespace": NAMESPACE}
    await cluster.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": coded})


@pytest.mark.parametrize(
    ("bootstrap", "hub", "name", "reasons"),
    [
        ("", {}, "c1", ("BootstrapSecretMissing", "HubKubeConfigSecretMissing")),
        (GOOD, {}, "c1", ("BootstrapSecretFunctional", "HubKubeConfigSecretMissing")),
        (NOWHERE, {}, "c1", ("BootstrapSecretError", "HubKubeConfigSecretMissing")),
        (STRANGER, {}, "c1", ("BootstrapSecretError", "HubKubeConfigSecretMissing")),
        (GOOD, {"cluster-name": b"c1"}, "c1", ("BootstrapSecretFunctional", "HubKubeConfigMissing")),
        (
            GOOD,
            {"kubeconfig": GOOD, "tls.crt": b"x"},
            "",
            ("BootstrapSecretFunctional", "ClusterNameMissing"),
        ),
        (
            GOOD,
            {"kubeconfig": NOWHERE, "tls.crt": b"x"},
            "c1",
            ("BootstrapSecretFunctional", "HubKubeConfigError"),
        ),
        (
            GOOD,
            {"kubeconfig": GOOD, "tls.crt": b"x", "cluster-name": b"c2"},
            "",
            ("BootstrapSecretFunctional", "HubKubeConfigSecretFunctional"),
        ),
    ],
)
async def test_reasons(
    kubeconfigs: Mapping[str, bytes],
    bootstrap: str,
    hub: Mapping[str, Any],
    name: str,
    reasons: tuple[str, str],
) -> None:
    """The reason says which of the two is at fault; the cluster's name comes from the Secret if need be."""
    async with memory() as cluster:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await cluster.create(NAMESPACES, namespace)
        if bootstrap:
            await put(cluster, BOOTSTRAP, {"kubeconfig": kubeconfigs[bootstrap]})
        if hub:
            data = {key: kubeconfigs[v] if isinstance(v, str) else v for key, v in hub.items()}
            await put(cluster, HUB, data)
        spec = {"clusterName": name} if name else {}
        found = await look(cluster, {"metadata": {"name": "klusterlet", "uid": "u"}, "spec": spec})
        assert (found.bootstrap, found.hub) == reasons
        assert found.degraded == (found.hub != "HubKubeConfigSecretFunctional")
        verdict = found.verdict()
        assert verdict.reason == (",".join(reasons) if found.degraded else "HubConnectionFunctional")
        if found.hub == "HubKubeConfigSecretFunctional":
            assert found.cluster_name == "c2"
