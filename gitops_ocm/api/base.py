"""What every model of the wire is made of: the base class and the marks a schema needs.

A model takes JSON as an API server sends it and gives the same JSON back: names are camelCase on
the wire and snake_case in code, unknown fields are kept, and only what was set is written out.
Models are values: frozen, changed by `model_copy(update=...)`.

pydantic's own constraints (`Field(ge=…, max_length=…, pattern=…)`, `Literal`) carry over into the
CRD. What they cannot say is said by the marks below, in `Annotated`: `api.structural` reads both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from gitops_ocm.api.scalars import parse_duration, parse_time
from gitops_ocm.errors import Diagnostic, DiagnosticsError


class InvalidObject(DiagnosticsError):
    """An object does not fit its model; `diagnostics` names each field at fault."""

    code = "invalid-object"


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """Facts of an OpenAPI schema that a Python type cannot carry, merged into the field's schema."""

    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mandatory:
    """The field is in the schema's `required` list although it has a default."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One `x-kubernetes-validations` entry: a CEL expression over `self` that must hold."""

    rule: str
    message: str


def list_map(*keys: str) -> Mark:
    """A list that server-side apply merges by the value of `keys`, which must be unique."""
    return Mark({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)})


def fmt(name: str) -> Mark:
    """An OpenAPI `format`."""
    return Mark({"format": name})


@dataclass(frozen=True, slots=True)
class IntOrString:
    """A number, or text that matches `pattern` (a percentage, a quantity)."""

    pattern: str

    @property
    def facts(self) -> Mapping[str, Any]:
        """The schema of the field, in place of the one its Python type would give."""
        return {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": self.pattern,
            "x-kubernetes-int-or-string": True,
        }

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: Any) -> int | str:
        if isinstance(value, str):
            if value.endswith("\n") or not re.search(self.pattern, value):
                raise ValueError(f"{value[:64]!r} does not match {self.pattern}")
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ValueError("must be a whole number or text")


LIST_ATOMIC = Mark({"x-kubernetes-list-type": "atomic"})
NULLABLE = Mark({"nullable": True})
EMBEDDED_OBJECT = Mark({"x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True})

DURATION_PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
"""Positive, in units people write."""


def _time_text(text: str) -> str:
    parse_time(text)
    return text


def _duration_text(text: str) -> str:
    parse_duration(text)
    return text


Int32 = Annotated[int, fmt("int32")]
Int64 = Annotated[int, fmt("int64")]
NonEmpty = Annotated[str, Field(min_length=1)]
TimeText = Annotated[str, fmt("date-time"), AfterValidator(_time_text)]
"""An RFC 3339 time as text on the wire."""
DurationText = Annotated[str, Field(pattern=DURATION_PATTERN), AfterValidator(_duration_text)]
"""A Go duration as text on the wire, in the form our own kinds take."""
Base64 = Annotated[str, fmt("byte")]
Manifest = Annotated[dict[str, Any], EMBEDDED_OBJECT]
"""A whole Kubernetes object inside another one."""


class Model(BaseModel):
    """A JSON object with known fields.

    `atomic` says that server-side apply treats it as one value; `rules` are its CEL validations.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="allow",
        frozen=True,
        strict=True,
        defer_build=True,
        protected_namespaces=(),
    )

    atomic: ClassVar[bool] = False
    rules: ClassVar[tuple[Rule, ...]] = ()

    def model_post_init(self, _context: Any) -> None:
        """Tell an unknown field from a known one of the same name in code.

        On the wire `hub_accepts_client` is a field nobody knows; pydantic would take its presence
        for a sign that `hubAcceptsClient` was set, and write that out as null.
        """
        for name in (self.__pydantic_extra__ or {}).keys() & type(self).model_fields.keys():
            if getattr(self, name) == type(self).model_fields[name].get_default(call_default_factory=False):
                self.__pydantic_fields_set__.discard(name)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Read JSON from the wire; raises `InvalidObject` naming every field at fault."""
        try:
            return cls.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as error:
            problems = tuple(_problems(error))
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise InvalidObject(f"{cls.__name__}: {problems[0].message}{more}", problems) from None

    def to_dict(self) -> dict[str, Any]:
        """The JSON it was read from or made of: what was set, by its name on the wire."""
        return self.model_dump(exclude_unset=True)


def _problems(error: ValidationError) -> Iterator[Diagnostic]:
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        path = ""
        for part in problem["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
        message = f"{path}: {problem['msg']}" if path else problem["msg"]
        yield Diagnostic("invalid-field", message)
