"""The schemas by our own validator: samples are clean, wrong fields named, defaults those of the models."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gitops_ocm.api.base import Model
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.api.structural import object_schema
from gitops_ocm.objects.schema import Schema

Object = dict[str, Any]

HERE = Path(__file__).parent
SAMPLES: list[Object] = list(YAML(typ="safe").load_all(HERE / "samples.yaml"))
REFUSED: list[Object] = YAML(typ="safe").load(HERE / "refused.yaml")
NOT_A_FIELD = "<nil>"
"""What a server names when it could not check CEL rules because the object is invalid otherwise."""
MODELS = {
    (r.api_version, r.kind): model
    for r in SCHEME.resources()
    if (model := SCHEME.model_for(r.api_version, r.kind)) is not None
}


def name_of(obj: Object) -> str:
    return f"{obj['kind']} {obj['apiVersion'].rpartition('/')[2]}"


def schema_of(obj: Object) -> Schema:
    return Schema.from_openapi(object_schema(MODELS[obj["apiVersion"], obj["kind"]]))


def spoilt(case: Object) -> Object:
    """The sample a case names, with its changes made."""
    sample = next(s for s in SAMPLES if case["sample"] in (s["kind"], name_of(s)))
    obj = deepcopy(sample)
    for path in [*case.get("set", {}), *([case["drop"]] if "drop" in case else [])]:
        parent: Any = obj
        *parts, last = [int(p) if p.isdigit() else p for p in re.split(r"[.\[\]]+", path) if p]
        for part in parts:
            parent = parent[part]
        if path in case.get("set", {}):
            parent[last] = case["set"][path]
        else:
            del parent[last]
    return obj


@pytest.mark.parametrize("obj", SAMPLES, ids=name_of)
def test_a_full_object_is_valid_and_known(obj: Object) -> None:
    """No field of a full object is unknown to its schema or refused by it."""
    schema = schema_of(obj)
    assert schema.unknown_fields(obj) == []
    assert schema.validate(schema.default(obj)) == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: f"{c['sample']}-{c['field']}")
def test_a_wrong_field_is_named(case: Object) -> None:
    """The schema names exactly the field that was spoilt."""
    obj = spoilt(case)
    schema = schema_of(obj)
    named = {c.field for c in schema.validate(schema.default(obj))}
    assert named - {NOT_A_FIELD} == {case["field"]}


@pytest.mark.parametrize("obj", SAMPLES, ids=name_of)
def test_the_schema_fills_in_what_the_model_assumes(obj: Object) -> None:
    """An object defaulted by its CRD and one read by its model have the same values everywhere."""
    model = MODELS[obj["apiVersion"], obj["kind"]]
    for variant in (obj, bare(obj)):
        by_schema = schema_of(variant).default(deepcopy(variant))
        by_model = assumed(model.parse(variant))
        by_schema.pop("metadata"), by_model.pop("metadata")
        assert by_model == by_schema


def bare(obj: Object) -> Object:
    """The object with every optional part emptied but the branches above required fields kept."""
    spec: Object = {k: {} for k, v in obj.get("spec", {}).items() if isinstance(v, dict)}
    thin = {**obj, "spec": spec}
    thin.pop("status", None)
    if "spec" not in obj:
        thin.pop("spec")
    return thin if not schema_of(thin).validate(schema_of(thin).default(deepcopy(thin))) else obj


def assumed(model: Model) -> Object:
    """Everything a model holds that is not None, defaults included."""
    return model.model_dump(exclude_none=True)
