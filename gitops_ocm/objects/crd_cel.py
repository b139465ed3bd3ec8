"""The CEL rules in a definition's schema: whether they can be asked, and what asking them may cost.

Each rule is compiled against the part of the schema it stands at, its greatest cost estimated by the limits
the schema sets (`maxItems`, `maxProperties`, `maxLength`) and how often that part may be in an object. What a
rule says of an object is `schema_rules`; what a schema must be beside its rules, `crd_schemas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.cel import literals
from gitops_ocm.objects.cel.arithmetic import MOST
from gitops_ocm.objects.cel.declared import MAX_REQUEST, Declared, declare
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.schema_rules import variables

RULE_LIMIT, SCHEMA_LIMIT = 10_000_000, 100_000_000
_MOST_SHOWN = 4
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_FIELDS = (
    ("Rule", "rule", ""),
    ("Message", "message", ""),
    ("MessageExpression", "messageExpression", ""),
    ("Reason", "reason", None),
    ("FieldPath", "fieldPath", ""),
    ("OptionalOldSelf", "optionalOldSelf", None),
)
_ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and "
    "strings are declared)"
)
_PATH = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


@dataclass
class _Costs:
    """What all rules of a schema may cost together, and the rules that matter most in it."""

    total: int = 0
    dearest: list[tuple[int, str]] = field(default_factory=list)

    def add(self, where: str, cost: int) -> None:
        self.total = min(self.total + cost, MOST)
        if cost >= SCHEMA_LIMIT // 100:
            self.dearest = sorted([*self.dearest, (cost, where)], key=lambda each: -each[0])[:_MOST_SHOWN]


@dataclass(frozen=True)
class _Place:
    """Where in a schema: how often a value may be there (None: nothing says), and what has no past there."""

    where: str
    often: int | None = 1
    pastless: str = ""
    root: bool = False

    def under(self, schema: Mapping[str, Any], step: str, *, keeps_past: bool = True) -> _Place:
        """The place of a part of a schema."""
        each = _most_parts(schema)
        often = None if self.often is None or each is None else self.often * each
        pastless = self.pastless or ("" if keeps_past else self.where)
        return replace(self, where=f"{self.where}.{step}", often=often, pastless=pastless, root=False)


def rule_causes(schema: Mapping[str, Any], where: str, *, sound: bool) -> Iterator[Cause]:
    """Every rule of a version's schema at fault; what rules mean is judged where the schema is `sound`."""
    costs, meant = _Costs(), list[Cause]()
    yield from _node(schema, _Place(where, root=True), costs, meant, sound)
    yield from meant
    if costs.total > SCHEMA_LIMIT:
        for _, path in costs.dearest:
            why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
            yield Cause("FieldValueForbidden", f"Forbidden: {why}", path)
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield _too_dear(where, name, costs.total, SCHEMA_LIMIT)


def _node(
    schema: Mapping[str, Any], place: _Place, costs: _Costs, meant: list[Cause], sound: bool
) -> Iterator[Cause]:
    """Faults in how rules are written, below first; faults in what they mean go to `meant`."""
    found: list[Cause] = []
    for part, below in _below(schema, place):
        found += _node(part, below, costs, meant, sound)
    rules = [rule or {} for rule in schema.get("x-kubernetes-validations") or ()]
    for at, rule in enumerate(rules):
        found += _written(rule, schema, f"{place.where}.x-kubernetes-validations[{at}]")
    yield from found
    if not rules or found or not sound:
        return
    declared = declare(schema, root=place.root or bool(schema.get("x-kubernetes-embedded-resource")))
    if declared is None:
        why = "internal error: failed to construct type information for x-kubernetes-validations rules: "
        text = f"Internal error: {why}unable to convert structural schema to CEL declarations"
        meant.append(Cause("InternalError", text, f"{place.where}.x-kubernetes-validations"))
        return
    for at, rule in enumerate(rules):
        meant += _meant(rule, declared, place, f"{place.where}.x-kubernetes-validations[{at}]", costs)


def _below(schema: Mapping[str, Any], place: _Place) -> Iterator[tuple[Mapping[str, Any], _Place]]:
    additional, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(additional, Mapping):
        yield additional, place.under(schema, "additionalProperties")
    keeps = schema.get("x-kubernetes-map-type") in (None, "granular", "atomic")
    for name, part in sorted((schema.get("properties") or {}).items()):
        yield part or {}, place.under(schema, f"properties[{name}]", keeps_past=keeps)
    if isinstance(items, Mapping):
        keeps = schema.get("x-kubernetes-list-type") == "map"
        yield items, place.under(schema, "items", keeps_past=keeps)


def _most_parts(schema: Mapping[str, Any]) -> int | None:
    """How many parts of a kind a value may have at most; None where nothing limits it."""
    limit: int | None = None
    if schema.get("type") == "array":
        limit = schema.get("maxItems")
    elif schema.get("type") == "object" and schema.get("additionalProperties") is not None:
        limit = schema.get("maxProperties")
    else:
        return 1
    return None if limit is None else max(limit, 0)


# --- how a rule is written ----------------------------------------------------------------------------


def _written(rule: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    text, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not text:
        yield _required(f"{where}.rule", "rule is not specified")
    elif message and not message.strip():
        yield _invalid(f"{where}.message", message, "must be non-empty if specified")
    elif re.search(r"[\n\r]", message.strip()):
        yield _invalid(f"{where}.message", message, "must not contain line breaks")
    elif re.search(r"[\n\r]", text) and not message.strip():
        yield _required(f"{where}.message", "message must be specified if rule contains line breaks")
    if rule.get("messageExpression") and not rule["messageExpression"].strip():
        yield _required(f"{where}.messageExpression", "messageExpression must be non-empty if specified")
    if rule.get("reason") is not None and rule["reason"] not in _REASONS:
        known = ", ".join(f'"{name}"' for name in _REASONS)
        shown = canonical_json(rule["reason"]).decode()
        text = f"Unsupported value: {shown}: supported values: {known}"
        yield Cause("FieldValueNotSupported", text, f"{where}.reason")
    path = rule.get("fieldPath") or ""
    if path and not path.strip():
        yield _invalid(f"{where}.fieldPath", path, "must be non-empty if specified")
    if re.search(r"[\n\r]", path):
        yield _invalid(f"{where}.fieldPath", path, "must not contain line breaks")
    if path and not _leads_somewhere(path, schema):
        yield _invalid(f"{where}.fieldPath", path, "must be a valid path")


def _leads_somewhere(path: str, schema: Mapping[str, Any]) -> bool:
    """Whether a path like `.spec['a.b']` leads to a declared part of a schema."""
    end, node = 0, schema
    for step in _PATH.finditer(path):
        if step.start() != end:
            return False
        end = step.end()
        name = step[1] or re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], ""), step[2])
        below = (node.get("properties") or {}).get(name)
        if (
            below is None
            and not node.get("properties")
            and isinstance(node.get("additionalProperties"), Mapping)
        ):
            below = node["additionalProperties"]
        if below is None:
            return False
        node = below
    return end == len(path)


# --- what a rule means ----------------------------------------------------------------------------------


def _meant(
    rule: Mapping[str, Any], declared: Declared, place: _Place, where: str, costs: _Costs
) -> Iterator[Cause]:
    environment = Environment(variables(declared, rule))
    program, problem = _compiled(environment, rule["rule"], "bool", "cel expression must evaluate to a bool")
    if program is None:
        yield _invalid(f"{where}.rule", _shown(rule), problem)
        costs.add(f"{where}.rule", 0)
    else:
        often = MAX_REQUEST // (declared.least + 1) if place.often is None else place.often
        yield from _priced(
            f"{where}.rule", "rule", min(program.most_cost(declared.size_at) * often, MOST), costs
        )
        yield from _messages(environment, rule, declared, where, costs)
    transition = program is not None and "oldSelf" in program.names
    if transition and place.pastless:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.pastless}"
        yield _invalid(f"{where}.rule", rule["rule"], why)
    elif not transition and rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield _invalid(f"{where}.optionalOldSelf", rule["optionalOldSelf"], why)


def _messages(
    environment: Environment, rule: Mapping[str, Any], declared: Declared, where: str, costs: _Costs
) -> Iterator[Cause]:
    text, where = rule.get("messageExpression"), f"{where}.messageExpression"
    if not text:
        return
    program, problem = _compiled(environment, text, "string", "messageExpression must evaluate to a string")
    if program is None:
        yield _invalid(where, _shown(rule), f"{'messageExpression ' if problem[0] in 'ci' else ''}{problem}")
    else:
        yield from _priced(where, "messageExpression", program.most_cost(declared.size_at), costs)


def _compiled(environment: Environment, text: str, wanted: str, other: str) -> tuple[Program | None, str]:
    """The program for a text, or why there is none."""
    try:
        program = environment.compile(text)
    except CompileError as error:
        return None, f"compilation failed: {error.message}"
    if program.type.kind != wanted:
        return None, other
    if problem := literals.unfoldable(program.tree):
        return None, f"{'program ' if wanted == 'bool' else ''}instantiation failed: {problem}"
    return program, ""


def _priced(where: str, name: str, cost: int, costs: _Costs) -> Iterator[Cause]:
    if cost > RULE_LIMIT:
        yield _too_dear(where, f"estimated {name} cost", cost, RULE_LIMIT)
    costs.add(where, cost)


def _too_dear(where: str, name: str, cost: int, limit: int) -> Cause:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    return Cause(
        "FieldValueForbidden", f"Forbidden: {name} exceeds budget by factor of {shown} {_ADVICE}", where
    )


def _shown(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as Go prints it: fields as they are declared there."""
    return {go: rule.get(name, none) for go, name, none in _FIELDS}


def _required(where: str, why: str) -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}", where)


def _invalid(where: str, value: Any, why: str) -> Cause:
    shown = canonical_json(value).decode() if not isinstance(value, dict) else go_struct(value)
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", where)


def go_struct(value: Any) -> str:
    """A value as Go writes it as JSON: fields as they were declared, nothing that HTML would take amiss."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
