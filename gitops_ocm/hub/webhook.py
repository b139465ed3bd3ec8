"""Serves OCM's webhooks over HTTPS: admission of what people write on a hub, conversion of add-ons.

    async with serving(Reviewer(cluster, settings), "0.0.0.0", 9443, certificate) as port: ...

The same judgements as on the embedded hub (`decide.admission`), where they are made inside the server. What
a writer may do is asked of the API, each time: rights that were taken away count at once. Which webhooks an
API server calls is in its configurations; the paths here are OCM's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from gitops_ocm.decide import admission
from gitops_ocm.decide.admission_review import Asked, allowed, asked, conversion, denied, question_for
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError, bad_request, forbidden
from gitops_ocm.objects.ref import Object, kind_of
from gitops_ocm.objects.served import ACCESS_REVIEWS, NAMESPACES
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.listening import listening
from gitops_ocm.runtime.log import get_logger

MUTATE = "/mutate-cluster-open-cluster-management-io-v1-managedcluster"
VALIDATE = (
    "/validate-cluster-open-cluster-management-io-v1-managedcluster",
    "/validate-cluster-open-cluster-management-io-v1beta2-managedclustersetbinding",
    "/validate-work-open-cluster-management-io-v1-manifestwork",
)
CONVERT = "/convert"
HEALTH = ("/healthz", "/readyz", "/livez")
LOOK_SECONDS = 5.0
"""How often the certificate's files are looked at; a Secret in a pod changes about once a minute at most."""
_MAX_BODY = 16 * 2**20
_GRACE = 5.0

_log = get_logger("webhook")


class WebhookError(GitopsError):
    """The webhooks cannot be served."""

    code = "webhook"


class Reviewer:
    """Answers reviews; what it has to know it asks the hub's API."""

    def __init__(
        self, cluster: Cluster, settings: HubSettings | None = None, *, clock: Clock | None = None
    ) -> None:
        self._cluster = cluster
        self._settings = settings or HubSettings()
        self._clock = clock or SystemClock()

    async def mutate(self, envelope: Any) -> Object:
        """Fill in what the hub fills in."""
        question = asked(envelope)
        if question.deletes:
            return allowed(question)
        try:
            wanted = admission.mutated(question.obj, question.old, self._clock.now(), self._settings)
        except ApiError as error:
            return denied(question, error)
        return allowed(question, wanted)

    async def validate(self, envelope: Any) -> Object:
        """Say whether it may be written, by whom it is."""
        question = asked(envelope)
        if kind_of(question.obj) not in admission.WEBHOOKS:
            raise bad_request(f"{kind_of(question.obj)} is not judged here")
        if question.deletes:
            return allowed(question)
        try:
            for review in admission.reviews_of(question.obj, question.old, self._settings):
                await self._require(review, question)
        except ApiError as error:
            _log.info("denied", user=question.user_name, reason=error.message)
            return denied(question, error)
        return allowed(question)

    async def convert(self, envelope: Any) -> Object:
        """Convert objects between their versions."""
        return conversion(envelope)

    async def _require(self, review: admission.Review, question: Asked) -> None:
        """Raise unless who writes may do that; also where the hub gives no answer."""
        try:
            namespace = await self._namespace(review.name) if review.of_acceptance else None
            answer = await self._cluster.create(ACCESS_REVIEWS, question_for(review, question.user))
        except (ApiError, Unreachable) as error:
            resource = f"{review.resource}/{review.subresource}".rstrip("/")
            raise forbidden(review.group, resource, review.name, error.message) from error
        if review.of_acceptance:
            admission.require_open(review, namespace)
        if not (answer.get("status") or {}).get("allowed"):
            raise admission.refusal(review, question.user_name)

    async def _namespace(self, name: str) -> Object | None:
        return await find(self._cluster, NAMESPACES, name)


@dataclass(frozen=True)
class ServingCertificate:
    """The files with what the server shows: a certificate with its chain, and the key."""

    certificate: Path
    key: Path

    def load_into(self, context: ssl.SSLContext) -> None:
        """Have new connections served with the files as they are."""
        try:
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise WebhookError(
                f"cannot use the certificate {self.certificate}: {error.strerror or error}",
                hint="--tls-cert-file and --tls-private-key-file name PEM files that belong together",
            ) from error

    def stamp(self) -> tuple[int, ...]:
        """Changes when a file does; a file that is missing for a moment has a stamp, too."""
        return tuple(_modified(path) for path in (self.certificate, self.key))


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@asynccontextmanager
async def serving(
    reviewer: Reviewer,
    host: str,
    port: int,
    certificate: ServingCertificate,
    *,
    clock: Clock | None = None,
    look: float = LOOK_SECONDS,
) -> AsyncIterator[int]:
    """Serve on `port` (0: a free one, which is yielded); a certificate that changes is taken over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    stamp = certificate.stamp()
    certificate.load_into(context)
    async with listening(_application(reviewer), host, port, context, grace=_GRACE) as taken:
        reloading = asyncio.create_task(_reload(context, certificate, stamp, clock or SystemClock(), look))
        try:
            yield taken
        finally:
            reloading.cancel()
            await asyncio.gather(reloading, return_exceptions=True)


async def _reload(
    context: ssl.SSLContext,
    certificate: ServingCertificate,
    stamp: tuple[int, ...],
    clock: Clock,
    look: float,
) -> None:
    while True:
        await clock.sleep(look)
        if (now := certificate.stamp()) == stamp:
            continue
        try:
            certificate.load_into(context)
        except WebhookError as error:  # half written: the one in use stays, and the next look comes
            _log.warning("certificate not taken over yet", error=error)
            continue
        stamp = now
        _log.info("certificate taken over", file=str(certificate.certificate))


def _application(reviewer: Reviewer) -> web.Application:
    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_post(MUTATE, _answering(reviewer.mutate))
    app.router.add_post(CONVERT, _answering(reviewer.convert))
    for path in VALIDATE:
        app.router.add_post(path, _answering(reviewer.validate))
    for path in HEALTH:
        app.router.add_get(path, _well)
    return app


def _answering(
    answer: Callable[[Any], Awaitable[Object]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            body = orjson.loads(await request.read())
            found = await answer(body)
        except (orjson.JSONDecodeError, ApiError) as error:
            text = error.message if isinstance(error, ApiError) else "the body is no JSON"
            return web.Response(status=400, text=text)
        return web.Response(body=orjson.dumps(found), content_type="application/json")

    return handle


async def _well(_request: web.Request) -> web.Response:
    return web.Response(text="ok")
