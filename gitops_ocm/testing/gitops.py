"""A repository, a hub whose wire can be cut, and a sync between them.

For tests of what a commit does to a hub, and of what is left when the process or the connection dies
at a given request. Nothing is imitated: the repository is git's, the hub is whatever `Cluster` is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run
from typing import Any

from gitops_ocm.git.command import Git
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.kube.cluster import Cluster, ObjectList, PatchType, Unreachable, WatchEvent
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.runtime.catalog import committed_kinds
from gitops_ocm.sync.events import SyncEvent
from gitops_ocm.sync.loop import SyncLoop, SyncSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKS = Resource("work.open-cluster-management.io", "v1", "ManifestWork", "manifestworks", namespaced=True)
SYNCS = Resource("sync.gitops-ocm.io", "v1alpha1", "HubSync", "hubsyncs", namespaced=False)


class Repo:
    """A bare repository that is committed to without a checkout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        run(["git", "init", "-q", "--bare", "--initial-branch=main", str(path)], check=True)
        self._writer = BranchWriter(Git(path), "main", author=Author("Ann", "ann@example.com"))

    def commit(self, files: Mapping[str, str | None], subject: str = "Change") -> str:
        """Commit files to main; None deletes one. The new commit."""
        content = {path: None if text is None else text.encode() for path, text in files.items()}
        done = self._writer.commit(content, subject, now=NOW)
        assert done is not None
        return done.commit

    def git(self, *args: str) -> str:
        """Any git command."""
        return run(
            ["git", "-C", str(self.path), *args], check=True, capture_output=True, text=True
        ).stdout.strip()


@dataclass
class Wire(Cluster):
    """A hub as reached over a wire: requests are counted, and the wire can be cut.

    `cut_before` and `cut_after` name the write (from 1) at which it breaks for good: before the hub has
    heard of it, or after the hub has carried it out but before the answer came. `before_delete` is called
    before a deletion is sent: what somebody else does at that moment.
    """

    hub: Cluster
    requests: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    cut_before: int = 0
    cut_after: int = 0
    down: bool = False
    before_delete: Callable[[], Awaitable[None]] | None = None

    @property
    def server(self) -> str:
        """The hub's own."""
        return self.hub.server

    @property
    def total(self) -> int:
        """Requests of all kinds so far, watches apart."""
        return sum(n for verb, n in self.requests.items() if verb != "watch")

    def _count(self, verb: str) -> None:
        if self.down:
            raise Unreachable("hub.example.com: connection refused")
        self.requests[verb] += 1

    async def _write(self, verb: str, request: Any) -> Any:
        try:
            self._count(verb)
            self.writes += 1
            if self.writes == self.cut_before:
                self.down = True
                raise Unreachable("hub.example.com: connection reset")
        except BaseException:
            request.close()
            raise
        answer = await request
        if self.writes == self.cut_after:
            self.down = True
            raise Unreachable("hub.example.com: connection reset")
        return answer

    async def discover(self) -> Sequence[Resource]:
        """Counted."""
        self._count("discover")
        return await self.hub.discover()

    async def version(self) -> Mapping[str, Any]:
        """Counted."""
        self._count("version")
        return await self.hub.version()

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Counted."""
        self._count("get")
        return await self.hub.get(resource, namespace, name)

    async def list(self, resource: Resource, namespace: str = "", **options: Any) -> ObjectList:
        """Counted."""
        self._count("list")
        return await self.hub.list(resource, namespace, **options)

    async def watch(
        self, resource: Resource, namespace: str = "", **options: Any
    ) -> AsyncIterator[WatchEvent]:
        """Counted once, not for each event."""
        self._count("watch")
        stream = self.hub.watch(resource, namespace, **options)
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    async def create(self, resource: Resource, obj: Object, **options: Any) -> Object:
        """A write."""
        return await self._write("create", self.hub.create(resource, obj, **options))  # type: ignore[no-any-return]

    async def rehearse(self, resource: Resource, obj: Object, user: str) -> Object:
        """Counted; nothing is written."""
        self._count("rehearse")
        return await self.hub.rehearse(resource, obj, user)

    async def update(self, resource: Resource, obj: Object, **options: Any) -> Object:
        """A write."""
        return await self._write("update", self.hub.update(resource, obj, **options))  # type: ignore[no-any-return]

    async def patch(self, resource: Resource, namespace: str, name: str, body: Any, **options: Any) -> Object:
        """A write, counted as `apply` or `patch`."""
        verb = "apply" if options.get("type") is PatchType.APPLY else "patch"
        sent = self.hub.patch(resource, namespace, name, body, **options)
        return await self._write(verb, sent)  # type: ignore[no-any-return]

    async def delete(self, resource: Resource, namespace: str, name: str, **options: Any) -> Object | None:
        """A write."""
        if self.before_delete is not None:
            await self.before_delete()
        return await self._write("delete", self.hub.delete(resource, namespace, name, **options))  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Closes the hub."""
        await self.hub.close()


@dataclass
class Fleet:
    """The repository, the hub, and what a sync between them told."""

    repo: Repo
    wire: Wire
    cache: Path
    events: list[SyncEvent] = field(default_factory=list)

    async def sync_object(self, **spec: Any) -> None:
        """Create the HubSync `fleet`."""
        await self.wire.hub.create(
            SYNCS,
            {
                "apiVersion": "sync.gitops-ocm.io/v1alpha1",
                "kind": "HubSync",
                "metadata": {"name": "fleet"},
                "spec": {"repository": {"url": str(self.repo.path)}, "interval": "1h", **spec},
            },
        )

    async def configure(self, **spec: Any) -> None:
        """Change the HubSync's spec."""
        await self.wire.hub.patch(SYNCS, "", "fleet", {"spec": spec}, type=PatchType.MERGE)

    async def status(self) -> dict[str, Any]:
        """The HubSync's status."""
        found: dict[str, Any] = (await self.wire.hub.get(SYNCS, "", "fleet")).get("status") or {}
        return found

    async def condition(self, type: str = "Ready") -> tuple[str, str]:
        """Status and reason of a condition; `("", "")` where it is not there."""
        for found in (await self.status()).get("conditions") or ():
            if found["type"] == type:
                return found["status"], found["reason"]
        return "", ""

    def loop(self, **settings: Any) -> SyncLoop:
        """A sync process, as it is after a start."""
        return SyncLoop(
            self.wire,
            "fleet",
            settings=SyncSettings(
                self.cache, patience=settings.pop("patience", 0.0), retry_base=0.01, **settings
            ),
            catalog=committed_kinds(),
            listener=self.events.append,
        )

    async def names(self, resource: Resource = CONFIG_MAPS, namespace: str = "shop") -> list[str]:
        """Names of the objects the sync has put there."""
        found = await self.wire.hub.list(resource, namespace, label_selector="sync.gitops-ocm.io/name")
        return [obj["metadata"]["name"] for obj in found.items]

    async def inventory(self) -> dict[str, int]:
        """How many objects of each kind there are, as the HubSync tells."""
        kinds = ((await self.status()).get("inventory") or {}).get("kinds") or ()
        return {entry["kind"]: entry["count"] for entry in kinds}


def config_map(
    name: str, value: str = "1", *, namespace: str = "shop", notes: Mapping[str, str] | None = None
) -> str:
    """A ConfigMap as a file."""
    annotations = "".join(f"    {key}: {value!r}\n" for key, value in (notes or {}).items())
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
        f"  name: {name}\n  namespace: {namespace}\n"
        + (f"  annotations:\n{annotations}" if annotations else "")
        + f"data:\n  v: {value!r}\n"
    )


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"


def work(name: str, cluster: str) -> str:
    """A ManifestWork with the busybox Pod every OCM user begins with."""
    return f"""\
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata:
  name: {name}
  namespace: {cluster}
spec:
  workload:
    manifests:
    - apiVersion: v1
      kind: Pod
      metadata:
        name: hello
        namespace: default
      spec:
        containers:
        - name: hello
          image: busybox
          command: [sh, -c, 'echo "Hello, Kubernetes!" && sleep 3600']
        restartPolicy: OnFailure
"""
