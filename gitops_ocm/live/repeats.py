"""Writes that do not stick: the same thing written again and again, because something undoes it.

A webhook that rewrites a field, another controller that wants it otherwise, a field the server drops:
a level-triggered controller would answer each time, as fast as it can. Here the first few answers go
out at once (a person who edits by hand is put right at once); after that the same writes for the same
key wait, longer each time, and it is said who keeps writing what.

Neighbour: `decide.damping` bounds how often a key that is woken by what it reads is looked at at all, also
where nothing is written; it knows no writes and so cannot see a fight about one of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.contract import Apply, Create, MergePatch, Update, Write, is_kept
from gitops_ocm.live.hold import Owner
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Ref, ref_of

FREE = 3
"""So often the same writes are repeated without waiting."""
BASE = 0.5
CAP = 300.0
FORGET = 600.0
"""Seconds without a repetition after which it is forgotten."""

_SERVERS = frozenset({"resourceVersion", "uid", "managedFields", "generation", "creationTimestamp"})


@dataclass(slots=True)
class _Last:
    print: str
    at: float
    repeats: int = 0


class Repeats:
    """What each key wrote last, and how often it did so in a row. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._last: OrderedDict[Owner, _Last] = OrderedDict()

    def wait(self, owner: Owner, writes: Iterable[Write], now: float) -> float:
        """Seconds until these may be written again; 0 says now, and counts them as written."""
        printed = fingerprint(writes)
        if not printed:
            return 0.0
        self._tidy(now)
        last = self._last.get(owner)
        if last is None or last.print != printed:
            self._note(owner, _Last(printed, now))
            return 0.0
        due = last.at + pause(last.repeats + 1)
        if now < due:
            return due - now
        self._note(owner, _Last(printed, now, last.repeats + 1))
        return 0.0

    def repeats(self, owner: Owner) -> int:
        """How often the last writes of a key have been made again."""
        last = self._last.get(owner)
        return last.repeats if last else 0

    def forget(self, owner: Owner) -> None:
        """The writes failed, so there was nothing to undo: trying again is not repeating."""
        self._last.pop(owner, None)

    def _note(self, owner: Owner, last: _Last) -> None:
        self._last[owner] = last
        self._last.move_to_end(owner)

    def _tidy(self, now: float) -> None:
        while self._last:
            owner, last = next(iter(self._last.items()))
            if now - last.at < FORGET:
                return
            del self._last[owner]


def pause(repeats: int) -> float:
    """Seconds to let pass before the nth repetition: none at first, then doubling."""
    return 0.0 if repeats <= FREE else min(CAP, BASE * 2.0 ** min(repeats - FREE - 1, 20))


def fingerprint(writes: Iterable[Write]) -> str:
    """What writes say, without what a server adds; "" when they say nothing that could be undone."""
    said = [
        _said(write)
        for write in writes
        if isinstance(write, Apply | Create | MergePatch | Update) and is_kept(write)
    ]
    return digest(said) if said else ""


def _said(write: Apply | Create | MergePatch | Update) -> list[Any]:
    body, ref = subject(write)
    meta = {k: v for k, v in (body.get("metadata") or {}).items() if k not in _SERVERS}
    part = getattr(write, "subresource", "")
    body = {**body, "metadata": meta}
    if isinstance(write, Update) and not part:
        body.pop("status", None)  # carried along as it was read, and changing with every change
    return [type(write).__name__, write.side.value, list(ref), part, body]


def subject(write: Apply | Create | MergePatch | Update) -> tuple[Mapping[str, Any], Ref]:
    """The body of a write and the object it is about."""
    if isinstance(write, MergePatch):
        return write.body, write.ref
    return write.obj, ref_of(write.obj)
