"""What a policy's expressions in CEL may name, and whether a text is one that may be asked.

    program = compiled("objects.all(o, o.act != 'delete' || o.kind != 'Secret')")
    program.run(variables(values), LIMIT)

The values themselves are a preview's, made where rules are asked (`preview.policy.expressions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from gitops_ocm.objects.cel.arithmetic import Size
from gitops_ocm.objects.cel.declared import Declared, declare
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError, Issue
from gitops_ocm.objects.cel.types import STRING

LIMIT = 10_000_000
"""What one expression may cost: some seconds."""
LONGEST = 10_000
"""Characters of an expression."""
_LARGE, _SOME = 10_000, 20
_UNTYPED = Size(0, _SOME)
"""How big what has no type (a part of an object) is taken to be before it is there."""

_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": 64}
_TIME: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_COUNT: Mapping[str, Any] = {"type": "integer"}
_ANY: Mapping[str, Any] = {"x-kubernetes-int-or-string": True, "maxLength": 64}


def _object(**fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "properties": fields}


def _list(items: Mapping[str, Any], most: int) -> Mapping[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


_NAMES = _list(_TEXT, _LARGE)
_IDENTITY = {"group": _TEXT, "kind": _TEXT, "namespace": _TEXT, "name": _TEXT}
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "change": _object(
        base=_TEXT,
        head=_TEXT,
        state=_TEXT,
        clusters=_COUNT,
        created=_COUNT,
        changed=_COUNT,
        deleted=_COUNT,
        moved=_COUNT,
        shares=_list(_object(set=_TEXT, touched=_COUNT, clusters=_COUNT, atOnce=_COUNT), _SOME),
    ),
    "objects": _list(
        _object(
            act=_TEXT,
            **_IDENTITY,
            path=_TEXT,
            line=_COUNT,
            fields=_list(_object(path=_TEXT, before=_ANY, after=_ANY), _SOME),
            object=_ANY,
            oldObject=_ANY,
        ),
        _LARGE,
    ),
    "clusters": _list(
        _object(
            name=_TEXT,
            sets=_list(_TEXT, _SOME),
            objects=_list(_object(act=_TEXT, **_IDENTITY), _SOME),
        ),
        _LARGE,
    ),
    "selections": _list(
        _object(namespace=_TEXT, name=_TEXT, before=_NAMES, after=_NAMES, gained=_NAMES, lost=_NAMES),
        _LARGE,
    ),
    "rollouts": _list(
        _object(
            **_IDENTITY,
            strategy=_TEXT,
            waves=_list(_object(at=_TIME, clusters=_NAMES, groups=_list(_TEXT, _SOME)), _SOME),
            waiting=_NAMES,
            end=_TIME,
        ),
        _LARGE,
    ),
    "now": _TIME,
}
"""The variables, as schemas. Lists may be longer than their limits: by those, prices are estimated."""


def compiled(text: str) -> Program:
    """The program of a rule's expression; raises `CompileError`, also for one that costs too much."""
    return _compiled(text, "bool")


def compiled_message(text: str) -> Program:
    """The program of an expression that makes a message, as `compiled`."""
    return _compiled(text, STRING.kind)


def variables(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """What expressions see of values as JSON has them; one for each of `SCHEMAS`."""
    known = _declared()
    return {name: known[name].value(value) for name, value in values.items()}


@lru_cache(maxsize=256)
def _compiled(text: str, kind: str) -> Program:
    if len(text) > LONGEST:
        raise CompileError("", [Issue(-1, f"it has {len(text)} characters; {LONGEST} are the limit")])
    known = _declared()
    program = Environment({name: declared.type for name, declared in known.items()}).compile(text)
    if program.type.kind not in (kind, "dyn"):
        raise CompileError(text, [Issue(0, f"its type is {program.type}; it must be {kind}")])
    cost = program.most_cost(_size_at)
    if cost > LIMIT:
        raise CompileError(text, [Issue(0, f"it may cost {cost} units; {LIMIT} are the limit")])
    return program


@lru_cache(maxsize=1)
def _declared() -> Mapping[str, Declared]:
    found = {name: declare(schema, name=name) for name, schema in SCHEMAS.items()}
    known = {name: declared for name, declared in found.items() if declared is not None}
    for declared in known.values():
        _unescape(declared)
    return known


def _unescape(declared: Declared) -> None:
    """Let `namespace` be written as it is: it is reserved for names of variables alone."""
    if declared.items is not None:
        _unescape(declared.items)
    for escaped, name in list(declared.names.items()):
        field = declared.fields.pop(escaped)
        del declared.names[escaped]
        declared.fields[name], declared.names[name] = field, name
        _unescape(field)


def _size_at(path: Sequence[str] | None) -> Size | None:
    if not path:
        return _UNTYPED
    known = _declared().get(path[0])
    return (known.size_at(path) if known else None) or _UNTYPED
