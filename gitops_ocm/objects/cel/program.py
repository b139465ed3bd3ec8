"""A tree as a function: closures that evaluate it, and count what that costs.

Every closure takes the `Run` it is part of. A count is checked where it may grow without bound: in folds, in
calls whose price depends on their values, and at the end. Errors are exceptions, which `&&`, `||` and
quantifiers may outvote, as the language says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel import closures, folds, prices
from gitops_ocm.objects.cel.closures import Evaluate, Run
from gitops_ocm.objects.cel.declarations import Functions, Overload
from gitops_ocm.objects.cel.faults import EvalError
from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Name, Node, Select
from gitops_ocm.objects.cel.types import Type
from gitops_ocm.objects.cel.values import NO_OVERLOAD, Optional, has_key, is_map

LIST_COST, MAP_COST = 10, 30
CONVERSIONS = frozenset({"bool", "int", "uint", "double", "string", "bytes", "duration", "timestamp"})
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
            return closures.selected(held, name)

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
                return closures.logical(operands[0], operands[1], node.function == "_||_")
            case "_?_:_":
                return closures.conditional(*operands)
            case "_==_" | "_!=_":
                return closures.equality(operands[0], operands[1], node.function == "_==_")
            case "_?._":
                return closures.optional_select(*operands)
            case "or" | "orValue" if node.overloads:
                return closures.first_present(operands[0], operands[1], node.function == "orValue")
            case "_[_]" if node.overloads == ("index_list",):
                return closures.element_of(*operands)
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
            return closures.cheap(implementation, operands)
        paid = closures.paid(implementation, price, overload.name)
        return lambda run: paid(run, [operand(run) for operand in operands])

    def _guarded(self, overloads: list[Overload], operands: list[Evaluate]) -> Evaluate:
        """The first overload that the values fit, which nobody knows before they are there."""
        ways = [
            (
                o.takes,
                closures.paid(
                    closures.careful(self._implementations[o.name]), prices.actual(o.function, o.name), o.name
                ),
            )
            for o in overloads
        ]

        def call(run: Run) -> Any:
            args = [operand(run) for operand in operands]
            for takes, paid in ways:
                if all(map(closures.fits, args, takes)):
                    return paid(run, args)
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
