"""Asking webhooks over HTTPS: where they are, whose certificate they show, and what went wrong in Go's words.

A webhook is a URL, or a Service of this server: then its address is that of one of the Service's endpoints,
or the name an ExternalName Service gives, for here is no cluster network.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from gitops_ocm.apiserver.hooks.consultation import Question
from gitops_ocm.apiserver.hooks.reviews import Unusable, Verdict, verdict
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.log import get_logger

MAX_ANSWER = 3 * 1024 * 1024
DEFAULT_SECONDS = 10
_OK, _ABSENT, _TOO_MANY, _BROKEN = 200, 404, 429, 500

log = get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a webhook is: the URL that is called, and the name in its certificate where that is another."""

    url: str
    server_name: str | None = None


class Calls:
    """Asks the webhooks of one server. Close it, which ends its connections."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, question: Question) -> Verdict | ApiError:
        """The verdict, or the error there is instead."""
        webhook, name = question.webhook, str(question.webhook.get("name"))
        seconds = int(webhook.get("timeoutSeconds") or DEFAULT_SECONDS)
        try:
            answer = await self._post(webhook, question.review, seconds)
            return verdict(name, question.review, answer, mutating=question.mutating)
        except _Failed as error:
            text = f'failed calling webhook "{name}": failed to call webhook: {error}'
        except Unusable as error:
            text = f'failed calling webhook "{name}": {error}'
        log.warning("a webhook could not be asked", webhook=name, problem=text)
        details = {"causes": [{"message": text}]}
        return ApiError("InternalError", f"Internal error occurred: {text}", details=details)

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    def _place(self, client: Mapping[str, Any]) -> Place:
        """Raises where a Service leads nowhere."""
        service = client.get("service")
        if not service:
            return Place(str(client.get("url")))
        name, namespace = str(service.get("name")), str(service.get("namespace"))
        host, target = _endpoint(self._store, namespace, name, int(service.get("port") or 443))
        return Place(f"https://{host}:{target}{service.get('path') or '/'}", f"{name}.{namespace}.svc")

    async def _post(self, webhook: Mapping[str, Any], review: Object, seconds: int) -> Any:
        client = webhook.get("clientConfig") or {}
        timeout = urlencode({"timeout": f"{seconds}s"})
        shown = _with_query(_shown(client), timeout)
        try:
            place = self._place(client)
        except _Failed as error:
            raise _Failed(f'Post "{shown}": {error}') from None
        url = URL(_with_query(place.url, timeout))
        bundle = client.get("caBundle") or ""
        try:
            async with self._open().post(
                url,
                data=orjson.dumps(review),
                headers={"Content-Type": "application/json", "Accept": "application/json, */*"},
                ssl=_context(bundle),
                server_hostname=place.server_name,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                body = await response.content.read(MAX_ANSWER + 1)
                while not response.content.at_eof() and len(body) <= MAX_ANSWER:
                    body += await response.content.read(MAX_ANSWER + 1 - len(body))
                return _document(response.status, body)
        except TimeoutError:
            raise _Failed(f'Post "{shown}": context deadline exceeded') from None
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            raise _Failed(f'Post "{shown}": {_in_go(error, url)}') from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        return self._session


def _shown(client: Mapping[str, Any]) -> str:
    """A webhook's address as people are told it."""
    service = client.get("service")
    if not service:
        return str(client.get("url"))
    host = f"{service.get('name')}.{service.get('namespace')}.svc:{service.get('port') or 443}"
    return f"https://{host}{service.get('path') or '/'}"


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


class _Failed(Exception):
    """A webhook that could not be asked; the text says why."""


def _document(status: int, body: bytes) -> Any:
    if len(body) > MAX_ANSWER:
        raise _Failed(f"the answer is longer than {MAX_ANSWER} bytes")
    if status == _OK:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _Failed(f"the answer is no JSON: {error}") from None
    if status == _ABSENT:
        raise _Failed("the server could not find the requested resource")
    said = orjson.dumps(body[:1024].decode(errors="replace").strip()).decode()
    if status == _TOO_MANY:
        raise _Failed("the server has received too many requests and has asked us to try again later")
    if status >= _BROKEN:
        raise _Failed(f"an error on the server ({said}) has prevented the request from succeeding")
    raise _Failed(f"the server responded with the status code {status} but did not return more information")


def _in_go(error: Exception, url: URL) -> str:
    """What a Go program would say of a connection that did not come about."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        told = getattr(error, "certificate_error", error)
        reason = getattr(told, "verify_message", "") or str(told)
        known = {"unable to get local issuer certificate", "self-signed certificate"}
        unknown = reason in known or reason.startswith("self-signed")
        why = "certificate signed by unknown authority" if unknown else reason
        return f"tls: failed to verify certificate: x509: {why}"
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ConnectionRefusedError):
            return f"dial tcp {url.host}:{url.port}: connect: connection refused"
        return f"dial tcp: lookup {url.host}: {error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__


@lru_cache(maxsize=256)
def _context(bundle: str) -> ssl.SSLContext:
    """What a webhook's certificate is verified by: its own bundle, or what the system trusts."""
    if not bundle:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=base64.b64decode(bundle).decode())


def _endpoint(store: Store, namespace: str, name: str, port: int) -> tuple[str, int]:
    """An address and a port behind a Service."""
    service = store.get(Key("", "services", namespace, name))
    if service is None:
        raise _Failed(f'service "{name}" not found')
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName")), port
    wanted = next((p for p in spec.get("ports") or () if p.get("port") == port), None)
    if wanted is None:
        raise _Failed(f'no service port {port} found for service "{name}"')
    endpoints = store.get(Key("", "endpoints", namespace, name)) or {}
    for subset in endpoints.get("subsets") or ():
        for target in subset.get("ports") or ():
            if (target.get("name") or "") == (wanted.get("name") or "") and subset.get("addresses"):
                return str(subset["addresses"][0]["ip"]), int(target["port"])
    raise _Failed(f'no endpoints available for service "{name}"')
