"""A tree as a function: closures that evaluate it, and count what that costs.

Every closure takes the `Run` it is part of. A count is checked where it may grow without bound: in folds, in
calls whose price depends on their values, and at the end. Errors are exceptions, which `&&`, `||` and
quantifiers may outvote, as the language says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel import folds, prices
from gitops_ocm.objects.cel.declarations import Functions, Overload
from gitops_ocm.objects.cel.faults import CostExceeded, EvalError
from gitops_ocm.objects.cel.functions_language import element
from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Name, Node, Select
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

LIST_COST, MAP_COST = 10, 30
CONVERSIONS = frozenset({"bool", "int", "uint", "double", "string", "bytes", "duration", "timestamp"})


class Run:
    """One evaluation: its variables, what it has cost, and what it may."""

    __slots__ = ("limit", "spent", "variables")

    def __init__(self, variables: Mapping[str, Any], limit: int) -> None:
        self.variables, self.limit, self.spent = dict(variables), limit, 0

    def charge(self, cost: int) -> None:
        """Adds to the cost; raises `CostExceeded` where that is too much."""
        self.spent += cost
        if self.spent > self.limit:
            raise CostExceeded


Evaluate = Callable[[Run], Any]
Implementations = Mapping[str, Callable[..., Any]]


class Planner:
    """Makes closures of trees, with the functions of one environment."""

    def __init__(
        self, functions: Functions, implementations: Implementations, constants: Mapping[str, Type]
    ) -> None:
        self._overloads = {o.name: o for overloads in functions.values() for o in overloads}
        self._implementations = implementations
        self._constants = constants

    def plan(self, node: Node) -> Evaluate:
        """The closure that evaluates a tree."""
        match node:
            case Literal():
                value = node.value
                return lambda run: value
            case Name():
                return self._name(node.name.lstrip("."))
            case Select(test=True):
                return self._test(node)
            case Select():
                return self._select(node)
            case Items():
                return self._items(node)
            case Entries():
                return self._entries(node)
            case Fold():
                return folds.planned(node, self.plan)
            case Call():
                return self._call(node)
        raise TypeError(node)

    # --- names and fields ---------------------------------------------------------------------------

    def _name(self, name: str) -> Evaluate:
        constant = self._constants.get(name)

        def read(run: Run) -> Any:
            if name in run.variables:
                run.spent += 1
                return run.variables[name]
            if constant is not None:
                return constant
            raise EvalError(f"no such attribute(s): {name}")

        return read

    def _select(self, node: Select) -> Evaluate:
        if node.qualified:
            return self._name(node.qualified)
        operand, name = self.plan(node.operand), node.field

        def select(run: Run) -> Any:
            held = operand(run)
            run.spent += 1
            return selected(held, name)

        return select

    def _test(self, node: Select) -> Evaluate:
        operand, name = self.plan(node.operand), node.field

        def test(run: Run) -> bool:
            held = operand(run)
            if isinstance(held, Optional):
                if not held.held:
                    return False
                held = held.held[0]
            return is_map(held) and has_key(held, name)

        return test

    # --- literals of many parts -----------------------------------------------------------------------

    def _items(self, node: Items) -> Evaluate:
        if constant := _constant(node):
            return lambda run: constant[0]
        items = [(self.plan(item), at in node.optional) for at, item in enumerate(node.items)]

        def make(run: Run) -> list[Any]:
            made = []
            for item, optional in items:
                value = item(run)
                if not optional:
                    made.append(value)
                elif not isinstance(value, Optional):
                    raise EvalError(
                        f"cannot initialize optional list element from non-optional value {value}"
                    )
                else:
                    made += value.held
            run.charge(LIST_COST)
            return made

        return make

    def _entries(self, node: Entries) -> Evaluate:
        if constant := _constant(node):
            return lambda run: constant[0]
        entries = [(self.plan(e.key), self.plan(e.value), e.optional) for e in node.entries]

        def make(run: Run) -> dict[Any, Any]:
            made: dict[Any, Any] = {}
            for key, value, optional in entries:
                name, held = key(run), value(run)
                if optional and not isinstance(held, Optional):
                    raise EvalError(
                        f"cannot initialize optional entry '{name}' from non-optional value {held}"
                    )
                if not optional:
                    made[name] = held
                elif held.held:
                    made[name] = held.held[0]
            run.charge(MAP_COST)
            return made

        return make

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, node: Call) -> Evaluate:
        if constant := _converted(node, self._implementations):
            return lambda run: constant[0]
        operands = [self.plan(operand) for operand in node.operands]
        match node.function:
            case "_&&_" | "_||_":
                return _logical(operands[0], operands[1], node.function == "_||_")
            case "_?_:_":
                return _conditional(*operands)
            case "_==_" | "_!=_":
                return _equality(operands[0], operands[1], node.function == "_==_")
            case "_?._":
                return _optional_select(*operands)
            case "or" | "orValue" if node.overloads:
                return _first_present(operands[0], operands[1], node.function == "orValue")
            case "_[_]" if node.overloads == ("index_list",):
                return _element(*operands)
        return self._function(node, operands)

    def _function(self, node: Call, operands: list[Evaluate]) -> Evaluate:
        overloads = [self._overloads[name] for name in node.overloads]
        guarded = len(overloads) > 1 or any(_unknown(operand.type) for operand in node.operands)
        if guarded:
            return self._guarded(overloads, operands)
        (overload,) = overloads
        implementation = self._implementations[overload.name]
        price = prices.actual(node.function, overload.name)
        if price is None:
            return _cheap(implementation, operands)

        def call(run: Run) -> Any:
            args = [operand(run) for operand in operands]
            result = implementation(*args)
            run.charge(price(args, result))
            return result

        return call

    def _guarded(self, overloads: list[Overload], operands: list[Evaluate]) -> Evaluate:
        """The first overload that the values fit, which nobody knows before they are there."""
        ways = [
            (o.takes, _careful(self._implementations[o.name]), prices.actual(o.function, o.name))
            for o in overloads
        ]

        def call(run: Run) -> Any:
            args = [operand(run) for operand in operands]
            for takes, implementation, price in ways:
                if all(map(fits, args, takes)):
                    result = implementation(*args)
                    run.charge(1 if price is None else price(args, result))
                    return result
            raise EvalError(NO_OVERLOAD)

        return call


def _constant(node: Node) -> tuple[Any] | None:
    """The value of what is written out with nothing to be evaluated in it: made once, and free."""
    match node:
        case Literal():
            return (node.value,)
        case Items() if not node.optional:
            items = [_constant(item) for item in node.items]
            return None if None in items else ([item[0] for item in items if item],)
        case Entries():
            pairs = [(_constant(e.key), None if e.optional else _constant(e.value)) for e in node.entries]
            if all(key and value for key, value in pairs):
                return ({key[0]: value[0] for key, value in pairs if key and value},)
    return None


def _converted(node: Call, implementations: Implementations) -> tuple[Any] | None:
    """What a conversion of a constant comes to: free as well. One that fails is told when it is met."""
    if node.function not in CONVERSIONS or len(node.overloads) != 1 or not isinstance(node.args[0], Literal):
        return None
    try:
        return (implementations[node.overloads[0]](node.args[0].value),)
    except EvalError:
        return None


def _unknown(type_: Type) -> bool:
    """Whether the type of a value, or of something in it, is only known when it is there."""
    return type_.kind == "dyn" or any(map(_unknown, type_.params))


def _careful(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """A function for values nobody has looked into: what is in a list may not be what it works on."""

    def call(*args: Any) -> Any:
        try:
            return implementation(*args)
        except (TypeError, AttributeError) as error:
            raise EvalError(NO_OVERLOAD) from error

    return call


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


def _cheap(implementation: Callable[..., Any], operands: list[Evaluate]) -> Evaluate:
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


def _element(items: Evaluate, at: Evaluate) -> Evaluate:
    def read(run: Run) -> Any:
        held, where = items(run), at(run)
        run.spent += 1
        if not is_list(held):
            raise EvalError(NO_OVERLOAD)
        return element(held, where)

    return read


def _equality(left: Evaluate, right: Evaluate, wanted: bool) -> Evaluate:
    def compare(run: Run) -> bool:
        one, other = left(run), right(run)
        run.charge(prices.equality(one, other))
        return equal(one, other) is wanted

    return compare


def _logical(left: Evaluate, right: Evaluate, deciding: bool) -> Evaluate:
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


def _conditional(condition: Evaluate, then: Evaluate, otherwise: Evaluate) -> Evaluate:
    def choose(run: Run) -> Any:
        value = condition(run)
        if not isinstance(value, bool):
            raise EvalError(NO_OVERLOAD)
        return then(run) if value else otherwise(run)

    return choose


def _optional_select(operand: Evaluate, name: Evaluate) -> Evaluate:
    def select(run: Run) -> Optional:
        held, key = operand(run), name(run)
        run.spent += 1
        if isinstance(held, Optional):
            if not held.held:
                return NONE
            held = held.held[0]
        return Optional((item_of(held, key),)) if is_map(held) and has_key(held, key) else NONE

    return select


def _first_present(one: Evaluate, other: Evaluate, unwrap: bool) -> Evaluate:
    def choose(run: Run) -> Any:
        held = one(run)
        if not isinstance(held, Optional):
            raise EvalError(NO_OVERLOAD)
        if held.held:
            return held.held[0] if unwrap else held
        return other(run)

    return choose
