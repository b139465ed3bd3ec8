"""The floor: the least that any Python client must do, with nothing decided and nothing checked.

A bare aiohttp session with 32 connections sends one server-side-apply request per object and reads
the answers. The bodies are parsed and the URLs known before the clock starts.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from ruamel.yaml import YAML

from tests.bench.fleet import Fleet
from tests.bench.measure import Stopwatch

CONNECTIONS = 32
PLURALS = {"ConfigMap": "configmaps", "ManifestWork": "manifestworks", "Namespace": "namespaces"}


async def first_sync(fleet: Fleet, kubeconfig: Path, servers: Sequence[int]) -> dict[str, float]:
    """Send every object; namespaces before the rest."""
    yaml = YAML(typ="safe")
    namespaces = list(yaml.load_all(fleet.namespaces))
    objects = [yaml.load(path) for path in fleet.files]
    server, tls = credentials(kubeconfig)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, ssl=tls)
    async with aiohttp.ClientSession(connector=connector) as session:
        await _send(session, server, namespaces)  # connections are open and warm from here on
        watch = Stopwatch(servers)
        await _send(session, server, objects)
        return watch.stop() | {"requests": len(objects)}


async def _send(session: aiohttp.ClientSession, server: str, objects: list[dict[str, Any]]) -> None:
    work = iter(objects)
    headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}

    async def worker() -> None:
        for obj in work:
            url = f"{server}{_path(obj)}?fieldManager=floor&force=true"
            async with session.patch(url, data=orjson.dumps(obj), headers=headers) as answer:
                body = orjson.loads(await answer.read())
                assert answer.status in (200, 201), body

    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))


def _path(obj: dict[str, Any]) -> str:
    group = f"/apis/{obj['apiVersion']}" if "/" in obj["apiVersion"] else f"/api/{obj['apiVersion']}"
    meta = obj["metadata"]
    scope = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{group}{scope}/{PLURALS[obj['kind']]}/{meta['name']}"


def credentials(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """The server and client certificate of a kubeconfig of `testing.controlplane`."""
    content = YAML(typ="safe").load(kubeconfig)
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pem:
        for key in ("client-certificate-data", "client-key-data"):
            pem.write(base64.b64decode(user[key]))
        pem.flush()
        tls.load_cert_chain(pem.name)
    return str(cluster["server"]), tls
