"""What `init` and `join` ask of a server: is it the embedded one, how does it publish itself."""

from __future__ import annotations

import base64
import ipaddress
from urllib.parse import urlsplit

import yaml

from gitops_ocm.apiserver.cluster_info import published
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.identity import Connection
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.verbs.voice import NAME, Preflight, VerbError

PUBLIC, CLUSTER_INFO = "kube-public", "cluster-info"
_EMBEDDED = "+gitops-ocm"


async def is_embedded(cluster: Cluster) -> bool:
    """Whether this is our own server, where no pods run and the hub's controllers are in the process."""
    return str((await cluster.version()).get("gitVersion", "")).endswith(_EMBEDDED)


def check_server(url: str, check: Preflight) -> None:
    """A server that clusters find by a name is one they must be able to resolve."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        told = f"Hub Api Server is a domain name, maybe you should set HostAlias in klusterlet: {host}"
        check.told("HubApiServer check", warnings=[told])
    else:
        check.told("HubApiServer check")


async def check_cluster_info(hub: Cluster, at: Connection, check: Preflight, *, dry_run: bool) -> None:
    """`cluster-info` is how joining clusters learn the hub's CA: it is made where it is missing."""
    name = "cluster-info check"
    try:
        found = await find(hub, CONFIG_MAPS, CLUSTER_INFO, PUBLIC)
        if found is None:
            if not dry_run:
                made = published(at.ca.read().decode(), at.server)
                await hub.create(CONFIG_MAPS, {**made, "immutable": True}, field_manager="gitops-ocm-install")
            told = f"no ConfigMap named cluster-info in the kube-public namespace, {NAME} will create it"
            check.told(name, warnings=[told])
        else:
            cluster_of(found)
            check.told(name)
    except (ApiError, VerbError) as error:
        check.failed(name, error)


def cluster_of(info: Object) -> tuple[str, bytes]:
    """Server and CA in a `cluster-info`."""
    try:
        body = yaml.safe_load((info.get("data") or {})["kubeconfig"])
        (entry,) = body["clusters"]
        cluster = entry["cluster"]
        ca = base64.b64decode(cluster.get("certificate-authority-data") or "", validate=True)
        return str(cluster.get("server") or ""), ca
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise VerbError(
            "the ConfigMap kube-public/cluster-info holds no usable kubeconfig",
            hint="look at it: kubectl -n kube-public get configmap cluster-info -o yaml; "
            "without it, init makes a new one",
        ) from error


async def published_server(cluster: Cluster) -> str:
    """The address a cluster publishes for itself, "" if it publishes none."""
    info = await find(cluster, CONFIG_MAPS, CLUSTER_INFO, PUBLIC)
    return cluster_of(info)[0] if info is not None else ""
