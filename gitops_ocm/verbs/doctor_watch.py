"""`doctor --watch`: looks again and again, and tells when what is wrong has changed.

What changes all the time (how long a lease is over) is no change. A hub that is away is told as that, and
looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from gitops_ocm.api.scalars import format_time
from gitops_ocm.decide.diagnosis.finding import Finding
from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.tasks import first_of
from gitops_ocm.verbs.doctor import Examination

Shape = tuple[object, ...]
Look = Callable[[], Awaitable[Examination]]


async def watched(
    look: Look,
    tell: Callable[[Examination], None],
    complain: Callable[[GitopsError], None],
    stop: asyncio.Event,
    *,
    every: float,
) -> Examination | None:
    """Until `stop`: `tell` the first examination and each that differs; the last one made.

    `complain` is told of what kept it from looking, once as long as it is the same.
    """
    last: Examination | None = None
    told: Shape = ()
    while not stop.is_set():
        shape: Shape
        try:
            found = await _unless_stopped(look, stop)
            if found is None:
                break
            last, shape = found, shape_of(found)
            if shape != told:
                tell(found)
        except GitopsError as error:
            last, shape = None, (error.message,)
            if shape != told:
                complain(error)
        told = shape
        await first_of(stop.wait(), within=every)
    return last


async def _unless_stopped(look: Look, stop: asyncio.Event) -> Examination | None:
    looking = asyncio.ensure_future(look())
    await first_of(_settled(looking), stop.wait())
    if not looking.done():
        looking.cancel()
        await asyncio.wait([looking])
        return None
    return looking.result()


async def _settled(looking: asyncio.Future[Examination]) -> None:
    await asyncio.wait([looking])


def shape_of(found: Examination) -> Shape:
    """What an examination has to say, without the times and numbers in its sentences."""
    return _findings(found.diagnosis.findings), tuple(sorted(found.diagnosis.unseen)), found.diagnosis.healthy


def _findings(findings: Iterable[Finding]) -> Shape:
    return tuple((f.cause, f.cluster, f.subject, _findings(f.follows)) for f in findings)


def heading(at: datetime) -> str:
    """What stands above each examination that is told."""
    return f"--- {format_time(at)}"
