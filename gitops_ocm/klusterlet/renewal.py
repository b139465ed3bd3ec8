"""Keeps one certificate fresh: asks for the next one in time, exactly then, and puts it where it belongs.

When it is due is `decide.agent.certificates.renew_at`'s to say. The same for an agent's own certificate
and for those of add-ons.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.agent.certificates import Certificate, Wanted, not_rotated, renew_at, rotated
from gitops_ocm.decide.writes import seconds_until
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.enrollment import Enrollment, Issued
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.tasks import first_of

_log = get_logger("registration")

T = TypeVar("T")
_LONGEST = 300.0
"""Seconds to sleep at a time: a machine that was suspended notices soon that the time is over."""


async def before(work: Coroutine[Any, Any, T], *ends: Coroutine[Any, Any, object]) -> T | None:
    """What `work` answers, or None where one of `ends` was over first; `work` is cancelled then."""
    answers: list[T] = []

    async def kept() -> None:
        answers.append(await work)

    await first_of(kept(), *ends)
    return answers[0] if answers else None


async def sleep_until(at: datetime, clock: Clock) -> None:
    """Sleep on the wall clock, which may jump."""
    while (left := seconds_until(at, clock.now())) > 0:
        await clock.sleep(min(left, _LONGEST))


@dataclass
class Renewal:
    """One certificate; `take` puts a new one into force, `report` hears how it goes.

    With `own` the requests are made with this very certificate: it cannot be renewed once it is over.
    """

    enrollment: Enrollment
    wanted: Wanted
    held: Certificate | None
    take: Callable[[Issued], Awaitable[None]]
    report: Callable[[KnownCondition], None]
    clock: Clock
    own: bool = True
    _not_before: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))
    backoff: Backoff = field(default_factory=lambda: Backoff(2.0, 120.0))

    async def run(self, leave: asyncio.Event) -> None:
        """Until `leave`; with `own`, also until the certificate is over."""
        while not leave.is_set():
            due = max(renew_at(self.wanted, self.held, self.clock.now()), self._not_before)
            await first_of(sleep_until(due, self.clock), leave.wait())
            if leave.is_set() or self._over():
                return
            try:
                await self._renew(leave)
            except GitopsError as error:
                _log.warning("certificate not renewed, trying again", error=error)
                self.report(not_rotated(error.message))
                await first_of(leave.wait(), within=self.backoff.next())

    def _over(self) -> bool:
        return self.own and (self.held is None or self.held.not_after <= self.clock.now())

    async def _renew(self, leave: asyncio.Event) -> None:
        def refused(why: str) -> None:
            self.report(not_rotated(why))

        ends: list[Coroutine[Any, Any, object]] = [leave.wait()]
        if self.own and self.held is not None:
            ends.append(sleep_until(self.held.not_after, self.clock))
        issued = await before(self.enrollment.obtain(self.wanted, refused), *ends)
        if issued is None:
            return
        await self.take(issued)
        await self.enrollment.settle(self.wanted)
        self.held = issued.certificate
        # One that is due as it comes (by our clock, or its short life) must not start a run of requests.
        now = self.clock.now()
        self._not_before = now + (issued.certificate.not_after - now) / 2
        self.backoff.reset()
        self.report(rotated(issued.certificate))
        _log.info(
            "certificate issued",
            subject=self.wanted.subject.common_name,
            until=f"{issued.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        )
