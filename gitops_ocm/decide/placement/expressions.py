"""CEL expressions of a predicate: compiled once, judged for each cluster.

An expression that fails while it runs, or costs more than it may, does not match, as OCM has it; one that
cannot be compiled makes the placement misconfigured. The variable is `managedCluster`, the cluster as JSON.
What was judged is kept in `judging`, which also says what all clusters together may cost.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.functions import implementations
from gitops_ocm.decide.placement.judging import ONE_BUDGET, Verdict
from gitops_ocm.decide.placement.phases import EXPRESSIONS, phase
from gitops_ocm.decide.placement.score_source import NO_SCORES, Scores
from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.cel.environment import CALL_LIMIT, Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.placement_expressions import (
    FUNCTIONS,
    VARIABLE,
    VARIABLES,
    checked_expression,
    expressions_fault,
)


@dataclass(frozen=True)
class Expressions:
    """Expressions that all have to be true, a `judging.Judge`. `fixed`: they ask for no scores."""

    texts: tuple[str, ...]
    programs: tuple[Program, ...]
    fixed: bool
    scores: Scores = NO_SCORES

    @classmethod
    def compile(cls, texts: Sequence[str], plugin: str, scores: Scores = NO_SCORES) -> Expressions:
        """Read the expressions, which may look into `scores`; raises `Misconfigured`."""
        if wrong := expressions_fault(texts):
            raise Misconfigured(plugin, wrong)
        fixed = not any("scores" in text for text in texts)
        try:
            if fixed:
                programs = tuple(_planned(text) for text in texts)
            else:
                environment = _environment(scores)
                programs = tuple(environment.plan(checked_expression(text)) for text in texts)
        except CompileError as fault:
            raise Misconfigured(plugin, f"compilation failed: {fault.message}") from fault
        return cls(tuple(texts), programs, fixed, NO_SCORES if fixed else scores)

    @property
    def key(self) -> Hashable:
        """What their answers follow from, beside the cluster."""
        return self.texts, self.scores

    def changed_since(self, mark: int) -> tuple[Iterable[str], int]:
        """The clusters whose scores have changed."""
        return self.scores.changed_since(mark)

    def match(self, cluster: Mapping[str, Any]) -> bool:
        """Whether every expression is true of the cluster; one that fails or is no boolean is not."""
        return self.judge(cluster).true

    def judge(self, cluster: Mapping[str, Any]) -> Verdict:
        """Whether they are all true, and what it cost to know."""
        with phase(EXPRESSIONS):
            refused, cost, excess = self._judged(cluster)
        return Verdict(not refused, cost, refused if excess else "")

    def refusals(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """The first expression that is not true of a cluster, and why; those after it are not looked at."""
        if refused := self._judged(cluster)[0]:
            yield refused

    def _judged(self, cluster: Mapping[str, Any]) -> tuple[str, int, bool]:
        """Why they are not all true, what it cost, and whether it was that which was too much."""
        status = {"conditions": None, "version": {}, **status_of(cluster)}
        seen, spent = {VARIABLE: {**cluster, "status": status}}, 0
        for text, program in zip(self.texts, self.programs, strict=True):
            result = program.run(seen)
            spent += result.cost
            if spent > ONE_BUDGET:
                return f"expression {text}: all of them cost more than they may", spent, True
            if result.value is not True:
                excess = result.cost > CALL_LIMIT
                return f"expression {text}: {result.error or 'it is not true'}", spent, excess
        return "", spent, False


def _environment(scores: Scores = NO_SCORES) -> Environment:
    return Environment(VARIABLES, FUNCTIONS, implementations(scores), strict=False)


@lru_cache(maxsize=1024)
def _planned(text: str) -> Program:
    """The program of an expression that looks into no scores."""
    return _environment().plan(checked_expression(text))
