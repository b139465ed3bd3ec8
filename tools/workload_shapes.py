"""Writes the fields of a Deployment and a DaemonSet as Go's types have them, small enough to be code.

    .venv/bin/python tools/workload_shapes.py

The source is the packaged catalog of built-in kinds; the target a table that pure code can read
(`objects.workload_values`). A test holds the one to the other.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from gitops_ocm.objects.schema import Schema
from gitops_ocm.runtime.catalog import load_catalog

TARGET = Path(__file__).parent.parent / "gitops_ocm" / "objects" / "workload_shapes.py"
HEAD = '''"""The fields of Deployments and DaemonSets by type. `tools/workload_shapes.py` makes it.

A line is a type and its fields as `name:letter type`; the letters are those of `objects.native_values`
(`-`: a pointer that may be absent). `[T]` is a list of T, `{T}` a map to T; S, I and B are text, integer and
boolean, Q a quantity, T a time, X a number or text, `*` anything.
"""

SHAPES = """\\
'''
_SCALARS = {"string": "S", "integer": "I", "boolean": "B"}
_NAMED = {"Quantity": "Q", "Time": "T", "IntOrString": "X", "FieldsV1": "*"}


def short(schema: Schema) -> str:
    """The name of a definition, without its package."""
    return schema.name.rpartition(".")[2]


def type_of(schema: Schema) -> str:
    """How a field's type is written."""
    if schema.name:
        return _NAMED.get(short(schema), short(schema))
    if schema.items is not None:
        return f"[{type_of(schema.items)}]"
    if schema.additional is not None:
        return f"{{{type_of(schema.additional)}}}"
    return _SCALARS[schema.type]


def collect(schema: Schema | None, found: dict[str, Schema]) -> None:
    """All definitions at and below a node."""
    if schema is None or short(schema) in found:
        return
    if schema.name and short(schema) not in _NAMED:
        found[short(schema)] = schema
    for name in schema.properties:
        collect(schema.field(name), found)
    collect(schema.items, found)
    collect(schema.additional, found)


def table() -> str:
    """The whole table, a paragraph for each type."""
    catalog, found = load_catalog(), dict[str, Schema]()
    for kind in ("Deployment", "DaemonSet"):
        collect(catalog.schema("apps/v1", kind), found)
    lines: list[str] = []
    for name, schema in sorted(found.items()):
        fields = [
            f"{field}:{schema.letters.get(field, '-')}{type_of(node)}"
            for field in sorted(schema.properties)
            if (node := schema.field(field)) is not None
        ]
        lines += textwrap.wrap(
            " ".join([name, *fields]),
            width=108,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def main() -> None:
    """Write the file."""
    TARGET.write_text(f'{HEAD}{table()}\n"""\n')


if __name__ == "__main__":
    main()
