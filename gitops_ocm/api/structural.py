"""From a model to the structural schema a CustomResourceDefinition carries.

Structural means: every value has a type, nothing is referred to from elsewhere, and alternatives
exist only for int-or-string. The walk follows the models' fields rather than pydantic's JSON
Schema, whose titles, references and optional-as-anyOf the API server would refuse.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gitops_ocm.api.base import IntOrString, Mandatory, Mark, Model
from gitops_ocm.api.meta import KubeObject

Schema = dict[str, Any]

_TYPES: Mapping[Any, str] = {str: "string", int: "integer", bool: "boolean", float: "number"}
_API_VERSION = "The API version this is written in, as group/version."
_KIND = "The kind of the object."


def object_schema(model: type[KubeObject]) -> Schema:
    """The schema of a whole object; the API server itself knows the fields of `metadata`."""
    schema = _model_schema(model)
    schema["properties"] |= {
        "apiVersion": {"type": "string", "description": _API_VERSION},
        "kind": {"type": "string", "description": _KIND},
        "metadata": {"type": "object"},
    }
    return schema


def _model_schema(model: type[Model]) -> Schema:
    properties: Schema = {}
    required: list[str] = []
    for name, field in model.model_fields.items():
        wire_name = field.serialization_alias or field.alias or name
        properties[wire_name] = _field_schema(field)
        if field.is_required() or any(isinstance(m, Mandatory) for m in _marks(field)):
            required.append(wire_name)
    schema: Schema = {"type": "object", "description": _summary(model), "properties": properties}
    if required:
        schema["required"] = sorted(required)
    if model.atomic:
        schema["x-kubernetes-map-type"] = "atomic"
    if model.rules:
        schema["x-kubernetes-validations"] = [{"rule": r.rule, "message": r.message} for r in model.rules]
    return schema


def _field_schema(field: FieldInfo) -> Schema:
    schema = _type_schema(field.annotation)
    for mark in field.metadata:
        schema |= _facts(mark, schema)
    if field.description:
        schema["description"] = field.description
    default = _default(field)
    if default is not None:
        schema["default"] = default
    return schema


def _type_schema(annotation: Any) -> Schema:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        schema = _type_schema(arguments[0])
        for mark in arguments[1:]:
            for part in mark.metadata if isinstance(mark, FieldInfo) else (mark,):
                schema |= _facts(part, schema)
        return schema
    if origin in (Union, types.UnionType):
        choices = [a for a in arguments if a is not type(None)]
        return _type_schema(choices[0]) if len(choices) == 1 else {}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object"} | (
            {"additionalProperties": _type_schema(arguments[1])} if arguments[1] is not Any else {}
        )
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return _model_schema(annotation)
    return {"type": _TYPES[annotation]}


def _facts(mark: Any, schema: Schema) -> Mapping[str, Any]:
    """What one piece of field metadata says in a schema of that type."""
    if isinstance(mark, (Mark, IntOrString)):
        return mark.facts
    size = "Items" if schema.get("type") == "array" else "Length"
    match mark:
        case annotated_types.MinLen(least):
            return {f"min{size}": least}
        case annotated_types.MaxLen(most):
            return {f"max{size}": most}
        case annotated_types.Ge(least):
            return {"minimum": least}
        case annotated_types.Le(most):
            return {"maximum": most}
    pattern = getattr(mark, "pattern", None)
    return {"pattern": pattern} if pattern else {}


def _marks(field: FieldInfo) -> list[Any]:
    """The metadata of a field, also what stands inside an optional's `Annotated`."""
    found = list(field.metadata)
    for choice in get_args(field.annotation):
        if get_origin(choice) is Annotated:
            found += get_args(choice)[1:]
    return found


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    return _written(value)


def _written(value: Any) -> Any:
    """A default as JSON. Its model is not asked: pydantic would compile it for that, half a schema's time."""
    if not isinstance(value, Model):
        return value
    fields = type(value).model_fields.items()
    told = {name: field.serialization_alias or field.alias or name for name, field in fields}
    return {wire: _written(getattr(value, n)) for n, wire in told.items() if n in value.model_fields_set}


def _summary(model: type[Model]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())
