"""Files in which nothing was wrong need no second look, as long as nothing else that counts has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Diagnostic
from gitops_ocm.git.parsedfile import ParsedFile
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.runtime.build import build
from gitops_ocm.runtime.catalog import load_catalog

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n"
WRONG = GOOD.replace("name: a", "name: b") + "dada: {}\n"
WIDGET = (
    "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: default}\nspec: {size: 3}\n"
)


def widgets(size: str) -> str:
    """The definition of a kind whose size is of some type."""
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {{spec: {{type: object, properties: {{size: {{type: {size}}}}}}}}}
"""


def judged(files: Mapping[str, str], folder: Path | None, catalog: Catalog) -> tuple[Diagnostic, ...]:
    """What a process finds that keeps its verdicts in a folder, or nowhere."""
    kept = ParsedFile(folder / "verdicts", version=build()) if folder else None
    found = compile_tree(memory_tree(files), catalog, cache=BlobCache(verdicts=kept)).diagnostics
    if kept is not None:
        kept.save()
    return found


COMMITS: Mapping[str, Mapping[str, str]] = {
    "one of two is wrong": {"hub/a.yaml": GOOD, "hub/b.yaml": WRONG},
    "it is mended": {"hub/a.yaml": GOOD, "hub/b.yaml": WRONG.replace("dada", "data")},
    "a kind of its own": {"hub/a.yaml": GOOD, "hub/crd.yaml": widgets("integer"), "hub/w.yaml": WIDGET},
    "the kind has changed": {"hub/a.yaml": GOOD, "hub/crd.yaml": widgets("string"), "hub/w.yaml": WIDGET},
    "the kind is gone": {"hub/a.yaml": GOOD, "hub/w.yaml": WIDGET},
    "the same object twice": {"hub/a.yaml": GOOD, "hub/c.yaml": GOOD},
}


@pytest.mark.parametrize("second", COMMITS)
@pytest.mark.parametrize("first", COMMITS)
def test_what_was_judged_before_changes_no_verdict(tmp_path: Path, first: str, second: str) -> None:
    """Whatever an earlier process has judged, a later one finds what one finds that knows nothing."""
    catalog = load_catalog()
    judged(COMMITS[first], tmp_path, catalog)
    assert judged(COMMITS[second], tmp_path, catalog) == judged(COMMITS[second], None, catalog)


def test_what_was_judged_is_not_looked_at_again(tmp_path: Path) -> None:
    """A second process judges only what is new: with a catalog of no kinds, what was right still is."""
    judged({"hub/a.yaml": GOOD}, tmp_path, load_catalog())
    again = judged({"hub/a.yaml": GOOD, "hub/b.yaml": WRONG}, tmp_path, Catalog())
    assert {problem.where.path for problem in again} == {"hub/b.yaml"}


def test_another_build_judges_anew(tmp_path: Path) -> None:
    """What other rules found says nothing: verdicts of another build are as good as none."""
    other = ParsedFile(tmp_path / "verdicts", version=build() + 1)
    tree = memory_tree({"hub/a.yaml": GOOD})
    compile_tree(tree, load_catalog(), cache=BlobCache(verdicts=other))
    other.save()
    assert judged({"hub/a.yaml": GOOD}, tmp_path, Catalog())
