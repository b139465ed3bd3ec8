"""Protobuf: bodies read as the objects they are and refused where they are none, answers that read back."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.negotiation import negotiate
from gitops_ocm.apiserver.protobuf import MAGIC, Broken, decode_protobuf
from gitops_ocm.apiserver.protobuf_encode import encode_protobuf, encode_watch_frame
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.native_values import encoded
from gitops_ocm.runtime.catalog import load_catalog

Wire = list[tuple[int, "int | float | str | bytes | Wire"]]


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _encoded(fields: Wire) -> bytes:
    """A message as the wire has it; nested lists are messages."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += _varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            data = (
                _encoded(value)
                if isinstance(value, list)
                else value.encode()
                if isinstance(value, str)
                else value
            )
            out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return out


def _body(api_version: str, kind: str, fields: Wire) -> bytes:
    return MAGIC + _encoded([(1, [(1, api_version), (2, kind)]), (2, _encoded(fields))])


META: Wire = [(1, "a"), (2, ""), (7, 0), (8, [])]
"""As Go writes it: the zero values of what is not a pointer are there."""

DATA: Wire = [(2, [(1, "k"), (2, "v")]), (2, [(1, "e")])]
REQUEST: Wire = [
    (1, b"pem"), (5, "client auth"), (6, [(1, "x"), (2, [(1, "y")])]), (7, "s"), (8, 3600),
]  # fmt: skip

CASES: list[tuple[str, str, Wire, dict[str, Any]]] = [
    ("v1", "ConfigMap", [(1, META), *DATA], {"data": {"k": "v", "e": ""}}),
    ("v1", "Secret", [(2, [(1, "k"), (2, b"\xff\x00")]), (3, "x")], {"data": {"k": "/wA="}, "type": "x"}),
    (
        "apps/v1",
        "Deployment",
        [(1, META), (2, [(1, 0), (4, [(1, "")]), (5, 0), (7, 0), (9, 600)])],
        {"spec": {"replicas": 0, "progressDeadlineSeconds": 600}},
    ),
    (
        "v1",
        "Pod",
        [(1, META), (2, [(1, [(1, "tmp"), (2, [(2, [(1, "")])])]), (2, [(1, "c"), (2, "i")])])],
        {"spec": {"volumes": [{"name": "tmp", "emptyDir": {}}], "containers": [{"name": "c", "image": "i"}]}},
    ),
    (
        "v1",
        "Service",
        [(1, META), (2, [(1, [(1, ""), (2, "TCP"), (3, 80), (4, [(1, 1), (2, 0), (3, "web")])])])],
        {"spec": {"ports": [{"protocol": "TCP", "port": 80, "targetPort": "web"}]}},
    ),
    (
        "coordination.k8s.io/v1",
        "Lease",
        [(1, META), (2, [(1, "me"), (2, 60), (4, [(1, 1_767_225_600), (2, 123_456_000)])])],
        {
            "spec": {
                "holderIdentity": "me",
                "leaseDurationSeconds": 60,
                "renewTime": "2026-01-01T00:00:00.123456Z",
            }
        },
    ),
    (
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
        [(1, META), (2, REQUEST)],
        {
            "spec": {
                "request": "cGVt",
                "usages": ["client auth"],
                "extra": {"x": ["y"]},
                "signerName": "s",
                "expirationSeconds": 3600,
            }
        },
    ),
    ("v1", "DeleteOptions", [(1, 0), (2, [(1, "uid")]), (4, "Background")], {
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "uid"},
        "propagationPolicy": "Background",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "fields", "expected"), CASES, ids=[c[1] for c in CASES])
def test_objects_are_read(api_version: str, kind: str, fields: Wire, expected: dict[str, Any]) -> None:
    """Scalars, maps, bytes, times, quantities, inlined structs, pointers to zero."""
    found = decode_protobuf(_body(api_version, kind, fields))
    assert (found.pop("apiVersion"), found.pop("kind")) == (api_version, kind)
    assert found.pop("metadata", {"name": "a"}) == {"name": "a"}
    assert found == expected


@pytest.mark.parametrize(
    ("kind", "schema", "expected"),
    [
        ([(30, [(1, 1)])], "additionalProperties", True),
        ([(30, [(1, 1), (2, [(5, "string")])])], "additionalProperties", {"type": "string"}),
        ([(24, [(1, [(5, "string")])])], "items", {"type": "string"}),
        ([(8, [(1, b'{"a":1}')])], "default", {"a": 1}),
        ([(38, 1)], "x-kubernetes-preserve-unknown-fields", True),
    ],
)
def test_crd_schemas_are_read(kind: Wire, schema: str, expected: Any) -> None:
    """The unions of apiextensions and its names that protobuf cannot say."""
    crd: Wire = [(1, META), (2, [(7, [(1, "v1"), (4, [(1, kind)])])])]
    found = decode_protobuf(_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd))
    assert found["spec"]["versions"][0]["schema"]["openAPIV3Schema"][schema] == expected


def test_negative_numbers() -> None:
    """Two's complement, as varints carry it."""
    found = decode_protobuf(_body("scheduling.k8s.io/v1", "PriorityClass", [(1, META), (2, -5)]))
    assert found["value"] == -5


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", 400),
        (MAGIC, 415),
        (MAGIC + b"\xff" * 11, 400),
        (MAGIC + b"\x0a\x7f", 400),
        (MAGIC + b"\x0b", 400),
        (_body("v1", "ConfigMap", [(1, 5)]), 400),
        (_body("v1", "ConfigMap", [(1, [(1, b"\xff")])]), 400),
        (_body("coordination.k8s.io/v1", "Lease", [(2, [(4, [(1, 1 << 62)])])]), 400),
        (_body("example.com/v1", "Thing", []), 415),
    ],
    ids=["json", "empty", "endless", "short", "wire-type", "not-bytes", "not-utf8", "no-time", "custom"],
)
def test_what_is_no_object_is_refused(body: bytes, code: int) -> None:
    """A clear answer for every kind of broken body."""
    with pytest.raises((ApiError, Broken)) as raised:
        decode_protobuf(body)
    refused = raised.value.http_code if isinstance(raised.value, ApiError) else 400
    assert refused == code


def test_depth_is_limited() -> None:
    """A schema nested without end does not end the server."""
    schema: Wire = [(5, "object")]
    for _ in range(200):
        schema = [(28, schema)]
    crd: Wire = [(1, META), (2, [(7, [(1, "v1"), (4, [(1, schema)])])])]
    with pytest.raises(Broken, match="nested deeper"):
        decode_protobuf(_body("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd))


@given(st.binary(max_size=200), st.sampled_from(["ConfigMap", "Pod", "Service", "Event"]))
@settings(derandomize=True, deadline=None)
def test_any_bytes_are_an_object_or_a_refusal(raw: bytes, kind: str) -> None:
    """Nothing a client sends raises anything but an API error or words for one."""
    body = MAGIC + _encoded([(1, [(1, "v1"), (2, kind)]), (2, raw)])
    try:
        found = decode_protobuf(body)["kind"]
    except ApiError as error:
        found = kind if error.http_code == 400 else str(error)
    except Broken:
        found = kind
    assert found == kind


OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all(
        (Path(__file__).parent.parent / "builtin" / "objects.yaml").read_text("utf-8").replace("CSR", "QUJD")
    )
)


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda o: f"{o['kind']}-{o['metadata']['name']}")
def test_a_round_trip(obj: dict[str, Any]) -> None:
    """What is written as protobuf reads as what it was, for objects of every built-in kind."""
    schema = load_catalog(ocm=False).schema(obj["apiVersion"], obj["kind"])
    assert schema is not None
    known = schema.default(schema.prune(obj))
    again = schema.default(decode_protobuf(encode_protobuf(known)))
    assert encoded(again, schema) == encoded(known, schema)


def test_a_list_and_a_status() -> None:
    """Lists of a kind and errors have a form too, and are told what kind they are."""
    listed = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "7"}}
    items = [{"metadata": {"name": "a"}, "data": {"k": "v"}}, {"metadata": {"name": "b"}}]
    assert decode_protobuf(encode_protobuf({**listed, "items": items})) == {**listed, "items": items}
    status = ApiError("NotFound", "gone", details={"name": "a", "kind": "pods"}).status()
    assert decode_protobuf(encode_protobuf(status)) == {k: v for k, v in status.items() if v != {}}


def test_a_watch_frame() -> None:
    """An event is as long as its first four bytes say, and holds the object whole."""
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    frame = encode_watch_frame("ADDED", obj)
    assert struct.unpack(">I", frame[:4])[0] == len(frame) - 4
    assert frame[4:].startswith(b"\x0a\x05ADDED")
    assert decode_protobuf(frame[frame.index(MAGIC) :]) == obj


@pytest.mark.parametrize(
    ("accept", "custom", "media"),
    [
        ("application/vnd.kubernetes.protobuf", False, "application/vnd.kubernetes.protobuf"),
        (
            "application/vnd.kubernetes.protobuf,application/json",
            False,
            "application/vnd.kubernetes.protobuf",
        ),
        ("application/vnd.kubernetes.protobuf,application/json", True, "application/json"),
        (
            "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json",
            False,
            "application/json",
        ),
        ("application/cbor,application/yaml;q=0.1", False, "application/yaml"),
    ],
)
def test_negotiation(accept: str, custom: bool, media: str) -> None:
    """Protobuf is answered where it is preferred and exists: not for custom kinds, not for tables."""
    assert negotiate(accept, protobuf=not custom).media == media
