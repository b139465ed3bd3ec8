"""What reading costs: YAML documents, and a commit's files out of Git."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from gitops_ocm.desired.documents import parse
from gitops_ocm.git.source import open_repository
from tests.bench.fleet import Fleet
from tests.bench.measure import Stopwatch

CAREFUL_SAMPLE = 100
"""The round-trip loader takes milliseconds a document; this many are enough."""


def parse_cost(fleet: Fleet) -> dict[str, float]:
    """Microseconds for a document: the median over the fleet's files."""
    contents = [path.read_bytes() for path in fleet.files]

    def ours(content: bytes) -> Any:
        return parse(content).documents[0].value

    safe, round_trip = YAML(typ="safe"), YAML(typ="rt", pure=True)
    assert ours(contents[0]) == safe.load(contents[0])
    return {
        "ours_us": _each(ours, contents),
        "ruamel_safe_us": _each(safe.load, contents[:1000]),
        "ruamel_round_trip_us": _each(round_trip.load, contents[:CAREFUL_SAMPLE]),
    }


def _each(load: Callable[[bytes], Any], contents: list[bytes]) -> float:
    seconds = []
    for content in contents:
        start = time.perf_counter()
        load(content)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1e6


def tree_cost(fleet: Fleet, cache: Path) -> dict[str, float]:
    """Open the repository, list a commit, read every file's bytes."""
    watch = Stopwatch()
    repository = open_repository(str(fleet.root), cache)
    try:
        tree = repository.tree(repository.fetch("refs/heads/main").new)
        blobs = [entry.blob for entry in tree.entries.values()]
        size = sum(len(content) for _, content in tree.read_blobs(blobs))
        return watch.stop() | {"files": len(blobs), "bytes": size}
    finally:
        repository.close()
