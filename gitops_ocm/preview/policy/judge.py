"""The front door: every rule of the policy in force, asked about a change.

    found = judged(found, base, head, overrides)

The policy of the *base* commit judges: a change cannot loosen the rules that judge it. What it does to the
policy itself is a ruling of its own, which refuses where anything is loosened. Of a broken change, which is
refused anyway, nothing else is said. The same functions judge before a merge, for the preview, and after it,
for the sync.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.desired.policy import PolicySection, Rule
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.preview.model import Preview, Ruling, Verdict
from gitops_ocm.preview.policy import budgets
from gitops_ocm.preview.policy.case import Case, Finding
from gitops_ocm.preview.policy.freezes import freezes
from gitops_ocm.preview.policy.loosening import of_policy
from gitops_ocm.preview.policy.overrides import Override, chosen, problems
from gitops_ocm.preview.policy.protections import protections
from gitops_ocm.preview.policy.rollouts import required_rollouts

_OF_THE_FILE = ("layout-", "policy-invalid", "yaml-", "file-")


def judged(
    found: Preview, base: DesiredState, head: DesiredState, overrides: Sequence[Override] = ()
) -> Preview:
    """The preview with what the policy says of it. `overrides` are newest first."""
    if not head.ok:
        return found
    policy, noted = in_force(base, head)
    case = Case(found, base, head)
    rulings = tuple(_rulings(policy, case, overrides))
    known = {rule.name for rule in policy.rules}
    told = problems(overrides, known) if known or rulings else ()
    return replace(found, rulings=rulings, diagnostics=(*found.diagnostics, *noted, *told))


def in_force(base: DesiredState, head: DesiredState) -> tuple[PolicySection, tuple[Diagnostic, ...]]:
    """The policy that judges, and what is to be said about that.

    A base that cannot be read has none. Such a commit was never in force, so the sync judges by an earlier
    one; before a merge the change's own policy is the best there is.
    """
    broken = [d for d in base.diagnostics if d.severity is Severity.ERROR and d.code.startswith(_OF_THE_FILE)]
    if not base.layout.policy.rules and broken and head.layout.policy.rules:
        why = "the policy of the base commit cannot be read: the change is judged by its own"
        noted = Diagnostic("policy-of-base", why, broken[0].where, severity=Severity.WARNING)
        return head.layout.policy, (noted,)
    return base.layout.policy, ()


def _rulings(policy: PolicySection, case: Case, overrides: Sequence[Override]) -> Iterator[Ruling]:
    for rule in policy.rules:
        yield _overridden(_ruling(rule, case), overrides, overridable=rule.overridable)
    own = of_policy(policy, case.head.layout.policy)
    if own is not None:
        yield _overridden(own, overrides)


def _ruling(rule: Rule, case: Case) -> Ruling:
    found = _finding(rule, case)
    if found.passes:
        return Ruling(rule.name, Verdict.ALLOWED, found.message, rule.where)
    text = f"{found.message}. {rule.message}" if rule.message else found.message
    return Ruling(rule.name, Verdict.REFUSED, text, rule.where, until=found.until)


def _finding(rule: Rule, case: Case) -> Finding:
    for limit, ask in (
        (rule.max_deletions, budgets.deletions),
        (rule.max_clusters_at_once, budgets.at_once),
        (rule.max_clusters_losing, budgets.losing),
    ):
        if limit is not None:
            return ask(limit, case)
    if rule.max_cluster_sets is not None:
        return budgets.cluster_sets(rule.max_cluster_sets, case)
    if rule.protected is not None:
        return protections(rule.protected, case)
    if rule.required_rollout is not None:
        return required_rollouts(rule.required_rollout, case)
    if rule.freeze is not None:
        return freezes(rule.freeze, case)
    assert rule.expression is not None
    # A policy without expressions needs no CEL, which takes time to load.
    from gitops_ocm.preview.policy.expressions import expressions

    return expressions(rule.expression, rule.message_expression, case)


def _overridden(ruling: Ruling, overrides: Sequence[Override], *, overridable: bool = True) -> Ruling:
    """The ruling as a commit's trailer leaves it."""
    override = chosen(ruling.rule, overrides) if ruling.verdict is Verdict.REFUSED else None
    if override is None:
        return ruling
    if not overridable:
        text = f"{ruling.message} (the rule cannot be overridden, though commit {override.commit[:12]} would)"
        return replace(ruling, message=text)
    return replace(ruling, verdict=Verdict.OVERRIDDEN, override=override.reason, by=override.commit)
