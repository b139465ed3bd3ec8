"""`gitops-ocm.yaml`: what of a repository is synced, as the repository itself says.

Everything has a default, so the file may be absent. Sections that belong to other parts (`preview`,
`policy`) are carried along as they are and judged where they are used. Which files the layout means
is `selection`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gitops_ocm.desired import documents
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Diagnostic, Location

FILE_NAME = "gitops-ocm.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SyncSection(_Strict):
    """`sync:` which files are desired state. Both take globs: `works/`, `clusters/*/`, `**/*.yaml`."""

    paths: tuple[str, ...] = ("hub/", "clusters/", "works/")
    ignore: tuple[str, ...] = ()


class Layout(_Strict):
    """The whole file."""

    api_version: Literal["config.gitops-ocm.io/v1alpha1"] = Field(
        "config.gitops-ocm.io/v1alpha1", alias="apiVersion"
    )
    kind: Literal["FleetRepository"] = "FleetRepository"
    metadata: dict[str, Any] = Field(default_factory=dict)
    sync: SyncSection = SyncSection()
    preview: dict[str, Any] = Field(default_factory=dict)
    policy: dict[str, Any] = Field(default_factory=dict)


DEFAULT = Layout.model_validate({})


def read_layout(data: bytes, path: str, commit: str) -> tuple[Layout, tuple[Diagnostic, ...]]:
    """The layout a file describes and what is wrong with it; the default where it cannot be read."""
    parsed = documents.parse(data)
    problems = [
        Diagnostic(p.code, p.message, Location(path, p.line, commit, p.column), hint=p.hint)
        for p in parsed.problems
    ]
    if len(parsed.documents) != 1:
        if not problems:
            why = f"the file holds {len(parsed.documents)} documents; it must hold one FleetRepository"
            problems.append(Diagnostic("layout-document", why, Location(path, 1, commit)))
        return DEFAULT, tuple(problems)
    document = parsed.documents[0]

    def place(at: Path) -> Location:
        line, column = documents.locate(data, document, at)
        return Location(path, line, commit, column)

    try:
        layout = Layout.model_validate(document.value)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            at = tuple(found["loc"])
            message, hint = _explained(at, found["type"], found["msg"])
            problems.append(Diagnostic("layout-invalid", message, place(at), hint=hint))
        return DEFAULT, tuple(problems)
    problems += [Diagnostic("layout-invalid", message, place(at)) for at, message in _bad_globs(layout.sync)]
    return layout, tuple(problems)


def _bad_globs(sync: SyncSection) -> Iterator[tuple[Path, str]]:
    for name, globs in (("paths", sync.paths), ("ignore", sync.ignore)):
        for index, glob in enumerate(globs):
            if not glob.strip() or (name == "paths" and (glob.startswith("/") or ".." in glob.split("/"))):
                yield ("sync", name, index), f"sync.{name}: {glob!r} is not a path inside the repository"


def _explained(at: Path, kind: str, message: str) -> tuple[str, str]:
    """pydantic's finding in our words: message and hint."""
    where = ".".join(map(str, at))
    if kind in ("tuple_type", "list_type"):
        return f"{where}: must be a list", ""
    if kind != "extra_forbidden":
        return f"{where}: {message[:1].lower()}{message[1:]}", ""
    fields = (
        {"sync": SyncSection}.get(str(at[0]), Layout).model_fields if len(at) > 1 else Layout.model_fields
    )
    known = [field.alias or name for name, field in fields.items()]
    return f"unknown key {where!r}", nearest(str(at[-1]), known) or f"known keys: {', '.join(known)}"
