"""Load on an API server from one process: `python -m tests.bench.api_load WHAT KUBECONFIG [COUNT]`.

It prints one JSON object of numbers: requests a second, or seconds. Answers are read but not decoded.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson

from tests.bench.floor import credentials

AT_ONCE = 32
MANY = 2000
LISTED = 5000
WATCHERS = 1000
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
APPLY = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}
Numbers = dict[str, float]


class Load:
    """One client of a server."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def send(self, method: str, path: str, body: bytes | None = None, *, apply: bool = False) -> bytes:
        """One request; its answer."""
        headers = APPLY if apply else JSON
        async with self._session.request(method, self._server + path, data=body, headers=headers) as answer:
            content = await answer.read()
            assert answer.status < 300, content[:500]
            return content

    async def create(self, namespace: str, name: str, size: int = 500) -> bytes:
        """Create a ConfigMap."""
        return await self.send("POST", _config_maps(namespace), _config_map(namespace, name, size))

    async def apply(self, namespace: str, name: str) -> bytes:
        """Apply a ConfigMap."""
        path = f"{_config_maps(namespace)}/{name}?fieldManager=bench&force=true"
        return await self.send("PATCH", path, _config_map(namespace, name, 500), apply=True)

    async def namespaces(self, names: Iterable[str]) -> None:
        """Create namespaces."""
        bodies = [
            orjson.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}}) for n in names
        ]
        await rate(lambda i: self.send("POST", "/api/v1/namespaces", bodies[i]), len(bodies))

    async def watched(self, namespace: str, ready: asyncio.Event) -> float:
        """Watch a namespace from now on; when the first event came."""
        path = f"{_config_maps(namespace)}?watch=true&fieldSelector=metadata.name%3Dtold"
        listed = orjson.loads(await self.send("GET", _config_maps(namespace)))
        url = f"{self._server}{path}&resourceVersion={listed['metadata']['resourceVersion']}"
        async with self._session.get(url, headers=JSON) as answer:
            ready.set()
            await answer.content.readline()
            return time.perf_counter()


def _config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def _config_map(namespace: str, name: str, size: int) -> bytes:
    meta = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": "shop"}}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"settings": "x" * size}}
    return orjson.dumps(obj)


async def rate(request: Callable[[int], Awaitable[object]], count: int) -> float:
    """Requests a second, with so many always under way."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await request(number)

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - start)


async def each(request: Callable[[int], Awaitable[object]], count: int) -> float:
    """The median of so many, one after another, in seconds."""
    found = []
    for number in range(count):
        start = time.perf_counter()
        await request(number)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


async def speed(load: Load, _count: int) -> Numbers:
    """Single requests and lists."""
    await load.namespaces(("speed", "listed"))
    await rate(lambda i: load.create("speed", f"warm-{i}"), AT_ONCE)
    numbers = {
        "create": await rate(lambda i: load.create("speed", f"c-{i}"), MANY),
        "apply_new": await rate(lambda i: load.apply("speed", f"a-{i}"), MANY),
        "apply_same": await rate(lambda i: load.apply("speed", f"a-{i}"), MANY),
        "get": await rate(lambda i: load.send("GET", f"{_config_maps('speed')}/c-{i}"), MANY),
        "create_one": await each(lambda i: load.create("speed", f"one-{i}"), 200),
        "get_one": await each(lambda i: load.send("GET", f"{_config_maps('speed')}/c-{i}"), 200),
    }
    await rate(lambda i: load.create("listed", f"l-{i}"), LISTED)
    return numbers | {"list": await each(lambda _: load.send("GET", _config_maps("listed")), 7)}


async def fan_out(load: Load, _count: int) -> Numbers:
    """One writer, and a watcher for each of many namespaces."""
    names = [f"watched-{i}" for i in range(WATCHERS)]
    await load.namespaces(names)
    gates = [asyncio.Event() for _ in names]
    watchers = []
    for start in range(0, WATCHERS, AT_ONCE):
        for name, gate in zip(names[start : start + AT_ONCE], gates[start : start + AT_ONCE], strict=True):
            watchers.append(asyncio.create_task(load.watched(name, gate)))
        await asyncio.gather(*(gate.wait() for gate in gates[start : start + AT_ONCE]))
    delays = []
    for name, watcher in zip(names, watchers, strict=True):
        start_of_write = time.perf_counter()
        await load.create(name, "told")
        delays.append(await watcher - start_of_write)
    return {"watch": statistics.median(delays)}


async def fill(load: Load, count: int) -> Numbers:
    """Many objects of 2 KiB."""
    await load.namespaces(["full"])
    return {"fill": await rate(lambda i: load.create("full", f"f-{i}", 1700), count)}


WHAT = {"speed": speed, "fan-out": fan_out, "fill": fill}


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Load]:
    """A client with as many connections as it needs."""
    server, tls = credentials(kubeconfig)
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield Load(session, server)


async def _main(what: str, kubeconfig: Path, count: int) -> Numbers:
    async with connected(kubeconfig) as load:
        return await WHAT[what](load, count)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))))
