"""Which clusters of the fleet a placement selects: predicates, taints and tolerations, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gitops_ocm.testing.objects import placement
from tests.wire.hub.cases import Case
from tests.wire.hub.fleet import PLAIN
from tests.wire.hub.placements import FINE, NO_MATCH, SCHEDULED, Verdict, expected, one_group, seen, wrong
from tests.wire.hub.stage import CLUSTER, Stage

Spec = dict[str, Any]
_VALUES = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@dataclass(frozen=True)
class Row:
    """A placement's spec and the clusters it selects; `wrong` is what it is told is wrong with it."""

    name: str
    spec: Spec
    selects: str
    wrong: str = ""
    satisfied: Verdict | None = None
    lacks: str = ""


def either(*selectors: Spec) -> Spec:
    """A placement's spec with these required selectors, of which one suffices."""
    return {"predicates": [{"requiredClusterSelector": s} for s in selectors]}


def expression(key: str, operator: str, *values: str) -> Spec:
    """One match expression."""
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


def labels(*expressions: Spec, **equal: str) -> Spec:
    """A selector by labels."""
    found: Spec = {"matchExpressions": list(expressions)} if expressions else {}
    return {"labelSelector": found | ({"matchLabels": equal} if equal else {})}


def claims(*expressions: Spec) -> Spec:
    """A selector by claims."""
    return {"claimSelector": {"matchExpressions": list(expressions)}}


ALL, TAINTED = " ".join(PLAIN), either(labels(tainted="yes"))
NOT_TAINTED = expression("tainted", "DoesNotExist")

BY_LABEL = (
    Row("no predicates", {}, f"{ALL} t3"),
    Row("empty predicates", {"predicates": []}, f"{ALL} t3"),
    Row("a predicate without a selector", {"predicates": [{}]}, f"{ALL} t3"),
    Row("an empty selector", either({"labelSelector": {}}), f"{ALL} t3"),
    Row("matchLabels", either(labels(env="prod")), "c1 c2"),
    Row("two matchLabels", either(labels(env="prod", region="eu")), "c1"),
    Row("matchLabels with an empty value", either(labels(canary="")), "c3"),
    Row("matchLabels nobody has", either(labels(env="nowhere")), ""),
    Row("in one value", either(labels(expression("env", "In", "dev"))), "c3 c4"),
    Row("in several values", either(labels(expression("env", "In", "dev", "stage"))), "c3 c4 c6"),
    Row("not in", either(labels(expression("env", "NotIn", "dev"), NOT_TAINTED)), "c1 c2 c5 c6"),
    Row(
        "not in where the key is absent",
        either(labels(expression("tier", "NotIn", "gold"))),
        "c2 c3 c4 c5 c6 t3",
    ),
    Row("exists", either(labels(expression("tier", "Exists"))), "c1"),
    Row("exists with an empty value", either(labels(expression("canary", "Exists"))), "c3"),
    Row("does not exist", either(labels(expression("region", "DoesNotExist"), NOT_TAINTED)), "c4 c5"),
    Row(
        "two expressions",
        either(labels(expression("env", "In", "prod"), expression("region", "In", "us"))),
        "c2",
    ),
    Row("labels and expressions", either(labels(expression("region", "Exists"), env="dev")), "c3"),
    Row("two predicates", either(labels(env="dev"), labels(tier="gold")), "c1 c3 c4"),
    Row("two predicates that overlap", either(labels(env="prod"), labels(region="eu")), "c1 c2 c3 c6"),
    Row("two predicates, one matching nothing", either(labels(env="nowhere"), labels(env="stage")), "c6"),
    Row(
        "the cluster set's own label",
        either(labels(expression(f"{CLUSTER}/clusterset", "DoesNotExist"))),
        "",
    ),
    Row(
        "in without values",
        either(labels(expression("env", "In"))),
        "",
        "Predicate:values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ),
    Row(
        "not in without values",
        either(labels(expression("env", "NotIn"))),
        "",
        "Predicate:values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ),
    Row(
        "an operator there is not",
        either(labels(expression("env", "Gt", "1"))),
        "",
        'Predicate:"Gt" is not a valid label selector operator',
    ),
    Row(
        "exists with a value",
        either(labels(expression("env", "Exists", "prod"))),
        "",
        'Predicate:values: Invalid value: ["prod"]: values set must be empty for exists and does not exist',
    ),
    Row(
        "a value no label can have",
        either(labels(expression("env", "In", "a b"))),
        "",
        f'Predicate:values[0][env]: Invalid value: "a b": {_VALUES}',
    ),
    Row(
        "a second value no label can have",
        either(labels(expression("env", "In", "ok", "-no"))),
        "",
        f'Predicate:values[1][env]: Invalid value: "-no": {_VALUES}',
    ),
    Row(
        "a value too long for a label",
        either(labels(expression("env", "In", "x" * 64))),
        "",
        f'Predicate:values[0][env]: Invalid value: "{"x" * 64}": must be no more than 63 bytes',
    ),
    Row(
        "a matchLabels value no label can have",
        either(labels(env="a b")),
        "",
        f'Predicate:values[0][env]: Invalid value: "a b": {_VALUES}',
    ),
    Row(
        "a key no label can have",
        either(labels(expression("a b", "Exists"))),
        "",
        "Predicate:key: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', "
        "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  "
        "or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ),
    Row(
        "one good predicate and one bad",
        either(labels(env="prod"), labels(expression("env", "In"))),
        "",
        "Predicate:values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ),
)

BY_CLAIM = (
    Row("a claim in", either(claims(expression("platform", "In", "AWS"))), "c1 c3"),
    Row("a claim in several", either(claims(expression("platform", "In", "AWS", "GCP"))), "c1 c2 c3"),
    Row(
        "a claim not in",
        either(labels(NOT_TAINTED) | claims(expression("platform", "NotIn", "AWS"))),
        "c2 c4 c5 c6",
    ),
    Row("a claim exists", either(claims(expression("id", "Exists"))), "c3"),
    Row(
        "a claim does not exist",
        either(labels(NOT_TAINTED) | claims(expression("region", "DoesNotExist"))),
        "c3 c4 c5 c6",
    ),
    Row(
        "two claims",
        either(claims(expression("platform", "In", "AWS"), expression("region", "Exists"))),
        "c1",
    ),
    Row(
        "a claim and a label of one name",
        either(labels(region="eu") | claims(expression("region", "Exists"))),
        "c1",
    ),
    Row("claims or labels", either(claims(expression("id", "Exists")), labels(env="stage")), "c3 c6"),
    Row("no claim expressions", either({"claimSelector": {}}), f"{ALL} t3"),
    Row(
        "a claim value no label can have",
        either(claims(expression("kubeversion.open.io", "In", "v1.30.4+k3s1"))),
        "",
        f'Predicate:values[0][kubeversion.open.io]: Invalid value: "v1.30.4+k3s1": {_VALUES}',
    ),
    Row(
        "a claim with an operator there is not",
        either(claims(expression("platform", "Lt", "1"))),
        "",
        'Predicate:"Lt" is not a valid label selector operator',
    ),
)


def tolerating(*tolerations: Spec) -> Spec:
    """Only the tainted clusters are asked for, with these tolerations."""
    return TAINTED | {"tolerations": list(tolerations)}


def toleration(
    key: str = "", operator: str = "", value: str = "", effect: str = "", seconds: int | None = None
) -> Spec:
    """A toleration with the fields that are given."""
    fields = {"key": key, "operator": operator, "value": value, "effect": effect}
    found: Spec = {k: v for k, v in fields.items() if v}
    return found if seconds is None else found | {"tolerationSeconds": seconds}


BY_TAINT = (
    Row("no toleration", TAINTED, "t3"),
    Row("everything tolerated", tolerating(toleration(operator="Exists")), "t1 t2 t3 t4 t5 t6 t7 t8"),
    Row("a key with its value", tolerating(toleration("gpu", "Equal", "a100")), "t1 t3"),
    Row("a key with its value, Equal being meant", tolerating(toleration("gpu", value="a100")), "t1 t3"),
    Row("a key with another value", tolerating(toleration("gpu", "Equal", "h100")), "t3"),
    Row("a key with a value, where there is none", tolerating(toleration("spot", "Equal", "x")), "t3"),
    Row("a key without a value, where there is one", tolerating(toleration("gpu")), "t3"),
    Row("a key without a value", tolerating(toleration("spot")), "t2 t3"),
    Row("a key that exists", tolerating(toleration("gpu", "Exists")), "t1 t3"),
    Row("two keys", tolerating(toleration("gpu", "Exists"), toleration("spot", "Exists")), "t1 t2 t3 t5"),
    Row("an effect", tolerating(toleration("spot", "Exists", effect="NoSelect")), "t2 t3"),
    Row("another effect", tolerating(toleration("spot", "Exists", effect="NoSelectIfNew")), "t3"),
    Row("an effect alone", tolerating(toleration(operator="Exists", effect="NoSelect")), "t1 t2 t3 t5 t6 t7"),
    Row(
        "the other effect alone",
        tolerating(toleration(operator="Exists", effect="NoSelectIfNew")),
        "t3 t4 t8",
    ),
    Row(
        "an effect that never keeps away",
        tolerating(toleration(operator="Exists", effect="PreferNoSelect")),
        "t3",
    ),
    Row("unreachable", tolerating(toleration(f"{CLUSTER}/unreachable", "Exists")), "t3 t6"),
    Row("seconds that have passed", tolerating(toleration("spot", "Exists", seconds=60)), "t3"),
    Row("seconds that have not", tolerating(toleration("soon", "Exists", seconds=60)), "t3 t7"),
    Row("no seconds at all", tolerating(toleration("spot", "Exists", seconds=0)), "t3"),
    Row("negative seconds", tolerating(toleration("spot", "Exists", seconds=-1)), "t3"),
    Row("seconds for a new one", tolerating(toleration("fresh", "Exists", seconds=60)), "t3 t8"),
    Row(
        "one that has passed, then one that has not",
        tolerating(toleration("spot", "Exists", seconds=1), toleration("spot", "Exists")),
        "t2 t3",
    ),
    Row(
        "a key is missing",
        tolerating(toleration(value="a100")),
        "",
        "TaintToleration:If the key is empty, operator must be Exists.",
    ),
    Row(
        "exists with a value to tolerate",
        tolerating(toleration("gpu", "Exists", "a100")),
        "",
        "TaintToleration:If the operator is Exists, the value should be empty.",
    ),
    Row(
        "a bad toleration for clusters without taints",
        either(labels(env="prod")) | {"tolerations": [toleration(value="x")]},
        "",
        "TaintToleration:If the key is empty, operator must be Exists.",
    ),
)


def _run(row: Row) -> Callable[[Stage], Any]:
    async def run(stage: Stage) -> None:
        fleet = stage.fleet
        assert fleet is not None
        made = await stage.create(placement(stage.name("p"), fleet.name("home"), **row.spec))
        chosen = row.selects.split()
        satisfied = row.satisfied or (SCHEDULED if chosen else NO_MATCH)
        verdict = wrong(row.wrong) if row.wrong else FINE
        wanted = expected("p", one_group(*chosen), satisfied, verdict)
        await stage.becomes(lambda: seen(stage, made), wanted)

    return run


def cases(rows: Iterable[Row]) -> Iterator[Case]:
    """The rows as cases."""
    for row in rows:
        yield Case(row.name.replace(" ", "-").replace(",", ""), _run(row), lacks=row.lacks)


ROWS = (*BY_LABEL, *BY_CLAIM, *BY_TAINT)
