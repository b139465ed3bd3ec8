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
from tests.wire.hub.stage import Stage

GO_MODULE = Path(__file__).parents[2] / "controlplane"
GIVEN = "GITOPS_OCM_TEST_KUBECONFIG"


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
async def wire_cluster(wire_kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A client of that hub."""
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.kube.identity import load_kubeconfig

    cluster = HttpCluster(load_kubeconfig(wire_kubeconfig))
    try:
        yield cluster
    finally:
        await cluster.close()


@pytest.fixture(scope="module")
async def outcomes(
    request: pytest.FixtureRequest,
    wire_kubeconfig: Path,
    wire_cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Outcomes:
    """What became of the module's selected cases, with the controllers of its `GROUP` running."""
    module, group = request.module, request.module.GROUP
    wanted = [
        item.callspec.params["case"]
        for item in request.session.items
        if getattr(item, "module", None) is module and hasattr(item, "callspec")
    ]
    kinds = {(r.api_version, r.kind): r for r in await wire_cluster.discover()}
    run, numbers = uuid.uuid4().hex[:4], itertools.count(1)

    def stage(fleet: Stage | None = None) -> Stage:
        return Stage(wire_cluster, kinds, f"{group[:1]}{run}{next(numbers):03}", fleet)

    fleet = await module.prepare(stage()) if hasattr(module, "prepare") else None
    with controllers(group, wire_kubeconfig, tmp_path_factory.mktemp(group)) as program:
        running = asyncio.ensure_future(run_all(wanted, lambda: stage(fleet), other(group)))
        ended = asyncio.ensure_future(program.ended())
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, ended):
            if not task.done():
                task.cancel()
        await asyncio.wait({running, ended})
        assert not running.cancelled(), f"the {group} controllers {ended.result()}"
        return running.result()
