"""A cluster's agent → Git: its own account on `agents/<cluster>`.

Follows the ManagedCluster and ManifestWorks on the hub as this agent sees and writes them, and the
AppliedManifestWorks on its own cluster. No two agents write one branch, so a thousand of them never contend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gitops_ocm.decide.contract import Want
from gitops_ocm.git.writer import BranchWriter, Committed
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.report.agent_files import APPLIED, agent_file, agent_path
from gitops_ocm.report.status_files import CLUSTER, WORK
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.sync.events import Listener
from gitops_ocm.sync.publish import Message, Publisher

FOLDERS = ("works/", "applied/")
"""Where an agent's branch has a file for each of many objects."""
SELDOM = 3600.0
"""Seconds after which an agent looks at its branch: a fleet's thousand share one server."""


def branch_of(cluster: str) -> str:
    """The branch that a cluster's agent alone writes."""
    return f"agents/{cluster}"


class AgentPush:
    """Reads from the caches of an agent that is running anyway."""

    def __init__(
        self,
        hub: Cache,
        spoke: Cache,
        writer: BranchWriter,
        *,
        cluster: str,
        clock: Clock,
        listener: Listener,
        min_interval: float = 10.0,
        look: float = SELDOM,
    ) -> None:
        self._hub = hub
        self._spoke = spoke
        self._cluster = cluster
        self._publisher = Publisher(
            writer,
            self.render,
            self._describe,
            clock=clock,
            listener=listener,
            min_interval=min_interval,
            look=look,
        )

    async def start(self) -> None:
        """See both sides and the branch as they are: what differs is dirty."""
        own = [Want(CLUSTER, name=self._cluster), Want(WORK, self._cluster)]
        wants = {self._hub: own, self._spoke: [Want(APPLIED)]}
        for cache, wanted in wants.items():
            for want in wanted:
                cache.subscribe(want)
            await cache.synced(wanted)
        for cache in {self._hub, self._spoke}:
            cache.listen(self._on_change)
        await self._publisher.adopt(self._expected, ours=lambda path: path.startswith(FOLDERS))

    async def once(self) -> list[Committed]:
        """Bring the branch up to date, once."""
        await self.start()
        return await self._publisher.flush()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the branch up to date until `stop` is set."""
        await self.start()
        await self._publisher.run(stop)

    def render(self, path: str) -> str | None:
        """What a file of the agent's branch is to say now."""
        obj = self._object(path)
        return agent_file(obj) if obj is not None else None

    def _expected(self) -> Iterator[str]:
        yield agent_path(Ref(*CLUSTER, "", self._cluster))
        for obj in (*self._hub.list(WORK, self._cluster), *self._spoke.list(APPLIED)):
            yield agent_path(ref_of(obj))

    def _object(self, path: str) -> Object | None:
        folder, _, file = path.rpartition("/")
        name = file.removesuffix(".yaml")
        if folder == "applied":
            held = self._spoke.get(Ref(*APPLIED, "", name))
            return held if held is not None and self._is_ours(held) else None
        if folder == "works":
            return self._hub.get(Ref(*WORK, self._cluster, name))
        return self._hub.get(Ref(*CLUSTER, "", self._cluster))

    def _is_ours(self, applied: Object) -> bool:
        """An AppliedManifestWork of another hub's agent on the same cluster is not ours to tell of."""
        return self._hub.get(Ref(*WORK, self._cluster, _work_of(applied))) is not None

    def _on_change(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is None:
            return
        ref = ref_of(obj)
        if kind == APPLIED or (kind == CLUSTER and ref.name == self._cluster):
            self._publisher.dirty([agent_path(ref)])
        elif kind == WORK and ref.namespace == self._cluster:
            self._publisher.dirty([agent_path(ref)])
            if old is None or new is None:  # what is held for it becomes ours to tell of, or no longer is
                self._publisher.dirty(self._held_for(ref.name))

    def _held_for(self, work: str) -> Iterator[str]:
        return (agent_path(ref_of(obj)) for obj in self._spoke.list(APPLIED) if _work_of(obj) == work)

    def _describe(self, paths: tuple[str, ...]) -> Message:
        works = [path for path in paths if path.startswith("works/")]
        subject = f"Report {len(works)} works" if len(works) > 1 else f"Report {(works or list(paths))[0]}"
        return Message(subject, (("Cluster", self._cluster),))


def _work_of(applied: Object) -> str:
    return str((applied.get("spec") or {}).get("manifestWorkName") or "")
