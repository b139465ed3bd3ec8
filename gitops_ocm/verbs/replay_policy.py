"""What another commit's policy says of a change of the past: what a new rule would have refused, or let pass.

The change, the fleet and the moment are those of `replay`; only whose rules are asked differs. That the
change may have touched the policy itself is left aside: it is held to rules that it did not write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.desired.layout import DEFAULT, FILE_NAME, read_layout
from gitops_ocm.desired.policy import OWN_RULE, PolicySection
from gitops_ocm.errors import DiagnosticsError, Location, Severity
from gitops_ocm.git.clone import Clone
from gitops_ocm.preview.model import NOWHERE, Ruling, Verdict
from gitops_ocm.preview.policy.judge import judged
from gitops_ocm.preview.policy.overrides import TRAILER, read_overrides
from gitops_ocm.verbs.preview import Reviewed

ON_DISK = "."


@dataclass(frozen=True)
class Otherwise:
    """One rule that decides otherwise: `then` is what the policy in force said, `now` what the other says.

    `""` stands for a rule that is not there; `why` and `where` are of whichever refuses or would have.
    """

    rule: str
    then: str
    now: str
    why: str = ""
    where: Location = NOWHERE


@dataclass(frozen=True)
class Judged:
    """The commit whose policy was asked (`""`: what is on disk), and where it decides otherwise."""

    commit: str
    differences: tuple[Otherwise, ...]


def judged_by(clone: Clone, revision: str, path: str, found: Reviewed) -> Judged:
    """What the policy of a revision says of a change that was reviewed, against what its own said."""
    commit = "" if revision == ON_DISK else clone.resolve(revision)
    policy = _policy(clone, commit, path)
    base, head = (_under(policy, state) for state in (found.inputs.base, found.inputs.head))
    overrides = read_overrides(clone.trailers(TRAILER, base.commit, head.commit))
    other = judged(replace(found.preview, rulings=()), base, head, overrides)
    return Judged(commit, tuple(_differences(found.preview.rulings, other.rulings)))


def _policy(clone: Clone, commit: str, path: str) -> PolicySection:
    tree = clone.tree_at(commit) if commit else clone.work_tree()
    name = "/".join(part for part in (path.strip("./"), FILE_NAME) if part)
    if name not in tree.entries:
        return DEFAULT.policy
    layout, problems = read_layout(tree.read(name), name, commit)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise DiagnosticsError(f"the policy of {commit[:12] or 'what is on disk'} cannot be read", problems)
    return layout.policy


def _under(policy: PolicySection, state: DesiredState) -> DesiredState:
    return replace(state, layout=state.layout.model_copy(update={"policy": policy}))


def _differences(then: Iterable[Ruling], now: Iterable[Ruling]) -> Iterator[Otherwise]:
    before = {ruling.rule: ruling for ruling in then if ruling.rule != OWN_RULE}
    after = {ruling.rule: ruling for ruling in now if ruling.rule != OWN_RULE}
    for rule in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(rule), after.get(rule)
        strict = [one for one in (new, old) if one is not None and one.verdict is not Verdict.ALLOWED]
        was, would = (one.verdict.value if one else "" for one in (old, new))
        if strict and was != would:
            yield Otherwise(rule, was, would, strict[0].message, strict[0].where)
