"""A repository that is away, emptied or rewritten for a while: what is on the hub stays, and that is said.

Known from ApplicationSets whose Git or cluster generator failed for a moment and took that for "nothing is
wanted" (argo-cd issues 14318, 18212 and 18480): applications were uninstalled, and installed again later.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from subprocess import run

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.preview import preview
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map
from tests.preview.clones import Clone

pytestmark = pytest.mark.slow

NAMES = tuple(f"m{number}" for number in range(8))
FILES = {f"hub/{name}.yaml": config_map(name) for name in NAMES}


def away(fleet: Fleet) -> None:
    """The repository's folder is not mounted."""
    fleet.repo.path.rename(fleet.repo.path.with_suffix(".away"))


def emptied(fleet: Fleet) -> None:
    """It is mounted, but another one, with nothing in it."""
    away(fleet)
    run(["git", "init", "-q", "--bare", "--initial-branch=main", str(fleet.repo.path)], check=True)


def truncated(fleet: Fleet) -> None:
    """Its newest objects are lost, as after a crash without fsync or a sync by rsync that was cut."""
    shutil.copytree(fleet.repo.path, fleet.repo.path.with_suffix(".away"))
    commit = fleet.repo.git("rev-parse", "main")
    (fleet.repo.path / "objects" / commit[:2] / commit[2:]).unlink()


def forgotten(fleet: Fleet) -> None:
    """Its references are lost."""
    shutil.copytree(fleet.repo.path, fleet.repo.path.with_suffix(".away"))
    fleet.repo.git("update-ref", "-d", "refs/heads/main")


AWAY: Mapping[str, Callable[[Fleet], None]] = {
    "the folder is not there": away,
    "an empty repository is in its place": emptied,
    "objects are lost": truncated,
    "references are lost": forgotten,
}


@pytest.mark.parametrize("name", AWAY)
async def test_a_repository_that_is_away_for_a_while(fleet: Fleet, name: str) -> None:
    """Nothing is deleted meanwhile, the HubSync says what is wrong, and it goes on when it is back."""
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE, **FILES})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    fleet.repo.commit({"hub/m0.yaml": config_map("m0", "2")})
    AWAY[name](fleet)
    for _ in range(2):
        assert not (await fleet.loop().once()).ok
        assert await fleet.names() == list(NAMES)
        ready, reason = await fleet.condition()
        assert ready == "False"
        assert reason
    shutil.rmtree(fleet.repo.path, ignore_errors=True)
    fleet.repo.path.with_suffix(".away").rename(fleet.repo.path)
    assert (await fleet.loop().once()).ok
    assert (await fleet.condition())[0] == "True"


async def test_a_branch_that_is_forced_back_to_its_beginning(fleet: Fleet) -> None:
    """Somebody force-pushes an old clone: most objects would go, so none goes until somebody says so."""
    first = fleet.repo.commit({"hub/ns.yaml": NAMESPACE, "hub/m0.yaml": FILES["hub/m0.yaml"]})
    fleet.repo.commit(FILES)
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    newest = fleet.repo.git("rev-parse", "main")
    fleet.repo.git("update-ref", "refs/heads/main", first)
    assert not (await fleet.loop().once()).ok
    assert await fleet.condition() == ("False", "PruneGuarded")
    assert await fleet.names() == list(NAMES)
    fleet.repo.git("update-ref", "refs/heads/main", newest)
    assert (await fleet.loop().once()).ok
    assert await fleet.condition() == ("True", "Synced")


def test_a_preview_against_a_rewritten_history(person: Clone) -> None:
    """Two histories with nothing in common are still compared file by file."""
    person.commit({"hub/ns.yaml": NAMESPACE, **FILES})
    person.git("checkout", "--quiet", "--orphan", "rewritten")
    person.commit({"hub/m0.yaml": None})
    result = CliRunner().invoke(
        preview, ["--repo", str(person.path), "main..rewritten"], standalone_mode=False
    )
    assert result.return_value == 1
    assert "ConfigMap shop/m0" in result.stdout
    assert "ConfigMap shop/m1" not in result.stdout


def test_a_preview_in_a_clone_that_was_cut_off(person: Clone, fleet: Fleet) -> None:
    """A pipeline's shallow clone lacks the commit to compare with: that is said, with what helps."""
    person.commit({"hub/ns.yaml": NAMESPACE, **FILES})
    base = person.commit({"hub/m0.yaml": config_map("m0", "2")})
    person.commit({"hub/m1.yaml": config_map("m1", "2")})
    person.git("push", "--quiet", "origin", "main")
    shallow = Clone(person.path.with_name("shallow"))
    person.git("clone", "--quiet", "--depth=1", f"file://{fleet.repo.path}", str(shallow.path))
    result = CliRunner().invoke(
        preview, ["--repo", str(shallow.path), f"{base}..HEAD"], standalone_mode=False
    )
    assert f"{base} names no commit" in str(result.exception)
    assert "git fetch --unshallow" in getattr(result.exception, "hint", "")
