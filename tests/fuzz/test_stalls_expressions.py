"""Expressions in CEL that cost all they may, and more than they say, leave the event loop to others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from gitops_ocm.objects.ref import Object
from tests.fuzz.oracle import judged
from tests.fuzz.test_stalls import CONFIG_MAPS, DEFINITIONS, LIMIT, _asked, busy, wire
from tests.fuzz.wire import Wire

__all__ = ("busy", "wire")
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = (
    f"{ADMISSION}/validatingadmissionpolicies",
    f"{ADMISSION}/validatingadmissionpolicybindings",
)

DEAR = {
    "nested": "variables.data.all(a, variables.data.all(b, a + b != ''))",
    "in parts": "variables.data.map(a, variables.data.map(b, a + b)).size() > 0",
    "left out": "variables.data.filter(a, variables.data.filter(b, false).size() > 0).size() == 0",
    "free to look through": "variables.data.all(a, variables.data.map(b, b).indexOf(a) >= -1)",
    "free to compare": "variables.data.all(a, [variables.data] == [variables.data])",
    "sets": "sets.contains(variables.data.map(a, a), variables.data.map(a, a))",
}
"""Each takes from a quarter of a second to hours, by what a kube-apiserver counts or does not count."""


def _policy(*expressions: str) -> Object:
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps"]}
    validations = [{"expression": expression, "message": "no"} for expression in expressions]
    # What is deleted is no `object`.
    data = {"name": "data", "expression": "object == null ? oldObject.data : object.data"}
    spec = {
        "failurePolicy": "Fail",
        "variables": [data],
        "matchConstraints": {"resourceRules": [rule]},
        "validations": validations,
    }
    meta = {"name": "dear"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": meta,
        "spec": spec,
    }


BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "dear"},
    "spec": {"policyName": "dear", "validationActions": ["Deny"]},
}
EDIT = orjson.dumps({"data": {"k1": "changed"}})
MERGE = "application/merge-patch+json"


@pytest.fixture
async def judged_dearly(wire: Wire) -> AsyncIterator[Wire]:
    """An object of 3,000 keys that stays below what goes to a thread by its size, and no policy in the end."""
    data = {f"k{at}": "v" for at in range(3000)}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "judged"}, "data": data}
    assert judged(await wire("POST", CONFIG_MAPS, obj)).status == 201
    yield wire
    for path in (f"{BINDINGS}/dear", f"{POLICIES}/dear", f"{CONFIG_MAPS}/judged"):
        await wire("DELETE", path)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", DEAR)
async def test_a_dear_policy_holds_nobody_up(judged_dearly: Wire, name: str) -> None:
    """A write that a policy judges for as long as it may is answered, and others are served meanwhile."""
    wire = judged_dearly
    assert judged(await wire("POST", POLICIES, _policy(DEAR[name]))).status == 201
    assert judged(await wire("POST", BINDINGS, BINDING)).status == 201
    target = f"{CONFIG_MAPS}/judged"
    assert await _asked(wire, "PATCH", target, EDIT, MERGE) < LIMIT
    assert await _asked(wire, "DELETE", f"{target}?dryRun=All", None) < LIMIT
    assert await _asked(wire, "DELETE", f"{CONFIG_MAPS}?dryRun=All", None) < LIMIT


RULES = {
    "dear": {"rule": "self.words.all(a, self.words.all(b, a + b != 'x' + b))"},
    "free": {"rule": "self.words.all(a, [self.words] == [self.words])"},
    "sets": {"rule": "self.set + self.set == self.set && self.set == self.set"},
}
"""What a server lets into a definition, for by its greatest sizes it costs little enough."""


def _ruled(name: str, *rules: Object) -> Object:
    texts = {"type": "array", "maxItems": 20_000, "items": {"type": "string", "maxLength": 1}}
    fields = {"words": {**texts, "maxItems": 800}, "set": {**texts, "x-kubernetes-list-type": "set"}}
    spec = {"type": "object", "properties": fields, "x-kubernetes-validations": [*rules]}
    fields["set"]["items"] = {"type": "string", "maxLength": 5}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    names = {"plural": f"{name}s", "kind": name.title()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{name}s.ruled.example.com"},
        "spec": {"group": "ruled.example.com", "scope": "Cluster", "names": names, "versions": [version]},
    }


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", RULES)
async def test_a_dear_rule_holds_nobody_up(wire: Wire, name: str) -> None:
    """A custom object whose rules cost all they may is judged, and others are served meanwhile."""
    assert judged(await wire("POST", DEFINITIONS, _ruled(name, RULES[name]))).status == 201
    spec = {"words": ["w"] * 800, "set": [f"{at}" for at in range(7000)]}
    obj = {
        "apiVersion": "ruled.example.com/v1",
        "kind": name.title(),
        "metadata": {"name": "a"},
        "spec": spec,
    }
    target = f"/apis/ruled.example.com/v1/{name}s"
    try:
        assert await _asked(wire, "POST", target, obj, "application/json") < LIMIT
    finally:
        await wire("DELETE", f"{DEFINITIONS}/{name}s.ruled.example.com")


@pytest.mark.slow
async def test_many_rules_hold_nobody_up(wire: Wire) -> None:
    """A definition of fewer bytes than go to a thread by their number, full of rules, is compiled beside."""
    rules = [{"rule": f"size(self.words) != {at}"} for at in range(1200)]
    try:
        assert await _asked(wire, "POST", DEFINITIONS, _ruled("many", *rules), "application/json") < LIMIT
    finally:
        await wire("DELETE", f"{DEFINITIONS}/manys.ruled.example.com")
