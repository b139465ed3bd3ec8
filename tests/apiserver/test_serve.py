"""A served directory: its kubeconfig, its port, its lock, and what a stop and a restart leave."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from gitops_ocm.apiserver.serve import CannotServe, serve, serve_fleet
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.served import CONFIG_MAPS
from tests.apiserver.plain_http import IN_DEFAULT, TOKENS, config_map


async def test_stopping_ends_watches_cleanly(tmp_path: Path) -> None:
    """A watch sees the end of its stream, not a broken connection, when the server stops."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve(tmp_path / "hub", tokens=TOKENS))
        context = ssl.create_default_context(cadata=server.authority.pem.decode())
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            url = f"{server.url}{IN_DEFAULT}?watch=1&resourceVersion=0&labelSelector=none"
            answer = await session.get(url, headers={"Authorization": "Bearer root"})
            await stack.aclose()
            assert await answer.read() == b""
            answer.close()


async def test_the_clients_certificate_is_who_it_says(tmp_path: Path) -> None:
    """The kubeconfig written is an administrator's; its objects survive a restart on the same port."""
    directory = tmp_path / "hub"
    async with serve(directory) as server:
        first = server.url
        cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
        await cluster.create(
            CONFIG_MAPS, {**config_map(x="1"), "metadata": {"name": "a", "namespace": "default"}}
        )
        await cluster.close()
        assert server.kubeconfig_path.stat().st_mode & 0o777 == 0o600
    async with serve(directory) as server:
        assert server.url == first
        cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
        assert (await cluster.get(CONFIG_MAPS, "default", "a"))["data"] == {"x": "1"}
        await cluster.close()


async def test_servers_of_clients_find_the_ca_of_this_ones_users(tmp_path: Path) -> None:
    """Controllers with endpoints of their own read it from kube-system; a restart writes nothing anew."""
    versions = []
    for _ in range(2):
        async with serve(tmp_path) as server:
            cluster = HttpCluster(load_kubeconfig(server.kubeconfig_path))
            found = await cluster.get(CONFIG_MAPS, "kube-system", "extension-apiserver-authentication")
            await cluster.close()
        assert found["data"]["client-ca-file"] == server.authority.pem.decode()
        versions.append(found["metadata"]["resourceVersion"])
    assert versions[0] == versions[1]


async def test_one_directory_one_server(tmp_path: Path) -> None:
    """A second server on the same directory, or port, says who holds it."""
    async with serve(tmp_path / "hub") as server:
        with pytest.raises(CannotServe, match="already served"):
            async with serve(tmp_path / "hub"):
                pass
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(CannotServe, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serve(tmp_path / "other", port=port):
                pass


async def test_a_fleet_is_servers_side_by_side(tmp_path: Path) -> None:
    """A hub and its clusters share nothing but the process."""
    async with serve_fleet(tmp_path, clusters=2) as (hub, members):
        assert list(members) == ["cluster1", "cluster2"]
        urls = {hub.url, *(m.url for m in members.values())}
        assert len(urls) == 3
        assert members["cluster1"].kubeconfig_path == tmp_path / "clusters" / "cluster1" / "kubeconfig"
        assert members["cluster1"].authority.pem != hub.authority.pem
