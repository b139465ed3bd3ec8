"""The watches of a sync: the objects it put on the hub, its HubSync, and namespaces it waits for.

Objects are watched by the label's value, so a hub's other objects, and those of other HubSyncs, cost
nothing. They are reduced to stubs as they arrive (`Observed` has taken from them what it needs). How a
watch survives is `live.reflector`'s business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Self

from gitops_ocm.api.fleet import SYNC_NAME_LABEL
from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.record import HUBSYNC

NAMESPACE = Kind("", "Namespace")
PATIENCE = 30.0
"""Seconds to wait for first lists before the hub counts as unreachable."""


class Watching:
    """Keeps `observed` true. `sync` is the newest HubSync seen; `woken` is set by any news."""

    def __init__(
        self,
        cluster: Cluster,
        mapper: Mapper,
        observed: Observed,
        woken: asyncio.Event,
        *,
        name: str,
        clock: Clock,
    ) -> None:
        self._observed = observed
        self._woken = woken
        self._name = name
        self._wants: dict[Kind, Want] = {}
        self.sync: Object | None = None
        self.deleted = False
        self._namespaces = False
        self._catching_up: asyncio.Task[None] | None = None
        selected = WatchSettings(transform=self._note, label_selector=f"{SYNC_NAME_LABEL}={name}")
        self._ours = Cache(Side.HUB, cluster, mapper, clock=clock, settings=selected)
        self._ours.listen(self._on_ours)
        self._plain = Cache(Side.HUB, cluster, mapper, clock=clock, transforms={NAMESPACE: _stub})
        self._plain.listen(self._on_plain)

    async def __aenter__(self) -> Self:
        await self._ours.__aenter__()
        await self._plain.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.wait([self._catching_up])
        try:
            await self._plain.__aexit__(kind, error, trace)
        finally:
            await self._ours.__aexit__(kind, error, trace)

    async def follow(self, kinds: Iterable[tuple[Kind, str]]) -> None:
        """Watch exactly these kinds (each at the first version named), and wait until all are known."""
        wanted: dict[Kind, Want] = {}
        for kind, version in kinds:
            wanted.setdefault(kind, Want(kind, version=version))
        for kind, want in sorted(self._wants.items()):
            if wanted.get(kind) != want:
                self._ours.unsubscribe(self._wants.pop(kind))
        for kind, want in sorted(wanted.items()):
            if kind not in self._wants:
                self._ours.subscribe(want)
                self._wants[kind] = want
        await self._settled(self._ours, list(self._wants.values()))
        if self._catching_up is not None:
            await self._catching_up
            self._catching_up = None

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Do not watch while many objects of ours are written: our own events would tell us nothing.

        What else happened meanwhile is listed afterwards, and is news then. The next `follow` waits for
        that; whoever has written need not.
        """
        wants = list(self._wants.values())
        for want in wants:
            self._ours.unsubscribe(want)
        try:
            yield
        finally:
            for want in wants:
                self._ours.subscribe(want)
            self._catching_up = asyncio.create_task(self._catch_up(wants), name="catch up")

    async def _catch_up(self, wants: list[Want]) -> None:
        """Notice what went away while nobody watched."""
        await self._ours.synced(wants)
        for want in wants:
            if self._ours.watching(want.kind):
                present = {ref_of(obj) for obj in self._ours.list(want.kind)}
                self._observed.only(want.kind, present, partial(self._ours.has_seen, want.kind, ""))

    async def follow_sync(self) -> None:
        """Watch the HubSync itself."""
        await self._watch(Want(HUBSYNC.of, version=HUBSYNC.version))

    async def follow_namespaces(self) -> None:
        """Watch namespaces, from when the first object waits for one."""
        await self._watch(Want(NAMESPACE))
        self._namespaces = True

    def namespace_exists(self, name: str) -> bool | None:
        """Whether a namespace is there; None while they are not watched."""
        if not self._namespaces or not self._plain.watching(NAMESPACE):
            return None
        return self._plain.get(Ref(*NAMESPACE, "", name)) is not None

    def forget_namespaces(self) -> None:
        """Nothing waits any more."""
        if self._namespaces:
            self._plain.unsubscribe(Want(NAMESPACE))
            self._namespaces = False

    async def _watch(self, want: Want) -> None:
        self._plain.subscribe(want)
        await self._settled(self._plain, [want])

    async def _settled(self, cache: Cache, wants: list[Want]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await cache.synced(wants)
        except TimeoutError:
            errors = [status.error for status in cache.status() if status.error is not None]
            if errors:
                raise errors[0] from None
            raise Unreachable(f"the hub did not answer within {PATIENCE:g} s") from None

    def _note(self, obj: Object) -> Object:
        self._observed.seen(obj)
        return _stub(obj)

    def _on_ours(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        if new is None and old is not None:
            self._observed.gone(ref_of(old))

    def _on_plain(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        if kind == NAMESPACE:
            if old is None:
                self._woken.set()
            return
        seen = new or old
        if seen is None or seen["metadata"]["name"] != self._name:
            return
        self.deleted = new is None
        if new is not None:
            if _asks_more(self.sync, new):
                self._woken.set()
            self.sync = new
        else:
            self._woken.set()


def _asks_more(old: Object | None, new: Object) -> bool:
    """Whether a HubSync changed in what it asks for: its spec, or its annotations."""
    if old is None:
        return True
    before, after = old["metadata"], new["metadata"]
    return any(before.get(key) != after.get(key) for key in ("uid", "generation", "annotations"))


def _stub(obj: Object) -> Object:
    """What a watch table needs of an object: which one it is, at which version."""
    meta = obj["metadata"]
    keys = ("name", "namespace", "uid", "resourceVersion")
    return {
        "apiVersion": obj.get("apiVersion", ""),
        "kind": obj.get("kind", ""),
        "metadata": {key: meta[key] for key in keys if key in meta},
    }
