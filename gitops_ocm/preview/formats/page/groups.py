"""Which clusters share what: the one block of data of the page, from which its scripts draw the grid.

A section that says something of clusters adds a `Group` and gives its element the group's `key`; a cluster's
details are the elements of its groups. So each thing is written once, and only by this program's renderers.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.preview.formats.page.markup import Markup
from gitops_ocm.preview.formats.words import SIGNS, WORDS, visible
from gitops_ocm.preview.model import Bystander, OnCluster

_NUMBER = re.compile("([0-9]+)")
KINDS = {
    **{word: (SIGNS[act], act.value, "count") for act, word in WORDS.items()},
    "selected now": ("+", "create", ""),
    "selected no more": ("-", "delete", ""),
    "configured otherwise": ("~", "change", ""),
    "failed": ("✗", "refused", "word"),
    "not reached": ("⊘", "warning", "word"),
    "under way": ("◐", "warning", "word"),
    "in progress from before": ("◐", "warning", "word"),
}
"""What the grid may be narrowed to: its sign, its style, and how a cluster in the grid is marked with it."""
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


Told = OnCluster | Bystander


@dataclass(frozen=True)
class Group:
    """Clusters and what is said of them.

    `about` is what it is a part of (a rollout, a placement), `kind` one of `KINDS`; search finds them by
    `placement`.
    """

    key: str
    title: str
    clusters: tuple[str, ...]
    about: str = ""
    kind: str = ""
    placement: str = ""


@dataclass
class Groups:
    """All groups of a page, in the order in which they are said."""

    _found: list[Group] = field(default_factory=list)

    def add(
        self, title: str, clusters: Iterable[str], *, about: str = "", kind: str = "", placement: str = ""
    ) -> Group:
        """A new group."""
        group = Group(f"g{len(self._found)}", title, tuple(clusters), about, kind, placement)
        self._found.append(group)
        return group

    def names(self, on: Iterable[Told]) -> list[str]:
        """All clusters that anything is said of."""
        return sorted({c.name for c in on}.union(*(g.clusters for g in self._found)), key=in_order)

    def block(self, on: Sequence[Told]) -> Markup:
        """The data, as JSON that nothing in it can end."""
        names = self.names(on)
        numbers = {name: number for number, name in enumerate(names)}
        sets = sorted({name for cluster in on for name in cluster.sets}, key=in_order)
        set_numbers = {name: number for number, name in enumerate(sets)}
        of = {cluster.name: [set_numbers[name] for name in cluster.sets] for cluster in on}
        texts: dict[str, int] = {}
        groups = [
            [
                *(texts.setdefault(visible(text), len(texts)) for text in _texts(group)),
                members([numbers[name] for name in group.clusters], len(names)),
            ]
            for group in self._found
        ]
        return _json(
            {
                "sets": list(map(visible, sets)),
                "clusters": [[visible(name), of.get(name, [])] for name in names],
                "texts": list(texts),
                "groups": groups,
                "kinds": KINDS,
            }
        )


def _texts(group: Group) -> tuple[str, ...]:
    return group.title, group.about, group.kind, group.placement


def members(numbers: Sequence[int], of: int) -> list[int] | str:
    """Which clusters these are: their numbers, or a map of bits in base64 where that is shorter."""
    if len(numbers) * len(str(of)) < of / 6:
        return sorted(numbers)
    bits = bytearray(of // 8 + 1)
    for number in numbers:
        bits[number // 8] |= 1 << number % 8
    return b64encode(bits).decode()


def in_order(name: str) -> list[tuple[str, int, str]]:
    """A key that puts `c2` before `c10`."""
    parts = _NUMBER.split(name)
    return [
        (text, len(digits), digits)
        for text, digits in zip(parts[::2], [*(part.lstrip("0") for part in parts[1::2]), ""], strict=True)
    ] + [(name, 0, "")]


def _json(document: dict[str, Any]) -> Markup:
    text = json.dumps(document, separators=(",", ":"))
    return Markup("".join(_UNSAFE.get(character, character) for character in text))
