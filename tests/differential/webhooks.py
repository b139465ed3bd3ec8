"""A webhook server for two API servers: what it answers is said by the path, what it was asked is kept.

`/real/deny` is the webhook `deny` as the real server is to call it. A CA of its own signs its certificate.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from gitops_ocm.apiserver.tls import Authority


def _patch(*operations: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "allowed": True,
        "patchType": "JSONPatch",
        "patch": base64.b64encode(orjson.dumps(operations)).decode(),
    }


def _added(key: str, value: str) -> dict[str, Any]:
    return {"op": "add", "path": f"/data/{key}", "value": value}


def _seen(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is in the data by now, written into it: whoever is asked later sees more."""
    return _patch(_added("seen", ",".join(sorted(request["object"].get("data") or {}))))


RESPONSES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "allow": lambda request: {"allowed": True, "auditAnnotations": {"a": "b"}},
    "warn": lambda request: {"allowed": True, "warnings": ["first", "second"]},
    "deny": lambda request: {"allowed": False, "warnings": ["beside it"]},
    "message": lambda request: {
        "allowed": False,
        "status": {"message": "no", "code": 409, "reason": "Conflict"},
    },
    "reason": lambda request: {"allowed": False, "status": {"reason": "Expired"}},
    "code": lambda request: {"allowed": False, "status": {"message": "fine", "code": 200}},
    "label": lambda request: _patch(_added("labelled", "yes")),
    "seen": _seen,
    "break": lambda request: _patch({"op": "remove", "path": "/data/none"}),
    "spoil": lambda request: _patch({"op": "add", "path": "/data/bad key", "value": "x"}),
    "undecodable": lambda request: {"allowed": True, "patchType": "JSONPatch", "patch": "bm8="},
    "typeless": lambda request: {"allowed": True, "patch": base64.b64encode(b"[]").decode()},
    "other-uid": lambda request: {"allowed": True, "uid": "other"},
}


@dataclass
class Webhook:
    """The running server: its address, its CA as it stands in a configuration, and what it was asked."""

    url: str
    ca: str
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def reviews(self, side: str) -> list[tuple[str, Mapping[str, Any]]]:
        """What one server asked, in order."""
        return [(name, review) for asker, name, review in self.asked if asker == side]


@asynccontextmanager
async def webhook(directory: Path, *hosts: str) -> AsyncIterator[Webhook]:
    """Serve until the context ends; the certificate is for loopback, and for these names."""
    authority = Authority.open(directory, now=datetime.now(UTC))
    context = authority.server_context(authority.server(["127.0.0.1", *hosts], now=datetime.now(UTC)))
    found = Webhook("", base64.b64encode(authority.pem).decode())

    async def answer(request: web.Request) -> web.Response:
        side, name = request.match_info["side"], request.match_info["name"]
        review = await request.json()
        if name == "none":
            return web.json_response({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"})
        if name == "text":
            return web.Response(text="hello")
        if name.isdecimal():
            return web.Response(status=int(name), text="broken")
        found.asked.append((side, name, review))
        response = {"uid": review["request"]["uid"], **RESPONSES[name](review["request"])}
        return web.json_response({**review, "request": None, "response": response})

    app = web.Application()
    app.router.add_post("/{side}/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    found.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
