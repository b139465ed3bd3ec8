"""What is filled into a CustomResourceDefinition, the status it is given, and what may never change of it.

What a definition must be is `crd_checks`; its schema `crd_schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import timestamp, with_condition
from gitops_ocm.objects.crd_checks import definition_causes
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Object

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a definition until its objects are gone."""


def prepared(crd: Object, old: Object | None) -> Object:
    """The definition with the versions that objects may be stored in."""
    if old is not None and old.get("spec") == crd.get("spec"):
        return crd
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
    return {**crd, "status": status}


def terminating(crd: Object, now: datetime) -> Object:
    """The definition with its deletion begun, which its finalizer holds until its objects are gone."""
    meta = dict(crd["metadata"])
    finalizers = list(meta.get("finalizers") or ())
    meta["deletionTimestamp"] = timestamp(now)
    meta["finalizers"] = [*finalizers, *({CLEANUP_FINALIZER} - {*finalizers})]
    status = dict(crd.get("status") or {})
    status["conditions"] = with_condition(
        status.get("conditions"), type="Terminating", status="True", reason="InstanceDeletionPending",
        message="CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        now=now,
    )  # fmt: skip
    return {**crd, "metadata": meta, "status": status}


def causes(crd: Object, old: Object | None) -> list[Cause]:
    """Every field of the definition at fault."""
    found = [*definition_causes(crd, old)]
    if old is not None:
        found += _frozen(crd["spec"], old["spec"])
    return found


def _frozen(spec: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural")):
        new_value: Any = spec
        old_value: Any = old
        for step in path:
            new_value, old_value = (new_value or {}).get(step), (old_value or {}).get(step)
        if new_value != old_value:
            text = f"Invalid value: {canonical_json(new_value).decode()}: field is immutable"
            yield Cause("FieldValueInvalid", text, f"spec.{'.'.join(path)}")
