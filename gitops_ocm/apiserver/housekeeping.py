"""The controllers of kube-controller-manager that a hub relies on for who is who, run beside the server.

They follow the history of the store and look at what has changed, or whose time has come: requests for
certificates, the Secrets of tokens, the signatures of `cluster_info`, aggregated roles. What is to be done
is decided in pure functions (`csr_signing`, `token_secrets`, …); here it is carried out, through the
front door of `Api`. What has to happen inside a write is `upkeep`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from gitops_ocm.apiserver.store import StoreFailed
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.runtime.log import get_logger, place_of

Look = Callable[[Key, datetime], float | None]
RETRY = 5.0
"""Seconds after which what has failed is tried again."""

log = get_logger(__name__)


@dataclass(frozen=True)
class Chore:
    """One controller: the collections whose objects wake it, and what it does about one of them.

    `look` answers after how many seconds it wants to look again, None for not before a change.
    """

    name: str
    wakes: tuple[tuple[str, str], ...]
    look: Look


class Housekeeping:
    """Runs chores over one `Api`."""

    def __init__(self, api: Api, chores: Iterable[Chore], now: Callable[[], datetime]) -> None:
        self._store = api.store
        self._now = now
        self._by_wake: dict[tuple[str, str], list[Chore]] = {}
        for chore in chores:
            for resource in chore.wakes:
                self._by_wake.setdefault(resource, []).append(chore)
        self._due: list[tuple[float, int, Chore, Key]] = []
        self._planned: dict[tuple[str, Key], float] = {}
        self._numbers = count()
        self._position = self._store.history.position_after(self._store.version)

    def look_at_everything(self) -> None:
        """What there is at the start, or after more has happened than is remembered."""
        self._position = self._store.history.position_after(self._store.version)
        self._due.clear()
        self._planned.clear()
        for resource in self._by_wake:
            for key in list(self._store.objects(resource)):
                self._look(key)

    async def run(self) -> None:
        """Follow the store until it is closed."""
        history = self._store.history
        while not history.closed:
            self.catch_up()
            await history.changed(self._until_due())

    def catch_up(self) -> None:
        """Look at what has changed and at what is due, until neither is left."""
        while True:
            try:
                changes = self._store.history.read(self._position)
            except ApiError:
                self.look_at_everything()
                continue
            self._position += len(changes)
            keys = dict.fromkeys(c.key for c in changes if c.key.resource in self._by_wake)
            for key in keys:
                self._look(key)
            if not keys and not self._look_at_due():
                return

    def _look_at_due(self) -> bool:
        now, found = self._now().timestamp(), False
        while self._due and self._due[0][0] <= now:
            _, _, chore, key = heapq.heappop(self._due)
            self._planned.pop((chore.name, key), None)
            self._do(chore, key)
            found = True
        return found

    def _until_due(self) -> float | None:
        return max(0.0, self._due[0][0] - self._now().timestamp()) if self._due else None

    def _look(self, key: Key) -> None:
        for chore in self._by_wake[key.resource]:
            self._do(chore, key)

    def _do(self, chore: Chore, key: Key) -> None:
        again: float | None = RETRY
        try:
            again = chore.look(key, self._now())
        except ApiError as error:
            # Changed or gone meanwhile: that change is on its way here.
            if error.reason not in ("Conflict", "NotFound"):
                log.warning("a chore failed", chore=chore.name, object=key.position, error=error)
        except StoreFailed as error:
            log.warning("a chore failed", chore=chore.name, object=key.position, error=error)
        except Exception as error:  # noqa: BLE001 - one bad object must not end the others' controllers
            log.error(
                "a chore failed", chore=chore.name, object=key.position, error=error, at=place_of(error)
            )
        if again is not None:
            self._plan(chore, key, self._now().timestamp() + again)

    def _plan(self, chore: Chore, key: Key, due: float) -> None:
        """Look again then, unless that is planned for earlier: a look too early does no harm."""
        planned = self._planned.get((chore.name, key))
        if planned is None or due < planned:
            self._planned[chore.name, key] = due
            heapq.heappush(self._due, (due, next(self._numbers), chore, key))
