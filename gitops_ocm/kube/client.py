"""`HttpCluster`: a Kubernetes API over HTTPS, with aiohttp and orjson.

Thin on purpose: `wire` builds requests and reads streams, `session` holds the connections, `faults`
explains what broke, `discovery` reads what is served. What is added here is a second try where it
cannot do harm. Requests share 32 kept-alive connections; each watch has one of its own.
"""

from __future__ import annotations

import asyncio
import io
import random
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import orjson
from yarl import URL

import gitops_ocm
from gitops_ocm.kube import discovery, wire
from gitops_ocm.kube.cluster import ObjectList, PatchType, Unreachable, WatchEvent
from gitops_ocm.kube.faults import Interrupted, unreachable
from gitops_ocm.kube.identity import Connection
from gitops_ocm.kube.rate import RateLimit
from gitops_ocm.kube.session import Session, Sessions
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.runtime.backoff import jittered
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.log import get_logger
from gitops_ocm.runtime.metrics import requests

_log = get_logger("kube")

_NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)
_MAX_TRIES = 5
_MAX_WAIT = 30.0
_WATCH_GRACE = 30.0
_WATCH_IDLE = 600.0
_LARGE_BODY = 512 * 1024
_ACCESS_HINTS = {
    401: "{server} does not accept the credentials of {source}: renew them, or use another context",
    403: "{server} knows who asks but does not allow it: grant a role, or use another user than {source}",
}


class HttpCluster:
    """One API server behind a `Connection`; implements `kube.cluster.Cluster`.

    `timeout` bounds each request, watches excepted; `rate` how many there are. Close it when done.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: float = 60.0,
        clock: Clock | None = None,
        rate: RateLimit | None = None,
    ) -> None:
        self._connection = connection
        self._rate = rate
        self._clock = clock or SystemClock()
        self._base = connection.server.rstrip("/")
        self._host = str(URL(connection.server).origin())
        agent = f"gitops-ocm/{gitops_ocm.__version__}"
        self._sessions = Sessions(connection, self._clock, user_agent=agent, timeout=timeout)
        self._random = random.Random()  # noqa: S311 -- spreads retries, guards nothing
        self._content_types = {t: {"Content-Type": t} for t in (wire.JSON, *(p.value for p in PatchType))}
        if connection.insecure:
            _log.warning("the server's certificate is not verified", server=self._host, of=connection.source)

    @property
    def connection(self) -> Connection:
        """How it is reached."""
        return self._connection

    @property
    def server(self) -> str:
        """The URL as the kubeconfig has it."""
        return self._connection.server

    def __repr__(self) -> str:
        return f"HttpCluster({self._host})"

    async def discover(self) -> Sequence[Resource]:
        """Every resource served; a group whose backend is down is left out, not fatal."""
        headers = {"Accept": discovery.AGGREGATED}
        core, groups = await asyncio.gather(
            self._json(wire.Request("GET", "/api"), headers),
            self._json(wire.Request("GET", "/apis"), headers),
        )
        if "items" in core and "items" in groups:
            if stale := discovery.stale_groups(groups):
                _log.warning("API groups not answering", server=self._host, groups=stale)
            return discovery.from_aggregated(core) + discovery.from_aggregated(groups)
        versions = [str(v) for v in core.get("versions") or ()] + discovery.group_versions(groups)
        documents = await asyncio.gather(*(self._legacy(version) for version in versions))
        return [
            r
            for version, doc in zip(versions, documents, strict=True)
            for r in discovery.from_legacy(version, doc)
        ]

    async def _legacy(self, version: str) -> Mapping[str, Any]:
        try:
            return await self._json(
                wire.Request("GET", f"/apis/{version}" if "/" in version else f"/api/{version}")
            )
        except ApiError as error:
            _log.warning("API group not answering", server=self._host, group=version, error=error)
            return {}

    async def version(self) -> Mapping[str, Any]:
        """`GET /version`."""
        return await self._json(wire.Request("GET", "/version"))

    async def probe(self) -> None:
        """`GET /livez`, or `/healthz` where that is not to be had; neither may be: then nothing is said."""
        for path in ("/livez", "/healthz"):
            try:
                await self._sent(wire.Request("GET", path))
            except ApiError as error:
                if error.http_code not in (403, 404):
                    raise
            else:
                return

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """One object."""
        return await self._json(wire.get(resource, namespace, name))

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
    ) -> ObjectList:
        """One page of a kind."""
        request = wire.list_page(
            resource,
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            limit=limit,
            continue_token=continue_token,
            resource_version=resource_version,
        )
        return wire.page(resource, await self._json(request))

    async def create(
        self, resource: Resource, obj: Object, *, field_manager: str = "", dry_run: bool = False
    ) -> Object:
        """POST."""
        return await self._json(wire.create(resource, obj, field_manager=field_manager, dry_run=dry_run))

    async def rehearse(self, resource: Resource, obj: Object, user: str) -> Object:
        """POST as somebody else, `dryRun=All`."""
        if self._connection.impersonation:
            # The groups that a kubeconfig adds would be taken for the other's.
            raise bad_request(
                f"{self._connection.source} acts as somebody already, so it cannot act as {user}"
            )
        headers = {**self._content_types[wire.JSON], "Impersonate-User": user}
        return await self._json(wire.create(resource, obj, dry_run=True), headers)

    async def update(
        self,
        resource: Resource,
        obj: Object,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Object:
        """PUT."""
        request = wire.update(
            resource, obj, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )
        return await self._json(request)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        *,
        type: PatchType = PatchType.MERGE,
        subresource: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Object:
        """PATCH; `body` may be ready-made JSON bytes."""
        request = wire.patch(
            resource,
            namespace,
            name,
            body,
            type=type,
            subresource=subresource,
            field_manager=field_manager,
            force=force,
            dry_run=dry_run,
        )
        return await self._json(request)

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: str = "Background",
        uid: str = "",
        resource_version: str = "",
        dry_run: bool = False,
    ) -> Object | None:
        """DELETE; None where the answer was only a Status: the object is gone."""
        request = wire.delete(
            resource,
            namespace,
            name,
            propagation=propagation,
            uid=uid,
            resource_version=resource_version,
            dry_run=dry_run,
        )
        answer = await self._json(request)
        return None if answer.get("kind") == "Status" and "status" in answer else answer

    async def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = True,
        timeout: float = 0,  # noqa: ASYNC109 -- the server's time limit, part of the request
    ) -> AsyncIterator[WatchEvent]:
        """Changes until the server ends the stream; a stream cut mid-line raises `Unreachable`."""
        request = wire.watch(
            resource,
            namespace,
            resource_version=resource_version,
            label_selector=label_selector,
            field_selector=field_selector,
            bookmarks=bookmarks,
            timeout=timeout,
        )
        session = await self._sessions.get()
        splitter = wire.LineSplitter()
        idle = timeout + _WATCH_GRACE if timeout else _WATCH_IDLE
        limits = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=idle)
        try:
            async with session.watches.get(
                self._url(request.target), timeout=limits, **session.extra
            ) as answer:
                requests("WATCH", answer.status).inc()
                if answer.status >= 400:
                    raise await self._failure(answer)
                async for chunk in answer.content.iter_any():
                    for line in splitter.feed(chunk):
                        yield wire.watch_event(line)
        except _NETWORK_ERRORS as error:
            raise self._unreachable(error) from error
        if splitter.unfinished:
            raise Interrupted(f"{self._host}: the watch was cut off in the middle of an event")

    async def close(self) -> None:
        """End every connection and watch."""
        await self._sessions.close()

    def _url(self, target: str) -> URL:
        return URL(self._base + target, encoded=True)

    async def _json(self, request: wire.Request, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        body = await self._sent(request, headers)
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise unreachable(aiohttp.ClientPayloadError(), self._host) from error
        if not isinstance(answer, dict):
            raise ApiError(
                "InternalError", f"{self._host} answered {request.method} with something else than an object"
            )
        return answer

    async def _sent(self, request: wire.Request, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of a success; tries again after a 401, a broken connection and a polite refusal."""
        session = await self._sessions.get()
        waited, tries = 0.0, 0
        while True:
            tries += 1
            try:
                answer = await self._exchange(session, request, headers)
            except _NETWORK_ERRORS as error:
                problem = self._unreachable(error)
                # A kept-alive connection may have been closed just as we used it.
                if tries == 1 and request.idempotent and _just_closed(error):
                    continue
                raise problem from error
            if isinstance(answer, bytes):
                return answer
            if answer.http_code == 401:
                refused, session = session, await self._sessions.renew(session)
                if session is refused or tries > 1:
                    raise answer
                continue
            wait = self._polite_wait(answer, request)
            if not wait or tries >= _MAX_TRIES or waited + wait > _MAX_WAIT:
                raise answer
            waited += wait
            await self._clock.sleep(wait)

    async def _exchange(
        self, session: Session, request: wire.Request, headers: Mapping[str, str] | None
    ) -> bytes | ApiError:
        if self._rate is not None:
            await self._rate.take()
        if headers is None and request.body is not None:
            headers = self._content_types[request.content_type]
        body = request.body
        # A large one is sent in pieces, so that the loop is not held up.
        data = io.BytesIO(body) if body is not None and len(body) > _LARGE_BODY else body
        async with session.requests.request(
            request.method, self._url(request.target), data=data, headers=headers, **session.extra
        ) as answer:
            requests(request.method, answer.status).inc()
            if answer.status < 300:
                return await self._read(answer)
            return await self._failure(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        length = answer.content_length
        if length is not None and length <= wire.MAX_BODY and "Content-Encoding" not in answer.headers:
            return await answer.read()
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > wire.MAX_BODY:
                raise ApiError(
                    "InternalError", f"{self._host} sent an answer of more than {wire.MAX_BODY} bytes"
                )
        return bytes(body)

    async def _failure(self, answer: aiohttp.ClientResponse) -> ApiError:
        body = await answer.content.read(1024 * 1024)
        while len(body) < 1024 * 1024 and (more := await answer.content.read(1024 * 1024)):
            body += more
        error = wire.failure(answer.status, body, retry_after=answer.headers.get("Retry-After", ""))
        if hint := _ACCESS_HINTS.get(error.http_code):
            hint = hint.format(server=self._host, source=self._connection.source)
            expired = self._connection.expired(self._clock.now()) if error.http_code == 401 else ""
            error.hint = error.hint or expired or hint
        return error

    def _unreachable(self, error: BaseException) -> Unreachable:
        problem = unreachable(error, self._host)
        if not problem.hint or isinstance(error, ssl.SSLError):
            problem.hint = self._connection.expired(self._clock.now()) or problem.hint
        return problem

    def _polite_wait(self, error: ApiError, request: wire.Request) -> float:
        """How long the server asks to wait before the same request is sent again (0: do not).

        A 429 was refused before anything was done, so any request may be repeated; after a 503 only
        one that can be carried out twice.
        """
        if error.http_code == 429 or (error.http_code == 503 and request.idempotent):
            return jittered(error.retry_after, 0.2, self._random)
        return 0.0


def _just_closed(error: BaseException) -> bool:
    return isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError | BrokenPipeError) or (
        isinstance(error, aiohttp.ClientOSError) and not isinstance(error, aiohttp.ClientConnectorError)
    )
