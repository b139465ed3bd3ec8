"""Which files of a tree are desired state, and which that should be cannot be taken.

Files ending in .yaml, .yml or .json under the layout's paths count, except hidden ones and those a
`.gitopsignore` leaves out. A symlink is followed as long as it stays inside the tree; a submodule's
files are not in the commit at all. What is refused is a diagnostic, never silently left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_ocm.desired import globs
from gitops_ocm.desired.layout import FILE_NAME, Layout
from gitops_ocm.desired.tree import SUBMODULE, SYMLINK, Entry, Tree
from gitops_ocm.errors import Diagnostic, Location

IGNORE_FILE = ".gitopsignore"
_SUFFIXES = (".yaml", ".yml", ".json")
_LINK_LIMIT = 8
_LINKED_FILES_LIMIT = 20_000
_BAD_PATH = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|(?:^|/)(?:\.\.?|\.git)(?:/|$)|//|^/|\\", re.IGNORECASE)


@dataclass
class Selected:
    """The files to read (path → entry, sorted by path) and what was refused."""

    files: dict[str, Entry] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def ignore_files(entries: Mapping[str, Entry], prefix: str) -> dict[str, Entry]:
    """The `.gitopsignore` files in force under a folder."""
    return {
        path: entry
        for path, entry in entries.items()
        if path.endswith(IGNORE_FILE)
        and path.startswith(prefix)
        and path.rpartition("/")[2] == IGNORE_FILE
        and entry.is_file
    }


class Chooser:
    """Decides by path alone, for one layout and one set of ignore rules; remembers its answers."""

    def __init__(self, prefix: str, layout: Layout, ignore: Mapping[str, bytes]) -> None:
        self.prefix = prefix
        self._layout = layout
        found = globs.rules(layout.sync.ignore, prefix)
        for path in sorted(ignore, key=lambda p: (p.count("/"), p)):
            lines = ignore[path].decode("utf-8", "replace").splitlines()
            found += globs.rules(lines, path.removesuffix(IGNORE_FILE))
        self._ignored = globs.Ignored(found)
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        """Whether a path lies where desired state lies, whatever it ends in."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._judged(path)
        return known

    def _judged(self, path: str) -> bool:
        if not path.startswith(self.prefix):
            return False
        inside = path[len(self.prefix) :]
        if inside == FILE_NAME or any(part.startswith(".") for part in inside.split("/") if part != ".."):
            return bool(_BAD_PATH.search(inside)) and globs.covers(self._layout.sync.paths, inside)
        return globs.covers(self._layout.sync.paths, inside) and not self._ignored(path)


def select(tree: Tree, chooser: Chooser) -> Selected:
    """The files of the tree that are desired state."""
    chosen = Selected()
    links: dict[str, Entry] = {}
    for path, entry in tree.entries.items():
        if not chooser(path):
            continue
        if entry.is_file:
            if path.endswith(_SUFFIXES):
                chosen.files[path] = entry
        elif entry.mode == SYMLINK:
            links[path] = entry
        elif entry.mode == SUBMODULE:
            why = f"{path} is a submodule; its files are not part of this commit"
            hint = "copy the files in, or sync that repository by a HubSync of its own"
            _refuse(chosen, tree, path, "submodule", why, hint)
    if links:
        _follow_all(tree, links, chooser, chosen)
    for path in [path for path in chosen.files if _BAD_PATH.search(path)]:
        del chosen.files[path]
        shown = _shown(path)
        why = f"the path '{shown}' is not allowed"
        hint = "use plain UTF-8 names without control characters, '..', '.git' or backslashes"
        _refuse(chosen, tree, shown, "bad-path", why, hint)
    return chosen


def _shown(path: str) -> str:
    """A path that may be any bytes, on one line: what is not text is escaped, once."""
    text = path.replace("\\", "\\\\").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _refuse(chosen: Selected, tree: Tree, path: str, code: str, message: str, hint: str = "") -> None:
    chosen.diagnostics.append(Diagnostic(code, message, Location(path, 0, tree.commit), hint=hint))


def _follow_all(tree: Tree, links: dict[str, Entry], chooser: Chooser, chosen: Selected) -> None:
    paths = sorted(tree.entries)
    targets = dict(
        zip(links, (data for _, data in tree.read_blobs([e.blob for e in links.values()])), strict=True)
    )
    linked = 0
    for path in links:
        try:
            target = _resolved(tree, path, targets)
        except ValueError as error:
            _refuse(chosen, tree, path, "symlink", f"the symlink {path} {error}", "put the file itself here")
            continue
        entry = tree.entries.get(target)
        found = [(path, entry)] if entry else _below(tree, paths, target, path)
        linked += len(found)
        if linked > _LINKED_FILES_LIMIT:
            _refuse(
                chosen, tree, path, "symlink", f"symlinks stand for more than {_LINKED_FILES_LIMIT} files"
            )
            return
        for at, entry in found:
            if at.endswith(_SUFFIXES) and entry.is_file and chooser(at):
                chosen.files[at] = entry
    chosen.files = dict(sorted(chosen.files.items()))


def _resolved(tree: Tree, path: str, targets: Mapping[str, bytes]) -> str:
    """Where a link leads in the tree; `ValueError` completes `the symlink … `."""
    for _ in range(_LINK_LIMIT):
        data = targets.get(path)
        text = (tree.read(path) if data is None else data).decode("utf-8", "surrogateescape")
        if text.startswith("/"):
            raise ValueError("points outside the repository")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if path == ".." or path.startswith("../"):
            raise ValueError("points outside the repository")
        entry = tree.entries.get(path)
        if entry is None:
            if any(other.startswith(path + "/") for other in tree.entries):
                return path
            raise ValueError(f"points to {path[:200]!r}, which does not exist")
        if entry.mode == SUBMODULE:
            raise ValueError("points into a submodule")
        if entry.mode != SYMLINK:
            return path
    raise ValueError(f"goes through more than {_LINK_LIMIT} other symlinks")


def _below(tree: Tree, paths: Iterable[str], folder: str, link: str) -> list[tuple[str, Entry]]:
    """The files of a folder a link points to, under the link's own path; links in it are not followed."""
    start = folder + "/"
    return [(link + path[len(folder) :], tree.entries[path]) for path in paths if path.startswith(start)]
