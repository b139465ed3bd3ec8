"""The documents of one file: values as kubectl would send them, each with its line.

    parsed = parse(data)
    for document in parsed.documents: document.value, document.line

A file is split at `---` lines as kubectl splits it, JSON is read as JSON, lists (`kind: List`) are
taken apart. What a document says is not judged here (`validate` does); that it can be read is. The
result depends on the bytes alone, so it is cached by blob id (`encode`, `decode`); whoever changes
what `parse` returns for some bytes changes `PARSER_VERSION` too. Where a field stands is found on
demand by `locate`, by reading the file again: most files have no problem to report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from gitops_ocm.desired import scalars, yaml_events, yaml_fast
from gitops_ocm.desired.yaml_events import LIMITS, Limits, Path, Position, YamlProblem

PARSER_VERSION = 2


class Problem(NamedTuple):
    """One reason why a file, or a part of it, cannot be read."""

    code: str
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One object: the line it begins on, the document it is in and its place inside that."""

    value: dict[str, Any]
    line: int
    index: int = 0
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's objects, and what could not be read of it."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Chunk(NamedTuple):
    """One document's text and the file's line it begins on."""

    text: str
    line: int


_SEPARATOR = re.compile(r"^---(.*)\n?", re.MULTILINE)
_BLANK = re.compile(r"(?:[ \t\r]*(?:#.*)?\n)*")
_LFS = b"version https://git-lfs.github.com/spec/"


def parse(data: bytes, limits: Limits = LIMITS) -> Parsed:
    """Read a file's bytes. Never raises for what they say."""
    if len(data) > limits.file_bytes:
        return too_large(len(data), limits)
    if data.startswith(_LFS):
        hint = "keep manifests in Git itself: `git lfs untrack` and commit the file again"
        return Parsed(problems=(Problem("lfs-pointer", "the file is a Git LFS pointer", 1, 1, hint),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        hint = "save it as UTF-8"
        return Parsed(problems=(Problem("file-encoding", "the file is not UTF-8 text", line, hint=hint),))
    if text.lstrip()[:1] == "{" and (values := _json(text, limits)) is not None:
        chunks = [(value, 1, index) for index, value in enumerate(values)]
        return _objects(chunks, text, [], limits)
    return _yaml(text, limits)


def too_large(size: int, limits: Limits) -> Parsed:
    """What is known of a file too large to be read."""
    why = f"the file has {size} bytes; the limit is {limits.file_bytes}"
    return Parsed(problems=(Problem("file-too-large", why, 0, 0, "split it"),))


def locate(data: bytes, document: Document, path: Path) -> Position:
    """Where in the file a field of a document's object stands, or what of its path there is."""
    text = data.decode("utf-8-sig", "replace")
    chunks = list(_chunks(text, []))
    if document.index >= len(chunks):  # A stream of JSON values on its own has no positions.
        return Position(document.line, 1)
    chunk = chunks[document.index]
    found = yaml_events.read(chunk.text, positions=True).positions
    whole = document.path + path
    for length in range(len(whole), 0, -1):
        if at := found.get(whole[:length]):
            return Position(at.line + chunk.line - 1, at.column)
    return Position(document.line, 1)


def encode(parsed: Parsed) -> bytes:
    """A parsed file as bytes for a cache."""
    documents = [[d.value, d.line, d.index, list(d.path)] for d in parsed.documents]
    return orjson.dumps([documents, [list(p) for p in parsed.problems]])


def decode(data: bytes) -> Parsed | None:
    """What `encode` wrote, or None if these are not its bytes."""
    try:
        documents, problems = orjson.loads(data)
        return Parsed(
            tuple(Document(value, line, index, tuple(path)) for value, line, index, path in documents),
            tuple(Problem(*problem) for problem in problems),
        )
    except (ValueError, TypeError):
        return None


def object_of(parsed: Parsed) -> dict[str, Any] | None:
    """The one object of a file; None where there are several, or a problem."""
    return parsed.documents[0].value if len(parsed.documents) == 1 and not parsed.problems else None


def encoded_object(obj: dict[str, Any] | None) -> bytes:
    """The one object of a file as bytes for a cache."""
    return orjson.dumps(obj)


def decoded_object(data: bytes) -> dict[str, Any] | None:
    """What `encoded_object` wrote, or None if these are not its bytes."""
    try:
        obj = orjson.loads(data)
    except ValueError:
        return None
    return obj if isinstance(obj, dict) else None


def _yaml(text: str, limits: Limits) -> Parsed:
    if not text.endswith("\n"):
        text += "\n"  # As kubectl does: it shows in a block scalar at the end.
    problems: list[Problem] = []
    values: list[tuple[Any, int, int]] = []
    for index, chunk in enumerate(_chunks(text, problems)):
        if len(chunk.text) > limits.document_bytes:
            why = f"the document is larger than the limit of {limits.document_bytes} bytes"
            problems.append(Problem("document-too-large", why, chunk.line))
            continue
        value = _value(chunk, limits, problems)
        if value is not None:
            values.append((value, chunk.line, index))
    return _objects(values, text, problems, limits)


def _value(chunk: _Chunk, limits: Limits, problems: list[Problem]) -> Any:
    """A chunk's value; None for a document that says nothing or cannot be read."""
    if limits.depth >= yaml_fast.MAX_DEPTH and yaml_fast.is_plain(chunk.text):
        try:
            return yaml_fast.read(chunk.text)
        except yaml_fast.NotPlain:
            pass  # The careful reader says what is wrong, and where.
    read = yaml_events.read(chunk.text, limits=limits)
    problems.extend(_placed(problem, chunk) for problem in read.problems)
    return None if read.problems else read.value


def _placed(problem: YamlProblem, chunk: _Chunk) -> Problem:
    line, column = problem.at
    return Problem(problem.code, problem.message, line + chunk.line - 1, column, problem.hint)


def _chunks(text: str, problems: list[Problem]) -> Iterator[_Chunk]:
    """The texts between `---` lines, each from its first line that says something."""
    line, start = 1, 0
    for match in _SEPARATOR.finditer(text) if text.startswith("---") or "\n---" in text else ():
        yield from _chunk(text[start : match.start()], line)
        line += text.count("\n", start, match.start())
        rest = match[1].strip()
        if rest and not rest.startswith("#"):
            why = f"text after the document separator `---`: {rest[:40]}"
            problems.append(Problem("yaml-separator", why, line, 4, "begin the document on the next line"))
        line, start = line + 1, match.end()
    yield from _chunk(text[start:], line)


def _chunk(text: str, line: int) -> Iterator[_Chunk]:
    blank = _BLANK.match(text)
    assert blank is not None
    said = text[blank.end() :]
    if said.strip() and not (said.lstrip().startswith("#") and "\n" not in said.strip()):
        yield _Chunk(said, line + text.count("\n", 0, blank.end()))


def _json(text: str, limits: Limits) -> list[Any] | None:
    """The values of a stream of JSON objects; None where it is not JSON, but perhaps YAML."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_float=lambda digits: scalars.as_json(float(digits)),
        parse_int=lambda digits: scalars.as_json(int(digits)),
        parse_constant=_refused,
    )
    values: list[Any] = []
    at = len(text) - len(text.lstrip())
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            values.append(value)
            at = len(text) - len(text[at:].lstrip())
    except (ValueError, RecursionError):
        return None
    return values if all(_depth(value) <= limits.depth for value in values) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is given twice")
    return value


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        inner = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, (dict, list))]
        level = [item for items in inner for item in items]
    return depth


def _objects(
    values: list[tuple[Any, int, int]], text: str, problems: list[Problem], limits: Limits
) -> Parsed:
    documents: list[Document] = []
    chunks: list[_Chunk] | None = None
    for value, line, index in values:
        if not isinstance(value, dict):
            shown = "a list" if isinstance(value, list) else f"the value {str(value)[:30]!r}"
            problems.append(Problem("not-an-object", f"the document is {shown}, not an object", line, 1))
        elif _is_list(value):
            if chunks is None:
                chunks = list(_chunks(text, []))
            positions: Mapping[Path, Position] = {}
            if index < len(chunks):
                positions = yaml_events.read(chunks[index].text, limits=limits, positions=True).positions
            documents += _items(Document(value, line, index), line - 1, positions, problems)
        else:
            documents.append(Document(value, line, index))
    return Parsed(tuple(documents), tuple(problems))


def _is_list(value: Mapping[str, Any]) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list)


def _items(
    whole: Document, before: int, positions: Mapping[Path, Position], problems: list[Problem]
) -> Iterator[Document]:
    """The objects of a list; those of a typed one (`ConfigMapList`) may leave out their kind.

    `before` is the number of lines of the file before the document that `positions` count from.
    """
    kind = whole.value["kind"].removesuffix("List")
    for number, item in enumerate(whole.value["items"]):
        path: Path = (*whole.path, "items", number)
        at = positions.get(path)
        line = at.line + before if at else whole.line
        if not isinstance(item, dict):
            problems.append(Problem("not-an-object", f"item {number} of the list is not an object", line))
            continue
        if kind and "kind" not in item:
            item = {"apiVersion": whole.value.get("apiVersion"), "kind": kind, **item}
        one = Document(item, line, whole.index, path)
        if _is_list(item):
            yield from _items(one, before, positions, problems)
        else:
            yield one
