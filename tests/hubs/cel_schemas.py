"""What the schema around a rule adds, as data: a schema of a spec, and what objects of it are told.

Recorded from a real kube-apiserver; `test_cel` holds every hub to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

S: Mapping[str, Any] = {"type": "string"}
I: Mapping[str, Any] = {"type": "integer"}  # noqa: E741 - as short as the other
ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, "
    "and strings are declared)"
)
DEAR = f"Forbidden: estimated rule cost exceeds budget by factor of more than 100x {ADVICE}"
SHARE = "Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
TOTAL = "Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
SUM = "self.a + 'x' == 'y'"
NO_OVERLOAD, NO_TEXT = "found no matching overload for", "messageExpression must evaluate to a string"
PASTLESS = (
    'Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema '
    "within spec.validation.openAPIV3Schema.properties[spec].properties[l]"
)
UNION = "type(self.i) == int ? self.i > 1 : self.i.endsWith('%')"
TIMES = "self.t.getFullYear() > 2000 && self.d.getMonth() == 0"
EMBEDDED = "self.metadata.name.startsWith('a') && self.kind == 'K'"
REASONS = '"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"'
LIMIT = "operation cancelled: actual cost limit exceeded"
CALL = "due to call cost exceeds limit for rule"
STOPPED = "self.l.all(x, self.l.all(y, x == y || true))"


class Step(NamedTuple):
    """One write of the spec, and what is said of it (`field: message`)."""

    spec: Any
    told: Sequence[str] = ()


class Scenario(NamedTuple):
    """A schema, and either why it is refused (by paths below the spec's) or writes one after the other."""

    name: str
    schema: Mapping[str, Any]
    steps: Sequence[Step] = ()
    refused: Mapping[str, list[str]] = {}


def rule(text: str, **more: Any) -> dict[str, Any]:
    """A rule as it stands in a schema."""
    return {"rule": text, **more}


def of(schema: Mapping[str, Any], *rules: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with rules."""
    return {**schema, "x-kubernetes-validations": list(rules)}


def obj(*rules: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """The schema of an object with rules."""
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return of(schema, *rules) if rules else schema


def array(items: Mapping[str, Any], *rules: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The schema of a list with rules."""
    schema = {"type": "array", "items": items, **more}
    return of(schema, *rules) if rules else schema


def ill(text: str, why: str, *, kind: str = "Rule", of_rule: str = "") -> str:
    """That a rule (or its message) means nothing: the rule is shown, and why."""
    rule_text = (of_rule or text).replace(">", "\\u003e")
    message = f'"{text}"' if kind == "MessageExpression" else '""'
    fields = f'"Rule":"{rule_text}","Message":"","MessageExpression":{message},"Reason":null,"FieldPath":""'
    return f'Invalid value: {{{fields},"OptionalOldSelf":null}}: {why}'


def at(text: str, column: int, why: str) -> str:
    """What a compilation failed for, with a pointer to it."""
    return f"compilation failed: ERROR: <input>:1:{column}: {why}\n | {text}\n | {'.' * (column - 1)}^"


def invalid(why: str) -> str:
    """That an object does not meet a rule on its spec."""
    return f"spec: Invalid value: {why}"


KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "maxItems": 10}
SHORT = {"type": "string", "maxLength": 10}
BIG = {"type": "string", "maxLength": 1000}
FROZEN = "self == oldSelf"

SCENARIOS: Sequence[Scenario] = (
    Scenario(
        "rules at every depth",
        obj(
            rule("self.a < 10"),
            a=of(I, rule("self > 0", message="be positive")),
            l=array(of(S, rule("self != 'x'")), rule("self.size() < 3"), maxItems=5),
            m={"type": "object", "additionalProperties": of(S, rule("self != 'x'")), "maxProperties": 5},
        ),
        [
            Step({"a": 1, "l": ["a"], "m": {"k": "v"}}),
            Step(
                {"a": 0, "l": ["a", "x", "b"], "m": {"k": "x"}},
                [
                    "spec.a: Invalid value: 0: be positive",
                    "spec.l: Invalid value: failed rule: self.size() < 3",
                    "spec.l[1]: Invalid value: \"x\": failed rule: self != 'x'",
                    "spec.m[k]: Invalid value: \"x\": failed rule: self != 'x'",
                ],
            ),
        ],
    ),
    Scenario(
        "transition rules",
        obj(
            a=of(S, rule(FROZEN, message="a is immutable")),
            l=array(obj(rule("self.v >= oldSelf.v"), k=S, v=I) | {"required": ["k"]}, **KEYED),
        ),
        [
            Step({"a": "x", "l": [{"k": "p", "v": 1}]}),
            Step({"a": "y", "l": []}, ['spec.a: Invalid value: "y": a is immutable']),
            Step({"a": "x", "l": [{"k": "q", "v": 0}, {"k": "p", "v": 2}]}),
            Step({"l": [{"k": "p", "v": 1}]}, ["spec.l[0]: Invalid value: failed rule: self.v >= oldSelf.v"]),
            Step({}),
        ],
    ),
    Scenario(
        "an optional old value",
        obj(a=of(I, rule("self > oldSelf.orValue(5)", optionalOldSelf=True))),
        [
            Step({"a": 5}, ["spec.a: Invalid value: 5: failed rule: self > oldSelf.orValue(5)"]),
            Step({"a": 6}),
            Step({"a": 6}, ["spec.a: Invalid value: 6: failed rule: self > oldSelf.orValue(5)"]),
            Step({"a": 7}),
        ],
    ),
    Scenario(
        "messages, reasons and paths",
        obj(
            rule("self.a != 1", messageExpression="'a is ' + self.missing"),
            rule("self.a != 2", messageExpression="'two\\nlines'", message="fixed"),
            rule("self.a != 3", messageExpression="self.missing"),
            rule("self.a != 4", reason="FieldValueForbidden", fieldPath=".a", message="no"),
            rule("self.a != 5", reason="FieldValueRequired", fieldPath=".o['x.y']"),
            rule("self.a != 6", reason="FieldValueDuplicate"),
            rule("self.a != 7", message="  trimmed  ", fieldPath=".o"),
            rule("self.a != 8", messageExpression="' '"),
            a=I,
            missing=SHORT,
            o=obj(**{"x.y": S}),
        ),
        [
            Step({"a": 1, "missing": "one"}, ["spec: Invalid value: a is one"]),
            Step({"a": 2}, ["spec: Invalid value: fixed"]),
            Step({"a": 3}, ["spec: Invalid value: failed rule: self.a != 3"]),
            Step({"a": 4}, ["spec.a: Forbidden: no"]),
            Step({"a": 5}, ["spec.o.x.y: Required value: failed rule: self.a != 5"]),
            Step({"a": 6}, ["spec: Duplicate value"]),
            Step({"a": 7}, ["spec.o: Invalid value: trimmed"]),
            Step({"a": 8}, ["spec: Invalid value: failed rule: self.a != 8"]),
        ],
    ),
    Scenario(
        "names that are no identifiers",
        obj(
            rule("self.a__dash__b == 'x' && self.__namespace__ == 'n' && self.a__dot__b == 'd'"),
            rule("self.a__slash__b == 's' && self.a__underscores__b == 'u' && has(self.__if__)"),
            **{"a-b": S, "namespace": S, "a.b": S, "a/b": S, "a__b": S, "if": S},
        ),
        [
            Step({"a-b": "x", "namespace": "n", "a.b": "d", "a/b": "s", "a__b": "u", "if": ""}),
        ],
    ),
    Scenario(
        "formats and unions",
        obj(
            rule(TIMES),
            rule("self.u > duration('1m') && self.b == b'hi'"),
            rule(UNION),
            rule("self.n > 1.0"),
            t={**S, "format": "date-time"},
            d={**S, "format": "date"},
            u={**S, "format": "duration"},
            b={**S, "format": "byte"},
            i={"x-kubernetes-int-or-string": True},
            n={"type": "number"},
        ),
        [
            Step({"t": "2024-01-02T03:04:05Z", "d": "2024-01-31", "u": "2m", "b": "aGk=", "i": 2, "n": 2}),
            Step(
                {"t": "2024-01-02T03:04:05Z", "d": "2024-02-01", "u": "3s", "b": "aGk=", "i": "5", "n": 0.5},
                [
                    "spec: Invalid value: failed rule: self.n > 1.0",
                    invalid(f"failed rule: {TIMES}"),
                    "spec: Invalid value: failed rule: self.u > duration('1m') && self.b == b'hi'",
                    invalid(f"failed rule: {UNION}"),
                ],
            ),
        ],
    ),
    Scenario(
        "nulls and untyped parts",
        obj(
            rule("!has(self.n) || self.n == 'x'"),
            rule("!has(self.d) || self.d == 'y'"),
            rule("self.p == self.p"),
            n={**S, "nullable": True},
            d=S,
            p={"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": S}},
        ),
        [
            Step({"n": None, "p": {"a": "x", "more": {"deep": [1]}}}),
            Step({"n": "z", "p": {}}, ["spec: Invalid value: failed rule: !has(self.n) || self.n == 'x'"]),
        ],
    ),
    Scenario(
        "an embedded resource",
        obj(
            e={
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
                "x-kubernetes-validations": [rule(EMBEDDED)],
            }
        ),
        [
            Step({"e": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "ab"}, "more": 1}}),
            Step(
                {"e": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "b"}}},
                [f"spec.e: Invalid value: failed rule: {EMBEDDED}"],
            ),
        ],
    ),
    Scenario(
        "a part that is at fault does not hide another",
        obj(
            rule("self.o.x < 3"),
            a=of(S, rule("self != 'bad'"), rule("self.size() > 3")),
            o=obj(rule("self.x < self.y"), x=I, y=I),
        ),
        [
            Step({"a": "good", "o": {"x": 1, "y": 2}}),
            Step(
                {"a": "bad", "o": {"x": 3, "y": 2}},
                [
                    "spec.a: Invalid value: \"bad\": failed rule: self != 'bad'",
                    'spec.a: Invalid value: "bad": failed rule: self.size() > 3',
                    invalid("failed rule: self.o.x < 3"),
                    "spec.o: Invalid value: failed rule: self.x < self.y",
                ],
            ),
        ],
    ),
    Scenario(
        "an evaluation that costs too much is stopped",
        obj(
            rule(STOPPED),
            rule("self.never == 'asked'"),
            l=array({**S, "maxLength": 3}, maxItems=1000),
            never=S,
        ),
        [
            Step({"l": ["a"], "never": "asked"}),
            Step(
                {"l": ["a"] * 900},
                [
                    invalid(
                        f"\"object\": '{LIMIT}': no further validation rules will be run {CALL}: {STOPPED}"
                    )
                ],
            ),
        ],
    ),
    Scenario(
        "ill-typed rules are refused where they stand",
        obj(
            rule(SUM),
            rule("self.b == 1"),
            rule("self.a"),
            a=of(I, rule("self == 'x'"), rule("self > 1", messageExpression="self")),
        ),
        refused={
            "x-kubernetes-validations[0].rule": [
                ill(SUM, at(SUM, 8, "found no matching overload for '_+_' applied to '(int, string)'"))
            ],
            "x-kubernetes-validations[1].rule": [
                ill("self.b == 1", at("self.b == 1", 5, "undefined field 'b'"))
            ],
            "x-kubernetes-validations[2].rule": [ill("self.a", "cel expression must evaluate to a bool")],
            "properties[a].x-kubernetes-validations[0].rule": [
                ill("self == 'x'", at("self == 'x'", 6, f"{NO_OVERLOAD} '_==_' applied to '(int, string)'"))
            ],
            "properties[a].x-kubernetes-validations[1].messageExpression": [
                ill("self", NO_TEXT, kind="MessageExpression", of_rule="self > 1")
            ],
        },
    ),
    Scenario(
        "rules that are not well written",
        obj(
            rule(" "),
            rule("self.a == 1", message=" "),
            rule("self.a == 1", message="a\nb"),
            rule("self.a ==\n1"),
            rule("self.a == 1", reason="Whatever"),
            rule("self.a == 1", fieldPath=".nope"),
            rule("self.a == 1", fieldPath="a"),
            a=I,
        ),
        refused={
            "x-kubernetes-validations[0].rule": ["Required value: rule is not specified"],
            "x-kubernetes-validations[1].message": ['Invalid value: " ": must be non-empty if specified'],
            "x-kubernetes-validations[2].message": ['Invalid value: "a\\nb": must not contain line breaks'],
            "x-kubernetes-validations[3].message": [
                "Required value: message must be specified if rule contains line breaks"
            ],
            "x-kubernetes-validations[4].reason": [
                f'Unsupported value: "Whatever": supported values: {REASONS}'
            ],
            "x-kubernetes-validations[5].fieldPath": ['Invalid value: ".nope": must be a valid path'],
            "x-kubernetes-validations[6].fieldPath": ['Invalid value: "a": must be a valid path'],
        },
    ),
    Scenario(
        "what has no past",
        obj(
            l=array(of(S, rule(FROZEN)), maxItems=3),
            a=of(S, rule("self != ''", optionalOldSelf=True)),
        ),
        refused={
            "properties[l].items.x-kubernetes-validations[0].rule": [PASTLESS],
            "properties[a].x-kubernetes-validations[0].optionalOldSelf": [
                "Invalid value: true: may not be set if oldSelf is not used in rule"
            ],
        },
    ),
    Scenario(
        "costs by what limits say",
        obj(
            rule("self.l.all(x, self.l.exists(y, x == y))"),
            l=array(S),
            m={"type": "object", "additionalProperties": of(BIG, rule("self.matches('^[a-z]+$')"))},
            s=of({"type": "string"}, rule("self.contains(self)")),
            n=array(of(BIG, rule("self.matches('^[a-z]+$')")), maxItems=100),
        ),
        refused={
            "spec.validation.openAPIV3Schema": [
                f"{TOTAL} exceeds budget by factor of more than 100x {ADVICE}"
            ],
            "x-kubernetes-validations[0].rule": [DEAR, SHARE],
            "properties[m].additionalProperties.x-kubernetes-validations[0].rule": [
                f"Forbidden: estimated rule cost exceeds budget by factor of 84.2x {ADVICE}",
                SHARE,
            ],
            "properties[s].x-kubernetes-validations[0].rule": [DEAR, SHARE],
        },
    ),
)
