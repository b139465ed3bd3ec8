"""WATCH over HTTP: events as JSON lines, until the time asked for is over or the server stops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from gitops_ocm.apiserver.handlers import Call
from gitops_ocm.apiserver.handlers_form import columns_of, include
from gitops_ocm.apiserver.handlers_options import asked, flag, integer
from gitops_ocm.apiserver.list_options import check_watch
from gitops_ocm.apiserver.negotiation import JSON_MEDIA
from gitops_ocm.apiserver.protobuf import MEDIA
from gitops_ocm.apiserver.protobuf_encode import encode_watch_frame
from gitops_ocm.apiserver.reading import Watch
from gitops_ocm.apiserver.showing import Event
from gitops_ocm.apiserver.tables import partial_metadata, table
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object

MIN_TIMEOUT = 1800.0
"""Seconds a watch lasts at least where the client names no end; up to twice that, so that the
watches of many clients do not all end at once."""
_PIECE = 64 * 1024


class Watches:
    """Makes the lines of watches; `stop` ends all of them in order."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False

    def stop(self) -> None:
        """End every watch, as a server does that is going away."""
        self._stopping = True
        for task in self._running:
            task.cancel()

    def open(self, call: Call) -> Watch | _Only:
        """The events of a watch. Raises what is wrong with the request; a version that is too old
        is told as an event, as clients expect it."""
        query, info = call.query, call.info
        include(query)
        initial = asked(query, "sendInitialEvents")
        check_watch(
            match=query.get("resourceVersionMatch", ""), token=query.get("continue", ""), initial=initial
        )
        try:
            return self._api.watch(
                call.served,
                info.namespace,
                resource_version=query.get("resourceVersion", ""),
                labels=query.get("labelSelector", ""),
                fields=_fields(call),
                bookmarks=flag(query, "allowWatchBookmarks"),
                send_initial_events=initial,
                timeout=_timeout(query),
            )
        except ApiError as error:
            if error.reason not in ("Expired", "Gone", "Timeout"):
                raise
            return _Only(error)

    async def send(
        self, call: Call, events: Watch | _Only, write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Write the events as lines, those that are there together, until they end or the server stops."""
        encode = _Encoder(call, self._now)
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            async for event in events:
                await self._write(encode, event, events.ready(), write)
        except ApiError as error:
            # The status was sent long ago: an error is the last line.
            await write(encode.framed("ERROR", error.status()))
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            task.uncancel()
        finally:
            self._running.discard(task)
            events.close()

    async def _write(
        self, encode: _Encoder, first: Event, others: list[Event], write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        lines, size = [encode(first)], 0
        for event in others:
            lines.append(encode(event))
            size += len(lines[-1])
            if size > _PIECE:
                await write(b"".join(lines))
                # A socket that takes everything at once does not make its writer wait: others would.
                await asyncio.sleep(0)
                lines, size = [], 0
        if lines:
            await write(b"".join(lines))


def _fields(call: Call) -> str:
    """What is asked of fields; a watch of one object, the old way, asks for its name."""
    selector = call.query.get("fieldSelector", "")
    return selector or (f"metadata.name={call.info.name}" if call.info.name else "")


class _Only:
    """A watch that has nothing to say but an error."""

    def __init__(self, error: ApiError) -> None:
        self._error = error

    def __aiter__(self) -> _Only:
        return self

    async def __anext__(self) -> Event:
        raise self._error

    def ready(self) -> list[Event]:
        """Nothing follows."""
        return []

    def close(self) -> None:
        """There is nothing to close."""


class _Encoder:
    """Events as lines in the form a client asked for."""

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        self._form = call.form
        self._served: Served = call.served
        self._now = now
        self._include = include(call.query)
        self._heads = True
        self._plain = not call.form.kind and call.form.media == JSON_MEDIA

    def __call__(self, event: Event) -> bytes:
        if self._plain:
            return event.line()
        return self.framed(event.type, self._formed(event.object))

    def framed(self, type_: str, document: Any) -> bytes:
        """One event: a line of JSON, or a frame of protobuf."""
        if self._form.media == MEDIA:
            return encode_watch_frame(type_, document)
        return orjson.dumps({"type": type_, "object": document}) + b"\n"

    def _formed(self, obj: Object) -> Any:
        if self._form.kind.startswith("PartialObjectMetadata"):
            return partial_metadata(obj, self._form.version)
        if self._form.kind != "Table":
            return obj
        meta = {"resourceVersion": (obj.get("metadata") or {}).get("resourceVersion", "")}
        document = table(
            columns_of(self._served),
            (obj,),
            self._now(),
            list_meta=meta,
            include=self._include,
            heads=self._heads,
            version=self._form.version,
        )
        self._heads = False
        return document


def _timeout(query: Mapping[str, str]) -> float:
    return integer(query, "timeoutSeconds") or MIN_TIMEOUT * (1 + random.random())  # noqa: S311
