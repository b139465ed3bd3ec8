"""Which clusters of the fleet a placement selects by CEL expressions, as a table."""

from __future__ import annotations

from tests.wire.hub.selection_cases import ALL, Row, Spec, claims, either, expression, labels


def cel(*expressions: str) -> Spec:
    """A selector by CEL expressions."""
    return {"celSelector": {"celExpressions": list(expressions)}}


def _row(name: str, expression: str, selects: str, wrong: str = "") -> Row:
    """A placement by one expression."""
    return Row(name, either(cel(expression)), selects, wrong)


_MC = "managedCluster"
ROWS = (
    _row("cel true", "true", f"{ALL} t3"),
    _row("cel false", "false", ""),
    _row("cel on a label", f'{_MC}.metadata.labels["env"] == "prod"', "c1 c2"),
    _row("cel on a name", f'{_MC}.metadata.name.endsWith("-c4")', "c4"),
    _row("cel matches", f'{_MC}.metadata.labels["env"].matches("^(prod|stage)$")', "c1 c2 c6"),
    _row("cel has", f"has({_MC}.metadata.labels.tier)", "c1"),
    _row("cel in a map", f'"tier" in {_MC}.metadata.labels', "c1"),
    _row("cel on a missing key is no match", f'{_MC}.metadata.labels["tier"] != "x"', "c1"),
    _row("cel that gives no boolean", '"yes"', ""),
    _row(
        "cel on claims",
        f'{_MC}.status.clusterClaims.exists(c, c.name == "platform" && c.value == "AWS")',
        "c1 c3",
    ),
    _row("cel on missing claims", f"size({_MC}.status.clusterClaims) > 0", "c1 c2 c3 c6"),
    _row("cel on the spec", f"{_MC}.spec.hubAcceptsClient", f"{ALL} t3"),
    _row("cel on the lease", f"{_MC}.spec.leaseDurationSeconds == 60", f"{ALL} t3"),
    _row("cel on the version", f'{_MC}.status.version.kubernetes == "v1.31.0"', "c4"),
    _row("cel on conditions that are not there", f"{_MC}.status.conditions == null", f"{ALL} t3"),
    _row("cel on quantities as strings", f'{_MC}.status.allocatable["cpu"] == "500m"', "c4"),
    _row("cel quantity", f'quantity({_MC}.status.allocatable["cpu"]).isGreaterThan(quantity("5"))', "c1 c3"),
    _row("cel semver", f'semver({_MC}.metadata.labels["version"]).isGreaterThan(semver("1.30.0"))', "c1 c2"),
    _row(
        "cel semver with a leading v never holds",
        f'semver({_MC}.status.version.kubernetes).isGreaterThan(semver("1.0.0"))',
        "",
    ),
    _row("cel optional", f'{_MC}.metadata.labels[?"tier"].orValue("") == "gold"', "c1"),
    _row(
        "cel optional field",
        f'{_MC}.status.?version.?kubernetes.orValue("") == "v1.30.4"',
        "c1",
    ),
    _row("cel parseJSON", f'{_MC}.metadata.annotations["note"].parseJSON().rank == 3', "c1"),
    _row(
        "cel parseJSON of a list",
        f'{_MC}.metadata.annotations["note"].parseJSON().tags.exists(t, t == "b")',
        "c1",
    ),
    _row("cel scores", f'{_MC}.scores("usage").filter(s, s.name == "cpu").all(s, s.value > 50)', "c2 c3"),
    _row("cel scores that exist", f'{_MC}.scores("usage").exists(s, s.name == "mem")', "c1 c2"),
    _row("cel scores of nobody", f'{_MC}.scores("nothing").size() >= 0', ""),
    _row("cel split and join", f'{_MC}.metadata.labels["version"].split(".")[1] == "31"', "c2"),
    _row("cel lowerAscii", f'{_MC}.status.clusterClaims[0].value.lowerAscii() == "gcp"', "c2"),
    _row("cel list sum", "[1, 2, 3].sum() == 6", f"{ALL} t3"),
    _row("cel list isSorted", "[1, 3, 2].isSorted()", ""),
    _row("cel regex find", f'{_MC}.metadata.labels["version"].find("^[0-9]+") == "1"', "c1 c2 c6"),
    _row("cel url", 'url("https://example.com:80/").getHost() == "example.com:80"', f"{ALL} t3"),
    _row("cel ip", 'ip("127.0.0.1").isLoopback()', f"{ALL} t3"),
    _row("cel cidr", 'cidr("10.0.0.0/8").containsIP("10.1.2.3")', f"{ALL} t3"),
    Row(
        "two cel expressions",
        either(cel(f'{_MC}.metadata.labels["env"] == "prod"', f"has({_MC}.metadata.labels.tier)")),
        "c1",
    ),
    Row("no cel expressions", either({"celSelector": {"celExpressions": []}}), f"{ALL} t3"),
    Row("an empty cel selector", either({"celSelector": {}}), f"{ALL} t3"),
    Row("cel and labels", either(labels(region="eu") | cel(f'{_MC}.metadata.labels["env"] == "dev"')), "c3"),
    Row(
        "cel and labels and claims",
        either(
            labels(region="eu")
            | claims(expression("platform", "In", "AWS"))
            | cel(f'{_MC}.metadata.labels["env"] == "prod"')
        ),
        "c1",
    ),
    Row("cel or labels", either(labels(env="dev"), cel(f"has({_MC}.metadata.labels.tier)")), "c1 c3 c4"),
    _row(
        "cel that names nothing known",
        "foo == 1",
        "",
        "Predicate:compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n"
        " | foo == 1\n | ^",
    ),
    _row(
        "cel that calls what is not there",
        "nothing(1)",
        "",
        "Predicate:compilation failed: ERROR: <input>:1:8: "
        "undeclared reference to 'nothing' (in container '')\n"
        " | nothing(1)\n | .......^",
    ),
    _row(
        "cel in two lines with two faults",
        'true && bar == "foo"\n  || foo == 2',
        "",
        "Predicate:compilation failed: ERROR: <input>:1:9: undeclared reference to 'bar' (in container '')\n"
        ' | true && bar == "foo"\n | ........^\n'
        "ERROR: <input>:2:6: undeclared reference to 'foo' (in container '')\n"
        " |   || foo == 2\n | .....^",
    ),
    _row("cel that compares what cannot be", f'{_MC}.metadata.labels["env"] > 3', ""),
    _row("cel that divides by zero", "1 / 0 == 1", ""),
    _row("cel parseJSON of no JSON", '"{".parseJSON() == 1', ""),
    _row(
        "cel semver compared",
        'semver("1.2.3-alpha.2").compareTo(semver("1.2.3-alpha.10")) == -1',
        f"{ALL} t3",
    ),
    _row("cel semver parts", 'semver("1.2.3").minor() == 2', f"{ALL} t3"),
    _row("cel isSemver", 'isSemver("v1.0.0")', ""),
    _row("cel isQuantity", 'isQuantity("1Gi") && !isQuantity("x")', f"{ALL} t3"),
    _row("cel cidr of another family", 'cidr("10.0.0.0/8").containsIP("::1")', ""),
    _row("cel prefixLength", 'cidr("10.0.0.0/8").prefixLength() == 8', f"{ALL} t3"),
    _row("cel containsCIDR", 'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', f"{ALL} t3"),
    _row("cel ip family", 'ip("::1").family() == 6', f"{ALL} t3"),
    _row("cel indexOf", '"hello".indexOf("l") == 2 && [1, 2].indexOf(2) == 1', f"{ALL} t3"),
    _row("cel findAll", '"a1b22".findAll("[0-9]+") == ["1", "22"]', f"{ALL} t3"),
    _row("cel replace", '"a-b-c".replace("-", ".") == "a.b.c"', f"{ALL} t3"),
    _row("cel substring", '"abc".substring(1) == "bc"', f"{ALL} t3"),
    _row("cel join", '["a", "b"].join("/") == "a/b"', f"{ALL} t3"),
    _row(
        "cel ternary",
        f'has({_MC}.metadata.labels.tier) ? true : {_MC}.metadata.labels["env"] == "dev"',
        "c1 c3 c4",
    ),
    _row("cel in a list", f'{_MC}.metadata.labels["env"] in ["dev", "stage"]', "c3 c4 c6"),
    _row(
        "cel map and filter",
        f'{_MC}.status.clusterClaims.map(c, c.name).filter(n, n == "id").size() == 1',
        "c3",
    ),
    _row("cel exists_one", f'{_MC}.status.clusterClaims.exists_one(c, c.value == "GCP")', "c2"),
    Row(
        "one good expression and one bad",
        either(cel("true", "foo")),
        "",
        "Predicate:compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n"
        " | foo\n | ^",
    ),
)
