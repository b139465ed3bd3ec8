"""Reads what `diff` needs: the HubSync and its inventory from the hub, a commit from Git.

Where there is no HubSync yet the one that would be made counts, with nothing in its inventory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gitops_ocm.api.fleet import sync_field_manager
from gitops_ocm.decide.contract import Side
from gitops_ocm.errors import Diagnostic, DiagnosticsError
from gitops_ocm.git import refs
from gitops_ocm.git.threads import in_thread
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import Committer
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.inventory import Inventory
from gitops_ocm.plan.prune import guard_of
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.tasks import ended_at
from gitops_ocm.sync.diff import DiffResult, diff
from gitops_ocm.sync.kinds import HubKinds
from gitops_ocm.sync.loop import SyncSettings
from gitops_ocm.sync.record import Record, SyncMissing
from gitops_ocm.sync.source import Source
from gitops_ocm.sync.spec import SyncSpec


@dataclass(frozen=True)
class Comparison:
    """A hub held against a commit, and what is doubtful about that commit."""

    result: DiffResult
    warnings: tuple[Diagnostic, ...]


async def compare(
    cluster: Cluster,
    name: str,
    *,
    settings: SyncSettings,
    catalog: Catalog,
    create: Object | None = None,
    commit: str = "",
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
) -> Comparison:
    """What a sync of `commit` (default: where the followed ref is) would change on the hub now.

    A commit that is not valid is a `DiagnosticsError` with all of its problems. `stop` ends waiting for a
    remote: `git.errors.Interrupted`.
    """
    clock = clock or SystemClock()
    mapper = Mapper(cluster, clock=clock)
    spec, record = await _known(cluster, mapper, name, create)
    source = Source(settings.cache_dir, credentials=settings.credentials)
    try:
        async with ended_at(stop or asyncio.Event(), source.interrupt):
            fetched = await source.fetch(spec)
            chosen = await _resolved(source, spec, commit) if commit else fetched.new
            kinds = HubKinds(cluster, catalog, mapper=mapper, clock=clock)
            checked = await source.check(chosen, spec, await kinds.catalog())
    finally:
        await in_thread(source.close)
    if checked.errors:
        count = len(checked.errors)
        noun = "problem" if count == 1 else "problems"
        raise DiagnosticsError(f"commit {chosen[:12]} cannot be synced: {count} {noun}", checked.errors)
    result = await diff(
        cluster,
        mapper,
        checked.state.objects,
        record.inventory if record else Inventory(),
        spec=spec,
        commit=chosen,
        guard=guard_of(record.status) if record else None,
        in_force=str(record.status.get("lastAppliedCommit") or "") if record else "",
        concurrency=settings.concurrency,
    )
    return Comparison(result, checked.warnings)


async def _known(
    cluster: Cluster, mapper: Mapper, name: str, create: Object | None
) -> tuple[SyncSpec, Record | None]:
    manager = sync_field_manager(name)
    committer = Committer({Side.HUB: cluster}, {Side.HUB: mapper}, field_manager=manager)
    try:
        record = await Record.read(cluster, committer, name)
    except (SyncMissing, ApiError):
        if create is None:
            raise
        return SyncSpec.of(create), None
    return SyncSpec.of(record.sync), record


async def _resolved(source: Source, spec: SyncSpec, commit: str) -> str:
    def resolve() -> str:
        repository = source.repository(spec.url)
        found = refs.branch(commit) if not refs.is_commit(commit) else commit
        return repository.resolve(found)

    return await in_thread(resolve)
