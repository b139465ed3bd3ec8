"""OCM's rollout library as a program; made before any test's time limit runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_ocm.errors import GitopsError
from gitops_ocm.testing.programs import ensure_program

HERE = Path(__file__).parent
MODULE = HERE / "library"
GO = HERE.parent.parent / "controlplane"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the program if a test needs it: half a minute, once."""
    if session.config.option.collectonly:
        return
    if not any("library" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        try:
            ensure_program("rollout", MODULE, os.environ, go=GO)
        except GitopsError as error:
            pytest.exit(f"no program on OCM's rollout library: {error.message}\n{error.hint}", 1)


@pytest.fixture(scope="session")
def library() -> Path:
    """OCM's rollout library."""
    return ensure_program("rollout", MODULE, os.environ, go=GO)
