"""Where things are written: the file and line of an object, and of a field in it, on both sides of a change.

A field's line takes reading the file again. So many are looked up and no more: a reviewer follows a few, and
for all others the line of the object will do.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.desired.documents import Document, Parsed, locate, parse
from gitops_ocm.errors import Location
from gitops_ocm.objects.paths import Step
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.model import NOWHERE

MOST = 200
"""So many fields are looked up in files."""


class Side:
    """One commit's objects by identity, and where their fields are."""

    def __init__(self, desired: DesiredState) -> None:
        self.commit = desired.commit
        self.objects: Mapping[Ref, Wanted] = {item.ref: item for item in desired.objects}
        self._tree = desired.tree
        self._left = MOST
        self._files: dict[str, tuple[bytes, Parsed]] = {}
        self._found: dict[tuple[Ref, tuple[Step, ...]], Location] = {}

    def of(self, ref: Ref, *path: Step) -> Location:
        """Where an object is, or the part of a path in it that is there; nowhere if Git does not have it."""
        item = self.objects.get(ref)
        if item is None:
            return NOWHERE
        if not path or self._tree is None or item.origin.path not in self._tree.entries:
            return item.origin
        if (ref, path) not in self._found:
            if not self._left:
                return item.origin
            self._left -= 1
            self._found[ref, path] = self._located(item, path)
        return self._found[ref, path]

    def blob(self, path: str) -> str:
        """What a file holds, by its id; `""` where there is none."""
        entry = self._tree.entries.get(path) if self._tree is not None else None
        return entry.blob if entry is not None else ""

    @cached_property
    def unread(self) -> Mapping[str, str]:
        """The files that no object comes from, by what they hold."""
        read = {item.origin.path for item in self.objects.values()}
        entries = self._tree.entries if self._tree is not None else {}
        return {entry.blob: path for path, entry in entries.items() if path not in read}

    def _located(self, item: Wanted, path: tuple[Step, ...]) -> Location:
        data, parsed = self._file(item.origin.path)
        document = next((d for d in parsed.documents if _is(d, item)), None)
        if document is None:
            return item.origin
        line, column = locate(data, document, path)
        return Location(item.origin.path, line, item.origin.commit, column)

    def _file(self, path: str) -> tuple[bytes, Parsed]:
        if path not in self._files:
            assert self._tree is not None
            data = self._tree.read(path)
            self._files[path] = data, parse(data)
        return self._files[path]


def _is(document: Document, item: Wanted) -> bool:
    meta = document.value.get("metadata")
    return document.line == item.origin.line and isinstance(meta, dict) and meta.get("name") == item.ref.name


class Origins:
    """Both sides of a change; where the head has an object no more, it is where the base had it."""

    def __init__(self, base: DesiredState, head: DesiredState) -> None:
        self._desired = base, head

    @cached_property
    def base(self) -> Side:
        """Before."""
        return Side(self._desired[0])

    @cached_property
    def head(self) -> Side:
        """After."""
        return Side(self._desired[1])

    def __contains__(self, ref: Ref) -> bool:
        return ref in self.head.objects or ref in self.base.objects

    def of(self, ref: Ref, *path: Step) -> Location:
        """Where an object is, or a field of it."""
        side = self.head if ref in self.head.objects else self.base
        return side.of(ref, *path)
