"""Sends what a forge asks for: over TLS, with a token that goes nowhere else, in bounded time and memory.

What is read is asked again when the network or the forge falters, after as long as the forge says
(`Retry-After`, or when its rate limit begins anew). What is written is not: whoever wrote looks first how
things stand (`errors.Unsure`).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, TypeVar, cast
from urllib.parse import urljoin, urlsplit

import aiohttp
import orjson
from yarl import URL

from gitops_ocm import __version__
from gitops_ocm.forge.errors import Limited, NotThere, Refused, TargetUnknown, Unanswered, Unsure
from gitops_ocm.forge.model import Answer, Call, Request
from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.redact import MASK, Secret, redacted_text

T = TypeVar("T")

MOST = 32 * 2**20
"""So many bytes of an answer are read; a hundred comments of GitHub's greatest length are 26 MB at worst."""
TRIES = 5
HOPS = 3
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_FALTERS = (429, 500, 502, 503, 504)
_WORDS = 300


class Wire:
    """The way to one forge's API at `root`; used as a context. `proxy` is the one for that host."""

    def __init__(
        self,
        root: str,
        headers: Mapping[str, str],
        clock: Clock,
        *,
        rights: str,
        token: Secret,
        ca_file: str = "",
        proxy: str = "",
        timeout: float = 30.0,
        patience: float = 120.0,
    ) -> None:
        """`rights` is what a token needs, for people; more than `patience` seconds nobody waits."""
        self._root, self._headers, self._clock = root.rstrip("/"), headers, clock
        self._rights, self._token = rights, token
        self._proxy = URL(proxy) if proxy else None
        self._timeout, self._patience = timeout, patience
        self._tls = _trusting(ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Wire:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=4),
            headers={"User-Agent": f"gitops-ocm/{__version__}", **self._headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=10),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, call: Call[T]) -> T:
        """Send a call's request and read its answer; `Unsure` for a write that is to be thought over."""
        request = call.request
        answer = await self._answer(request)
        if answer.status == 404 and call.absent:
            return cast("T", None)
        if answer.status >= 400:
            raise self._refusal(request, answer)
        try:
            return call.read(answer)
        except (KeyError, TypeError, ValueError, IndexError):
            raise Unanswered(
                f"{self._place} answered {request.method} {request.path} with something unexpected",
                hint="is --api-url the URL of its API, and --forge what runs there?",
            ) from None

    async def _answer(self, request: Request) -> Answer:
        """What the forge says in the end: after faltering, and after being asked to wait."""
        backoff = Backoff(base=0.5, cap=10.0)
        waited = 0.0
        for left in reversed(range(TRIES)):
            try:
                answer = await self._sent(request)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if request.writes and not isinstance(error, aiohttp.ClientConnectorError):
                    raise Unsure(f"{self._place}: the connection broke") from error
                if not left or _hopeless(error):
                    raise self._unreachable(error) from error
                pause = backoff.next()
            else:
                asked = self._asked_to_wait(answer)
                if asked is None and answer.status not in _FALTERS:
                    return answer
                if not left:
                    return answer
                pause = backoff.next() if asked is None else asked
                self._bear(waited + pause)
                if request.writes:
                    raise Unsure(f"{self._place} answered {answer.status}", after=pause)
            waited += pause
            await self._clock.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _bear(self, seconds: float) -> None:
        if seconds > self._patience:
            raise Limited(
                f"{self._place} asks to wait {seconds:.0f} seconds: too many requests with this token",
                hint="run it again later; a token of its own has a limit of its own",
            )

    def _asked_to_wait(self, answer: Answer) -> float | None:
        """The seconds a forge says to wait; GitHub says so with 403, too."""
        if answer.status not in (403, *_FALTERS):
            return None
        headers, now = answer.headers, self._clock.now()
        if after := headers.get("retry-after", ""):
            if after.isdigit():
                return float(after)
            try:
                return max(0.0, (parsedate_to_datetime(after) - now).total_seconds())
            except (ValueError, TypeError):
                return None
        spent = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", "")) == "0"
        reset = headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", ""))
        if spent and reset.isdigit():
            return max(1.0, int(reset) - now.timestamp())
        return None

    async def _sent(self, request: Request) -> Answer:
        """One exchange; redirections are followed as long as they stay where the token may go."""
        url = request.url or self._root + request.path
        for _ in range(HOPS):
            answer = await self._exchanged(request, url)
            if answer.status not in (301, 302, 307, 308):
                return answer
            target = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(target)[:2] != urlsplit(url)[:2] or (request.writes and answer.status < 307):
                break
            url = target
        raise Unanswered(
            f"{self._place} says that {request.path} has moved",
            hint="was the repository renamed? give its new name by --repository, or the API's by --api-url",
        )

    async def _exchanged(self, request: Request, url: str) -> Answer:
        assert self._session is not None
        data = None if request.body is None else orjson.dumps(request.body)
        given: dict[str, Any] = {"params": dict(request.query)} if request.query and "?" not in url else {}
        if data is not None:
            given |= {"data": data, "headers": {"Content-Type": "application/json"}}
        async with self._session.request(
            request.method, url, allow_redirects=False, proxy=self._proxy, **given
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(1 << 16):
                body += chunk
                if len(body) > MOST:
                    raise Unanswered(f"{self._place} answered more than {MOST} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, _json(bytes(body)), headers)

    def _refusal(self, request: Request, answer: Answer) -> Exception:
        """What a 4xx or 5xx means, in the forge's words and with what to do."""
        words = self._words(answer.body)
        path = request.path or urlsplit(request.url).path
        said = f"{self._place} answered {answer.status} to {request.method} {path}"
        message = f"{said}: {words}" if words else said
        if answer.status == 401:
            return Refused(message, hint=f"the token is wrong or has expired; needed: {self._rights}")
        if answer.status == 403:
            return Refused(message, hint=f"the token may not do that; needed: {self._rights}")
        if answer.status == 404:
            return NotThere(message, hint=f"check --repository and --pull-request; needed: {self._rights}")
        if answer.status in (409, 412) and request.writes:
            return Unsure(message)
        if answer.status in _FALTERS:
            return Unanswered(message, hint="try again later")
        return Unanswered(message)

    def _words(self, body: Any) -> str:
        text = " ".join(_told(body).split())[:_WORDS]
        return redacted_text(text.replace(self._token.reveal(), MASK) if self._token else text)

    @property
    def _place(self) -> str:
        return urlsplit(self._root).netloc.rpartition("@")[2]

    def _unreachable(self, error: BaseException) -> Unanswered:
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            hint = "give the authority that signed its certificate by --ca-file"
            return Unanswered(f"the certificate of {self._place} is not trusted", hint=hint)
        why = "no answer in time" if isinstance(error, TimeoutError) else redacted_text(str(error))
        return Unanswered(f"{self._place} cannot be reached: {why}", hint="check --api-url and the network")


def check_root(root: str, *, plain_http: bool) -> str:
    """An API's URL, unless a token would cross the network for all to read."""
    parts = urlsplit(root)
    if parts.scheme == "https" or (parts.scheme == "http" and (plain_http or parts.hostname in LOOPBACK)):
        if parts.hostname and not parts.username and not parts.query:
            return root.rstrip("/")
        raise TargetUnknown(f"{redacted_text(root)!r} is no URL of an API", hint="https://HOST/…")
    if parts.scheme == "http":
        raise TargetUnknown(
            f"{root} would have the token sent in clear text", hint="use https, or allow it by --plain-http"
        )
    raise TargetUnknown(f"{root!r} is no URL of an API", hint="https://HOST/…")


def _trusting(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise TargetUnknown(f"{ca_file} has no certificates: {error}", hint="a file in PEM format") from error


def _hopeless(error: BaseException) -> bool:
    return isinstance(
        error,
        aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError | aiohttp.InvalidURL,
    )


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return None


def _told(body: Any) -> str:
    """The message in an error's body: every forge has it elsewhere."""
    match body:
        case {"errors": [{"message": str(text)}, *_]} | {"error": {"message": str(text)}}:
            return text
        case {"message": str(text)} | {"error": str(text)}:
            return text
        case {"message": other} if other:
            return orjson.dumps(other).decode()
        case _:
            return ""
