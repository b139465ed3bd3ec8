"""What who pushes is told: how the sync of exactly that push went."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gitops_ocm.git.hook import install_hook
from gitops_ocm.git.working_copy import WorkingCopy
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.service import MOST_LINES, ServiceSettings, SyncService
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from gitops_ocm.testing.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def socket() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="push") as name:
        yield Path(name) / "s"


@pytest.fixture
async def copy(fleet: Fleet, socket: Path, tmp_path: Path) -> AsyncIterator[WorkingCopy]:
    """A person's clone, with a daemon that has synced the first commit and answers pushes."""
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE})
    await fleet.sync_object()
    install_hook(fleet.repo.path, socket)
    clone = tmp_path / "clone"
    await asyncio.to_thread(
        subprocess.run, ["git", "clone", "-q", str(fleet.repo.path), str(clone)], check=True
    )
    settings = ServiceSettings(SyncSettings(fleet.cache), status_interval=0.1, hook_socket=socket)
    service = SyncService(
        fleet.wire, "fleet", settings=settings, catalog=load_catalog(), listener=fleet.events.append
    )
    stop = asyncio.Event()
    running = asyncio.create_task(service.run(stop))

    async def ready() -> bool:
        return await fleet.condition() == ("True", "Synced") and socket.exists()

    await eventually(ready)
    yield WorkingCopy(clone, name="Ann", email="ann@example.com")
    stop.set()
    await running


async def pushed(copy: WorkingCopy, files: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Commit and push files: the commit, and the `remote:` lines."""
    for path, text in files.items():
        (copy.path / path).parent.mkdir(exist_ok=True)
        (copy.path / path).write_text(text)
    await copy.commit("Change")
    done = await copy.push()
    return done.commit, done.remote


async def test_a_good_push_is_told_its_own_result(copy: WorkingCopy) -> None:
    """Push after push ends with what is in force; the status branch's commits are nothing to who pushed."""
    for count in (2, 3, 4):
        commit, said = await pushed(copy, {f"hub/c{count}.yaml": config_map(f"c{count}")})
        assert said[-1] == f"gitops-ocm: main@{commit[:12]}: {count} objects in force"
        assert not [line for line in said if "Report" in line], said


async def test_a_push_is_told_its_problem_and_what_stays_in_force(copy: WorkingCopy) -> None:
    """Also where file events were quicker than the hook: file and line, once, then the result."""
    good, _ = await pushed(copy, {"hub/a.yaml": config_map("a")})
    for number in range(3):
        commit, said = await pushed(copy, {"hub/a.yaml": config_map("a", str(number)) + "dta: {}\n"})
        assert [line for line in said if "unknown field 'dta'" in line and "hub/a.yaml:8@" in line] == [
            said[0]
        ]
        assert said[-1] == (
            f"gitops-ocm: error: commit {commit[:12]} has 1 problem and was not applied; "
            f"{good[:12]} stays in force"
        )
        assert len(said) == 2


async def test_a_push_with_hundreds_of_problems(copy: WorkingCopy) -> None:
    """Nobody reads a thousand lines: some, how many more, and the result."""
    bad = "".join(f"---\n{config_map(f'c{number}')}dta: {{}}\n" for number in range(300))
    commit, said = await pushed(copy, {"hub/bad.yaml": bad})
    assert f"commit {commit[:12]} has 300 problems and was not applied" in said[-1]
    assert said[-2] == f"gitops-ocm: and {300 - MOST_LINES} more problems; the log of the sync has them all"
    assert len(said) == MOST_LINES + 2
