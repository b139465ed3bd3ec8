"""What `get` prints has clusteradm's shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ruamel.yaml import YAML

from gitops_ocm.verbs.output import Form, Listing, table, tree

COLUMNS = ("Name", "Accepted", "Available", "ClusterSet", "CPU", "Memory", "Kubernetes Version")
# As clusteradm printed it for these clusters; trailing blanks included.
PRINTED = (
    "NAME   ACCEPTED   AVAILABLE   CLUSTERSET   CPU   MEMORY   KUBERNETES VERSION\n"
    "c1     true       Unknown     default      4     16Gi     v1.35.4\n"
    "c2     false                  default                     \n"
)


def test_a_table_is_byte_for_byte_upstreams() -> None:
    """Columns, widths, booleans and empty cells are as clusteradm prints them."""
    rows = [
        ("c1", True, "Unknown", "default", "4", "16Gi", "v1.35.4"),
        ("c2", False, "", "default", "", "", ""),
    ]
    assert table(COLUMNS, rows) == PRINTED


@pytest.mark.parametrize(
    ("cell", "shown"),
    [([], "[]"), (["a", "b"], "[a b]"), (None, ""), (3, "3"), ("a\x1b[31m\nb", "a [31m b")],
)
def test_cells(cell: Any, shown: str) -> None:
    """Lists stand in brackets, and what others wrote cannot paint the terminal."""
    assert table(("A", "B"), [("x", cell)]).splitlines()[1] == f"x     {shown}"


def test_a_tree() -> None:
    """Objects, their fields and nested fields are branches; names with dots stay whole."""
    text = tree("Work", {"c.1": {"w": {"Applied": "True", "Resources": {"pods": {"ns/a.b": "applied"}}}}})
    assert text == (
        "<Work> \n"
        "└── <c.1> \n"
        "    └── <w> \n"
        "        ├── <Applied> True\n"
        "        └── <Resources> \n"
        "            └── <pods> \n"
        "                └── <ns/a.b> applied\n"
    )


def test_objects_come_back_from_yaml_and_json() -> None:
    """`-o yaml` is a stream of the objects, `-o json` one List of them."""
    objects = [{"apiVersion": "v1", "kind": "X", "metadata": {"name": name}} for name in "ab"]
    listing = Listing("X", objects, ("Name",), [("a",), ("b",)], {})
    assert list(YAML(typ="safe").load_all(listing.text(Form.YAML))) == objects
    assert json.loads(listing.text(Form.JSON))["items"] == objects
