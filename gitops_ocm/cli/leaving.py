"""How the process of one command ends: what is large goes with it, and is not taken apart object by object.

A preview of a large fleet holds millions of objects. Python frees each of them before it exits, which takes
an eighth of such a preview's time and is of use to nobody.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_held: list[object] = []


def hold(large: object) -> None:
    """Keep this until the process ends, or until there is something else to keep."""
    _held[:] = [large]


def leave(status: int) -> NoReturn:
    """End the process."""
    if not _held:
        sys.exit(status)
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # As it is where the command was started with it closed.
                stream.flush()
    except BrokenPipeError:
        os._exit(141)
    os._exit(status)


def leave_unread() -> NoReturn:
    """End the process as SIGPIPE would: nobody reads what it has to say, nor what is left of it."""
    os._exit(141)
