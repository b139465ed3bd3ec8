"""Bodies in every form that is read (JSON, YAML, protobuf), broken in every way a bit can be."""

from __future__ import annotations

import gzip
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.bodies import MAX_DEPTH, Unreadable
from gitops_ocm.apiserver.negotiation import decode
from gitops_ocm.apiserver.protobuf import MEDIA
from gitops_ocm.apiserver.protobuf_encode import encode_protobuf
from gitops_ocm.apiserver.yaml_answers import to_yaml
from gitops_ocm.objects.faults import ApiError
from tests.fuzz.oracle import judged
from tests.fuzz.strategies import (
    CONFIG_MAP,
    DEPLOYMENT,
    LEASE,
    OBJECTS,
    ROLE,
    SERVICE,
    WIDGETS,
    mutated,
    values,
)
from tests.fuzz.wire import Wire

MANY = settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_BUILT_IN: tuple[tuple[str, Any], ...] = (
    ("/api/v1/namespaces/default/configmaps", CONFIG_MAP),
    ("/api/v1/namespaces/default/services", SERVICE),
    ("/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT),
    ("/apis/coordination.k8s.io/v1/namespaces/default/leases", LEASE),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles", ROLE),
    (DEFINITIONS, WIDGETS),
)


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with some exchanged, left out, doubled or added."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(whole))), draw(st.integers(0, 8))
        middle = draw(st.binary(max_size=8) | st.just(whole[at : at + 8] * 2))
        whole = whole[:at] + middle + whole[at + length :]
    return whole


@pytest.mark.parametrize(("path", "obj"), _BUILT_IN, ids=[path.rsplit("/", 1)[1] for path, _ in _BUILT_IN])
@pytest.mark.parametrize("media", [MEDIA, "application/yaml", "application/json"])
@given(data=st.data())
@settings(MANY, max_examples=40)
async def test_any_damage(root: Wire, media: str, path: str, obj: Any, data: st.DataObject) -> None:
    """An object in any form, with some of its bytes damaged."""
    sent: Any = {**obj, "metadata": {**obj["metadata"], "name": "new"}}
    whole = {MEDIA: encode_protobuf, "application/yaml": to_yaml, "application/json": orjson.dumps}[media](
        sent
    )
    body = data.draw(broken(whole))
    judged(await root("POST", f"{path}?dryRun=All", body, media), (path, media, body))


@given(data=st.data())
@MANY
async def test_any_definition(root: Wire, data: st.DataObject) -> None:
    """A CustomResourceDefinition of any shape is created and serves, or is refused; then it goes again."""
    crd = data.draw(mutated(WIDGETS))
    if isinstance(crd, dict) and isinstance(crd.get("metadata"), dict):
        crd = orjson.loads(orjson.dumps(crd).replace(b"fuzz.example.com", b"other.example.com"))
    answer = judged(await root("POST", DEFINITIONS, crd), crd)
    if answer.status != 201:
        return
    try:
        for path in ("/apis", "/openapi/v2", "/openapi/v3/apis/other.example.com/v1"):
            judged(await root("GET", path), (path, crd))
        widgets = "/apis/other.example.com/v1/namespaces/default/widgets"
        obj = {
            **OBJECTS["/apis/fuzz.example.com/v1/namespaces/default/widgets/w"],
            "apiVersion": "other.example.com/v1",
        }
        judged(await root("POST", widgets, obj), crd)
        judged(await root("GET", widgets, Accept="application/json;as=Table;v=v1;g=meta.k8s.io"), crd)
        judged(
            await root(
                "PATCH", f"{widgets}/w?fieldManager=f&force=true", obj, "application/apply-patch+yaml"
            ),
            crd,
        )
    finally:
        judged(await root("DELETE", f"{DEFINITIONS}/{crd['metadata']['name']}"), crd)


@given(
    body=st.binary(max_size=200) | values.map(orjson.dumps),
    media=st.sampled_from([MEDIA, "application/yaml", ""]),
)
@MANY
def test_any_bytes(body: bytes, media: str) -> None:
    """Bytes of any kind are read, or are said to be unreadable."""
    try:
        decode(b"k8s\x00" + body if media == MEDIA else body, media)
    except (Unreadable, ApiError):
        return


_BOMB = gzip.compress(b" " * 2**26, 9)
DEEP = {
    "objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "lists": b"[" * 100_000,
    "data": b'{"kind":"ConfigMap","data":' + b"[" * 900 + b"]" * 900 + b"}",
    "blocks": b"- " * 5000 + b"a",
    "flows": b"{a: " * 3000 + b"}" * 3000,
    "aliases": b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9) if n else b"1") for n in range(12)
    ),
    "key": b"? " * 3000 + b"a",
    "anchors": b"a: " + b"&a " * 3000 + b"b",
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("media", ["application/json", "application/yaml", "application/apply-patch+yaml"])
async def test_what_is_too_deep_is_refused(root: Wire, name: str, media: str) -> None:
    """Nesting beyond any reason, and YAML that multiplies itself, is a 400 and costs nothing."""
    method = "PATCH" if "patch" in media else "POST"
    target = "/api/v1/namespaces/default/configmaps" + ("/c?fieldManager=x" if method == "PATCH" else "")
    answer = judged(await root(method, target, DEEP[name], media), name)
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity", "x", "gzip, gzip"])
async def test_a_packed_body_is_not_unpacked_without_end(root: Wire, encoding: str) -> None:
    """64 MiB that come as 64 KiB are refused whatever the packing is called; the server goes on."""
    answer = await root("POST", "/api/v1/namespaces/default/configmaps", _BOMB, Content_Encoding=encoding)
    assert 400 <= answer.status < 500, answer
    assert judged(await root("GET", "/version")).status == 200


@pytest.mark.parametrize("size", [3 * 1024 * 1024 + 1, 16 * 1024 * 1024])
async def test_a_body_of_more_than_3_mib_is_refused(root: Wire, size: int) -> None:
    """413, and no more of it is read than that takes."""
    answer = await root("POST", "/api/v1/namespaces/default/configmaps", b" " * size)
    assert (answer.status, answer.reason) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("path", ["/apis/fuzz.example.com/v1/namespaces/default/widgets"])
@pytest.mark.parametrize(
    "accept", ["application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io"]
)
async def test_what_is_as_deep_as_may_be_is_served_in_every_form(root: Wire, path: str, accept: str) -> None:
    """The deepest object that is taken can be applied, patched, listed, watched and deleted."""
    deep: Any = 1
    for _ in range(MAX_DEPTH - 4):
        deep = {"a": deep}
    obj = {
        "apiVersion": "fuzz.example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "deep"},
        "spec": {"any": deep},
    }
    steps: tuple[tuple[str, str, Any, str], ...] = (
        ("PATCH", f"{path}/deep?fieldManager=x&includeObject=Object", obj, "application/apply-patch+yaml"),
        ("PATCH", f"{path}/deep", {"metadata": {"labels": {"a": "b"}}}, "application/merge-patch+json"),
        (
            "PATCH",
            f"{path}/deep",
            [{"op": "add", "path": "/spec/text", "value": "t"}],
            "application/json-patch+json",
        ),
        ("GET", f"{path}?includeObject=Object", None, ""),
        ("GET", f"{path}?watch=1&timeoutSeconds=1&includeObject=Object&resourceVersion=0", None, ""),
        ("DELETE", f"{path}/deep", None, ""),
    )
    for method, target, body, media in steps:
        answer = judged(await root(method, target, body, media, Accept=accept), (method, target))
        assert answer.status in ((200, 201) if "watch" not in target else (200, 406)), answer.body[:300]
    deeper = {**obj, "spec": {"any": {"a": {"a": {"a": deep}}}}}
    answer = judged(await root("POST", path, deeper))
    assert (answer.status, answer.reason) == (400, "BadRequest")
