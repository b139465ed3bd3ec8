"""What can be said of an expression's constants before it runs: times, patterns and formats that are none.

Also refused are lists and maps written out whose entries differ in type, except as arguments of `format`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.objects.cel import formatting, regexes, times
from gitops_ocm.objects.cel.faults import EvalError, Issue
from gitops_ocm.objects.cel.functions import IMPLEMENTATIONS
from gitops_ocm.objects.cel.program import CONVERSIONS
from gitops_ocm.objects.cel.tree import Call, Entries, Fold, Items, Literal, Message, Node, Select
from gitops_ocm.objects.cel.types import Type, unwrapped


def problems(root: Node) -> Iterator[Issue]:
    """What the checks that follow the types refuse, each with its place."""
    calls = [node for node in walk(root) if isinstance(node, Call)]
    for name, reads in (("duration", times.duration), ("timestamp", times.moment)):
        for call in calls:
            if call.function == name and call.args and not _read_by(reads, call.args[0]):
                yield Issue(call.args[0].at, f"invalid {name} argument")
    for call in calls:
        if call.function == "matches" and call.args and not _read_by(regexes.compiled, call.args[0]):
            yield Issue(call.args[0].at, "invalid matches argument")
    yield from _mixed(root)
    yield from format_problems(root)


def format_problems(root: Node) -> Iterator[Issue]:
    """Formats written out that their arguments do not fit: refused everywhere."""
    for node in walk(root):
        if isinstance(node, Call):
            yield from _format(node)


def unfoldable(root: Node) -> str:
    """Why a call of constants alone has no value, so that no program can be made; `""` where all have."""
    for call in walk(root):
        if not isinstance(call, Call):
            continue
        try:
            if call.function in ("find", "findAll") and isinstance(call.args[0], Literal):
                regexes.compiled(call.args[0].value)
            elif (
                call.function in CONVERSIONS
                and len(call.overloads) == 1
                and isinstance(call.args[0], Literal)
            ):
                IMPLEMENTATIONS[call.overloads[0]](call.args[0].value)
        except (EvalError, ValueError) as error:
            return str(error)
    return ""


def walk(node: Node) -> Iterator[Node]:
    """A tree's parts, each before its own parts."""
    yield node
    for part in _parts(node):
        yield from walk(part)


def _parts(node: Node) -> list[Node]:
    match node:
        case Select():
            return [node.operand]
        case Call():
            return node.operands
        case Items():
            return node.items
        case Entries():
            return [part for entry in node.entries for part in (entry.key, entry.value)]
        case Message():
            return node.values
        case Fold():
            return [node.range, node.init, node.condition, node.step, node.result]
    return []


def _read_by(read: object, arg: Node) -> bool:
    if not isinstance(arg, Literal) or not isinstance(arg.value, str):
        return True
    try:
        read(arg.value)  # type: ignore[operator]
    except ValueError:
        return False
    return True


def _mixed(node: Node, exempt: bool = False) -> Iterator[Issue]:
    """Entries of one literal that differ in type."""
    if isinstance(node, Call) and node.function == "format":
        exempt = True
    if not exempt and isinstance(node, Items):
        yield from _same([(item, at in node.optional) for at, item in enumerate(node.items)])
    if not exempt and isinstance(node, Entries):
        yield from _same([(entry.key, False) for entry in node.entries], every=True)
        yield from _same([(entry.value, entry.optional) for entry in node.entries], every=True)
    for part in _parts(node):
        yield from _mixed(part, exempt)


def _same(nodes: list[tuple[Node, bool]], *, every: bool = False) -> Iterator[Issue]:
    """The first part whose type is another than the first's, or all of those."""
    first: Type | None = None
    for node, optional in nodes:
        type_ = unwrapped(node.type)[0] if optional else node.type
        if first is None:
            first = type_
        elif first != type_:
            yield Issue(node.at, f"expected type '{first}' but found '{type_}'")
            if not every:
                return


def _format(call: Call) -> Iterator[Issue]:
    """A format written out, held against the arguments written out."""
    if call.function != "format" or len(call.args) != 1:
        return
    text, args = call.target, call.args[0]
    if not (isinstance(text, Literal) and isinstance(text.value, str) and isinstance(args, Items)):
        return
    wanted = 0
    try:
        for clause in formatting.clauses(text.value):
            if isinstance(clause, str):
                continue
            wanted += 1
            if wanted > len(args.items):
                raise ValueError(f"index {wanted - 1} out of range")
            arg = args.items[wanted - 1]
            if why := formatting.refusal(clause, arg.type):
                yield Issue(arg.at, why)
                return
    except ValueError as error:
        yield Issue(call.at, str(error))
        return
    if len(args.items) > wanted:
        found = len(args.items)
        yield Issue(call.at, f"too many arguments supplied to string.format (expected {wanted}, got {found})")
