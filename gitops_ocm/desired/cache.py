"""What earlier compilations found out, so that the next one costs only what changed.

In memory: one `FileResult` per (path, blob), thrown away when the file is. Beneath it, optionally,
a `BlobStore` that outlives the process (`git.blobcache`): parsed documents by blob id. Neither is
ever needed to be right: entries that cannot be decoded are parsed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from gitops_ocm.desired import documents
from gitops_ocm.desired.alike import Alike
from gitops_ocm.desired.documents import Parsed
from gitops_ocm.desired.layout import Layout
from gitops_ocm.desired.selection import Chooser
from gitops_ocm.desired.tree import Entry, Tree
from gitops_ocm.desired.yaml_events import LIMITS, Limits
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.plan.wanted import Wanted

T = TypeVar("T")


class BlobStore(Protocol):
    """Bytes by blob id, kept between runs. May forget anything at any time."""

    def get_many(self, blobs: Sequence[str]) -> Mapping[str, bytes]:
        """The entries there are among those asked for."""
        ...

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Keep these; failing to is not an error."""
        ...


@dataclass(slots=True, eq=False)
class FileResult:
    """One file of one blob: its objects, and its problems as found against one catalog."""

    path: str
    entry: Entry
    parsed: Parsed
    wanted: tuple[Wanted, ...]
    commit: str
    judged_by: Catalog | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    crds: tuple[Wanted, ...] = ()


@dataclass(frozen=True)
class LayoutResult:
    """A layout and the chooser made of it, for the blobs (layout and ignore files) it came from."""

    key: tuple[object, ...]
    layout: Layout
    chooser: Chooser
    diagnostics: tuple[Diagnostic, ...]


@dataclass
class BlobCache:
    """The memory of one sync. Not shared between threads; give each sync its own."""

    store: BlobStore | None = None
    verdicts: BlobStore | None = None
    """Of blobs in which nothing is wrong: a mark of the commit's own kinds that they were judged by.

    All who use the same store judge by the same catalog otherwise.
    """
    limits: Limits = LIMITS
    files: dict[str, FileResult] = field(default_factory=dict)
    layout: LayoutResult | None = None
    extended: tuple[Catalog, tuple[str, ...], Catalog] | None = None
    """The last (catalog, digests of the commit's CRDs) and the catalog with them."""
    sorted: tuple[list[FileResult], tuple[Wanted, ...]] | None = None

    def parsed(self, tree: Tree, entries: Iterable[Entry]) -> dict[str, Parsed]:
        """The parsed files of these blobs: from the store if it has them, else from the tree."""
        return self._all(tree, entries, documents.decode, lambda parsed: parsed)

    def objects(self, tree: Tree, entries: Iterable[Entry]) -> dict[str, Any]:
        """The one object of each of these blobs' files; None where there are several, or a problem."""
        return self._all(tree, entries, documents.decoded_object, documents.object_of)

    def _all(
        self,
        tree: Tree,
        entries: Iterable[Entry],
        decode: Callable[[bytes], T | None],
        of: Callable[[Parsed], T],
    ) -> dict[str, T]:
        sizes = {entry.blob: entry.size for entry in entries}
        found: dict[str, T] = {}
        if self.store is not None:
            for blob, data in self.store.get_many(list(sizes)).items():
                if (known := decode(data)) is not None:
                    found[blob] = known
        small = []
        for blob, size in sizes.items():
            if size > self.limits.file_bytes:
                found[blob] = of(documents.too_large(size, self.limits))
            elif blob not in found:
                small.append(blob)
        reader = Alike(self.limits)
        fresh = {blob: reader.read(data) for blob, data in tree.read_blobs(small)}
        if self.store is not None and fresh:
            self.store.put_many({blob: encoded for blob, (_, encoded) in fresh.items()})
        return found | {blob: of(parsed) for blob, (parsed, _) in fresh.items()}
