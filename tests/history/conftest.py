"""A fleet's repository with a night behind it, and a person's clone of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.gitops import Fleet, Repo, Wire
from tests.history.night import Night, spent


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """What happened, as the repository tells."""
    return spent(tmp_path_factory.mktemp("night"))


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """An empty repository, an empty hub, and no HubSync yet."""
    api = Api(load_catalog())
    yield Fleet(Repo(tmp_path / "repo.git"), Wire(LocalCluster(api)), tmp_path / "cache")
    api.close()
