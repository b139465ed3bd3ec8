"""The history of a repository that a real sync ran, told by its own status branch."""

from __future__ import annotations

from pathlib import Path
from subprocess import run

from gitops_ocm.git.command import Git
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.events import silent
from gitops_ocm.sync.push import Push
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from gitops_ocm.verbs.history import Outcome, history


async def reported(fleet: Fleet) -> None:
    """Sync once, and tell of it on the status branch."""
    await fleet.loop().once()
    writer = BranchWriter(Git(fleet.repo.path), "status", author=Author("sync", "sync@example.com"))
    push = Push(
        fleet.wire, Mapper(fleet.wire), writer, None, name="fleet", clock=SystemClock(), listener=silent
    )
    async with push:
        await push.once()


async def test_what_a_real_sync_tells(fleet: Fleet, tmp_path: Path) -> None:
    """A first commit, one with a slip, one that holds back its deletions, and the one that mends it all."""
    names = tuple(f"m{number}" for number in range(6))
    files = {f"hub/{name}.yaml": config_map(name) for name in names}
    await fleet.sync_object()
    first = fleet.repo.commit({"hub/ns.yaml": NAMESPACE, **files}, "First")
    await reported(fleet)
    slip = fleet.repo.commit({"hub/m0.yaml": config_map("m0") + "dada: {}\n"}, "Slip")
    await reported(fleet)
    emptied = fleet.repo.commit(dict.fromkeys(files), "Empty it")
    await reported(fleet)
    mended = fleet.repo.commit({**files, "hub/m0.yaml": config_map("m0", "2")}, "Mend it")
    await reported(fleet)
    run(["git", "clone", "-q", str(fleet.repo.path), str(tmp_path / "clone")], check=True)
    found = history(tmp_path / "clone", limit=10).entries
    told = [(entry.commit, entry.outcome) for entry in found]
    assert told[0] == (mended, Outcome.IN_FORCE)
    assert (slip, Outcome.REFUSED) in told
    assert told[-1] == (first, Outcome.IN_FORCE)
    assert emptied in [commit for commit, _ in told]
    refused = next(entry for entry in found if entry.commit == slip)
    assert refused.problems[0].startswith("hub/m0.yaml:8: ConfigMap shop/m0: unknown field 'dada'")
    held = next(entry for entry in found if entry.commit == emptied)
    assert "6 of" in held.why
    assert [len(part) for part in found[-1].objects] == [7, 0, 0]
