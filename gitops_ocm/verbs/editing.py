"""Changes to the text of a file of desired state that leave the rest of it as somebody wrote it.

Only the lines of the one document are made anew, by a YAML round trip that keeps comments, quotes and the
file's indentation; everything else stays byte for byte. The result is read again as the sync will read it,
and must say exactly what was meant. No files here: text in, text out.
"""

from __future__ import annotations

import difflib
import io
import json
import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from gitops_ocm.desired import documents
from gitops_ocm.desired.documents import Document
from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.verbs.voice import VerbError

_SEPARATOR = re.compile(r"^---.*\n?", re.MULTILINE)
_INDENTS = ((2, 2, 0), (2, 4, 2), (4, 4, 0), (4, 6, 2))
"""Mapping, sequence and dash offset of the styles people write: kubectl's first."""


class NotEditable(VerbError):
    """A file is written so that a program cannot change one object of it and leave the rest alone."""

    code = "not-editable"


def replaced(data: bytes, path: str, before: Object, after: Object) -> bytes:
    """The file with one object changed."""
    document, start, end, text = _place(data, path, ref_of(before))
    chunk = text[start:end]
    lead = chunk.lstrip()[:1]
    new = _json(chunk, after) if lead == "{" else _yaml(chunk, document.value, after)
    result = (text[:start] + new + text[end:]).encode()
    _check(data, result, path, ref_of(before), after)
    return result


def removed(data: bytes, path: str, ref: Ref) -> bytes | None:
    """The file without one object and the comments above it; None when nothing is left of it."""
    document, _, end, text = _place(data, path, ref)
    if len(documents.parse(data).documents) == 1:
        return None
    separators = [match.span() for match in _SEPARATOR.finditer(text)]
    start = _offset(text, document.line)
    before = [span for span in separators if span[1] <= start]
    if before:
        result = text[: before[-1][0]] + text[end:]
    else:
        after = next(span for span in separators if span[0] >= end)
        result = text[after[1] :]
    _check(data, result.encode(), path, ref, None)
    return result.encode()


def added(data: bytes | None, path: str, obj: Object) -> bytes:
    """The file, which may be new, with one more object at its end."""
    text = to_yaml(obj)
    if not data or not data.strip():
        return text.encode()
    if data.lstrip()[:1] in (b"{", b"["):
        raise _refused(path, 1, "it is JSON, which holds one object")
    result = data.rstrip() + b"\n---\n" + text.encode()
    _check(data, result, path, ref_of(obj), obj)
    return result


def _place(data: bytes, path: str, ref: Ref) -> tuple[Document, int, int, str]:
    """The document of an object, with the part of the text that is it."""
    for document in documents.parse(data).documents:
        if ref_of(document.value) == ref:
            break
    else:
        raise _refused(path, 0, f"{ref} was not found in it")
    if document.path:
        raise _refused(path, document.line, f"{ref} is an item of a list there")
    text = data.decode()
    start = _offset(text, document.line)
    following = _SEPARATOR.search(text, start)
    return document, start, following.start() if following else len(text), text


def _offset(text: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at


def _json(chunk: str, after: Object) -> str:
    indent = re.search(r"\n([ \t]+)\"", chunk)
    return json.dumps(after, indent=indent[1] if indent else None, ensure_ascii=False) + "\n"


def _yaml(chunk: str, before: Mapping[str, Any], after: Object) -> str:
    """The chunk with only those lines made anew that say something else, in its own style of indentation."""
    written = chunk.splitlines(keepends=True)
    best: tuple[int, str] | None = None
    for style in _INDENTS:
        yaml = _round_trip(*style)
        try:
            node = yaml.load(chunk)
        except YAMLError as error:
            raise NotEditable(f"the document cannot be read for editing: {error}") from None
        same = _dumped(yaml, node).splitlines(keepends=True)
        _alter(node, before, after)
        new = _dumped(yaml, node).splitlines(keepends=True)
        noise = sum(line != kept for line, kept in zip_longest(same, written))
        if best is None or noise < best[0]:
            best = noise, "".join(_merged(written, same, new))
    assert best is not None
    return best[1]


def _merged(written: list[str], same: list[str], new: list[str]) -> list[str]:
    """The new lines, but as they were `written` where the change is none: `same` is a dump without it."""
    if len(same) != len(written):
        return new
    lines: list[str] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, same, new, autojunk=False).get_opcodes():
        lines += written[i:j] if tag == "equal" else new[k:m]
    return lines


def _round_trip(mapping: int, sequence: int, offset: int) -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 2**20
    yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
    return yaml


def _dumped(yaml: YAML, node: Any) -> str:
    out = io.StringIO()
    yaml.dump(node, out)
    return out.getvalue()


def _alter(node: Any, before: Any, after: Any) -> None:
    """Bring `node`, which says `before`, to say `after`, touching nothing that is the same."""
    if isinstance(after, Mapping):
        for key in [key for key in node if key not in after]:
            del node[key]
        steps: list[Any] = list(after)
    else:
        del node[len(after) :]
        steps = list(range(len(after)))
    for step in steps:
        there = step in node if isinstance(after, Mapping) else step < len(node)
        was, new = (before[step] if there else None), after[step]
        if there and was == new and isinstance(was, bool) == isinstance(new, bool):
            continue
        if there and _same_shape(was, new) and _same_shape(node[step], new):
            _alter(node[step], was, new)
        elif there or isinstance(after, Mapping):
            node[step if there else _key(step)] = _node(new)
        else:
            node.append(_node(new))


def _same_shape(old: Any, new: Any) -> bool:
    return any(isinstance(old, shape) and isinstance(new, shape) for shape in (Mapping, list)) and bool(new)


def _node(value: Any) -> Any:
    """A new value as ruamel writes it, with strings quoted where YAML 1.1 would read something else."""
    match value:
        case Mapping():
            return CommentedMap((_key(key), _node(item)) for key, item in value.items())
        case list():
            return CommentedSeq(_node(item) for item in value)
        case str() if "\n" in value and value.endswith("\n") and not value.startswith((" ", "\n")):
            return LiteralScalarString(value)
        case str():
            return _key(value)
        case _:
            return value


def _key(text: str) -> str:
    """A text on one line, plain where YAML 1.1 reads it as that."""
    return DoubleQuotedScalarString(text) if to_yaml(text).startswith('"') else text


def _check(old: bytes, new: bytes, path: str, ref: Ref, wanted: Object | None) -> None:
    """The new text must say what the old one did, but for the one object."""
    parsed = documents.parse(new)
    is_now = {ref_of(d.value): d.value for d in parsed.documents}
    should = {ref_of(d.value): d.value for d in documents.parse(old).documents}
    should.pop(ref, None)
    if wanted is not None:
        should[ref] = wanted
    if parsed.problems or is_now != should:
        raise _refused(path, 0, "it is written in a way that a program would not change faithfully")


def _refused(path: str, line: int, why: str) -> NotEditable:
    return NotEditable(
        f"{path} cannot be edited here: {why}",
        where=Location(path, line),
        hint="make this change by hand, or write the object as a document of its own",
    )
