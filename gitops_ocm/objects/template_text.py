"""The text side of an AddOnTemplate: `{{NAME}}` in the JSON of its manifests.

Variables are put in as text, before anybody looks at the manifest as JSON: so a value may be a part of a
string, and one with a quotation mark breaks it. Which values there are is `decide.addons.template_values`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.objects.go_encoding import go_json
from gitops_ocm.objects.go_json import syntax_error
from gitops_ocm.objects.ref import Object

_START, _END = "{{", "}}"
_INTEGRAL = 2.0**53


def variables_in(manifest: Mapping[str, Any]) -> list[str]:
    """The names between braces in a manifest, in order, each once."""
    return list(dict.fromkeys(name for _, name in _pieces(go_json(manifest).decode()) if name is not None))


def substituted(manifest: Mapping[str, Any], values: Mapping[str, str]) -> Object:
    """A manifest with its variables replaced; ValueError says why that is none any more.

    An unknown name stands for nothing, as in OCM.
    """
    text = "".join(
        before + ("" if name is None else values.get(name, ""))
        for before, name in _pieces(go_json(manifest).decode())
    )
    try:
        found = json.loads(text, parse_float=_number, parse_constant=_no_number)
    except ValueError as error:
        raise ValueError(syntax_error(text.encode()) or str(error)) from error
    if not isinstance(found, dict):
        raise ValueError("the manifest is no object")
    if not found.get("kind"):
        raise ValueError(f"Object 'Kind' is missing in '{text}'")
    return found


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The text before each variable with its name, and the rest with none."""
    at = 0
    while (start := text.find(_START, at)) >= 0 and (end := text.find(_END, start + 2)) >= 0:
        yield text[at:start], text[start + 2 : end]
        at = end + 2
    yield text[at:], None


def _number(text: str) -> float | int:
    """A number as Go writes it again: without a fraction where there is none."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < _INTEGRAL else number


def _no_number(text: str) -> float:
    raise ValueError(f"invalid character '{text[0]}' looking for beginning of value")
