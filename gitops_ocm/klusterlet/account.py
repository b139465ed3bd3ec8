"""The cluster's own account in Git: `agents/<cluster>`, kept while the agent runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gitops_ocm.decide.contract import Side
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.command import Credentials
from gitops_ocm.git.errors import Interrupted
from gitops_ocm.git.source import Repository, open_repository
from gitops_ocm.git.threads import in_thread
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.live.runner import Runner
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.tasks import ended_at, first_of
from gitops_ocm.sync.agent_push import AgentPush, branch_of
from gitops_ocm.sync.events import Listener, Phase, Unrepeated, of_error
from gitops_ocm.sync.logged import logged
from gitops_ocm.sync.publish import LAST_WORDS


async def keep_account(
    runner: Runner,
    cluster: str,
    url: str,
    stop: asyncio.Event,
    *,
    cache_dir: Path,
    credentials: Credentials | None = None,
    interval: float = 10.0,
    listener: Listener | None = None,
) -> None:
    """Commit what the agent sees and applied, until `stop`. Trouble with Git never stops the agent.

    How it goes is logged, where no `listener` is given.
    """
    backoff, listener = Backoff(0.5, 60.0), Unrepeated(listener or logged(cluster=cluster))
    await runner.synced()
    while not stop.is_set():
        try:
            repository = await in_thread(lambda: open_repository(url, cache_dir, credentials=credentials))
            try:
                async with ended_at(stop, repository.interrupt, grace=LAST_WORDS):
                    await in_thread(repository.prepare)
                    await _push(runner, cluster, repository, listener, interval).run(stop)
            finally:
                await in_thread(repository.close)
        except Interrupted:
            return
        except (GitopsError, OSError) as error:
            listener.begin(after_failure=True)
            listener(of_error(Phase.STATUS, error))
            await first_of(stop.wait(), within=backoff.next())


def _push(
    runner: Runner, cluster: str, repository: Repository, listener: Listener, interval: float
) -> AgentPush:
    writer = BranchWriter(
        repository.git,
        branch_of(cluster),
        author=Author(f"klusterlet {cluster}", f"{cluster}@gitops-ocm.localhost"),
        remote=None if repository.is_local else repository.address,
    )
    return AgentPush(
        runner.caches[Side.HUB],
        runner.caches[Side.SPOKE],
        writer,
        cluster=cluster,
        clock=runner.clock,
        listener=listener,
        min_interval=interval,
    )
