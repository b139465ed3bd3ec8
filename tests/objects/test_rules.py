"""What is refused of built-in kinds, held to what a real kube-apiserver (1.35) answered to the same objects.

The objects are those of `tests/differential/validation.yaml`, which are played on both servers; the answers
were recorded there: for each spoiling the causes, or none where the object was accepted.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from tests.differential.script_validation import CASES, spoiled

RECORDED: dict[str, dict[str, list[list[str]]]] = json.loads(
    (Path(__file__).parent / "recorded_faults.json").read_text("utf-8")
)
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SHOWN_BY_GO = re.compile(r"must match dataSourceRef")
"""Faults that show a value as Go has it in between."""


@lru_cache(maxsize=1)
def _api() -> Api:
    api = Api(load_catalog(ocm=False))
    namespaces = api.catalog.served("v1", "Namespace")
    assert namespaces is not None
    api.create(namespaces, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    return api


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return value.replace("{ns}", "ns") if isinstance(value, str) else value


def _faults(obj: Object) -> list[list[str]]:
    api = _api()
    served = api.catalog.served(obj["apiVersion"], obj["kind"])
    assert served is not None
    try:
        namespace = "ns" if served.resource.namespaced else ""
        api.create(served, namespace, _filled(obj), WriteOptions(dry_run=True))
    except ApiError as error:
        return [[cause.reason, cause.field, UID.sub("UID", cause.message)] for cause in error.causes]
    return []


@pytest.mark.parametrize("kind", RECORDED)
def test_the_same_is_refused_as_by_a_real_server(kind: str) -> None:
    """Every object spoiled in one place has the recorded causes, in their order and words."""
    good = CASES[kind]["good"]
    differing = []
    for change, causes in RECORDED[kind].items():
        found = _faults(spoiled(good, change))
        if found != causes and not SHOWN_BY_GO.search(str(causes)):
            differing.append(f"{change}\n  real: {causes}\n  ours: {found}")
    assert not differing, "\n".join(differing)


@pytest.mark.parametrize("kind", CASES)
def test_a_good_object_has_no_fault(kind: str) -> None:
    """What the spoiled ones are made of is accepted as it is."""
    assert _faults(CASES[kind]["good"]) == []
