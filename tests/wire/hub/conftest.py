"""What the hub-side wire suite shares: a control plane of its own, and each module's cases run at once.

The hub is not the one other tests use: here controllers run against all of it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from tests.wire.hub.cases import Outcomes, run_all
from tests.wire.hub.programs import controllers, other
from tests.wire.hub.stage import CLUSTER, Stage

GO_MODULE = Path(__file__).parents[2] / "controlplane"


def _definitions() -> list[Object]:
    """The CRDs; add-on kinds also at v1beta1, which OCM's programs speak, without their conversion."""
    from gitops_ocm.api.crd import crds

    return [_at_v1beta1(crd) for crd in crds()]


def _at_v1beta1(crd: Object) -> Object:
    spec = crd["spec"]
    addon = spec["names"]["kind"] in ("ClusterManagementAddOn", "ManagedClusterAddOn")
    if not addon or any(v["name"] == "v1beta1" for v in spec["versions"]):
        return crd
    loose: dict[str, Any] = {
        "name": "v1beta1",
        "served": True,
        "storage": False,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    return {**crd, "spec": {**spec, "versions": [*spec["versions"], loose]}}


@pytest.fixture(scope="package")
def wire_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a real control plane for this folder alone."""
    from gitops_ocm.testing.controlplane import control_plane
    from gitops_ocm.testing.programs import ensure

    programs = ensure(os.environ, GO_MODULE)
    directory = tmp_path_factory.mktemp("wire-hub")
    with control_plane(programs, directory, manifests=_definitions()) as plane:
        yield plane.kubeconfig


@pytest.fixture(scope="package")
async def wire_embedded_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The kubeconfig of an embedded hub for this folder alone."""
    from gitops_ocm.apiserver.serve import serve
    from gitops_ocm.testing.clusters import connected, install

    directory = tmp_path_factory.mktemp("wire-embedded")
    async with serve(directory) as server, connected(server.kubeconfig_path) as cluster:
        await install(cluster, _definitions())
        yield server.kubeconfig_path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module's cases run on the real hub, and on those others that its `HUBS` names."""
    if "outcomes" in metafunc.fixturenames:
        hubs = getattr(metafunc.module, "HUBS", ("kubernetes",))
        marked = [
            pytest.param(hub, marks=pytest.mark.controlplane) if hub == "kubernetes" else hub for hub in hubs
        ]
        metafunc.parametrize("hub", marked, scope="module")


@pytest.fixture(scope="module")
def hub_kubeconfig(request: pytest.FixtureRequest, hub: str) -> Path:
    """The kubeconfig of the hub under test."""
    fixture = {"kubernetes": "wire_kubeconfig", "embedded": "wire_embedded_kubeconfig"}[hub]
    found: Path = request.getfixturevalue(fixture)
    return found


@pytest.fixture(scope="module")
async def hub_cluster(hub_kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A client of that hub."""
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.kubeconfig import load_kubeconfig

    cluster = HttpCluster(load_kubeconfig(hub_kubeconfig))
    try:
        yield cluster
    finally:
        await cluster.close()


@pytest.fixture(scope="module")
async def outcomes(
    request: pytest.FixtureRequest,
    hub: str,
    hub_kubeconfig: Path,
    hub_cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Outcomes:
    """What became of the module's selected cases, with the controllers of its `GROUP` running."""
    module, group = request.module, request.module.GROUP
    wanted = [params["case"] for params in _parameters(request, module) if params["hub"] == hub]
    kinds = {(r.api_version, r.kind): r for r in await hub_cluster.discover()}
    run, numbers = uuid.uuid4().hex[:4], itertools.count(1)

    def stage(fleet: Stage | None = None) -> Stage:
        return Stage(hub_cluster, kinds, f"{group[:1]}{run}{next(numbers):03}", fleet)

    fleet = await module.prepare(stage()) if hasattr(module, "prepare") else None
    with controllers(group, hub_kubeconfig, tmp_path_factory.mktemp(group)) as program:
        running = asyncio.ensure_future(run_all(wanted, lambda: stage(fleet), other(group)))
        ended = asyncio.ensure_future(program.ended())
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, ended):
            if not task.done():
                task.cancel()
        await asyncio.wait({running, ended})
        assert not running.cancelled(), f"the {group} controllers {ended.result()}"
    await _sweep(stage())
    found = running.result()
    for error in found.errors.values():
        if error is not None:
            error.add_note(f"The {group} controllers said last:\n{program.last_words()}")
    return found


async def _sweep(stage: Stage) -> None:
    """Delete the clusters that cases left: the next module's controllers should not be busy with them."""
    left = await stage.list(f"{CLUSTER}/v1", "ManagedCluster")
    await asyncio.gather(*(stage.delete(cluster) for cluster in left))


def _parameters(request: pytest.FixtureRequest, module: object) -> list[dict[str, Any]]:
    """The parameters of the module's tests that are selected."""
    items = [item for item in request.session.items if getattr(item, "module", None) is module]
    return [item.callspec.params for item in items if hasattr(item, "callspec")]
