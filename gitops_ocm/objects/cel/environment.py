"""The front door: which variables and functions an expression may name, and what comes of its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.cel import literals, pricing
from gitops_ocm.objects.cel.checker import TYPE_NAMES, check
from gitops_ocm.objects.cel.closures import Evaluate, Run
from gitops_ocm.objects.cel.declarations import Functions, kubernetes
from gitops_ocm.objects.cel.faults import CompileError, CostExceeded, EvalError, Issue
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.parser import TOO_DEEP, parse
from gitops_ocm.objects.cel.patience import OutOfPatience, current
from gitops_ocm.objects.cel.program import Implementations, Planner
from gitops_ocm.objects.cel.tree import Name, Node
from gitops_ocm.objects.cel.types import Type

CALL_LIMIT = 1_000_000
"""What one evaluation may cost on a Kubernetes server: about a tenth of a second there."""


@dataclass(frozen=True)
class Result:
    """What an evaluation came to: a value or an error, and what it cost."""

    value: Any
    error: str
    cost: int


@dataclass(frozen=True)
class Program:
    """An expression that may be evaluated."""

    type: Type
    names: frozenset[str]
    tree: Node = field(repr=False)
    evaluate: Evaluate = field(repr=False)

    def run(self, variables: Mapping[str, Any], limit: int = CALL_LIMIT) -> Result:
        """Evaluate it; one that costs more than it may is stopped."""
        patience = current()
        if patience is None:
            run = Run(variables, limit, None)
        else:
            run = Run(variables, min(limit, patience.units), patience.late)
        try:
            value = self.evaluate(run)
            run.charge(0)
        except CostExceeded as error:
            if run.limit < limit:
                raise OutOfPatience from None
            return Result(None, error.message, run.spent)
        except EvalError as error:
            return Result(None, error.message, run.spent)
        except RecursionError:
            return Result(None, "expression recursion limit exceeded", run.spent)
        return Result(value, "", run.spent)

    def most_cost(self, size_at: pricing.SizeAt) -> int:
        """The most it may cost, by the sizes that values may have."""
        return pricing.estimate(self.tree, size_at)


@dataclass(frozen=True)
class Environment:
    """Variables by their types, and functions: those of Kubernetes, unless others are named beside them.

    `strict` refuses constants that cannot be read, and lists of items of many types, before anything runs.
    """

    variables: Mapping[str, Type]
    functions: Functions = field(default_factory=kubernetes, repr=False)
    implementations: Implementations = field(default_factory=lambda: IMPLEMENTATIONS, repr=False)
    strict: bool = True

    def compile(self, text: str) -> Program:
        """The program for a text; raises `CompileError`."""
        return self.plan(self.check(text))

    def check(self, text: str) -> Node:
        """The tree of a text, with its types; raises `CompileError`."""
        if (patience := current()) is not None:
            patience.begin(text)
        try:
            tree = parse(text)
            if issues := check(tree, self.variables, self.functions) or [*self._literals(tree)]:
                raise CompileError(text, issues)
        except RecursionError as error:
            raise CompileError(text, [Issue(-1, TOO_DEEP)]) from error
        return tree

    def _literals(self, tree: Node) -> Iterable[Issue]:
        return literals.problems(tree) if self.strict else literals.format_problems(tree)

    def plan(self, tree: Node) -> Program:
        """The program for a tree that was checked."""
        planner = Planner(self.functions, self.implementations, TYPE_NAMES)
        names = frozenset(node.name.lstrip(".") for node in literals.walk(tree) if isinstance(node, Name))
        return Program(tree.type, names, tree, planner.plan(tree))
