"""Paths, queries and headers of any kind: selectors, versions, tokens, forms of answers, encodings."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.oracle import judged
from tests.fuzz.strategies import OBJECTS, WORDS, N, texts, values
from tests.fuzz.wire import Wire

MANY = settings(
    derandomize=True,
    deadline=None,
    max_examples=250,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
COLLECTIONS = tuple(path.rsplit("/", 1)[0] for path in OBJECTS)
_OPERATORS = ("=", "==", "!=", " in ", " notin ", ">", "<", "!", ",", "(", ")", " ", "\\", "\\,", "\\=")
_pieces = st.sampled_from(_OPERATORS) | st.sampled_from(["a", "metadata.name", "spec.x", "b/c", "1", *WORDS])
selectors = st.lists(_pieces, max_size=10).map("".join)
_tokens = st.binary(max_size=40) | st.fixed_dictionaries(
    {}, optional={"v": st.just("meta.k8s.io/v1") | values, "rv": values, "start": values}
).map(lambda token: repr(token).replace("'", '"').encode("utf-8", "replace"))
tokens = _tokens.map(lambda raw: base64.urlsafe_b64encode(raw).decode()) | texts
numbers = (
    st.integers().map(str) | st.sampled_from(["9" * 30, "9" * 5000, "٣", "1_0", " 1", "0x1", "1e3"]) | texts
)


@given(path=st.sampled_from(COLLECTIONS), labels=selectors, fields=selectors)
@MANY
async def test_any_selector(root: Wire, path: str, labels: str, fields: str) -> None:
    """A selector of any text selects something, or is refused."""
    for query in ({"labelSelector": labels}, {"fieldSelector": fields}):
        answer = judged(await root("GET", f"{path}?{urlencode(query, errors='replace')}"), (path, query))
        assert answer.status in (200, 400)


@given(
    path=st.sampled_from([*COLLECTIONS, *OBJECTS]),
    query=st.fixed_dictionaries({}, optional={
        "limit": numbers, "continue": tokens, "resourceVersion": numbers, "resourceVersionMatch": st.sampled_from(
            ["Exact", "NotOlderThan"]) | texts, "sendInitialEvents": texts, "timeoutSeconds": numbers,
        "allowWatchBookmarks": texts, "pretty": texts, "includeObject": texts, "dryRun": texts, "force": texts,
    }),
)  # fmt: skip
@MANY
async def test_any_list_options(root: Wire, path: str, query: dict[str, str]) -> None:
    """Options of reading with values of any text, in any combination."""
    judged(await root("GET", f"{path}?{urlencode(query, errors='replace')}"), (path, query))


@given(
    path=st.sampled_from(COLLECTIONS),
    query=st.fixed_dictionaries({"resourceVersion": numbers}, optional={
        "labelSelector": selectors, "fieldSelector": selectors, "sendInitialEvents": st.sampled_from(
            ["true", "false", "x"]), "resourceVersionMatch": st.sampled_from(["NotOlderThan", "Exact"]),
        "allowWatchBookmarks": st.just("true"),
    }),
)  # fmt: skip
@settings(MANY, max_examples=30)
async def test_any_watch(root: Wire, path: str, query: dict[str, str]) -> None:
    """A watch with options of any text tells events until its second is over, or is refused."""
    asked = urlencode({**query, "watch": "1", "timeoutSeconds": "-1"}, errors="replace")
    judged(await root("GET", f"{path}?{asked}"), query)


_segments = st.sampled_from(
    ["api", "apis", "v1", "apps", "namespaces", "default", "configmaps", "c", "watch", "proxy", "status", "",
     ".", "..", "%2e%2e", "%2F", "%00", "%ff", "%", "%zz", "*", ";a=b", "a:b", "é", "x" * 3000, "openapi", "v3",
     "version", "healthz", "livez", "readyz", "metrics", "logs", ".well-known", "openid-configuration"]
) | texts.map(lambda text: quote(text, safe="", errors="replace"))  # fmt: skip


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]),
    segments=st.lists(_segments, max_size=8),
    query=st.sampled_from(
        ["", "?", "?watch", "?a=%zz", "?%ff=%fe", "?a&b&&=", "?" + "a=b&" * 300, "?dryRun=All"]
    ),
)
@MANY
async def test_any_path(root: Wire, method: str, segments: list[str], query: str) -> None:
    """A path of any segments is something or nothing; no method finds a way to break it."""
    body = None if method in ("GET", "HEAD", "TRACE") else b"{}"
    target = "/" + "/".join(segments) + query
    if any(ord(char) < 33 or ord(char) > 126 for char in target):
        target = quote(target, safe="/%?=&")
    if method == "DELETE":
        target += "&dryRun=All" if "?" in target else "?dryRun=All"
    judged(await root(method, target, body), (method, target))


_media = st.sampled_from(
    ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "*/*",
     "application/*", "text/html", "", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;q=x",
     "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", "application/json;stream=watch",
     "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "application/yaml;as=Table;v=v1;g=meta.k8s.io",
     "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", ";;;", "=;=,=",
     "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", 'application/json; charset="x;y"']
)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(["Accept-Encoding", "If-None-Match", "User-Agent", "Impersonate-User", "Impersonate-Group",
                     "Impersonate-Extra-x", "Impersonate-Uid", "X-Forwarded-For", "Expect", "Range", "Origin",
                     "Upgrade", "Sec-WebSocket-Key", "Authorization", "Cookie"]),
    st.sampled_from(["gzip", "*", "websocket", "100-continue", "bytes=0-1", "", "ann", "x" * 4000, "gzip;q=0",
                     "Bearer", "Bearer  ", "Basic YTpi", "Negotiate x", "system:masters", "kube\u00e9"]),
    max_size=3,
)  # fmt: skip


@given(
    path=st.sampled_from(
        [*COLLECTIONS, *OBJECTS, "/api", "/apis", "/openapi/v2", "/openapi/v3", "/version", "/"]
    ),
    accept=st.lists(_media | texts.filter(lambda t: t.isprintable() and t.isascii()), max_size=3).map(
        ", ".join
    ),
    sent=headers,
)
@MANY
async def test_any_headers(root: Wire, path: str, accept: str, sent: dict[str, str]) -> None:
    """Any forms asked for and any headers, upgrades and impersonation among them."""
    judged(await root("GET", path, Accept=accept, **sent), (path, accept, sent))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@given(
    media=_media | st.sampled_from(["application/json-patch+json", "application/apply-patch+yaml"]),
    body=st.binary(max_size=60),
)
@settings(MANY, max_examples=60)
async def test_any_content_type(root: Wire, method: str, media: str, body: bytes) -> None:
    """A body of any bytes, said to be of any type."""
    target = f"{N}/configmaps" + ("" if method == "POST" else "/c") + "?dryRun=All&fieldManager=x"
    judged(await root(method, target, body, media), (method, media, body))


def test_names() -> None:
    """The strategies above have what they are to have: every collection, and words for every parser."""
    found: list[Any] = [*COLLECTIONS, *WORDS]
    assert len(found) == len(set(found))
