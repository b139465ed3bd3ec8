"""A reviewer keeps what it has read: in memory for the next render, on disk for the next process.

Whatever is kept, damaged, or shared, a preview is what one says that was made of nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.formats import Format, render
from gitops_ocm.preview.run import DEFAULTS, Settings
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from gitops_ocm.verbs.preview import Reviewer
from tests.preview.clones import Clone, account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEB, CLUSTER = "works/web.yaml", "clusters/c2/cluster.yaml"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone of the ordinary repository, with a change on disk that nobody has committed."""
    made = cloned(tmp_path / "fleet", texts(ordinary()), account(ordinary()))
    made.write({WEB: _web("new")})
    return made


def _web(name: str) -> str:
    return to_yaml(make.replica_set("web", "fleet", ["all"], [make.config_map(name)]))


def _cluster(region: str) -> str:
    return to_yaml(make.managed_cluster("c2", labels={"region": region, "tier": "t1"}))


def _shown(reviewer: Reviewer, now: datetime = NOW, settings: Settings = DEFAULTS) -> str:
    return render(reviewer.review("", now=now, settings=settings), Format.JSON)


def _anew(clone: Clone, now: datetime = NOW, settings: Settings = DEFAULTS) -> str:
    with Reviewer(clone.path) as reviewer:
        return _shown(reviewer, now, settings)


# --- kept in memory ---------------------------------------------------------------------------------


def _status_moves(clone: Clone) -> None:
    """The fleet reports: one cluster is gone, and a work of another."""
    clone.git("stash", "--quiet")
    clone.git("checkout", "--quiet", "status")
    clone.git("rm", "-r", "--quiet", "clusters/c3/cluster.yaml", "clusters/c4")
    clone.commit({}, "Report the fleet")
    clone.git("checkout", "--quiet", "main")
    clone.git("stash", "pop", "--quiet")


MOVES: dict[str, Callable[[Clone], object]] = {
    "a file is saved": lambda clone: clone.write({WEB: _web("newer")}),
    "the file is as it was": lambda clone: clone.write({WEB: _web("web")}),
    "another file is saved": lambda clone: clone.write({CLUSTER: _cluster("us")}),
    "a file goes": lambda clone: clone.write({CLUSTER: None}),
    "a file is broken": lambda clone: clone.write({WEB: "a: [\n"}),
    "it is mended": lambda clone: clone.write({WEB: _web("mended")}),
    "main moves": lambda clone: clone.commit({}, "Change"),
    "on top of it": lambda clone: clone.write({WEB: _web("newest")}),
    "status moves": _status_moves,
    "status goes": lambda clone: clone.git("branch", "-D", "status"),
}


def test_renders(clone: Clone) -> None:
    """One render after the other says what a new process would, whatever has changed in between."""
    with Reviewer(clone.path) as reviewer:
        assert _shown(reviewer) == _anew(clone)
        for number, (what, move) in enumerate(MOVES.items()):
            move(clone)
            now = NOW + timedelta(minutes=7 * number)
            assert _shown(reviewer, now) == _anew(clone, now), what


@pytest.mark.parametrize("region", ["us", "eu"])
def test_settings(clone: Clone, region: str) -> None:
    """What is assumed for one render is not assumed for the next one."""
    clone.write({CLUSTER: _cluster(region)})
    assumed = Assumptions(failing=("c1",), labels=("c3:region=us",))
    with Reviewer(clone.path) as reviewer:
        for settings in (DEFAULTS, Settings(assumed=assumed), Settings(until=timedelta(seconds=5)), DEFAULTS):
            assert _shown(reviewer, settings=settings) == _anew(clone, settings=settings)


# --- kept on disk -----------------------------------------------------------------------------------


def _kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_from_disk(clone: Clone, tmp_path: Path) -> None:
    """The next process finds what was parsed, and says the same."""
    cache, wanted = tmp_path / "cache", _anew(clone)
    for _ in range(2):
        with Reviewer(clone.path, cache=cache) as reviewer:
            assert _shown(reviewer) == wanted
        assert {path.name for path in _kept(cache)} >= {"accounts", "desired", "told", "verdicts"}


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(data: bytes) -> bytes:
    return data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing in it": lambda data: b"",
    "its first half": _cut,
    "a bit flipped": _flipped,
    "of another version": lambda data: data.replace(b" ", b"  ", 1),
    "no JSON in it": lambda data: data.partition(b"\n")[0] + b"\nnothing",
    "something else": lambda data: b"\x80\x04K*." * 100,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged(clone: Clone, tmp_path: Path, damage: str) -> None:
    """A damaged file is as if there were none, and is written anew."""
    cache, wanted = tmp_path / "cache", _anew(clone)
    with Reviewer(clone.path, cache=cache) as reviewer:
        _shown(reviewer)
    good = {path: path.read_bytes() for path in _kept(cache)}
    for path, data in good.items():
        path.write_bytes(DAMAGE[damage](data))
    with Reviewer(clone.path, cache=cache) as reviewer:
        assert _shown(reviewer) == wanted
    assert {path: path.stat().st_size for path in _kept(cache)} == {p: len(data) for p, data in good.items()}


def test_no_place(clone: Clone, tmp_path: Path) -> None:
    """Where nothing can be kept, nothing is, and that is no trouble."""
    (tmp_path / "file").write_text("not a folder")
    with Reviewer(clone.path, cache=tmp_path / "file") as reviewer:
        assert _shown(reviewer) == _anew(clone)


def test_two_at_once(clone: Clone, tmp_path: Path) -> None:
    """Several at a time share the files, and none reads half of what another one writes."""

    def review(_: int) -> str:
        with Reviewer(clone.path, cache=tmp_path / "cache") as reviewer:
            return _shown(reviewer)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(review, range(12))) == {_anew(clone)}
