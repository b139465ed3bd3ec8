"""What `get` prints: a tree, a table, YAML or JSON, in the shapes that clusteradm prints.

The table is kubectl's (columns at least six wide, three spaces between), the tree has a line for each
object and its fields below it. Values are made by `listing` and its neighbours; this lays them out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.report.tables import plain, width
from gitops_ocm.report.yaml_text import to_yaml

GAP, NARROWEST = 3, 6


class Form(StrEnum):
    """`-o`."""

    TREE = "tree"
    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


Branch = Mapping[str, Any]
"""A node's children by name: another branch, or a value for a leaf."""


@dataclass(frozen=True)
class Listing:
    """What was asked for, in all the shapes it can be printed in."""

    root: str
    objects: Sequence[Object]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    tree: Branch

    def text(self, form: Form) -> str:
        """The whole of it in one form."""
        match form:
            case Form.TREE:
                return tree(self.root, self.tree)
            case Form.TABLE:
                return table(self.columns, self.rows)
            case Form.YAML:
                return yaml(self.objects)
            case Form.JSON:
                return json_list(self.objects)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as kubectl's printer writes them; an empty cell stays empty."""
    lines = [[column.upper() for column in columns]]
    lines += [[shown(value) for value in row] for row in rows]
    widths = [max(NARROWEST, *(width(line[at]) + GAP for line in lines)) for at in range(len(columns) - 1)]
    return "".join(_line(line, widths) + "\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=False)]
    return "".join([*padded, cells[-1]])


def tree(root: str, branch: Branch) -> str:
    """A tree of `<name> value` lines below the name of the kind."""
    return f"<{root}> \n" + "".join(f"{line}\n" for line in _branches(branch, ""))


def _branches(branch: Branch, indent: str) -> Iterable[str]:
    for number, (name, value) in enumerate(branch.items(), 1):
        last = number == len(branch)
        nested = isinstance(value, Mapping)
        text = "" if nested else shown(value)
        yield f"{indent}{'└── ' if last else '├── '}<{plain(name)}> {text}"
        if nested:
            yield from _branches(value, indent + ("    " if last else "│   "))


def yaml(objects: Sequence[Object]) -> str:
    """One document for each object."""
    return "---\n".join(to_yaml(obj) for obj in objects)


def json_list(objects: Sequence[Object]) -> str:
    """A `List`, as `kubectl get -o json` prints it."""
    whole = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(objects)}
    return json.dumps(whole, indent=4, ensure_ascii=False) + "\n"


def shown(value: Any) -> str:
    """A value as upstream's printer writes it: lists in brackets, booleans in lower case."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return f"[{' '.join(shown(item) for item in value)}]"
        case _:
            return plain(str(value))
