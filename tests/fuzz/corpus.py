"""The saved inputs of the fuzzed targets: where each begins, and what was once found with it.

Bytes are kept as text, one character for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

CORPUS = Path(__file__).with_name("corpus.json")


def saved(name: str) -> Iterator[bytes]:
    """The inputs of one target."""
    for text in orjson.loads(CORPUS.read_bytes()).get(name, ()):
        yield text.encode("latin-1")
