"""CEL expressions of a predicate: compiled once, judged for each cluster.

An expression that fails while it runs does not match, as OCM has it; one that cannot be compiled makes
the placement misconfigured. The variable is `managedCluster`, the cluster as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cel

from gitops_ocm.decide.placement.faults import Misconfigured


@dataclass(frozen=True)
class Expressions:
    """Expressions that all have to be true."""

    programs: tuple[Any, ...]

    @classmethod
    def compile(cls, texts: Sequence[str], plugin: str) -> Expressions:
        """Read the expressions; raises `Misconfigured`."""
        programs = []
        for text in texts:
            try:
                programs.append(cel.compile(text))
            except ValueError as fault:
                _, _, error = str(fault).partition("ERROR: ")
                raise Misconfigured(plugin, f"compilation failed: ERROR: {error or fault}") from fault
        return cls(tuple(programs))

    def match(self, cluster: Mapping[str, Any]) -> bool:
        """Whether every expression is true of the cluster; one that fails or is no boolean is not."""
        return all(_holds(program, cluster) for program in self.programs)


def _holds(program: Any, cluster: Mapping[str, Any]) -> bool:
    try:
        return program.execute({"managedCluster": dict(cluster)}) is True
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError):
        return False
