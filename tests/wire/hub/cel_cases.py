"""Which clusters of the fleet a placement selects by CEL expressions, as a table."""

from __future__ import annotations

from tests.wire.hub.selection_cases import ALL, Row, Spec, claims, either, expression, labels


def cel(*expressions: str) -> Spec:
    """A selector by CEL expressions."""
    return {"celSelector": {"celExpressions": list(expressions)}}


_MC = "managedCluster"
OPTIONAL = "the CEL interpreter knows no optional syntax"
ROWS = (
    Row("cel true", either(cel("true")), f"{ALL} t3"),
    Row("cel false", either(cel("false")), ""),
    Row("cel on a label", either(cel(f'{_MC}.metadata.labels["env"] == "prod"')), "c1 c2"),
    Row("cel on a name", either(cel(f'{_MC}.metadata.name.endsWith("-c4")')), "c4"),
    Row("cel matches", either(cel(f'{_MC}.metadata.labels["env"].matches("^(prod|stage)$")')), "c1 c2 c6"),
    Row("cel has", either(cel(f"has({_MC}.metadata.labels.tier)")), "c1"),
    Row("cel in a map", either(cel(f'"tier" in {_MC}.metadata.labels')), "c1"),
    Row("cel on a missing key is no match", either(cel(f'{_MC}.metadata.labels["tier"] != "x"')), "c1"),
    Row("cel that gives no boolean", either(cel('"yes"')), ""),
    Row(
        "cel on claims",
        either(cel(f'{_MC}.status.clusterClaims.exists(c, c.name == "platform" && c.value == "AWS")')),
        "c1 c3",
    ),
    Row("cel on missing claims", either(cel(f"size({_MC}.status.clusterClaims) > 0")), "c1 c2 c3 c6"),
    Row("cel on the spec", either(cel(f"{_MC}.spec.hubAcceptsClient")), f"{ALL} t3"),
    Row("cel on the lease", either(cel(f"{_MC}.spec.leaseDurationSeconds == 60")), f"{ALL} t3"),
    Row("cel on the version", either(cel(f'{_MC}.status.version.kubernetes == "v1.31.0"')), "c4"),
    Row("cel on conditions that are not there", either(cel(f"{_MC}.status.conditions == null")), f"{ALL} t3"),
    Row("cel on quantities as strings", either(cel(f'{_MC}.status.allocatable["cpu"] == "500m"')), "c4"),
    Row(
        "cel quantity",
        either(cel(f'quantity({_MC}.status.allocatable["cpu"]).isGreaterThan(quantity("5"))')),
        "c1 c3",
    ),
    Row(
        "cel semver",
        either(cel(f'semver({_MC}.metadata.labels["version"]).isGreaterThan(semver("1.30.0"))')),
        "c1 c2",
    ),
    Row(
        "cel semver with a leading v never holds",
        either(cel(f'semver({_MC}.status.version.kubernetes).isGreaterThan(semver("1.0.0"))')),
        "",
    ),
    Row(
        "cel optional",
        either(cel(f'{_MC}.metadata.labels[?"tier"].orValue("") == "gold"')),
        "c1",
        lacks=OPTIONAL,
    ),
    Row(
        "cel optional field",
        either(cel(f'{_MC}.status.?version.?kubernetes.orValue("") == "v1.30.4"')),
        "c1",
        lacks=OPTIONAL,
    ),
    Row(
        "cel parseJSON",
        either(cel(f'{_MC}.metadata.annotations["note"].parseJSON().rank == 3')),
        "c1",
    ),
    Row(
        "cel parseJSON of a list",
        either(cel(f'{_MC}.metadata.annotations["note"].parseJSON().tags.exists(t, t == "b")')),
        "c1",
    ),
    Row(
        "cel scores",
        either(cel(f'{_MC}.scores("usage").filter(s, s.name == "cpu").all(s, s.value > 50)')),
        "c2 c3",
    ),
    Row("cel scores that exist", either(cel(f'{_MC}.scores("usage").exists(s, s.name == "mem")')), "c1 c2"),
    Row("cel scores of nobody", either(cel(f'{_MC}.scores("nothing").size() >= 0')), ""),
    Row("cel split and join", either(cel(f'{_MC}.metadata.labels["version"].split(".")[1] == "31"')), "c2"),
    Row("cel lowerAscii", either(cel(f'{_MC}.status.clusterClaims[0].value.lowerAscii() == "gcp"')), "c2"),
    Row("cel list sum", either(cel("[1, 2, 3].sum() == 6")), f"{ALL} t3"),
    Row("cel list isSorted", either(cel("[1, 3, 2].isSorted()")), ""),
    Row(
        "cel regex find", either(cel(f'{_MC}.metadata.labels["version"].find("^[0-9]+") == "1"')), "c1 c2 c6"
    ),
    Row("cel url", either(cel('url("https://example.com:80/").getHost() == "example.com:80"')), f"{ALL} t3"),
    Row("cel ip", either(cel('ip("127.0.0.1").isLoopback()')), f"{ALL} t3"),
    Row("cel cidr", either(cel('cidr("10.0.0.0/8").containsIP("10.1.2.3")')), f"{ALL} t3"),
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
    Row(
        "cel that names nothing known",
        either(cel("foo == 1")),
        "",
        "Predicate:compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n"
        " | foo == 1\n | ^",
    ),
    Row(
        "cel that calls what is not there",
        either(cel("nothing(1)")),
        "",
        "Predicate:compilation failed: ERROR: <input>:1:8: "
        "undeclared reference to 'nothing' (in container '')\n"
        " | nothing(1)\n | .......^",
    ),
    Row(
        "cel in two lines with two faults",
        either(cel('true && bar == "foo"\n  || foo == 2')),
        "",
        "Predicate:compilation failed: ERROR: <input>:1:9: undeclared reference to 'bar' (in container '')\n"
        ' | true && bar == "foo"\n | ........^\n'
        "ERROR: <input>:2:6: undeclared reference to 'foo' (in container '')\n"
        " |   || foo == 2\n | .....^",
    ),
    Row("cel that compares what cannot be", either(cel(f'{_MC}.metadata.labels["env"] > 3')), ""),
    Row("cel that divides by zero", either(cel("1 / 0 == 1")), ""),
    Row("cel parseJSON of no JSON", either(cel('"{".parseJSON() == 1')), ""),
    Row(
        "cel semver compared",
        either(cel('semver("1.2.3-alpha.2").compareTo(semver("1.2.3-alpha.10")) == -1')),
        f"{ALL} t3",
    ),
    Row("cel semver parts", either(cel('semver("1.2.3").minor() == 2')), f"{ALL} t3"),
    Row("cel isSemver", either(cel('isSemver("v1.0.0")')), ""),
    Row("cel isQuantity", either(cel('isQuantity("1Gi") && !isQuantity("x")')), f"{ALL} t3"),
    Row("cel cidr of another family", either(cel('cidr("10.0.0.0/8").containsIP("::1")')), ""),
    Row("cel prefixLength", either(cel('cidr("10.0.0.0/8").prefixLength() == 8')), f"{ALL} t3"),
    Row("cel containsCIDR", either(cel('cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")')), f"{ALL} t3"),
    Row("cel ip family", either(cel('ip("::1").family() == 6')), f"{ALL} t3"),
    Row("cel indexOf", either(cel('"hello".indexOf("l") == 2 && [1, 2].indexOf(2) == 1')), f"{ALL} t3"),
    Row("cel findAll", either(cel('"a1b22".findAll("[0-9]+") == ["1", "22"]')), f"{ALL} t3"),
    Row("cel replace", either(cel('"a-b-c".replace("-", ".") == "a.b.c"')), f"{ALL} t3"),
    Row("cel substring", either(cel('"abc".substring(1) == "bc"')), f"{ALL} t3"),
    Row("cel join", either(cel('["a", "b"].join("/") == "a/b"')), f"{ALL} t3"),
    Row(
        "cel ternary",
        either(cel(f'has({_MC}.metadata.labels.tier) ? true : {_MC}.metadata.labels["env"] == "dev"')),
        "c1 c3 c4",
    ),
    Row("cel in a list", either(cel(f'{_MC}.metadata.labels["env"] in ["dev", "stage"]')), "c3 c4 c6"),
    Row(
        "cel map and filter",
        either(cel(f'{_MC}.status.clusterClaims.map(c, c.name).filter(n, n == "id").size() == 1')),
        "c3",
    ),
    Row("cel exists_one", either(cel(f'{_MC}.status.clusterClaims.exists_one(c, c.value == "GCP")')), "c2"),
    Row(
        "one good expression and one bad",
        either(cel("true", "foo")),
        "",
        "Predicate:compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n"
        " | foo\n | ^",
    ),
)
