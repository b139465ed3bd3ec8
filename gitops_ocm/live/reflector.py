"""One kind kept in step with an API server: list, watch, and what to do when either fails.

    ABSENT ⇄ LISTING → WATCHING ─ 410 Gone ─▶ LISTING
                │          └─ connection lost: go on from the last version seen
                ├─ forbidden, but may be got ─▶ POLLING  (GET what is asked for, every 10 s)
                └─ forbidden, and needed in full ─▶ REFUSED  (`live.refusals`)

A watch that ends or breaks is taken up where it was; only a version that the server no longer has
costs a new list. Waits are exponential and jittered, so that a fleet does not return as one. A want
with a name is watched by field selector, which is what rights on single objects allow.
`live.cache` owns reflectors and hears of what they see.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, Unreachable, WatchEvent
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.kube.faults import Interrupted
from gitops_ocm.live.outage import Outage
from gitops_ocm.live.polling import Polled
from gitops_ocm.live.refusals import Refusals
from gitops_ocm.live.table import Change, Table, number, version_of
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.backoff import Backoff, jittered
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.metrics import RELISTS, WATCH_EVENTS

_log = get_logger("watch")


class State(StrEnum):
    """Where a reflector is; see the module's drawing."""

    STARTING = "starting"
    ABSENT = "absent"
    LISTING = "listing"
    WATCHING = "watching"
    POLLING = "polling"
    REFUSED = "refused"


@dataclass(frozen=True)
class WatchSettings:
    """How a reflector goes about it; the defaults suit a production API server."""

    page: int = 500
    timeout: tuple[float, float] = (240.0, 480.0)
    retry_base: float = 0.2
    retry_cap: float = 30.0
    relist_jitter: float = 1.0
    absent_cap: float = 30.0
    poll: float = 10.0
    relist_when_forbidden: float = 60.0
    patience: float = 10.0
    """Seconds after which reads of a kind that the server fails to list are answered with its error."""
    transform: Callable[[Object], Object] | None = None
    label_selector: str = ""
    """Only objects that match it exist for this watch; one that stops matching is seen to go."""


@dataclass
class Reflector:
    """Fills `table` with what `want` names. `run` never ends by itself, whatever the server does."""

    side: Side
    want: Want
    cluster: Cluster
    mapper: Mapper
    table: Table
    on_changes: Callable[[Reflector, Sequence[Change]], None]
    clock: Clock
    outage: Outage
    refusals: Refusals
    settings: WatchSettings = field(default_factory=WatchSettings)
    rng: random.Random = field(default_factory=random.Random)
    needed: bool = False
    """Whether nothing less than a watch will do: without the rights it waits for them."""
    hurried: bool = False
    """Whether somebody has other things to do than to wait for a server that fails."""

    state: State = State.STARTING
    error: GitopsError | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while reads can be answered from the table."""
    seen: int = 0
    """Everything up to this resourceVersion has been seen."""
    polled: Polled | None = None
    unanswered: ApiError | None = None
    """Why nothing is known: a conversion webhook or a server behind the API that fails. Reads are told."""
    _failing_since: float | None = None
    _version: str = ""
    _lists: int = 0
    _count: int = 0
    _may_get: bool = False
    _was_away: bool = False

    def __post_init__(self) -> None:
        self._backoff = Backoff(self.settings.retry_base, self.settings.retry_cap, rng=self.rng)
        self._rights = Backoff(self.settings.retry_base, self.settings.relist_when_forbidden, rng=self.rng)
        self._absent = Backoff(1.0, self.settings.absent_cap, rng=self.rng)
        kind = str(self.want.kind)
        self._relists = RELISTS.labels(self.side.value, kind)
        self._events = WATCH_EVENTS.labels(self.side.value, kind)

    @property
    def _fields(self) -> str:
        return f"metadata.name={self.want.name}" if self.want.name else ""

    def objects(self) -> Sequence[Object]:
        """What of the table this fills."""
        return self.table.within(self.want.namespace, self.want.name)

    async def run(self) -> None:
        """Keep the table true until cancelled."""
        while True:
            try:
                try:
                    await self._round()
                except ApiError as error:
                    await self._refused(error)
            except GitopsError as error:
                await self._wait_after(error)
            except Exception as error:  # noqa: BLE001 -- a bug in one watch must not end the process
                _log.exception("watch failed, trying again", side=self.side.value, kind=str(self.want.kind))
                await self._wait_after(GitopsError(f"{type(error).__name__}: {error}"))

    async def _round(self) -> None:
        """List if need be, then watch until the stream ends."""
        resource = await self.mapper.resource_of(self.want.kind, self.want.version)
        if resource is None:
            await self._not_served()
            return
        if not {"list", "watch"} <= resource.verbs:
            raise ApiError("MethodNotAllowed", f"{self.want.kind} can be neither listed nor watched")
        if self._was_away and self._version:
            await self._recognise(resource)
        if not self._version:
            if self.want.name:
                await self._look(resource)
            await self._list(resource)
        await self._watch(resource)

    async def _recognise(self, resource: Resource) -> None:
        """A server that comes back knowing less than it has told is another one, or an older state of it.

        A watch from a version it has yet to reach would stay silent until then.
        """
        page = await self.cluster.list(
            resource,
            self.want.namespace,
            label_selector=self.settings.label_selector,
            field_selector=self._fields,
            limit=1,
        )
        now, seen = number(page.resource_version), number(self._version)
        if now is not None and seen is not None and now < seen:
            _log.warning("the server is not as it was, listing again", side=self.side.value,
                         kind=str(self.want.kind))  # fmt: skip
            self._version, self.seen = "", 0
        self._was_away = False

    async def _look(self, resource: Resource) -> None:
        """Read the one object that is wanted: whoever may not even do that asks no more than this."""
        self._may_get = False
        try:
            await self.cluster.get(resource, self.want.namespace, self.want.name)
        except ApiError as error:
            if error.http_code != 404:
                raise
        self._may_get = True

    async def _list(self, resource: Resource) -> None:
        if self._lists:
            await self.clock.sleep(self.rng.random() * self.settings.relist_jitter)
        self.state = State.LISTING
        self._relists.inc()
        items, version = await self._pages(resource)
        self._lists += 1
        if transform := self.settings.transform:
            items = [transform(item) for item in items]
        changes = self.table.replace(items, self.want.namespace, self.want.name)
        self._version, self.seen = version, max(self.seen, number(version) or 0)
        self._healthy()
        self.on_changes(self, changes)

    async def _pages(self, resource: Resource) -> tuple[list[Object], str]:
        """All pages of one consistent list. If it expires midway it is asked for again in one piece."""
        items: list[Object] = []
        token = ""
        limit = self.settings.page
        while True:
            try:
                page = await self.cluster.list(
                    resource,
                    self.want.namespace,
                    label_selector=self.settings.label_selector,
                    field_selector=self._fields,
                    limit=limit,
                    continue_token=token,
                )
            except ApiError as error:
                if error.http_code != 410 or not token:
                    raise
                items, token, limit = [], "", 0
                continue
            items += page.items
            token = page.continue_token
            if not token:
                return items, page.resource_version

    async def _watch(self, resource: Resource) -> None:
        started, before = self.clock.monotonic(), self._count
        stream = self.cluster.watch(
            resource,
            self.want.namespace,
            resource_version=self._version,
            label_selector=self.settings.label_selector,
            field_selector=self._fields,
            timeout=self.rng.uniform(*self.settings.timeout),
        )
        async with _closing(stream):
            async for event in stream:
                self._received(event.type, event.object)
        self._healthy()
        if self._count == before and self.clock.monotonic() - started < 1.0:
            # A server that ends watches at once must not be asked in a tight loop.
            await self.clock.sleep(self._backoff.next())

    def _received(self, type_: str, obj: Object) -> None:
        self._events.inc()
        self._count += 1
        version = version_of(obj)
        change: Change | None = None
        if type_ != "BOOKMARK":
            if type_ == "DELETED":
                change = self._deleted(obj)
            else:
                change = self.table.put(self.settings.transform(obj) if self.settings.transform else obj)
        self._backoff.reset()
        self._healthy()
        if version:
            self._version = version
            self.seen = max(self.seen, number(version) or 0)
        self.on_changes(self, (change,) if change else ())
        if self.want.name and change:
            self.refusals.look_again()

    def _deleted(self, obj: Object) -> Change | None:
        meta = obj["metadata"]
        namespace, name = meta.get("namespace") or "", meta["name"]
        there = self.table.get(namespace, name)
        if there is not None and there["metadata"].get("uid") != meta.get("uid"):
            return None  # its successor is already here
        return self.table.remove(namespace, name)

    async def _refused(self, error: ApiError) -> None:
        """The server said no."""
        if error.http_code == 410:
            _log.info("watch expired, listing again", side=self.side.value, kind=str(self.want.kind))
            self._version = ""
        elif error.http_code in (403, 405):
            await (self._wait_for_rights(error) if self.needed and not self._may_get else self._poll(error))
        elif error.http_code == 404:
            # The kind itself is gone, or its CRD is not established yet.
            self._version = ""
            await self.mapper.refresh(force=True)
            await self._wait_after(error, quiet=True)
        else:
            await self._wait_after(error)

    async def _not_served(self) -> None:
        """A kind without objects, until the server serves it."""
        if self.state is not State.ABSENT:
            self.state = State.ABSENT
            _log.info("kind is not served yet", side=self.side.value, kind=str(self.want.kind))
            self._version = ""
            self.refusals.forget(self.want)
            changes = self.table.replace((), self.want.namespace, self.want.name)
            self.error = None
            self._answers()
            self.settled.set()
            self.on_changes(self, changes)
        await self.clock.sleep(self._absent.next())

    async def _wait_for_rights(self, error: ApiError) -> None:
        self.state, self.error, self._version = State.REFUSED, error, ""
        self.refusals.refused(self.want, error)
        if await self.refusals.wait(self.want, self._rights.next()):
            self._rights.reset()

    async def _poll(self, error: ApiError) -> None:
        """Watching is not allowed: read one by one what is asked for, and try to list now and then."""
        named = [(self.want.namespace, self.want.name)] if self.want.name else []
        if self.state is not State.POLLING:
            _log.warning("not allowed to watch, reading object by object", side=self.side.value, error=error)
        self.state, self.error, self._version = State.POLLING, error, ""
        self._answers()
        resource = await self.mapper.resource_of(self.want.kind, self.want.version)
        if resource is not None:
            polled = self.polled = self.polled or Polled(
                self.table, self.settled, transform=self.settings.transform, wanted=named
            )
            await polled.run(
                self.cluster,
                resource,
                every=self.settings.poll,
                until=self.clock.monotonic() + jittered(self.settings.relist_when_forbidden, 0.2, self.rng),
                clock=self.clock,
                on_change=lambda change: self.on_changes(self, (change,)),
            )
        else:
            await self._not_served()

    async def _wait_after(self, error: GitopsError, *, quiet: bool = False) -> None:
        wait = self._backoff.next()
        if isinstance(error, Unreachable):
            # A stream that was cut once is everyday life; not getting another one is an outage.
            if self.error is not None or not isinstance(error, Interrupted):
                self.outage.lost(self.want.kind, error)
                self._was_away = True
        elif self.error is None and not quiet:
            # A real API server asks for patience while it opens the store of a kind that was just defined.
            patience = isinstance(error, ApiError) and error.http_code == 429
            log = _log.info if patience else _log.error
            log("watch interrupted", side=self.side.value, kind=str(self.want.kind), error=error)
        self.error = error
        if isinstance(error, ApiError) and self.hurried and not quiet:
            self._despair(error)
        await self.clock.sleep(max(wait, error.retry_after if isinstance(error, ApiError) else 0.0))

    def _despair(self, error: ApiError) -> None:
        """Have nobody wait for ever for what was never listed: what else they do must not wait with it."""
        if self.settled.is_set() and self.unanswered is None:
            return
        now = self.clock.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since >= self.settings.patience:
            self.unanswered = error
            self.settled.set()

    def _answers(self) -> None:
        """What is read from now on comes from the table, or is read one by one."""
        self.unanswered, self._failing_since = None, None

    def _healthy(self) -> None:
        if self.state is State.WATCHING and self.error is None:
            return
        self.outage.back(self.want.kind)
        if not self.refusals.allowed(self.want) and isinstance(self.error, ApiError):
            _log.info("watch is back", side=self.side.value, kind=str(self.want.kind))
        self.state, self.error, self.polled = State.WATCHING, None, None
        self._answers()
        self._absent.reset()
        self._rights.reset()
        self.settled.set()


@contextlib.asynccontextmanager
async def _closing(stream: AsyncIterator[WatchEvent]) -> AsyncIterator[None]:
    """End the stream's connection when its reader stops, not when the garbage collector comes by."""
    try:
        yield
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
