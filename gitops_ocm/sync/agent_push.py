"""A cluster's agent → Git: its own account on `agents/<cluster>`.

Follows the ManagedCluster and ManifestWorks on the hub as this agent sees and writes them, and the
AppliedManifestWorks on its own cluster. No two agents write one branch, so a thousand of them never contend.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gitops_ocm.decide.contract import Want
from gitops_ocm.git.writer import BranchWriter, Committed
from gitops_ocm.live.cache import Cache
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.report.agent_files import agent_file, applied_file
from gitops_ocm.report.status_files import CLUSTER, WORK
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.sync.events import Listener
from gitops_ocm.sync.publish import Message, Publisher

APPLIED = Kind("work.open-cluster-management.io", "AppliedManifestWork")
APPLIED_PATH = "applied.yaml"
CLUSTER_PATH = "cluster.yaml"


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
    ) -> None:
        self._hub = hub
        self._spoke = spoke
        self._cluster = cluster
        self._publisher = Publisher(
            writer, self.render, self._describe, clock=clock, listener=listener, min_interval=min_interval
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
        works = self._hub.list(WORK, self._cluster)
        expected = [CLUSTER_PATH, APPLIED_PATH, *(f"works/{w['metadata']['name']}.yaml" for w in works)]
        await self._publisher.adopt(expected, ours=lambda path: path.startswith("works/"))

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
        if path == APPLIED_PATH:
            return applied_file(self._ours(self._spoke.list(APPLIED)))[1]
        if path == CLUSTER_PATH:
            ref = Ref(*CLUSTER, "", self._cluster)
        else:
            ref = Ref(*WORK, self._cluster, path.removeprefix("works/").removesuffix(".yaml"))
        obj = self._hub.get(ref)
        return agent_file(obj)[1] if obj is not None else None

    def _ours(self, applied: Iterable[Object]) -> list[Object]:
        """An AppliedManifestWork of another hub's agent on the same cluster is not ours to tell of."""
        mine = {str(work["metadata"]["name"]) for work in self._hub.list(WORK, self._cluster)}
        return [obj for obj in applied if (obj.get("spec") or {}).get("manifestWorkName") in mine]

    def _on_change(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        obj = new or old
        if obj is None:
            return
        meta = obj["metadata"]
        if kind == APPLIED:
            self._publisher.dirty([APPLIED_PATH])
        elif kind == CLUSTER and meta["name"] == self._cluster:
            self._publisher.dirty([CLUSTER_PATH])
        elif kind == WORK and meta.get("namespace") == self._cluster:
            self._publisher.dirty([f"works/{meta['name']}.yaml"])

    def _describe(self, paths: tuple[str, ...]) -> Message:
        works = [path for path in paths if path.startswith("works/")]
        subject = f"Report {len(works)} works" if len(works) > 1 else f"Report {(works or list(paths))[0]}"
        return Message(subject, (("Cluster", self._cluster),))
