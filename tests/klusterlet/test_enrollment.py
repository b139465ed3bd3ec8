"""What an agent remembers of the requests it made, and when it forgets them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitops_ocm.decide.agent.certificates import for_cluster
from gitops_ocm.klusterlet.enrollment import Enrollment, forget_taken
from gitops_ocm.klusterlet.kept import Folder
from gitops_ocm.klusterlet.keys import kept_request, new_request
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import CSRS
from gitops_ocm.testing.clusters import memory

Eventually = Callable[..., Awaitable[Any]]
WANTED = for_cluster("one", "agent", 3600)


async def test_a_request_is_forgotten_once_its_certificate_is_kept(
    eventually: Eventually, tmp_path: Path
) -> None:
    """Killed before it could forget: forgotten at the next start. One that still waits is not."""
    notes = Folder(tmp_path / "notes")
    async with memory() as hub:
        asking = asyncio.create_task(Enrollment(hub, notes).obtain(WANTED))
        await eventually(lambda: _filed(hub))
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
    (noted,) = (await notes.read()).values()
    pending = kept_request(noted, WANTED)
    assert pending is not None
    await forget_taken(notes, WANTED, new_request(WANTED).key)
    assert list((await notes.read()).values()) == [noted]
    await forget_taken(notes, WANTED, pending.key)
    assert not await notes.read()


async def _filed(hub: Cluster) -> bool:
    return bool((await hub.list(CSRS)).items)
