"""CEL expressions of a predicate: compiled once, judged for each cluster.

An expression that fails while it runs, or costs more than it may, does not match, as OCM has it; one that
cannot be compiled makes the placement misconfigured. The variable is `managedCluster`, the cluster as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.functions import FUNCTIONS, ScoreObject, implementations, no_scores
from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.cel.environment import Environment, Program
from gitops_ocm.objects.cel.faults import CompileError
from gitops_ocm.objects.cel.tree import Node
from gitops_ocm.objects.cel.types import DYN, STRING, map_of

VARIABLE = "managedCluster"
BUDGET = 10_000_000
"""What all expressions of a selector may cost on one cluster."""
_VARIABLES = {VARIABLE: map_of(STRING, DYN)}


@dataclass(frozen=True)
class Expressions:
    """Expressions that all have to be true."""

    programs: tuple[Program, ...]

    @classmethod
    def compile(cls, texts: Sequence[str], plugin: str, score_object: ScoreObject = no_scores) -> Expressions:
        """Read the expressions, which may look into what `score_object` finds; raises `Misconfigured`."""
        environment = Environment(_VARIABLES, FUNCTIONS, implementations(score_object), strict=False)
        try:
            return cls(tuple(environment.plan(_checked(text)) for text in texts))
        except CompileError as fault:
            raise Misconfigured(plugin, f"compilation failed: {fault.message}") from fault

    def match(self, cluster: Mapping[str, Any]) -> bool:
        """Whether every expression is true of the cluster; one that fails or is no boolean is not."""
        if not self.programs:
            return True
        status = {"conditions": None, "version": {}, **status_of(cluster)}
        seen, left = {VARIABLE: {**cluster, "status": status}}, BUDGET
        for program in self.programs:
            result = program.run(seen)
            left -= result.cost
            if result.value is not True or left < 0:
                return False
        return True


@lru_cache(maxsize=1024)
def _checked(text: str) -> Node:
    """The tree of an expression: the same for whatever scores it will look into."""
    return Environment(_VARIABLES, FUNCTIONS, strict=False).check(text)
