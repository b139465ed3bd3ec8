"""What a CustomResourceDefinition must be: its names, versions, columns and subresources.

A server judges a definition as it keeps it: what all versions share stands once, at the top, and is named
there in what is said of it (`spec.validation`, `spec.subresources`). Schemas are `crd_schemas`, what may
change is `crd_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.crd_cel import go_struct
from gitops_ocm.objects.crd_conversion import conversion_causes
from gitops_ocm.objects.crd_schemas import schema_causes
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import dns1035_problems, subdomain_problems
from gitops_ocm.objects.ref import Object

Versions = Sequence[Mapping[str, Any]]
_NO_VERSIONS: Versions = []
"""Where there is no list at all, which Go tells from an empty one."""
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
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_LONGEST_WARNING, _MOST_SELECTABLE = 256, 8
_APPROVED = "api-approved.kubernetes.io"
_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def definition_causes(crd: Object, old: Object | None) -> Iterator[Cause]:
    """Every field of the definition at fault; of one that is not new, the name is no longer looked at."""
    spec: Mapping[str, Any] = crd.get("spec") or {}
    names: Mapping[str, Any] = spec.get("names") or {}
    versions: Versions = _NO_VERSIONS if spec.get("versions") is None else spec["versions"]
    if old is None:
        yield from _own_name(crd["metadata"].get("name") or "", spec, names)
    shared = _shared(versions)
    yield from _group_and_scope(spec)
    for at, version in enumerate(versions):
        own = {name: part for name, part in version.items() if name not in shared}
        yield from _version(own, f"spec.versions[{at}]", version)
    yield from _all_versions(versions, shared)
    yield from _names(names)
    if versions:
        top = {name: versions[0].get(name) for name in shared}
        yield from _parts(top, "spec", versions[0])
    yield from conversion_causes(spec.get("conversion") or {"strategy": "None"})
    yield from _frozen(spec, old)
    if old is None or old.get("spec") != spec:
        yield from _stored((crd.get("status") or {}).get("storedVersions") or [], versions)
    yield from _approval(crd, old)
    if spec.get("preserveUnknownFields") and not ((old or {}).get("spec") or {}).get("preserveUnknownFields"):
        why = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema "
            "instead"
        )
        yield _invalid("spec.preserveUnknownFields", True, why)


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


def _shared(versions: Versions) -> frozenset[str]:
    """What all versions say alike, which a server keeps once for all of them."""
    return frozenset(
        name for name in _SHARED if all(v.get(name) == versions[0].get(name) for v in versions) and versions
    )


def _version(own: Mapping[str, Any], where: str, version: Mapping[str, Any]) -> Iterator[Cause]:
    for problem in dns1035_problems(version.get("name") or ""):
        yield _invalid(f"{where}.name", version.get("name") or "", problem)
    warning = version.get("deprecationWarning")
    if warning is not None:
        for problem in _warning_problems(warning, deprecated=bool(version.get("deprecated"))):
            yield _invalid(f"{where}.deprecationWarning", warning, problem)
    yield from _parts(own, where, version)


def _warning_problems(text: str, *, deprecated: bool) -> Iterator[str]:
    if not deprecated:
        yield "can only be set for deprecated versions"
        return
    if len(text.encode()) > _LONGEST_WARNING:
        yield f"must be <= {_LONGEST_WARNING} characters long"
    if not text:
        yield "must not be an empty string"
    for at, char in enumerate(text):
        if not char.isprintable():
            found = f"non-printable character found at index {len(text[:at].encode())}"
            yield f"must only contain printable UTF-8 characters; {found}"
            return


def _all_versions(versions: Versions, shared: frozenset[str]) -> Iterator[Cause]:
    if len({v.get("name") for v in versions}) != len(versions):
        yield _invalid("spec.versions", _shown(versions, shared), "must contain unique version names")
    if sum(bool(v.get("storage")) for v in versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield _invalid("spec.versions", _shown(versions, shared), why)
    # The first version is kept as `spec.version` too, and judged there once more.
    for problem in dns1035_problems(versions[0].get("name") or "") if versions else ():
        yield _invalid("spec.version", versions[0].get("name") or "", problem)


def _shown(versions: Versions, shared: frozenset[str]) -> Sequence[Mapping[str, Any]] | None:
    """The versions as Go prints them: without what all of them share."""
    if versions is _NO_VERSIONS:
        return None
    return [
        {go: none if name in shared else version.get(name, none) for go, name, none in _VERSION_FIELDS}
        for version in versions
    ]


def _names(names: Mapping[str, Any]) -> Iterator[Cause]:
    named = ("plural", "singular", "kind", "listKind")
    yield from (_required(f"spec.names.{field}") for field in named if not names.get(field))
    for field in named:
        name, where = names.get(field) or "", f"spec.names.{field}"
        mixed = field in ("kind", "listKind")
        for problem in dns1035_problems(name.lower() if mixed else name) if name else ():
            yield _invalid(where, name, f"{_MIXED_CASE}{problem}" if mixed else problem)
    yield from _labels(names.get("shortNames") or [], "spec.names.shortNames")
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield _invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")
    yield from _labels(names.get("categories") or [], "spec.names.categories")


def _labels(names: Sequence[str], where: str) -> Iterator[Cause]:
    for at, name in enumerate(names):
        yield from (_invalid(f"{where}[{at}]", name, problem) for problem in dns1035_problems(name))


def _stored(stored: Sequence[str], versions: Versions) -> Iterator[Cause]:
    if not stored:
        yield _invalid("status.storedVersions", None, "must have at least one stored version")
    known = dict.fromkeys(stored)
    for version in versions:
        name = version.get("name") or ""
        if stored and version.get("storage") and name not in known:
            yield _invalid("status.storedVersions", list(stored), f"must have the storage version {name}")
        known.pop(name, None)
    for name in known:
        why = (
            f"missing from spec.versions; {name} was previously a storage version, and must remain in "
            f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
            f"removes {name} from status.storedVersions"
        )
        yield _invalid(f"status.storedVersions[{stored.index(name)}]", name, why)


def _parts(part: Mapping[str, Any], where: str, version: Mapping[str, Any]) -> Iterator[Cause]:
    """What versions say, or all of them alike: schema, subresources, columns, fields to select by."""
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    schema = schema if isinstance(schema, Mapping) else None
    if "schema" in part:
        if schema is not None:
            name = "validation" if where == "spec" else "schema"
            yield from schema_causes(schema, f"{where}.{name}.openAPIV3Schema")
        else:
            at = "spec.versions[0]" if where == "spec" else where
            yield _required(f"{at}.schema.openAPIV3Schema")
    yield from _subresources(part.get("subresources") or {}, where)
    yield from _columns(part.get("additionalPrinterColumns") or [], where)
    yield from _selectable(part.get("selectableFields") or [], schema, f"{where}.selectableFields")


def _subresources(subresources: Mapping[str, Any], where: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    for name, parts in (
        ("specReplicasPath", ("spec",)),
        ("statusReplicasPath", ("status",)),
        ("labelSelectorPath", ("spec", "status")),
    ):
        path, field = scale.get(name) or "", f"{where}.subresources.scale.{name}"
        if not path and name != "labelSelectorPath":
            yield _required(field)
        elif path and not path.startswith("."):
            yield _invalid(field, path, _SIMPLE_PATH)
        elif path and not path.startswith(tuple(f".{part}." for part in parts)):
            under = "either .spec or .status" if len(parts) > 1 else f".{parts[0]}"
            yield _invalid(field, path, f"should be a json path under {under}")


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
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            yield _invalid(f"{field}.format", column["format"], f"must be one of {','.join(_COLUMN_FORMATS)}")
        if not column.get("jsonPath"):
            yield _required(f"{field}.JSONPath")
        elif not column["jsonPath"].startswith("."):
            yield _invalid(f"{field}.JSONPath", column["jsonPath"], _SIMPLE_PATH)


def _selectable(
    fields: Sequence[Mapping[str, Any]], schema: Mapping[str, Any] | None, where: str
) -> Iterator[Cause]:
    known: set[str] = set()
    for at, selectable in enumerate(fields):
        path, field = selectable.get("jsonPath") or "", f"{where}[{at}].jsonPath"
        if not path:
            yield _required(field)
            continue
        node, problem = _led_to(path, schema or {})
        if problem:
            yield _invalid(field, path, f"is an invalid path: {problem}")
            continue
        if path.startswith(".metadata"):
            yield _invalid(field, path, "must not point to fields in metadata")
        if node.get("type") not in ("string", "boolean", "integer"):
            why = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings "
                "with formats are allowed."
            )
            yield _invalid(field, path, why)
        if path in known:
            shown = canonical_json(path).decode()
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", field)
        known.add(path)
    if len(known) > _MOST_SELECTABLE:
        text = f"Too many: {len(known)}: must have at most {_MOST_SELECTABLE} items"
        yield Cause("FieldValueTooMany", text, where)


def _led_to(path: str, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The part of a schema that a path like `.spec.size` leads to, or why there is none."""
    if not path.startswith("."):
        return {}, f"expected [ or . but got: {path.split('.')[0].split('[')[0]}"
    node = schema
    for step in path[1:].split("."):
        if "[" in step:
            return {}, "array notation is not allowed"
        below, additional = node.get("properties") or {}, node.get("additionalProperties")
        found = below.get(step) if below else additional
        if not isinstance(found, Mapping):
            return {}, "does not refer to a valid field"
        node = found
    return node, ""


def _frozen(spec: Mapping[str, Any], old: Object | None) -> Iterator[Cause]:
    """What a definition that is served may not change; what names its objects it never may."""
    if old is None:
        return
    before: Mapping[str, Any] = old.get("spec") or {}
    frozen: tuple[tuple[str, ...], ...] = (("group",), ("names", "plural"))
    if is_true(old, "Established"):
        frozen = (("scope",), ("names", "kind"), *frozen)
    for path in frozen:
        new_value: Any = spec
        old_value: Any = before
        for step in path:
            new_value, old_value = (new_value or {}).get(step), (old_value or {}).get(step)
        if new_value != old_value:
            yield _invalid(f"spec.{'.'.join(path)}", new_value, "field is immutable")


def _approval(crd: Object, old: Object | None) -> Iterator[Cause]:
    """Groups of Kubernetes' own take only definitions that are approved, or say that they are not."""
    group = (crd.get("spec") or {}).get("group") or ""
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return
    found = (crd["metadata"].get("annotations") or {}).get(_APPROVED) or ""
    before = ((old or {}).get("metadata") or {}).get("annotations") or {}
    if old is not None and bool(before.get(_APPROVED)) == bool(found):
        return
    said = f'protected groups must have approval annotation "{_APPROVED}"'
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    field = f"metadata.annotations[{_APPROVED}]"
    url = urlsplit(found)
    if not found:
        yield Cause("FieldValueRequired", f"Required value: {said}, {see}", field)
    elif not found.startswith("unapproved") and not (url.scheme and url.netloc):
        why = f'{said} with either a URL or a reason starting with "unapproved", {see}'
        yield _invalid(field, found, why)


def _required(field: str) -> Cause:
    return Cause("FieldValueRequired", "Required value", field)


def _invalid(field: str, value: Any, why: str) -> Cause:
    shown = go_struct(value) if isinstance(value, (dict, list)) else canonical_json(value).decode()
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)
