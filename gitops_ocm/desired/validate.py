"""One object against what the hub knows: every problem, with the field it is about.

    for finding in object_findings(obj, catalog): ...

What only shows between objects (the same one twice) is `compile`'s; manifests inside ManifestWorks
are `works`'s, names that OCM makes others of `names`'s, rollout strategies `rollouts`'s, placements
`placements`'s, the fields of a schema `fields`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.api.fleet import (
    COMMIT_ANNOTATION,
    DIGEST_ANNOTATION,
    PATH_ANNOTATION,
    PRUNE_ANNOTATION,
    PRUNE_DISABLED,
    REQUESTED_AT_ANNOTATION,
    WAVE_ANNOTATION,
)
from gitops_ocm.desired import names, placements, rollouts, templates, works
from gitops_ocm.desired.fields import Finding, field_findings, head_findings
from gitops_ocm.desired.selection import IGNORE_FILE
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Severity
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.names import metadata_causes
from gitops_ocm.objects.ref import Resource, split_api_version
from gitops_ocm.objects.schema import Schema

_OURS = "sync.gitops-ocm.io/"
_MARKS = frozenset(
    {
        WAVE_ANNOTATION,
        PRUNE_ANNOTATION,
        REQUESTED_AT_ANNOTATION,
        # Of an object that was exported from a hub; the sync writes its own.
        PATH_ANNOTATION,
        COMMIT_ANNOTATION,
        DIGEST_ANNOTATION,
    }
)


_NO_OBJECT = f"every object names its kind; a file that holds none is left out by a {IGNORE_FILE}"
_KUSTOMIZATION = "commit what `kustomize build` writes; nothing is built here"


def object_findings(obj: Mapping[str, Any], catalog: Catalog) -> list[Finding]:
    """Everything wrong with an object, as far as it can be judged on its own."""
    found = head_findings(obj)
    if found:
        return found
    found = list(_identity(obj))
    if found:
        return found
    resource = catalog.resource(obj["apiVersion"], obj["kind"])
    if resource is None:
        return [_unknown_kind(obj, catalog)]
    found += _placed(obj, resource)
    found += _server_fields(obj)
    found += _marks(obj)
    schema = catalog.schema(obj["apiVersion"], obj["kind"])
    found += _by_schema(obj, schema) if schema is not None else ()
    found += names.name_findings(resource.of, obj) if not found else ()
    if works.carries_manifests(resource.group, resource.kind):
        found += works.work_findings(obj)
    if rollouts.rolls_out(resource.group, resource.kind) and not found:
        found += rollouts.strategy_findings(obj)
    if resource.of == (placements.GROUP, placements.KIND) and not found:
        found += placements.placement_findings(obj)
    if resource.of == (templates.GROUP, templates.KIND):
        found += templates.template_findings(obj)
    if resource.of == ("", "Secret"):
        found += _secret(obj)
    return found


def wave_of(obj: Mapping[str, Any]) -> int:
    """The wave an object asks for; 0 where it does not, or not with an integer."""
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(WAVE_ANNOTATION, "0")
    return int(text) if _is_wave(text) else 0


def _is_wave(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[+-]?[0-9]{1,6}", text) is not None


def _identity(obj: Mapping[str, Any]) -> Iterator[Finding]:
    for field in ("apiVersion", "kind"):
        if not obj.get(field):
            yield Finding("missing-field", f"the object has no {field}", (), _NO_OBJECT)
    meta = obj.get("metadata") or {}
    if not meta.get("name"):
        if meta.get("generateName"):
            why = "generateName would make a new object at every sync"
            yield Finding("missing-name", why, ("metadata", "generateName"), "give it a fixed metadata.name")
        else:
            hint = _KUSTOMIZATION if obj.get("kind") == "Kustomization" else "every object has a name"
            yield Finding("missing-name", "the object has no metadata.name", ("metadata",), hint)


def _unknown_kind(obj: Mapping[str, Any], catalog: Catalog) -> Finding:
    api_version, kind = obj["apiVersion"], obj["kind"]
    group, _ = split_api_version(api_version)
    resources = catalog.resources()
    versions = sorted({r.api_version for r in resources if r.kind == kind and r.group == group})
    elsewhere = sorted({r.api_version for r in resources if r.kind == kind})
    if versions or elsewhere:
        hint = f"{kind} is served as {', '.join(versions or elsewhere)}"
        path: Path = ("apiVersion",)
    else:
        hint = nearest(kind, {r.kind for r in resources if r.group == group})
        hint = hint or "add its CustomResourceDefinition to the repository, or install it on the hub"
        path = ("kind",)
    return Finding("unknown-kind", f"the hub does not serve {kind} ({api_version})", path, hint)


def _placed(obj: Mapping[str, Any], resource: Resource) -> Iterator[Finding]:
    """Name, namespace, labels and the rest of the metadata."""
    meta = obj["metadata"]
    if resource.namespaced and not meta.get("namespace"):
        why = f"a {resource.kind} lives in a namespace, and none is given"
        yield Finding("missing-namespace", why, ("metadata",), _namespace_hint(resource))
    elif not resource.namespaced and meta.get("namespace"):
        why = f"a {resource.kind} is cluster-scoped and cannot have a namespace"
        yield Finding("unexpected-namespace", why, ("metadata", "namespace"), "remove metadata.namespace")
    for cause in metadata_causes(meta, resource):
        if cause.field == "metadata.namespace" and cause.reason != "FieldValueInvalid":
            continue  # Said above, with the way out.
        yield Finding("invalid-metadata", f"{cause.field}: {cause.message}", _steps(cause.field))


def _namespace_hint(resource: Resource) -> str:
    if resource.group == works.GROUP and resource.kind == "ManifestWork":
        return "set metadata.namespace to the name of the managed cluster"
    return "set metadata.namespace"


def _server_fields(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """Fields an exported object has and a wish cannot: applying them fails or locks."""
    for field in ("managedFields", "resourceVersion", "uid", "deletionTimestamp"):
        if obj["metadata"].get(field):
            why = f"metadata.{field} is set by the server"
            yield Finding("server-field", why, ("metadata", field), "remove it; it came with an export")


def _marks(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """Our own annotations: a slip in one must not pass for its absence."""
    annotations = obj["metadata"].get("annotations") or {}
    at: Path = ("metadata", "annotations")
    for name, text in annotations.items():
        if not str(name).startswith(_OURS):
            continue
        if name not in _MARKS:
            hint = nearest(name, (WAVE_ANNOTATION, PRUNE_ANNOTATION)) or "remove it"
            yield Finding("unknown-mark", f"there is no annotation {name[:100]}", (*at, name), hint)
        elif name == WAVE_ANNOTATION and not _is_wave(text):
            why = f"the annotation {name} must be an integer of at most six digits, not {text!r}"
            yield Finding("bad-wave", why, (*at, name), 'for example "10"')
        elif name == PRUNE_ANNOTATION and isinstance(text, str) and text != PRUNE_DISABLED:
            why = f"the annotation {name} can only be {PRUNE_DISABLED!r}, not {text[:40]!r}"
            hint = (
                "with it the object stays when it leaves Git; remove the annotation to have it deleted then"
            )
            yield Finding("bad-prune", why, (*at, name), hint)


def _by_schema(obj: Mapping[str, Any], schema: Schema) -> Iterator[Finding]:
    found = field_findings(obj, schema)
    yield from found
    if any(f.code == "wrong-type" for f in found):
        return  # The schema's own checks would say the same again, in other words.
    for cause in schema.validate(schema.default(dict(obj))):
        if cause.field == "<nil>":
            continue  # Says only that some rules wait until the rest is right.
        text = f"{cause.field}: {cause.message}" if cause.field else cause.message
        yield Finding("invalid-field", text, _steps(cause.field))


def _secret(obj: Mapping[str, Any]) -> Iterator[Finding]:
    for field in ("data", "stringData"):
        if obj.get(field):
            yield Finding(
                "plain-secret",
                "a Secret's values are in the repository in clear text",
                (field,),
                "commits are for ever: keep secrets in a secret store, or seal them",
                Severity.WARNING,
            )
            return


_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\[([^\]]+)\]")


def _steps(field: str) -> Path:
    """`spec.a[0].b` as a path; enough to find the line, even where a key has dots."""
    return tuple(int(n) if n else name or key for name, n, key in _STEP.findall(field))
