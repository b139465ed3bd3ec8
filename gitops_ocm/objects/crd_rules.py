"""What is filled into a CustomResourceDefinition, and the status it is given.

What a definition must be is `crd_checks`; its schema `crd_schemas`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.objects.conditions import is_true, timestamp, with_condition
from gitops_ocm.objects.ref import Object

_FREE = "NoConflicts"
CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a definition until its objects are gone."""


def prepared(crd: Object, old: Object | None) -> Object:
    """The definition with the versions that objects may be stored in."""
    if old is not None and old.get("spec") == crd.get("spec"):
        return crd
    status = dict(crd.get("status") or {})
    versions = (crd.get("spec") or {}).get("versions") or ()
    stored = list(status.get("storedVersions") or ())
    storage = next((version["name"] for version in versions if version.get("storage")), None)
    stored += [storage] if storage is not None and storage not in stored else []
    return {**crd, "status": {**status, "storedVersions": stored}}


def established(crd: Object, now: datetime, others: Iterable[Object] = ()) -> Object:
    """The definition as the server keeps it: served as soon as all its names are its own.

    `others` are all other definitions; those of its group may have taken names already.
    """
    spec, status = crd["spec"], dict(crd.get("status") or {})
    names, reason, message = _accepted(spec, status.get("acceptedNames") or {}, others)
    good = reason == _FREE
    conditions = with_condition(
        status.get("conditions"), type="NamesAccepted", status="True" if good else "False", reason=reason,
        message=message, now=now,
    )  # fmt: skip
    if good or not is_true(crd, "Established"):
        conditions = with_condition(
            conditions, type="Established", status="True" if good else "False",
            reason="InitialNamesAccepted" if good else "NotAccepted",
            message="the initial names have been accepted" if good else "not all names are accepted", now=now,
        )  # fmt: skip
    return {**crd, "status": {**status, "conditions": conditions, "acceptedNames": names}}


def _accepted(
    spec: Mapping[str, Any], accepted: Mapping[str, Any], others: Iterable[Object]
) -> tuple[dict[str, Any], str, str]:
    """The names that a definition has by now, and the last of those it cannot have."""
    taken = [
        (other.get("status") or {}).get("acceptedNames") or {}
        for other in others
        if other["spec"].get("group") == spec.get("group")
    ]
    resources = {t.get(field) for t in taken for field in ("plural", "singular")}
    resources |= {name for t in taken for name in t.get("shortNames") or ()}
    kinds = {t.get(field) for t in taken for field in ("kind", "listKind")}
    wanted, names = spec["names"], {"plural": "", "kind": "", **accepted}
    reason, message = _FREE, "no conflicts found"
    for field, used in (("plural", resources), ("singular", resources), ("shortNames", resources),
                        ("kind", kinds), ("listKind", kinds)):  # fmt: skip
        found, mine = wanted.get(field), accepted.get(field)
        fresh = found if isinstance(found, list) else [found] if found else []
        clash = [name for name in fresh if name in used and name != mine and name not in (mine or ())]
        if clash:
            reason = f"{field[0].upper()}{field[1:]}Conflict"
            message = _all_of(f'"{name}" is already in use' for name in clash)
        elif found:
            names[field] = found
        else:
            names.pop(field, None)
    names.pop("categories", None)
    return names | ({"categories": wanted["categories"]} if wanted.get("categories") else {}), reason, message


def _all_of(problems: Iterable[str]) -> str:
    found = [*problems]
    return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def as_served(crd: Object) -> Object | None:
    """The definition by the names it has; None where it is not served yet."""
    if not is_true(crd, "Established"):
        return None
    return {**crd, "spec": {**crd["spec"], "names": crd["status"]["acceptedNames"]}}


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
