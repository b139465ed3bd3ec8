"""Connections end with their client, whatever else goes on: a leaked one is a leaked identity."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.kube.credentials import Identity, bearer
from gitops_ocm.kube.identity import Connection
from gitops_ocm.kube.session import Session, Sessions
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.testing.faulty_api import FaultyApi


@dataclass
class Slow:
    """Credentials that answer when they are let, each time with another token."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    async def fetch(self, now: datetime) -> Identity:
        self.asked.set()
        await self.let.wait()
        self.count += 1
        return Identity(header=bearer(str(self.count)))


def sessions(url: str, credentials: Slow) -> Sessions:
    return Sessions(Connection(url, credentials=credentials), SystemClock(), user_agent="test", timeout=5)


def ended(session: Session) -> bool:
    return session.requests.closed and session.watches.closed


@pytest.mark.parametrize("renewing", [False, True])
async def test_closed_while_the_identity_is_fetched(api: FaultyApi, renewing: bool) -> None:
    """An identity that comes too late opens nothing."""
    credentials = Slow()
    opening = sessions(api.url, credentials)
    if renewing:
        credentials.let.set()
        held = await opening.get()
        credentials.let.clear()
        credentials.asked.clear()
        waiting = asyncio.create_task(opening.renew(held))
    else:
        waiting = asyncio.create_task(opening.get())
    await credentials.asked.wait()
    await opening.close()
    credentials.let.set()
    with pytest.raises(Unreachable, match="closed"):
        await waiting


async def test_cancelled_while_closing(api: FaultyApi) -> None:
    """Whoever closes and is cancelled leaves nothing open, connections of old identities neither."""
    credentials = Slow()
    credentials.let.set()
    opening = sessions(api.url, credentials)
    old = await opening.get()
    new = await opening.renew(old)
    for session in (old, new):
        for half in (session.requests, session.watches):
            async with half.get(f"{api.url}/version") as answer:
                await answer.read()
    closing = asyncio.create_task(opening.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await opening.close()
    assert ended(old)
    assert ended(new)
