"""Events about objects (`events.k8s.io/v1`): best effort, never in anybody's way.

The same event again within minutes becomes a series with a count; an object that gives rise to too
many loses some; a full backlog drops. A failure to write one is logged at debug level. An event is
where its object is; of a cluster-scoped one, where `Emit.namespace` says, or in `default`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.decide.contract import Emit
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.ref import Kind, Object, Resource
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.log import get_logger

_log = get_logger("events")

_EVENT = Kind("events.k8s.io", "Event")
_SERIES_SECONDS = 360.0
_REMEMBERED = 2048
_BACKLOG = 1000
_BURST = 25.0
_REFILL_PER_SECOND = 1 / 300
_NOTE_LENGTH = 1024
_AT_ONCE = 10.0
_PER_SECOND = 50.0


@dataclass(slots=True)
class _Series:
    name: str
    namespace: str
    count: int
    last: float


@dataclass(slots=True)
class _Allowance:
    tokens: float
    at: float


class Recorder:
    """Writes the Events of one side. `run` does the writing; `emit` only notes."""

    def __init__(
        self, cluster: Cluster, mapper: Mapper, clock: Clock, *, component: str, instance: str
    ) -> None:
        self._cluster = cluster
        self._mapper = mapper
        self._clock = clock
        self._component = component
        self._instance = instance
        self._backlog: asyncio.Queue[Emit] = asyncio.Queue(_BACKLOG)
        self._series: OrderedDict[tuple[str, ...], _Series] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self._pace_tokens, self._paced = _AT_ONCE, clock.monotonic()

    def emit(self, event: Emit) -> None:
        """Have `event` written some time soon, or drop it."""
        uid = str((event.about.get("metadata") or {}).get("uid", ""))
        if self._allowed(uid):
            try:
                self._backlog.put_nowait(event)
            except asyncio.QueueFull:
                _log.debug("event dropped", reason=event.reason)

    async def run(self) -> None:
        """Write what is emitted, one after the other, until cancelled."""
        while True:
            event = await self._backlog.get()
            await self._pace()
            try:
                await self._record(event)
            except GitopsError as error:
                _log.debug("event not written", reason=event.reason, error=error)
            except Exception:  # noqa: BLE001 -- what an event is about is others' and may have any form
                _log.exception("event not written", reason=event.reason)

    async def _pace(self) -> None:
        """Leave the server to others: after a burst, so many a second."""
        now = self._clock.monotonic()
        self._pace_tokens = min(_AT_ONCE, self._pace_tokens + (now - self._paced) * _PER_SECOND)
        self._paced = now
        if self._pace_tokens < 1:
            await self._clock.sleep((1 - self._pace_tokens) / _PER_SECOND)
        self._pace_tokens -= 1

    def _allowed(self, uid: str) -> bool:
        now = self._clock.monotonic()
        allowance = self._allowances.setdefault(uid, _Allowance(_BURST, now))
        allowance.tokens = min(_BURST, allowance.tokens + (now - allowance.at) * _REFILL_PER_SECOND)
        allowance.at = now
        self._allowances.move_to_end(uid)
        while len(self._allowances) > _REMEMBERED:
            self._allowances.popitem(last=False)
        if allowance.tokens < 1:
            return False
        allowance.tokens -= 1
        return True

    async def _record(self, event: Emit) -> None:
        resource = await self._mapper.resource_of(_EVENT)
        if resource is None:
            return
        meta = event.about.get("metadata") or {}
        related = str(((event.related or {}).get("metadata") or {}).get("uid", ""))
        key = (str(meta.get("uid", "")), event.kind, event.reason, event.action, event.message, related)
        known, now = self._series.get(key), self._clock.monotonic()
        if known is not None and now - known.last < _SERIES_SECONDS:
            await self._repeat(resource, known, now)
            return
        namespace = meta.get("namespace") or event.namespace or "default"
        stamp = self._clock.now()
        body = self._body(event, namespace, f"{meta.get('name', '')}.{int(stamp.timestamp() * 1e9):x}", stamp)
        await self._cluster.create(resource, body, field_manager=self._component)
        self._series[key] = _Series(body["metadata"]["name"], namespace, 1, now)
        while len(self._series) > _REMEMBERED:
            self._series.popitem(last=False)

    async def _repeat(self, resource: Resource, series: _Series, now: float) -> None:
        series.count += 1
        series.last = now
        patch = {"series": {"count": series.count, "lastObservedTime": _micro(self._clock.now())}}
        await self._cluster.patch(
            resource,
            series.namespace,
            series.name,
            patch,
            type=PatchType.MERGE,
            field_manager=self._component,
        )

    def _body(self, event: Emit, namespace: str, name: str, stamp: datetime) -> Object:
        meta = event.about.get("metadata") or {}
        regarding = _reference(event.about)
        if not meta.get("namespace") and event.namespace:
            # An API server wants it to be the event's own, also for what has no namespace.
            regarding["namespace"] = event.namespace
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name[-253:].lstrip("-."), "namespace": namespace},
            "eventTime": _micro(stamp),
            "reportingController": event.component or self._component,
            "reportingInstance": self._instance[:128],
            "action": event.action or event.reason,
            "reason": event.reason,
            "regarding": regarding,
            **({"related": _reference(event.related)} if event.related is not None else {}),
            "type": event.kind,
            "note": event.message[:_NOTE_LENGTH],
        }


def _reference(obj: Object) -> Object:
    meta = obj.get("metadata") or {}
    found = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        **{key: meta.get(key) for key in ("name", "namespace", "uid", "resourceVersion")},
    }
    return {k: v for k, v in found.items() if v}


def _micro(stamp: datetime) -> str:
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
