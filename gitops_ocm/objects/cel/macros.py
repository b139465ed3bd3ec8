"""Macros: calls that stand for a tree. Those of CEL, of its optional types, lists and two variables.

A fold is written out as every CEL implementation has it, for the sake of types and costs; `Fold.parts` are
what the macro was given, by which it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Name, Node, Select

ACCU = "@result"
_OVERWRITES = "iteration variable overwrites accumulator variable"
_SIMPLE = "argument must be a simple name"


class BadMacro(Exception):
    """A macro whose arguments are not what it needs."""

    def __init__(self, at: int, message: str) -> None:
        self.at, self.message = at, message
        super().__init__(message)


def expanded(name: str, target: Node | None, args: list[Node], at: int) -> Node:
    """What a call stands for: itself, unless it is a macro. Raises `BadMacro`."""
    if target is None:
        return _has(args[0], at) if name == "has" and len(args) == 1 else Call(name, None, args, at=at)
    maker = _MACROS.get((name, len(args)))
    return maker(name, target, args, at) if maker else Call(name, target, args, at=at)


def _has(operand: Node, at: int) -> Node:
    if not isinstance(operand, Select) or operand.test:
        raise BadMacro(operand.at, "invalid argument to has() macro")
    return Select(operand.operand, operand.field, test=True, at=at)


def _names(args: Sequence[Node], why: str = _SIMPLE) -> list[str]:
    names = []
    for arg in args:
        if not isinstance(arg, Name):
            raise BadMacro(arg.at, why)
        if arg.name in names:
            raise BadMacro(arg.at, f"duplicate variable name: {arg.name}")
        names.append(arg.name)
    for arg, name in zip(args, names, strict=True):
        if name in (ACCU, "__result__"):
            raise BadMacro(arg.at, _OVERWRITES)
    return names


def _quantifier(name: str, target: Node, args: list[Node], at: int) -> Node:
    """`all`, `exists` and `exists_one`, of one variable or two."""
    *variables, predicate = args
    names = _names(variables)

    def accu() -> Node:
        return Name(ACCU, at=at)

    def call(function: str, *operands: Node) -> Node:
        return Call(function, None, list(operands), at=at)

    init: Node
    if name == "all":
        init, condition = Literal(True, at=at), call("@not_strictly_false", accu())
        step, result = call("_&&_", accu(), predicate), accu()
    elif name == "exists":
        init, condition = Literal(False, at=at), call("@not_strictly_false", call("!_", accu()))
        step, result = call("_||_", accu(), predicate), accu()
    else:
        name = "exists_one"
        init, condition = Literal(0, at=at), Literal(True, at=at)
        step = call("_?_:_", predicate, call("_+_", accu(), Literal(1, at=at)), accu())
        result = call("_==_", accu(), Literal(1, at=at))
    return Fold(name, target, names, ACCU, init, condition, step, result, (predicate,), at=at)


def _collected(
    macro: str,
    target: Node,
    names: list[str],
    at: int,
    init: Node,
    step: Node,
    parts: tuple[Node, Node | None],
) -> Node:
    """A fold whose accumulator grows by a step for each item, or for each that a filter lets through."""
    what, only = parts
    accu = Name(ACCU, at=at)
    if only is not None:
        step = Call("_?_:_", None, [only, step, Name(ACCU, at=at)], at=at)
    kept = (what,) if only is None else (what, only)
    return Fold(macro, target, names, ACCU, init, Literal(True, at=at), step, accu, kept, at=at)


def _list(target: Node, names: list[str], at: int, what: Node, only: Node | None) -> Node:
    step = Call("_+_", None, [Name(ACCU, at=at), Items([what], at=at)], at=at)
    return _collected("list", target, names, at, Items([], at=at), step, (what, only))


def _map(name: str, target: Node, args: list[Node], at: int) -> Node:
    names = _names(args[:1], "argument is not an identifier")
    return _list(target, names, at, args[-1], args[1] if len(args) == 3 else None)


def _filter(name: str, target: Node, args: list[Node], at: int) -> Node:
    return _list(target, _names(args[:1], "argument is not an identifier"), at, args[0], args[1])


def _transform_list(name: str, target: Node, args: list[Node], at: int) -> Node:
    return _list(target, _names(args[:2]), at, args[-1], args[2] if len(args) == 4 else None)


def _transform_map(name: str, target: Node, args: list[Node], at: int) -> Node:
    names = _names(args[:2])
    entry = [args[-1]] if name == "transformMapEntry" else [Name(names[0], at=at), args[-1]]
    step = Call("cel.@mapInsert", None, [Name(ACCU, at=at), *entry], at=at)
    macro = "entries" if name == "transformMapEntry" else "map"
    only = args[2] if len(args) == 4 else None
    return _collected(macro, target, names, at, Entries([], at=at), step, (args[-1], only))


def _bind(name: str, value: Node, body: Node, at: int) -> Node:
    """A value with a name: a fold over nothing."""
    step, stop = Name(name, at=at), Literal(False, at=at)
    return Fold("bind", Items([], at=at), ("#unused",), name, value, stop, step, body, (), at=at)


def _optional_map(name: str, target: Node, args: list[Node], at: int) -> Node:
    if not isinstance(args[0], Name):
        raise BadMacro(args[0].at, f"{name}() variable name must be a simple identifier")
    body = _bind(args[0].name, Call("value", target, [], at=at), args[1], at)
    if name == "optMap":
        body = Call("optional.of", None, [body], at=at)
    none = Call("optional.none", None, [], at=at)
    return Call("_?_:_", None, [Call("hasValue", target, [], at=at), body, none], at=at)


def _sort_by(name: str, target: Node, args: list[Node], at: int) -> Node:
    if not isinstance(target, (Items, Select, Name, Fold, Call)):
        why = "sortBy can only be applied to a list, identifier, comprehension, call or select expression"
        raise BadMacro(target.at, why)
    unsorted = "@__sortBy_input__"
    keys = _map(name, Name(unsorted, at=at), args, at)
    body = Call("@sortByAssociatedKeys", Name(unsorted, at=at), [keys], at=at)
    return _bind(unsorted, target, body, at)


_MACROS: dict[tuple[str, int], Callable[[str, Node, list[Node], int], Node]] = {
    **{(name, count): _quantifier for name in ("all", "exists", "exists_one") for count in (2, 3)},
    ("existsOne", 3): _quantifier,
    ("map", 2): _map,
    ("map", 3): _map,
    ("filter", 2): _filter,
    ("transformList", 3): _transform_list,
    ("transformList", 4): _transform_list,
    **{(name, n): _transform_map for name in ("transformMap", "transformMapEntry") for n in (3, 4)},
    ("optMap", 2): _optional_map,
    ("optFlatMap", 2): _optional_map,
    ("sortBy", 2): _sort_by,
}
