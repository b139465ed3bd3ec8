"""jq expressions of ignored fields: which fields they name, and which are not let through."""

from __future__ import annotations

import re

import pytest

from gitops_ocm.decide.agent.jq import BadExpression, jq_paths
from gitops_ocm.objects.paths import Step

OBJ = {
    "spec": {
        "left": 1,
        "containers": [{"name": "x", "image": "i"}, {"name": "y", "image": "j"}],
        "env": {"def": "a field may have any name"},
    }
}


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        (".spec.left", [["spec", "left"]]),
        ('.spec["left"]', [["spec", "left"]]),
        (".spec.left, .spec.none", [["spec", "none"], ["spec", "left"]]),
        (".spec.none[]?", []),
        (".spec.containers[1].image", [["spec", "containers", 1, "image"]]),
        (".spec.containers[]", [["spec", "containers", 1], ["spec", "containers", 0]]),
        ('.spec.containers[] | select(.name == "y") | .image', [["spec", "containers", 1, "image"]]),
        ('.spec.containers[] | select(.name | test("^x$"))', [["spec", "containers", 0]]),
        ('.. | select(.name? == "x") | .image', [["spec", "containers", 0, "image"]]),
        (".spec.env.def", [["spec", "env", "def"]]),
    ],
)
def test_fields(expression: str, paths: list[list[Step]]) -> None:
    """An expression names fields, later list items first, so that they can be taken out in turn."""
    assert jq_paths(expression, OBJ) == paths


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (".spec[", "failed to parse"),
        (".spec.left.deeper", "returned error"),
        ("1", "returned error"),
        ("repeat(.)", "uses 'repeat'"),
        ("def f: f; f", "uses 'def'"),
        ("[range(1e9)]", "uses 'range'"),
        ("env.HOME", "uses 'env'"),
        ("$ENV.HOME", "uses '$ENV'"),
        (".a) | input | (.b", "uses 'input'"),
        ('.["\\(env.HOME)"]', "does not name a field"),
        ("." + "a" * 5000, "too long"),
    ],
)
def test_refused(expression: str, told: str) -> None:
    """What is no jq, names no field, could run for ever or look elsewhere is refused before it is run."""
    with pytest.raises(BadExpression, match=re.escape(told)):
        jq_paths(expression, OBJ)
