"""Writes the field numbers of the built-in kinds: what the embedded hub needs to read protobuf bodies.

    .venv/bin/python tools/builtin_protobuf.py ~/go/pkg/mod/k8s.io v0.35.4

Go clients send built-in kinds as protobuf. From each package's `generated.proto` come numbers, names
and types, from its Go types whether a field is a pointer (so that its zero says something), from the
packaged definitions whether it is a field of its own in JSON or inlined. Facts only; no text is kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent.parent / "gitops_ocm" / "apiserver" / "builtin"
MODULES = ("api", "apimachinery", "apiextensions-apiserver", "kube-aggregator")
WITHOUT = re.compile(r"/v\d+(alpha|beta)\d+/|testapigroup|/extensions/|/imagepolicy/")
FIELD = re.compile(r"^\s+(?:(optional|repeated)\s+)?(map<(\w+), ?([.\w]+)>|[.\w]+)\s+(\w+)\s*=\s*(\d+);")
GO_FIELD = re.compile(r'^\s+(?:\w+\s+)?(\*?)[\w.\[\]*]+\s+`json:"(\w*)')


def fields(proto: Path) -> Iterator[tuple[str, list[list[object]]]]:
    """Messages of one file: full name, and (number, name, type, repeated or map) of each field."""
    package, message, found = "", "", []
    for line in proto.read_text("utf-8").splitlines():
        if line.startswith("package "):
            package = line.split()[1].rstrip(";")
        elif line.startswith("message "):
            message, found = line.split()[1], []
        elif line.startswith("}") and message:
            yield f"{package}.{message}", found
            message = ""
        elif message and (match := FIELD.match(line)):
            label, type_, _, value, name, number = match.groups()
            shape = "m" if type_.startswith("map<") else "r" if label == "repeated" else ""
            kind = value if shape == "m" else type_
            found.append([int(number), name, qualified(kind, package), shape])


def qualified(kind: str, package: str) -> str:
    """A type with its package; scalars as they are."""
    if kind.startswith("."):
        return kind[1:]
    return f"{package}.{kind}" if kind[0].isupper() else kind


def pointers(folder: Path) -> dict[str, set[str]]:
    """By Go type of a package: the JSON names of its pointer fields."""
    found: dict[str, set[str]] = {}
    for source in sorted(folder.glob("*types*.go")):
        struct = ""
        for line in source.read_text("utf-8").splitlines():
            if match := re.match(r"type (\w+) struct", line):
                struct = match[1]
            elif line.startswith("}"):
                struct = ""
            elif struct and (match := GO_FIELD.match(line)) and match[1]:
                found.setdefault(struct, set()).add(match[2])
    return found


def definition_of(message: str) -> str:
    """The OpenAPI name of a message: its first two parts turned round."""
    return message.replace("k8s.io.", "io.k8s.", 1).replace("_", "-")


def plain(name: str) -> str:
    """A name without what protobuf cannot say: `x-kubernetes-a` is `xKubernetesA` there."""
    return re.sub(r"\W", "", name).lower()


def main() -> None:
    """Read the modules below the folder named; write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder k8s.io of a Go module cache")
    parser.add_argument("version", help="the version of the modules (v0.35.4)")
    arguments = parser.parse_args()
    definitions = json.loads(gzip.decompress((TARGET / "definitions.json.gz").read_bytes()))
    messages: dict[str, list[list[object]]] = {}
    for module in MODULES:
        root = arguments.folder / f"{module}@{arguments.version}"
        for proto in sorted(root.rglob("generated.proto")):
            if WITHOUT.search(str(proto.relative_to(root))):
                continue
            marked = pointers(proto.parent)
            for name, found in fields(proto):
                known = definitions.get(definition_of(name), {}).get("properties")
                names = {plain(n): n for n in known or ()}
                for row in found:
                    inlined = known is not None and plain(str(row[1])) not in names and row[3] == ""
                    row[1] = names.get(plain(str(row[1])), row[1])
                    is_pointer = row[1] in marked.get(name.rpartition(".")[2], ())
                    row[3] = f"{row[3]}{'i' if inlined else ''}{'p' if is_pointer else ''}"
                messages[name] = found
    packed = gzip.compress(json.dumps(messages, separators=(",", ":")).encode(), mtime=0)
    (TARGET / "protobuf.json.gz").write_bytes(packed)
    sys.stdout.write(f"{len(messages)} messages, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
