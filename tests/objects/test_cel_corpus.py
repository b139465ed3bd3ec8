"""Six hundred rules of every kind, as kube-apiserver 1.35 compiles, prices and evaluates them.

`cel_corpus.json` has a schema, values of it, and for each rule why it is refused, or the most it may cost and
what it says of each value (`""`: it holds, `"false"`: it does not, else why nobody knows). The record is held
against servers, a real one among them, by `tests/hubs/test_cel.py`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.objects.cel import literals
from gitops_ocm.objects.cel.declared import declare
from gitops_ocm.objects.cel.environment import Environment
from gitops_ocm.objects.cel.faults import CompileError

CORPUS: dict[str, Any] = json.loads((Path(__file__).parent / "cel_corpus.json").read_text())
SELF = declare({"type": "object", "properties": CORPUS["fields"]})
assert SELF is not None
ENVIRONMENT = Environment({"self": SELF.type, "oldSelf": SELF.type})
BUG = "internal error: interface conversion"
"""A sort of what is an error ends in a fault of the server's own; here it is the error."""


def compiled(rule: str) -> dict[str, Any]:
    """What becomes of a rule, in the words of the record."""
    try:
        program = ENVIRONMENT.compile(rule)
    except CompileError as error:
        return {
            "rule": rule,
            "error": f"compilation failed: {re.sub('selfType[0-9]+', 'selfType', error.message)}",
        }
    if program.type.kind != "bool":
        return {"rule": rule, "error": "cel expression must evaluate to a bool"}
    if problem := literals.unfoldable(program.tree):
        return {"rule": rule, "error": f"program instantiation failed: {problem}"}
    assert SELF is not None
    found = [program.run({"self": SELF.value(v), "oldSelf": SELF.value(v)}) for v in CORPUS["values"]]
    results = [r.error or ("" if r.value is True else "false") for r in found]
    return {"rule": rule, "cost": program.most_cost(SELF.size_at), "results": results}


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["rule"])
def test_a_rule_is_what_it_is_on_a_real_server(case: dict[str, Any]) -> None:
    """The same faults at the same places, the same greatest cost, the same results and errors."""
    found, wanted = compiled(case["rule"]), case
    if "results" in case:
        pairs = zip(case["results"], found.get("results", ()), strict=True)
        wanted = {**case, "results": [_plain(was, now) for was, now in pairs]}
    assert found == wanted


def _plain(recorded: str, found: str) -> str:
    """A result without what the server says around it; where it stumbled, what was found."""
    if recorded.startswith(BUG):
        return found
    return "no such overload" if recorded.startswith("'no such overload'") else recorded
