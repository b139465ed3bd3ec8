"""The worst that the server accepts keeps its event loop busy for less than a tenth of a second at a time."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
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
SERVICES = f"{N}/services"
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


def _service(ports: list[Object], **meta: Any) -> Object:
    spec = {"type": "NodePort" if len(ports) == 1 else "ClusterIP", "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "big", **meta}, "spec": spec}


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
    "many ports": (
        SERVICES, lambda n: _service([{"name": f"p{at}", "port": at + 1} for at in range(n)])),
    "many annotations of a service": (
        SERVICES, lambda n: _service([{"port": 1}], annotations={f"k{at}": "v" for at in range(n)})),
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


Step = tuple[str, str, bytes | None, str, str]
AGAIN = 2
"""What keeps the loop does so each time; what only found both processors taken does not."""


def _steps(path: str, obj: Object) -> Iterator[Step]:
    """Everything that can be done with an object: method, target, body, its type, and what is accepted."""
    raw, one = orjson.dumps(obj), f"{path}/{obj['metadata']['name']}"
    few = orjson.dumps({"metadata": {"labels": {"a": "b"}}})
    fragment = orjson.dumps(
        {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"labels": {"c": "d"}}}
    )
    apply, merge = "application/apply-patch+yaml", "application/merge-patch+json"
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
    yield "GET", f"{path}?includeObject=Object", None, "", TABLE
    if path != OTHERS:
        yield "PATCH", one, raw, "application/strategic-merge-patch+json", ""
        yield "PUT", one, encode_protobuf(obj), MEDIA, MEDIA
        yield "GET", one, None, "", MEDIA
    yield "PATCH", one, b'{"metadata":{"finalizers":null}}', merge, ""
    yield "DELETE", one, None, "", ""


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
LARGEST = ("one long text", "many labels", "many maps", "many lists", "much deep down")
OF_EACH_SORT = ("many maps", "many annotations", "many ports", "many items by their keys", "many containers")
"""What is also kept, and so gone through to the end; the whole of it is refused once it has owners."""


async def _asked(wire: Wire, method: str, target: str, body: Any, media: str = "", accept: str = "") -> float:
    """The longest stall while this is answered."""
    raw = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
    sent = {**HEADERS, **({"Content-Type": media} if media else {}), **({"Accept": accept} if accept else {})}
    data = request(method, target, raw, sent)
    gc.collect()
    async with measured() as found:
        answer = await wire.raw(data)
    judged(answer, (method, target))
    return found.worst


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"),
    [
        *((name, SIZE if name in LARGEST else SIZE // 3) for name in WORST),
        *((name, SIZE // 6) for name in OF_EACH_SORT),
    ],
    ids=[*WORST, *(f"{name}, kept" for name in OF_EACH_SORT)],
)
async def test_a_large_object_holds_nobody_up(wire: Wire, name: str, size: int) -> None:
    """Written, changed, applied, read in each form and deleted: no step keeps the loop from others."""
    path, make = WORST[name]
    steps = list(_steps(path, _filled(make, size)))
    # The largest are only created, for with their owners they are too large; what is kept goes all the way.
    steps = [steps[0], *steps[-2:]] if size > SIZE // 6 else steps
    stalled = await _stalled(wire, steps)
    for _ in range(AGAIN):
        stalled = stalled and await _stalled(wire, steps)
    assert stalled == {}


async def _stalled(wire: Wire, steps: Iterable[Step]) -> dict[str, float]:
    """The steps that kept the loop for too long, and for how long."""
    found = {}
    for step in steps:
        stall = await _asked(wire, *step)
        if stall > max(LIMIT, _one_call(step[2])):
            found[" ".join((step[0], step[1], *step[3:]))] = round(stall, 3)
    return found


def _one_call(body: bytes | None) -> float:
    """Twice what it takes, here and now, to read the body: a call into C that nobody can come between.

    It is far below the limit, unless the machine has too much to do.
    """
    if body is None or not body.startswith(b"{"):
        return 0
    begun = time.process_time()
    orjson.loads(body)
    return 2 * (time.process_time() - begun)


def _nested(depth: int, wide: int) -> Object:
    fields: Object = {
        f"f{at}": {"type": "string", "maxLength": 9, "description": "x" * 40} for at in range(wide)
    }
    for _ in range(depth):
        fields = {"below": {"type": "object", "properties": fields}, "f0": {"type": "string"}}
    return fields


def _definition(fields: Object) -> Object:
    crd: Object = orjson.loads(orjson.dumps(WIDGETS).replace(b"fuzz.example.com", b"wide.example.com"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"] = fields
    del spec["x-kubernetes-validations"]
    return crd


DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDE = f"{DEFINITIONS}/widgets.wide.example.com"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
EVIL = {"text": {"type": "string", "pattern": "^(a+)+$"}, "other": {"type": "string", "pattern": "(x+x+)+y"}}


@pytest.mark.slow
async def test_a_definition_holds_nobody_up(wire: Wire) -> None:
    """A schema of a megabyte is created, listed, shown to explain, and removed."""
    found = {
        "create": await _asked(
            wire, "POST", DEFINITIONS, _definition(_nested(30, 8_000)), "application/json"
        ),
        "groups": await _asked(wire, "GET", "/apis", None, accept=DISCOVERY),
        "schema": await _asked(wire, "GET", "/openapi/v3/apis/wide.example.com/v1", None),
        "schemas": await _asked(wire, "GET", "/openapi/v2", None),
        "list": await _asked(wire, "GET", DEFINITIONS, None, accept=TABLE),
        "delete": await _asked(wire, "DELETE", WIDE, None),
    }
    assert {step: round(stall, 3) for step, stall in found.items() if stall > LIMIT} == {}


async def test_a_pattern_takes_time_in_proportion(wire: Wire) -> None:
    """Patterns that make a backtracking matcher try for years are matched at once, in texts of 1 MiB."""
    assert await _asked(wire, "POST", DEFINITIONS, _definition(EVIL), "application/json") < LIMIT
    target = "/apis/wide.example.com/v1/namespaces/default/widgets"
    try:
        for field, text in (("text", "a"), ("other", "x")):
            spec = {field: text * 2**20 + "!"}
            obj = {
                "apiVersion": "wide.example.com/v1",
                "kind": "Widget",
                "metadata": {"name": "e"},
                "spec": spec,
            }
            answer = judged(await wire("POST", target, obj))
            assert (answer.status, answer.reason) == (422, "Invalid")
            assert await _asked(wire, "POST", target, obj, "application/json") < LIMIT
    finally:
        await wire("DELETE", WIDE)


@pytest.mark.slow
async def test_a_large_collection_holds_nobody_up(busy: Server, wire: Wire) -> None:
    """5,000 pods listed in every form, selected by hundreds of terms, watched from the start, deleted at once."""
    path = f"{N}/pods"
    served = busy.api.catalog.served("v1", "Pod")
    assert served is not None
    spec = DEPLOYMENT["spec"]["template"]["spec"]
    with busy.api.store.batch():
        for at in range(5000):
            meta = {"name": f"p{at}", "namespace": "default", "labels": {"a": str(at)}}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
            busy.api.create(served, "default", pod)
    many = ",".join(f"a!={at}" for at in range(300))
    watch = f"{path}?watch=1&timeoutSeconds=1&resourceVersion=0"
    found = {
        "json": await _asked(wire, "GET", path, None),
        "pretty": await _asked(wire, "GET", f"{path}?pretty=true", None),
        "table": await _asked(wire, "GET", path, None, accept=TABLE),
        "metadata": await _asked(wire, "GET", path, None, accept=METADATA),
        "protobuf": await _asked(wire, "GET", path, None, accept=MEDIA),
        "yaml": await _asked(wire, "GET", f"{path}?limit=200", None, accept="application/yaml"),
        "selected": await _asked(wire, "GET", f"{path}?labelSelector={many}", None),
        "by field": await _asked(wire, "GET", f"{path}?fieldSelector=spec.nodeName%3Dx", None),
        "watch": await _asked(wire, "GET", watch, None),
        "watch as a table": await _asked(wire, "GET", watch, None, accept=TABLE),
        "watch selected": await _asked(wire, "GET", f"{watch}&labelSelector={many}", None),
        "delete": await _asked(wire, "DELETE", path, b'{"gracePeriodSeconds":0}', "application/json"),
    }
    assert {step: round(stall, 3) for step, stall in found.items() if stall > LIMIT} == {}
    assert judged(await wire("GET", path)).document["items"] == []
