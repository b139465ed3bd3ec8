"""HTML as a value: elements whose text and attributes are escaped where they are made, and nowhere else.

Text comes from files of strangers. What is not `Markup` is text: characters that a reader could not see are
shown (`words.visible`), the rest is escaped. There is no way to write a name of an element or an attribute
that is not in this program.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from gitops_ocm.preview.formats.words import visible

_VOID = frozenset({"input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


NOTHING = Markup("")
Part = str | Markup | Iterable["Markup"]


def tag(name: str, /, *parts: Part, **attributes: str | int | bool) -> Markup:
    """An element. `class_` is `class`, `data_group` is `data-group`; False leaves an attribute out."""
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(start if name in _VOID else f"{start}{''.join(map(_text, parts))}</{name}>")


def joined(*parts: Part) -> Markup:
    """Parts one after the other."""
    return Markup("".join(map(_text, parts)))


def _attribute(key: str, value: str | int | bool) -> str:
    if value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'


def _text(part: Part) -> str:
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return escape(visible(part), quote=False)
    return "".join(part)
