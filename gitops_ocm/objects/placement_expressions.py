"""What can be wrong with the expressions of a Placement, and what these may call.

Most placements have none, and what reads expressions is large: whoever meets one imports this. The rest of a
Placement is `placements`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from gitops_ocm.objects.cel.declarations import Functions, declared, kubernetes
from gitops_ocm.objects.cel.environment import CALL_LIMIT, Environment
from gitops_ocm.objects.cel.faults import CompileError, EvalError
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.objects.cel.tree import Node
from gitops_ocm.objects.cel.types import DYN, STRING, Type, map_of

FUNCTIONS: Functions = {
    **kubernetes(),
    **declared(
        [
            "scores cluster_scores dyn.(string) list(dyn)",
            "parseJSON parse_json_string string.() dyn",
        ]
    ),
}
"""What expressions of placements may call: OCM's own functions beside those of Kubernetes."""
VARIABLE = "managedCluster"
VARIABLES: Mapping[str, Type] = {VARIABLE: map_of(STRING, DYN)}


@lru_cache(maxsize=1024)
def checked_expression(text: str) -> Node:
    """The tree of an expression over `managedCluster`; raises `CompileError`."""
    return Environment(VARIABLES, FUNCTIONS, strict=False).check(text)


LONGEST = 20_000
"""Characters of all expressions of a selector: each takes five millionths of a second to compile."""


def expressions_fault(texts: Sequence[str]) -> str:
    """What is wrong with the expressions of a selector beside what is wrong with each."""
    length = sum(map(len, texts))
    return f"{length} characters of expressions: at most {LONGEST} are allowed" if length > LONGEST else ""


def expression_fault(text: str) -> str:
    """What is wrong with an expression; `""` if it compiles."""
    try:
        checked_expression(text)
    except CompileError as fault:
        return f"compilation failed: {fault.message}"
    return ""


_BARE: Mapping[str, Any] = {"metadata": {"name": "cluster"}, "spec": {}, "status": {}}
_STEPS = 300_000


def _unknown(*_: Any) -> Any:
    raise EvalError("this is not known without a cluster")


_WITHOUT_CLUSTERS = {**IMPLEMENTATIONS, "cluster_scores": _unknown, "parse_json_string": _unknown}


@lru_cache(maxsize=1024)
def too_dear(text: str) -> bool:
    """Whether an expression that compiles costs more than it may even on a cluster of nothing but a name."""
    program = Environment(VARIABLES, FUNCTIONS, _WITHOUT_CLUSTERS, strict=False).plan(
        checked_expression(text)
    )
    steps = count()
    try:  # what takes so many steps that cost nothing is not known
        with hasty(Patience(lambda: next(steps) > _STEPS, CALL_LIMIT + 1)):
            return program.run({VARIABLE: _BARE}).cost > CALL_LIMIT
    except OutOfPatience:
        return False
