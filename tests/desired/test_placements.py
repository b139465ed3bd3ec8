"""Placements that the scheduler would call misconfigured are refused at their line, in its words."""

from __future__ import annotations

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Severity
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
HEAD = """\
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: web, namespace: fleet}
spec:
"""
REFUSED = [
    (
        (
            "  predicates:\n  - requiredClusterSelector: {}\n  - requiredClusterSelector:\n"
            "      labelSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}\n"
        ),
        8,
        '"Gt" is not a valid label selector operator',
    ),
    (
        (
            "  predicates:\n  - requiredClusterSelector:\n"
            "      claimSelector: {matchExpressions: [{key: a, operator: In}]}\n"
        ),
        7,
        "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
    ),
    (
        (
            "  predicates:\n  - requiredClusterSelector:\n      celSelector:\n        celExpressions:\n"
            "        - managedCluster.metadata.name == 'a'\n        - foo\n"
        ),
        10,
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')",
    ),
    (
        "  tolerations:\n  - {key: a, operator: Exists, value: b}\n",
        6,
        "If the operator is Exists, the value should be empty.",
    ),
    ("  tolerations:\n  - {value: b}\n", 6, "If the key is empty, operator must be Exists."),
    ("  prioritizerPolicy:\n    mode: Best\n", 6, "incorrect prioritizer policy mode: Best"),
    (
        (
            "  prioritizerPolicy:\n    configurations:\n    - scoreCoordinate: {builtIn: Steady}\n"
            "    - scoreCoordinate: {builtIn: Spread}\n"
        ),
        8,
        "incorrect builtin prioritizer: Spread",
    ),
    (
        "  prioritizerPolicy:\n    configurations:\n    - scoreCoordinate: {type: AddOn}\n",
        7,
        "addOn should not be empty",
    ),
    (
        "  decisionStrategy:\n    groupStrategy:\n      clustersPerDecisionGroup: '5'\n",
        7,
        "5 invalid type: string is not a percentage",
    ),
    (
        (
            "  decisionStrategy:\n    groupStrategy:\n      decisionGroups:\n      - groupName: canary\n"
            "        groupClusterSelector:\n"
            "          labelSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}\n"
        ),
        10,
        'values: Invalid value: ["x"]: values set must be empty for exists and does not exist',
    ),
    ("  numberOfClusters: -1\n", 5, "numberOfClusters must not be negative: -1"),
]


@pytest.mark.parametrize(("spec", "line", "message"), REFUSED)
def test_a_misconfigured_placement_is_refused_at_its_line(spec: str, line: int, message: str) -> None:
    """Each mistake that would empty all decisions is an error with the scheduler's own text."""
    found = compile_tree(memory_tree({"hub/p.yaml": HEAD + spec}), CATALOG).diagnostics
    assert [(d.code, d.where.line, d.message) for d in found] == [("placement-misconfigured", line, message)]


STEADY = """\
  prioritizerPolicy:
    configurations:
      - scoreCoordinate: {{builtIn: Steady}}
        weight: {weight}
"""


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        (STEADY.format(weight=-1) + "  numberOfClusters: 1\n", [("placement-restless", 8)]),
        (STEADY.format(weight=-1), []),
        (STEADY.format(weight=0) + "  numberOfClusters: 1\n", []),
        (STEADY.format(weight=3) + "  numberOfClusters: 1\n", []),
        (STEADY.format(weight=-1).replace("Steady", "Balance") + "  numberOfClusters: 1\n", []),
    ],
)
def test_a_placement_that_never_rests_is_refused(spec: str, codes: list[tuple[str, int]]) -> None:
    """One of some clusters that would rather have others is an error at the weight; others are left to it."""
    found = compile_tree(memory_tree({"hub/p.yaml": HEAD + spec}), CATALOG).diagnostics
    assert [(d.code, d.where.line) for d in found if d.severity is Severity.ERROR] == codes


@pytest.mark.parametrize(("length", "codes"), [(63, []), (64, ["placement-name-too-long"])])
def test_a_name_has_to_fit_into_a_label(length: int, codes: list[str]) -> None:
    """Decisions name their placement in a label: with a longer name none could be written."""
    text = HEAD.replace("web", "w" * length) + "  {}\n"
    found = compile_tree(memory_tree({"hub/p.yaml": text}), CATALOG).diagnostics
    assert [d.code for d in found] == codes


BINDING = """\
apiVersion: cluster.open-cluster-management.io/v1beta2
kind: ManagedClusterSetBinding
metadata: {name: prod, namespace: fleet}
spec: {clusterSet: prod}
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"b.yaml": BINDING}, [("cluster-set-not-bound", 5, Severity.WARNING)]),
        ({"b.yaml": BINDING, "c.yaml": BINDING.replace("prod", "test")}, []),
        ({"b.yaml": BINDING, "c.yaml": BINDING.replace("prod", "test").replace("fleet", "other")},
         [("cluster-set-not-bound", 5, Severity.WARNING)]),
        ({}, []),
    ],
)  # fmt: skip
def test_a_set_that_nothing_binds(files: dict[str, str], expected: list[tuple[str, int, Severity]]) -> None:
    """It is warned of where the commit binds sets at all, and not where that is left to others."""
    text = HEAD + "  clusterSets: [prod, test]\n"
    tree = memory_tree({"hub/p.yaml": text, **{f"hub/{name}": body for name, body in files.items()}})
    found = compile_tree(tree, CATALOG).diagnostics
    assert [(d.code, d.where.line, d.severity) for d in found] == expected


ACCEPTED = [
    "  {}\n",
    "  prioritizerPolicy:\n    configurations:\n    - {scoreCoordinate: {builtIn: Spread}, weight: 0}\n",
    "  tolerations: [{operator: Exists}, {key: a, value: b, tolerationSeconds: 0}]\n",
    "  decisionStrategy: {groupStrategy: {clustersPerDecisionGroup: 7%}}\n",
    (
        "  predicates:\n  - requiredClusterSelector:\n      celSelector:\n        celExpressions:\n"
        "        - managedCluster.scores('usage').exists(s, s.value > 5)\n"
    ),
]


@pytest.mark.parametrize("spec", ACCEPTED)
def test_what_the_scheduler_understands_is_accepted(spec: str) -> None:
    """A weight of 0 is not looked at, and all functions of OCM may be called."""
    assert not compile_tree(memory_tree({"hub/p.yaml": HEAD + spec}), CATALOG).diagnostics
