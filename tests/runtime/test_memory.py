"""How a process treats memory: when the cycle collector looks at what."""

from __future__ import annotations

import gc
import weakref

import pytest

from gitops_ocm.runtime.memory import uncollected


class _Loop:
    """Garbage that only the cycle collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.parametrize(("lasting", "found"), [(False, True), (True, False)])
def test_what_was_made_meanwhile(lasting: bool, found: bool) -> None:
    """What lasts is not among the young that are looked at again and again; all is looked at in the end."""
    with uncollected(lasting=lasting):
        assert not gc.isenabled()
        loop = weakref.ref(_Loop())
    try:
        gc.disable()
        gc.collect(0)
        assert (loop() is None) is found
        gc.collect()
        assert loop() is None
    finally:
        gc.enable()


def test_one_in_another() -> None:
    """The collector waits until the outer one is over."""
    with uncollected(lasting=True):
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
