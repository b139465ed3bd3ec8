"""The hubs an agent may register with: their bootstrap kubeconfigs, and what it does there as nobody yet.

A bootstrap identity may make ManagedClusters and ask for certificates, and may watch whether its cluster
is let in. Everything else is done with the identity that comes of it (`klusterlet.registration`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gitops_ocm.api.cluster import HUB_ACCEPTED
from gitops_ocm.decide.agent.bootstrap import ClientConfig, HubAddress, new_cluster, with_client_configs
from gitops_ocm.decide.kinds import CLUSTER_GROUP, MANAGED_CLUSTER
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.kubeconfig import address_of
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.identity import Connection
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.log import get_logger

_log = get_logger("registration")

CLUSTERS = Resource(CLUSTER_GROUP, "v1", MANAGED_CLUSTER.kind, "managedclusters", namespaced=False)
_WATCH = 300.0


@dataclass(frozen=True)
class Bootstrap:
    """One bootstrap kubeconfig as it was read."""

    path: Path
    connection: Connection
    address: HubAddress

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Cluster]:
        """The hub, as the bootstrap identity reaches it."""
        cluster = HttpCluster(self.connection)
        try:
            yield cluster
        finally:
            await cluster.close()


def read_bootstrap(path: Path) -> Bootstrap:
    """The hub that a file names; raises where it cannot be used."""
    connection = load_kubeconfig(path)
    return Bootstrap(path, connection, address_of(connection))


def readable(paths: Sequence[Path]) -> list[Bootstrap]:
    """Those that can be read, in order; trouble with the others is told."""
    found = []
    for path in paths:
        try:
            found.append(read_bootstrap(path))
        except GitopsError as error:
            _log.warning("bootstrap kubeconfig not used", error=error)
    return found


def stamps(paths: Sequence[Path]) -> tuple[bytes | None, ...]:
    """What the files hold now: changes when one is written, or goes."""

    def content(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except OSError:
            return None

    return tuple(content(path) for path in paths)


@dataclass(frozen=True)
class Introduction:
    """What an agent tells a hub of its cluster when it makes the ManagedCluster."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    client_configs: tuple[ClientConfig, ...] = ()

    def trusting(self, ca: bytes) -> Introduction:
        """The same with a CA for the servers that have none."""
        return replace(self, client_configs=tuple(replace(c, ca=c.ca or ca) for c in self.client_configs))

    async def make(self, hub: Cluster, name: str) -> None:
        """Make the ManagedCluster, or tell one that was made beforehand how it is reached."""
        try:
            there = await hub.get(CLUSTERS, "", name)
        except ApiError as error:
            if error.http_code in (401, 403):
                return  # A hub may have made it and keep it from us: the certificate decides.
            if error.http_code != 404:
                raise
            await self._create(hub, name)
            return
        if (changed := with_client_configs(there, self.client_configs)) is not None:
            try:
                await hub.update(CLUSTERS, changed)
            except ApiError as error:
                # OCM's bootstrap role has no `update`; the agent itself will do it.
                if error.http_code not in (403, 409):
                    raise

    async def _create(self, hub: Cluster, name: str) -> None:
        try:
            await hub.create(CLUSTERS, new_cluster(name, self.annotations, self.client_configs))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        else:
            _log.info("cluster made on the hub; it waits to be accepted", cluster=name, server=hub.server)


async def accepted(hub: Cluster, name: str) -> bool:
    """Wait until the hub has accepted a cluster; False where we may not know (any longer)."""
    try:
        cluster: Object = await hub.get(CLUSTERS, "", name)
        while not is_true(cluster, HUB_ACCEPTED):
            watch: Any = hub.watch(
                CLUSTERS,
                resource_version=str(cluster["metadata"]["resourceVersion"]),
                field_selector=f"metadata.name={name}",
                timeout=_WATCH,
            )
            async with aclosing(watch) as events:
                async for event in events:
                    if event.type == "MODIFIED" and is_true(event.object, HUB_ACCEPTED):
                        return True
            cluster = await hub.get(CLUSTERS, "", name)
    except (ApiError, Unreachable):
        return False
    return True
