"""The history of a repository that a real sync ran, told by its own status branch."""

from __future__ import annotations

from pathlib import Path
from subprocess import run

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.history import history as command
from gitops_ocm.git.command import Git
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.sync.events import silent
from gitops_ocm.sync.gate import FROZEN, REFUSED
from gitops_ocm.sync.push import Push
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from gitops_ocm.verbs.history import REFUSALS, Outcome, history

pytestmark = pytest.mark.slow


async def reported(fleet: Fleet) -> None:
    """Sync once, and tell of it on the status branch."""
    await fleet.loop().once()
    writer = BranchWriter(Git(fleet.repo.path), "status", author=Author("sync", "sync@example.com"))
    push = Push(
        fleet.wire, Mapper(fleet.wire), writer, None, name="fleet", clock=SystemClock(), listener=silent
    )
    async with push:
        await push.once()


POLICY = "policy:\n  rules:\n    - name: few\n      maxDeletions: 1\n      message: Ask first.\n"


def said(fleet: Fleet, message: str) -> str:
    """A commit that changes nothing and says something."""
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    commit = fleet.repo.git(*name, "commit-tree", "main^{tree}", "-p", "main", "-m", message)
    fleet.repo.git("update-ref", "refs/heads/main", commit)
    return commit


def test_every_refusal_by_policy_is_known() -> None:
    """The reasons that the sync gives are those that the history takes for a refusal."""
    assert {FROZEN, REFUSED} < set(REFUSALS)


async def test_what_a_policy_refused_and_a_word_let_through(fleet: Fleet, tmp_path: Path) -> None:
    """The rule that refused a commit, the reason somebody gave, and what came in force by it."""
    files = {f"hub/m{number}.yaml": config_map(f"m{number}") for number in range(6)}
    await fleet.sync_object()
    fleet.repo.commit({"gitops-ocm.yaml": POLICY, "hub/ns.yaml": NAMESPACE, **files}, "First")
    await reported(fleet)
    gone = fleet.repo.commit({"hub/m0.yaml": None, "hub/m1.yaml": None}, "Two go")
    await reported(fleet)
    meant = said(fleet, "Meant\n\nGitops-Override: few: old ones, #12")
    await reported(fleet)
    run(["git", "clone", "-q", str(fleet.repo.path), str(tmp_path / "clone")], check=True)
    newest, refused, first = history(tmp_path / "clone", limit=10).entries
    assert (refused.commit, refused.outcome, refused.before) == (gone, Outcome.REFUSED, first.commit)
    assert "few" in " ".join((refused.why, *refused.problems))
    assert (newest.commit, newest.outcome) == (meant, Outcome.IN_FORCE)
    assert [(one.rule, one.reason, one.by) for one in newest.overridden] == [("few", "old ones, #12", meant)]
    assert [ref.name for ref in newest.objects.deleted] == ["m0", "m1"]


async def test_a_message_that_would_steer_the_terminal(fleet: Fleet, tmp_path: Path) -> None:
    """What a commit's author writes is shown, and does nothing to the terminal of whoever reads it."""
    await fleet.sync_object()
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE})
    said(fleet, "Clear \x1b[2J the screen \x1b]0;title\x07")
    await reported(fleet)
    run(["git", "clone", "-q", str(fleet.repo.path), str(tmp_path / "clone")], check=True)
    told = CliRunner().invoke(command, ["--repo", str(tmp_path / "clone")], standalone_mode=False).stdout
    assert "the screen" in told
    assert not any(char in told for char in "\x1b\x07")


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
