"""Manifests from a folder of YAML files with `{{NAME}}` in them, where no function is needed.

Names are the fields of the add-on's `Config` in capitals, and `ADDON_NAME`, `CLUSTER_NAME` and
`INSTALL_NAMESPACE`. They are replaced in the text, so a number stays one; what stands for no value is an
error, with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gitops_ocm.addon.definition import Config, Manifest, Request
from gitops_ocm.decide.addons.agent import AgentFailed
from gitops_ocm.desired.documents import parse
from gitops_ocm.errors import GitopsError

_VARIABLE = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")


def folder(path: Path | str) -> Callable[[Request[Any]], list[Manifest]]:
    """A manifest function of the `*.yaml` and `*.yml` files in a folder, in the order of their names."""
    root = Path(path)
    files = {
        file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(root.rglob("*"))
        if file.suffix in (".yaml", ".yml")
    }
    if not files:
        raise GitopsError(f"there are no manifests in {root}", hint="put YAML files there")

    def manifests(request: Request[Config]) -> list[Manifest]:
        values = values_of(request)
        return [found for name, text in files.items() for found in _rendered(name, text, values)]

    return manifests


def values_of(request: Request[Config]) -> Mapping[str, str]:
    """What there is to fill in."""
    named = {name.upper(): _text(value) for name, value in request.config.model_dump(mode="json").items()}
    fixed = {"ADDON_NAME": request.addon, "CLUSTER_NAME": request.cluster}
    return {**named, **fixed, "INSTALL_NAMESPACE": request.namespace}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _rendered(name: str, text: str, values: Mapping[str, str]) -> list[Manifest]:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            line = text.count("\n", 0, found.start()) + 1
            known = ", ".join(sorted(values))
            raise AgentFailed(f"{name}:{line}: {{{{{found[1]}}}}} has no value", hint=f"there are {known}")
        return values[found[1]]

    parsed = parse(_VARIABLE.sub(value, text).encode())
    if parsed.problems:
        problem = parsed.problems[0]
        raise AgentFailed(f"{name}:{problem.line}: {problem.message}", hint=problem.hint)
    return [document.value for document in parsed.documents]
