"""Where objects and their fields are written, on either side of a change."""

from __future__ import annotations

import pytest

from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.paths import Step
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.model import NOWHERE
from gitops_ocm.preview.origins import MOST, Origins, Side
from gitops_ocm.runtime.catalog import load_catalog

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: fleet\n"
PAGE = f"""\
{NAMESPACE}---
# A comment, and a document whose lines are counted from the file's begin.
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  namespace: fleet
  labels: {{x: "1", y: "2"}}
data:
  k: v
  long.name/with: w
"""
LISTED = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: s, namespace: fleet}
imagePullSecrets:
- name: one
- name: two
"""
A, S = Ref("", "ConfigMap", "fleet", "a"), Ref("", "ServiceAccount", "fleet", "s")


def state(files: dict[str, str], commit: str) -> DesiredState:
    """What these files mean."""
    found = compile_tree(memory_tree(files, commit=commit), load_catalog())
    assert found.ok, [str(d) for d in found.diagnostics]
    return found


@pytest.mark.parametrize(
    ("ref", "path", "line", "column"),
    [
        (A, (), 7, None),
        (A, ("data", "k"), 14, 3),
        (A, ("data", "long.name/with"), 15, 3),
        (A, ("metadata", "labels", "y"), 12, None),
        (A, ("data",), 13, 1),
        (A, ("data", "absent"), 13, 1),
        (A, ("spec", "deep", 3, "er"), 7, None),
        (S, ("imagePullSecrets", 1, "name"), 6, 3),
        (S, ("imagePullSecrets", 7), 4, 1),
    ],
)
def test_where_a_field_is(ref: Ref, path: tuple[Step, ...], line: int, column: int | None) -> None:
    """Its own line and column; of one that is not there, of the part of its path that is."""
    found = Side(state({"hub/a.yaml": PAGE, "hub/s.yaml": LISTED}, "c0ffee")).of(ref, *path)
    assert (found.path, found.commit) == ("hub/a.yaml" if ref is A else "hub/s.yaml", "c0ffee")
    assert found.line == line
    assert column is None or found.column == column


def test_what_git_does_not_have_is_nowhere() -> None:
    """Neither an object nor a field of it."""
    side = Side(state({"hub/a.yaml": PAGE}, "c"))
    for path in ((), ("data", "k")):
        assert side.of(Ref("", "ConfigMap", "fleet", "other"), *path) == NOWHERE


def test_a_file_with_a_byte_order_mark_and_windows_lines() -> None:
    """Lines are counted as an editor does."""
    text = "\ufeff" + PAGE.replace("\n", "\r\n")
    assert Side(state({"hub/a.yaml": text}, "c")).of(A, "data", "k").line == 14


def test_which_side() -> None:
    """What the head has is where the head has it; what it has no more, where the base had it."""
    base = state({"hub/a.yaml": PAGE, "hub/s.yaml": LISTED}, "base")
    head = state({"hub/moved/a.yaml": f"# One more line.\n{PAGE}"}, "head")
    origins = Origins(base, head)
    assert str(origins.of(A, "data", "k")) == "hub/moved/a.yaml:15@head"
    assert str(origins.of(S, "imagePullSecrets")) == "hub/s.yaml:4@base"
    assert origins.base.of(A, "data", "k").path == "hub/a.yaml"
    assert [ref in origins for ref in (A, S, Ref("", "ConfigMap", "fleet", "x"))] == [True, True, False]


def test_so_many_fields_are_looked_up() -> None:
    """Of all others the line of their object is told; what was found once is not looked up again."""
    keys = [f"k{number:03d}" for number in range(MOST + 5)]
    many = PAGE + "".join(f"  {key}: v\n" for key in keys)
    side = Side(state({"hub/a.yaml": many}, "c"))
    lines = [side.of(A, "data", key).line for key in keys]
    assert lines[:MOST] == list(range(16, 16 + MOST))
    assert set(lines[MOST:]) == {side.of(A).line}
    assert side.of(A, "data", keys[0]).line == 16
