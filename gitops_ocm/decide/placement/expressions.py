"""CEL expressions of a predicate: compiled once, judged for each cluster.

An expression that fails while it runs does not match, as OCM has it; one that cannot be compiled, or
that names what there is not, makes the placement misconfigured. The variable is `managedCluster`, the
cluster as JSON. Optional syntax (`.?`, `[?`) is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.functions import NAMES, Function
from gitops_ocm.decide.writes import status_of
from gitops_ocm.objects.cel_engine import cel

VARIABLE = "managedCluster"
_LANGUAGE = re.compile(
    "bool|bytes|contains|double|duration|dyn|endsWith|has|int|matches|size|startsWith|string|timestamp|type|uint|"
    "get(Date|DayOf(Month|Week|Year)|FullYear|Hours|Milliseconds|Minutes|Month|Seconds)"
)
_TYPES = re.compile("bool|bytes|double|int|list|map|null_type|string|type|uint")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_BOUND = re.compile(r"\.(?:all|exists|exists_one|existsOne|map|filter)\(\s*(\w+)\s*,")


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
                program = cel.compile(text)
            except ValueError as fault:
                _, _, error = str(fault).partition("ERROR: ")
                shown = error.replace("\n|", "\n |") or fault
                raise Misconfigured(plugin, f"compilation failed: ERROR: {shown}") from fault
            if faults := [*_undeclared(text, program)]:
                raise Misconfigured(plugin, "compilation failed: " + "\n".join(faults))
            programs.append(program)
        return cls(tuple(programs))

    def match(self, cluster: Mapping[str, Any], functions: Mapping[str, Function]) -> bool:
        """Whether every expression is true of the cluster; one that fails or is no boolean is not."""
        if not self.programs:
            return True
        status = {"conditions": None, "version": {}, **status_of(cluster)}
        context = cel.Context(variables={VARIABLE: {**cluster, "status": status}}, functions=dict(functions))
        return all(_holds(program, context) for program in self.programs)


def _holds(program: Any, context: Any) -> bool:
    try:
        return program.execute(context) is True
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError):
        return False


def _undeclared(text: str, program: Any) -> Iterator[str]:
    """What an expression names that there is not, in cel-go's words and with its pointers."""
    masked = _STRING.sub(lambda literal: " " * len(literal[0]), text)
    bound = {VARIABLE, *_BOUND.findall(masked)}
    variables = [v for v in program.variables() if v not in bound and not _TYPES.fullmatch(v)]
    calls = [f for f in program.functions() if f.isidentifier() and f not in NAMES]
    calls = [f for f in calls if not _LANGUAGE.fullmatch(f)]
    places = [(_place(rf"(?<![.\w])({re.escape(name)})\b", masked), name) for name in variables]
    places += [(_place(rf"\b{re.escape(name)}\s*(\()", masked), name) for name in calls]
    for at, name in sorted(places):
        before = text[:at]
        line, column = before.count("\n"), at - (before.rfind("\n") + 1)
        shown, dots = text.split("\n")[line], "." * column
        where = f"<input>:{line + 1}:{column + 1}"
        yield f"ERROR: {where}: undeclared reference to '{name}' (in container '')\n | {shown}\n | {dots}^"


def _place(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return found.start(1) if found else 0
