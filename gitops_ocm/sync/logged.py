"""A listener for processes that nobody watches: what a sync tells goes to the log."""

from __future__ import annotations

import logging

from gitops_ocm.runtime.log import get_logger
from gitops_ocm.sync.events import Level, Listener, SyncEvent

_log = get_logger("sync")
_LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}


def logged(**about: str) -> Listener:
    """A listener that logs how it goes, without a line for every object; `about` is on each line."""

    def listen(event: SyncEvent) -> None:
        if event.level is Level.DETAIL:
            return
        extra = {key: value for key, value in (("where", str(event.where)), ("hint", event.hint)) if value}
        subject = f"{event.ref}: " if event.ref else ""
        _log.log(_LEVELS[event.level], f"{subject}{event.message}", phase=event.phase.value, **about, **extra)

    return listen
