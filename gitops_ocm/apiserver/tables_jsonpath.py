"""The JSONPath of printer columns: `.spec.x`, `.items[0]`, `['a.b']`, `[*]`, `[?(@.type=="Ready")].status`.

It is the subset that CRDs may use, after client-go's `jsonpath` (which allows missing keys there).
A path is compiled once and then only walked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from gitops_ocm.errors import GitopsError

Step = Callable[[Any], Iterable[Any]]

_TOKEN = re.compile(
    r"""\.\.(?P<deep>[\w-]+)
      | \.(?P<field>(?:[^.\[\]\\'"?@()\s]|\\.)+)
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<all>\*)\s*\]
      | \[\s*(?P<from>-?\d*):(?P<to>-?\d*)\s*\]
      | \[\s*(?P<quote>['"])(?P<key>(?:(?!(?P=quote)).|\\.)*)(?P=quote)\s*\]
      | \[\s*\?\(\s*@(?P<left>[^=!<>\s]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>[^)]*?))?\s*\)\s*\]
    """,
    re.VERBOSE,
)

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class BadPath(GitopsError):
    """A JSONPath that cannot be read."""

    code = "jsonpath-invalid"


@lru_cache(maxsize=1024)
def compile_path(text: str) -> tuple[Step, ...]:
    """The steps of a path; `{…}` around it is allowed, a leading `$` too."""
    path = text.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    if path and path[0] not in ".[":
        path = "." + path
    steps: list[Step] = []
    at = 0
    while at < len(path) and path != ".":
        match = _TOKEN.match(path, at)
        if match is None:
            raise BadPath(f"JSONPath {text!r} is not understood at {path[at:]!r}")
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def find(path: str, obj: Any) -> list[Any]:
    """Everything the path leads to; what is missing leads nowhere."""
    values: list[Any] = [obj]
    for step in compile_path(path):
        values = [found for value in values for found in step(value)]
    return values


def _step(match: re.Match[str]) -> Step:
    part = match.groupdict()
    if part["field"] == "*" or part["all"]:
        return _every
    if part["field"] is not None:
        return _child(re.sub(r"\\(.)", r"\1", part["field"]))
    if part["key"] is not None:
        return _child(re.sub(r"\\(.)", r"\1", part["key"]))
    if part["deep"]:
        return lambda value: _deep(value, part["deep"])
    if part["index"]:
        return _slice(int(part["index"]), None, single=True)
    if part["left"] is not None:
        return _filter(part["left"], part["op"], part["right"])
    return _slice(int(part["from"] or 0), int(part["to"]) if part["to"] else None)


def _child(name: str) -> Step:
    def step(value: Any) -> Iterable[Any]:
        return (value[name],) if isinstance(value, dict) and name in value else ()

    return step


def _every(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _deep(value: Any, name: str) -> Iterable[Any]:
    if isinstance(value, dict) and name in value:
        yield value[name]
    for inner in _every(value):
        yield from _deep(inner, name)


def _slice(start: int, end: int | None, *, single: bool = False) -> Step:
    def step(value: Any) -> Iterable[Any]:
        if not isinstance(value, list):
            return ()
        if single:
            return (value[start],) if -len(value) <= start < len(value) else ()
        return value[start:end]

    return step


def _filter(left: str, op: str | None, right: str | None) -> Step:
    compile_path(left)
    expected = _literal(right or "")

    def step(value: Any) -> Iterable[Any]:
        for item in _every(value):
            found = find(left, item)
            if op is None:
                if found:
                    yield item
            elif found and type(found[0]) is type(expected) and _COMPARE[op](found[0], expected):
                yield item

    return step


def _literal(text: str) -> Any:
    if text[:1] in "'\"" and text[-1:] == text[:1]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return text
