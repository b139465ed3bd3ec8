"""A Deployment or DaemonSet as a Go program writes it that read it into its types.

OCM's add-on manager does so with what it changes, so what it hands on has the zero values Go cannot leave
out, and no field Go does not know. Unlike `native_values`, which needs the schemas of a server, this is
code alone, and it fills in no defaults. What cannot be read so raises `NotTyped`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from gitops_ocm.objects.go_times import canonical_time
from gitops_ocm.objects.quantities import canonical_quantity
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.objects.workload_shapes import SHAPES

WORKLOADS: Mapping[str, str] = {"Deployment": "deployments", "DaemonSet": "daemonsets"}
"""The kinds of the group `apps` that are known here, with their resources."""
Fields = Mapping[str, tuple[str, str]]
"""By field: its letter and its type."""


class NotTyped(Exception):
    """A value that Go's type does not take."""


def workload_kind(obj: Mapping[str, Any]) -> str:
    """`Deployment` or `DaemonSet`; empty for any other object."""
    group, _ = split_api_version(str(obj.get("apiVersion") or ""))
    kind = str(obj.get("kind") or "")
    return kind if group == "apps" and kind in WORKLOADS else ""


def as_workload(obj: Mapping[str, Any]) -> Object | None:
    """The object as Go would write it; None where it is no workload, or none that Go can read."""
    kind = workload_kind(obj)
    if not kind:
        return None
    try:
        return _struct(obj, kind)
    except NotTyped:
        return None


def typed(value: Any, name: str) -> Any:
    """A part of a workload (`Toleration`, `ResourceRequirements`) as Go would write it."""
    return _value(value, name)


@lru_cache(maxsize=1)
def _shapes() -> Mapping[str, Fields]:
    found: dict[str, dict[str, tuple[str, str]]] = {}
    fields: dict[str, tuple[str, str]] = {}
    for line in SHAPES.splitlines():
        words = line.split()
        if not line.startswith(" "):
            fields = found[words[0]] = {}
            words = words[1:]
        for word in words:
            name, _, told = word.partition(":")
            fields[name] = (told[0], told[1:])
    return found


def _value(value: Any, of: str) -> Any:
    if of == "*":
        return value
    if of[0] == "[":
        return [_item(each, of[1:-1]) for each in _instance(value, list, "list")]
    if of[0] == "{":
        given = _instance(value, dict, "map")
        return {key: _item(under, of[1:-1]) for key, under in given.items()}
    scalar = _SCALARS.get(of)
    return scalar(value) if scalar is not None else _struct(value, of)


def _item(value: Any, of: str) -> Any:
    """An element; null is Go's zero value."""
    if value is not None:
        return _value(value, of)
    return _ZEROS.get(of) if of in _ZEROS else _struct({}, of)


def _struct(value: Any, of: str) -> Object:
    given = _instance(value, dict, "object")
    result: Object = {}
    for name, (letter, type_) in _shapes()[of].items():
        found = given.get(name)
        if found is not None:
            read = _value(found, type_)
            if read or letter not in "ze":
                result[name] = read
        elif letter == "o":
            result[name] = _struct({}, type_)
        elif letter in "pl":
            result[name] = None
        elif letter in "snbq":
            result[name] = _ZEROS[type_]
    return result


def _instance(value: Any, wanted: type, called: str) -> Any:
    if not isinstance(value, wanted):
        raise NotTyped(f"{type(value).__name__} where a {called} is due")
    return value


def _text(value: Any) -> str:
    return str(_instance(value, str, "text"))


def _boolean(value: Any) -> bool:
    return bool(_instance(value, bool, "boolean"))


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise NotTyped(f"{value!r} where an integer is due")
    return int(value)


def _number_or_text(value: Any) -> int | str:
    return value if isinstance(value, str) else _integer(value)


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotTyped(f"{value!r} where a quantity is due")
    try:
        return canonical_quantity(value)
    except ValueError as error:
        raise NotTyped(str(error)) from error


def _time(value: Any) -> str:
    try:
        return canonical_time(_text(value))
    except ValueError as error:
        raise NotTyped(str(error)) from error


_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "S": _text,
    "B": _boolean,
    "I": _integer,
    "X": _number_or_text,
    "Q": _quantity,
    "T": _time,
}
_ZEROS: Mapping[str, Any] = {"S": "", "B": False, "I": 0, "X": 0, "Q": "0", "T": None}
