"""Types of every part of an expression, and the overloads its calls may mean.

What cannot have a value whatever the variables are is found here, each fault with its place. What is of
unknown type (`dyn`) passes and is looked at when it is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ocm.objects.cel import types
from gitops_ocm.objects.cel.declarations import Functions, Overload
from gitops_ocm.objects.cel.faults import Issue
from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Message, Name, Node, Select
from gitops_ocm.objects.cel.types import BOOL, DYN, ERROR, INT, STRING, Type
from gitops_ocm.objects.cel.values import Uint

TYPE_NAMES: Mapping[str, Type] = {
    **{t.name: t for t in (types.BOOL, INT, types.UINT, types.DOUBLE, STRING, types.BYTES, types.NULL)},
    **{t.name: t for t in (types.TIMESTAMP, types.DURATION, types.IP, types.CIDR, types.TYPE)},
    "list": types.list_of(DYN),
    "map": types.map_of(DYN, DYN),
    "optional_type": types.optional_of(DYN),
}
_LITERALS: Mapping[type, Type] = {
    bool: BOOL,
    int: INT,
    Uint: types.UINT,
    float: types.DOUBLE,
    str: STRING,
    bytes: types.BYTES,
    type(None): types.NULL,
}


def check(root: Node, variables: Mapping[str, Type], functions: Functions) -> list[Issue]:
    """Notes types and overloads in the tree; the faults found."""
    checker = _Checker(variables, functions)
    checker.check(root)
    checker.settle()
    return checker.issues


class _Checker:
    def __init__(self, variables: Mapping[str, Type], functions: Functions) -> None:
        self._scopes = [{name: types.type_of(type_) for name, type_ in TYPE_NAMES.items()}, dict(variables)]
        self._functions = functions
        self._bound: types.Bindings = {}
        self._free = 0
        self._seen: list[Node] = []
        self.issues: list[Issue] = []

    def settle(self) -> None:
        """Replaces type variables in the tree by what they came to."""
        for node in self._seen:
            node.type = types.substituted(self._bound, node.type, free=True)

    def check(self, node: Node) -> Type:
        node.type = self._judged(node)
        self._seen.append(node)
        return node.type

    def _judged(self, node: Node) -> Type:
        match node:
            case Literal():
                return _LITERALS[type(node.value)]
            case Name():
                return self._name(node)
            case Select():
                return self._select(node)
            case Call(function="_?._"):
                return self._optional_select(node)
            case Call():
                return self._call(node)
            case Items():
                return self._items(node)
            case Entries():
                return self._entries(node)
            case Fold():
                return self._fold(node)
            case Message():
                return self._undeclared(node, node.name)
        raise TypeError(node)

    def _fault(self, node: Node, message: str) -> None:
        self.issues.append(Issue(node.at, message))

    def _undeclared(self, node: Node, name: str) -> Type:
        self._fault(node, f"undeclared reference to '{name}' (in container '')")
        return ERROR

    def _variable(self) -> Type:
        self._free += 1
        return types.variable(f"_var{self._free - 1}")

    def _assignable(self, one: Type, other: Type) -> bool:
        trial = dict(self._bound)
        if not types.assignable(trial, one, other):
            return False
        self._bound = trial
        return True

    def _known(self, name: str) -> Type | None:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), None)

    # --- names and fields ---------------------------------------------------------------------------

    def _name(self, node: Name) -> Type:
        return self._known(node.name.lstrip(".")) or self._undeclared(node, node.name)

    def _select(self, node: Select) -> Type:
        qualified = None if node.test else _qualified(node)
        if qualified and (known := self._known(qualified)):
            node.qualified = qualified
            return known
        type_ = self._field(node, node.operand, node.field)
        return BOOL if node.test else type_

    def _optional_select(self, node: Call) -> Type:
        operand, field = node.args
        node.overloads = ("select_optional_field",)
        name = field.value if isinstance(field, Literal) else ""
        field.type = STRING
        type_ = self._field(node, operand, name)
        return type_ if types.unwrapped(type_)[1] else types.optional_of(type_)

    def _field(self, node: Node, operand: Node, name: str) -> Type:
        held, optional = types.unwrapped(types.substituted(self._bound, self.check(operand)))
        result = DYN
        if held.kind == "map":
            result = held.params[1]
        elif held.declared is not None:
            found = held.declared.field_type(name)
            if found is None:
                self._fault(node, f"undefined field '{name}'")
                result = ERROR
            else:
                result = found
        elif held.kind == "struct":
            self._fault(node, f"undefined field '{name}'")
            result = ERROR
        elif held.kind == "variable":
            self._assignable(DYN, held)
        elif not types.is_open(held):
            self._fault(node, f"type '{held}' does not support field selection")
        return types.optional_of(result) if optional else types.substituted(self._bound, result)

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, node: Call) -> Type:
        args = [self.check(arg) for arg in node.args]
        target = None
        if node.target is None:
            overloads = self._functions.get(node.function.lstrip("."))
        else:
            qualified = _qualified(node.target)
            overloads = self._functions.get(f"{qualified}.{node.function}") if qualified else None
            if overloads is not None:
                node.function, node.target = f"{qualified}.{node.function}", None
            else:
                target = self.check(node.target)
                overloads = self._functions.get(node.function)
        if overloads is None:
            return self._undeclared(node, node.function)
        return self._resolved(node, overloads, args if target is None else [target, *args])

    def _resolved(self, node: Call, overloads: tuple[Overload, ...], args: list[Type]) -> Type:
        if node.function in ("_&&_", "_||_"):
            return self._logical(node, overloads[0], args)
        names, result = [], None
        for overload in overloads:
            if overload.member != (node.target is not None):
                continue
            takes, gives = self._instance(overload)
            trial = dict(self._bound)
            if not types.all_assignable(trial, tuple(args), takes):
                continue
            self._bound = trial
            names.append(overload.name)
            given = types.substituted(self._bound, gives)
            if result is None:
                result = given
            elif result.kind != "dyn" and given != result:
                result = DYN
        if result is None:
            shown = [types.substituted(self._bound, arg, free=True) for arg in args]
            self._fault(
                node, f"found no matching overload for '{node.function}' applied to '{_call_of(node, shown)}'"
            )
            return ERROR
        node.overloads = tuple(names)
        return result

    def _logical(self, node: Call, overload: Overload, args: list[Type]) -> Type:
        node.overloads = (overload.name,)
        wrong = [
            (arg, type_)
            for arg, type_ in zip(node.args, args, strict=True)
            if not self._assignable(type_, BOOL)
        ]
        for arg, type_ in wrong:
            self._fault(arg, f"expected type 'bool' but found '{type_}'")
        return ERROR if wrong else BOOL

    def _instance(self, overload: Overload) -> tuple[tuple[Type, ...], Type]:
        """What an overload takes and gives, with type variables of its own."""
        if not overload.generic:
            return overload.takes, overload.gives
        fresh: dict[str, Type] = {}

        def renewed(type_: Type) -> Type:
            if type_.kind == "variable":
                return fresh.setdefault(type_.name, types.variable(f"_var{self._free + len(fresh)}"))
            return Type(type_.kind, type_.name, tuple(map(renewed, type_.params))) if type_.params else type_

        signature = tuple(map(renewed, overload.takes)), renewed(overload.gives)
        self._free += len(fresh)
        return signature

    # --- literals of many parts -----------------------------------------------------------------------

    def _items(self, node: Items) -> Type:
        joined: Type | None = None
        for at, item in enumerate(node.items):
            type_ = self.check(item)
            if at in node.optional:
                type_ = self._unwrapped(item, type_)
            joined = self._joined(joined, type_)
        return types.list_of(joined or self._variable())

    def _entries(self, node: Entries) -> Type:
        keys: Type | None = None
        values: Type | None = None
        for entry in node.entries:
            keys = self._joined(keys, self.check(entry.key))
            type_ = self.check(entry.value)
            if entry.optional:
                type_ = self._unwrapped(entry.value, type_)
            values = self._joined(values, type_)
        return types.map_of(keys or self._variable(), values or self._variable())

    def _unwrapped(self, node: Node, type_: Type) -> Type:
        held, optional = types.unwrapped(type_)
        if not optional and type_.kind != "dyn":
            self._fault(node, f"expected type '{types.optional_of(type_)}' but found '{type_}'")
        return held

    def _joined(self, before: Type | None, type_: Type) -> Type:
        """What goes with both; entries that differ are refused later (`literals`), but for `format`."""
        if before is None:
            return type_
        if self._assignable(before, type_):
            return types.most_general(before, type_)
        return DYN

    # --- folds ----------------------------------------------------------------------------------------

    def _fold(self, node: Fold) -> Type:
        self.check(node.range)
        accu = self.check(node.init)
        over = types.substituted(self._bound, node.range.type)
        self._scopes.append({node.accu: accu})
        self._scopes.append(dict(zip(node.names, self._ranged(node, over), strict=True)))
        self._expect(node.condition, self.check(node.condition), BOOL)
        self._expect(node.step, self.check(node.step), accu)
        self._scopes.pop()
        result = self.check(node.result)
        self._scopes.pop()
        return types.substituted(self._bound, result)

    def _ranged(self, node: Fold, over: Type) -> list[Type]:
        """The types of the variables that go over a range."""
        two = len(node.names) == 2
        if over.kind == "list":
            return [INT, over.params[0]] if two else [over.params[0]]
        if over.kind == "map":
            return list(over.params[: len(node.names)])
        if over.kind == "variable" or types.is_open(over):
            self._assignable(DYN, over)
            return [DYN] * len(node.names)
        why = (
            f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        self._fault(node.range, why)
        return [ERROR] * len(node.names)

    def _expect(self, node: Node, found: Type, wanted: Type) -> None:
        if not self._assignable(wanted, found):
            self._fault(node, f"expected type '{wanted}' but found '{found}'")


def _qualified(node: Node) -> str | None:
    """`a.b.c` for what is written so; a name may have dots."""
    if isinstance(node, Name):
        return node.name.lstrip(".")
    if isinstance(node, Select) and not node.test and (before := _qualified(node.operand)):
        return f"{before}.{node.field}"
    return None


def _call_of(node: Call, args: list[Type]) -> str:
    if node.target is None:
        return f"({', '.join(map(str, args))})"
    return f"{args[0]}.({', '.join(map(str, args[1:]))})"
