"""The tree of an expression. The parser makes it, the checker notes types and overloads in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.cel.types import DYN, Type


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """Any part of an expression: where it stands, and what type it has once it is checked."""

    at: int
    type: Type = DYN


@dataclass(slots=True, eq=False)
class Literal(Node):
    """A constant."""

    value: Any


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable, or the name of a type."""

    name: str


@dataclass(slots=True, eq=False)
class Select(Node):
    """A field of what stands before the dot; with `test`, whether it is there.

    `qualified` is the name of a type it is in truth, with its dots.
    """

    operand: Node
    field: str
    test: bool = False
    qualified: str = ""


@dataclass(slots=True, eq=False)
class Call(Node):
    """A function or operator; `target` stands before the dot. `overloads` are those that may be meant."""

    function: str
    target: Node | None
    args: list[Node]
    overloads: tuple[str, ...] = ()

    @property
    def operands(self) -> list[Node]:
        """The target, if there is one, and the arguments."""
        return self.args if self.target is None else [self.target, *self.args]


@dataclass(slots=True, eq=False)
class Items(Node):
    """A list written out; the items at `optional` are left out where they have no value."""

    items: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Entry:
    """One entry of a map written out."""

    key: Node
    value: Node
    optional: bool


@dataclass(slots=True, eq=False)
class Entries(Node):
    """A map written out."""

    entries: list[Entry]


@dataclass(slots=True, eq=False)
class Message(Node):
    """A message written out (`Type{field: value}`): of no use where no types of messages are declared."""

    name: str
    values: list[Node]


@dataclass(slots=True, eq=False)
class Fold(Node):
    """A comprehension: what a macro stands for.

    `names` go over `range`, `accu` starts as `init` and becomes `step`, the whole is `result`. That is what
    types and costs are judged by; what it does is said by `macro` and its `parts`.
    """

    macro: str
    range: Node
    names: Sequence[str]
    accu: str
    init: Node
    condition: Node
    step: Node
    result: Node
    parts: Sequence[Node] = field(default_factory=tuple)
