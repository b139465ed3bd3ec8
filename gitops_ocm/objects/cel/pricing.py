"""What an expression may cost at most, before there is anything to evaluate it on.

Sizes come from constants, from what a schema says of the value a path of fields leads to, and from what calls
make of those. `estimates` has the calls' own part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gitops_ocm.objects.cel import estimates
from gitops_ocm.objects.cel.arithmetic import MOST, ONE, UNKNOWN, Size, added, scaled, times
from gitops_ocm.objects.cel.estimates import LIST, TEXT, Estimate, Operand
from gitops_ocm.objects.cel.macros import ACCU
from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Message, Name, Node, Select
from gitops_ocm.objects.cel.types import Type

Path = Sequence[str] | None
SizeAt = Callable[[Path], Size | None]
"""How big the value at a path of fields may be; None where nothing says."""
MAP, STRUCT = 30, 40
_SCALARS = frozenset({"bool", "double", "duration", "int", "timestamp", "uint"})


class _EntrySizes(NamedTuple):
    """How big the keys and values of a list or map are."""

    kind: str
    key: Size
    value: Size


class _Local(NamedTuple):
    path: Path
    size: Size | None
    entries: _EntrySizes | None = None


def estimate(root: Node, size_at: SizeAt) -> int:
    """The most a tree may cost."""
    return _Estimator(size_at).cost(root)


class _Estimator:
    def __init__(self, size_at: SizeAt) -> None:
        self._size_at = size_at
        self._paths: dict[int, Path] = {}
        self._locals: dict[str, list[_Local]] = {}
        self._sizes: dict[int, Size] = {}
        self._entries: dict[int, _EntrySizes] = {}

    def cost(self, node: Node) -> int:
        """The most this part may cost; notes its path and size."""
        match node:
            case Name():
                local = self._local(node.name)
                self._paths[id(node)] = local.path if local else [node.name]
                return 1
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case Items():
                return self._items(node)
            case Entries():
                return self._map(node)
            case Fold():
                return self._bind(node) if node.macro == "bind" else self._fold(node)
            case Message():
                return sum(map(self.cost, node.values)) + STRUCT
        return 0

    def _select(self, node: Select) -> int:
        if node.qualified:
            self._paths[id(node)] = [node.qualified]
            return 1
        cost = self.cost(node.operand)
        if node.test:
            return cost
        if node.operand.type.kind in ("map", "struct", "variable"):
            cost = added(cost, 1)
        self._paths[id(node)] = [*(self._path(node.operand) or ()), node.field]
        return cost

    # --- literals of many parts -----------------------------------------------------------------------

    def _items(self, node: Items) -> int:
        total, sizes = 0, []
        for item in node.items:
            total = added(total, self.cost(item))
            sizes.append(self._known(item))
        self._entries[id(node)] = _EntrySizes("list", ONE, _range_of(sizes))
        return added(total, LIST)

    def _map(self, node: Entries) -> int:
        total, keys, values = 0, [], []
        for entry in node.entries:
            total = added(added(total, self.cost(entry.key)), self.cost(entry.value))
            keys.append(self._known(entry.key))
            values.append(self._known(entry.value))
        self._entries[id(node)] = _EntrySizes("map", _range_of(keys), _range_of(values))
        return added(total, MAP)

    # --- folds ----------------------------------------------------------------------------------------

    def _fold(self, node: Fold) -> int:
        total = added(self.cost(node.range), self.cost(node.init))
        self._push(node.accu, self._bound(node.init))
        for at, name in enumerate(node.names):
            self._push(name, self._iterated(node, at))
        each = added(self.cost(node.step), self.cost(node.condition))
        for name in node.names:
            self._locals[name].pop()
        total = added(total, self.cost(node.result))
        self._locals[node.accu].pop()
        count = self._known(node.range)
        if isinstance(node.init, Literal):
            self._note(node, self._size(node.init))
        else:
            self._note(node, count)
            if entries := self._entry_sizes(node.step):
                self._entries[id(node)] = entries
        return added(total, times(count.most, each))

    def _bind(self, node: Fold) -> int:
        total = added(self.cost(node.range), self.cost(node.init))
        self._push(node.accu, self._bound(node.init))
        total = added(total, self.cost(node.result))
        self._locals[node.accu].pop()
        self._copy(node, node.result)
        return total

    def _bound(self, node: Node) -> _Local:
        return _Local(self._path(node), self._size(node), self._entry_sizes(node))

    def _iterated(self, node: Fold, at: int) -> _Local:
        """A variable that goes over a range: its items, or keys and then values."""
        entries = self._entry_sizes(node.range)
        is_list = (entries.kind if entries else node.range.type.kind) == "list"
        value = at == 1 or (len(node.names) == 1 and is_list)
        step = ("@items" if is_list else "@values") if value else ("@indices" if is_list else "@keys")
        size = (entries.value if value else entries.key) if entries else None
        return _Local([*(self._path(node.range) or ()), step], size)

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, node: Call) -> int:
        if node.function == "dyn":
            cost = self.cost(node.args[0])
            self._copy(node, node.args[0])
            return added(1, cost)
        costs = [self.cost(arg) for arg in node.args]
        args = [self._operand(arg) for arg in node.args]
        total, target = 0, None
        if node.target is not None:
            total = self.cost(node.target)
            target = self._operand(node.target)
        most, size = 0, None
        for overload in node.overloads:
            found = self._overload(node, overload, target, args, costs)
            most = max(most, found.cost)
            if found.size is not None:
                size = found.size if size is None else size.union(found.size)
            if overload in ("index_list", "index_map"):
                entries = self._entry_sizes(node.args[0])
                size = entries.value if entries else None
                step = "@items" if overload == "index_list" else "@values"
                self._paths[id(node)] = [*(self._path(node.args[0]) or ()), step]
            if size is None:
                size = self._size(node)
        self._note(node, size)
        return added(total, most)

    def _operand(self, node: Node) -> Operand:
        path = self._path(node)
        if path and path[0] == ACCU:
            path = None
        return Operand(node, self._size(node), path, self._size_at)

    def _overload(
        self, node: Call, overload: str, target: Operand | None, args: list[Operand], costs: list[int]
    ) -> Estimate:
        estimator = estimates.BY_OVERLOAD.get(overload) or estimates.BY_FUNCTION.get(node.function)
        found = estimator(target, args) if estimator else None
        if found is None:
            return self._own(node, overload, args, costs)
        return Estimate(_sum(costs, found.cost), found.size)

    def _own(self, node: Call, overload: str, args: list[Operand], costs: list[int]) -> Estimate:
        """Operators that may not look at all they are given, or make something of it."""
        if overload in ("logical_or", "logical_and"):
            return Estimate(_sum(costs))
        if overload == "conditional":
            self._join(node, node.args[1], node.args[2])
            return Estimate(added(costs[0], max(costs[1:])), args[1].size.union(args[2].size))
        if overload in ("add_string", "add_bytes", "add_list"):
            self._join(node, node.args[0], node.args[1])
            size = args[0].size.plus(args[1].size)
            return Estimate(_sum(costs, 1 if overload == "add_list" else scaled(size.most, TEXT)), size)
        return Estimate(_sum(costs, 1))

    def _join(self, node: Node, one: Node, other: Node) -> None:
        first, second = self._entry_sizes(one), self._entry_sizes(other)
        if first and second:
            key, value = first.key.union(second.key), first.value.union(second.value)
            self._entries[id(node)] = _EntrySizes(first.kind, key, value)

    # --- what is known of a part ----------------------------------------------------------------------

    def _local(self, name: str) -> _Local | None:
        held = self._locals.get(name)
        return held[-1] if held else None

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _path(self, node: Node) -> Path:
        if isinstance(node, Name) and (local := self._local(node.name)):
            return local.path
        return self._paths.get(id(node))

    def _note(self, node: Node, size: Size | None) -> None:
        if size is not None:
            self._sizes[id(node)] = size

    def _copy(self, node: Node, other: Node) -> None:
        self._note(node, self._size(other))
        if entries := self._entry_sizes(other):
            self._entries[id(node)] = entries

    def _known(self, node: Node) -> Size:
        return self._size(node) or UNKNOWN

    def _size(self, node: Node) -> Size | None:
        noted = self._sizes.get(id(node)) or _written(node)
        if noted is not None:
            return noted
        declared = self._size_at(self._path(node))
        if declared is not None:
            self._sizes[id(node)] = declared
            return declared
        if _scalar(node.type):
            return ONE
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.size if local else None

    def _entry_sizes(self, node: Node) -> _EntrySizes | None:
        held = self._entries.get(id(node))
        if held is None and isinstance(node, Name) and (local := self._local(node.name)):
            return local.entries
        return held


def _sum(costs: Sequence[int], start: int = 0) -> int:
    return min(sum(costs, start), MOST)


def _range_of(sizes: Sequence[Size]) -> Size:
    if not sizes:
        return Size(0, 0)
    return Size(min(size.least for size in sizes), max(size.most for size in sizes))


def _written(node: Node) -> Size | None:
    """The size of what is written out."""
    match node:
        case Literal(value=str() | bytes()):
            return Size(len(node.value), len(node.value))
        case Literal():
            return ONE
        case Items():
            return Size(len(node.items), len(node.items))
        case Entries():
            return Size(len(node.entries), len(node.entries))
    return None


def _scalar(type_: Type) -> bool:
    return type_.kind in _SCALARS or (type_.name == "optional_type" and _scalar(type_.params[0]))
