"""What calls cost at most and how big what they give is, by how big what they are given may be.

The model is the one Kubernetes documents and holds definitions to: it changes with no release, for what was
accepted once has to be accepted again. So it is followed to the letter, oddities included. `pricing` walks a
tree with it; what a call costs in the end is `prices`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gitops_ocm.objects.cel.arithmetic import MOST, UNKNOWN, Size, added, scaled, times
from gitops_ocm.objects.cel.tree import Literal, Node
from gitops_ocm.objects.cel.types import Type

TEXT, PATTERN, LIST = 0.1, 0.25, 10
_TEXTS = ("string", "bytes")
_ADDRESS = 16
_ORDERINGS = ("less", "less_equals", "greater", "greater_equals")
_FIXED_EQUALITY = {"net.IP": 1, "net.CIDR": 1, "kubernetes.Quantity": 1, "kubernetes.Semver": 1}
_FIXED_EQUALITY["kubernetes.NamedFormat"] = scaled(64, TEXT)


class Operand(NamedTuple):
    """One thing a call is given: its size, where there is one, and that of its items."""

    node: Node
    computed: Size | None
    path: Sequence[str] | None
    declared: Callable[[Sequence[str] | None], Size | None]

    @property
    def type(self) -> Type:
        """Its type."""
        return self.node.type

    @property
    def size(self) -> Size:
        """How big it may be; without limit where nothing says."""
        return self.computed or self.declared(self.path) or UNKNOWN

    @property
    def items(self) -> tuple[Type, Size] | None:
        """The type of its items, and how big one may be."""
        if not self.type.params:
            return None
        path = None if self.path is None else [*self.path, "@items"]
        return self.type.params[0], self.declared(path) or UNKNOWN

    def literal(self, default: int) -> int:
        """The number it is, where that is written out."""
        number = isinstance(self.node, Literal) and type(self.node.value) is int
        return max(self.node.value, 0) if number else default  # type: ignore[attr-defined]


class Estimate(NamedTuple):
    """What a call costs at most, and how big its result is, where it has a size."""

    cost: int
    size: Size | None = None


Operands = Sequence[Operand]
Estimator = Callable[[Operand | None, Operands], Estimate | None]


def _one(target: Operand | None, args: Operands) -> Estimate:
    return Estimate(1)


def _search(target: Operand | None, args: Operands) -> Estimate | None:
    """A look at every item, or at a text."""
    if target is None:
        return None
    items = target.items
    if items is None:
        return Estimate(scaled(target.size.most, TEXT))
    type_, size = items
    each = added(1, scaled(size.most, TEXT)) if type_.kind in _TEXTS else 1
    return Estimate(times(target.size.most, each))


def _argument(factor: float, *, sized: bool = False) -> Estimator:
    def estimate(target: Operand | None, args: Operands) -> Estimate | None:
        if not args:
            return None
        size = args[0].size
        return Estimate(scaled(size.most, factor), size if sized else None)

    return estimate


def _own_text(target: Operand | None, args: Operands) -> Estimate | None:
    return None if target is None else Estimate(scaled(target.size.most, TEXT), target.size)


def _replace(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None or len(args) < 2:
        return None
    own, old, new = target.size, args[0].size, args[1].size
    if old.least == 0:
        most_count, most_kept = min(own.most + 1, MOST), own.most
    elif new.most <= old.least:
        most_count, most_kept = 0, own.most
    else:
        most_count, most_kept = -(-own.most // old.least), 0
    if old.most == 0:
        least_count, least_kept = min(own.least + 1, MOST), own.least
    elif old.most <= new.least:
        least_count, least_kept = 0, own.least
    else:
        least_count, least_kept = -(-own.least // old.most), 0
    least = added(times(least_count, new.least), least_kept)
    most = added(times(most_count, new.most), most_kept)
    return Estimate(scaled(own.most, 2 * TEXT), Size(least, most))


def _split(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None:
        return None
    most = target.size.most
    if len(args) > 1 and isinstance(args[1].node, Literal):
        limit = args[1].node.value
        most = limit if limit >= 0 else MOST + 1 + limit
    return Estimate(scaled(target.size.most, 2 * TEXT), Size(0, most))


def _join(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None:
        return None
    count, size = target.size, Size(0, 0)
    if target.items is not None:
        size = count.times(target.items[1])
    if args:
        between = Size(max(count.least - 1, 0), max(count.most - 1, 0))
        size = size.plus(args[0].size.times(between))
    return Estimate(scaled(size.most, TEXT), size)


def _find(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None or not args:
        return None
    cost = times(scaled(added(target.size.most, 1), TEXT), scaled(args[0].size.most, PATTERN))
    return Estimate(cost, Size(0, target.size.most))


def _contains(*, network: bool, text: bool = False) -> Estimator:
    """A network's look at an address (or network): bytes of both, and the text the other may be."""

    def estimate(target: Operand | None, args: Operands) -> Estimate | None:
        cost = scaled(2 * _ADDRESS, TEXT) + (scaled(_ADDRESS, TEXT) + 1 if network else 0)
        return Estimate(added(cost, scaled(args[0].size.most, TEXT)) if text else cost)

    return estimate


def _validate(target: Operand | None, args: Operands) -> Estimate | None:
    return Estimate(scaled(scaled(args[0].size.most, TEXT), 128 * PATTERN)) if args else None


def _sets(factor: int) -> Estimator:
    def estimate(target: Operand | None, args: Operands) -> Estimate | None:
        return Estimate(added(scaled(times(args[0].size.most, args[1].size.most), factor), 1))

    return estimate


def _made(size: Size, factor: float = 1) -> Estimate:
    return Estimate(added(scaled(size.most, factor), 1 + LIST), size)


def _slice(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None:
        return None
    length = (args[1].literal(target.size.most) - args[0].literal(0)) % (MOST + 1)
    return _made(Size(length, length))


def _range(target: Operand | None, args: Operands) -> Estimate | None:
    length = args[0].literal(MOST)
    return _made(Size(length, length))


def _flatten(target: Operand | None, args: Operands) -> Estimate | None:
    return None if target is None else _made(target.size, args[0].literal(MOST) if args else 1)


def _reverse(target: Operand | None, args: Operands) -> Estimate | None:
    return None if target is None else _made(target.size)


def _compared(by_argument: bool = False) -> Estimator:
    """Every item of a list with every other."""

    def estimate(target: Operand | None, args: Operands) -> Estimate | None:
        items = args[0] if by_argument else target
        if items is None:
            return None
        factor = 2 + (TEXT if items.type.params and items.type.params[0].kind in _TEXTS else 0)
        return _made(items.size.times(items.size), factor)

    return estimate


def _distinct(target: Operand | None, args: Operands) -> Estimate | None:
    return None if target is None else _made(target.size.times(target.size), 2)


def _of_argument(target: Operand | None, args: Operands) -> Estimate | None:
    """A look at a prefix or suffix."""
    return Estimate(scaled(args[0].size.most, TEXT))


def _to_bytes(target: Operand | None, args: Operands) -> Estimate | None:
    size = args[0].size
    return Estimate(scaled(size.most, TEXT), Size(size.least, size.most * 4 & MOST))


def _from_bytes(target: Operand | None, args: Operands) -> Estimate | None:
    size = args[0].size
    return Estimate(scaled(size.most, TEXT), Size(size.least // 4, size.most))


def _quote(target: Operand | None, args: Operands) -> Estimate | None:
    size = args[0].size
    return Estimate(scaled(size.most, TEXT), Size(size.least + 2 & MOST, size.most * 2 + 2 & MOST))


def _in_list(target: Operand | None, args: Operands) -> Estimate | None:
    return Estimate(scaled(args[1].size.most, 1))


def _matches(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None:
        return None
    return Estimate(times(scaled(added(target.size.most, 1), TEXT), scaled(args[0].size.most, PATTERN)))


def _has_text(target: Operand | None, args: Operands) -> Estimate | None:
    if target is None:
        return None
    return Estimate(times(scaled(target.size.most, TEXT), scaled(args[0].size.most, TEXT)))


def _shorter(target: Operand | None, args: Operands) -> Estimate | None:
    """A comparison: no further than the shorter of two goes."""
    return Estimate(scaled(min(args[0].size.most, args[1].size.most), TEXT))


def _equals(target: Operand | None, args: Operands) -> Estimate | None:
    one, other = args
    if one.type == other.type:
        if one.type.name == "kubernetes.URL":
            return Estimate(scaled(other.computed.most, TEXT) if other.computed else 1)
        if one.type.name in _FIXED_EQUALITY:
            return Estimate(_FIXED_EQUALITY[one.type.name])
    return _shorter(target, args)


def _format(target: Operand | None, args: Operands) -> Estimate | None:
    return None if target is None else Estimate(scaled((target.computed or UNKNOWN).most, TEXT))


_ONES = [
    "masked",
    "prefixLength",
    "family",
    "isUnspecified",
    "isLoopback",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isGlobalUnicast",
    "format.named",
    "sign",
    "asInteger",
    "isInteger",
    "asApproximateFloat",
    "isGreaterThan",
    "isLessThan",
    "compareTo",
    "add",
    "sub",
    "major",
    "minor",
    "patch",
    "getScheme",
    "getHostname",
    "getHost",
    "getPort",
    "getEscapedPath",
    "getQuery",
]
BY_FUNCTION: Mapping[str, Estimator] = {
    **dict.fromkeys(_ONES, _one),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _search),
    "url": _argument(TEXT, sized=True),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _own_text),
    "replace": _replace,
    "split": _split,
    "join": _join,
    "find": _find,
    "findAll": _find,
    **dict.fromkeys(
        ("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _argument(TEXT)
    ),
    "ip.isCanonical": _argument(2 * TEXT),
    "containsIP": _contains(network=False),
    "containsCIDR": _contains(network=True),
    "validate": _validate,
    "sort": _compared(),
    "@sortByAssociatedKeys": _compared(by_argument=True),
}
BY_OVERLOAD: Mapping[str, Estimator] = {
    "equals": _equals,
    "not_equals": _shorter,
    "starts_with_string": _of_argument,
    "ends_with_string": _of_argument,
    "string_to_bytes": _to_bytes,
    "bytes_to_string": _from_bytes,
    "strings_quote": _quote,
    "in_list": _in_list,
    "matches_string": _matches,
    "contains_string": _has_text,
    **{f"{word}_{kind}": _shorter for word in _ORDERINGS for kind in _TEXTS},
    "cidr_ip": _one,
    "cidr_contains_ip_string": _contains(network=False, text=True),
    "cidr_contains_cidr_string": _contains(network=True, text=True),
    "string_to_ip": _argument(TEXT),
    "string_format": _format,
    "list_sets_contains_list": _sets(1),
    "list_sets_intersects_list": _sets(1),
    "list_sets_equivalent_list": _sets(2),
    "list_slice": _slice,
    "list_flatten": _flatten,
    "list_flatten_int": _flatten,
    "lists_range": _range,
    "list_reverse": _reverse,
    "list_distinct": _distinct,
}
