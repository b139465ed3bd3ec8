"""Values of the wrong shape, as an empty variable or a missing indent makes them: named at their line."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
TEMPLATE = Path(str(files("gitops_ocm"))).parent / "repo-template"
SHAPES: tuple[Any, ...] = (None, 7, 1.5, True, "", "x", [], [None], {}, {"a": None})
META = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n"
PLACEMENT = """\
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: web, namespace: default}
spec:
  predicates:
  - requiredClusterSelector:
      labelSelector:
"""


def found(text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with one file."""
    return compile_tree(memory_tree({"hub/a.yaml": text}), CATALOG).diagnostics


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (META + "  labels:\n    env:\n", 7, "metadata.labels.env"),
        (META + "  annotations: {note: }\n", 6, "metadata.annotations.note"),
        (META + "  finalizers:\n  -\n", 7, "metadata.finalizers[0]"),
        (META + "data:\n  url:\n", 7, "data.url"),
        (PLACEMENT + "        matchLabels:\n          env:\n", 9, "matchLabels.env"),
    ],
)
def test_a_value_that_was_left_empty_is_refused(text: str, line: int, field: str) -> None:
    """A template with an empty variable leaves a key without a value: refused at its line, as by kubectl."""
    (problem,) = found(text)
    assert (problem.code, problem.where.line) == ("wrong-type", line)
    assert f"{field}: must be text, and nothing is given" in problem.message
    assert problem.hint


@pytest.mark.parametrize("text", [META + "  labels:\n", META + "data:\n", META + "  labels: {env: ''}\n"])
def test_a_field_that_was_left_empty_is_absent(text: str) -> None:
    """A field of the kind itself without a value is as if it were not written, and "" is a value."""
    assert found(text) == ()


@cache
def template() -> tuple[Object, ...]:
    """Every object of the template for repositories."""
    found = sorted(TEMPLATE.glob("[!.]*/**/*.yaml"))
    tree = memory_tree({path.relative_to(TEMPLATE).as_posix(): path.read_bytes() for path in found})
    return tuple(wanted.obj for wanted in compile_tree(tree, CATALOG).objects)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path in a value but its root."""
    if isinstance(value, Mapping):
        items: Iterable[tuple[str | int, Any]] = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, under in items:
        yield (*at, key)
        yield from places(under, (*at, key))


def with_value(obj: Object, at: tuple[str | int, ...], value: Any) -> Object:
    """A copy with another value at a path."""
    changed: Any = copy.deepcopy(obj)
    node = changed
    for key in at[:-1]:
        node = node[key]
    node[at[-1]] = value
    return dict(changed)


@pytest.mark.parametrize("number", range(len(template())))
def test_any_value_of_any_shape(number: int) -> None:
    """Whatever one value of an object of the template is turned into, each problem has a file and a line."""
    obj = template()[number]
    for at in places(obj):
        for shape in SHAPES:
            for problem in found(orjson.dumps(with_value(obj, at, shape)).decode()):
                assert (problem.where.path, problem.where.line) == ("hub/a.yaml", 1)
                assert problem.message
