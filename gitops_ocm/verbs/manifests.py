"""Manifests that a person gives in files (`-f`), read as the sync reads them, problems with file and line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops_ocm.desired import documents
from gitops_ocm.errors import Diagnostic, DiagnosticsError, Location
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.output import yaml
from gitops_ocm.verbs.voice import VerbError

_SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


def read_manifests(names: Sequence[str], *, recursive: bool = False) -> list[Object]:
    """The objects of these files and folders, in order, lists taken apart; `-` is standard input."""
    found: list[Object] = []
    problems: list[Diagnostic] = []
    for name, data in _contents(names, recursive):
        parsed = documents.parse(data)
        problems += [
            Diagnostic(p.code, p.message, Location(name, p.line, "", p.column), hint=p.hint)
            for p in parsed.problems
        ]
        for document in parsed.documents:
            obj = document.value
            if obj.get("apiVersion") and obj.get("kind"):
                found.append(obj)
            else:
                why = "the document has no apiVersion or no kind"
                problems.append(Diagnostic("not-an-object", why, Location(name, document.line)))
    if problems:
        raise DiagnosticsError("the manifests cannot be used; nothing was written", problems)
    if not found:
        raise VerbError(f"there are no manifests in {', '.join(names)}", hint="check the path, or give -R")
    return found


def write_manifests(path: Path, objects: Sequence[Object]) -> None:
    """The objects as YAML in a file, for `--output-file`."""
    path.write_text(yaml(objects))


def _contents(names: Sequence[str], recursive: bool) -> Iterator[tuple[str, bytes]]:
    for name in names:
        path = Path(name)
        if name == STDIN:
            yield "standard input", sys.stdin.buffer.read()
        elif name.startswith(("http://", "https://")):
            raise VerbError(f"{name} is not fetched", hint=f"curl -fsSL {name} | ... -f -")
        elif path.is_dir():
            inside = sorted(path.rglob("*") if recursive else path.iterdir())
            yield from ((str(p), p.read_bytes()) for p in inside if p.is_file() and p.suffix in _SUFFIXES)
        elif path.exists():
            yield name, path.read_bytes()
        else:
            raise VerbError(f'the path "{name}" does not exist', hint="check -f")
