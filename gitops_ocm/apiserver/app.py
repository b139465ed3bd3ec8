"""The HTTP face of the embedded server: from a request to a response, and from an error to a Status.

In order: read what is asked (`request_info`), who asks (`access`), what is served (`discovery`),
carry it out (`handlers`, `handlers_watch`), encode it. It listens nowhere: `serve` does.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import orjson
from aiohttp import web

from gitops_ocm.apiserver.access import Access, Denied, RoleObjects, attributes_of
from gitops_ocm.apiserver.answers import sent
from gitops_ocm.apiserver.authentication import Authenticator, Certificate
from gitops_ocm.apiserver.deprecations import deprecations
from gitops_ocm.apiserver.discovery import Discovery
from gitops_ocm.apiserver.handlers import Call, Handlers, Reply
from gitops_ocm.apiserver.handlers_shape import check_shape, not_allowed
from gitops_ocm.apiserver.handlers_system import (
    ANY_METHOD,
    WHOLE_HEALTH,
    NoSuchPath,
    form_of_page,
    no_such_resource,
    system_page,
)
from gitops_ocm.apiserver.handlers_token import TokenRequests
from gitops_ocm.apiserver.handlers_watch import Watches
from gitops_ocm.apiserver.hooks.authority import authorizer_of
from gitops_ocm.apiserver.hooks.calls import Calls
from gitops_ocm.apiserver.hooks.consultation import Consultation, consulted, user_info
from gitops_ocm.apiserver.impersonation import impersonated
from gitops_ocm.apiserver.limits import Limits
from gitops_ocm.apiserver.negotiation import (
    COLLECTION,
    PLAIN,
    SERVED,
    check_accept,
    encode,
    form_of_error,
    negotiate,
)
from gitops_ocm.apiserver.openapi import OpenApi
from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.reading import Steps
from gitops_ocm.apiserver.request_info import RequestInfo, read
from gitops_ocm.apiserver.reviews import Reviews
from gitops_ocm.apiserver.signing_key import discovery_document
from gitops_ocm.apiserver.values import Page
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.workers import LARGE, Workers, briefly
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.cel.patience import OutOfPatience
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.runtime.log import get_logger, place_of

GZIP_FROM = 128 * 1024
"""Answers below this many bytes are not worth compressing."""
_OFF_LOOP = 1024 * 1024
_PEOPLE = ("curl", "Wget", "Mozilla/")
_NO_CACHE = "no-cache, private"
_READS = ("get", "list", "watch")
_TEXT = "text/plain; charset=utf-8"

log = get_logger(__name__)


class App:
    """Serves one `Api`."""

    def __init__(
        self,
        api: Api,
        authenticator: Authenticator,
        tokens: TokenRequests,
        *,
        now: Callable[[], datetime],
        address: str,
        descriptions: Path | None = None,
    ) -> None:
        self._api = api
        self._descriptions = descriptions
        self._authenticator = authenticator
        self._now = now
        self._limits = Limits()
        self._workers = Workers(api.store.settled)
        self._certificates: WeakKeyDictionary[asyncio.BaseTransport, Certificate | None] = WeakKeyDictionary()
        self._address = address
        self.access = Access(RoleObjects(api))
        self.watches = Watches(api, now)
        self._handlers = Handlers(api, self.access, now)
        self._webhooks = Calls(api.store)
        self.ask = self._webhooks.ask
        self._reviews = Reviews(self.access, authenticator, tokens, now)
        self._key = tokens.key
        self._discovery = Discovery(api.catalog)
        self._openapi = OpenApi(self._discovery, descriptions)

    @property
    def discovery(self) -> Discovery:
        """What is served at this moment: CRDs come and go."""
        if self._discovery.catalog is not self._api.catalog:
            self._discovery = Discovery(self._api.catalog)
            self._openapi = OpenApi(self._discovery, self._descriptions)
        return self._discovery

    async def close(self) -> None:
        """End the connections to webhooks, and the threads."""
        self._workers.close()
        await self._webhooks.close()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; every failure is an answer too."""
        try:
            return await self._answer(request)
        except ApiError as error:
            return self._failed(request, error)
        except NoSuchPath as absent:
            headers = {"Content-Type": _TEXT, "Cache-Control": _NO_CACHE, "X-Content-Type-Options": "nosniff"}
            return web.Response(status=404, body=absent.text.encode(), headers=headers)
        except ConnectionError:
            # The client went away while it was answered: there is nobody left to tell. The connection
            # is closed, and what is returned here is dropped by it.
            request.protocol.force_close()
            return web.Response()
        except GitopsError as error:
            log.error("request failed", method=request.method, path=request.path, error=error)
            text = f"Internal error occurred: {error.message}"
            return self._failed(request, ApiError("InternalError", text))
        except Exception as error:  # a bug must not end a connection silently
            where = place_of(error)
            log.error("request failed", method=request.method, path=request.path, error=error, at=where)
            log.debug("traceback", exc_info=True)
            return self._failed(request, ApiError("InternalError", "Internal error occurred"))

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, text = request.raw_path.partition("?")
        query = _query(text) if text else {}
        info = read(request.method, path, query)
        user = self._user(request)
        self.access.require(user, attributes_of(info))
        if not info.is_resource:
            return await self._system(request, info, query)
        if info.verb == "watch":
            return await self._watch(request, self._call(request, info, user, query))
        with self._limits.under_way(exempt=user.is_master):
            return await self._replied(request, self._call(request, info, user, query))

    async def _replied(self, request: web.BaseRequest, asked: Call) -> web.StreamResponse:
        if asked.info.verb in _READS:
            self._limits.check_answers()
        body = await self._limits.body(request)
        try:
            call = replace(asked, body=body) if body else asked
            reply = await self._reviewed(call) if call.info.verb == "create" else None
            reply = reply or await self._handled(call)
        finally:
            self._limits.released(len(body))
        return await self._respond(request, reply, call)

    async def _reviewed(self, call: Call) -> Reply | None:
        """The answer to what is asked of the server and not stored."""
        if len(call.body) < LARGE:
            return self._reviews.answer(call)
        return await self._workers.read(partial(self._reviews.answer, call))

    async def _handled(self, call: Call) -> Reply:
        """Nobody is told of a write before it is kept, nor of a refusal that follows from one."""
        if call.info.verb == "list":
            page = await self._taking_turns(self._handlers.listing(call))
            return await self._listed(call, page)
        try:
            if call.consultation is None:
                return await self._attempted(call)
            attempt = partial(self._attempted, call)
            return await consulted(attempt, call.consultation, self._webhooks.ask)
        finally:
            if call.info.verb != "get":
                await self._api.store.settled()

    async def _attempted(self, call: Call) -> Reply:
        """Carried out so that nobody else waits long for it."""
        if call.info.verb == "deletecollection":
            return await self._listed(call, await self._taking_turns(self._handlers.deleting(call)))
        large = self._handlers.is_large(call)
        if not large:
            with suppress(OutOfPatience), briefly():
                return self._handlers.handle(call)
        reply = await self._workers.write(lambda place: self._handlers.handle(replace(call, place=place)))
        return replace(reply, large=large)

    async def _taking_turns(self, steps: Steps) -> Page:
        result = None
        while True:
            try:
                work = steps.send(result)
            except StopIteration as end:
                page: Page = end.value
                return page
            await asyncio.sleep(0)
            result = await self._workers.soon(work) if work else None

    async def _listed(self, call: Call, page: Page) -> Reply:
        large = page.items.size >= LARGE
        work = partial(self._handlers.listed, call, page)
        reply = await self._workers.read(work) if large and call.form != PLAIN else work()
        return replace(reply, large=large)

    def _user(self, request: web.BaseRequest) -> User:
        headers = request.headers
        certificate = self._certificate(request.transport)
        user = self._authenticator.user(certificate, headers.get("Authorization"), self._now())
        return impersonated(self.access, user, headers.items())

    def _certificate(self, transport: asyncio.BaseTransport | None) -> Certificate | None:
        """What the handshake of the connection has shown; read once for all its requests."""
        if transport is None:
            return None
        if transport not in self._certificates:
            parsed = transport.get_extra_info("peercert")
            tls = transport.get_extra_info("ssl_object")
            found = Certificate.of(parsed, tls.getpeercert(True) or b"") if parsed else None
            self._certificates[transport] = found
        return self._certificates[transport]

    async def _system(
        self, request: web.BaseRequest, info: RequestInfo, query: Mapping[str, str]
    ) -> web.StreamResponse:
        issuer = self._issuer_page(request, info)
        if issuer is not None:
            return issuer
        discovery = self.discovery
        accept = request.headers.get("Accept", "*/*")
        form = form_of_page(info.path, accept)
        address = _local_address(request, self._address)
        ask = partial(system_page, info.path, query, form, discovery, self._openapi, address=address)
        # Schemas are made when they are first asked for; other pages are at hand.
        page = await self._workers.read(ask) if info.path.startswith("/openapi") else ask()
        if request.method != "GET" and info.path not in ANY_METHOD:
            raise not_allowed()
        headers = {"Content-Type": page.media or form.media, "Cache-Control": _NO_CACHE}
        if info.path in WHOLE_HEALTH:
            headers["X-Content-Type-Options"] = "nosniff"
        if page.etag:
            headers |= {"ETag": page.etag, "Vary": "Accept", "Cache-Control": "public"}
            if request.headers.get("If-None-Match") == page.etag:
                return web.Response(status=304, headers=headers)
        body = page.body or encode(page.document, form, pretty=_pretty(request, query))
        if len(body) >= GZIP_FROM and _takes_gzip(request):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
            headers["Vary"] = "Accept, Accept-Encoding" if page.etag else "Accept-Encoding"
        return await sent(request, web.Response(headers=headers), body, self._limits)

    def _issuer_page(self, request: web.BaseRequest, info: RequestInfo) -> web.Response | None:
        """What others need to verify this server's tokens by OpenID Connect; None for other paths."""
        if info.path.rstrip("/") == "/.well-known/openid-configuration":
            host, port = request.transport.get_extra_info("sockname")[:2] if request.transport else ("", 0)
            address = self._address or host
            address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
            document, media = discovery_document(self._key, address), "application/json"
        elif info.path.rstrip("/") == "/openid/v1/jwks":
            document, media = self._key.key_set(), "application/jwk-set+json"
        else:
            return None
        if request.method not in ("GET", "HEAD"):
            raise not_allowed()
        headers = {"Content-Type": media, "Cache-Control": "public, max-age=3600"}
        return web.Response(body=orjson.dumps(document), headers=headers)

    def _call(
        self, request: web.BaseRequest, info: RequestInfo, user: User, query: Mapping[str, str]
    ) -> Call:
        discovery = self.discovery
        served = discovery.served(info.group, info.version, info.plural)
        if served is None:
            raise no_such_resource() if discovery.built_in(info.group) else NoSuchPath
        check_shape(info, served, request.method)
        headers = request.headers
        accept = headers.get("Accept", "*/*")
        if not served.custom:
            check_accept(accept, COLLECTION if request.method == "GET" and not info.name else SERVED)
        return Call(
            info=info,
            served=served,
            user=user,
            form=negotiate(accept, protobuf=not served.custom, stream=info.verb == "watch"),
            query=query,
            content_type=headers.get("Content-Type", ""),
            user_agent=headers.get("User-Agent", ""),
            consultation=None if info.verb in _READS else self._consultation(user),
        )

    def _consultation(self, user: User) -> Consultation:
        return Consultation(user_info(user), authorizer_of(self.access, user))

    async def _watch(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        events = self.watches.open(call)
        headers = {"Content-Type": call.form.stream, "Cache-Control": _NO_CACHE}
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)

        async def write(lines: bytes) -> None:
            async with self._limits.taken():
                await response.write(lines)

        await self.watches.send(call, events, _unsent if request.method == "HEAD" else write)
        await response.write_eof()
        return response

    async def _respond(self, request: web.BaseRequest, reply: Reply, call: Call) -> web.StreamResponse:
        if reply.status == HTTPStatus.NO_CONTENT:
            return web.Response(status=reply.status, headers={"Cache-Control": _NO_CACHE})
        encoded = partial(encode, reply.document, call.form, pretty=_pretty(request, call.query))
        body = await self._workers.read(encoded) if reply.large else encoded()
        headers = {"Content-Type": call.form.media, "Cache-Control": _NO_CACHE}
        response = web.Response(status=reply.status, headers=headers)
        for warning in (*deprecations(call.served), *reply.warnings):
            response.headers.add("Warning", _warning(warning))
        if len(body) >= GZIP_FROM and _takes_gzip(request):
            body = await _compressed(body)
            response.headers.update({"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
        return await sent(request, response, body, self._limits)

    def _failed(self, request: web.BaseRequest, error: ApiError) -> web.Response:
        form = form_of_error(request.headers.get("Accept", "*/*"))
        body = encode(error.status(), form, pretty=_pretty(request, {}))
        headers = {"Content-Type": form.media, "Cache-Control": _NO_CACHE}
        headers |= {"X-Content-Type-Options": "nosniff"} if isinstance(error, Denied) else {}
        if error.retry_after:
            headers["Retry-After"] = str(int(error.retry_after))
        response = web.Response(status=error.http_code, body=body, headers=headers)
        for warning in error.warnings:
            response.headers.add("Warning", _warning(warning))
        return response


def _local_address(request: web.BaseRequest, host: str) -> str:
    """Where this server was reached."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return f"{host}:{name[1]}" if name else host


def _query(text: str) -> dict[str, str]:
    """The parameters of a request; of one that is repeated the first counts, as in Go."""
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))


async def _unsent(line: bytes) -> None:
    """Where a HEAD's body goes."""


async def _compressed(body: bytes) -> bytes:
    if len(body) < _OFF_LOOP:
        return gzip.compress(body, 1)
    return await asyncio.to_thread(gzip.compress, body, 1)


def _takes_gzip(request: web.BaseRequest) -> bool:
    return "gzip" in (token.strip() for token in request.headers.get("Accept-Encoding", "").split(","))


def _pretty(request: web.BaseRequest, query: Mapping[str, str]) -> bool:
    """Laid out for a person: when asked for, or where a browser or curl is seen."""
    asked = query.get("pretty")
    if asked is not None:
        return asked.lower() not in ("0", "f", "false")
    return request.headers.get("User-Agent", "").startswith(_PEOPLE)


def _warning(text: str) -> str:
    safe = "".join(c if c.isprintable() else " " for c in text).replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{safe}"'
