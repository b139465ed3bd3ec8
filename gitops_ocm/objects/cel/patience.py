"""How long whoever waits for expressions has the patience to. Pure: it is told when that is over.

An expression may cost what takes a second, and a request may ask many. Where all others wait meanwhile (a
server's event loop) that is too long: what is done inside `hasty` is stopped by `OutOfPatience`. It comes to
no result, so it can be begun again where there is time. What an expression may cost at all, on whichever
machine, is another question: `environment`. Who can be asked again is told by `hurry` how long one asking may
take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_COMPILING = 5
"""Units that each character of an expression takes to compile."""


class OutOfPatience(Exception):
    """This takes too long here; nothing is wrong with it."""


@dataclass(frozen=True)
class Patience:
    """When it ends. `units` (of cost, each about a microsecond) are for what nothing can stop: one call of a
    function, the compilation of one text."""

    late: Callable[[], bool]
    units: int

    def begin(self, text: str) -> None:
        """Before an expression is compiled; raises OutOfPatience."""
        if self.late() or _COMPILING * len(text) > self.units:
            raise OutOfPatience


_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current() -> Patience | None:
    """That of whoever waits; None where there is all the time in the world."""
    return _CURRENT.get()


@contextmanager
def hasty(patience: Patience) -> Iterator[None]:
    """Stop what takes longer."""
    token = _CURRENT.set(patience)
    try:
        yield
    finally:
        _CURRENT.reset(token)


Hurry = Callable[[], Patience]
"""The patience there is from now on."""
_HURRY: ContextVar[Hurry | None] = ContextVar("hurry", default=None)


def hurry() -> Hurry | None:
    """How long at a time something may take that can be begun again; None: as long as it takes."""
    return _HURRY.get()


@contextmanager
def hurried(hurry: Hurry) -> Iterator[None]:
    """Let what can be begun again take no longer than that."""
    token = _HURRY.set(hurry)
    try:
        yield
    finally:
        _HURRY.reset(token)
