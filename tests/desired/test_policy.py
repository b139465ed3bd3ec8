"""The policy of `gitops-ocm.yaml`: what it may say, and what is said of what it may not, at file and line."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.layout import read_layout
from gitops_ocm.desired.policy import CHECKS
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Severity
from gitops_ocm.runtime.catalog import load_catalog

EVERYTHING = """\
policy:
  rules:
    - name: deletions
      maxDeletions: 10%
      message: Ask first.
    - name: at-once
      maxClustersAtOnce: 25%
    - name: losing
      maxClustersLosing: 3
    - name: sets
      maxClusterSets: 1
      overridable: false
    - name: keep
      protected:
        - kinds: [Namespace, ClusterRole.rbac.authorization.k8s.io]
          names: [prod-*]
        - namespaces: [fleet]
          selector: {matchLabels: {tier: gold}, matchExpressions: [{key: env, operator: Exists}]}
    - name: canary
      requiredRollout:
        placements: [fleet/prod-*]
        minSuccessTime: 10m
        mandatoryGroups: [canary]
        maxConcurrency: 25%
        maxFailures: 0
    - name: weekend
      freeze:
        from: Fri 17:00
        to: Mon 08:00
        timeZone: Europe/Berlin
        clusterSets: [production]
        kinds: [ManagedCluster]
    - name: no-latest
      expression: objects.all(o, !has(o.object) || o.kind != 'Secret')
      messageExpression: "'found in ' + objects[0].path"
"""


def test_every_rule_can_be_said() -> None:
    """One of each: all are read, each knows its line, and there is no check without an example here."""
    layout, problems = read_layout(EVERYTHING.encode(), "gitops-ocm.yaml", "c0ffee")
    assert problems == ()
    rules = layout.policy.rules
    lines = EVERYTHING.splitlines()
    for rule in rules:
        assert lines[rule.where.line - 1].endswith(f"name: {rule.name}")
    assert {said for rule in rules for said in rule.says} == set(CHECKS.values())


@pytest.mark.parametrize(
    ("rule", "line", "words", "hint"),
    [
        ("maxDeletion: 10%", 4, "unknown key 'policy.rules.0.maxDeletion'", 'did you mean "maxDeletions"?'),
        ("max_deletions: 10%", 4, "unknown key", 'did you mean "maxDeletions"?'),
        ("maxDeletions: 10.5%", 4, "must be a count, or a share like 25%", ""),
        ("maxDeletions: 101%", 4, "must be a count", ""),
        ("maxDeletions: true", 4, "must be a count", ""),
        ("maxDeletions: -1", 4, "must be a count", ""),
        ("maxClusterSets: 5%", 4, "should be a valid integer", ""),
        ("message: only words", 3, "it says nothing", ""),
        ("maxDeletions: 1\nmaxClusterSets: 1", 5, "it says maxDeletions and maxClusterSets", ""),
        ("protected: {kinds: [Secret]}", 4, "must be a list", ""),
        ("protected: []", 4, "it protects nothing", "every object"),
        ("protected:\n  - kind: [Secret]", 5, "unknown key", 'did you mean "kinds"?'),
        (
            "protected:\n  - kinds: [Secret]\n    selector: {matchLabel: {}}",
            6,
            "unknown key 'matchLabel'",
            "",
        ),
        ("protected:\n  - selector: {matchLabels: {a: 1}}", 5, "no label selector", ""),
        ("protected:\n  - selector: {matchExpressions: [{key: a, operator: In}]}", 5, "can't be empty", ""),
        ("requiredRollout: {placements: []}", 4, "at least 1 item", ""),
        ("requiredRollout: {placements: [web]}", 4, "'web' is no placement", "NAMESPACE/NAME"),
        ("requiredRollout:\n  placements: [a/b]\n  minSuccessTime: 5 min", 6, "not a duration", "5m"),
        ("freeze:\n  from: Fri 17:00\n  to: Mon 25:00", 6, "no time 25:00", "00:00 to 24:00"),
        ("freeze:\n  from: Fry 17:00\n  to: Mon 08:00", 5, "no day 'Fry'", "days are Mon"),
        ("freeze:\n  timezone: UTC", 5, "unknown key", 'did you mean "timeZone"?'),
        ("freeze:\n  timeZone: Berlin", 5, "no time zone 'Berlin'", "Europe/Berlin"),
        ("expression: objects.all(o, o.nam != '')", 4, "undefined field 'nam'", ""),
        ("expression: objcts.size() < 3", 4, "undeclared reference to 'objcts'", ""),
        ("expression: objects.size(", 4, "Syntax error", ""),
        ("expression: objects.size()", 4, "its type is int; it must be bool", ""),
        ("expression: objects.all(o, objects.all(p, p.name != o.name))", 4, "it may cost", ""),
        ("expression: 'true'\nmessageExpression: '1'", 5, "its type is int; it must be string", ""),
        ("maxDeletions: 1\nmessageExpression: '\"a\"'", 5, "it goes with an expression", ""),
    ],
)
def test_what_a_rule_cannot_say(rule: str, line: int, words: str, hint: str) -> None:
    """Each slip is one error at its own line and on one, with what was probably meant."""
    body = "".join(f"      {text}\n" for text in rule.splitlines())
    text = f"policy:\n  rules:\n    - name: first\n{body}"
    _, problems = read_layout(text.encode(), "gitops-ocm.yaml", "c0ffee")
    (problem,) = problems
    assert words in problem.message
    assert "\n" not in problem.message
    assert hint in problem.hint
    assert problem.severity is Severity.ERROR
    assert (problem.where.path, problem.where.line) == ("gitops-ocm.yaml", line)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a", "a"), "two rules named 'a'"),
        (("policy",), "the name of the rule about the policy itself"),
        (("Not-Good",), "should match pattern"),
    ],
)
def test_names_of_rules(names: tuple[str, ...], words: str) -> None:
    """A name is what a trailer overrides: it is one rule's, and can be written there."""
    rules = "".join(f"    - name: {name}\n      maxDeletions: 0\n" for name in names)
    _, problems = read_layout(f"policy:\n  rules:\n{rules}".encode(), "gitops-ocm.yaml", "c0ffee")
    (problem,) = problems
    assert words in problem.message


def test_a_commit_with_a_broken_policy_is_refused_as_a_whole() -> None:
    """A policy that cannot be read is an error of the commit, as any other."""
    text = dedent(
        """\
        policy:
          rules:
            - name: few
              maxDeletion: 3
        """
    )
    state = compile_tree(memory_tree({"gitops-ocm.yaml": text}), load_catalog())
    assert not state.ok
    assert [d.where.line for d in state.diagnostics] == [4]


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("Namespce", 'did you mean "Namespace"?'), ("Role.example.com", 'did you mean "Role"?'), ("Secret", "")],
)
def test_a_rule_about_a_kind_that_nobody_knows_is_warned_of(kind: str, hint: str) -> None:
    """A misspelt kind protects nothing: that is said, and stops no commit, for a kind may come later."""
    text = f"policy:\n  rules:\n    - name: keep\n      protected: [{{kinds: [{kind}]}}]\n"
    state = compile_tree(memory_tree({"gitops-ocm.yaml": text}), load_catalog())
    assert state.ok
    found = [(d.code, d.where.line, d.hint) for d in state.diagnostics]
    assert found == ([("policy-kind", 3, hint)] if hint else [])


def test_the_examples_are_policies() -> None:
    """What README and the template show can be read as it stands."""
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text()
    start = readme.index("policy:\n  rules:")
    template = (root / "repo-template/gitops-ocm.yaml").read_text()
    commented = template[template.index("# policy:") :].replace("\n# ", "\n").removeprefix("# ")
    for text in (readme[start : readme.index("```", start)], commented):
        layout, problems = read_layout(text.encode(), "gitops-ocm.yaml", "c0ffee")
        assert problems == ()
        assert {said for rule in layout.policy.rules for said in rule.says} == set(CHECKS.values())
