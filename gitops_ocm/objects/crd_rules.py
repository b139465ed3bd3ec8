"""What a CustomResourceDefinition must be, what is filled into it, and the status it is given.

Structural schemas are checked as far as they decide how objects are read: every node typed, at most
one storage version, list keys declared, rules that compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import with_condition
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.schema_rules import rule_error

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a definition until its objects are gone."""


def prepared(crd: Object) -> Object:
    """The definition with the versions that objects may be stored in."""
    status = dict(crd.get("status") or {})
    versions = (crd.get("spec") or {}).get("versions") or ()
    stored = list(status.get("storedVersions") or ())
    stored += [v["name"] for v in versions if v.get("storage") and v["name"] not in stored]
    return {**crd, "status": {**status, "storedVersions": stored}}


def established(crd: Object, now: datetime) -> Object:
    """The definition as the server keeps it once its names are taken and it is served."""
    spec, status = crd["spec"], dict(crd.get("status") or {})
    conditions = with_condition(
        status.get("conditions"), type="NamesAccepted", status="True", reason="NoConflicts",
        message="no conflicts found", now=now,
    )  # fmt: skip
    status["conditions"] = with_condition(
        conditions, type="Established", status="True", reason="InitialNamesAccepted",
        message="the initial names have been accepted", now=now,
    )  # fmt: skip
    status["acceptedNames"] = spec["names"]
    stored = list(status.get("storedVersions") or ())
    stored += [v["name"] for v in spec["versions"] if v.get("storage") and v["name"] not in stored]
    status["storedVersions"] = stored
    meta = dict(crd["metadata"])
    finalizers = list(meta.get("finalizers") or ())
    if CLEANUP_FINALIZER not in finalizers and not meta.get("deletionTimestamp"):
        meta["finalizers"] = [*finalizers, CLEANUP_FINALIZER]
    return {**crd, "metadata": meta, "status": status}


def causes(crd: Object, old: Object | None) -> list[Cause]:
    """Every field of the definition at fault."""
    found = list(_spec(crd["metadata"].get("name", ""), crd.get("spec") or {}))
    if old is not None:
        found += _frozen(crd["spec"], old["spec"])
    return found


def _spec(name: str, spec: Mapping[str, Any]) -> Iterator[Cause]:
    names = spec.get("names") or {}
    expected = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if name != expected:
        text = 'must be spec.names.plural+"."+spec.group'
        yield Cause("FieldValueInvalid", f'Invalid value: "{name}": {text}', "metadata.name")
    if spec.get("scope") not in ("Namespaced", "Cluster"):
        shown = canonical_json(spec.get("scope")).decode()
        text = f'Unsupported value: {shown}: supported values: "Cluster", "Namespaced"'
        yield Cause("FieldValueNotSupported", text, "spec.scope")
    versions = spec.get("versions") or []
    storing = [v for v in versions if v.get("storage")]
    if len(storing) != 1:
        text = "must have exactly one version marked as storage version"
        yield Cause("FieldValueInvalid", f"Invalid value: {_names(versions)}: {text}", "spec.versions")
    seen: set[str] = set()
    for at, version in enumerate(versions):
        where = f"spec.versions[{at}]"
        if version.get("name") in seen:
            text = f"Invalid value: {_names(versions)}: must contain unique version names"
            yield Cause("FieldValueInvalid", text, "spec.versions")
        seen.add(version.get("name", ""))
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if not isinstance(schema, Mapping):
            text = "Required value: schemas are required"
            yield Cause("FieldValueRequired", text, f"{where}.schema.openAPIV3Schema")
        else:
            if schema.get("type") != "object":
                shown = canonical_json(schema.get("type")).decode()
                text = f"Invalid value: {shown}: must be object at the root"
                yield Cause("FieldValueInvalid", text, f"{where}.schema.openAPIV3Schema.type")
            yield from _structural(schema, f"{where}.schema.openAPIV3Schema")


def _names(versions: Sequence[Mapping[str, Any]]) -> str:
    return canonical_json([v.get("name", "") for v in versions]).decode()


def _frozen(spec: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural")):
        new_value: Any = spec
        old_value: Any = old
        for step in path:
            new_value, old_value = (new_value or {}).get(step), (old_value or {}).get(step)
        if new_value != old_value:
            text = f"Invalid value: {canonical_json(new_value).decode()}: field is immutable"
            yield Cause("FieldValueInvalid", text, f"spec.{'.'.join(path)}")


def _structural(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("type") and not free:
        text = "Required value: must not be empty for specified "
        part = "object fields" if ".properties[" in where else "array items" if ".items" in where else ""
        yield Cause("FieldValueRequired", text + (part or "root"), f"{where}.type")
    yield from _list_keys(schema, where)
    for at, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        problem = rule_error(rule.get("rule") or "")
        if problem:
            shown = canonical_json(rule.get("rule")).decode()
            text = f"Invalid value: {shown}: compilation failed: {problem}"
            yield Cause("FieldValueInvalid", text, f"{where}.x-kubernetes-validations[{at}].rule")
    for name, below in (schema.get("properties") or {}).items():
        yield from _structural(below, f"{where}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from _structural(schema[name], f"{where}.{name}")


def _list_keys(schema: Mapping[str, Any], where: str) -> Iterator[Cause]:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    if schema.get("x-kubernetes-list-type") == "map" and not keys:
        text = "Required value: must not be empty if x-kubernetes-list-type is map"
        yield Cause("FieldValueRequired", text, f"{where}.x-kubernetes-list-map-keys")
    items = schema.get("items") or {}
    for key in keys:
        declared = (items.get("properties") or {}).get(key)
        if declared is None:
            text = f'Invalid value: "{key}": entries must all be names of item properties'
            yield Cause("FieldValueInvalid", text, f"{where}.x-kubernetes-list-map-keys")
        elif key not in (items.get("required") or ()) and "default" not in declared:
            text = "Required value: this property is in x-kubernetes-list-map-keys, so it must have a "
            field = f"{where}.items.properties[{key}].default"
            yield Cause("FieldValueRequired", f"{text}default or be a required property", field)
