"""Reads Kubernetes' protobuf form of built-in kinds, as Go clients (kubectl among them) send it.

Writing it is `protobuf_encode`. The field numbers are packaged data (`tools/builtin_protobuf.py`).
As Go's types cannot tell an absent value from a zero
one, zeros are dropped unless the field is a pointer there.
"""

from __future__ import annotations

import base64
import gzip
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import definition_names

MEDIA = "application/vnd.kubernetes.protobuf"
_ANY_GROUP = frozenset(
    (
        *("Status", "DeleteOptions", "WatchEvent"),
        *("APIVersions", "APIGroupList", "APIGroup", "APIResourceList"),
    )
)
"""Kinds that are at home in every group."""
MAGIC = b"k8s\x00"
META = "k8s.io.apimachinery.pkg.apis.meta.v1."
SCHEMA = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1."
_RAW = "k8s.io.apimachinery.pkg.runtime.RawExtension"
_DEPTH = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message. `shape`: `r` repeated, `m` map, `i` inlined in JSON, `p` pointer in Go."""

    name: str
    type: str
    shape: str


class Broken(ValueError):
    """Bytes that are not the message they should be."""


def decode_protobuf(body: bytes) -> Object:
    """The object in a request's body; `Broken` for what cannot be read, 415 for a kind without protobuf."""
    if not body.startswith(MAGIC):
        prefix = " ".join(map(str, MAGIC))
        raise Broken(f"provided data does not appear to be a protobuf message, expected prefix [{prefix}]")
    try:
        wrapper = {number: value for number, _, value in _values(body[len(MAGIC) :])}
        named = {number: _text(value) for number, _, value in _values(_bytes(wrapper.get(1, b"")))}
        api_version, kind = named.get(1, ""), named.get(2, "")
        message = _message_of(api_version, kind)
        decoded = _decode(message, _bytes(wrapper.get(2, b"")), 0)
    except (Broken, UnicodeDecodeError, orjson.JSONDecodeError, OverflowError, struct.error) as error:
        raise Broken(str(error)) from None
    assert isinstance(decoded, dict)
    return {"apiVersion": api_version, "kind": kind, **decoded}


def _message_of(api_version: str, kind: str) -> str:
    message = known_message(api_version, kind)
    if message is None:
        text = f"no kind {kind!r} of {api_version!r} is known in {MEDIA}: send application/json"
        raise ApiError("UnsupportedMediaType", text)
    return message


@lru_cache(maxsize=1024)
def known_message(api_version: str, kind: str) -> str | None:
    """The message that a kind's objects are, None where it has no protobuf form."""
    group, _, version = api_version.rpartition("/")
    if kind in _ANY_GROUP or group == "meta.k8s.io":
        name = f"{META}{kind}"
    elif (group, version, kind) in definition_names():
        name = definition_names()[group, version, kind].replace("io.k8s.", "k8s.io.", 1).replace("-", "_")
    else:  # the kind of a subresource, which the list of kinds does not have
        name = f"k8s.io.api.{group.partition('.')[0] or 'core'}.{version}.{kind}"
    return name if name in messages() else None


@lru_cache(maxsize=1)
def messages() -> Mapping[str, Mapping[int, Field]]:
    """Every message, by name: its fields by number."""
    packed = (files("gitops_ocm") / "apiserver" / "builtin" / "protobuf.json.gz").read_bytes()
    raw: dict[str, list[Any]] = orjson.loads(gzip.decompress(packed))
    return {name: {row[0]: Field(*row[1:]) for row in rows} for name, rows in raw.items()}


def _decode(message: str, data: bytes, depth: int) -> Any:
    special = _SPECIAL.get(message)
    if special is not None:
        return special(data, depth)
    if depth > _DEPTH:
        raise Broken(f"nested deeper than {_DEPTH} messages")
    fields = messages()[message]
    result: dict[str, Any] = {}
    for number, wire, value in _values(data):
        field = fields.get(number)
        if field is None:
            continue  # of a newer client
        _put(result, field, wire, value, depth)
    return result


def _put(result: dict[str, Any], field: Field, wire: int, value: int | bytes, depth: int) -> None:
    if "m" in field.shape:
        key, item = _entry(field, _bytes(value), depth)
        result.setdefault(field.name, {})[key] = item
        return
    decoded = _value(field.type, wire, value, depth)
    if "r" in field.shape:
        result.setdefault(field.name, []).append(decoded)
    elif "i" in field.shape:
        result.update(decoded)
    elif "p" in field.shape or decoded not in ("", 0, False, None, {} if field.type != _RAW else None):
        result[field.name] = decoded


def _entry(field: Field, data: bytes, depth: int) -> tuple[str, Any]:
    parts = {number: (wire, value) for number, wire, value in _values(data)}
    key = _text(parts[1][1]) if 1 in parts else ""
    if 2 in parts:
        return key, _value(field.type, *parts[2], depth)
    return key, _value(field.type, _BYTES, b"", depth)


def _value(kind: str, wire: int, value: int | bytes, depth: int) -> Any:
    if kind in messages() or kind in _SPECIAL:
        return _decode(kind, _bytes(value), depth + 1)
    if kind == "string":
        return _text(value)
    if kind == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if kind in ("double", "float"):
        code = "<d" if wire == _FIXED64 else "<f"
        return struct.unpack(code, _bytes(value))[0]
    if not isinstance(value, int):
        raise Broken(f"a number was expected, of type {kind}")
    if kind == "bool":
        return bool(value)
    return value - (1 << 64) if value >= 1 << 63 else value


# The wire


def _values(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Each field of a message: number, wire type, and its varint or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            number, at = _varint(data, at)
            yield tag >> 3, wire, number
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise Broken(f"proto: illegal wireType {wire}")
        if length > len(data) - at:
            raise Broken("unexpected end of data")
        yield tag >> 3, wire, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Broken("unexpected end of data")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, at
    raise Broken("a number of more than 64 bits")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Broken("bytes were expected, not a number")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()


# Types whose JSON is not an object of their fields


def _numbered(data: bytes) -> dict[int, int | bytes]:
    return {number: value for number, _, value in _values(data)}


def _moment(data: bytes) -> tuple[int, int] | None:
    found = _numbered(data)
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    if not found or not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    return (seconds - (1 << 64) if seconds >= 1 << 63 else seconds), nanos


def _time(data: bytes, depth: int) -> str | None:
    moment = _moment(data)
    return _formatted(moment[0], "") if moment else None


def _micro_time(data: bytes, depth: int) -> str | None:
    moment = _moment(data)
    return _formatted(moment[0], f".{moment[1] // 1000:06d}") if moment else None


def _formatted(seconds: int, fraction: str) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
    except (ValueError, OSError) as error:
        raise Broken(f"a time out of range: {seconds}") from error


def _quantity(data: bytes, depth: int) -> str:
    return _text(_numbered(data).get(1, b""))


def _int_or_string(data: bytes, depth: int) -> int | str:
    found = _numbered(data)
    if found.get(1, 0) == 1:
        return _text(found.get(3, b""))
    number = found.get(2, 0)
    if not isinstance(number, int):
        raise Broken("a number was expected, of type int32")
    return number - (1 << 64) if number >= 1 << 63 else number


def _raw_json(data: bytes, depth: int) -> Any:
    raw = _bytes(_numbered(data).get(1, b""))
    return orjson.loads(raw) if raw else None


def _items(data: bytes, depth: int) -> list[str]:
    return [_text(value) for number, _, value in _values(data) if number == 1]


def _schema(value: int | bytes, depth: int) -> Any:
    return _decode(f"{SCHEMA}JSONSchemaProps", _bytes(value), depth + 1)


def _schema_or_bool(data: bytes, depth: int) -> Any:
    found = _numbered(data)
    return _schema(found[2], depth) if 2 in found else bool(found.get(1, 0))


def _schema_or_schemas(data: bytes, depth: int) -> Any:
    found = list(_values(data))
    many = [_schema(value, depth) for number, _, value in found if number == 2]
    one = [_schema(value, depth) for number, _, value in found if number == 1]
    return one[0] if one and not many else many


def _schema_or_strings(data: bytes, depth: int) -> Any:
    found = list(_values(data))
    one = [_schema(value, depth) for number, _, value in found if number == 1]
    return one[0] if one else [_text(value) for number, _, value in found if number == 2]


_SPECIAL: Mapping[str, Callable[[bytes, int], Any]] = {
    f"{META}Time": _time,
    f"{META}MicroTime": _micro_time,
    f"{META}FieldsV1": _raw_json,
    f"{META}Verbs": _items,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    _RAW: _raw_json,
    "k8s.io.api.authentication.v1.ExtraValue": _items,
    "k8s.io.api.authorization.v1.ExtraValue": _items,
    "k8s.io.api.certificates.v1.ExtraValue": _items,
    f"{SCHEMA}JSON": _raw_json,
    f"{SCHEMA}JSONSchemaPropsOrBool": _schema_or_bool,
    f"{SCHEMA}JSONSchemaPropsOrArray": _schema_or_schemas,
    f"{SCHEMA}JSONSchemaPropsOrStringArray": _schema_or_strings,
}
