"""Values that JSON has not, and what is asked of all values: which type one has, whether two are equal.

A CEL value is a Python one where there is one: bool, int, float, str, bytes, None, list, dict. Objects of a
schema are `Struct`s, lists that a schema says are sets or maps `SetList`s and `KeyedList`s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from gitops_ocm.objects.cel import types
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.types import Type

if TYPE_CHECKING:
    from gitops_ocm.objects.cel.declared import Declared

NO_OVERLOAD = "no such overload"


class Uint(int):
    """An unsigned integer."""

    __slots__ = ()


class Duration(int):
    """A span of time, in nanoseconds."""

    __slots__ = ()


class Timestamp(int):
    """A moment: nanoseconds since 1970, UTC."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Optional:
    """What may be there; `held` is the value in a tuple, or nothing."""

    held: tuple[Any, ...] = ()

    @property
    def value(self) -> Any:
        """The value; an optional without one has none."""
        if not self.held:
            raise EvalError("optional.none() dereference")
        return self.held[0]


NONE = Optional()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A Kubernetes quantity."""

    number: Decimal


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute URL or path."""

    text: str
    parts: SplitResult


@dataclass(frozen=True, slots=True)
class Ip:
    """An IP address."""

    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Cidr:
    """A network, with the address it was written by."""

    interface: IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class Semver:
    """A semantic version; `order` is what versions are compared by, which leaves build metadata out."""

    numbers: tuple[int, int, int]
    order: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A named format of text."""

    name: str


class KeyedList(list[Any]):
    """A list that is a map by some fields of its items (`x-kubernetes-list-type: map`)."""

    __slots__ = ("keys",)

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Any) -> tuple[Any, ...]:
        """What an item is found by."""
        return tuple(item.raw.get(k) if isinstance(item, Struct) else item.get(k) for k in self.keys)


class SetList(list[Any]):
    """A list whose items are each in it once (`x-kubernetes-list-type: set`)."""

    __slots__ = ()


class Struct:
    """An object of a schema: its declared fields, by the names CEL has for them, read when asked for."""

    __slots__ = ("_read", "declared", "raw")

    def __init__(self, raw: Mapping[str, Any], declared: Declared) -> None:
        self.raw, self.declared = raw, declared
        self._read: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """A field's value; one that is absent or null has none."""
        if name in self._read:
            return self._read[name]
        field = self.declared.fields.get(name)
        raw = None if field is None else self.raw.get(self.declared.names[name])
        if field is None or raw is None:
            raise EvalError(f"no such key: {name}")
        value = self._read[name] = field.value(raw)
        return value

    def has(self, name: str) -> bool:
        """Whether a field has a value."""
        return name in self.declared.fields and self.raw.get(self.declared.names[name]) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name, raw in self.declared.names.items() if raw in self.raw)

    def __len__(self) -> int:
        return len(self.raw)


_TYPES: Mapping[type, Type] = {
    bool: types.BOOL,
    int: types.INT,
    Uint: types.UINT,
    float: types.DOUBLE,
    str: types.STRING,
    bytes: types.BYTES,
    type(None): types.NULL,
    list: types.list_of(types.DYN),
    KeyedList: types.list_of(types.DYN),
    SetList: types.list_of(types.DYN),
    dict: types.map_of(types.DYN, types.DYN),
    Struct: types.map_of(types.DYN, types.DYN),
    Duration: types.DURATION,
    Timestamp: types.TIMESTAMP,
    Optional: types.optional_of(types.DYN),
    Quantity: types.QUANTITY,
    Url: types.URL,
    Ip: types.IP,
    Cidr: types.CIDR,
    Semver: types.SEMVER,
    Format: types.FORMAT,
    Type: types.TYPE,
}
_NUMBERS = frozenset({int, Uint, float})
_PLAIN = _NUMBERS | {str}
_LISTS = (list, KeyedList, SetList)
_MAPS = (dict, Struct)


def type_of(value: Any) -> Type:
    """The type a value has; what a list or map holds is not looked at. Values from outside bring theirs."""
    known = _TYPES.get(type(value))
    if known is not None:
        return known
    brought: Type = value.cel_type
    return brought


def is_list(value: Any) -> bool:
    """Whether a value is a list."""
    return type(value) in _LISTS


def is_map(value: Any) -> bool:
    """Whether a value is a map or an object."""
    return type(value) in _MAPS


def equal(one: Any, other: Any) -> bool:
    """Whether two values are equal: numbers by what they are, others only to values of their own type."""
    kind, others = type(one), type(other)
    if kind in _LISTS:
        return others in _LISTS and _lists_equal(one, other)
    if kind in _MAPS:
        return others in _MAPS and _maps_equal(one, other)
    if kind is not others and not (kind in _NUMBERS and others in _NUMBERS):
        return False
    if kind is Optional:
        return len(one.held) == len(other.held) and all(map(equal, one.held, other.held))
    return bool(one == other)


def _lists_equal(one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, SetList):
        members = Held(one)
        return all(item in members for item in other)
    if isinstance(one, KeyedList):
        held = {one.key(item): item for item in one}
        return all(one.key(item) in held and equal(held[one.key(item)], item) for item in other)
    return all(map(equal, one, other))


class Held:
    """Values to be found again by equality: texts and numbers at once, others one by one."""

    def __init__(self, items: list[Any]) -> None:
        self._plain = {item for item in items if type(item) in _PLAIN}
        self._others = [item for item in items if type(item) not in _PLAIN]

    def __contains__(self, value: Any) -> bool:
        if type(value) in _PLAIN:
            return value in self._plain
        return any(equal(value, item) for item in self._others)


def _maps_equal(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, Struct) and isinstance(other, Struct):
        hidden = [raw for raw in one.raw if raw not in one.declared.shown]
        fields = [name for name, raw in one.declared.names.items() if raw in one.raw or raw in other.raw]
        return all(one.raw[raw] == other.raw[raw] for raw in hidden if raw in other.raw) and all(
            one.has(f) == other.has(f) and (not one.has(f) or equal(one.get(f), other.get(f))) for f in fields
        )
    return all(has_key(other, key) and equal(item_of(one, key), item_of(other, key)) for key in one)


def has_key(held: Any, key: Any) -> bool:
    """Whether a map has a key; `1` and `1.0` are one, `true` is another."""
    if isinstance(held, Struct):
        return isinstance(key, str) and held.has(key)
    return _found(held, key) is not None


def item_of(held: Any, key: Any) -> Any:
    """What a map has under a key."""
    if isinstance(held, Struct):
        return held.get(key)
    found = _found(held, key)
    if found is None:
        raise EvalError(f"no such key: {shown(key)}")
    return found[0]


def _found(held: Mapping[Any, Any], key: Any) -> tuple[Any] | None:
    if isinstance(key, str):
        return (held[key],) if key in held else None
    if not isinstance(key, (bool, int, float)):
        raise EvalError(f"unsupported index type '{type_of(key)}' in map")
    return next(((held[k],) for k in held if equal(k, key)), None)


def shown(value: Any) -> str:
    """A value in a message, as `%v` has it."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
    return str(value)


def size(value: Any) -> int:
    """How big a value is, for what it costs to look at it: 1 for what has no parts."""
    match value:
        case str() | bytes() | list() | dict() | Struct():
            return len(value)
        case Optional():
            return size(value.held[0]) if value.held else 1
        case Ip():
            return value.address.max_prefixlen // 8
        case Cidr():
            return -(-value.interface.network.prefixlen // 8)
    return 1
