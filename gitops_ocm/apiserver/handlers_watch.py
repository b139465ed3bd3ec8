"""WATCH over HTTP: events as JSON lines, until the time asked for is over or the server stops."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson

from gitops_ocm.apiserver.handlers import Call
from gitops_ocm.apiserver.handlers_form import columns, include
from gitops_ocm.apiserver.handlers_options import flag, integer
from gitops_ocm.apiserver.tables import partial_metadata, table
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.kube.cluster import WatchEvent
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object

MIN_TIMEOUT = 1800.0
"""Seconds a watch lasts at least where the client names no end; up to twice that, so that the
watches of many clients do not all end at once."""


class Watches:
    """Makes the lines of watches; `stop` ends all of them in order."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End every watch, as a server does that is going away."""
        self._stopping.set()

    async def lines(self, call: Call) -> AsyncIterator[bytes]:
        """One JSON document a line. An error is a last line, as the status has long been sent."""
        ends = asyncio.get_running_loop().time() + _timeout(call.query)
        encode = _Encoder(call, self._now)
        events = self.open(call)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            while True:
                coming = asyncio.ensure_future(anext(events))
                left = ends - asyncio.get_running_loop().time()
                await asyncio.wait(
                    (coming, stopping), timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED
                )
                if not coming.done():
                    coming.cancel()
                    return
                yield encode(coming.result())
        except StopAsyncIteration:
            return
        except ApiError as error:
            yield orjson.dumps({"type": "ERROR", "object": error.status()}) + b"\n"
        finally:
            stopping.cancel()

    def open(self, call: Call) -> AsyncIterator[WatchEvent]:
        """The events of a watch; what is wrong with the request is raised here, before any."""
        query, info = call.query, call.info
        return self._api.watch(
            call.served,
            info.namespace,
            resource_version=query.get("resourceVersion", ""),
            labels=query.get("labelSelector", ""),
            fields=query.get("fieldSelector", ""),
            bookmarks=flag(query, "allowWatchBookmarks"),
            send_initial_events=flag(query, "sendInitialEvents"),
        )


class _Encoder:
    """Events as lines in the form a client asked for."""

    def __init__(self, call: Call, now: Callable[[], datetime]) -> None:
        self._form = call.form
        self._served: Served = call.served
        self._now = now
        self._include = include(call.query)
        self._heads = True

    def __call__(self, event: WatchEvent) -> bytes:
        body = {"type": event.type, "object": self._formed(event.object)}
        return orjson.dumps(body) + b"\n"

    def _formed(self, obj: Object) -> Any:
        if self._form.kind.startswith("PartialObjectMetadata"):
            return partial_metadata(obj)
        if self._form.kind != "Table":
            return obj
        meta = {"resourceVersion": (obj.get("metadata") or {}).get("resourceVersion", "")}
        document = table(
            columns(self._served),
            (obj,),
            self._now(),
            list_meta=meta,
            include=self._include,
            heads=self._heads,
        )
        self._heads = False
        return document


def _timeout(query: Mapping[str, str]) -> float:
    return integer(query, "timeoutSeconds") or MIN_TIMEOUT * (1 + random.random())  # noqa: S311
