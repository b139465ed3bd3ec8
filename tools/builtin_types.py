"""Writes what Go's types say of the built-in kinds' fields, and OpenAPI does not: which are always there.

    .venv/bin/python tools/builtin_types.py $(go env GOMODCACHE)/k8s.io v0.35.4

A server answers from Go structs: a field without `omitempty` is there with its zero value, a scalar with
it is left out when it is zero, a struct is there in either case. One letter says it for a field; the file
(`fields.json.gz`, by definition name) is read by `runtime.catalog`, the letters by `objects.native_values`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TARGET = Path(__file__).parent.parent / "gitops_ocm" / "apiserver" / "builtin"
MODULES = ("api", "apimachinery", "apiextensions-apiserver", "kube-aggregator")
STRUCT = re.compile(r"^type (\w+) struct \{")
NAMED = re.compile(r"^type (\w+) ([\w.\[\]*]+)$")
FIELD = re.compile(r'^\s+(?:(\w+)\s+)?(\S+)\s+`json:"([\w-]*)((?:,\w+)*)"')
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
NUMBERS = {"int", "int32", "int64", "uint", "uint32", "uint64", "float32", "float64", "byte"}
# Structs that are written as something else than an object of their fields; `time` is `null` when it is zero.
SCALARS = {
    f"{META}.Time": "time",
    f"{META}.MicroTime": "time",
    f"{META}.Duration": "duration",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "number",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "time",
}
PACKAGES = {
    "metav1": META,
    "v1": "io.k8s.api.core.v1",
    "core": "io.k8s.api.core.v1",
    "corev1": "io.k8s.api.core.v1",
    "autoscalingv1": "io.k8s.api.autoscaling.v1",
    "resource": "io.k8s.apimachinery.pkg.api.resource",
    "intstr": "io.k8s.apimachinery.pkg.util.intstr",
    "runtime": "io.k8s.apimachinery.pkg.runtime",
    "types": "io.k8s.apimachinery.pkg.types",
}


@dataclass
class Types:
    """Every type of the modules: its fields where it is a struct, else what it is made of."""

    structs: dict[str, list[tuple[str, str, str, str]]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def read(self, folder: Path, package: str) -> None:
        """Take in the types of one package."""
        for source in sorted(folder.glob("*.go")):
            if source.name.endswith("_test.go") or source.name.startswith("zz_"):
                continue
            struct = ""
            for line in source.read_text("utf-8").splitlines():
                if found := STRUCT.match(line):
                    struct = f"{package}.{found[1]}"
                    self.structs[struct] = []
                elif line.startswith("}"):
                    struct = ""
                elif struct and (found := FIELD.match(line)):
                    self.structs[struct].append((found[1] or "", found[2], found[3], found[4]))
                elif found := NAMED.match(line):
                    self.named[f"{package}.{found[1]}"] = qualified(found[2], package)

    def kind(self, type_: str, package: str) -> str:
        """What a field of that type is: string, number, bool, list, pointer, struct, ..."""
        if type_.startswith("*"):
            return "pointer"
        if type_.startswith(("[", "map")):
            return "list"
        if type_ in ("string", "bool"):
            return type_
        if type_ in NUMBERS:
            return "number"
        name = qualified(type_, package)
        if name in SCALARS:
            return SCALARS[name]
        if name in self.structs:
            return "struct"
        if name in self.named:
            return self.kind(self.named[name], name.rpartition(".")[0])
        return "string" if name.startswith(PACKAGES["types"]) else "pointer"

    def letters(self, struct: str) -> dict[str, str]:
        """The letter of each JSON field that needs one."""
        package, found = struct.rpartition(".")[0], {}
        for _, type_, name, options in self.structs[struct]:
            if name == "" and "inline" in options:
                found.update(self.letters(qualified(type_.lstrip("*"), package)))
            elif letter := LETTERS.get((self.kind(type_, package), left_out(options))):
                found[name] = letter
        return found


def left_out(options: str) -> str:
    """When a field is left out: never, where it is empty (`omitempty`), or where it is zero."""
    return "zero" if "omitzero" in options else "empty" if "omitempty" in options else ""


LETTERS: Mapping[tuple[str, str], str] = {
    ("string", ""): "s", ("number", ""): "n", ("bool", ""): "b", ("quantity", ""): "q", ("duration", ""): "d",
    ("struct", ""): "o", ("struct", "empty"): "o", ("quantity", "empty"): "q", ("duration", "empty"): "d",
    ("list", ""): "l", ("pointer", ""): "p", ("time", ""): "p", ("time", "empty"): "p",
    ("string", "empty"): "z", ("number", "empty"): "z", ("bool", "empty"): "z",
    ("list", "empty"): "e",
}  # fmt: skip


def qualified(type_: str, package: str) -> str:
    """A type's name with its package, as OpenAPI writes it."""
    if type_ in NUMBERS or type_ in ("string", "bool") or not type_[0].isalpha() or type_.startswith("map["):
        return type_
    alias, dot, name = type_.rpartition(".")
    return f"{PACKAGES.get(alias, alias)}.{name}" if dot else f"{package}.{type_}"


def packages(root: Path, version: str) -> Iterator[tuple[Path, str]]:
    """The packages with API types, and their names in OpenAPI."""
    for module in MODULES:
        base = root / f"{module}@{version}"
        for folder in sorted({source.parent for source in base.rglob("*types*.go")}):
            path = folder.relative_to(base).as_posix().replace("/", ".")
            yield folder, f"io.k8s.{module}.{path}"


def main() -> None:
    """Read the modules below the folder named; write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder k8s.io of a Go module cache")
    parser.add_argument("version", help="the version of the modules (v0.35.4)")
    arguments = parser.parse_args()
    types = Types()
    for folder, package in packages(arguments.folder, arguments.version):
        types.read(folder, package)
    definitions = json.loads(gzip.decompress((TARGET / "definitions.json.gz").read_bytes()))
    found = {}
    for name, definition in definitions.items():
        properties = definition.get("properties", {})
        letters = types.letters(name) if name in types.structs else {}
        kept = {k: letter for k, letter in letters.items() if k in properties}
        if kept:
            found[name] = kept
    packed = gzip.compress(json.dumps(found, separators=(",", ":")).encode(), mtime=0)
    (TARGET / "fields.json.gz").write_bytes(packed)
    sys.stdout.write(f"{len(found)} definitions, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
