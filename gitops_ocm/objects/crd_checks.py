"""What a CustomResourceDefinition must be: its names, versions, columns and subresources.

A server judges a definition as it keeps it: what all versions share stands once, at the top, and is named
there in what is said of it (`spec.validation`, `spec.subresources`). Schemas are `crd_schemas`, what may
change is `crd_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.crd_cel import go_struct
from gitops_ocm.objects.crd_schemas import schema_causes
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import dns1035_problems, subdomain_problems
from gitops_ocm.objects.ref import Object

Versions = Sequence[Mapping[str, Any]]
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_SIMPLE_PATH = "must be a simple json path starting with ."
_MIXED_CASE = "may have mixed case, but should otherwise match: "
_VERSION_FIELDS = (
    ("Name", "name", ""),
    ("Served", "served", False),
    ("Storage", "storage", False),
    ("Deprecated", "deprecated", False),
    ("DeprecationWarning", "deprecationWarning", None),
    ("Schema", "schema", None),
    ("Subresources", "subresources", None),
    ("AdditionalPrinterColumns", "additionalPrinterColumns", None),
    ("SelectableFields", "selectableFields", None),
)
_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def definition_causes(crd: Object, old: Object | None) -> Iterator[Cause]:
    """Every field of the definition at fault; of one that is not new, the name is no longer looked at."""
    spec: Mapping[str, Any] = crd.get("spec") or {}
    names: Mapping[str, Any] = spec.get("names") or {}
    versions: Versions = spec.get("versions") or []
    if old is None:
        yield from _own_name(crd["metadata"].get("name") or "", spec, names)
    yield from _group_and_scope(spec)
    yield from _versions(versions)
    yield from _names(names)
    if old is None or old.get("spec") != spec:
        yield from _stored((crd.get("status") or {}).get("storedVersions") or [], versions)
    for where, version in _judged(versions):
        yield from _schema(version, where)
        yield from _subresources(version.get("subresources") or {}, where)
        yield from _columns(version.get("additionalPrinterColumns") or [], where)


def _own_name(name: str, spec: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[Cause]:
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        yield _invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


def _group_and_scope(spec: Mapping[str, Any]) -> Iterator[Cause]:
    group, scope = spec.get("group") or "", spec.get("scope") or ""
    if not group:
        yield _required("spec.group")
    elif problems := subdomain_problems(group):
        yield from (_invalid("spec.group", group, problem) for problem in problems)
    elif "." not in group:
        yield _invalid("spec.group", group, "should be a domain with at least one dot")
    if not scope:
        yield _required("spec.scope")
    elif scope not in ("Namespaced", "Cluster"):
        shown = canonical_json(scope).decode()
        text = f'Unsupported value: {shown}: supported values: "Cluster", "Namespaced"'
        yield Cause("FieldValueNotSupported", text, "spec.scope")


def _versions(versions: Versions) -> Iterator[Cause]:
    for at, version in enumerate(versions):
        for problem in dns1035_problems(version.get("name") or ""):
            yield _invalid(f"spec.versions[{at}].name", version.get("name") or "", problem)
    if len({v.get("name") for v in versions}) != len(versions):
        yield _invalid("spec.versions", _shown(versions), "must contain unique version names")
    if sum(bool(v.get("storage")) for v in versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield _invalid("spec.versions", _shown(versions), why)
    # The first version is kept as `spec.version` too, and judged there once more.
    for problem in dns1035_problems(versions[0].get("name") or "") if versions else ():
        yield _invalid("spec.version", versions[0].get("name") or "", problem)


def _shown(versions: Versions) -> list[dict[str, Any]] | None:
    """The versions as Go prints them: without what all of them share."""
    shared = _SHARED if len(versions) == 1 else ()
    return [
        {go: none if name in shared else version.get(name, none) for go, name, none in _VERSION_FIELDS}
        for version in versions
    ] or None


def _names(names: Mapping[str, Any]) -> Iterator[Cause]:
    for field in ("plural", "singular", "kind", "listKind"):
        name = names.get(field) or ""
        where = f"spec.names.{field}"
        if not name:
            yield _required(where)
        elif field in ("plural", "singular"):
            yield from (_invalid(where, name, problem) for problem in dns1035_problems(name))
        else:
            found = dns1035_problems(name.lower())
            yield from (_invalid(where, name, _MIXED_CASE + problem) for problem in found)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield _invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")


def _stored(stored: Sequence[str], versions: Versions) -> Iterator[Cause]:
    if not stored:
        yield _invalid("status.storedVersions", None, "must have at least one stored version")
    known = {version.get("name") for version in versions}
    for at, name in enumerate(stored):
        if name not in known:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                f"removes {name} from status.storedVersions"
            )
            yield _invalid(f"status.storedVersions[{at}]", name, why)


def _judged(versions: Versions) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each version and where it is judged: once, at the top, where all say the same."""
    parts = [{name: version.get(name) for name in _SHARED} for version in versions]
    if versions and all(part == parts[0] for part in parts):
        yield "spec", versions[0]
    else:
        yield from ((f"spec.versions[{at}]", version) for at, version in enumerate(versions))


def _schema(version: Mapping[str, Any], where: str) -> Iterator[Cause]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if isinstance(schema, Mapping):
        part = "validation" if where == "spec" else "schema"
        yield from schema_causes(schema, f"{where}.{part}.openAPIV3Schema")
    else:
        at = "spec.versions[0]" if where == "spec" else where
        text = "Required value: schemas are required"
        yield Cause("FieldValueRequired", text, f"{at}.schema.openAPIV3Schema")


def _subresources(subresources: Mapping[str, Any], where: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    for name in ("specReplicasPath", "statusReplicasPath"):
        path = scale.get(name) or ""
        if not path:
            yield _required(f"{where}.subresources.scale.{name}")
        elif not path.startswith("."):
            yield _invalid(f"{where}.subresources.scale.{name}", path, _SIMPLE_PATH)


def _columns(columns: Sequence[Mapping[str, Any]], where: str) -> Iterator[Cause]:
    for at, column in enumerate(columns):
        field = f"{where}.additionalPrinterColumns[{at}]"
        if not column.get("name"):
            yield _required(f"{field}.name")
        if not column.get("type"):
            text = f"Required value: must be one of {','.join(_COLUMN_TYPES)}"
            yield Cause("FieldValueRequired", text, f"{field}.type")
        elif column["type"] not in _COLUMN_TYPES:
            yield _invalid(f"{field}.type", column["type"], f"must be one of {','.join(_COLUMN_TYPES)}")
        if not column.get("jsonPath"):
            yield _required(f"{field}.JSONPath")
        elif not column["jsonPath"].startswith("."):
            yield _invalid(f"{field}.JSONPath", column["jsonPath"], _SIMPLE_PATH)


def _required(field: str) -> Cause:
    return Cause("FieldValueRequired", "Required value", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    shown = go_struct(value) if isinstance(value, (dict, list)) else canonical_json(value).decode()
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)
