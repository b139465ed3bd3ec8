"""CEL rules of schemas: what they see, when they are asked, and what is said when they do not hold."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.schema import Schema

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def kind(*rules: dict[str, Any], **fields: Any) -> Schema:
    """A kind with rules on its spec."""
    spec = {"type": "object", "properties": fields, "x-kubernetes-validations": list(rules)}
    return Schema.from_openapi({"type": "object", "properties": {"spec": spec}})


def obj(**spec: Any) -> dict[str, Any]:
    """An object of that kind."""
    return {"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("rule", "spec", "holds"),
    [
        ("self.a <= self.b", {"a": 1, "b": 2}, True),
        ("self.a <= self.b", {"a": 3, "b": 2}, False),
        ("!has(self.a) || self.a > 0", {}, True),
        ("has(self.a)", {}, False),
        ("self.names.all(n, n.startsWith('x'))", {"names": ["xa", "xb"]}, True),
        ("self.names.exists(n, n == 'b')", {"names": ["a"]}, False),
        ("self.names.exists_one(n, n == 'a')", {"names": ["a", "b"]}, True),
        ("self.text.matches('^[a-z]+$')", {"text": "ab1"}, False),
        ("size(self.text) == 2", {"text": "ab"}, True),
        ("self.with__dash__dash == 'x'", {"with-dash": "x"}, True),
        ("self.__namespace__ == 'n'", {"namespace": "n"}, True),
    ],
)
def test_what_rules_see(rule: str, spec: dict[str, Any], holds: bool) -> None:
    """The value they stand at, absent fields as absent, names that are no identifiers as CEL spells them."""
    fields = {"a": INTEGER, "b": INTEGER, "text": STRING, "with-dash": STRING, "namespace": STRING}
    schema = kind({"rule": rule}, names={"type": "array", "items": STRING}, **fields)
    assert (not schema.validate(obj(**spec))) is holds


def test_what_is_said() -> None:
    """The message, or one made by an expression, or the rule itself; at the field it is about."""
    plain = kind({"rule": "self.a > 0"}, a=INTEGER)
    (cause,) = plain.validate(obj(a=0))
    assert (cause.reason, cause.field) == ("FieldValueInvalid", "spec")
    assert cause.message.endswith("failed rule: self.a > 0")
    told = kind({"rule": "self.a > 0", "message": "a must be positive"}, a=INTEGER)
    assert told.validate(obj(a=0))[0].message.endswith(": a must be positive")
    made = {"rule": "self.a > 0", "messageExpression": "'a is ' + string(self.a)", "message": "no"}
    assert kind(made, a=INTEGER).validate(obj(a=0))[0].message.endswith(": a is 0")
    reasoned = {"rule": "self.a > 0", "reason": "FieldValueForbidden", "fieldPath": ".a"}
    (cause,) = kind(reasoned, a=INTEGER).validate(obj(a=0))
    assert (cause.reason, cause.field) == ("FieldValueForbidden", "spec.a")


FROZEN = {"rule": "self.a == oldSelf.a", "message": "a is immutable"}


def test_transition_rules_need_something_before() -> None:
    """They are not asked on creation, unless they say that there may be nothing."""
    schema = kind(FROZEN, a=INTEGER)
    assert schema.validate(obj(a=1)) == []
    assert schema.validate(obj(a=1), obj(a=1)) == []
    (cause,) = schema.validate(obj(a=2), obj(a=1))
    assert cause.message.endswith("a is immutable")
    optional = {"rule": "!oldSelf.hasValue() || self.a == oldSelf.value().a", "optionalOldSelf": True}
    schema = kind(optional, a=INTEGER)
    assert schema.validate(obj(a=1)) == []
    assert len(schema.validate(obj(a=2), obj(a=1))) == 1


def test_items_are_compared_by_their_keys() -> None:
    """The old value of an item of a keyed list is the item with the same key, wherever it stands."""
    item = {
        "type": "object",
        "properties": {"name": STRING, "a": INTEGER},
        "x-kubernetes-validations": [FROZEN],
    }
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    schema = kind(items={"type": "array", "items": item, **keyed})
    old = obj(items=[{"name": "x", "a": 1}, {"name": "y", "a": 2}])
    moved = obj(items=[{"name": "y", "a": 2}, {"name": "z", "a": 3}, {"name": "x", "a": 1}])
    assert schema.validate(moved, old) == []
    (cause,) = schema.validate(obj(items=[{"name": "z", "a": 3}, {"name": "x", "a": 5}]), old)
    assert cause.field == "spec.items[1]"


@pytest.mark.parametrize(
    "rule",
    [
        "self.a / 0 == 1",
        "self.a % 0 == 1",
        "self.names[9] == 'x'",
        "self.none == 1",
        "self.a == 1 + 'x'",
        "self.a",
    ],
)
def test_a_rule_that_fails_refuses(rule: str) -> None:
    """An error while a rule is asked is a refusal at its place, never a crash or a pass."""
    schema = kind({"rule": rule}, a=INTEGER, names={"type": "array", "items": STRING})
    (cause,) = schema.validate(obj(a=1, names=["x"]))
    assert (cause.reason, cause.field) == ("FieldValueInvalid", "spec")


def test_a_message_that_fails_is_left_out() -> None:
    """The refusal stands, in other words."""
    broken = {
        "rule": "self.a > 0",
        "messageExpression": "string(self.a / 0)",
        "message": "a must be positive",
    }
    (cause,) = kind(broken, a=INTEGER).validate(obj(a=0))
    assert cause.message.endswith("a must be positive")


def test_what_an_update_leaves_as_it_was_is_no_fault_of_it() -> None:
    """A rule that came later, or a default that went, does not keep other fields from being written."""
    schema = kind({"rule": "self.a > 0"}, a=INTEGER, o={"type": "object", "properties": {"b": INTEGER}})
    assert schema.validate(obj(a=0, o={"b": 1}), obj(a=0, o={"b": 1})) == []
    assert len(schema.validate(obj(a=0, o={"b": 2}), obj(a=0, o={"b": 1}))) == 1
    rules = [{"rule": "self.b > 0"}]
    inner = {"type": "object", "properties": {"b": INTEGER}, "x-kubernetes-validations": rules}
    schema = kind(a=INTEGER, l={"type": "array", "items": inner})
    old = obj(a=1, l=[{"b": 0}])
    assert schema.validate(obj(a=2, l=[{"b": 0}]), old) == []
    assert len(schema.validate(obj(a=2, l=[{"b": 0}, {"b": 1}]), old)) == 1


def test_an_object_has_one_budget_for_all_its_rules() -> None:
    """Rules that are cheap one by one are not asked any further once they have cost too much together."""
    dear = {**STRING, "x-kubernetes-validations": [{"rule": f"!self.matches('{'b' * 120}')"}]}
    schema = kind(**{f"p{at}": dear for at in range(12)})
    causes = schema.validate(obj(**{f"p{at}": "a" * 300_000 for at in range(12)}))
    assert len(causes) == 1
    assert causes[0].message.endswith("running out of cost budget, no further validation rules will be run")
