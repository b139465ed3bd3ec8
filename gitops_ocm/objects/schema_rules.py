"""CEL rules of a schema (`x-kubernetes-validations`).

A rule sees `self`, the value it stands at, and, if it mentions `oldSelf`, what that value was: such
a transition rule is left out where there is no old value. The values of untyped parts
(`x-kubernetes-preserve-unknown-fields`) are visible too; kube-apiserver hides them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.cel_engine import cel
from gitops_ocm.objects.cel_functions import FUNCTIONS
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.paths import Step, dotted

if TYPE_CHECKING:
    from gitops_ocm.objects.schema import Schema

Path = tuple[Step, ...]
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError)
"""What the evaluation of a rule that compiled may end in."""


def rule_causes(obj: Any, schema: Schema, old: Any) -> Iterator[Cause]:
    """Every rule at or below this value that does not hold."""
    return _walk(obj, old, schema, ())


def _walk(value: Any, old: Any, schema: Schema, path: Path) -> Iterator[Cause]:
    if not schema.ruled or value is None:
        return
    for rule in schema.rules:
        yield from _judge(rule, value, old, path)
    if isinstance(value, dict):
        was = old if isinstance(old, dict) else {}
        for name, under in value.items():
            node = schema.field(name)
            if node is not None:
                yield from _walk(under, was.get(name), node, (*path, name))
    elif isinstance(value, list) and schema.items is not None:
        for at, item in enumerate(value):
            yield from _walk(item, _counterpart(item, old, schema), schema.items, (*path, at))


def _counterpart(item: Any, old: Any, schema: Schema) -> Any:
    """The old item with the same keys; items of other lists have no identity, so no old value."""
    if schema.list_type != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return None
    keys = schema.list_keys
    for candidate in old:
        if isinstance(candidate, dict) and all(candidate.get(k) == item.get(k) for k in keys):
            return candidate
    return None


def _judge(rule: Mapping[str, Any], value: Any, old: Any, path: Path) -> Iterator[Cause]:
    text = rule["rule"]
    transition = "oldSelf" in _mentions(text)
    if transition and old is None and not rule.get("optionalOldSelf"):
        return
    variables = {"self": _unescaped(value)}
    if transition:
        variables["oldSelf"] = _old_value(old, rule)
    try:
        holds = _evaluate(text, variables)
    except FAILURES as error:
        yield Cause(
            "FieldValueInvalid", f'Invalid value: "{_cel_type(value)}": {_why(error, text)}', dotted(path)
        )
        return
    if holds is not True:
        yield _broken(rule, value, variables, path)


def _old_value(old: Any, rule: Mapping[str, Any]) -> Any:
    if not rule.get("optionalOldSelf"):
        return _unescaped(old)
    return cel.OptionalValue.none() if old is None else cel.OptionalValue.of(_unescaped(old))


def _broken(rule: Mapping[str, Any], value: Any, variables: Mapping[str, Any], path: Path) -> Cause:
    message = _message(rule, variables)
    if rule.get("fieldPath"):
        path = (*path, *_field_path(rule["fieldPath"]))
    field = dotted(path)
    match rule.get("reason") or "FieldValueInvalid":
        case "FieldValueForbidden":
            return Cause("FieldValueForbidden", f"Forbidden: {message}", field)
        case "FieldValueRequired":
            return Cause("FieldValueRequired", f"Required value: {message}", field)
        case "FieldValueDuplicate":
            return Cause("FieldValueDuplicate", f"Duplicate value: {_shown(value)}", field)
    shown = "" if isinstance(value, (list, dict)) else f" {_shown(value)}:"
    return Cause("FieldValueInvalid", f"Invalid value:{shown} {message}", field)


def _message(rule: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    """The expression's text if it yields one line of text; else the fixed message, else the rule."""
    if rule.get("messageExpression"):
        try:
            text = _evaluate(rule["messageExpression"], variables)
        except FAILURES:
            text = None
        if isinstance(text, str) and text.strip() and "\n" not in text:
            return text.strip()
    return rule.get("message") or f"failed rule: {rule['rule'].strip()}"


def _evaluate(text: str, variables: Mapping[str, Any]) -> Any:
    context = cel.Context(variables=dict(variables), functions=dict(FUNCTIONS))
    return _program(text).execute(context)


@lru_cache(maxsize=4096)
def _program(text: str) -> Any:
    return cel.compile(text)


@lru_cache(maxsize=4096)
def _mentions(text: str) -> frozenset[str]:
    return frozenset(_program(text).variables())


def _why(error: Exception, rule: str) -> str:
    text = str(error)
    if isinstance(error, KeyError):
        text = f"no such key: {error.args[0]}"
    return f"{text} evaluating rule: {rule.strip()}"


def _cel_type(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "integer"


def _shown(value: Any) -> str:
    return canonical_json(value).decode()


def _field_path(text: str) -> list[str]:
    """`.spec['a.b']` → its steps."""
    return [m[1] or m[2] for m in re.finditer(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]", text)]


_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"),
        *("if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)


def _unescaped(value: Any) -> Any:
    """The value with property names as CEL rules must write them (`a-b` is `a__dash__b`)."""
    if isinstance(value, dict):
        result = {}
        for key, under in value.items():
            result[key] = _unescaped(under)
            name = _escape(key)
            if name != key:
                result[name] = result[key]
        return result
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return value


@lru_cache(maxsize=4096)
def _escape(key: str) -> str:
    if key in _RESERVED:
        return f"__{key}__"
    if not re.fullmatch(r"[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*", key):
        return key
    text = key.replace("__", "__underscores__").replace(".", "__dot__")
    return text.replace("-", "__dash__").replace("/", "__slash__")


def rule_error(text: str) -> str:
    """Why a rule is not CEL; `""` where it is."""
    try:
        _program(text)
    except ValueError as error:
        return str(error)
    return ""
