"""The careful way to read one YAML document: every rule of kubectl's, and where everything stands.

The grammar is libyaml's event stream (through PyYAML), because go-yaml v2, which kubectl uses, is a
translation of libyaml; what scalars mean is `scalars`. Merge keys apply in the order written, as
go-yaml v2 has it. What kubectl lets pass and a person never means is refused: a key given twice,
text after `...`. Aliases share one value, and are counted as if they were copied. One thing is read
that kubectl refuses: JSON's escape `\\/`.

`yaml_fast` is the quick way for documents in which none of this matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml import events as ev
from yaml.cyaml import CParser

from gitops_ocm.desired import scalars

Path = tuple[str | int, ...]


class Position(NamedTuple):
    """Line and column, both 1-based, inside the text that was read."""

    line: int
    column: int


class YamlProblem(Exception):
    """One thing wrong with a document; `code` is a diagnostic's."""

    def __init__(self, code: str, message: str, at: Position, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.at, self.hint = code, message, at, hint


@dataclass(frozen=True)
class Limits:
    """How large a document may be before it is refused."""

    document_bytes: int = 2**20
    file_bytes: int = 5 * 2**20
    depth: int = 100
    alias_nodes: int = 100_000


LIMITS = Limits()


@dataclass
class Read:
    """A document: its value (None: nothing in it), and every problem found on the way.

    `positions` holds where each mapping's key and each list's item stands, if asked for.
    """

    value: Any = None
    empty: bool = True
    problems: list[YamlProblem] = field(default_factory=list)
    positions: dict[Path, Position] = field(default_factory=dict)


def read(text: str, *, limits: Limits = LIMITS, positions: bool = False) -> Read:
    """Read a text that holds at most one document. Never raises for what the text says."""
    result = Read()
    reader = _Reader(text, result, limits, positions)
    try:
        reader.stream()
    except YamlProblem as problem:
        result.problems.append(problem)
    except yaml.MarkedYAMLError as error:
        result.problems.append(_syntax(error))
    except yaml.YAMLError as error:  # A character YAML does not allow; the reader knows no line.
        position = getattr(error, "position", 0)
        line = text.encode()[:position].count(b"\n") + 1
        result.problems.append(
            YamlProblem("yaml-character", "control characters are not allowed", Position(line, 1))
        )
    except RecursionError:
        result.problems.append(_too_deep(limits, Position(1, 1)))
    return result


class _Anchored(NamedTuple):
    value: Any
    nodes: int
    height: int


_OPEN = _Anchored(None, -1, 0)
"""What an anchor names while its own value is still being read."""


class _Reader:
    def __init__(self, text: str, result: Read, limits: Limits, positions: bool) -> None:
        self._parser = CParser(text)
        self._result = result
        self._limits = limits
        self._positions = result.positions if positions else None
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = self._aliased = self._deepest = 0

    def stream(self) -> None:
        self._next()  # StreamStart
        event = self._next()
        if isinstance(event, ev.StreamEndEvent):
            return
        first = self._next()
        self._result.value = self._json(self._node(first, (), 1), first)
        self._result.empty = False
        self._next()  # DocumentEnd
        self._next()  # StreamEnd; anything else is a syntax error.

    def _next(self) -> Any:
        return self._parser.get_event()

    def _node(self, event: Any, path: Path, depth: int) -> Any:
        """The value that begins with this event. Scalars stay as YAML has them: see `_json`."""
        if type(event) is ev.AliasEvent:
            return self._alias(event, depth)
        self._nodes += 1
        if depth > self._limits.depth:
            raise _too_deep(self._limits, _at(event))
        anchor = event.anchor
        if anchor is None:
            self._deepest = max(self._deepest, depth)
            return self._content(event, path, depth)
        outer, before = self._deepest, self._nodes
        self._deepest = depth
        self._anchors[anchor] = _OPEN
        value = self._content(event, path, depth)
        self._anchors[anchor] = _Anchored(value, self._nodes - before + 1, self._deepest - depth)
        self._deepest = max(outer, self._deepest)
        return value

    def _content(self, event: Any, path: Path, depth: int) -> Any:
        if type(event) is ev.ScalarEvent:
            return self._scalar(event)
        if type(event) is ev.MappingStartEvent:
            return self._mapping(path, depth)
        return self._sequence(path, depth)

    def _alias(self, event: Any, depth: int) -> Any:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise YamlProblem("yaml-alias", f"unknown anchor '{event.anchor}' referenced", _at(event))
        if found is _OPEN:
            raise YamlProblem("yaml-alias", f"anchor '{event.anchor}' value contains itself", _at(event))
        self._aliased += found.nodes
        self._nodes += found.nodes
        if self._aliased > self._limits.alias_nodes:
            raise YamlProblem(
                "yaml-alias-bomb",
                f"the document's aliases stand for more than {self._limits.alias_nodes} values",
                _at(event),
                "write the values out, or generate the file",
            )
        if depth + found.height > self._limits.depth:
            raise _too_deep(self._limits, _at(event))
        self._deepest = max(self._deepest, depth + found.height)
        return found.value

    def _scalar(self, event: Any) -> Any:
        if event.tag is None:
            return scalars.plain(event.value) if event.implicit[0] else event.value
        try:
            return scalars.tagged(event.tag, event.value)
        except scalars.BadScalar as error:
            raise YamlProblem("yaml-value", str(error), _at(event)) from None

    def _json(self, value: Any, event: Any) -> Any:
        if type(value) is int or type(value) is float:
            try:
                return scalars.as_json(value)
            except scalars.BadScalar as error:
                self._result.problems.append(YamlProblem("yaml-value", str(error), _at(event)))
                return None
        return value

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        items: list[Any] = []
        while type(event := self._next()) is not ev.SequenceEndEvent:
            here = path
            if self._positions is not None:
                here = (*path, len(items))
                self._positions[here] = _at(event)
            items.append(self._json(self._node(event, here, depth + 1), event))
        return items

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        written: set[str] = set()
        while type(event := self._next()) is not ev.MappingEndEvent:
            if _is_merge(event):
                self._merge(values, depth)
                continue
            key = self._key(event, depth)
            if key in written:
                self._duplicate(key, event)
            written.add(key)
            here = path
            if self._positions is not None:
                here = (*path, key)
                self._positions[here] = _at(event)
            start = self._next()
            values[key] = self._json(self._node(start, here, depth + 1), start)
        return values

    def _key(self, event: Any, depth: int) -> str:
        try:
            return scalars.as_key(self._node(event, (), depth + 1))
        except scalars.BadScalar as error:
            raise YamlProblem("yaml-key", str(error), _at(event), _KEY_HINT) from None

    def _duplicate(self, key: str, event: Any) -> None:
        self._result.problems.append(
            YamlProblem(
                "yaml-duplicate-key",
                f"the key {key!r} is given twice in one mapping",
                _at(event),
                "keep one of them: kubectl takes the last, the API server refuses both",
            )
        )

    def _merge(self, into: dict[str, Any], depth: int) -> None:
        event = self._next()
        value = self._node(event, (), depth + 1)
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, Mapping) for source in sources):
            raise YamlProblem(
                "yaml-merge", "map merge requires map or sequence of maps as the value", _at(event)
            )
        for source in reversed(sources):  # Earlier ones win.
            into.update(source)


def _is_merge(event: Any) -> bool:
    return (
        type(event) is ev.ScalarEvent
        and event.value == "<<"
        and (event.implicit[0] or event.tag == scalars.MERGE)
    )


def _at(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


_KEY_HINT = "quote the key; `{{ … }}` of a template has to be filled in before it is committed"


def _too_deep(limits: Limits, at: Position) -> YamlProblem:
    return YamlProblem("yaml-too-deep", f"values are nested more than {limits.depth} levels deep", at)


def _syntax(error: yaml.MarkedYAMLError) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    at = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    message = error.problem or error.context or "not YAML"
    if "document start" in message:
        hint = "separate documents with `---`; kubectl drops what follows `...`, and has no %directives"
        return YamlProblem("yaml-document", "text outside of a document", at, hint)
    hint = "indent with spaces" if "cannot start any token" in message else ""
    return YamlProblem("yaml-syntax", message, at, hint)
