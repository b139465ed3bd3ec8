"""What is wrong with an access review, field by field, as a kube-apiserver finds it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Object

_RESOURCE, _PATH = "resourceAttributes", "nonResourceAttributes"
_GO_NAMES = {"path": "Path", "verb": "Verb"}
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def access_causes(review: Object) -> list[Cause]:
    """The fields at fault of a SubjectAccessReview, or of one of its two relatives."""
    spec, kind = review.get("spec") or {}, review["kind"]
    causes = list(_subject_and_attributes(spec, asks_of_self=kind.startswith("Self")))
    for name in ("fieldSelector", "labelSelector"):
        causes += _selector((spec.get(_RESOURCE) or {}).get(name), f"spec.{_RESOURCE}.{name}")
    local = kind.startswith("Local")
    meta = {k: v for k, v in review["metadata"].items() if v}
    if set(meta) - {"managedFields", *(("namespace",) if local else ())}:
        text = "must be empty except for namespace" if local else "must be empty"
        causes.append(_invalid("metadata", orjson.dumps(meta).decode(), text))
    return [*causes, *(_local(spec, meta) if local else ())]


def _subject_and_attributes(spec: Mapping[str, Any], *, asks_of_self: bool) -> Iterator[Cause]:
    resource, path = spec.get(_RESOURCE), spec.get(_PATH)
    if resource is not None and path is not None:
        yield _invalid(
            f"spec.{_PATH}", _shown(path), "cannot be specified in combination with resourceAttributes"
        )
    if resource is None and path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield _invalid(f"spec.{_RESOURCE}", "null", text)
    if not asks_of_self and not spec.get("user") and not spec.get("groups"):
        yield _invalid("spec.user", '""', "at least one of user or group must be specified")


def _selector(selector: Mapping[str, Any] | None, field: str) -> Iterator[Cause]:
    if selector is None:
        return
    raw, requirements = selector.get("rawSelector"), selector.get("requirements")
    if raw and requirements:
        text = "may not specified at the same time as requirements"
        yield _invalid(f"{field}.rawSelector", orjson.dumps(raw).decode(), text)
    if not raw and not requirements:
        text = f"Required value: when {field} is specified, requirements or rawSelector is required"
        yield Cause("FieldValueRequired", text, f"{field}.requirements")


def unreadable_selectors(spec: Mapping[str, Any]) -> str:
    """What is said of selectors that mean nothing: they narrow nothing down."""
    for name in ("fieldSelector", "labelSelector"):
        selector = (spec.get(_RESOURCE) or {}).get(name) or {}
        if any(each.get("operator") not in _OPERATORS for each in selector.get("requirements") or ()):
            return f"spec.{_RESOURCE}.{name} ignored due to parse error"
    return ""


def _local(spec: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[Cause]:
    resource, path = spec.get(_RESOURCE), spec.get(_PATH)
    if resource is not None and resource.get("namespace", "") != meta.get("namespace"):
        shown = orjson.dumps(resource.get("namespace", "")).decode()
        yield _invalid(f"spec.{_RESOURCE}.namespace", shown, "must match metadata.namespace")
    if path is not None:
        yield _invalid(f"spec.{_PATH}", _shown(path), "disallowed on this kind of request")


def _shown(path: Mapping[str, Any]) -> str:
    return orjson.dumps({_GO_NAMES[k]: path.get(k, "") for k in _GO_NAMES}).decode()


def _invalid(field: str, value: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)
