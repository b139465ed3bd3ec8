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
from typing import Any, Self

from gitops_ocm.decide.contract import LOCAL_GROUP, Index, Side, Unread, Want
from gitops_ocm.decide.projection import P, Projected, Projection
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.outage import Outage
from gitops_ocm.live.reflector import Reflector, State, WatchSettings
from gitops_ocm.live.refusals import Refusals
from gitops_ocm.live.table import Change, Table, number
from gitops_ocm.objects.faults import ApiError
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


Scope = tuple[Kind, str, str]
"""What a watch covers: a kind, a namespace and a name; `""` for all of them."""


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
        self._outage = Outage(side, cluster.server)
        self._refusals = Refusals(side, self.clock, self._rng)
        self._tables: dict[Kind, Table] = {}
        self._watches: dict[Scope, tuple[Reflector, asyncio.Task[None]]] = {}
        self._pinned: dict[Kind, set[tuple[str, str]]] = {}
        self._indexes: dict[str, Kind] = {}
        self._projections: dict[Projection[Any], Any] = {}
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
        try:
            await self._tasks.__aexit__(kind, error, trace)
        finally:
            self._outage.close()

    # What is watched

    def subscribe(self, want: Want, *, pinned: bool = False, hurried: bool = False) -> None:
        """Watch `want`, unless what is watched already covers it.

        The first to name a version of a kind settles which one is watched. Namespaces and names that
        are `pinned` are all that a list can mean while no wider watch exists, and where the rights to
        watch them are missing these are waited for. Who is `hurried` would rather be told why a kind
        cannot be read than wait for it.
        """
        if pinned:
            self._pinned.setdefault(want.kind, set()).add((want.namespace, want.name))
        if _local(want.kind):
            return
        if (there := self._watch_of(want)) is not None:
            there.needed |= pinned
            there.hurried |= hurried
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
            self._refusals,
            replace(self._settings, transform=transform),
            self._rng,
            pinned,
            hurried,
        )
        task = self._tasks.start(str(want), reflector.run())
        self._watches[_scope(want)] = reflector, task

    def unsubscribe(self, want: Want) -> None:
        """Stop watching exactly `want` and forget what only it held; listeners are not told."""
        if _scope(want) not in self._watches:
            return
        reflector = self._end(want)
        self._outage.back(want.kind)
        if self._watch_of(want) is None:
            kept = [o for r, _ in self._watches.values() if want.covers(r.want) for o in r.objects()]
            reflector.table.replace(kept, want.namespace, want.name)

    def add_index(self, index: Index) -> None:
        """Keep an index over a kind; say so before reading by it."""
        self._indexes[index.name] = index.kind
        self._table(index.kind).add_index(index.name, partial(_values, index))

    def project(self, projection: Projection[P]) -> P:
        """Keep what a controller wants to know of a kind as a whole, if it is not kept yet."""
        if projection not in self._projections:
            kept = self._projections[projection] = projection.empty()
            self._table(projection.kind).follow(_Careful(kept))
        found: P = self._projections[projection]
        return found

    async def synced(self, wants: Iterable[Want] | None = None) -> None:
        """Wait until `wants` (all that is watched, by default) can be read."""
        if wants is None:
            watches = [reflector for reflector, _ in self._watches.values()]
        else:
            found = [self._watch_of(want) for want in wants]
            watches = [reflector for reflector in found if reflector is not None]
        for reflector in watches:
            await reflector.settled.wait()

    def watching(self, kind: Kind, namespace: str = "", name: str = "") -> bool:
        """Whether changes of objects of this kind, there (of this name), will be seen."""
        reflector = self._reader(kind, namespace, name)
        return _local(kind) or (reflector is not None and reflector.state is not State.POLLING)

    def has_seen(self, kind: Kind, namespace: str, version: str, name: str = "") -> bool:
        """Whether everything up to a resourceVersion has been seen; also when it never can be."""
        reflector, wanted = self._reader(kind, namespace, name), number(version)
        if reflector is None or reflector.state is State.POLLING or wanted is None or reflector.unanswered:
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
            reflector = self._readable(ref.of, ref.namespace, ref.name)
            name = (ref.namespace, ref.name)
            if reflector.polled is not None and not reflector.polled.knows(name):
                raise Unread(self.side, [reflector.want])
        return self._table(ref.of).get(ref.namespace, ref.name)

    def list(
        self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """Objects by (namespace, name); `Unread` if they are not known yet."""
        scopes = self._listable(kind, namespace)
        table = self._table(kind)
        if len(scopes) == 1:
            return table.within(*scopes[0], labels)
        return [obj for scope in scopes for obj in table.within(*scope, labels)]

    def indexed(self, index: str, value: str) -> Sequence[Object]:
        """Objects that an index files under `value`."""
        kind = self._indexes[index]
        self._listable(kind, None)
        return self._table(kind).indexed(index, value)

    def projected(self, projection: Projection[P]) -> P:
        """What a projection has come to; `Unread` if its kind is not known yet."""
        self._listable(projection.kind, None)
        return self.project(projection)

    def require(self, wants: Iterable[Want]) -> None:
        """One `Unread` for all of `wants` that cannot be read yet."""
        missing = [
            want
            for want in wants
            if not _local(want.kind) and self._reader(want.kind, want.namespace, want.name) is None
        ]
        if missing:
            raise Unread(self.side, missing)

    def look_again(self) -> None:
        """Somebody knows that rights were granted: watches that wait for them try at once."""
        self._refusals.look_again()

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

    def _watch_of(self, want: Want) -> Reflector | None:
        """The widest watch that covers `want`, be it ready or not."""
        return next((self._watches[s][0] for s in _covering(*_scope(want)) if s in self._watches), None)

    def _end(self, want: Want) -> Reflector:
        reflector, task = self._watches.pop(_scope(want))
        task.cancel()
        self._refusals.forget(want)
        reflector.settled.set()
        return reflector

    def _reader(self, kind: Kind, namespace: str, name: str = "") -> Reflector | None:
        """The watch that can answer now; one that may list goes first."""
        found = [self._watches[s][0] for s in _covering(kind, namespace, name) if s in self._watches]
        ready = [r for r in found if r.settled.is_set() or r.polled is not None]
        return min(ready, key=lambda r: r.polled is not None, default=None)

    def _readable(self, kind: Kind, namespace: str, name: str = "") -> Reflector:
        reflector = self._reader(kind, namespace, name)
        if reflector is not None:
            if reflector.unanswered is not None:
                raise reflector.unanswered
            return reflector
        by_name = any(pinned for _, pinned in self._pinned.get(kind, ()))
        raise Unread(self.side, [Want(kind, namespace, name=name if by_name else "")])

    def _listable(self, kind: Kind, namespace: str | None) -> Sequence[tuple[str, str]]:
        """The (namespace, name)s a list looks at (`""`: all), once all of them can be read."""
        scopes = [(namespace or "", "")]
        if _local(kind):
            return scopes
        if not any(s in self._watches for s in _covering(kind, *scopes[0])):
            pinned = self._pinned.get(kind, ())
            scopes = sorted(p for p in pinned if namespace in (None, p[0])) or scopes
        for scope in scopes:
            reflector = self._readable(kind, *scope)
            if reflector.polled is None:
                continue
            if not scope[1]:
                raise reflector.error or ApiError("Forbidden", f"{kind} cannot be listed")
            if not reflector.polled.knows(scope):
                raise Unread(self.side, [reflector.want])
        return scopes

    def _changed(self, reflector: Reflector, changes: Sequence[Change]) -> None:
        want = reflector.want
        if reflector.state is State.WATCHING and not want.name:
            watched = [r.want for r, _ in self._watches.values()]
            for narrow in [w for w in watched if want.covers(w) and _scope(w) != _scope(want)]:
                self._end(narrow)
        CACHE_OBJECTS.labels(self.side.value, str(want.kind)).set(len(reflector.table))
        self._tell(want.kind, changes)

    def _tell(self, kind: Kind, changes: Sequence[Change]) -> None:
        for old, new in changes:
            for listener in self._listeners:
                listener(kind, old, new)
        if len(changes) != 1:
            for progress in self._progress:
                progress(kind)


@dataclass(frozen=True)
class _Careful:
    """A projection that trips over an object misses that change, and the watch goes on."""

    kept: Projected

    def change(self, old: Object | None, new: Object | None) -> None:
        try:
            self.kept.change(old, new)
        except Exception:  # noqa: BLE001 -- objects are others' and may have any form
            _log.exception("projection failed", object=ref_of(new or old or {}))


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


def _scope(want: Want) -> Scope:
    return want.kind, want.namespace, want.name


def _covering(kind: Kind, namespace: str, name: str) -> Sequence[Scope]:
    """The scopes that cover one, widest first."""
    return (kind, "", ""), (kind, namespace, ""), (kind, namespace, name)
