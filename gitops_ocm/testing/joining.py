"""What an administrator does for a cluster to join: a bootstrap kubeconfig, an approval, an acceptance."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.kube.token_request import request_token
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CSRS
from gitops_ocm.testing.clusters import apply

CLUSTERS = Resource(
    "cluster.open-cluster-management.io", "v1", "ManagedCluster", "managedclusters", namespaced=False
)
NAMESPACE = "open-cluster-management"
ACCOUNT = "agent-registration-bootstrap"
_ROLE = "open-cluster-management:bootstrap"
_RBAC = "rbac.authorization.k8s.io"
_CSRS = ("certificates.k8s.io", "certificatesigningrequests", ("create", "get", "list", "watch"))
_RULES = (
    ("", "configmaps", ("get",)),
    _CSRS,
    ("cluster.open-cluster-management.io", "managedclusters", ("create", "get", "list", "watch")),
    ("cluster.open-cluster-management.io", "managedclustersets/join", ("create",)),
)


def bootstrap_objects() -> list[Object]:
    """The ServiceAccount of agents that bootstrap, with OCM's rights."""
    rules = [{"apiGroups": [g], "resources": [r], "verbs": list(verbs)} for g, r, verbs in _RULES]
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": _ROLE},
            "rules": rules,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"{_ROLE}:agent-registration"},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _ROLE},
            "subjects": [account],
        },
    ]


async def bootstrap_kubeconfig(hub: Cluster, admin: Path, path: Path, *, seconds: int = 3600) -> Path:
    """Write a bootstrap kubeconfig with a token for the hub that `admin` names."""
    await apply(hub, bootstrap_objects())
    token = (await request_token(hub, NAMESPACE, ACCOUNT, seconds)).text
    to = load_kubeconfig(admin)
    made = Kubeconfig(server=to.server, ca=to.ca.read(), token=token, cluster="hub")
    await asyncio.to_thread(made.write, path)
    return path


async def requests_of(hub: Cluster, cluster: str) -> list[Object]:
    """The certificate requests of a cluster and its add-ons."""
    return (await hub.list(CSRS, label_selector=f"{CLUSTER_NAME_LABEL}={cluster}")).items


async def answer(hub: Cluster, name: str, verdict: str = "Approved") -> None:
    """Approve or deny (`Denied`) a certificate request, as kubectl does."""
    request = await hub.get(CSRS, "", name)
    said = {"type": verdict, "status": "True", "reason": "KubectlApprove", "message": "said by a person"}
    request.setdefault("status", {})["conditions"] = [said]
    await hub.update(CSRS, request, subresource="approval")


async def approve_all(hub: Cluster, cluster: str) -> list[str]:
    """Approve what waits for an answer; its names."""
    waiting = [
        str(request["metadata"]["name"])
        for request in await requests_of(hub, cluster)
        if not (request.get("status") or {}).get("conditions")
    ]
    for name in waiting:
        await answer(hub, name)
    return waiting


async def accept(hub: Cluster, cluster: str, verdict: bool = True) -> None:
    """Let a cluster in (or not), as a person does; made again where somebody else was faster."""
    while True:
        try:
            await hub.patch(
                CLUSTERS, "", cluster, {"spec": {"hubAcceptsClient": verdict}}, type=PatchType.MERGE
            )
        except ApiError as error:
            if error.reason != "Conflict":
                raise
        else:
            return
