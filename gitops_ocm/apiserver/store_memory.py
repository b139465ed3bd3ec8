"""Storage that keeps nothing: the store then lives as long as its process. For tests and previews."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.apiserver.store import Record


class MemoryStorage:
    """Forgets everything."""

    def load(self) -> Iterable[Record]:
        """Nothing."""
        return ()

    def version(self) -> int:
        """None was kept."""
        return 0

    def compacted(self) -> int:
        """There is no past."""
        return 0

    def append(self, records: Iterable[Record]) -> None:
        """Nothing."""

    def compact(self, version: int, superseded: Iterable[int]) -> None:
        """There is nothing to forget."""

    def close(self) -> None:
        """Nothing to let go of."""
