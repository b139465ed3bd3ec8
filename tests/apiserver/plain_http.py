"""A plain HTTP client of a served `Api`, for tests of what goes over the wire; no test is here."""

from __future__ import annotations

import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

IN_DEFAULT = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
TOKENS = {"root": User("root", ("system:masters",)), "ann": User("ann", ("dev",))}


class Http:
    """A plain HTTP client of the server under test."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str = "root", **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, body (decoded where it is JSON) and headers."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        raw_body = body if isinstance(body, bytes) else None if body is None else orjson.dumps(body)
        data = io.BytesIO(raw_body) if raw_body is not None else None
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.server.url + path, data=data, headers=sent) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, orjson.loads(raw) if is_json and raw else raw, answer.headers


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[Http]:
    """A client that trusts the server's CA."""
    context = ssl.create_default_context(cadata=server.authority.pem.decode())
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
        yield Http(server, session)


@asynccontextmanager
async def in_memory() -> AsyncIterator[Http]:
    """A client of a new server that keeps nothing."""
    async with serve(Api(load_catalog()), tokens=TOKENS) as server, asking(server) as http:
        yield http


def config_map(name: str = "a", **data: str) -> Object:
    """A ConfigMap with data."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
