"""Requests as values and watch streams cut anywhere."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.kube import wire
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.served import CLUSTER_ROLES, CONFIG_MAPS

OBJ = {"metadata": {"name": "a", "namespace": "n"}}


@pytest.mark.parametrize(
    ("request_", "method", "target"),
    [
        (wire.get(CONFIG_MAPS, "n", "a"), "GET", "/api/v1/namespaces/n/configmaps/a"),
        (
            wire.get(CLUSTER_ROLES, "", "system:admin"),
            "GET",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:admin",
        ),
        (wire.list_page(CONFIG_MAPS, ""), "GET", "/api/v1/configmaps"),
        (
            wire.list_page(CONFIG_MAPS, "n", label_selector="a in (b,c)", limit=5),
            "GET",
            "/api/v1/namespaces/n/configmaps?labelSelector=a+in+%28b%2Cc%29&limit=5",
        ),
        (
            wire.list_page(CONFIG_MAPS, "n", continue_token="x=", resource_version="5"),
            "GET",
            "/api/v1/namespaces/n/configmaps?continue=x%3D",
        ),
        (
            wire.watch(CONFIG_MAPS, "", resource_version="7", timeout=60),
            "GET",
            "/api/v1/configmaps?watch=true&resourceVersion=7&allowWatchBookmarks=true&timeoutSeconds=60",
        ),
        (
            wire.create(CONFIG_MAPS, OBJ, field_manager="m", dry_run=True),
            "POST",
            "/api/v1/namespaces/n/configmaps?fieldManager=m&dryRun=All",
        ),
        (
            wire.update(CONFIG_MAPS, OBJ, subresource="status", field_manager="a b"),
            "PUT",
            "/api/v1/namespaces/n/configmaps/a/status?fieldManager=a%20b",
        ),
        (
            wire.patch(CONFIG_MAPS, "n", "a", {}, type=PatchType.APPLY, field_manager="m", force=True),
            "PATCH",
            "/api/v1/namespaces/n/configmaps/a?fieldManager=m&force=true",
        ),
        (
            wire.patch(CONFIG_MAPS, "n", "a", {}, type=PatchType.MERGE, force=True),
            "PATCH",
            "/api/v1/namespaces/n/configmaps/a",
        ),
        (wire.delete(CONFIG_MAPS, "n", "a"), "DELETE", "/api/v1/namespaces/n/configmaps/a"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_builds_the_request(request_: wire.Request, method: str, target: str) -> None:
    """Method, path and query are what the API expects."""
    assert (request_.method, request_.target) == (method, target)


@pytest.mark.parametrize(
    ("namespace", "name"), [("n", ""), ("n", "../secrets/x"), ("n", ".."), ("n/x", "a"), ("", "a")]
)
def test_refuses_names_that_would_change_the_path(namespace: str, name: str) -> None:
    """A name with a slash, or none, never becomes a request for something else."""
    with pytest.raises(ApiError) as raised:
        wire.get(CONFIG_MAPS, namespace, name)
    assert raised.value.reason == "BadRequest"


def test_odd_names_are_escaped() -> None:
    """What is odd but not a path is percent-encoded."""
    assert wire.get(CONFIG_MAPS, "n", "a?b#c%").target == "/api/v1/namespaces/n/configmaps/a%3Fb%23c%25"


def test_delete_carries_its_preconditions() -> None:
    """uid and resourceVersion go into the body, and a uid makes a repeat safe."""
    plain, guarded = (
        wire.delete(CONFIG_MAPS, "n", "a"),
        wire.delete(CONFIG_MAPS, "n", "a", uid="u", resource_version="3"),
    )
    assert not plain.idempotent
    assert guarded.idempotent
    assert orjson.loads(guarded.body or b"")["preconditions"] == {"uid": "u", "resourceVersion": "3"}


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.binary(max_size=8).map(lambda b: b.hex().encode()), max_size=6), st.lists(st.integers(1, 9))
)
def test_lines_come_out_however_the_bytes_come_in(lines: list[bytes], sizes: list[int]) -> None:
    """Any way of cutting a stream gives the same lines; blank ones are skipped."""
    stream = b"".join(line + b"\n" for line in lines) + b"rest"
    splitter = wire.LineSplitter()
    found: list[bytes] = []
    for size in [*sizes, len(stream)]:
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == [line for line in lines if line]
    assert splitter.unfinished


def test_an_endless_line_is_refused() -> None:
    """A watch line has a limit."""
    splitter = wire.LineSplitter(limit=10)
    with pytest.raises(ApiError, match="longer than 10 bytes"):
        list(splitter.feed(b"x" * 11))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}', 410),
        (b'{"type":"ERROR","object":null}', 500),
        (b"not json", 500),
        (b'{"type":"ADDED"}', 500),
        (b'{"type":1,"object":{}}', 500),
        (b"[]", 500),
    ],
)
def test_a_line_that_is_no_event_is_an_error(line: bytes, code: int) -> None:
    """ERROR lines are raised with their code, nonsense as a server error."""
    with pytest.raises(ApiError) as raised:
        wire.watch_event(line)
    assert raised.value.http_code == code


@pytest.mark.parametrize(
    ("code", "body", "retry_after", "expected"),
    [
        (
            404,
            b'{"kind":"Status","reason":"NotFound","message":"gone","code":404}',
            "",
            ("NotFound", "gone", 0),
        ),
        (429, b"", "2", ("TooManyRequests", "the server answered 429", 2)),
        (503, b"<html>bad</html>", "x", ("ServiceUnavailable", "the server answered 503", 0)),
        (404, b"404 page not found\n", "", ("NotFound", "the server answered 404: 404 page not found", 0)),
        (500, b"[1]", "", ("InternalError", "the server answered 500: [1]", 0)),
        (418, b"\x00\xff", "", ("Unknown", "the server answered 418", 0)),
    ],
)
def test_failures_of_any_form(code: int, body: bytes, retry_after: str, expected: tuple[Any, ...]) -> None:
    """A Status is read; anything else still makes an error with the code."""
    error = wire.failure(code, body, retry_after=retry_after)
    assert (error.reason, error.message, error.retry_after) == expected
    assert error.http_code == code


def test_items_of_a_list_get_their_type() -> None:
    """List items come without apiVersion and kind; here they have them."""
    page = wire.page(
        CONFIG_MAPS, {"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "a"}}]}
    )
    assert page.items[0]["kind"] == "ConfigMap"
    assert page.items[0]["apiVersion"] == "v1"
    assert page.resource_version == "9"
    assert wire.page(CONFIG_MAPS, {"items": None}).items == []
