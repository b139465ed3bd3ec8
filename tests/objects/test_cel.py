"""CEL by itself: what holds whatever the expression is, and what a server must be safe from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.cel.arithmetic import MOST, Size
from gitops_ocm.objects.cel.declarations import declared, kubernetes
from gitops_ocm.objects.cel.declared import declare, escape
from gitops_ocm.objects.cel.environment import CALL_LIMIT, Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.lexer import tokens
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.cel.types import DYN
from gitops_ocm.objects.cel.values import equal
from gitops_ocm.objects.cel_conditions import ConditionFailed, all_hold, evaluated

CORPUS: dict[str, Any] = json.loads((Path(__file__).parent / "cel_corpus.json").read_text())
CASES: list[dict[str, Any]] = CORPUS["cases"]
ANYTHING = Environment({"self": DYN, "oldSelf": DYN})
COMPARISONS = 4


def compiled(text: str, environment: Environment = ANYTHING) -> Program | None:
    """The program for a text, where there is one."""
    try:
        return environment.compile(text)
    except CompileError:
        return None


def test_every_function_that_is_declared_does_something() -> None:
    """Overloads and implementations have the same names, each once."""
    names = [overload.name for overloads in kubernetes().values() for overload in overloads]
    assert len(names) == len(set(names))
    assert set(names) == set(IMPLEMENTATIONS)


def test_no_rule_of_the_record_costs_more_than_was_estimated() -> None:
    """The estimate is a bound, but for comparisons that the model takes to be free."""
    schema = declare({"type": "object", "properties": CORPUS["fields"]})
    assert schema is not None
    environment = Environment({"self": schema.type, "oldSelf": schema.type})
    dearer = []
    for case in CASES:
        program = compiled(case["rule"], environment)
        # What `validate` costs goes by the pattern of its format, and is estimated without.
        for value in CORPUS["values"] if program and "validate" not in case["rule"] else ():
            assert program is not None
            result = program.run({"self": schema.value(value), "oldSelf": schema.value(value)})
            if not result.error and result.cost > program.most_cost(schema.size_at) + COMPARISONS:
                dearer.append((case["rule"], result.cost, program.most_cost(schema.size_at)))
    assert not dearer


_WORDS = st.sampled_from(sorted({word.text for case in CASES for word in tokens(case["rule"])[0]}))
_TEXTS = st.lists(_WORDS, max_size=12).map(" ".join) | st.text(max_size=30)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(_TEXTS)
def test_any_text_is_an_expression_or_is_told_why_not(text: str) -> None:
    """Whatever is sent, the answer is a program or faults, each of which names a place."""
    error = _error_of(text)
    assert error is None or (error.issues and error.message.startswith("ERROR: <input>:"))


def _error_of(text: str) -> CompileError | None:
    try:
        ANYTHING.compile(text)
    except CompileError as error:
        return error
    return None


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-2, 2)
    | st.sampled_from(["", "a", "1", "x-y"]),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["a", "l", "x"]), parts, max_size=3)
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(_VALUES, st.dictionaries(st.sampled_from(sorted(CORPUS["fields"])), _VALUES, max_size=6))
def test_any_value_can_be_looked_at(value: Any, fields: dict[str, Any]) -> None:
    """Rules over values of unknown type end in a value or an error, and never in anything else."""
    for program in PROGRAMS:
        for seen in (value, fields):
            result = program.run({"self": seen, "oldSelf": seen})
            assert result.error or result.value is not Ellipsis
            assert result.cost >= 0


PROGRAMS = [program for case in CASES[::4] if (program := compiled(case["rule"]))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("self.all(x, self.all(y, self.all(z, x + y + z >= 0)))", list(range(200))),
        ("self.map(x, self.map(y, x * y)).size() > 0", list(range(1000))),
        ("lists.range(100000000).size() > 0", None),
        ("self.distinct().size() > 0", list(range(100_000))),
        ("sets.equivalent(self, self)", list(range(100_000))),
        ("self.sort().size() > 0", list(range(3000))),
    ],
)
def test_what_costs_too_much_is_stopped(text: str, value: Any) -> None:
    """An evaluation ends at its limit, however the expression is nested and however big the value is."""
    result = ANYTHING.compile(text).run({"self": value, "oldSelf": value})
    assert result.error == "operation cancelled: actual cost limit exceeded"
    assert result.cost > CALL_LIMIT


def test_patterns_take_time_by_the_text() -> None:
    """A pattern that makes other engines try every way to match does not: there is an answer."""
    result = ANYTHING.compile("self.matches('^(a+)+$')").run({"self": "a" * 50_000 + "b"})
    assert (result.error, result.value) == ("", False)


DEEP = ("(" * 240 + "1" + ")" * 240, "!" * 5000 + "true", "1" + " + 1" * 3000)


@pytest.mark.parametrize("text", DEEP, ids=("brackets", "signs", "sums"))
def test_deep_and_long_expressions(text: str) -> None:
    """What is nested as deep as the reference reads is read, and what is long is no trouble."""
    program = compiled(text)
    assert program is None or program.run({}).error == ""


@pytest.mark.parametrize("text", ["(" * 300 + "1" + ")" * 300, "[" * 300, "x" * 100_001])
def test_deeper_and_longer_ones_are_refused(text: str) -> None:
    """In one sentence, and not by running out of stack."""
    with pytest.raises(CompileError, match=r"recursion limit exceeded: 250|size exceeds limit"):
        ANYTHING.compile(text)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain", "plain"),
        ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
        ("a__b", "a__underscores__b"),
        ("namespace", "__namespace__"),
        ("1st", None),
        ("a b", None),
        ("", None),
    ],
)
def test_names_of_fields(name: str, written: str | None) -> None:
    """As expressions have to write them, or not at all."""
    assert escape(name) == written


@settings(derandomize=True, deadline=None)
@given(*[st.integers(0, MOST)] * 4)
def test_sizes_stay_within_their_bits(a: int, b: int, c: int, d: int) -> None:
    """Sums, products and unions of sizes are sizes, and none is smaller than a part."""
    one, other = Size(min(a, b), max(a, b)), Size(min(c, d), max(c, d))
    for size in (one.plus(other), one.times(other), one.union(other)):
        assert 0 <= size.least <= size.most <= MOST
    assert one.union(other).most == max(one.most, other.most)


def test_functions_of_ones_own() -> None:
    """An environment may have functions beside Kubernetes' own."""
    functions = {**kubernetes(), **declared(["twice twice_int int.() int"])}
    environment = Environment({}, functions, {**IMPLEMENTATIONS, "twice_int": lambda n: 2 * n})
    assert environment.compile("3.twice() == 6").run({}).value is True
    with pytest.raises(CompileError, match="found no matching overload for 'twice'"):
        environment.compile("'a'.twice() == 6")


CONDITIONS = (
    (["object.a == 1", "has(object.b)"], True, ""),
    (["object.a == 2", "object.c == 1"], False, ""),
    (["object.c == 1", "object.a == 2"], False, ""),
    (["object.c == 1"], False, "expression 'object.c == 1' resulted in error: no such key: c"),
    (["object.?c.orValue(1) == 1"], True, ""),
)


@pytest.mark.parametrize(("texts", "holds", "error"), CONDITIONS)
def test_conditions_about_a_write(texts: list[str], holds: bool, error: str) -> None:
    """One that does not hold outweighs any that cannot be told."""
    outcome = all_hold([{"expression": text} for text in texts], {"object": {"a": 1, "b": 2}})
    assert (outcome.holds, outcome.error) == (holds, error)


def test_a_condition_that_names_what_there_is_not() -> None:
    """It has no value, and is told why with its place."""
    with pytest.raises(ConditionFailed, match="undeclared reference to 'nothing'"):
        evaluated("nothing == 1", {"object": {}})


MUCH = {
    "texts": ["x" * 1000] * 1000,
    "text": "x" * 200_000,
    "short": [str(at) for at in range(2000)],
    "many": [1] * 1_050_000,
}


@pytest.mark.parametrize(
    "expression",
    [
        "text.replace('', text)",
        "text.replace('x', 'xxxxxxxxxx' + text)",
        "texts.join(text)",
        f"'{'%s' * 20}'.format([{', '.join(['texts'] * 20)}])",
        "'%.999999999f'.format([1.0])",
        "short + many",
    ],
)
def test_nothing_is_made_without_bounds(expression: str) -> None:
    """What Go does lazily, or Kubernetes forgets to price, is stopped before it takes the memory."""
    with pytest.raises(ConditionFailed, match="operation cancelled"):
        evaluated(expression, MUCH)


@pytest.mark.parametrize(
    "expression",
    [
        "short.all(a, short.all(b, a + b != ''))",
        "short.all(a, [short] == [short])",
        "short.filter(a, short.filter(b, false).size() > 0).size() == 0",
        "short.map(a, short.indexOf(a)).size() > 0",
        "sets.contains(short, short)",
        "'" + "x" * 5000 + "' == text",
    ],
)
def test_who_cannot_wait_does_not_wait(expression: str) -> None:
    """What takes long is stopped where others wait, however little it costs, and is what it is elsewhere."""
    looks = iter([False] * 100)
    with pytest.raises(OutOfPatience), hasty(Patience(lambda: next(looks, True), 20_000)):
        evaluated(expression, MUCH)


def test_a_dear_expression_is_what_it_is_where_there_is_time() -> None:
    """Being stopped leaves nothing behind: done again without haste, it comes to its value."""
    with pytest.raises(OutOfPatience), hasty(Patience(lambda: True, 20_000)):
        evaluated("short.map(a, a + a).size()", MUCH)
    assert evaluated("short.map(a, a + a).size()", MUCH) == len(MUCH["short"])


MIXED = [1, 1.0, 2, "1", True, 0, False, None, "", [1], [1.0], {"a": 1}, {"a": 1.0}]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(MIXED)), st.lists(st.sampled_from(MIXED)))
def test_sets_go_by_equality(one: list[Any], other: list[Any]) -> None:
    """Sets are told by CEL's own equality: of numbers across types, of nothing else with another type."""
    contains = all(any(equal(a, b) for a in one) for b in other)
    intersects = any(any(equal(a, b) for a in one) for b in other)
    values = {"one": one, "other": other}
    assert evaluated("sets.contains(one, other)", values) is contains
    assert evaluated("sets.intersects(one, other)", values) is intersects


@pytest.mark.parametrize("text", ["!-x", "!--1", "!-'a'", "!-true", "!-", "[!-x]", "!!-self.a", "!-(1)"])
def test_only_numbers_have_a_sign_behind_another(text: str) -> None:
    """`!-1` is an expression, `!-x` is none, and is told so."""
    with pytest.raises(CompileError, match="no viable alternative at input '-"):
        ANYTHING.compile(text)
