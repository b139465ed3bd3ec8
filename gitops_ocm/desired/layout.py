"""`gitops-ocm.yaml`: what of a repository is synced, as the repository itself says.

Everything has a default, so the file may be absent. Which files the layout means is `selection`'s, what its
rules mean `policy`'s. `schema` describes the file for editors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError

from gitops_ocm.api.scalars import ScalarError, parse_duration
from gitops_ocm.desired import documents
from gitops_ocm.desired.policy import CHECKS, Duration, PolicySection, Strict
from gitops_ocm.desired.policy_checks import policy_faults
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Diagnostic, Location

FILE_NAME = "gitops-ocm.yaml"


class SyncSection(Strict):
    """`sync:` which files are desired state. Both take globs: `works/`, `clusters/*/`, `**/*.yaml`."""

    paths: tuple[str, ...] = ("hub/", "clusters/", "works/")
    ignore: tuple[str, ...] = ()


class PreviewSection(Strict):
    """`preview:` what a preview has to know that no branch tells: how the hub runs, how long clusters take.

    `rolloutCompat: ocm` where the hub runs with that option, or rolls out by OCM's own controllers;
    `assumeTakes` is how long a cluster takes until what it is given is available.
    """

    rollout_compat: Literal["", "ocm"] = ""
    assume_takes: Duration = "0s"


class Layout(Strict):
    """The whole file."""

    api_version: Literal["config.gitops-ocm.io/v1alpha1"] = Field(
        "config.gitops-ocm.io/v1alpha1", alias="apiVersion"
    )
    kind: Literal["FleetRepository"] = "FleetRepository"
    metadata: dict[str, Any] = Field(default_factory=dict)
    sync: SyncSection = SyncSection.model_construct()
    preview: PreviewSection = PreviewSection.model_construct()
    policy: PolicySection = PolicySection.model_construct()


DEFAULT = Layout.model_construct()
"""What holds without the file. Nothing is validated here, for that takes longer than reading most fleets."""


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
    problems += [
        Diagnostic("layout-invalid", f"preview.assumeTakes: {error.message}", place(at), hint=error.hint)
        for at, error in _bad_times(layout.preview)
    ]
    problems += [
        Diagnostic("policy-invalid", fault.message, place(("policy", *fault.path)), hint=fault.hint)
        for fault in policy_faults(layout.policy)
    ]
    rules = tuple(
        rule.written_at(place(("policy", "rules", index, "name")))
        for index, rule in enumerate(layout.policy.rules)
    )
    return layout.model_copy(update={"policy": PolicySection(rules=rules)}), tuple(problems)


def schema() -> dict[str, Any]:
    """The file as JSON Schema: what editors complete and check by. A rule says one thing."""
    found: dict[str, Any] = _untitled(Layout.model_json_schema())
    found["$defs"]["Rule"]["oneOf"] = [{"required": [check]} for check in CHECKS.values()]
    for part in (found, *found["$defs"].values()):
        part["description"] = " ".join(part["description"].replace("`", "").split())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _untitled(part: Any) -> Any:
    """Without the titles that pydantic makes of names."""
    if isinstance(part, list):
        return [_untitled(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {k: _untitled(v) for k, v in part.items() if k != "title" or not isinstance(v, str)}


def _bad_globs(sync: SyncSection) -> Iterator[tuple[Path, str]]:
    for name, globs in (("paths", sync.paths), ("ignore", sync.ignore)):
        for index, glob in enumerate(globs):
            if not glob.strip() or (name == "paths" and (glob.startswith("/") or ".." in glob.split("/"))):
                yield ("sync", name, index), f"sync.{name}: {glob!r} is not a path inside the repository"


def _bad_times(preview: PreviewSection) -> Iterator[tuple[Path, ScalarError]]:
    try:
        parse_duration(preview.assume_takes)
    except ScalarError as error:
        yield ("preview", "assumeTakes"), error


def _explained(at: Path, kind: str, message: str) -> tuple[str, str]:
    """pydantic's finding in our words: message and hint."""
    where = ".".join(map(str, at))
    if kind in ("tuple_type", "list_type"):
        return f"{where}: must be a list", ""
    if kind in ("model_type", "dict_type"):
        return f"{where}: must be a mapping", ""
    if kind != "extra_forbidden":
        text = message.removeprefix("Value error, ")
        return f"{where}: {text[:1].lower()}{text[1:]}", ""
    known = [field.alias or name for name, field in _section(at[:-1]).model_fields.items()]
    return f"unknown key {where!r}", nearest(str(at[-1]), known) or f"known keys: {', '.join(known)}"


def _section(at: Path) -> type[BaseModel]:
    """The model of the mapping at a path."""
    found: type[BaseModel] = Layout
    for step in at:
        for name, field in found.model_fields.items():
            if step in (name, field.alias):
                found = _model(field.annotation) or found
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model in `Rule`, `tuple[Rule, ...]` or `Rule | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model(part))), None)
