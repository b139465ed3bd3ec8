"""Shows what a sync tells: a line per event, and a bar while many objects are written."""

from __future__ import annotations

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from gitops_ocm.cli.console import err
from gitops_ocm.sync.events import Level, SyncEvent

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.DETAIL: "dim", Level.INFO: ""}
FEW = 40
"""So many objects are listed one by one; more get a bar."""


class ProgressLines:
    """A sync's listener for a person at a terminal or a log file."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, event: SyncEvent) -> None:
        """Show one event."""
        if event.level is Level.DETAIL and (event.total > FEW or self._quiet):
            if not self._quiet:
                self._advance(event)
            return
        self._end_bar()
        line = Text(f"{event.phase.value:>6}  ", style="dim")
        line.append(event.line(), style=_STYLES[event.level])
        err().print(line)

    def _advance(self, event: SyncEvent) -> None:
        if not err().is_terminal:
            return
        if self._bar is None:
            columns = (TextColumn("{task.description:>6}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=err(), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(event.phase.value, total=event.total)
        assert self._task is not None
        self._bar.update(self._task, completed=event.done, total=event.total, description=event.phase.value)

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
