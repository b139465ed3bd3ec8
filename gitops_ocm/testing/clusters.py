"""The three `Cluster`s that everything is tested on, with the OCM kinds installed.

    memory()            the embedded store, in this process
    embedded(dir)       the same store behind HTTPS, and our own client
    connected(path)     whatever a kubeconfig names: a real control plane (`testing.controlplane`), KinD, ...

Each is an async context manager that closes what it opened. `apply` puts objects on any of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.serve import serve
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, kind_of, split_api_version
from gitops_ocm.objects.served import CRDS
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.waiting import eventually


@asynccontextmanager
async def memory() -> AsyncIterator[Cluster]:
    """A new embedded hub that nothing outside this process can reach."""
    api = Api(load_catalog(), admission=Webhooks())
    cluster = LocalCluster(api)
    try:
        await install(cluster, crds())
        yield cluster
    finally:
        await cluster.close()
        api.close()


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[Cluster]:
    """The embedded hub kept in `directory`, behind HTTPS on a free port of loopback."""
    async with serve(directory) as server, connected(server.kubeconfig_path) as cluster:
        yield cluster


@asynccontextmanager
async def connected(kubeconfig: Path, context: str | None = None) -> AsyncIterator[Cluster]:
    """The API server that a kubeconfig names; the OCM kinds are put on it where they are missing."""
    cluster = HttpCluster(load_kubeconfig(kubeconfig, context))
    try:
        await install(cluster, crds())
        yield cluster
    finally:
        await cluster.close()


async def install(cluster: Cluster, definitions: Iterable[Object]) -> None:
    """Apply CRDs and wait until each is served."""
    names = []
    for definition in definitions:
        name = definition["metadata"]["name"]
        await cluster.patch(
            CRDS, "", name, definition, type=PatchType.APPLY, field_manager="gitops-ocm-test", force=True
        )
        names.append(name)
    for name in names:

        async def established(name: str = name) -> bool:
            return is_true(await cluster.get(CRDS, "", name), "Established")

        await eventually(established, describe=f"CustomResourceDefinition {name} established")


async def apply(cluster: Cluster, objects: Iterable[Object]) -> None:
    """As `kubectl apply --server-side --force-conflicts`."""
    mapper = Mapper(cluster)
    for obj in objects:
        _, version = split_api_version(obj["apiVersion"])
        resource = await mapper.resource_of(kind_of(obj), version)
        assert resource is not None, f"{obj['apiVersion']} {obj['kind']} is not served"
        meta = obj["metadata"]
        where = meta.get("namespace", "")
        await cluster.patch(
            resource, where, meta["name"], obj, type=PatchType.APPLY, field_manager="kubectl", force=True
        )
