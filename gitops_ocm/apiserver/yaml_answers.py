"""Documents as YAML answers, laid out as Kubernetes' own YAML writer lays them out.

Text that YAML would read as something else is in double quotes, text of several lines is a literal block,
lists are not indented below their key, and nothing is an anchor or an alias.
"""

from __future__ import annotations

from typing import Any

import yaml

_STRING = "tag:yaml.org,2002:str"
_FLAGS = frozenset({"y", "Y", "n", "N"})
"""Texts that are booleans to the letter of YAML 1.1, if not to PyYAML."""
_NULL = "tag:yaml.org,2002:null"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML tells no types
    """PyYAML's, with Kubernetes' ways."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None
    if text in _FLAGS or dumper.resolve(yaml.ScalarNode, text, (True, False)) != _STRING:
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar(_STRING, text, style=style)


def _null(dumper: _Dumper, _: None) -> yaml.Node:
    return dumper.represent_scalar(_NULL, "null")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _null)


def to_yaml(document: Any) -> bytes:
    """The document, with its keys sorted."""
    text: str = yaml.dump(document, Dumper=_Dumper, default_flow_style=False, allow_unicode=True)
    return text.encode()
