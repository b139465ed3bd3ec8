"""Types of CEL: what they are called, which value may stand for which, and what type variables stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_ocm.objects.cel.declared import Declared


@dataclass(frozen=True, slots=True)
class Type:
    """One type. `kind` is how it behaves, `name` what it is called; lists, maps, optionals have `params`.

    `declared` is the part of a schema an object type stands for.
    """

    kind: str
    name: str
    params: tuple[Type, ...] = ()
    declared: Declared | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        shown = _SHOWN.get(self.name, self.name)
        return f"{shown}({', '.join(map(str, self.params))})" if self.params else shown


_SHOWN = {
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}

BOOL, INT, UINT, DOUBLE = (Type(name, name) for name in ("bool", "int", "uint", "double"))
STRING, BYTES, NULL = Type("string", "string"), Type("bytes", "bytes"), Type("null", "null_type")
TIMESTAMP = Type("timestamp", "google.protobuf.Timestamp")
DURATION = Type("duration", "google.protobuf.Duration")
DYN, ERROR, TYPE = Type("dyn", "dyn"), Type("error", "!error!"), Type("type", "type")
QUANTITY, URL = Type("struct", "kubernetes.Quantity"), Type("struct", "kubernetes.URL")
SEMVER, FORMAT = Type("struct", "kubernetes.Semver"), Type("struct", "kubernetes.NamedFormat")
IP, CIDR = Type("opaque", "net.IP"), Type("opaque", "net.CIDR")
_NULLABLE = frozenset({"opaque", "struct", "duration", "timestamp"})
_NESTED = frozenset({"list", "map", "opaque", "type"})

Bindings = dict[str, Type]
"""What type variables stand for."""


def list_of(item: Type) -> Type:
    """The type of lists of such items."""
    return Type("list", "list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """The type of maps from such keys to such values."""
    return Type("map", "map", (key, value))


def optional_of(value: Type) -> Type:
    """The type of what may be such a value or none."""
    return Type("opaque", "optional_type", (value,))


def type_of(value: Type) -> Type:
    """The type of the name of a type."""
    return Type("type", "type", (value,))


def variable(name: str) -> Type:
    """A type variable."""
    return Type("variable", name)


def unwrapped(type_: Type) -> tuple[Type, bool]:
    """What an optional may hold, and whether it was one."""
    return (type_.params[0], True) if type_.name == "optional_type" else (type_, False)


def is_open(type_: Type) -> bool:
    """Whether nothing is known of the value, so that it is looked at when it is there."""
    return type_.kind in ("dyn", "error")


def assignable(bound: Bindings, one: Type, other: Type) -> bool:
    """Whether a value of one type may stand where the other is wanted; enters what variables come to."""
    if other.kind == "variable":
        fits, known = _substitutes(bound, one, other)
        if fits or known:
            return fits
    if one.kind == "variable":
        return _substitutes(bound, other, one)[0]
    if is_open(one) or is_open(other):
        return True
    if one.kind == "null":
        return other.kind in _NULLABLE or other.kind == "null"
    if other.kind == "null":
        return one.kind in _NULLABLE
    if one.kind == "type":
        return other.kind == "type"
    if one.kind in _NESTED:
        alike = one.kind == other.kind and one.name == other.name
        return alike and all_assignable(bound, one.params, other.params)
    return one == other


def all_assignable(bound: Bindings, ones: tuple[Type, ...], others: tuple[Type, ...]) -> bool:
    """Whether that holds for each pair."""
    return len(ones) == len(others) and all(
        assignable(bound, a, b) for a, b in zip(ones, others, strict=True)
    )


def _substitutes(bound: Bindings, type_: Type, var: Type) -> tuple[bool, bool]:
    """Whether a type may stand for a variable, and whether something stands for it already."""
    if type_ == var:
        return True, True
    held = bound.get(var.name)
    if held is None:
        if _occurs(bound, var, type_):
            return False, False
        bound[var.name] = type_
        return True, False
    if type_ == held:
        return True, True
    if not assignable(bound, type_, held):
        return False, True
    general = most_general(type_, held)
    if not _occurs(bound, var, general):
        bound[var.name] = general
    return True, True


def _occurs(bound: Bindings, var: Type, within: Type) -> bool:
    if within == var:
        return True
    if within.kind == "variable":
        held = bound.get(within.name)
        return held is not None and _occurs(bound, var, held)
    return within.kind in _NESTED and any(_occurs(bound, var, part) for part in within.params)


def most_general(one: Type, other: Type) -> Type:
    """The wider of two types that go together."""
    return one if _as_wide(one, other) else other


def _as_wide(one: Type, other: Type) -> bool:
    if one.kind in ("dyn", "variable"):
        return True
    if other.kind in ("dyn", "variable") or one.kind != other.kind:
        return False
    if one.kind == "type":
        return True
    if one.params:
        alike = one.name == other.name and len(one.params) == len(other.params)
        return alike and all(_as_wide(a, b) for a, b in zip(one.params, other.params, strict=True))
    return one == other


def substituted(bound: Mapping[str, Type], type_: Type, *, free: bool = False) -> Type:
    """A type with what its variables stand for; with `free`, those that stand for nothing are anything."""
    if type_.kind == "variable":
        held = bound.get(type_.name)
        if held is not None:
            return substituted(bound, held, free=free)
        return DYN if free else type_
    if not type_.params:
        return type_
    parts = tuple(substituted(bound, part, free=free) for part in type_.params)
    return type_ if parts == type_.params else Type(type_.kind, type_.name, parts)
