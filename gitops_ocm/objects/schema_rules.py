"""CEL rules of a schema (`x-kubernetes-validations`), judged on an object.

A rule sees `self`, the value it stands at, and, if it names `oldSelf`, what that value was: such a transition
rule is left out where there is no old value, unless it says that there may be none. What all rules of one
object cost together is limited. A rule that fails on what an update leaves as it was is no fault of it.

That a rule can be asked at all is judged when its definition is made: `crd_cel`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause

if TYPE_CHECKING:
    from gitops_ocm.objects.cel.declared import Declared
    from gitops_ocm.objects.cel.environment import Program
    from gitops_ocm.objects.schema import Schema

BUDGET = 10_000_000
"""What all rules may cost on one object."""
LONGEST_MESSAGE = 5 * 1024
ROOT = "<nil>"
"""How a server names the field that is the whole object."""
_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_OUT_OF_BUDGET = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)
_NO_OVERLOAD = "call arguments did not match a supported operator, function or macro signature for rule"


class Rule(NamedTuple):
    """A rule and what is made of it (or the `fault` why nothing is), and the field it `points_to`."""

    raw: Mapping[str, Any]
    program: Program | None
    message: Program | None = None
    fault: str = ""
    points_to: str = ""

    @property
    def transition(self) -> bool:
        """Whether it asks what there was before."""
        return self.program is not None and "oldSelf" in self.program.names

    @property
    def optional(self) -> bool:
        """Whether it is also asked where there was nothing before."""
        return bool(self.raw.get("optionalOldSelf"))


class Rules(NamedTuple):
    """The rules of one part of a schema, and how they see its values."""

    declared: Declared | None
    rules: tuple[Rule, ...]


def compiled(schema: Schema, *, root: bool) -> Rules:
    """The rules of this part of a schema, ready to be asked."""
    from gitops_ocm.objects.cel.declared import RESOURCE, declare

    raw = schema.raw
    if root:
        raw = {**raw, "properties": {**(raw.get("properties") or {}), **RESOURCE}}
    declared = declare(raw, root=root)
    return Rules(declared, tuple(_compiled(rule, declared, schema.raw) for rule in schema.rules))


def _compiled(raw: Mapping[str, Any], declared: Declared | None, schema: Mapping[str, Any]) -> Rule:
    from gitops_ocm.objects.cel.environment import Environment
    from gitops_ocm.objects.cel.faults import CompileError

    if declared is None:
        return Rule(raw, None, fault="failed to convert to declType for CEL validation rules")
    environment = Environment(variables(declared, raw))
    try:
        program = environment.compile(raw.get("rule") or "")
    except CompileError as error:
        return Rule(raw, None, fault=f"rule compile error: {error.message}")
    try:
        message = environment.compile(raw["messageExpression"]) if raw.get("messageExpression") else None
    except CompileError:
        message = None
    return Rule(raw, program, message, points_to=_normalized(raw.get("fieldPath") or "", schema))


def _normalized(text: str, schema: Mapping[str, Any]) -> str:
    """`.spec['a.b']` as fields are printed: declared ones with a dot, keys of maps in brackets."""
    path, node = "", schema
    for found in _STEP.finditer(text):
        name = found[1] or found[2]
        if node.get("properties"):
            path, node = f"{path}.{name}" if path else name, node["properties"].get(name) or {}
        else:
            path, node = f"{path}[{name}]", node.get("additionalProperties") or {}
    return path


def variables(declared: Declared, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule may name, by its types."""
    from gitops_ocm.objects.cel.types import optional_of

    old = optional_of(declared.type) if raw.get("optionalOldSelf") else declared.type
    return {"self": declared.type, "oldSelf": old}


class _Place(NamedTuple):
    """Where a value is, what it was (None where nothing was), and the nearest pair that can be compared."""

    path: str
    old: Any
    compared: tuple[Any, Any] | None

    def field(self, name: str, value: Any, old: Any) -> _Place:
        """The place of a field."""
        path = f"{self.path}.{name}" if self.path else name
        return _Place(path, old, self.compared if old is None else (value, old))

    def item(self, step: str | int, value: Any, old: Any) -> _Place:
        """The place of an item or entry; where nobody knows what it was, the whole stands for it."""
        return _Place(f"{self.path}[{step}]", old, self.compared if old is None else (value, old))

    @property
    def unchanged(self) -> bool:
        """Whether an update left it as it was."""
        return self.compared is not None and bool(self.compared[0] == self.compared[1])


class _Stopped(Exception):
    """No further rule of this object is asked."""


def rule_causes(obj: Any, schema: Schema, old: Any) -> list[Cause]:
    """Every rule at or below this value that does not hold."""
    judge = _Judge()
    with suppress(_Stopped):
        judge.walk(obj, schema, _Place("", old, None if old is None else (obj, old)), root=True)
    return judge.found


class _Judge:
    """One object's rules: what was found, and what may still be spent."""

    def __init__(self) -> None:
        self.found: list[Cause] = []
        self._left = BUDGET

    def walk(self, value: Any, schema: Schema, place: _Place, *, root: bool = False) -> None:
        if not schema.ruled or value is None:
            return
        if schema.rules:
            self._ask(value, schema, place, root=root or schema.embedded)
        if isinstance(value, dict):
            was = place.old if isinstance(place.old, dict) else {}
            for name, under in value.items():
                node = schema.field(name)
                if node is not None and node.ruled:
                    below = place.field if name in schema.properties else place.item
                    self.walk(under, node, below(name, under, was.get(name)))
        elif isinstance(value, list) and schema.items is not None:
            was_of = counterparts(place.old, schema)
            for at, item in enumerate(value):
                self.walk(item, schema.items, place.item(at, item, was_of(item)))

    def _ask(self, value: Any, schema: Schema, place: _Place, *, root: bool) -> None:
        from gitops_ocm.objects.cel.faults import EvalError
        from gitops_ocm.objects.cel.values import NONE, Optional

        if schema.rules_memo is None:
            schema.rules_memo = compiled(schema, root=root)
        declared, rules = schema.rules_memo
        try:
            now = declared.value(value) if declared else None
            before = declared.value(place.old) if declared and place.old is not None else None
        except EvalError as error:
            self._fault(schema, place, f"{error.message} evaluating rule: {_shown_rule(rules[0].raw)}")
            return
        for rule in rules:
            if rule.program is None:
                self._fault(schema, place, rule.fault)
            elif not rule.transition or before is not None or rule.optional:
                old = before if not rule.optional else NONE if before is None else Optional((before,))
                self._judge(rule, value, {"self": now, "oldSelf": old}, schema, place)

    def _judge(self, rule: Rule, value: Any, seen: Mapping[str, Any], schema: Schema, place: _Place) -> None:
        assert rule.program is not None
        result = rule.program.run(seen)
        self._spend(result.cost, schema, place, _OUT_OF_BUDGET)
        if result.error:
            self._failed(rule, result.error, schema, place)
        elif result.value is not True:
            message = self._message(rule, seen, schema, place)
            if rule.transition or not place.unchanged:
                self.found.append(_broken(rule, message, value, schema, place.path))

    def _spend(self, cost: int, schema: Schema, place: _Place, why: str) -> None:
        if cost > self._left:
            self._fault(schema, place, why)
            raise _Stopped
        self._left -= cost

    def _failed(self, rule: Rule, error: str, schema: Schema, place: _Place) -> None:
        """An evaluation without a result: a fault, whatever the rule would have said."""
        shown = _shown_rule(rule.raw)
        if error.startswith("no such overload"):
            self._fault(schema, place, f"'{error}': {_NO_OVERLOAD}: {shown}")
        elif error.startswith("operation cancelled"):
            why = "no further validation rules will be run due to call cost exceeds limit for rule"
            self._fault(schema, place, f"'{error}': {why}: {shown}")
            raise _Stopped
        else:
            self._fault(schema, place, f"{error} evaluating rule: {shown}")

    def _message(self, rule: Rule, seen: Mapping[str, Any], schema: Schema, place: _Place) -> str:
        """The expression's text if it yields one line of text; else the fixed message, else the rule."""
        if rule.message is not None:
            result = rule.message.run(seen)
            budget = "messageExpression evaluation failed due to running out of cost budget, "
            self._spend(result.cost, schema, place, f"{budget}no further validation rules will be run")
            if result.error.startswith("operation cancelled"):
                why = "no further validation rules will be run due to call cost exceeds limit for"
                text = canonical_json(rule.raw["messageExpression"]).decode()
                self._fault(schema, place, f"{why} messageExpression: {text}")
                raise _Stopped
            text = result.value.strip() if isinstance(result.value, str) else ""
            if text and "\n" not in text and len(text.encode()) <= LONGEST_MESSAGE:
                return text
        return (rule.raw.get("message") or "").strip() or f"failed rule: {_shown_rule(rule.raw)}"

    def _fault(self, schema: Schema, place: _Place, why: str) -> None:
        self.found.append(
            Cause("FieldValueInvalid", f'Invalid value: "{schema.type}": {why}', place.path or ROOT)
        )


def counterparts(old: Any, schema: Schema) -> Callable[[Any], Any]:
    """Finds the old item with the same keys; items of other lists have no identity, so no old value."""
    if schema.list_type != "map" or not isinstance(old, list):
        return lambda item: None

    def key_of(item: Any) -> tuple[Any, ...] | None:
        values = tuple(item.get(key) for key in schema.list_keys) if isinstance(item, dict) else None
        return None if values is None or any(isinstance(v, dict | list) for v in values) else values

    found: dict[Any, Any] = {}
    for candidate in old:
        if (key := key_of(candidate)) is not None:
            found.setdefault(key, candidate)
    return lambda item: found.get(key_of(item))


def _broken(rule: Rule, message: str, value: Any, schema: Schema, path: str) -> Cause:
    field = ".".join(filter(None, (path, rule.points_to))) or ROOT
    shown = "" if schema.type in ("object", "array") else f": {_shown(value)}"
    match rule.raw.get("reason") or "FieldValueInvalid":
        case "FieldValueForbidden":
            return Cause("FieldValueForbidden", f"Forbidden: {message}", field)
        case "FieldValueRequired":
            return Cause("FieldValueRequired", f"Required value: {message}", field)
        case "FieldValueDuplicate":
            return Cause("FieldValueDuplicate", f"Duplicate value{shown}", field)
    return Cause("FieldValueInvalid", f"Invalid value{shown}: {message}", field)


def _shown_rule(rule: Mapping[str, Any]) -> str:
    return str(rule.get("message") or rule.get("rule") or "").strip()


def _shown(value: Any) -> str:
    return canonical_json(value).decode()
