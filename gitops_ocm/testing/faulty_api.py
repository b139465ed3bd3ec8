"""A small API server over HTTP that misbehaves when told to.

For tests of what a client must survive: lists that expire midway, watches cut in the middle of a
line, answers of 429 and 500, a restart on the same port. What it stores follows the API only as far
as that needs (no validation, apply is a merge); semantics are `gitops_ocm.apiserver`'s.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from gitops_ocm.objects.faults import ApiError, conflict, expired, not_found
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object, Resource

CONFIG_MAPS = Resource(
    "", "v1", "ConfigMap", "configmaps", namespaced=True, subresources=frozenset({"status"})
)
Name = tuple[str, str, str]
"""(plural, namespace, name)"""


@dataclass
class Refusal:
    """Answer the next `times` matching requests with `status` (0: close the connection)."""

    status: int
    method: str = ""
    watch: bool | None = None
    times: int = 1
    retry_after: str = ""
    path_end: str = ""

    def matches(self, request: web.Request) -> bool:
        """Whether this is one of those requests."""
        watching = request.query.get("watch") == "true"
        return (
            self.times > 0
            and self.method in ("", request.method)
            and self.watch in (None, watching)
            and request.path.endswith(self.path_end)
            and not request.path.endswith(("/api", "/apis"))
        )


@dataclass
class FaultyApi:
    """An async context manager; `url` is where it listens."""

    served: list[Resource] = field(default_factory=lambda: [CONFIG_MAPS])
    aggregated: bool = True
    refusals: list[Refusal] = field(default_factory=list)
    slow_lists: float = 0.0
    compact_between_pages: bool = False
    """Let the second page of the next list be too late."""
    watch_delay: Callable[[], float] | None = None
    """Seconds by which the next watch event comes late."""
    requests: Counter[str] = field(default_factory=Counter)
    """How often each kind of request came: `GET configmaps`, `LIST configmaps`, `WATCH configmaps`."""
    version: int = 100
    compacted: int = 0
    port: int = 0
    _objects: dict[Name, Object] = field(default_factory=dict)
    _history: list[tuple[int, str, Name, Object]] = field(default_factory=list)
    _watches: dict[asyncio.Queue[bytes | None], tuple[str, str]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; after `stop`, on the same port again."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End every connection and listen no more; what is stored stays."""
        self.cut_watches()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # What a test does to it

    def put(self, obj: Object, plural: str = "configmaps") -> Object:
        """Store an object and tell the watches."""
        meta = obj["metadata"]
        name = (plural, meta.get("namespace", ""), meta["name"])
        before = self._objects.get(name)
        self.version += 1
        stored = deepcopy(obj)
        stored["metadata"]["uid"] = before["metadata"]["uid"] if before else str(uuid.uuid4())
        stored["metadata"]["resourceVersion"] = str(self.version)
        self._objects[name] = stored
        self._record("MODIFIED" if before else "ADDED", name, stored)
        return stored

    def remove(self, namespace: str, name: str, plural: str = "configmaps") -> None:
        """Delete an object and tell the watches."""
        gone = deepcopy(self._objects.pop((plural, namespace, name)))
        self.version += 1
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._record("DELETED", (plural, namespace, name), gone)

    def get(self, namespace: str, name: str, plural: str = "configmaps") -> Object | None:
        """What is stored."""
        return self._objects.get((plural, namespace, name))

    def compact(self) -> None:
        """Forget the history: a watch from before now is answered with 410."""
        self.compacted = self.version
        self._history.clear()

    def bookmark(self) -> None:
        """Send every watch a bookmark at the current version."""
        obj = {"metadata": {"resourceVersion": str(self.version)}}
        for queue in self._watches:
            queue.put_nowait(_line("BOOKMARK", obj))

    def send(self, raw: bytes) -> None:
        """Send every watch these bytes as they are."""
        for queue in self._watches:
            queue.put_nowait(raw)

    def cut_watches(self) -> None:
        """End every watch's connection where it is."""
        for queue in self._watches:
            queue.put_nowait(None)

    @property
    def watching(self) -> int:
        """How many watches are open."""
        return len(self._watches)

    def _record(self, type_: str, name: Name, obj: Object) -> None:
        self._history.append((self.version, type_, name, obj))
        for queue, (plural, namespace) in self._watches.items():
            if name[0] == plural and namespace in ("", name[1]):
                queue.put_nowait(_line(type_, obj))

    # Answering

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        for refusal in self.refusals:
            if refusal.matches(request):
                refusal.times -= 1
                if not refusal.status:
                    if request.transport is not None:
                        request.transport.abort()
                    return web.Response()
                headers = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
                return web.Response(status=refusal.status, headers=headers, text="refused by the test")
        try:
            return await self._answer(request)
        except ApiError as error:
            return _json(error.status(), error.http_code)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in ("/api", "/apis"):
            return _json(self._groups(request.path))
        if request.path == "/version":
            return _json({"gitVersion": "v1.35.0-faulty"})
        parts = request.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        if not parts:
            return _json(self._legacy(request.path))
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        plural, name = parts[0], parts[1] if len(parts) > 1 else ""
        if plural not in {r.plural for r in self.served}:
            return web.Response(status=404, text="404 page not found")
        if name:
            return await self._one(request, (plural, namespace, name))
        if request.method == "POST":
            return _json(self._created(plural, namespace, orjson.loads(await request.read())), 201)
        if request.query.get("watch") == "true":
            return await self._watch(request, plural, namespace)
        return await self._list(request, plural, namespace)

    def _created(self, plural: str, namespace: str, obj: Object) -> Object:
        self.requests[f"POST {plural}"] += 1
        meta = obj["metadata"]
        meta.setdefault("namespace", namespace)
        meta.setdefault("name", f"{meta.get('generateName', '')}{self.version}")
        if (plural, namespace, meta["name"]) in self._objects:
            raise ApiError("AlreadyExists", f'{plural} "{meta["name"]}" already exists')
        return self.put(obj, plural)

    async def _one(self, request: web.Request, name: Name) -> web.Response:
        self.requests[f"{request.method} {name[0]}"] += 1
        there = self._objects.get(name)
        if request.method == "PATCH":
            body = orjson.loads(await request.read())
            if there is None and "apply" not in request.content_type:
                raise not_found("", name[0], name[2])
            wanted = (body.get("metadata") or {}).get("resourceVersion")
            if there is not None and wanted and wanted != there["metadata"]["resourceVersion"]:
                raise conflict("", name[0], name[2], "the object has been modified")
            merged = merge_patch(there or {}, body)
            return _json(there if there == merged and there is not None else self.put(merged, name[0]))
        if request.method == "PUT":
            return _json(self.put(orjson.loads(await request.read()), name[0]))
        if there is None:
            raise not_found("", name[0], name[2])
        if request.method == "DELETE":
            self.remove(name[1], name[2], name[0])
            return _json({"kind": "Status", "status": "Success"})
        return _json(there)

    async def _list(self, request: web.Request, plural: str, namespace: str) -> web.Response:
        self.requests[f"LIST {plural}"] += 1
        if self.slow_lists:
            await asyncio.sleep(self.slow_lists)
        token = request.query.get("continue", "")
        if token and self.compact_between_pages:
            self.compact_between_pages = False
            self.version += 1
            self.compact()
        start, at = (int(n) for n in token.split(".")) if token else (0, self.version)
        if at < self.compacted:
            raise expired("The provided continue parameter is too old")
        items = [o for (p, n, _), o in sorted(self._objects.items()) if p == plural and namespace in ("", n)]
        limit = int(request.query.get("limit", 0)) or len(items)
        meta = {"resourceVersion": str(at)}
        if start + limit < len(items):
            meta["continue"] = f"{start + limit}.{at}"
        return _json({"kind": "List", "metadata": meta, "items": items[start : start + limit]})

    async def _watch(self, request: web.Request, plural: str, namespace: str) -> web.StreamResponse:
        self.requests[f"WATCH {plural}"] += 1
        since = int(request.query.get("resourceVersion") or self.version)
        if since < self.compacted:
            raise expired()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for version, type_, name, obj in self._history:
            if version > since and name[0] == plural and namespace in ("", name[1]):
                queue.put_nowait(_line(type_, obj))
        self._watches[queue] = plural, namespace
        try:
            while (line := await queue.get()) is not None:
                if self.watch_delay is not None:
                    await asyncio.sleep(self.watch_delay())
                await response.write(line)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionResetError:
            pass
        finally:
            del self._watches[queue]
        return response

    def _groups(self, path: str) -> Object:
        core = path == "/api"
        mine = [r for r in self.served if (r.group == "") is core]
        if self.aggregated:
            return {
                "kind": "APIGroupDiscoveryList",
                "items": [_group(g, mine) for g in sorted({r.group for r in mine})],
            }
        if core:
            return {"kind": "APIVersions", "versions": ["v1"]}
        versions = sorted({r.api_version for r in mine})
        groups = [
            {
                "name": v.split("/")[0],
                "versions": [{"groupVersion": v}],
                "preferredVersion": {"groupVersion": v},
            }
            for v in versions
        ]
        return {"kind": "APIGroupList", "groups": groups}

    def _legacy(self, path: str) -> Object:
        version = path.removeprefix("/apis/").removeprefix("/api/")
        entries: list[Any] = []
        for r in self.served:
            if r.api_version == version:
                entries.append(
                    {"name": r.plural, "kind": r.kind, "namespaced": r.namespaced, "verbs": sorted(r.verbs)}
                )
                entries += [
                    {"name": f"{r.plural}/{s}", "kind": r.kind, "verbs": ["get"]} for s in r.subresources
                ]
        return {"kind": "APIResourceList", "groupVersion": version, "resources": entries}


def _group(group: str, resources: Iterable[Resource]) -> Object:
    entries = [
        {
            "resource": r.plural,
            "responseKind": {"group": r.group, "version": r.version, "kind": r.kind},
            "scope": "Namespaced" if r.namespaced else "Cluster",
            "verbs": sorted(r.verbs),
            "subresources": [{"subresource": s} for s in sorted(r.subresources)],
        }
        for r in resources
        if r.group == group
    ]
    version = next((r.version for r in resources if r.group == group), "v1")
    return {"metadata": {"name": group}, "versions": [{"version": version, "resources": entries}]}


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _line(type_: str, obj: object) -> bytes:
    return orjson.dumps({"type": type_, "object": obj}) + b"\n"
