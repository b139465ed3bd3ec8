"""What a request asks for and in which form: paths, Accept headers, bodies, query options."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.bodies import Unreadable
from gitops_ocm.apiserver.handlers_options import delete_options, require_apply_options, write_query
from gitops_ocm.apiserver.negotiation import Form, decode, decode_patch, encode, negotiate, patch_type
from gitops_ocm.apiserver.request_info import RequestInfo, read
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.go_json import syntax_error


@pytest.mark.parametrize(
    ("method", "target", "query", "expected"),
    [
        ("GET", "/version", {}, ("get", "", "", "", "", "", "")),
        ("GET", "/api/v1", {}, ("get", "", "", "", "", "", "")),
        ("GET", "/apis/apps/v1", {}, ("get", "", "", "", "", "", "")),
        ("GET", "/api/v1/pods", {}, ("list", "", "v1", "pods", "", "", "")),
        ("GET", "/api/v1/pods", {"watch": "true"}, ("watch", "", "v1", "pods", "", "", "")),
        ("GET", "/api/v1/pods", {"watch": "0"}, ("list", "", "v1", "pods", "", "", "")),
        ("GET", "/api/v1/namespaces/n/pods/p", {}, ("get", "", "v1", "pods", "n", "p", "")),
        ("PATCH", "/api/v1/namespaces/n/pods/p/status", {}, ("patch", "", "v1", "pods", "n", "p", "status")),
        ("GET", "/api/v1/namespaces", {}, ("list", "", "v1", "namespaces", "", "", "")),
        ("GET", "/api/v1/namespaces/n", {}, ("get", "", "v1", "namespaces", "n", "n", "")),
        (
            "PUT",
            "/api/v1/namespaces/n/finalize",
            {},
            ("update", "", "v1", "namespaces", "n", "n", "finalize"),
        ),
        (
            "POST",
            "/apis/apps/v1/namespaces/n/deployments",
            {},
            ("create", "apps", "v1", "deployments", "n", "", ""),
        ),
        ("DELETE", "/apis/g/v1/things", {}, ("deletecollection", "g", "v1", "things", "", "", "")),
        ("DELETE", "/apis/g/v1/things/a", {}, ("delete", "g", "v1", "things", "", "a", "")),
        (
            "GET",
            "/api/v1/namespaces/n/secrets",
            {"fieldSelector": "metadata.name=s"},
            ("list", "", "v1", "secrets", "n", "s", ""),
        ),
        ("GET", "/api/v1/namespaces/n/pods/a%2Fb", {}, ("get", "", "v1", "pods", "n", "a", "b")),
    ],
)
def test_request_info(method: str, target: str, query: dict[str, str], expected: tuple[str, ...]) -> None:
    """Verb, group, version, plural, namespace, name and subresource of each kind of path."""
    info = read(method, target, query)
    found = (info.verb, info.group, info.version, info.plural, info.namespace, info.name, info.subresource)
    assert found == expected


@given(st.text(alphabet="/ab%20.", max_size=30), st.sampled_from(["GET", "POST", "DELETE", "TRACE"]))
@settings(derandomize=True, deadline=None)
def test_no_path_is_too_odd_to_read(path: str, method: str) -> None:
    """Any path means something or is no resource; none raises."""
    assert isinstance(read(method, f"/{path}", {}), RequestInfo)


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", Form()),
        ("", Form()),
        ("application/json", Form()),
        ("application/yaml", Form("application/yaml")),
        (TABLE, Form(kind="Table", group="meta.k8s.io", version="v1")),
        (
            f"{TABLE},{TABLE.replace('v1;', 'v1beta1;')},application/json",
            Form("application/json", "Table", "meta.k8s.io", "v1"),
        ),
        ("application/vnd.kubernetes.protobuf,application/json", Form()),
        ("application/json;as=Unheard;v=v1;g=x, application/json", Form()),
        ("application/yaml;q=0.1, application/json;q=0.9", Form()),
        ("text/html, */*;q=0.1", Form()),
        ("application/json;stream=watch", Form()),
    ],
)
def test_negotiation(accept: str, form: Form) -> None:
    """The first form that is served, by quality and order."""
    assert negotiate(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.kubernetes.protobuf"])
def test_nothing_acceptable(accept: str) -> None:
    """406 where no form will do."""
    with pytest.raises(ApiError) as raised:
        negotiate(accept)
    assert raised.value.http_code == 406


@pytest.mark.parametrize(
    ("body", "media", "value"),
    [
        (b'{"a":1}', "application/json", {"a": 1}),
        (b'{"a":1}', "application/json; charset=utf-8", {"a": 1}),
        (b"a: 1\nb: on\n", "application/yaml", {"a": 1, "b": True}),
        (b"a: &x [1]\nb: *x\n1: z", "application/yaml", {"a": [1], "b": [1], "1": "z"}),
        (b'{"a":1}', "", {"a": 1}),
        (b'{"a":"\xff"}', "application/json", {"a": "\ufffd"}),
        (b'{"a":"\\ud800"}', "application/json", {"a": "\ufffd"}),
    ],
)
def test_bodies_are_read(body: bytes, media: str, value: Any) -> None:
    """JSON and YAML as Kubernetes reads them: keys are text, what is no Unicode is mended."""
    assert decode(body, media).value == value


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (b"a: [x, z]", PatchType.APPLY, {"a": ["x", "z"]}),
        (b'{"a":1}', PatchType.APPLY, {"a": 1}),
        (b'[{"op":"remove","path":"/a"}]', PatchType.JSON, [{"op": "remove", "path": "/a"}]),
    ],
)
def test_patches_are_read(body: bytes, kind: PatchType, value: Any) -> None:
    """An apply patch is YAML, the others are JSON."""
    assert decode_patch(body, kind) == value


@pytest.mark.parametrize(
    ("body", "media", "twice"),
    [
        (b'{"a":1,"b":{"a":2}}', "application/json", ()),
        (b'{"a":{"k":1,"k":2},"l":[{"x":"\\":","x":1}]}', "application/json", ("a.k", "l[0].x")),
    ],
)
def test_what_a_body_says_twice_is_told(body: bytes, media: str, twice: tuple[str, ...]) -> None:
    """Keys given twice in one object are named by their path, whatever is in strings."""
    assert decode(body, media).duplicates == tuple(f'duplicate field "{path}"' for path in twice)


@pytest.mark.parametrize(
    ("body", "media", "words"),
    [
        (b"{", "application/json", "unexpected end of JSON input"),
        (b"{'a'", "application/json", r"invalid character '\'' looking for beginning of object key string"),
        (b'{"a" 1}', "application/json", "invalid character '1' after object key"),
        (b'{"a":1 "b"', "application/json", "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "application/json", "invalid character '2' after array element"),
        (b"{} x", "application/json", "invalid character 'x' after top-level value"),
        (b'"a\n"', "application/json", r"invalid character '\n' in string literal"),
        (b'"\\x"', "application/json", "invalid character 'x' in string escape code"),
        (b'"\\u00g0"', "application/json", r"invalid character 'g' in \u hexadecimal character escape"),
        (b"tru3", "application/json", "invalid character '3' in literal true (expecting 'e')"),
        (b"-x", "application/json", "invalid character 'x' in numeric literal"),
        (b"1.x", "application/json", "invalid character 'x' after decimal point in numeric literal"),
        (b"1e+x", "application/json", "invalid character 'x' in exponent of numeric literal"),
        (b"[" * 20_000, "application/json", "invalid character '[' exceeded max depth"),
        (b"a: [", "application/yaml", "yaml: line 2: did not find expected node content"),
        (
            b"{}",
            "application/vnd.kubernetes.protobuf",
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
        ),
    ],
)
def test_nonsense_is_named_in_gos_words(body: bytes, media: str, words: str) -> None:
    """Clients know the words of Go's decoders."""
    with pytest.raises(Unreadable) as raised:
        decode(body, media)
    assert str(raised.value) == words


@pytest.mark.parametrize("media", ["text/html", "text/plain"])
def test_bad_media_are_refused(media: str) -> None:
    """An unknown media type is a 415."""
    with pytest.raises(ApiError) as raised:
        decode(b"{}", media)
    assert raised.value.http_code == 415


@given(st.binary(max_size=40) | st.text('{}[]":,\\ue+-.0123 truefalsn', max_size=24).map(str.encode))
@settings(derandomize=True, deadline=None, max_examples=600)
def test_json_is_what_the_scanner_finds_no_fault_with(body: bytes) -> None:
    """The scanner that names faults and Python's reader agree on what is JSON, up to encoding."""
    try:
        json.loads(body.decode("latin-1"), parse_constant=_refuse)
    except ValueError:
        assert syntax_error(body)
    else:
        assert not syntax_error(body)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def test_patch_types() -> None:
    """The four types, with parameters ignored; the rest is 415."""
    assert [patch_type(f"{p}; charset=utf-8") for p in PatchType] == list(PatchType)
    with pytest.raises(ApiError) as raised:
        patch_type("application/json")
    assert raised.value.http_code == 415


def test_yaml_answers_read_back() -> None:
    """What is written as YAML reads as what it was."""
    document = {"a": ["x", {"b": None}], "c": "on", "d": 1.5}
    assert decode(encode(document, Form("application/yaml")), "application/yaml").value == document


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"dryRun": "foo"}, 'dryRun: Unsupported value: ["foo"]: supported values: "All"'),
        (
            {"fieldValidation": "Foo"},
            'fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
        ),
        ({"fieldManager": "x" * 129}, "fieldManager: Too long: may not be more than 128 bytes"),
        ({"fieldManager": "a\nb"}, "invalid character U+000A (at position 1)"),
    ],
)
def test_bad_write_options(query: dict[str, str], text: str) -> None:
    """422 with the texts of the real server."""
    with pytest.raises(ApiError) as raised:
        write_query(query, "CreateOptions")
    assert raised.value.http_code == 422
    assert text in raised.value.message


def test_the_manager_defaults_to_the_user_agent() -> None:
    """`kubectl/v1.35 (…)` manages fields as `kubectl`."""
    assert write_query({}, "CreateOptions", user_agent="kubectl/v1.35 (linux)").field_manager == "kubectl"
    assert write_query({"pretty": "1"}, "CreateOptions").field_manager == "unknown"


@pytest.mark.parametrize(
    ("query", "apply", "text"),
    [
        ({}, True, "fieldManager: Required value: is required for apply patch"),
        ({"force": "true"}, False, "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_apply_options(query: dict[str, str], apply: bool, text: str) -> None:
    """An apply names its manager; nothing else can be forced."""
    with pytest.raises(ApiError, match=text):
        require_apply_options(query, apply=apply)


@pytest.mark.parametrize(
    ("query", "body", "options"),
    [
        ({}, None, {}),
        ({"propagationPolicy": "Orphan"}, None, {"propagationPolicy": "Orphan"}),
        (
            {"propagationPolicy": "Orphan"},
            {"propagationPolicy": "Foreground"},
            {"propagationPolicy": "Foreground"},
        ),
        ({"gracePeriodSeconds": "0", "dryRun": "All"}, None, {"gracePeriodSeconds": 0, "dryRun": ["All"]}),
    ],
)
def test_delete_options(query: dict[str, str], body: Any, options: dict[str, Any]) -> None:
    """A body wins over the query."""
    assert delete_options(query, body) == options


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ({"propagationPolicy": "Foo"}, None, 422),
        ({"gracePeriodSeconds": "x"}, None, 400),
        ({}, ["no"], 400),
        ({}, {"kind": "Pod"}, 400),
        ({}, {"dryRun": ["Some"]}, 422),
    ],
)
def test_bad_delete_options(query: dict[str, str], body: Any, code: int) -> None:
    """What cannot be meant is refused before anything is deleted."""
    with pytest.raises(ApiError) as raised:
        delete_options(query, body)
    assert raised.value.http_code == code
