"""The worst that the server accepts keeps its event loop busy for less than a tenth of a second at a time."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import orjson
import pytest

from gitops_ocm.apiserver.protobuf import MEDIA
from gitops_ocm.apiserver.protobuf_encode import encode_protobuf
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.memory import settle
from tests.fuzz.conftest import TOKENS
from tests.fuzz.oracle import judged
from tests.fuzz.stalls import measured
from tests.fuzz.strategies import DEPLOYMENT, WIDGETS, N
from tests.fuzz.wire import Wire, request

LIMIT = 0.1
CONFIG_MAPS = f"{N}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
OTHERS = "/apis/fuzz.example.com/v1/namespaces/default/widgets"
SIZE = 3 * 1024 * 1024 - 4096
HEADERS = {"Authorization": "Bearer root"}


@pytest.fixture(scope="module")
async def busy() -> AsyncIterator[Server]:
    """A server of its own, in a process that treats its memory as a server's process does."""
    before = gc.get_threshold()
    settle()
    async with serve(Api(load_catalog()), tokens=TOKENS, crds=(WIDGETS,)) as server:
        yield server
    gc.set_threshold(*before)


@pytest.fixture
async def wire(busy: Server) -> AsyncIterator[Wire]:
    """A connection to it."""
    found = Wire(busy.url, busy.authority.pem, "root")
    yield found
    await found.close()


def _config_map(data: Object, **meta: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big", **meta}, "data": data}


def _widget(spec: Object) -> Object:
    return {"apiVersion": "fuzz.example.com/v1", "kind": "Widget", "metadata": {"name": "big"}, "spec": spec}


def _deployment(containers: list[Object]) -> Object:
    template = DEPLOYMENT["spec"]["template"]
    spec = {**DEPLOYMENT["spec"], "template": {**template, "spec": {"containers": containers}}}
    return {**DEPLOYMENT, "metadata": {"name": "big"}, "spec": spec}


def _deep(count: int) -> Any:
    value: Any = [1] * count
    for _ in range(180):
        value = {"a": value}
    return value


def _owner(at: int) -> Object:
    return {"apiVersion": "v1", "kind": "x", "name": "x", "uid": str(at)}


WORST: dict[str, tuple[str, Callable[[int], Object]]] = {
    "one long text": (CONFIG_MAPS, lambda n: _config_map({"k": "x" * n})),
    "many keys": (CONFIG_MAPS, lambda n: _config_map({f"k{at}": "v" for at in range(n)})),
    "many annotations": (CONFIG_MAPS, lambda n: _config_map({}, annotations={f"k{at}": "v" for at in range(n)})),
    "many labels": (CONFIG_MAPS, lambda n: _config_map({}, labels={f"k{at}": "v" for at in range(n)})),
    "many owners": (CONFIG_MAPS, lambda n: _config_map({}, ownerReferences=[_owner(at) for at in range(n)])),
    "many finalizers": (CONFIG_MAPS, lambda n: _config_map({}, finalizers=[f"a.b/{at}" for at in range(n)])),
    "many maps": (OTHERS, lambda n: _widget({"any": {f"k{at}": {} for at in range(n)}})),
    "many lists": (OTHERS, lambda n: _widget({"any": {"a": [[]] * n}})),
    "much deep down": (OTHERS, lambda n: _widget({"any": _deep(n)})),
    "many items by their keys": (
        OTHERS, lambda n: _widget({"many": [{"name": f"n{at}", "port": 1} for at in range(n)]})),
    "many items of a set": (OTHERS, lambda n: _widget({"set": [f"n{at}" for at in range(n)]})),
    "many containers": (
        DEPLOYMENTS, lambda n: _deployment([{"name": f"c{at}", "image": "i"} for at in range(n)])),
    "many variables": (
        DEPLOYMENTS,
        lambda n: _deployment([{"name": "c", "image": "i", "env": [{"name": f"E{at}"} for at in range(n)]}])),
}  # fmt: skip


def _filled(make: Callable[[int], Object], size: int) -> Object:
    """As much of it as goes into so many bytes."""
    each = (len(orjson.dumps(make(2000))) - len(orjson.dumps(make(1000)))) / 1000
    count = int(size / each)
    while len(orjson.dumps(make(count))) > size:
        count = int(count * 0.98)
    return make(count)


def _steps(path: str, obj: Object) -> Iterator[tuple[str, str, bytes | None, str, str]]:
    """Everything that can be done with an object: method, target, body, its type, and what is accepted."""
    raw, one = orjson.dumps(obj), f"{path}/{obj['metadata']['name']}"
    few = orjson.dumps({"metadata": {"labels": {"a": "b"}}})
    fragment = orjson.dumps(
        {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"labels": {"c": "d"}}}
    )
    apply, merge = "application/apply-patch+yaml", "application/merge-patch+json"
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    yield "POST", path, raw, "application/json", ""
    yield "PATCH", one, few, merge, ""
    yield "PATCH", f"{one}?fieldManager=a&force=true", raw, apply, ""
    yield "PATCH", f"{one}?fieldManager=b&force=true", fragment, apply, ""
    yield (
        "PATCH",
        one,
        orjson.dumps([{"op": "copy", "from": "/metadata", "path": "/x"}]),
        "application/json-patch+json",
        "",
    )
    yield "GET", one, None, "", ""
    yield "GET", f"{path}?includeObject=Object", None, "", table
    if path != OTHERS:
        yield "PATCH", one, raw, "application/strategic-merge-patch+json", ""
        yield "PUT", one, encode_protobuf(obj), MEDIA, MEDIA
        yield "GET", one, None, "", MEDIA
    yield "PATCH", one, b'{"metadata":{"finalizers":null}}', merge, ""
    yield "DELETE", one, None, "", ""


@pytest.mark.slow
@pytest.mark.parametrize("size", [SIZE, SIZE // 3], ids=["whole", "third"])
@pytest.mark.parametrize("name", WORST)
async def test_a_large_object_holds_nobody_up(wire: Wire, name: str, size: int) -> None:
    """Written, changed, applied, read in each form and deleted: no step keeps the loop from others."""
    path, make = WORST[name]
    stalled = {}
    for method, target, body, media, accept in _steps(path, _filled(make, size)):
        sent = {
            **HEADERS,
            **({"Content-Type": media} if media else {}),
            **({"Accept": accept} if accept else {}),
        }
        data = request(method, target, body, sent)
        gc.collect()
        async with measured() as found:
            answer = await wire.raw(data)
        judged(answer, (name, method, target))
        if found.worst > LIMIT:
            stalled[f"{method} {target} {media} {accept}"] = round(found.worst, 3), answer.status
    assert stalled == {}
