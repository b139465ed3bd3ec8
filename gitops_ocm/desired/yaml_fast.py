"""The quick way to read one YAML document, for those that mean the same to every YAML parser.

A Rust parser reads a manifest some ten times faster than `yaml_events`, but by YAML 1.2. `is_plain`
says of a text, conservatively, that nothing in it is read differently by kubectl: no anchors, tags,
merge keys, directives or tabs, no word or number that YAML 1.1 or go-yaml reads otherwise, no key
that is not text, nothing nested so deep that a recursive parser could run out of stack. A false
alarm costs a fraction of a millisecond; `tests/desired` hold both ways against each other.
"""

from __future__ import annotations

import re
from typing import Any

import ryaml


class NotPlain(Exception):
    """The quick parser refused the text: the careful one says why, or reads it after all."""


MAX_DEPTH = 100
"""No text that passes the scan nests deeper: a level takes a column or one of few inline marks."""

_START = r"(?:^[ ]*|[:-][ ]+|[\[{,][ ]*)"
"""Where a plain scalar or an indicator can begin."""

_END = r"[ ]*(?:$|[,\]}]|[ ]\#)"
"""Where a plain scalar that is a value can end."""

_UNUSUAL = re.compile(
    rf"""
      [^\n\x20-\x7e]                       # tabs, carriage returns, control and non-ASCII characters
    | ^[ ]{{80}} | (?:-[ ]+){{4}}           # deep nesting in blocks
    | \[[^\]\n]*(?:\[|:[ ]|$) | {{[ ]*[^}}\s]  # flow sequences that are not simple; flow mappings
    | ^(?:%|---|\.\.\.)                   # directives and document markers
    | ["'][ ]*:[^ \n]                      # "key":value
    | \\[^\\"nt\n]                         # escapes beyond the plainest
    | {_START}(?:
        [&*!?@`%]                         # anchors, aliases, tags, explicit keys, reserved
      | <<
      | (?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)(?:{_END}|[ ]*:)
      | (?:true|True|TRUE|false|False|FALSE|null|Null|NULL|~)[ ]*:
      | (?!(?:0|-?[1-9][0-9]{{0,17}}|[0-9]+(?:\.[0-9]+){{2,}}){_END})
        [-+]?\.?[0-9][0-9a-fA-FxXoO_.:+-]*(?:{_END}|[ ]*:)  # numbers; plain integers and 1.2.3 are fine
      | [-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)
    )
    """,
    re.MULTILINE | re.VERBOSE,
)


_WORDS = "[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE|null|Null|NULL"

_ORDINARY = re.compile(
    rf"""
    ^[ ]{{0,79}}+ (?:
        \#[ -~]*+                                                     # a comment
      | (?:-[ ])?+
        (?:(?!(?:{_WORDS}):)[A-Za-z][A-Za-z0-9_./-]*+:(?=[ \n]))?+     # a key
        [ ]?+
        (?:
            (?!(?:{_WORDS})$)[A-Za-z/][A-Za-z0-9_./@=-]*+(?::[A-Za-z0-9_./@=-]++)*+
            (?:(?:,?[ ]|,)[A-Za-z0-9_./@%+=()-]++)*+                   # more words
          | "[ !\#-\[\]-~]*+"
          | true | false | 0 | [1-9][0-9]{{0,17}}
        )?+
    ) (?:\n|\Z)
    """,
    re.MULTILINE | re.VERBOSE,
)
"""A line that is plain whatever stands around it; most lines of most manifests are."""


def is_plain(text: str) -> bool:
    """Whether every YAML parser, of 1.1 or 1.2, must read the same from this text.

    Every rule of `_UNUSUAL` is about one line, and it is slow: so lines seen to be ordinary by a
    quicker expression are taken out first.
    """
    return _UNUSUAL.search(_ORDINARY.sub("", text)) is None


def read(text: str) -> Any:
    """The value of a text that `is_plain`; `NotPlain` where the parser objects."""
    try:
        return ryaml.loads(text)  # type: ignore[attr-defined]
    except ryaml.InvalidYamlError as error:  # type: ignore[attr-defined]
        raise NotPlain(str(error)) from None
