"""What the tests of the client side share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gitops_ocm.testing.faulty_api import FaultyApi


@pytest.fixture
async def api() -> AsyncIterator[FaultyApi]:
    """An API server that can be told to misbehave."""
    async with FaultyApi() as server:
        yield server
