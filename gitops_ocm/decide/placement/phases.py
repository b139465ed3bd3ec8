"""How long the parts of a decision take, where somebody wants to know. Pure: whoever does brings the clock.

The parts are those OCM's scheduler measures: each filter, each prioritizer, the expressions on one cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

FILTER, PRIORITIZER, EXPRESSIONS = "filter", "prioritizer", "expressions"

Measure = Callable[[str, str], AbstractContextManager[None]]
"""What a part is done in, by its kind and name."""
_CURRENT: ContextVar[Measure | None] = ContextVar("measure", default=None)
_UNMEASURED = nullcontext()


def phase(kind: str, name: str = "") -> AbstractContextManager[None]:
    """Do a part of a decision in this."""
    measure = _CURRENT.get()
    return _UNMEASURED if measure is None else measure(kind, name)


@contextmanager
def measured(measure: Measure) -> Iterator[None]:
    """Measure what is decided in here."""
    token = _CURRENT.set(measure)
    try:
        yield
    finally:
        _CURRENT.reset(token)
