"""Which clusters a placement takes when it wants some only: scores, weights, numbers and groups, as a table.

The sums are what the program itself says in its ScoreUpdate event, of every candidate by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gitops_ocm.testing.objects import placement
from tests.wire.hub.cases import Case
from tests.wire.hub.placements import (
    FINE,
    NO_MATCH,
    SCHEDULED,
    Groups,
    Verdict,
    expected,
    notes,
    one_group,
    seen,
    short_of,
    wrong,
)
from tests.wire.hub.selection_cases import Spec, claims, either, expression, labels
from tests.wire.hub.stage import Stage


@dataclass(frozen=True)
class Row:
    """A spec, the groups it comes to, and the scores that are told of (`""`: not looked at)."""

    name: str
    spec: Spec
    groups: Groups
    scores: str = ""
    satisfied: Verdict = SCHEDULED
    misconfigured: Verdict = FINE
    selected: int | None = None


def built_in(name: str, weight: int | None = None) -> Spec:
    """A built-in prioritizer."""
    return _weighted({"type": "BuiltIn", "builtIn": name}, weight)


def addon(score: str, weight: int | None = None, resource: str = "usage") -> Spec:
    """An add-on's score."""
    return _weighted({"type": "AddOn", "addOn": {"resourceName": resource, "scoreName": score}}, weight)


def _weighted(coordinate: Spec, weight: int | None) -> Spec:
    return {"scoreCoordinate": coordinate} | ({} if weight is None else {"weight": weight})


def exactly(*configurations: Spec, number: int | None = None, mode: str = "Exact") -> Spec:
    """Among the clusters without taints: these prioritizers, that many clusters."""
    wanted: Spec = either(labels(expression("tainted", "DoesNotExist")))
    wanted["prioritizerPolicy"] = {"mode": mode, "configurations": list(configurations)}
    return wanted if number is None else wanted | {"numberOfClusters": number}


def grouped(size: object = None, *named: tuple[str, Spec], only: Spec | None = None, **more: Any) -> Spec:
    """Groups of that size, the named ones first."""
    strategy: Spec = {} if size is None else {"clustersPerDecisionGroup": size}
    if named:
        strategy["decisionGroups"] = [{"groupName": n, "groupClusterSelector": s} for n, s in named]
    wanted = either(only or labels(expression("tainted", "DoesNotExist")))
    return wanted | {"decisionStrategy": {"groupStrategy": strategy}} | more


CPU, MEMORY = "ResourceAllocatableCPU", "ResourceAllocatableMemory"
_CPU_SCORES = "c1:100 c2:-60 c3:46 c4:-100 c5:0 c6:0 "

NUMBERS = (
    Row("fewer than there are", exactly(number=2), one_group("c1", "c2")),
    Row("as many as there are", exactly(number=6), one_group("c1", "c2", "c3", "c4", "c5", "c6")),
    Row(
        "more than there are",
        exactly(number=9),
        one_group("c1", "c2", "c3", "c4", "c5", "c6"),
        satisfied=short_of(3),
    ),
    Row("none at all", exactly(number=0), one_group(), satisfied=NO_MATCH),
    Row(
        "some of no match",
        either(labels(env="nowhere")) | {"numberOfClusters": 2},
        one_group(),
        satisfied=NO_MATCH,
    ),
    Row("an additive default", exactly(mode="Additive"), one_group("c1", "c2", "c3", "c4", "c5", "c6")),
)

WEIGHTS = (
    Row("cpu", exactly(built_in(CPU), number=2), one_group("c1", "c3"), _CPU_SCORES),
    Row(
        "cpu, the least",
        exactly(built_in(CPU, -1), number=2),
        one_group("c2", "c4"),
        "c1:-100 c2:60 c3:-46 c4:100 c5:0 c6:0 ",
    ),
    Row(
        "cpu, weighted",
        exactly(built_in(CPU, 3), number=1),
        one_group("c1"),
        "c1:300 c2:-180 c3:138 c4:-300 c5:0 c6:0 ",
    ),
    Row("cpu of weight 0", exactly(built_in(CPU, 0), number=1), one_group("c1")),
    Row(
        "memory",
        exactly(built_in(MEMORY), number=2),
        one_group("c2", "c5"),
        "c1:-14 c2:100 c3:-71 c4:-100 c5:0 c6:0 ",
    ),
    Row(
        "cpu and memory",
        exactly(built_in(CPU), built_in(MEMORY), number=2),
        one_group("c1", "c2"),
        "c1:86 c2:40 c3:-25 c4:-200 c5:0 c6:0 ",
    ),
    Row(
        "cpu against memory",
        exactly(built_in(CPU, 2), built_in(MEMORY, -1), number=2),
        one_group("c1", "c3"),
        "c1:214 c2:-220 c3:163 c4:-100 c5:0 c6:0 ",
    ),
    Row(
        "cpu of one alone",
        either(labels(tier="gold"))
        | {"prioritizerPolicy": {"mode": "Exact", "configurations": [built_in(CPU)]}},
        one_group("c1"),
        "c1:100 ",
    ),
    Row(
        "an add-on's score",
        exactly(addon("cpu"), number=2),
        one_group("c1", "c2"),
        "c1:10 c2:90 c3:0 c4:-50 c5:0 c6:0 ",
    ),
    Row(
        "an add-on's score, the least",
        exactly(addon("cpu", -2), number=1),
        one_group("c4"),
        "c1:-20 c2:-180 c3:0 c4:100 c5:0 c6:0 ",
    ),
    Row(
        "two scores of an add-on",
        exactly(addon("cpu", 2), addon("mem"), number=2),
        one_group("c2", "c3"),
        "c1:-80 c2:280 c3:0 c4:-100 c5:0 c6:0 ",
    ),
    Row(
        "a score nobody has",
        exactly(addon("none"), number=1),
        one_group("c1"),
        "c1:0 c2:0 c3:0 c4:0 c5:0 c6:0 ",
    ),
    Row(
        "scores of nobody",
        exactly(addon("cpu", resource="nothing"), number=1),
        one_group("c1"),
        "c1:0 c2:0 c3:0 c4:0 c5:0 c6:0 ",
    ),
    Row(
        "an add-on's score and cpu",
        exactly(addon("cpu", 10), built_in(CPU), number=3),
        one_group("c1", "c2", "c3"),
        "c1:200 c2:840 c3:46 c4:-600 c5:0 c6:0 ",
    ),
    Row(
        "a built-in listed twice has its last weight",
        exactly(built_in(CPU, 1), built_in(CPU, -1), number=1),
        one_group("c4"),
        "c1:-100 c2:60 c3:-46 c4:100 c5:0 c6:0 ",
    ),
    Row(
        "an add-on's listed twice counts twice",
        exactly(addon("cpu", 1), addon("cpu", 2), number=1),
        one_group("c2"),
        "c1:30 c2:270 c3:0 c4:-150 c5:0 c6:0 ",
    ),
    Row(
        "the greatest weight",
        exactly(built_in(CPU, 10), number=1),
        one_group("c1"),
        "c1:1000 c2:-600 c3:460 c4:-1000 c5:0 c6:0 ",
    ),
    Row(
        "a prioritizer there is not",
        exactly(built_in("Fastest")),
        one_group(),
        satisfied=NO_MATCH,
        misconfigured=wrong(":incorrect builtin prioritizer: Fastest"),
    ),
    Row(
        "spread is no prioritizer",
        exactly(built_in("Spread")),
        one_group(),
        satisfied=NO_MATCH,
        misconfigured=wrong(":incorrect builtin prioritizer: Spread"),
    ),
    Row("one there is not, of weight 0", exactly(built_in("Fastest", 0), number=1), one_group("c1")),
    Row(
        "an add-on that is not named",
        exactly({"scoreCoordinate": {"type": "AddOn"}, "weight": 1}),
        one_group(),
        satisfied=NO_MATCH,
        misconfigured=wrong(":addOn should not be empty"),
    ),
    Row(
        "a mode there is not",
        exactly(mode="Sometimes"),
        one_group(),
        satisfied=NO_MATCH,
        misconfigured=wrong(":incorrect prioritizer policy mode: Sometimes"),
    ),
)

_PROD, _DEV, _EU = labels(env="prod"), labels(env="dev"), labels(region="eu")
_PAIRS: Groups = [("", ("c1", "c2")), ("", ("c3", "c4")), ("", ("c5", "c6"))]
GROUPS = (
    Row("groups of two", grouped(2), _PAIRS),
    Row("groups of four", grouped(4), [("", ("c1", "c2", "c3", "c4")), ("", ("c5", "c6"))]),
    Row("groups larger than all", grouped(10), one_group("c1", "c2", "c3", "c4", "c5", "c6")),
    Row("groups of a third", grouped("33%"), _PAIRS),
    Row("groups of a fifth are rounded up", grouped("20%"), _PAIRS),
    Row("groups of a hundredth", grouped("1%"), [("", (f"c{i}",)) for i in range(1, 7)]),
    Row("groups of all", grouped("100%"), one_group("c1", "c2", "c3", "c4", "c5", "c6")),
    Row("groups of no size", grouped(), one_group("c1", "c2", "c3", "c4", "c5", "c6")),
    Row("groups of none", grouped(2, only=labels(env="nowhere")), one_group(), satisfied=NO_MATCH),
    Row(
        "a named group",
        grouped(None, ("prod", _PROD)),
        [("prod", ("c1", "c2")), ("", ("c3", "c4", "c5", "c6"))],
    ),
    Row(
        "two named groups",
        grouped(None, ("prod", _PROD), ("dev", _DEV)),
        [("prod", ("c1", "c2")), ("dev", ("c3", "c4")), ("", ("c5", "c6"))],
    ),
    Row(
        "named groups that overlap",
        grouped(None, ("eu", _EU), ("prod", _PROD)),
        [("eu", ("c1", "c3", "c6")), ("prod", ("c2",)), ("", ("c4", "c5"))],
    ),
    Row(
        "a named group in parts",
        grouped(2, ("eu", _EU)),
        [("eu", ("c1", "c3")), ("eu", ("c6",)), ("", ("c2", "c4")), ("", ("c5",))],
    ),
    Row(
        "a named group of nobody",
        grouped(3, ("none", labels(env="none")), ("dev", _DEV)),
        [("dev", ("c3", "c4")), ("", ("c1", "c2", "c5")), ("", ("c6",))],
    ),
    Row(
        "a named group of everybody",
        grouped(None, ("everybody", {"labelSelector": {}})),
        [("everybody", ("c1", "c2", "c3", "c4", "c5", "c6"))],
    ),
    Row(
        "a group by claims",
        grouped(None, ("aws", claims(expression("platform", "In", "AWS")))),
        [("aws", ("c1", "c3")), ("", ("c2", "c4", "c5", "c6"))],
    ),
    Row(
        "a group by labels and claims",
        grouped(None, ("both", _PROD | claims(expression("platform", "In", "AWS")))),
        [("both", ("c1",)), ("", ("c2", "c3", "c4", "c5", "c6"))],
    ),
    Row(
        "groups of the few that are taken",
        grouped(
            "50%",
            ("eu", _EU),
            numberOfClusters=4,
            prioritizerPolicy={"mode": "Exact", "configurations": [built_in(CPU)]},
        ),
        [("eu", ("c1", "c3")), ("eu", ("c6",)), ("", ("c5",))],
    ),
    Row(
        "a size that is no percentage",
        grouped("5"),
        [],
        misconfigured=wrong(":5 invalid type: string is not a percentage"),
        selected=6,
    ),
    Row(
        "a bad group selector",
        grouped(None, ("bad", labels(expression("env", "In")))),
        [],
        misconfigured=wrong(
            ":values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
        ),
        selected=6,
    ),
)


def _run(row: Row) -> Callable[[Stage], Any]:
    async def run(stage: Stage) -> None:
        assert stage.fleet is not None
        made = await stage.create(placement(stage.name("p"), stage.fleet.name("home"), **row.spec))
        wanted = expected("p", row.groups, row.satisfied, row.misconfigured, row.selected)
        await stage.becomes(lambda: seen(stage, made), wanted)
        if row.scores:

            async def told() -> bool:
                said = await notes(stage, made, "ScoreUpdate")
                assert ("Normal", row.scores) in said, said
                return True

            await stage.until(told, "scores are told")

    return run


def cases(rows: Iterable[Row]) -> Iterator[Case]:
    """The rows as cases."""
    for row in rows:
        yield Case(row.name.replace(" ", "-").replace(",", ""), _run(row))


ROWS = (*NUMBERS, *WEIGHTS, *GROUPS)
