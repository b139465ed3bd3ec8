"""The closures that programs are made of: operators, calls and looks into things, each at its price.

Which of them a part of an expression becomes is `program`; folds are `folds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel import prices
from gitops_ocm.objects.cel.faults import CostExceeded, EvalError
from gitops_ocm.objects.cel.functions_language import element
from gitops_ocm.objects.cel.patience import OutOfPatience
from gitops_ocm.objects.cel.types import Type
from gitops_ocm.objects.cel.values import (
    NO_OVERLOAD,
    NONE,
    Optional,
    Struct,
    equal,
    has_key,
    is_list,
    is_map,
    item_of,
    type_of,
)


class Run:
    """One evaluation: its variables, what it has cost, and what it may."""

    __slots__ = ("late", "limit", "spent", "variables")

    def __init__(self, variables: Mapping[str, Any], limit: int, late: Callable[[], bool] | None) -> None:
        self.variables, self.limit, self.late, self.spent = dict(variables), limit, late, 0

    def charge(self, cost: int) -> None:
        """Adds to the cost; raises `CostExceeded` where that is too much."""
        self.spent += cost
        if self.spent > self.limit:
            raise CostExceeded
        # Prices are Kubernetes', and some things have none: to look through a list of short texts, say.
        if self.late is not None and self.late():
            raise OutOfPatience


Evaluate = Callable[[Run], Any]


def fits(value: Any, type_: Type) -> bool:
    """Whether a value may be given where a type is wanted; what a list or map holds is not looked at."""
    if type_.kind in ("dyn", "variable"):
        return True
    found = type_of(value)
    return bool(found.kind == type_.kind) and (found.name == type_.name or found.kind in ("map", "list"))


def selected(held: Any, name: str) -> Any:
    """A field of what has fields."""
    if type(held) is Struct:
        return held.get(name)
    if type(held) is dict:
        if name not in held:
            raise EvalError(f"no such key: {name}")
        return held[name]
    if isinstance(held, Optional):
        if not held.held:
            return NONE
        inner = held.held[0]
        return Optional((item_of(inner, name),)) if is_map(inner) and has_key(inner, name) else NONE
    raise EvalError(NO_OVERLOAD if is_list(held) else f"no such key: {name}")


def cheap(implementation: Callable[..., Any], operands: list[Evaluate]) -> Evaluate:
    """A call that costs one whatever it is given."""
    if len(operands) == 2:
        left, right = operands

        def two(run: Run) -> Any:
            run.spent += 1
            return implementation(left(run), right(run))

        return two

    def call(run: Run) -> Any:
        run.spent += 1
        return implementation(*[operand(run) for operand in operands])

    return call


def element_of(items: Evaluate, at: Evaluate) -> Evaluate:
    """An item of a list."""

    def read(run: Run) -> Any:
        held, where = items(run), at(run)
        run.spent += 1
        if not is_list(held):
            raise EvalError(NO_OVERLOAD)
        return element(held, where)

    return read


def equality(left: Evaluate, right: Evaluate, wanted: bool) -> Evaluate:
    """`==`, or where it is not wanted, `!=`."""

    def compare(run: Run) -> bool:
        one, other = left(run), right(run)
        run.charge(prices.equality(one, other))
        return equal(one, other) is wanted

    return compare


def logical(left: Evaluate, right: Evaluate, deciding: bool) -> Evaluate:
    """`||` where true decides, `&&` where false does: whichever side, whatever became of the other."""

    def decide(run: Run) -> bool:
        failed: EvalError | None = None
        for side in (left, right):
            try:
                value = side(run)
            except EvalError as error:
                failed = failed or error
                continue
            if not isinstance(value, bool):
                failed = failed or EvalError(NO_OVERLOAD)
            elif value == deciding:
                return value
        if failed is not None:
            raise failed
        return not deciding

    return decide


def conditional(condition: Evaluate, then: Evaluate, otherwise: Evaluate) -> Evaluate:
    """`? :`, of which one side is evaluated."""

    def choose(run: Run) -> Any:
        value = condition(run)
        if not isinstance(value, bool):
            raise EvalError(NO_OVERLOAD)
        return then(run) if value else otherwise(run)

    return choose


def optional_select(operand: Evaluate, name: Evaluate) -> Evaluate:
    """`.?`: a field if it is there."""

    def select(run: Run) -> Optional:
        held, key = operand(run), name(run)
        run.spent += 1
        if isinstance(held, Optional):
            if not held.held:
                return NONE
            held = held.held[0]
        return Optional((item_of(held, key),)) if is_map(held) and has_key(held, key) else NONE

    return select


def first_present(one: Evaluate, other: Evaluate, unwrap: bool) -> Evaluate:
    """`or` and `orValue`: the other side is evaluated where the first has no value."""

    def choose(run: Run) -> Any:
        held = one(run)
        if not isinstance(held, Optional):
            raise EvalError(NO_OVERLOAD)
        if held.held:
            return held.held[0] if unwrap else held
        return other(run)

    return choose


def paid(
    implementation: Callable[..., Any], price: prices.Price | None, overload: str
) -> Callable[[Run, list[Any]], Any]:
    """A call that is charged for: before it is made, unless only its result tells what it costs."""
    if overload in prices.BY_RESULT:

        def after(run: Run, args: list[Any]) -> Any:
            result = implementation(*args)
            run.charge(1 if price is None else price(args, result))
            return result

        return after

    def before(run: Run, args: list[Any]) -> Any:
        run.charge(1 if price is None else price(args, None))
        return implementation(*args)

    return before


def careful(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """A function for values nobody has looked into: what is in a list may not be what it works on."""

    def call(*args: Any) -> Any:
        try:
            return implementation(*args)
        except (TypeError, AttributeError) as error:
            raise EvalError(NO_OVERLOAD) from error

    return call
