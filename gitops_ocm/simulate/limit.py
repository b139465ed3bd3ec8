"""How long whoever runs a simulation will wait: it ends with `TookTooLong` once `late` says so.

    with limited(lambda: monotonic() > deadline):
        simulation.settle()

Without it a simulation goes on until it is at rest. What it has come to by then is not known to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from gitops_ocm.errors import GitopsError


class TookTooLong(GitopsError):
    """A simulation was ended before it came to rest."""

    code = "simulation-limit"


_LATE: ContextVar[Callable[[], bool] | None] = ContextVar("late", default=None)


@contextmanager
def limited(late: Callable[[], bool]) -> Iterator[None]:
    """End simulations once it is late."""
    token = _LATE.set(late)
    try:
        yield
    finally:
        _LATE.reset(token)


def check() -> None:
    """Raise `TookTooLong` where it is late."""
    late = _LATE.get()
    if late is not None and late():
        raise TookTooLong("it took longer than it may")
