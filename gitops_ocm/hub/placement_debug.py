"""The scheduler's debug endpoint over HTTPS, as OCM's placement controller serves it.

    GET  /debug/placements/NAMESPACE/NAME     a stored placement, decided anew
    POST /debug/placements/                   a placement that is only tried (JSON, up to 1 MiB)

Nothing is written. Who asks shows a bearer token of the hub, whose holder may get (create) placements in that
namespace; the hub itself is asked, with that token. What is answered is `decide.placement.debugging`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import orjson
from aiohttp import web
from pydantic import ValidationError

from gitops_ocm.api.placement import PlacementSpec
from gitops_ocm.decide.contract import Unread, View
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.placement.debugging import debug_result
from gitops_ocm.decide.placement.decisions import survey
from gitops_ocm.decide.placement.schedule import Schedule, schedule
from gitops_ocm.live.labour import Labour
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.rights import Right
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.runtime.listening import listening
from gitops_ocm.runtime.observing import Refused, server_context

PATH = "/debug/placements/"
LIMIT = 1024 * 1024
VERBS = {"GET": "get", "POST": "create"}
GROUP = "cluster.open-cluster-management.io"
_GRACE = 2.0

Admit = Callable[[str, Right], Awaitable[Refused | None]]
"""Judges a bearer token (may be "") and what its holder wants to do."""


@dataclass(frozen=True)
class DebugOptions:
    """Where to serve (port 0: a free one), and who decides who may look."""

    host: str
    port: int
    admit: Admit
    listens: Callable[[int], None] = lambda port: None


class _Failed(Exception):
    """What is wrong with a request: a status and what is said."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def serve_debugging(
    options: DebugOptions, view: Callable[[], View], clock: Clock, stop: asyncio.Event
) -> None:
    """Serve until `stop`; `view` tells what the controllers see."""

    async def answer(request: web.Request) -> web.Response:
        try:
            placement = await _placement(request, view())
            await _check(request, placement, options.admit)
            choice = await labour.result(partial(_choice, view, placement, clock))
        except _Failed as failed:
            return _json({"error": str(failed)}, failed.status)
        except Unread:
            return _json({"error": "the controllers have not read the hub yet"}, 500)
        return _json(debug_result(placement, choice, sent=request.method == "POST"), 200)

    labour = Labour()
    app = web.Application(client_max_size=2 * LIMIT)
    app.router.add_route("*", PATH + "{key:.*}", answer)
    context = server_context(clock)
    async with listening(app, options.host, options.port, context, grace=_GRACE) as taken:
        options.listens(taken)
        await stop.wait()
    labour.close()


def _choice(view: Callable[[], View], placement: Object, clock: Clock) -> Schedule:
    return schedule(placement, *survey(view(), placement, clock.now()))


async def _placement(request: web.Request, view: View) -> Object:
    match request.method:
        case "POST":
            return await _sent(request)
        case "GET":
            return _stored(request.match_info["key"], view)
    raise _Failed(405, f"method {request.method} not allowed")


def _stored(key: str, view: View) -> Object:
    namespace, slash, name = key.partition("/")
    if "/" in name:
        raise _Failed(400, f'unexpected key format: "{key}"')
    if not slash or not namespace:
        raise _Failed(400, "invalid debug path: namespace and name required")
    found = view.get(Ref(*PLACEMENT, namespace, name))
    if found is None:
        raise _Failed(404, f"placement '{name}' not found")
    return found


async def _sent(request: web.Request) -> Object:
    over = f"exceeds maximum of {LIMIT} bytes"
    if (request.content_length or 0) > LIMIT:
        raise _Failed(400, f"request body too large: {request.content_length} bytes {over}")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LIMIT:
            raise _Failed(400, f"request body too large: {over}")
    try:
        placement = orjson.loads(bytes(body))
        PlacementSpec.model_validate(placement.get("spec") or {})
        meta = placement.setdefault("metadata", {})
        named: Object = {**placement, "metadata": {**meta, "name": str(meta.get("name") or "")}}
    except orjson.JSONDecodeError as error:
        raise _Failed(400, f"failed to unmarshal placement JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise _Failed(400, f"failed to unmarshal placement JSON: spec.{where}: {first['msg']}") from error
    except (AttributeError, TypeError) as error:
        raise _Failed(400, "failed to unmarshal placement JSON: it is not an object") from error
    return named


async def _check(request: web.Request, placement: Object, admit: Admit) -> None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    namespace, verb = str(placement["metadata"].get("namespace") or ""), VERBS[request.method]
    right = Right(verb, GROUP, "placements", namespace=namespace)
    refused = await admit(token if kind.lower() == "bearer" else "", right)
    if refused is None:
        return
    if refused.status != 403:
        raise _Failed(refused.status, refused.why)
    why = f"user does not have permission to {verb} placements in namespace {namespace}"
    raise _Failed(403, f"{why}: {refused.why}")


def _json(body: object, status: int) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
