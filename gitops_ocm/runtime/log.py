"""Structured logging: a constant message and key-values, for people or as JSON lines.

Only the I/O half logs; the pure half returns reasons. `configure` is called once, by the CLI;
before that (in tests, in somebody's own program) structlog's defaults hold. What libraries log with
the standard module becomes such lines too; a traceback is shown at level `debug` only.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.redact import redacted, redacted_text


@contextmanager
def _absent(library: str) -> Iterator[None]:
    """As if a library were not installed, for what would take it along and can do without."""
    loaded = sys.modules.get(library)
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if loaded is None:
            del sys.modules[library]
        else:
            sys.modules[library] = loaded


# structlog loads rich to draw tracebacks: 3 MiB of every server and agent, and ours are plain.
with _absent("rich"):
    import structlog

Logger = structlog.typing.FilteringBoundLogger
_EventDict = MutableMapping[str, Any]


def get_logger(name: str) -> Logger:
    """A logger whose lines carry `component=name`; cheap, and safe to make at import time."""
    logger: Logger = structlog.get_logger(component=name)
    return logger


def place_of(error: BaseException) -> str:
    """`file:line` of the last place in this package that an error passed through; "" if none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "gitops_ocm" in f.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def plain(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    """Processor: our own values (refs, errors) as text."""
    for key, value in event.items():
        if isinstance(value, Ref):
            event[key] = str(value)
        elif isinstance(value, GitopsError):
            event[key] = value.message
            if value.hint:
                event = {**event, "hint": value.hint}
        elif isinstance(value, Exception):
            event[key] = f"{type(value).__name__}: {value}" if str(value) else type(value).__name__
    return event


def redact(_logger: object, _method: str, event: _EventDict) -> _EventDict:
    """Processor: nothing that looks like a secret leaves the process."""
    return {k: redacted_text(v) if k == "event" else redacted(v, k) for k, v in event.items()}


def configure(*, level: str = "info", json: bool = False, stream: TextIO | None = None) -> None:
    """Send log lines of `level` and above to `stream` (stderr), as JSON or laid out for a person."""
    out = stream or sys.stderr
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        plain,
    ]
    if json:
        processors += [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer()]
    else:
        processors += [redact, _console(out)]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    foreign = logging.getLogger()
    foreign.handlers = [*(h for h in foreign.handlers if not isinstance(h, _Foreign)), _Foreign()]
    foreign.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))


class _Foreign(logging.Handler):
    """Lines of the standard library's logging (aiohttp, asyncio) as ours: one each, without a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        log = get_logger(record.name)
        extra: dict[str, Any] = {}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            extra = {"error": error, "at": place_of(error)}
            log.debug("traceback", exc_info=record.exc_info)
        log.log(record.levelno, record.getMessage().splitlines()[0], **extra)


def _console(out: TextIO) -> structlog.typing.Processor:
    """Lines for a person. A traceback is plain: locals would be noise, and may be secrets."""
    return structlog.dev.ConsoleRenderer(
        colors=out.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )
