"""Which build of this program is running: what it found out may be kept for the next run of the same one.

A version is not enough, for a checkout changes without it. Neighbours: `git.parsedfile` keeps what was found.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import gitops_ocm


@lru_cache(maxsize=1)
def build() -> int:
    """A number that another one of this package's files, or another Python, makes another one."""
    package = Path(gitops_ocm.__file__).parent
    text = "\n".join((sys.version, str(package), *sorted(_files(str(package)))))
    return zlib.crc32(text.encode())


def _files(folder: str) -> Iterator[str]:
    """Name, size and time of every file of the program; what Python keeps beside them is left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            else:
                at = entry.stat()
                yield f"{entry.path} {at.st_size} {at.st_mtime_ns}"
