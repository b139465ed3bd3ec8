"""Rollout strategies and references of add-ons and replica sets: what a commit alone can tell."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.rollouts import reference_findings, strategy_findings
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Severity
from gitops_ocm.runtime.catalog import load_catalog

CATALOG = load_catalog()
PLACEMENT = """\
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: edge, namespace: fleet}
spec:
  decisionStrategy:
    groupStrategy:
      decisionGroups: [{groupName: canary, groupClusterSelector: {}}]
"""
CONFIG = """\
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: AddOnDeploymentConfig
metadata: {name: settings, namespace: fleet}
spec: {}
"""
ADDON = """\
apiVersion: addon.open-cluster-management.io/v1alpha1
kind: ClusterManagementAddOn
metadata: {name: hello}
spec:
  installStrategy:
    type: Placements
    placements:
    - name: edge
      namespace: fleet
      rolloutStrategy:
"""
SET = """\
apiVersion: work.open-cluster-management.io/v1alpha1
kind: ManifestWorkReplicaSet
metadata: {name: web, namespace: fleet}
spec:
  manifestWorkTemplate: {workload: {manifests: [{apiVersion: v1, kind: Namespace, metadata: {name: x}}]}}
  placementRefs:
  - name: edge
    rolloutStrategy:
"""


def problems(*texts: str) -> list[tuple[str, int, str, Severity]]:
    """What is wrong with these files, the last of which is looked at: code, line, message, severity."""
    files = {f"hub/{at}.yaml": text for at, text in enumerate(texts)}
    found = compile_tree(memory_tree(files), CATALOG).diagnostics
    last = f"hub/{len(texts) - 1}.yaml"
    assert [d for d in found if d.where.path != last] == []
    return [(d.code, d.where.line, d.message, d.severity) for d in found]


STRATEGIES: Mapping[str, tuple[str, int, str, str]] = {
    "more than all": (
        ADDON + "        type: Progressive\n        progressive: {maxConcurrency: 150%}\n",
        12, "invalid-field", "maxConcurrency",
    ),
    "more failures than all": (
        SET + "      type: Progressive\n      progressive: {maxFailures: 101%}\n",
        10, "invalid-field", "maxFailures",
    ),
    "a number as text": (
        ADDON + '        type: Progressive\n        progressive:\n          maxConcurrency: "5"\n',
        13, "rollout-strategy", "maxConcurrency cannot be '5'",
    ),
    "a deadline that only begins well": (
        ADDON + "        type: All\n        all:\n          progressDeadline: 5m2\n",
        13, "rollout-strategy", "progressDeadline cannot be '5m2'",
    ),
    "a deadline that only ends well": (
        SET + "      type: All\n      all: {progressDeadline: xNone}\n",
        10, "rollout-strategy", "progressDeadline cannot be 'xNone'",
    ),
    "a soak without a unit": (
        ADDON + '        type: ProgressivePerGroup\n        progressivePerGroup: {minSuccessTime: "5"}\n',
        12, "rollout-strategy", "minSuccessTime cannot be '5'",
    ),
    "an unknown type": (ADDON + "        type: Slowly\n", 11, "invalid-field", "rolloutStrategy.type"),
}  # fmt: skip


@pytest.mark.parametrize("case", STRATEGIES)
def test_a_strategy_that_cannot_be_is_an_error_at_its_line(case: str) -> None:
    """Whether the definition sees it, or only who would roll out."""
    text, line, code, message = STRATEGIES[case]
    ((found_code, found_line, found_message, severity),) = problems(PLACEMENT, text)
    assert (found_code, found_line, severity) == (code, line, Severity.ERROR)
    assert message in found_message


GOOD = [
    "type: All",
    "type: All\n        all: {progressDeadline: 1h30m}",
    "type: Progressive\n        progressive: {maxConcurrency: 25%, minSuccessTime: 5m, maxFailures: 2}",
    "type: Progressive\n        progressive: {maxConcurrency: 7, progressDeadline: None}",
    "type: Progressive\n        progressive: {mandatoryDecisionGroups: [{groupName: canary}, {}]}",
    "{}",
]


@pytest.mark.parametrize("strategy", GOOD)
def test_what_can_be_is_no_problem(strategy: str) -> None:
    """The documentation's examples, and the defaults."""
    assert problems(PLACEMENT, ADDON + f"        {strategy}\n") == []


def test_options_of_another_type_say_nothing() -> None:
    """They are legal and without effect: a warning."""
    text = ADDON + "        type: All\n        progressive: {maxConcurrency: 1}\n"
    ((code, line, message, severity),) = problems(PLACEMENT, text)
    assert (code, line, severity) == ("rollout-strategy", 12, Severity.WARNING)
    assert message == "progressive says nothing where the type is All"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (ADDON + "        type: Progressive\n        progressive:\n"
                 "          mandatoryDecisionGroups:\n          - groupName: canery\n", 14),
        (SET + "      type: ProgressivePerGroup\n      progressivePerGroup:\n"
               "        mandatoryDecisionGroups: [{groupName: canery}]\n", 11),
    ],
)  # fmt: skip
def test_a_group_that_the_placement_does_not_have(text: str, line: int) -> None:
    """Where the placement is in the commit, a misspelt canary is an error; elsewhere nobody can tell."""
    ((code, at, message, severity),) = problems(PLACEMENT, text)
    assert (code, at, severity) == ("unknown-group", line, Severity.ERROR)
    assert message == "Placement fleet/edge has no decision group 'canery': nothing would go first"
    assert problems(text) == []


REFERENCES: Mapping[str, tuple[str, int]] = {
    "a placement": (ADDON.replace("name: edge", "name: egde") + "        type: All\n", 8),
    "a configuration of a placement": (
        ADDON + "        type: All\n      configs:\n      - group: addon.open-cluster-management.io\n"
        "        resource: addondeploymentconfigs\n        namespace: fleet\n        name: setings\n", 16,
    ),
    "a default": (
        ADDON + "        type: All\n  supportedConfigs:\n  - group: addon.open-cluster-management.io\n"
        "    resource: addondeploymentconfigs\n    defaultConfig: {namespace: fleet, name: setings}\n", 15,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFERENCES)
def test_a_name_with_a_slip_is_a_warning(case: str) -> None:
    """What the commit has under nearly that name was surely meant; any other name may be on the hub."""
    text, line = REFERENCES[case]
    ((code, at, message, severity),) = problems(PLACEMENT, CONFIG, text)
    assert (code, at, severity) == ("unknown-reference", line, Severity.WARNING)
    assert message.endswith("is not in this commit")
    assert problems(CONFIG.replace("settings", "unlike"), text) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["rolloutStrategy", "type", "progressive", "mandatoryDecisionGroups", "groupName", "configs", "name",
         "placements", "installStrategy", "spec", "supportedConfigs", "defaultConfig", "defaultConfigs"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(spec=_JSON)
@settings(derandomize=True, deadline=None)
def test_no_spec_is_too_odd_to_be_looked_at(spec: object) -> None:
    """Whatever is written where a mapping or a list should be: findings, never a failure."""
    obj = {"kind": "ClusterManagementAddOn", "metadata": {"name": "x"}, "spec": spec}
    assert isinstance([*strategy_findings(obj), *reference_findings(obj, {})], list)
