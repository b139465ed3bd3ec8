"""What the tests of the live half share: a misbehaving API server and quick settings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.identity import Connection
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.testing.faulty_api import FaultyApi


@pytest.fixture
async def api() -> AsyncIterator[FaultyApi]:
    """An API server that can be told to misbehave."""
    async with FaultyApi() as server:
        yield server


@pytest.fixture
async def http(api: FaultyApi) -> AsyncIterator[HttpCluster]:
    """Our client of it."""
    cluster = HttpCluster(Connection(api.url), timeout=5)
    yield cluster
    await cluster.close()


@pytest.fixture
def quick() -> WatchSettings:
    """Watch settings with short waits."""
    return WatchSettings(
        page=3, retry_base=0.01, retry_cap=0.1, relist_jitter=0.02, absent_cap=0.1, poll=0.05,
        relist_when_forbidden=0.3, patience=0.2,
    )  # fmt: skip
