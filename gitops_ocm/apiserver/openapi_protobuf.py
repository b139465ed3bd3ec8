"""The OpenAPI v2 document as protobuf: the only form in which kubectl and Helm take it.

They check by it what a server cannot check for them (a `List`) and patch by it. The field numbers are those
of gnostic's `openapi.v2`; here are those that `openapi` writes. What the document holds is decided there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import orjson

from gitops_ocm.apiserver.protobuf_encode import tagged, varint

MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
NAMES = (MEDIA, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
"""Both names by which clients ask for it."""

_NAME, _VALUE = 1, 2
_ONLY = 1
"""The field of a message that has one, or whose first alternative is meant."""
_DOCUMENT = {"swagger": 1, "info": 2, "paths": 8, "definitions": 9}
_INFO = {"title": 1, "version": 2}
_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
_OPERATION_ID, _PARAMETERS, _RESPONSES, _OPERATION_EXTENSION = 5, 8, 9, 13
_NON_BODY, _QUERY = 2, 3
_QUERY_FIELDS = {"in": 2, "name": 4, "type": 6}
_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_NUMBERS = {"maxLength": 11, "minLength": 12, "maxItems": 14, "minItems": 15}
_DOUBLES = {"maximum": 7, "minimum": 9}
_DEFAULT, _REQUIRED, _ENUM, _ADDITIONAL = 5, 19, 20, 21
_TYPE, _ITEMS, _PROPERTIES, _EXTENSION = 22, 23, 25, 31


def encode_openapi(document: Mapping[str, Any]) -> bytes:
    """The whole document."""
    info = b"".join(_text(number, document["info"][key]) for key, number in _INFO.items())
    paths = b"".join(
        tagged(2, _text(_NAME, path) + tagged(_VALUE, _path(item)))
        for path, item in document["paths"].items()
    )
    return b"".join(
        (
            _text(_DOCUMENT["swagger"], document["swagger"]),
            tagged(_DOCUMENT["info"], info),
            tagged(_DOCUMENT["paths"], paths),
            tagged(_DOCUMENT["definitions"], _schemas(document["definitions"])),
        )
    )


def _path(item: Mapping[str, Any]) -> bytes:
    return b"".join(tagged(_METHODS[method], _operation(found)) for method, found in item.items())


def _operation(found: Mapping[str, Any]) -> bytes:
    parameters = (_parameter(p["name"], p["in"]) for p in found.get("parameters", ()))
    codes = (
        tagged(1, _text(_NAME, code) + tagged(_VALUE, tagged(_ONLY, _text(1, said["description"]))))
        for code, said in found["responses"].items()
    )
    return b"".join(
        (
            _text(_OPERATION_ID, found["operationId"]),
            *(tagged(_PARAMETERS, parameter) for parameter in parameters),
            tagged(_RESPONSES, b"".join(codes)),
            _extensions(_OPERATION_EXTENSION, found),
        )
    )


def _parameter(name: str, place: str) -> bytes:
    """One of a query: all that operations are told to take."""
    values = {"in": place, "name": name, "type": "string"}
    query = b"".join(_text(number, values[key]) for key, number in _QUERY_FIELDS.items())
    return tagged(_ONLY, tagged(_NON_BODY, tagged(_QUERY, query)))


def _schemas(named: Mapping[str, Any]) -> bytes:
    return b"".join(
        tagged(_ONLY, _text(_NAME, name) + tagged(_VALUE, _schema(schema))) for name, schema in named.items()
    )


def _schema(schema: Mapping[str, Any]) -> bytes:
    parts = [_SCHEMA[key](value) for key, value in schema.items() if key in _SCHEMA]
    return b"".join((*parts, _extensions(_EXTENSION, schema)))


def _additional(value: Any) -> bytes:
    return _varint(2, int(value)) if isinstance(value, bool) else tagged(_ONLY, _schema(value))


def _extensions(number: int, found: Mapping[str, Any]) -> bytes:
    return b"".join(
        tagged(number, _text(_NAME, key) + tagged(_VALUE, _any(value)))
        for key, value in found.items()
        if key.startswith("x-")
    )


def _any(value: Any) -> bytes:
    """Anything, as YAML, which JSON is."""
    return _text(2, orjson.dumps(value).decode())


def _texts(number: int, values: Iterable[str]) -> bytes:
    return b"".join(_text(number, value) for value in values)


def _text(number: int, value: str) -> bytes:
    return tagged(number, value.encode())


def _varint(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def _double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


_SCHEMA: Mapping[str, Callable[[Any], bytes]] = {
    **{key: partial(_text, number) for key, number in _TEXTS.items()},
    **{key: partial(_varint, number) for key, number in _NUMBERS.items()},
    **{key: partial(_double, number) for key, number in _DOUBLES.items()},
    "default": lambda value: tagged(_DEFAULT, _any(value)),
    "required": partial(_texts, _REQUIRED),
    "enum": lambda values: b"".join(tagged(_ENUM, _any(value)) for value in values),
    "additionalProperties": lambda value: tagged(_ADDITIONAL, _additional(value)),
    "type": lambda value: tagged(_TYPE, _text(_ONLY, value)),
    "items": lambda value: tagged(_ITEMS, tagged(_ONLY, _schema(value))),
    "properties": lambda value: tagged(_PROPERTIES, _schemas(value)),
}
