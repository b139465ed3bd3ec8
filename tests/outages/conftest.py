"""A fleet of its own for every test: an empty repository and an empty in-process hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.gitops import Fleet, Repo, Wire


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """An empty repository, an empty hub, and no HubSync yet."""
    api = Api(load_catalog())
    yield Fleet(Repo(tmp_path / "repo.git"), Wire(LocalCluster(api)), tmp_path / "cache")
    api.close()
