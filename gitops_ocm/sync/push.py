"""Hub → Git: the fleet's state as commits on the `status` branch.

Watches the kinds that have a file (`report.status_files`), marks files dirty as objects change, and
commits them in batches (`sync.publish`). What agents commit on `agents/<cluster>` is folded in: their
own account of the cluster and of what they hold applied, and their word on a work where it is newer
than the hub's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from gitops_ocm.decide.contract import Index, Side, Want
from gitops_ocm.desired.tree import BlobReader
from gitops_ocm.git.errors import GitError
from gitops_ocm.git.source import Repository
from gitops_ocm.git.threads import in_thread
from gitops_ocm.git.writer import BranchWriter, Committed
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.report.agent_files import LARGEST, folded_path, generation_of
from gitops_ocm.report.status_files import (
    ADDON,
    CLUSTER,
    DECISION,
    MANAGEMENT_ADDON,
    PLACEMENT,
    REPLICA_SET,
    SYNC,
    WORK,
    cluster_of,
    owner_of_decision,
    path_of,
    ref_at,
    status_file,
)
from gitops_ocm.report.trimmed import without_spec
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.tasks import first_of
from gitops_ocm.sync.events import Listener, Phase, Unrepeated, of_error
from gitops_ocm.sync.publish import LOOK, Message, Publisher

AGENTS = "refs/heads/agents/*"
BY_PLACEMENT = "push-decisions-by-placement"


class _Told(NamedTuple):
    """A file on an agent's branch; `generation` is the one a work's file speaks of."""

    blob: str
    generation: int = 0


class Push:
    """Use as an async context manager: the watches live inside."""

    def __init__(
        self,
        cluster: Cluster,
        mapper: Mapper,
        writer: BranchWriter,
        agents: Repository | None,
        *,
        name: str,
        clock: Clock,
        listener: Listener,
        min_interval: float = 10.0,
        look: float = LOOK,
    ) -> None:
        """`agents` holds the agents' branches; `name` is the HubSync that `sync.yaml` tells of."""
        self._name = name
        self._agents = agents
        self._listener = Unrepeated(listener)
        self._interval = min_interval
        self._heads: dict[str, str] = {}
        self._accounts: dict[str, dict[str, _Told]] = {}
        self._texts: dict[str, str] = {}
        self._reader: BlobReader | None = None
        kinds = (CLUSTER, WORK, ADDON, MANAGEMENT_ADDON, PLACEMENT, DECISION, REPLICA_SET, SYNC)
        self._cache = Cache(Side.HUB, cluster, mapper, clock=clock, transforms=dict.fromkeys(kinds, _lean))
        self._cache.add_index(Index(BY_PLACEMENT, DECISION, lambda obj: [str(owner_of_decision(obj))]))
        self._wants = [Want(kind) for kind in kinds]
        self.publisher = Publisher(
            writer,
            self.render,
            self._describe,
            clock=clock,
            listener=listener,
            min_interval=min_interval,
            prepare=self._fetch_texts,
            look=look,
        )

    async def __aenter__(self) -> Self:
        await self._cache.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._cache.__aexit__(kind, error, trace)

    async def start(self) -> None:
        """See the hub and the branch as they are: what differs is dirty."""
        for want in self._wants:
            self._cache.subscribe(want)
        await self._cache.synced()
        self._cache.listen(self._on_change)
        await self.publisher.adopt(self._expected, ours=lambda path: ref_at(path) is not None)
        await self.fold()

    async def once(self) -> list[Committed]:
        """Bring the branch up to date, once."""
        await self.start()
        return await self.publisher.flush()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the branch up to date until `stop` is set."""
        await self.start()
        ended = asyncio.Event()
        folding = asyncio.create_task(self._keep_folding(ended), name="fold agents' branches")
        try:
            await self.publisher.run(stop)
        finally:
            # Not cancelled: what it reads in a thread would go on, with a repository that is closed.
            ended.set()
            await folding

    async def fold(self) -> None:
        """Look at the agents' branches; those that moved make their files dirty."""
        if (agents := self._agents) is None:
            return
        heads = await in_thread(partial(agents.fetch_matching, AGENTS))
        by_cluster = {ref.removeprefix("refs/heads/agents/"): sha for ref, sha in heads.items()}
        for cluster in sorted(self._heads.keys() | by_cluster.keys()):
            if self._heads.get(cluster) == by_cluster.get(cluster):
                continue
            before, after = self._accounts.get(cluster, {}), {}
            if cluster in by_cluster:
                after = await in_thread(partial(self._account, cluster, by_cluster[cluster], before))
            self._accounts[cluster] = after
            self.publisher.dirty(
                path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
            )
        self._heads = by_cluster

    def render(self, path: str) -> str | None:
        """What a file of `status` is to say now."""
        ref = ref_at(path)
        if ref is None:
            return self._told(path)
        if ref.of == SYNC:
            ref = ref._replace(name=self._name)
        obj = self._cache.get(ref)
        if obj is None:
            return None
        decisions = self._cache.indexed(BY_PLACEMENT, str(ref)) if ref.of == PLACEMENT else ()
        text = status_file(obj, decisions)
        told = self._accounts.get(cluster_of(path), {}).get(path) if ref.of == WORK else None
        if told is not None and told.generation > generation_of(text):
            return self._told(path) or text
        return text

    def _told(self, path: str) -> str | None:
        """What a cluster's agent says there; nothing of clusters the hub does not have."""
        cluster = cluster_of(path)
        told = self._accounts.get(cluster, {}).get(path)
        if told is None or self._reader is None or self._cache.get(Ref(*CLUSTER, "", cluster)) is None:
            return None
        if told.blob not in self._texts:
            self._texts |= self._read([told.blob])
        return self._texts[told.blob]

    async def _fetch_texts(self, paths: Sequence[str]) -> None:
        """Have at hand what agents say in files that the hub has none of; a commit's worth at a time."""
        accounts = [(path, self._accounts.get(cluster_of(path), {})) for path in paths]
        blobs = [account[path].blob for path, account in accounts if path in account and ref_at(path) is None]
        self._texts = await in_thread(partial(self._read, blobs))

    def _read(self, blobs: Sequence[str]) -> dict[str, str]:
        if self._reader is None:
            return {}
        return {blob: data.decode("utf-8", "replace") for blob, data in self._reader.read_blobs(blobs)}

    def _account(self, cluster: str, commit: str, before: Mapping[str, _Told]) -> dict[str, _Told]:
        """Path in `status` → what an agent's branch holds there; only what is new is read."""
        assert self._agents is not None
        tree = self._agents.tree(commit)
        self._reader = tree.reader
        blobs = {
            target: entry.blob
            for path, entry in tree.entries.items()
            if (target := folded_path(cluster, path)) and entry.is_file and entry.size <= LARGEST
        }
        known = {told.blob: told for told in before.values()}
        works = {path for path in blobs if ref_at(path) is not None}
        fresh = sorted({blobs[path] for path in works} - known.keys())
        for blob, text in self._read(fresh).items():
            known[blob] = _Told(blob, generation_of(text))
        return {path: known[blob] if path in works else _Told(blob) for path, blob in blobs.items()}

    async def _keep_folding(self, ended: asyncio.Event) -> None:
        while not await first_of(ended.wait(), within=self._interval):
            try:
                await self.fold()
                self._listener.begin(after_failure=False)
            except (GitError, OSError) as error:
                self._listener.begin(after_failure=True)
                self._listener(of_error(Phase.STATUS, error))

    def _expected(self) -> Iterator[str]:
        for want in self._wants:
            for obj in self._cache.list(want.kind):
                yield from self._paths(obj)

    def _paths(self, obj: Object) -> Iterator[str]:
        """The files that tell of an object."""
        ref = ref_of(obj)
        if ref.of == DECISION:
            ref = owner_of_decision(obj)
        if ref.of == SYNC and ref.name != self._name:
            return
        yield path_of(ref)
        if ref.of == CLUSTER:
            yield from self._accounts.get(ref.name, ())

    def _on_change(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None:
                self.publisher.dirty(self._paths(obj))

    def _describe(self, paths: tuple[str, ...]) -> Message:
        clusters = sorted({cluster for path in paths if (cluster := cluster_of(path))})
        sync = self._cache.get(Ref(*SYNC, "", self._name))
        commit = ((sync or {}).get("status") or {}).get("lastAppliedCommit")
        trailers = [("Cluster", cluster) for cluster in clusters]
        if commit:
            trailers.append(("Source-Commit", str(commit)))
        return Message(_subject(paths, clusters), tuple(trailers))


def _subject(paths: tuple[str, ...], clusters: list[str]) -> str:
    if clusters:
        more = f" and {len(clusters) - 3} more" if len(clusters) > 3 else ""
        return f"Report {', '.join(clusters[:3])}{more}"
    kinds = {
        "placements": "placements",
        "replicasets": "replica sets",
        "addons": "add-ons",
        "sync.yaml": "the sync",
    }
    return "Report " + " and ".join(sorted({kinds.get(path.partition("/")[0], "state") for path in paths}))


def _lean(obj: Object) -> Object:
    """Without what no file shows: the bulk of a fleet's objects in memory."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    kept = {**obj, "metadata": meta}
    if obj.get("kind") == WORK.kind:
        kept = without_spec(kept)
    if obj.get("kind") == SYNC.kind and isinstance(status := obj.get("status"), Mapping):
        kept["status"] = {key: value for key, value in status.items() if key != "inventory"}
    return kept
