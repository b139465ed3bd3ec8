"""Deployments and DaemonSets as Go programs write them that read them into types."""

from __future__ import annotations

import copy
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.workload_shapes import SHAPES
from gitops_ocm.objects.workload_values import as_workload, typed
from gitops_ocm.testing.objects import config_map, deployment


def workload(**pod: Any) -> Object:
    """A Deployment whose pod has these fields."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [], **pod}}},
    }


def pod_of(obj: Object) -> Any:
    """The pod of what Go would write."""
    found = as_workload(obj)
    assert found is not None
    return found["spec"]["template"]["spec"]


def test_the_whole_of_a_small_one() -> None:
    """What Go cannot leave out is there, with null for pointers and lists without a value; no defaults."""
    assert as_workload({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {
            "selector": None,
            "strategy": {},
            "template": {"metadata": {}, "spec": {"containers": None}},
        },
        "status": {},
    }


FIELDS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "unknown": ({"colour": "red"}, {}),
    "null": ({"nodeName": None, "tolerations": None}, {}),
    "empty": ({"nodeSelector": {}, "imagePullSecrets": [], "hostname": "", "hostNetwork": False}, {}),
    "pointers": ({"priority": 0, "hostUsers": False}, {"priority": 0, "hostUsers": False}),
    "null in a list": ({"tolerations": [None]}, {"tolerations": [{}]}),
    "null in a map": ({"nodeSelector": {"a": None}}, {"nodeSelector": {"a": ""}}),
    "a whole float": ({"priority": 3.0}, {"priority": 3}),
    "quantities": (
        {"overhead": {"cpu": 0.5, "memory": "1024Mi"}},
        {"overhead": {"cpu": "500m", "memory": "1Gi"}},
    ),
}


@pytest.mark.parametrize("case", FIELDS)
def test_fields_of_a_pod(case: str) -> None:
    """Each by its type."""
    given, expected = FIELDS[case]
    assert pod_of(workload(**given)) == {"containers": [], **expected}


UNREADABLE: Mapping[str, Mapping[str, Any]] = {
    "a number for text": {"hostname": 1},
    "text for a number": {"priority": "1"},
    "a fraction": {"priority": 1.5},
    "text for a boolean": {"hostNetwork": "true"},
    "a map for a list": {"tolerations": {}},
    "a list for a map": {"nodeSelector": []},
    "no quantity": {"overhead": {"cpu": "much"}},
    "a boolean for an integer": {"priority": True},
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_go_cannot_read(case: str) -> None:
    """Is no workload to it, so it is left as it is."""
    assert as_workload(workload(**UNREADABLE[case])) is None


@pytest.mark.parametrize("obj", [config_map("a"), {"kind": "Deployment", "apiVersion": "v1"}, {}], ids=str)
def test_what_is_no_workload(obj: Object) -> None:
    """Any other kind, and the same kind of another group."""
    assert as_workload(obj) is None


def test_the_given_object_is_not_changed() -> None:
    """And what was written once is written the same again."""
    obj = deployment("a")
    before = copy.deepcopy(obj)
    once = as_workload(obj)
    assert once is not None
    assert (obj, as_workload(once)) == (before, once)


def test_parts() -> None:
    """A part is written as it is in a whole."""
    assert typed({"limits": {"cpu": "0.1"}}, "ResourceRequirements") == {"limits": {"cpu": "100m"}}


def test_the_table_is_that_of_the_catalog() -> None:
    """Every field of both kinds as the packaged types have it: the table is made from them."""
    tool = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "workload_shapes.py"))
    assert tool["table"]() + "\n" == SHAPES
