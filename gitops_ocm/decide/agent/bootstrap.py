"""Who an agent is to a hub: its names, the hub it belongs to, and whether what it holds still counts.

Pure. Reading kubeconfigs and certificates is `klusterlet.kubeconfig`'s and `klusterlet.keys`'; the
course of a registration is `klusterlet.registration`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gitops_ocm.api.cluster import AGENT_ANNOTATION_PREFIX
from gitops_ocm.decide.agent.certificates import Certificate, Wanted
from gitops_ocm.decide.kinds import CLUSTER_GROUP, MANAGED_CLUSTER
from gitops_ocm.decide.writes import is_deleting, time_at
from gitops_ocm.objects.names import name_problems
from gitops_ocm.objects.ref import Object

AGENT_NAME_LENGTH = 5
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""What names are made of that Kubernetes makes up."""


@dataclass(frozen=True)
class HubAddress:
    """Where a hub is and how it is told from others: the cluster entry of a kubeconfig."""

    name: str
    server: str
    ca: bytes = b""
    proxy_url: str = field(default="", repr=False)
    tls_server_name: str = ""
    insecure: bool = False


@dataclass(frozen=True)
class ClientConfig:
    """A way for the hub to reach the managed cluster."""

    url: str
    ca: bytes = b""

    def as_object(self) -> Object:
        """As a ManagedCluster has it."""
        return {"url": self.url} | ({"caBundle": base64.b64encode(self.ca).decode()} if self.ca else {})


@dataclass(frozen=True)
class Held:
    """What is kept of an earlier registration; `certificate` only where it belongs to its key."""

    address: HubAddress | None = None
    certificate: Certificate | None = None
    cluster_name: str = ""
    agent_name: str = ""


def why_bootstrap(held: Held, wanted: Wanted, cluster: str, hub: HubAddress | None, now: datetime) -> str:
    """Why what is held does not do to reach `hub` as `wanted` says; `""`: it does.

    Without `hub` (its bootstrap kubeconfig cannot be read now) that it is the same one is believed.
    """
    if held.address is None:
        return "there is no hub kubeconfig yet"
    if held.certificate is None:
        return "there is no certificate with its key yet"
    if held.cluster_name != cluster:
        return f"the hub kubeconfig is for the cluster {held.cluster_name or 'without a name'}"
    if held.certificate.subject != wanted.subject:
        return "the certificate is for another cluster or agent"
    if held.certificate.not_after <= now:
        return f"the certificate expired at {held.certificate.not_after:%Y-%m-%d %H:%M:%S} UTC"
    if hub is None:
        return ""
    for what in ("server", "proxy_url", "ca", "name"):
        if getattr(held.address, what) != getattr(hub, what):
            called = {"ca": "certificate authority", "proxy_url": "proxy", "name": "cluster entry"}
            return f"the bootstrap kubeconfig has another {called.get(what, what)}"
    return ""


def cluster_problem(name: str) -> str:
    """Why `name` cannot be a cluster's; `""`: it can."""
    problems = name_problems(name)
    return problems[0] if problems else ""


def new_cluster(
    name: str, annotations: Mapping[str, str], client_configs: Sequence[ClientConfig] = ()
) -> Object:
    """The ManagedCluster an agent makes of itself; whether it is let in is for the hub to say."""
    meta: Object = {"name": name}
    if own := {k: v for k, v in sorted(annotations.items()) if k.startswith(AGENT_ANNOTATION_PREFIX)}:
        meta["annotations"] = own
    spec: Object = {"hubAcceptsClient": False}
    if client_configs:
        spec["managedClusterClientConfigs"] = [c.as_object() for c in client_configs]
    return {
        "apiVersion": f"{CLUSTER_GROUP}/v1",
        "kind": MANAGED_CLUSTER.kind,
        "metadata": meta,
        "spec": spec,
    }


def with_client_configs(cluster: Object, configs: Sequence[ClientConfig]) -> Object | None:
    """The ManagedCluster with the ways to reach it that it lacks; None where it has them all."""
    spec = cluster.get("spec") or {}
    have = spec.get("managedClusterClientConfigs") or []
    known = {config.get("url") for config in have}
    lacking = [config.as_object() for config in configs if config.url not in known]
    if is_deleting(cluster) or not lacking:
        return None
    return {**cluster, "spec": {**spec, "managedClusterClientConfigs": [*have, *lacking]}}


def why_leave(
    cluster: Object | None, lease: Object | None, *, since: datetime, timeout: float, now: datetime
) -> str:
    """Why an agent that knows several hubs turns to another one; `""`: it stays.

    `since` is when it began with this one; `timeout` seconds without a renewed lease end it.
    """
    if cluster is not None and not (cluster.get("spec") or {}).get("hubAcceptsClient"):
        return "the hub does not accept the cluster"
    renewed = time_at(((lease or {}).get("spec") or {}).get("renewTime"))
    last = max(since, renewed) if renewed is not None else since
    if now - last >= timedelta(seconds=timeout):
        return f"the lease could not be renewed for {timeout:g} s"
    return ""
