"""CEL expressions of a predicate: compiled once, judged for each cluster.

An expression that fails while it runs, or costs more than it may, does not match, as OCM has it; one that
cannot be compiled makes the placement misconfigured. The variable is `managedCluster`, the cluster as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.functions import ScoreObject, implementations, no_scores
from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.placements import FUNCTIONS, VARIABLE, VARIABLES, checked_expression

BUDGET = 10_000_000
"""What all expressions of a selector may cost on one cluster."""


@dataclass(frozen=True)
class Expressions:
    """Expressions that all have to be true; `fixed`: of the cluster alone, whatever else there is."""

    texts: tuple[str, ...]
    programs: tuple[Program, ...]
    fixed: bool

    @classmethod
    def compile(cls, texts: Sequence[str], plugin: str, score_object: ScoreObject = no_scores) -> Expressions:
        """Read the expressions, which may look into what `score_object` finds; raises `Misconfigured`."""
        fixed = not any("scores" in text for text in texts)
        try:
            if fixed:
                programs = tuple(_planned(text) for text in texts)
            else:
                environment = _environment(score_object)
                programs = tuple(environment.plan(checked_expression(text)) for text in texts)
        except CompileError as fault:
            raise Misconfigured(plugin, f"compilation failed: {fault.message}") from fault
        return cls(tuple(texts), programs, fixed)

    def match(self, cluster: Mapping[str, Any]) -> bool:
        """Whether every expression is true of the cluster; one that fails or is no boolean is not."""
        return not any(self.refusals(cluster))

    def refusals(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """The first expression that is not true of a cluster, and why; those after it are not looked at."""
        status = {"conditions": None, "version": {}, **status_of(cluster)}
        seen, left = {VARIABLE: {**cluster, "status": status}}, BUDGET
        for text, program in zip(self.texts, self.programs, strict=True):
            result = program.run(seen)
            left -= result.cost
            if left < 0:
                yield f"expression {text}: all of them cost more than they may"
                return
            if result.value is not True:
                yield f"expression {text}: {result.error or 'it is not true'}"
                return


def _environment(score_object: ScoreObject = no_scores) -> Environment:
    return Environment(VARIABLES, FUNCTIONS, implementations(score_object), strict=False)


@lru_cache(maxsize=1024)
def _planned(text: str) -> Program:
    """The program of an expression that looks into no scores."""
    return _environment().plan(checked_expression(text))
