"""What a preview of one changed label costs in a large fleet, as a person starts it.

Each repeat is a process of its own, on a clone on this disk: cold with nothing kept, warm with the files that
the one before has parsed. Then one process renders again and again, as `--watch` does.
`python -m tests.bench.previewing 3`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gitops_ocm.verbs.preview import Reviewer
from tests.bench.measure import run_program
from tests.bench.preview_fleet import Size, cluster_file, write_repository
from tests.bench.table import Row, median, render

USUAL = Size(clusters=1000, placements=100, replica_sets=10)
LARGE = Size(clusters=10_000, placements=1000, replica_sets=20, local=True)
CHANGED = 1


def preview_rows(directory: Path, repeats: int) -> list[Row]:
    """The rows of both sizes; each fleet is written anew."""
    usual, large = directory / "usual", directory / "large"
    write_repository(usual, USUAL)
    write_repository(large, LARGE)
    return [
        *_process_rows("1,000 clusters, 100 placements, 10,000 works", usual, repeats, (2.0, 0.7)),
        _watch_row("1,000 clusters, 100 placements, 10,000 works", usual, repeats),
        *_process_rows("10,000 clusters, 1,000 placements", large, 1, (5.0, None)),
    ]


def _process_rows(name: str, clone: Path, repeats: int, limits: tuple[float, float | None]) -> Iterator[Row]:
    _relabel(clone, "r1", "r2")
    cold, warm = [], []
    for repeat in range(repeats):
        env = {**os.environ, "XDG_CACHE_HOME": str(clone.parent / f"{clone.name}-cache-{repeat}")}
        command = [sys.executable, "-m", "gitops_ocm", "preview", "--repo", str(clone)]
        cold.append(run_program(command, env=env, status=1))
        warm.append(run_program(command, env=env, status=1))
    _relabel(clone, "r2", "r1")
    yield Row(f"{name}: preview of one label, cold", median(cold, "wall"), "s", limits[0])
    yield Row(f"{name}: the same, files parsed before", median(warm, "wall"), "s", limits[1])
    yield Row(f"{name}: CPU, cold", median(cold, "cpu"), "s")
    yield Row(f"{name}: CPU, files parsed before", median(warm, "cpu"), "s")
    yield Row(f"{name}: memory, cold", median(cold, "peak_rss_mib"), "MiB", 400)


def _watch_row(name: str, clone: Path, repeats: int) -> Row:
    took = []
    with Reviewer(clone) as reviewer:
        reviewer.review("", now=datetime.now(UTC))
        for _ in range(repeats):
            for old, new in (("r1", "r2"), ("r2", "r1")):
                _relabel(clone, old, new)
                begun = time.perf_counter()
                reviewer.review("", now=datetime.now(UTC))
                took.append(time.perf_counter() - begun)
    return Row(f"{name}: rendered again after a save", statistics.median(took), "s", 0.2)


def _relabel(clone: Path, old: str, new: str) -> None:
    """Move one cluster to another region."""
    file = clone / cluster_file(CHANGED)
    text = file.read_text()
    assert f"region: {old}\n" in text
    file.write_text(text.replace(f"region: {old}\n", f"region: {new}\n"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gitops-ocm-bench-") as name:
        print(render(preview_rows(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 3)))
