"""What one API server holds of the kinds somebody wants to see, kept current by watches.

    async with Cache(Side.HUB, cluster, mapper) as cache:
        cache.subscribe(Want(Kind("", "ConfigMap")))
        await cache.synced()
        cache.list(Kind("", "ConfigMap"))

Reading a kind that is not watched raises `Unread`; `subscribe` starts watching it, `unsubscribe`
ends that. A kind that the server does not serve has no objects, until it is served. Listeners hear
of every change, after it can be read. `live.view` joins caches to the `View` of a reconciler.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from gitops_ocm.decide.contract import LOCAL_GROUP, Index, Side, Unread, Want
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.outage import Outage
from gitops_ocm.live.reflector import Reflector, State, WatchSettings
from gitops_ocm.live.table import Change, Table, number
from gitops_ocm.objects.ref import Kind, Object, Ref, kind_of, ref_of
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.metrics import CACHE_OBJECTS
from gitops_ocm.runtime.tasks import Tasks

_log = get_logger("cache")

Listener = Callable[[Kind, Object | None, Object | None], None]
"""Called with the old and the new object; one of them is None for what came or went."""
Progress = Callable[[Kind], None]
"""Called when more of a kind's history has been seen than one change: a list, a bookmark."""


@dataclass(frozen=True)
class WatchStatus:
    """One watch, for health reports."""

    side: Side
    want: Want
    state: State
    objects: int
    error: GitopsError | None


def drop_managed_fields(obj: Object) -> Object:
    """A transform: without `managedFields`, which can be half of an object and few need."""
    obj["metadata"].pop("managedFields", None)
    return obj


class Cache:
    """Watch caches of one API server. Use as an async context manager: the watches live inside."""

    def __init__(
        self,
        side: Side,
        cluster: Cluster,
        mapper: Mapper | None = None,
        *,
        clock: Clock | None = None,
        settings: WatchSettings | None = None,
        transforms: Mapping[Kind, Callable[[Object], Object]] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.side = side
        self.cluster = cluster
        self.clock = clock or SystemClock()
        self.mapper = mapper or Mapper(cluster, clock=self.clock)
        self._settings = settings or WatchSettings()
        self._transforms = transforms or {}
        self._rng = rng or random.Random()  # noqa: S311 -- spreads load, guards nothing
        self._outage = Outage(side)
        self._tables: dict[Kind, Table] = {}
        self._watches: dict[tuple[Kind, str], tuple[Reflector, asyncio.Task[None]]] = {}
        self._pinned: dict[Kind, set[str]] = {}
        self._indexes: dict[str, Kind] = {}
        self._listeners: list[Listener] = []
        self._progress: list[Progress] = []
        self._tasks = Tasks(f"{side.value} watches")

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.stop()
        await self._tasks.__aexit__(kind, error, trace)

    # What is watched

    def subscribe(self, want: Want, *, pinned: bool = False) -> None:
        """Watch `want`, unless what is watched already covers it.

        The first to name a version of a kind settles which one is watched. Namespaces that are
        `pinned` are all that a list over every namespace can mean while no wider watch exists.
        """
        if pinned:
            self._pinned.setdefault(want.kind, set()).add(want.namespace)
        if _local(want.kind) or self._watch_of(want.kind, want.namespace) is not None:
            return
        transform = self._transforms.get(want.kind, self._settings.transform)
        reflector = Reflector(
            self.side,
            want,
            self.cluster,
            self.mapper,
            self._table(want.kind),
            self._changed,
            self.clock,
            self._outage,
            replace(self._settings, transform=transform),
            self._rng,
        )
        task = self._tasks.start(str(want), reflector.run())
        self._watches[want.kind, want.namespace] = reflector, task

    def unsubscribe(self, want: Want) -> None:
        """Stop watching exactly `want` and forget what only it held; listeners are not told."""
        found = self._watches.pop((want.kind, want.namespace), None)
        if found is None:
            return
        reflector, task = found
        task.cancel()
        self._outage.back(want.kind)
        reflector.settled.set()
        if self._watch_of(want.kind, want.namespace) is None:
            kept = [o for kind, n in self._watches if kind == want.kind for o in reflector.table.list(n)]
            reflector.table.replace(kept if not want.namespace else (), want.namespace)

    def add_index(self, index: Index) -> None:
        """Keep an index over a kind; say so before reading by it."""
        self._indexes[index.name] = index.kind
        self._table(index.kind).add_index(index.name, partial(_values, index))

    async def synced(self, wants: Iterable[Want] | None = None) -> None:
        """Wait until `wants` (all that is watched, by default) can be read."""
        if wants is None:
            watches = [reflector for reflector, _ in self._watches.values()]
        else:
            found = [self._watch_of(want.kind, want.namespace) for want in wants]
            watches = [reflector for reflector in found if reflector is not None]
        for reflector in watches:
            await reflector.settled.wait()

    def watching(self, kind: Kind, namespace: str = "") -> bool:
        """Whether changes of objects of this kind, there, will be seen."""
        reflector = self._reader(kind, namespace)
        return _local(kind) or (reflector is not None and reflector.state is not State.POLLING)

    def has_seen(self, kind: Kind, namespace: str, version: str) -> bool:
        """Whether everything up to a resourceVersion has been seen; also when it never can be."""
        reflector, wanted = self._reader(kind, namespace), number(version)
        if reflector is None or reflector.state is State.POLLING or wanted is None:
            return True
        return reflector.seen >= wanted

    def status(self) -> Sequence[WatchStatus]:
        """Every watch and how it fares."""
        return [
            WatchStatus(self.side, r.want, r.state, len(r.table), r.error)
            for _, (r, _) in sorted(self._watches.items())
        ]

    # Listening

    def listen(self, listener: Listener, progress: Progress | None = None) -> None:
        """Have `listener` hear of changes, and `progress` of lists and bookmarks."""
        self._listeners.append(listener)
        if progress is not None:
            self._progress.append(progress)

    # Reading

    def get(self, ref: Ref) -> Object | None:
        """One object, or None; `Unread` if that is not known yet."""
        if not _local(ref.of):
            reflector = self._readable(ref.of, ref.namespace)
            name = (ref.namespace, ref.name)
            if reflector.polled is not None and not reflector.polled.knows(name):
                raise Unread(self.side, [Want(ref.of, ref.namespace)])
        return self._table(ref.of).get(ref.namespace, ref.name)

    def list(
        self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """Objects by (namespace, name); `Unread` if they are not known yet."""
        spaces = self._listable(kind, namespace)
        table = self._table(kind)
        return (
            table.list(None, labels) if spaces is None else [o for n in spaces for o in table.list(n, labels)]
        )

    def indexed(self, index: str, value: str) -> Sequence[Object]:
        """Objects that an index files under `value`."""
        kind = self._indexes[index]
        self._listable(kind, None)
        return self._table(kind).indexed(index, value)

    def require(self, wants: Iterable[Want]) -> None:
        """One `Unread` for all of `wants` that cannot be read yet."""
        missing = [
            want
            for want in wants
            if not _local(want.kind) and self._reader(want.kind, want.namespace) is None
        ]
        if missing:
            raise Unread(self.side, missing)

    # Objects that no server has

    def put_local(self, obj: Object) -> None:
        """Show an object of `LOCAL_GROUP`: measurements that exist in this process only."""
        kind = kind_of(obj)
        if change := self._table(kind).put(obj):
            self._tell(kind, [change])

    def remove_local(self, ref: Ref) -> None:
        """Take such an object away."""
        if change := self._table(ref.of).remove(ref.namespace, ref.name):
            self._tell(ref.of, [change])

    # Inside

    def _table(self, kind: Kind) -> Table:
        return self._tables.setdefault(kind, Table())

    def _watch_of(self, kind: Kind, namespace: str) -> Reflector | None:
        """The watch that covers a namespace, be it ready or not."""
        found = self._watches.get((kind, "")) or self._watches.get((kind, namespace))
        return found[0] if found else None

    def _reader(self, kind: Kind, namespace: str) -> Reflector | None:
        """The watch that can answer for a namespace now; one that may list goes first."""
        found = [self._watches[k][0] for k in ((kind, ""), (kind, namespace)) if k in self._watches]
        ready = [r for r in found if r.settled.is_set() or r.state is State.POLLING]
        return min(ready, key=lambda r: r.state is State.POLLING, default=None)

    def _readable(self, kind: Kind, namespace: str) -> Reflector:
        reflector = self._reader(kind, namespace)
        if reflector is None:
            raise Unread(self.side, [Want(kind, namespace)])
        return reflector

    def _listable(self, kind: Kind, namespace: str | None) -> Sequence[str] | None:
        """The namespaces a list may look at (None: all), once all of them can be read."""
        if _local(kind):
            return None if namespace is None else [namespace]
        pinned = sorted(self._pinned.get(kind, ()))
        if namespace is not None:
            spaces = [namespace]
        elif pinned and (kind, "") not in self._watches:
            spaces = pinned
        else:
            spaces = [""]
        for space in spaces:
            reflector = self._readable(kind, space)
            if reflector.state is State.POLLING and reflector.error is not None:
                raise reflector.error
        return None if spaces == [""] else spaces

    def _changed(self, reflector: Reflector, changes: Sequence[Change]) -> None:
        kind, namespace = reflector.want.kind, reflector.want.namespace
        if not namespace and reflector.state is State.WATCHING:
            narrow = [r.want for (k, n), (r, _) in self._watches.items() if k == kind and n]
            for want in narrow:
                self._watches.pop((want.kind, want.namespace))[1].cancel()
        CACHE_OBJECTS.labels(self.side.value, str(kind)).set(len(reflector.table))
        self._tell(kind, changes)

    def _tell(self, kind: Kind, changes: Sequence[Change]) -> None:
        for old, new in changes:
            for listener in self._listeners:
                listener(kind, old, new)
        if len(changes) != 1:
            for progress in self._progress:
                progress(kind)


def _values(index: Index, obj: Object) -> Iterable[str]:
    """Where an index files an object; one that it trips over is filed nowhere, and the watch goes on."""
    try:
        return tuple(index.values(obj))
    except Exception:  # noqa: BLE001 -- objects are others' and may have any form
        _log.exception("index failed", index=index.name, object=ref_of(obj))
        return ()


def _local(kind: Kind) -> bool:
    """Whether objects of this kind are in no API."""
    return kind.group == LOCAL_GROUP
