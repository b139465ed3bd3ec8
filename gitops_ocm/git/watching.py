"""Waits until something changes in a person's clone: a file is saved, HEAD or a branch moves.

    with Watched(clone.root) as changes:
        while changes.wait():
            ...

For a command in a terminal, which has no event loop; the daemon's are `triggers`. What exactly changed is
not told: whoever waits looks again. Several changes in a row, as of a checkout, count as one.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from gitops_ocm.git.clone import about
from gitops_ocm.git.errors import GitError
from gitops_ocm.git.source import common_dir

QUIET = 0.05
"""Seconds without a change after which a change is told: an editor writes a file in several steps."""
LONGEST = 1.0
"""Seconds after which it is told although changes go on."""


class NotWatched(GitError):
    """The system does not tell of changes."""

    code = "not-watched"
    default_hint = "on Linux, allow more watches: sysctl fs.inotify.max_user_watches=524288"


class Watched(FileSystemEventHandler):
    """Changes of the clone at `root`; `besides` are files that do not count, written because of a change."""

    def __init__(self, root: Path, *, besides: Collection[Path] = ()) -> None:
        self._root = root.resolve()
        found = about(self._root, "--absolute-git-dir")
        git_dir = Path(found.text).resolve()
        self._own = (git_dir, common_dir(git_dir))
        """Git's folders: that of this worktree, and that of the repository."""
        self._besides = {path.resolve() for path in besides}
        self._changed = threading.Event()
        self._observer = Observer()

    def __enter__(self) -> Self:
        folders = {self._root, *self._own}
        for folder in folders:
            if not any(folder.is_relative_to(other) for other in folders - {folder}):
                self._observer.schedule(self, str(folder), recursive=True)
        try:
            self._observer.start()
        except OSError as error:
            self._observer.stop()
            raise NotWatched(
                f"changes in {self._root} cannot be watched: {error.strerror or error}"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._observer.stop()
        self._observer.join(5)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next change, and until no more follow; whether there was one in time."""
        if not self._changed.wait(timeout):
            return False
        for _ in range(round(LONGEST / QUIET)):
            self._changed.clear()
            if not self._changed.wait(QUIET):
                break
        self._changed.clear()
        return True

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note a change. That a folder has one is told of what is in it, too."""
        kind = event.event_type
        if kind in ("opened", "closed_no_write") or (event.is_directory and kind == "modified"):
            return
        names = [str(name) for name in (event.src_path, event.dest_path) if name]
        if any(self._counts(Path(name)) for name in names):
            self._changed.set()

    def _counts(self, path: Path) -> bool:
        for folder in self._own:
            if path.is_relative_to(folder):
                return _moves(path.relative_to(folder))
        return path not in self._besides


def _moves(path: Path) -> bool:
    """Whether a file of Git's own folder says where a branch or HEAD is."""
    return path.suffix != ".lock" and (path.name in ("HEAD", "packed-refs") or path.parts[:1] == ("refs",))
