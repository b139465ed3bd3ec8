"""`gitops-ocm preview --watch`: shown again as files are saved and branches move, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from signal import SIGINT

import pytest

from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.commands import TRACEBACK, Daemon, environment
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

WEB = "works/web.yaml"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone of the ordinary repository."""
    return cloned(tmp_path / "fleet", texts(ordinary()), account(ordinary()))


def _web(name: str) -> str:
    return to_yaml(make.replica_set("web", "fleet", ["all"], [make.config_map(name)]))


async def _shown(daemon: Daemon, times: int) -> str:
    """What it shows for the so manieth time."""
    await daemon.said(rf"(?s)(?:watching .*?\n.*){{{times}}}", 60.0)
    return daemon.output.split("Ctrl-C ends\n")[times - 1]


async def test_it_goes_on(clone: Clone, tmp_path: Path) -> None:
    """A saved file, YAML broken while one types, a status branch that goes: each is shown, until Ctrl-C."""
    options = (
        "preview",
        "--watch",
        "--repo",
        str(clone.path),
        "-o",
        "text",
        "-o",
        f"json={clone.path}/p.json",
    )
    with Daemon(*options, env=environment(tmp_path)) as daemon:
        assert (await _shown(daemon, 1)).startswith("nothing changes")

        clone.write({WEB: _web("new")})
        assert "works/web.yaml" in await _shown(daemon, 2)

        clone.write({WEB: _web("new").replace("metadata:", "metadata: [", 1)})
        broken = await _shown(daemon, 3)
        assert "refused" in broken
        assert f"{WEB}:" in broken

        clone.write({WEB: _web("other")})
        assert "6 of 6 clusters" in await _shown(daemon, 4)

        clone.git("branch", "-D", "status")
        assert "there is no status branch" in await _shown(daemon, 5)

        daemon.send(SIGINT)
        assert await daemon.ended() == 1
        assert TRACEBACK not in daemon.output


async def test_what_cannot_be_previewed_just_now(clone: Clone, tmp_path: Path) -> None:
    """A branch that is not there yet is said to be missing, and what it brings is shown when it comes."""
    options = ("preview", "--watch", "--repo", str(clone.path), "main..topic")
    with Daemon(*options, env=environment(tmp_path)) as daemon:
        assert "topic names no commit" in await _shown(daemon, 1)
        clone.git("checkout", "--quiet", "-b", "topic")
        await _shown(daemon, 2)
        clone.commit({WEB: _web("new")}, "New")
        await daemon.said("6 of 6 clusters", 60.0)
        daemon.send(SIGINT)
        assert await daemon.ended() == 1
