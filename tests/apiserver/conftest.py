"""What tests of the server over HTTPS share: a server in memory, one for each test or one for a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.apiserver.plain_http import Http, in_memory


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """A client of a server of the test's own."""
    async with in_memory() as client:
        yield client


@pytest.fixture(scope="module")
async def shared_http() -> AsyncIterator[Http]:
    """A client of a server that a module's tests share: they change nothing on it."""
    async with in_memory() as client:
        yield client
