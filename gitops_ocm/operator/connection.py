"""Looks at a Klusterlet's hub: are the kubeconfigs there, and may whoever holds them do what agents do?

What is seen is a value (`decide.operators.connection`), which the runner's cache shows to the reconciler.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence

from gitops_ocm.api.operator_klusterlet import HUB_KUBECONFIG_SECRET
from gitops_ocm.decide.agent.rights import BOOTSTRAP_RIGHTS, hub_rights
from gitops_ocm.decide.operators.agent_spec import AgentSpec
from gitops_ocm.decide.operators.connection import (
    BOOTSTRAP_FUNCTIONAL,
    HUB_FUNCTIONAL,
    HUB_SECRET_MISSING,
    Connection,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.access import may
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import held_kubeconfig
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.rights import Right
from gitops_ocm.objects.served import SECRETS

TIMEOUT = 10.0


async def look(cluster: Cluster, klusterlet: Object, *, unreachable: str = "") -> Connection:
    """How the connection of a Klusterlet's agents to their hub stands; `cluster` is where they run."""
    spec = AgentSpec(klusterlet)
    where = spec.agent_namespace
    bootstrap = await _bootstrap(cluster, where, spec.bootstrap_secrets)
    hub, name, message = await _hub(cluster, where, spec.cluster_name)
    if hub == HUB_FUNCTIONAL:
        message = "Hub connection is functional"
    return Connection(bootstrap, hub, message, name, unreachable)


async def _bootstrap(cluster: Cluster, namespace: str, names: Sequence[str]) -> str:
    """The reason for the bootstrap Secrets: as good as the best of them."""
    found = "BootstrapSecretMissing"
    for name in names:
        secret = await _secret(cluster, namespace, name)
        if secret is None:
            continue
        try:
            refused = await _refused(secret, BOOTSTRAP_RIGHTS)
        except GitopsError:
            found = "BootstrapSecretError"
            continue
        if not refused:
            return BOOTSTRAP_FUNCTIONAL
        found = "BootstrapSecretUnauthorized"
    return found


async def _hub(cluster: Cluster, namespace: str, cluster_name: str) -> tuple[str, str, str]:
    """(reason, cluster name, message) for the hub kubeconfig."""
    name = HUB_KUBECONFIG_SECRET
    secret = await _secret(cluster, namespace, name)
    if secret is None or not secret:
        return (
            HUB_SECRET_MISSING,
            "",
            f"There is no Secret {namespace}/{name}: the cluster has not joined yet",
        )
    if not secret.get("kubeconfig") or not secret.get("tls.crt"):
        what = f"Secret {namespace}/{name} has no kubeconfig with a certificate yet"
        return "HubKubeConfigMissing", _name(secret, cluster_name), what
    known = _name(secret, cluster_name)
    if not known:
        return "ClusterNameMissing", "", f"Secret {namespace}/{name} does not say the cluster's name"
    try:
        refused = await _refused(secret, hub_rights(known))
    except GitopsError as error:
        return "HubKubeConfigError", known, error.message
    if refused:
        return "HubKubeConfigUnauthorized", known, f"The hub does not let the agents {refused}"
    return HUB_FUNCTIONAL, known, ""


def _name(secret: dict[str, bytes], given: str) -> str:
    return given or secret.get("cluster-name", b"").decode(errors="replace")


async def _secret(cluster: Cluster, namespace: str, name: str) -> dict[str, bytes] | None:
    found = await find(cluster, SECRETS, name, namespace)
    if found is None:
        return None
    try:
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    except binascii.Error:
        return {}


async def _refused(secret: Mapping[str, bytes], rights: Iterable[Right]) -> str:
    """The first right that the holder of a kubeconfig lacks, in words; empty where there is none."""
    client = HttpCluster(held_kubeconfig(secret, "kubeconfig", "the Secret"), timeout=TIMEOUT)
    try:
        for right in rights:
            if not await may(client, right):
                return str(right)
    finally:
        await client.close()
    return ""
