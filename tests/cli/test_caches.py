"""Where a user's programs keep what they can find out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_ocm.cli.options import cache_dir, preview_cache


@pytest.mark.parametrize(
    ("home", "xdg", "folder"),
    [
        ("/home/ann", "", "/home/ann/.cache/gitops-ocm"),
        ("/home/ann", "/var/cache/ann", "/var/cache/ann/gitops-ocm"),
        ("/home/ann", "relative", "/home/ann/.cache/gitops-ocm"),
    ],
)
def test_one_folder(monkeypatch: pytest.MonkeyPatch, home: str, xdg: str, folder: str) -> None:
    """Clones and previews are kept under the same folder, XDG's where it names one."""
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert cache_dir() == Path(folder)
    assert preview_cache() == Path(folder, "preview")
