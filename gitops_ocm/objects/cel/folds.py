"""How folds are evaluated: each macro as the loop it stands for, priced as what it is written out as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.functions_lists import inserted
from gitops_ocm.objects.cel.tree import Fold, Node
from gitops_ocm.objects.cel.values import NO_OVERLOAD, Struct, is_list, is_map

if TYPE_CHECKING:
    from gitops_ocm.objects.cel.closures import Evaluate, Run

_ABSENT = object()


def planned(node: Fold, plan: Callable[[Node], Evaluate]) -> Evaluate:
    """The closure for a fold."""
    if node.macro == "bind":
        return _bound(node.accu, plan(node.init), plan(node.result))
    over = _loop(plan(node.range), node.names)
    parts = [plan(part) for part in node.parts]
    match node.macro:
        case "all" | "exists":
            return _any(over, parts[0], node.macro == "exists")
        case "exists_one":
            return _one(over, parts[0])
        case "list":
            return _list(over, *parts)
    return _map(over, node.macro == "entries", node.names[0], *parts)


Step = Callable[[], bool]
"""What is done for each item; true ends the loop."""
Loop = Callable[["Run", Step], None]


def _loop(over: Evaluate, names: Sequence[str]) -> Loop:
    """Goes over a list or map, its variables set for each step and in the end put back as they were."""

    def loop(run: Run, step: Step) -> None:
        held = over(run)
        variables = run.variables
        before = [(name, variables.get(name, _ABSENT)) for name in names]
        try:
            for values in _pairs(held, len(names)):
                variables.update(zip(names, values, strict=True))
                if step():
                    return
        finally:
            for name, value in before:
                if value is _ABSENT:
                    variables.pop(name, None)
                else:
                    variables[name] = value

    return loop


def _pairs(held: Any, count: int) -> Iterator[tuple[Any, ...]]:
    if is_list(held):
        return iter(enumerate(held)) if count == 2 else ((item,) for item in held)
    if not is_map(held):
        raise EvalError(NO_OVERLOAD)
    if count == 1:
        return ((key,) for key in held)
    get = held.get if isinstance(held, Struct) else held.__getitem__
    return ((key, get(key)) for key in held)


def _any(loop: Loop, predicate: Evaluate, deciding: bool) -> Evaluate:
    """`exists` where true decides, `all` where false does; a step that decides outvotes those that failed."""
    look = 2 + deciding

    def decide(run: Run) -> bool:
        failed: EvalError | None = None
        decided = False

        def step() -> bool:
            nonlocal failed, decided
            run.charge(look)
            if decided:
                return True
            run.spent += 1
            try:
                decided = _is(predicate, run) is deciding
            except EvalError as error:
                failed = failed or error
            return False

        run.spent += 1
        loop(run, step)
        if failed is not None and not decided:
            raise failed
        return decided is deciding

    return decide


def _is(predicate: Evaluate, run: Run) -> bool:
    value = predicate(run)
    if not isinstance(value, bool):
        raise EvalError(NO_OVERLOAD)
    return value


def _one(loop: Loop, predicate: Evaluate) -> Evaluate:
    def decide(run: Run) -> bool:
        count = 0

        def step() -> bool:
            nonlocal count
            found = _is(predicate, run)
            run.charge(2 * found)
            count += found
            return False

        run.spent += 2
        loop(run, step)
        return count == 1

    return decide


def _list(loop: Loop, what: Evaluate, only: Evaluate | None = None) -> Evaluate:
    def make(run: Run) -> list[Any]:
        made: list[Any] = []

        def step() -> bool:
            if only is None or _is(only, run):
                made.append(what(run))
                run.charge(12)
            else:
                run.charge(0)
            return False

        run.charge(1)
        loop(run, step)
        return made

    return make


def _map(loop: Loop, entries: bool, key: str, what: Evaluate, only: Evaluate | None = None) -> Evaluate:
    def make(run: Run) -> dict[Any, Any]:
        made: dict[Any, Any] = {}

        def step() -> bool:
            if only is not None and not _is(only, run):
                run.charge(0)
                return False
            value = what(run)
            run.charge(2 if entries else 3)
            for name, held in value.items() if entries else [(run.variables[key], value)]:
                inserted(made, name, held)
            return False

        run.charge(1)
        loop(run, step)
        return made

    return make


def _bound(name: str, value: Evaluate, body: Evaluate) -> Evaluate:
    def evaluate(run: Run) -> Any:
        before = run.variables.get(name, _ABSENT)
        run.variables[name] = value(run)
        try:
            return body(run)
        finally:
            if before is _ABSENT:
                del run.variables[name]
            else:
                run.variables[name] = before

    return evaluate
