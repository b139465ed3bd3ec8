"""A disk that is full while the hub is served: writes are refused in words, and go on when there is room."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment

pytestmark = pytest.mark.slow


def _config_map(name: str, size: int = 1) -> Object:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"fill": "x" * size}}


async def _filled(cluster: HttpCluster) -> None:
    for at in range(10):
        await cluster.create(CONFIG_MAPS, _config_map(f"much-{at}", 1_000_000))


async def test_writes_go_on_when_there_is_room_again(tmp_path: Path) -> None:
    """What did not fit has not happened, what was kept is still read, and nothing needs a restart."""
    data = tmp_path / "hub"
    command = ("hub", "serve", "--data-dir", str(data), "--controllers", "placement")
    with Daemon(*command, env=environment(tmp_path)) as hub:
        await hub.said("controllers run")
        cluster = HttpCluster(load_kubeconfig(data / "kubeconfig"))
        try:
            await cluster.create(CONFIG_MAPS, _config_map("before"))
            most = max(file.stat().st_size for file in data.glob("state.db*"))
            unlimited = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
            with pytest.raises(ApiError, match=r"cannot write \S+state\.db") as raised:
                await _filled(cluster)
            assert raised.value.reason == "InternalError"
            names = {o["metadata"]["name"] for o in (await cluster.list(CONFIG_MAPS, "default")).items}
            assert "before" in names
            resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, unlimited)
            await cluster.create(CONFIG_MAPS, _config_map("after", 1_000_000))
            after = {o["metadata"]["name"] for o in (await cluster.list(CONFIG_MAPS, "default")).items}
            assert after == names | {"after"}
        finally:
            await cluster.close()
        assert await hub.stop() == 0
        assert TRACEBACK not in hub.output
