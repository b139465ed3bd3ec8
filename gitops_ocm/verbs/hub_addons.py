"""`install|uninstall hub-addon`: what can be done about the add-ons that clusteradm has built in.

clusteradm carries their manifests and Helm's engine and fetches charts; this package carries neither. What is
checked here is checked as there; installing and removing are left to Helm, with the command to run.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS
from gitops_ocm.verbs.targets import listed
from gitops_ocm.verbs.voice import VerbError

CHARTS = {
    "argocd": "argocd-pull-integration",
    "argocd-agent": "argocd-agent-addon",
    "governance-policy-framework": "",
}
"""The Helm chart of each add-on that has one."""
REPOSITORY = "https://open-cluster-management.io/helm-charts"


class NotBuiltIn(VerbError):
    """An add-on whose manifests are not part of this program."""

    code = "not-built-in"


def check_names(names: Sequence[str]) -> None:
    """Raise for a name that clusteradm does not know either."""
    if not any(names):
        raise VerbError("names is missing", hint=f"one of {', '.join(CHARTS)}")
    for name in names:
        if name not in CHARTS:
            raise VerbError(f"invalid add-on name {name}", hint=f"one of {', '.join(CHARTS)}")


def install(names: Sequence[str], namespace: str) -> None:
    """Say how to install them."""
    check_names(names)
    raise NotBuiltIn(
        f"the manifests of {', '.join(names)} are not part of this program",
        hint="; ".join(_install_command(name, namespace) for name in names),
    )


async def uninstall(cluster: Cluster, names: Sequence[str], namespace: str) -> None:
    """Refuse while clusters have them; else say how to remove them."""
    check_names(names)
    for name in names:
        there = await listed(cluster, CLUSTER_ADDONS, field_selector=f"metadata.name={name}")
        if there:
            where = ",".join(obj["metadata"]["namespace"] for obj in there)
            raise VerbError(
                f"there are still addons for {name} enabled on some clusters, run "
                f"gitops-ocm addon disable --names {name} --clusters {where}"
            )
    raise NotBuiltIn(
        f"the manifests of {', '.join(names)} are not part of this program",
        hint="; ".join(_uninstall_command(name, namespace) for name in names),
    )


def _install_command(name: str, namespace: str) -> str:
    chart = CHARTS[name]
    if not chart:
        return f"clusteradm install hub-addon --names {name} --namespace {namespace}"
    return f"helm install {chart} {chart} --repo {REPOSITORY} --namespace argocd --create-namespace"


def _uninstall_command(name: str, namespace: str) -> str:
    chart = CHARTS[name]
    if not chart:
        return f"clusteradm uninstall hub-addon --names {name} --namespace {namespace}"
    return f"helm uninstall {chart} --namespace argocd"
