"""CEL expressions of placements: what they may call, what does not match, what cannot be compiled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.placement.expressions import Expressions
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.scoreboard import Scoreboard
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.ref import Object

CLUSTER: Object = {
    "metadata": {"name": "c1", "labels": {"env": "prod", "version": "1.30.0"}},
    "spec": {"hubAcceptsClient": True},
    "status": {"allocatable": {"cpu": "1500m"}, "version": {"kubernetes": "v1.30.0"}},
}
SCORES = {
    "metadata": {"namespace": "c1", "name": "usage"},
    "status": {"scores": [{"name": "cpu", "value": 70}, {"name": "mem", "value": -3}]},
}


BOARD = Scoreboard()
BOARD.change(None, SCORES)


def matches(text: str) -> bool:
    """Whether the cluster meets the expression."""
    return Expressions.compile([text], "Predicate", BOARD).match(CLUSTER)


HOLD = (
    'managedCluster.scores("usage").exists(s, s.name == "cpu" && s.value > 50)',
    'managedCluster.scores("usage").size() == 2',
    '"[1, {\\"a\\": 2}]".parseJSON()[1].a == 2',
    'semver("1.30.0").isLessThan(semver("1.31.0-rc.1"))',
    'semver("1.31.0-rc.2").isLessThan(semver("1.31.0-rc.10"))',
    'semver("1.31.0-rc.1").isLessThan(semver("1.31.0"))',
    'semver("1.31.0+a").compareTo(semver("1.31.0+b")) == 0',
    'semver("10.2.3").major() == 10 && semver("1.2.3").patch() == 3',
    'isSemver("1.2.3") && !isSemver("1.2") && !isSemver("v1.2.3")',
    'quantity(managedCluster.status.allocatable["cpu"]).isGreaterThan(quantity("1"))',
    'cidr("10.0.0.0/8").containsIP("10.9.8.7") && !cidr("10.0.0.0/8").containsIP("11.0.0.1")',
    'cidr("10.0.0.0/8").containsCIDR("10.0.0.0/16") && !cidr("10.0.0.0/16").containsCIDR("10.0.0.0/8")',
    'cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8") && string(cidr("10.1.2.3/8").ip()) == "10.1.2.3"',
    'ip("::1").family() == 6 && ip("127.0.0.1").isLoopback() && ip("0.0.0.0").isUnspecified()',
    "managedCluster.status.conditions == null",
    'managedCluster.metadata.labels[?"env"].orValue("none") == "prod"',
    "managedCluster.?status.?none.?deeper.hasValue() == false",
    'managedCluster.status.allocatable.all(name, amount, name == "cpu" && isQuantity(amount))',
    '"a1b2".findAll("[0-9]") == ["1", "2"] && "%s-%d".format(["a", 1]) == "a-1"',
    "[1, 'a'].size() == 2",
)
DO_NOT = (
    'managedCluster.scores("other").size() >= 0',
    'managedCluster.scores("other").all(s, s.value > 0)',
    'semver("v1.0.0").isGreaterThan(semver("0.0.1"))',
    'semver("1.0").major() == 1',
    '"{".parseJSON().a == 1',
    'ip("300.1.1.1").family() == 4',
    'cidr("10.0.0.0").prefixLength() == 32',
    'managedCluster.metadata.labels["missing"] == "x"',
    "1 / 0 == 0",
    '"text"',
    "lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))",
    'managedCluster.metadata.labels["env"].matches("[")',
)


@pytest.mark.parametrize(("text", "holds"), [*((t, True) for t in HOLD), *((t, False) for t in DO_NOT)])
def test_an_expression_holds_or_does_not(text: str, holds: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """What fails while it runs does not match, and says nothing on any stream."""
    assert matches(text) is holds
    assert capfd.readouterr() == ("", "")


REFUSED = {
    "foo == 1": ["1:1: undeclared reference to 'foo'"],
    'true && "foo" == foo': ["1:18: undeclared reference to 'foo'"],
    "true ||\n  bar": ["2:3: undeclared reference to 'bar'"],
    "nothing(1)": ["1:8: undeclared reference to 'nothing'"],
    "a == b": ["1:1: undeclared reference to 'a'", "1:6: undeclared reference to 'b'"],
    "[1].exists(x, x == y)": ["1:20: undeclared reference to 'y'"],
    "1 +": ["1:4: Syntax error"],
    "": ["1:1: Syntax error"],
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_names_nothing_known_is_refused(text: str) -> None:
    """Each fault is told with its place, in the order of the text."""
    with pytest.raises(Misconfigured) as refused:
        Expressions.compile([text], "Predicate")
    told = refused.value.message.split("ERROR: <input>:")[1:]
    assert len(told) == len(REFUSED[text])
    assert all(line.startswith(start) for line, start in zip(told, REFUSED[text], strict=True))


_PARTS = st.lists(st.one_of(st.integers(0, 20).map(str), st.sampled_from(["alpha", "rc", "x-1"])), max_size=3)
_VERSIONS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), _PARTS)


def _text(version: tuple[int, int, int, list[str]]) -> str:
    *numbers, pre = version
    return ".".join(map(str, numbers)) + (f"-{'.'.join(pre)}" if pre else "")


@settings(derandomize=True, deadline=None)
@given(_VERSIONS, _VERSIONS, _VERSIONS)
def test_versions_are_in_one_order(a: Any, b: Any, c: Any) -> None:
    """The comparison is antisymmetric and transitive, and equal only for equal versions."""
    one, two, three = (IMPLEMENTATIONS["string_to_semver"](_text(v)) for v in (a, b, c))
    compare = IMPLEMENTATIONS["semver_compare_to"]
    assert compare(one, two) == -compare(two, one)
    assert (compare(one, two) == 0) is (_text(a) == _text(b))
    if compare(one, two) <= 0 and compare(two, three) <= 0:
        assert compare(one, three) <= 0


def test_all_expressions_of_a_selector_share_one_budget() -> None:
    """Expressions that each cost what one may cost match no cluster where there are too many."""
    dear = "lists.range(150000).size() > 0 && lists.range(150000).size() > 0"
    assert Expressions.compile([dear] * 30, "Predicate").match(CLUSTER)
    assert not Expressions.compile([dear] * 40, "Predicate").match(CLUSTER)
