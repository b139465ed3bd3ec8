"""Writes Kubernetes' protobuf form of built-in kinds, for the Go clients that would rather have it.

    encode_protobuf(obj)              an object, list or Status: magic bytes and an envelope
    encode_watch_frame(type, obj)     one event of a watch: a length, and the event with the object in it

The field numbers are those `protobuf` reads by. A message's encoder is made when it is first needed: a
table from JSON names to functions, so that an object costs what is in it.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from gitops_ocm.apiserver.protobuf import MAGIC, META, SCHEMA, Field, known_message, messages
from gitops_ocm.objects.ref import Object

Write = Callable[[Any, bytearray], None]
"""Adds a value, tag and all, to a message under construction."""

_VARINT, _BYTES, _FIXED32, _FIXED64 = 0, 2, 5, 1
_ENVELOPE = (b"\x1a\x00", b"\x22\x00")
"""No content encoding, no content type."""


def encode_protobuf(obj: Object) -> bytes:
    """An object of a kind that has a protobuf form, as a response carries it."""
    api_version, kind = obj.get("apiVersion", ""), obj["kind"]
    message = known_message(api_version, kind)
    assert message is not None, f"{kind} of {api_version} has no protobuf form"
    named = tagged(1, api_version.encode()) + tagged(2, kind.encode())
    raw = _message(message, obj)
    return b"".join((MAGIC, tagged(1, named), tagged(2, raw), *_ENVELOPE))


def encode_watch_frame(type_: str, obj: Object) -> bytes:
    """One event of a watch."""
    event = tagged(1, type_.encode()) + tagged(2, tagged(1, encode_protobuf(obj)))
    return struct.pack(">I", len(event)) + event


def _message(name: str, value: Any) -> bytes:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(value)
    encoder = _encoder(name)
    out = bytearray()
    for key, under in value.items():
        if under is not None and (write := encoder.fields.get(key)) is not None:
            write(under, out)
    for tag, inner, names in encoder.inlined:
        within = {key: value[key] for key in names if key in value}
        if within:
            data = _message(inner, within)
            out += tag + varint(len(data)) + data
    return bytes(out)


class _Encoder:
    """How one message is written: its own fields, and those of messages that JSON has inline."""

    def __init__(self, name: str) -> None:
        self.fields: dict[str, Write] = {}
        self.inlined: list[tuple[bytes, str, frozenset[str]]] = []
        for number, field in messages()[name].items():
            if "i" in field.shape:
                tag = varint(number << 3 | _BYTES)
                self.inlined.append((tag, field.type, _names(field.type)))
            else:
                self.fields[field.name] = _writer(number, field)


@lru_cache(maxsize=2048)
def _encoder(name: str) -> _Encoder:
    return _Encoder(name)


def _names(message: str) -> frozenset[str]:
    """The JSON names of a message's fields, and of those it has inline itself."""
    encoder = _encoder(message)
    return frozenset(encoder.fields).union(*(names for _, _, names in encoder.inlined))


def _writer(number: int, field: Field) -> Write:
    one = _single(number, field.type)
    if "m" in field.shape:
        return _mapping(number, _single(2, field.type))
    if "r" not in field.shape:
        return one

    def write_all(values: Any, out: bytearray) -> None:
        for value in values:
            one(value, out)

    return write_all


def _mapping(number: int, write: Write) -> Write:
    tag = varint(number << 3 | _BYTES)

    def write_map(values: Mapping[str, Any], out: bytearray) -> None:
        for key in sorted(values):
            entry = bytearray(tagged(1, key.encode()))
            write(values[key], entry)
            out.extend(tag + varint(len(entry)) + entry)

    return write_map


def _single(number: int, kind: str) -> Write:
    if kind in ("double", "float"):
        return _float(number, kind)
    if kind in _NUMBERS:
        return _number(number)
    tag = varint(number << 3 | _BYTES)
    if kind == "string":
        to_bytes: Callable[[Any], bytes] = str.encode
    elif kind == "bytes":
        to_bytes = base64.b64decode
    else:

        def to_bytes(value: Any) -> bytes:
            return _message(kind, value)

    def write(value: Any, out: bytearray) -> None:
        data = to_bytes(value)
        out.extend(tag)
        out.extend(varint(len(data)))
        out.extend(data)

    return write


_NUMBERS = frozenset({"bool", "int32", "int64", "uint32", "uint64"})


def _number(number: int) -> Write:
    tag = varint(number << 3 | _VARINT)

    def write(value: Any, out: bytearray) -> None:
        out.extend(tag)
        out.extend(varint(int(value) & 0xFFFF_FFFF_FFFF_FFFF))

    return write


def _float(number: int, kind: str) -> Write:
    code, wire = ("<d", _FIXED64) if kind == "double" else ("<f", _FIXED32)
    tag = varint(number << 3 | wire)

    def write(value: Any, out: bytearray) -> None:
        out.extend(tag + struct.pack(code, value))

    return write


def tagged(number: int, data: bytes) -> bytes:
    """A field of bytes, as protobuf writes it."""
    return varint(number << 3 | _BYTES) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    if value < 0x80:
        return value.to_bytes()
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


# Types whose JSON is not an object of their fields


def _time(value: str) -> bytes:
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    nanos = moment.microsecond * 1000
    seconds = varint(1 << 3) + varint(int(moment.timestamp() // 1) & 0xFFFF_FFFF_FFFF_FFFF)
    return seconds + varint(2 << 3) + varint(nanos)


def _raw_json(value: Any) -> bytes:
    return tagged(1, orjson.dumps(value))


def _text(value: Any) -> bytes:
    return tagged(1, str(value).encode())


def _int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return varint(1 << 3) + b"\x01" + tagged(3, value.encode())
    return varint(1 << 3) + b"\x00" + varint(2 << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def _items(values: list[str]) -> bytes:
    return b"".join(tagged(1, value.encode()) for value in values)


def _schema(value: Any) -> bytes:
    return _message(f"{SCHEMA}JSONSchemaProps", value)


def _schema_or_bool(value: Any) -> bytes:
    if isinstance(value, bool):
        return varint(1 << 3) + varint(value)
    return varint(1 << 3) + b"\x01" + tagged(2, _schema(value))


def _schema_or_schemas(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(tagged(2, _schema(each)) for each in value)
    return tagged(1, _schema(value))


def _schema_or_strings(value: Any) -> bytes:
    if isinstance(value, list):
        return b"".join(tagged(2, each.encode()) for each in value)
    return tagged(1, _schema(value))


_SPECIAL: Mapping[str, Callable[[Any], bytes]] = {
    f"{META}Time": _time,
    f"{META}MicroTime": _time,
    f"{META}FieldsV1": _raw_json,
    f"{META}Verbs": _items,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _text,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
    "k8s.io.api.authentication.v1.ExtraValue": _items,
    "k8s.io.api.authorization.v1.ExtraValue": _items,
    "k8s.io.api.certificates.v1.ExtraValue": _items,
    f"{SCHEMA}JSON": _raw_json,
    f"{SCHEMA}JSONSchemaPropsOrBool": _schema_or_bool,
    f"{SCHEMA}JSONSchemaPropsOrArray": _schema_or_schemas,
    f"{SCHEMA}JSONSchemaPropsOrStringArray": _schema_or_strings,
}
