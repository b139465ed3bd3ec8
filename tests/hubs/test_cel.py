"""CEL rules of definitions on every hub: the record of `tests/objects/cel_corpus.json`, and what schemas add.

Hundreds of rules are judged by a few calls: a definition has one field for each, so that one answer names
every rule that is refused, and one object tells of every rule whether it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import ApiError, Cause
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CRDS
from gitops_ocm.testing.clusters import install
from tests.hubs.cel_schemas import SCENARIOS, Scenario
from tests.objects.test_cel_corpus import BUG

CORPUS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "objects/cel_corpus.json").read_text())
CASES: list[dict[str, Any]] = CORPUS["cases"]
RULE_LIMIT, SCHEMA_LIMIT, AT_ONCE = 10_000_000, 100_000_000, 150
GROUP = "cel.example.com"
Refused = Mapping[str, list[str]]


def definition(name: str, schema: Mapping[str, Any]) -> Object:
    """A definition of a kind whose spec is of a schema."""
    version = {"name": "v1", "served": True, "storage": True}
    whole = {"type": "object", "properties": {"spec": schema}}
    plural = f"{name}s"
    names = {
        "plural": plural,
        "singular": name,
        "kind": name.capitalize(),
        "listKind": f"{name.capitalize()}List",
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": names,
            "versions": [{**version, "schema": {"openAPIV3Schema": whole}}],
        },
    }


def fields(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A schema with a field for each case, of the corpus' schema, with the case's rule."""
    return {"type": "object", "properties": {name: _ruled(case["rule"]) for name, case in cases.items()}}


def _ruled(rule: str) -> dict[str, Any]:
    """The corpus' schema as far as a rule names it, with the rule."""
    named = {name: schema for name, schema in CORPUS["fields"].items() if _names(rule, name)}
    return {"type": "object", "properties": named, "x-kubernetes-validations": [{"rule": rule}]}


def _names(rule: str, field: str) -> bool:
    """Whether a rule looks at a field; what none does only makes for a longer test."""
    whole = re.search(r"\b(self|oldSelf)\b(?!\.\??\w)", rule) is not None
    return whole or re.search(rf"\b{field}\b", rule) is not None


async def refusals(cluster: Cluster, resource: Resource, obj: Object) -> Refused:
    """What each field is refused for, by its path; nothing is stored."""
    found: dict[str, list[str]] = {}
    for cause in _causes_of(await _attempt(cluster.create(resource, obj, dry_run=True))):
        found.setdefault(cause.field, []).append(re.sub(r"selfType\d+", "selfType", cause.message))
    return found


async def _attempt(call: Awaitable[Object]) -> Object | ApiError:
    try:
        return await call
    except ApiError as error:
        return error


def _causes_of(answer: Object | ApiError) -> tuple[Cause, ...]:
    """What is wrong by a refusal; other errors are none of these tests'."""
    if not isinstance(answer, ApiError):
        return ()
    assert answer.reason == "Invalid", answer
    return answer.causes


def batches(cases: list[dict[str, Any]]) -> Iterator[dict[str, dict[str, Any]]]:
    """Cases by names of fields, no more than a schema may have or cost."""
    batch: dict[str, dict[str, Any]] = {}
    spent = 0
    for at, case in enumerate(cases):
        cost = case.get("cost", 0)
        if len(batch) == AT_ONCE or spent + cost > SCHEMA_LIMIT:
            yield batch
            batch, spent = {}, 0
        batch[f"p{at}"] = case
        spent += cost
    yield batch


def wanted_of(case: Mapping[str, Any]) -> str:
    """How the refusal of a rule ends, by the record; nothing for one that is accepted."""
    if "error" in case:
        return str(case["error"])
    factor = case["cost"] / RULE_LIMIT
    if factor <= 1:
        return ""
    shown = "more than 100x" if factor > 100 else f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"estimated rule cost exceeds budget by factor of {shown}"


@pytest.mark.slow
async def test_rules_are_refused_as_recorded(cluster: Cluster, unique: Callable[[str], str]) -> None:
    """Of each rule: that it is refused, with which words at which place, or for which cost."""
    differing = []
    for start in range(0, len(CASES), AT_ONCE):
        batch = {f"p{at}": case for at, case in enumerate(CASES[start : start + AT_ONCE])}
        found = await refusals(cluster, CRDS, definition(unique("x").replace("-", ""), fields(batch)))
        schema = "spec.validation.openAPIV3Schema.properties[spec]"
        for name, case in batch.items():
            told = found.get(f"{schema}.properties[{name}].x-kubernetes-validations[0].rule", [])
            told = [text for text in told if "contributed to estimated rule cost total" not in text]
            wanted = wanted_of(case)
            if len(told) != bool(wanted) or (wanted and wanted not in told[0]):
                differing.append((case["rule"], wanted, told))
    assert not differing


@pytest.mark.slow
async def test_rules_hold_as_recorded(cluster: Cluster, unique: Callable[[str], str]) -> None:
    """Of each rule that is accepted, on each value: that it holds, that it does not, or the error."""
    differing = []
    for batch in batches([case for case in CASES if "error" not in case and case["cost"] <= RULE_LIMIT]):
        name = unique("x").replace("-", "")
        await install(cluster, [definition(name, fields(batch))])
        resource = Resource(GROUP, "v1", name.capitalize(), f"{name}s", namespaced=False)
        for at, value in enumerate(CORPUS["values"]):
            spec = {
                field: {name: v for name, v in value.items() if _names(case["rule"], name)}
                for field, case in batch.items()
            }
            obj = {
                "apiVersion": f"{GROUP}/v1",
                "kind": resource.kind,
                "metadata": {"name": "a"},
                "spec": spec,
            }
            found = await refusals(cluster, resource, obj)
            for field, case in batch.items():
                told, result = found.get(f"spec.{field}", []), case["results"][at]
                if not _as_recorded(told, result, case["rule"].strip()):
                    differing.append((case["rule"], at, result, told))
        await cluster.delete(CRDS, "", f"{name}s.{GROUP}")
    assert not differing


def _as_recorded(told: list[str], result: str, rule: str) -> bool:
    if result == "":
        return not told
    if result == "false":
        return told == [f"Invalid value: failed rule: {rule}"]
    if result.startswith(BUG):
        return len(told) == 1
    end = "" if result.startswith("'") else f" evaluating rule: {rule}"
    return told == [f'Invalid value: "object": {result}{end}']


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_what_schemas_add(cluster: Cluster, unique: Callable[[str], str], scenario: Scenario) -> None:
    """Places, reasons, messages, transitions, formats and budgets: each object answered as recorded."""
    name = unique("x").replace("-", "")
    whole = definition(name, scenario.schema)
    if scenario.refused:
        found = await refusals(cluster, CRDS, whole)
        assert {_short(path): texts for path, texts in found.items()} == scenario.refused
        return
    await install(cluster, [whole])
    resource = Resource(GROUP, "v1", name.capitalize(), f"{name}s", namespaced=False)
    held: Object | None = None
    for step in scenario.steps:
        meta = {"name": "a"} if held is None else {"name": "a", "resourceVersion": _version(held)}
        obj = {"apiVersion": f"{GROUP}/v1", "kind": resource.kind, "metadata": meta, "spec": step.spec}
        write = cluster.create if held is None else cluster.update
        answer = await _attempt(write(resource, obj))
        held = held if isinstance(answer, ApiError) else answer
        told = sorted(f"{cause.field}: {cause.message}" for cause in _causes_of(answer))
        assert told == sorted(step.told), step
    await cluster.delete(CRDS, "", f"{name}s.{GROUP}")


def _version(obj: Object) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _short(path: str) -> str:
    return path.removeprefix("spec.validation.openAPIV3Schema.properties[spec]").lstrip(".")
