"""JSONPath as Kubernetes has it, without the braces: what status feedback and ignored fields are named by.

Keys, quoted keys, positions, slices, `*`, `..` and filters with one comparison:
`.status.conditions[?(@.type=="Ready")].status`. A missing key yields nothing; a position outside a list is
an error. The looser reader of printer columns is a matter of the API server.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from gitops_ocm.errors import GitopsError

Select = Callable[[Any], Iterator[Any]]


class BadPath(GitopsError):
    """A path that cannot be read, or that names a position a list does not have."""

    code = "jsonpath"


class Unreadable(BadPath):
    """A path that is none; the others name what is not there."""


_SHOWN = 20
_TOKEN = re.compile(
    r"""(?P<deep>\.\.)(?=[^.])
      | \.(?P<all_fields>\*)
      | \.?(?P<field>(?:[^.\[\]\s'"?@(){}*,\\]|\\.)+)
      | \[\s*(?P<quote>['"])(?P<key>(?:(?!(?P=quote))[^\\]|\\.)*)(?P=quote)\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<all>\*)\s*\]
      | \[\s*(?P<start>-?\d*):(?P<stop>-?\d*)(?::(?P<step>-?\d*))?\s*\]
      | \[\s*\?\(\s*(?P<filter>.*?)\s*\)\s*\]
    """,
    re.VERBOSE,
)
_FILTER = re.compile(r"@(?P<left>[^=!<>\s]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.+))?")
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def find(path: str, value: Any) -> list[Any]:
    """Every value the path names, in order; raises `BadPath`."""
    found = [value]
    for select in _compiled(path):
        found = [item for value in found for item in select(value)]
    return found


def field_steps(path: str) -> Iterator[str]:
    """The keys of a path that names a field through maps only; raises `BadPath` for any other."""
    for match in _tokens(path):
        if match["field"] is None and match["key"] is None:
            raise BadPath(f"{path} does not name one field")
        yield _key(match)


def _tokens(path: str) -> list[re.Match[str]]:
    text = path.removeprefix("$")
    if not text.startswith((".", "[")):
        if found := re.match(r"\w+", text):
            raise BadPath(f"unrecognized identifier {found[0]}")
        raise Unreadable(f"unrecognized character in action: {text[:1]!r}")
    tokens: list[re.Match[str]] = []
    at = 0
    while at < len(text) and text != ".":
        match = _TOKEN.match(text, at)
        bare = match is not None and match["field"] is not None and text[at] != "."
        if match is None or (bare and not (tokens and tokens[-1]["deep"])):
            raise Unreadable(f"unterminated or unknown expression at {text[at:]!r}")
        tokens.append(match)
        at = match.end()
    return tokens


def _key(match: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", match["field"] if match["field"] is not None else match["key"])


@lru_cache(maxsize=1024)
def _compiled(path: str) -> tuple[Select, ...]:
    return tuple(_select(match) for match in _tokens(path))


def _select(match: re.Match[str]) -> Select:
    if match["deep"]:
        return _descendants
    if match["all"] or match["all_fields"]:
        return _children
    if match["index"] is not None:
        return _at(_number(match["index"]))
    if match["filter"] is not None:
        return _filter(match["filter"])
    if match["start"] is not None:
        bounds = slice(*(_number(match[n]) if match[n] else None for n in ("start", "stop", "step")))
        if bounds.step == 0:
            raise BadPath("step must be > 0")
        return lambda value: iter(value[bounds] if isinstance(value, list) else ())
    return _field(_key(match))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # a sign alone, or thousands of digits
        raise BadPath(f"invalid array index {text[:_SHOWN]}") from None


def _field(key: str) -> Select:
    def select(value: Any) -> Iterator[Any]:
        if isinstance(value, Mapping) and key in value:
            yield value[key]

    return select


def _at(index: int) -> Select:
    def select(value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            return
        if not -len(value) <= index < len(value):
            raise BadPath(f"array index out of bounds: index {index}, length {len(value)}")
        yield value[index]

    return select


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from (value[key] for key in sorted(value))
    elif isinstance(value, list):
        yield from value


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for child in _children(value):
        yield from _descendants(child)


def _filter(text: str) -> Select:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise Unreadable(f"unrecognized filter {text!r}")
    left, compare = _compiled(match["left"] or "."), _COMPARE.get(match["op"] or "")
    wanted = _literal(match["right"]) if compare else None

    def holds(item: Any) -> bool:
        found = [item]
        for select in left:
            found = [v for value in found for v in select(value)]
        if compare is None:
            return bool(found)
        return bool(found) and type(found[0]) is type(wanted) and bool(compare(found[0], wanted))

    def select_items(value: Any) -> Iterator[Any]:
        yield from (item for item in (value if isinstance(value, list) else ()) if holds(item))

    return select_items


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return json.loads(text)
    except ValueError as fault:
        raise Unreadable(f"unrecognized value {text!r} in a filter") from fault
