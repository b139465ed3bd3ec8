"""A fleet of its own for every test: a repository, an empty in-process hub, and a person's clone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.gitops import Fleet, Repo, Wire
from tests.preview.clones import Clone


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    """An empty repository, an empty hub, and no HubSync yet."""
    api = Api(load_catalog())
    yield Fleet(Repo(tmp_path / "repo.git"), Wire(LocalCluster(api)), tmp_path / "cache")
    api.close()


@pytest.fixture
def person(fleet: Fleet, tmp_path: Path) -> Clone:
    """A clone of the repository, with nothing committed yet."""
    clone = Clone(tmp_path / "clone")
    clone.path.mkdir()
    clone.git("init", "--quiet", "--initial-branch=main")
    clone.git("config", "core.ignoreCase", "false")
    clone.git("remote", "add", "origin", str(fleet.repo.path))
    return clone
