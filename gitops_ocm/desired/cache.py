"""What earlier compilations found out, so that the next one costs only what changed.

In memory: one `FileResult` per (path, blob), thrown away when the file is. Beneath it, optionally,
a `BlobStore` that outlives the process (`git.blobcache`): parsed documents by blob id. Neither is
ever needed to be right: entries that cannot be decoded are parsed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from gitops_ocm.desired import documents
from gitops_ocm.desired.alike import Alike
from gitops_ocm.desired.documents import Parsed
from gitops_ocm.desired.layout import Layout
from gitops_ocm.desired.selection import Chooser
from gitops_ocm.desired.tree import Entry, Tree
from gitops_ocm.desired.yaml_events import LIMITS, Limits
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object
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

        def made(parsed: Parsed, encoded: bytes) -> tuple[Parsed, bytes]:
            return parsed, encoded

        return self._all(tree, entries, documents.decode, made)

    def objects(
        self, tree: Tree, entries: Iterable[Entry], needed: Callable[[Object], Object]
    ) -> dict[str, Object | None]:
        """What is `needed` of the one object of each of these files; None where there is none, or several.

        No more than that is kept for the next time, so a store is of use only to whoever needs the same.
        """

        def made(parsed: Parsed, _: bytes) -> tuple[Object | None, bytes]:
            obj = documents.object_of(parsed)
            found = needed(obj) if obj is not None else None
            return found, documents.encoded_object(found)

        return self._all(tree, entries, documents.decoded_object, made)

    def _all(
        self,
        tree: Tree,
        entries: Iterable[Entry],
        decode: Callable[[bytes], T | None],
        made: Callable[[Parsed, bytes], tuple[T, bytes]],
    ) -> dict[str, T]:
        """What is `made` of these blobs' files, which the store has encoded where it has it."""
        sizes = {entry.blob: entry.size for entry in entries}
        found: dict[str, T] = {}
        if self.store is not None:
            for blob, data in self.store.get_many(list(sizes)).items():
                if (known := decode(data)) is not None:
                    found[blob] = known
        small = []
        for blob, size in sizes.items():
            if size > self.limits.file_bytes:
                found[blob], _ = made(documents.too_large(size, self.limits), b"")
            elif blob not in found:
                small.append(blob)
        reader = Alike(self.limits)
        fresh: dict[str, bytes] = {}
        for blob, data in tree.read_blobs(small):
            found[blob], encoded = made(*reader.read(data))
            if self.store is not None:
                fresh[blob] = encoded
        if self.store is not None and fresh:
            self.store.put_many(fresh)
        return found
