"""Golden pages without the style and scripts that all pages share: those stand there by their files' names.

`bare(page)` is what is kept and read as a diff, `whole(kept)` the page again, byte for byte, for a browser.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

_STYLE = ("page.css", "sections.css", "clusters.css")
_SCRIPTS = (("folds.js",), ("folds.js", "fleet.js", "grid.js", "detail.js", "finder.js"))


def bare(page: str) -> str:
    """The page with names in place of what its style and script hold, and of their hashes."""
    for element, name, content in _shared():
        page = page.replace(f"<{element}>{content}</{element}>", f"<{element}>{name}</{element}>")
        page = page.replace(_hash(content), f"{name}'s hash")
    return page


def whole(kept: str) -> str:
    """The page that `bare` was given."""
    for element, name, content in _shared():
        kept = kept.replace(f"<{element}>{name}</{element}>", f"<{element}>{content}</{element}>")
        kept = kept.replace(f"{name}'s hash", _hash(content))
    return kept


def _shared() -> list[tuple[str, str, str]]:
    """Element, name and content of each."""
    scripts = [("script", _named(names), _script("".join(map(_read, names)))) for names in _SCRIPTS]
    return [("style", _named(_STYLE), "".join(map(_read, _STYLE))), *scripts]


def _named(names: tuple[str, ...]) -> str:
    return f"{{{{{' '.join(names)}}}}}"


def _script(text: str) -> str:
    return f'"use strict";\n(() => {{\n{text}}})();\n'


def _read(name: str) -> str:
    return (files("gitops_ocm.preview.formats.page") / name).read_text("utf-8")


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
