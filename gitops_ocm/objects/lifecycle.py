"""What creating, updating and deleting do to an object's metadata, as pure functions.

The embedded API server and the simulator both live by these rules: identity and times are set once,
generation counts changes of what is desired, a subresource changes only its part, and finalizers
stand between deletion and removal. The resourceVersion is the store's; ownership of fields is
`ownership`; fields of one kind are `native` and `schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import (
    MODIFIED,
    ApiError,
    Cause,
    bad_request,
    conflict,
    invalid,
    unclassified,
)
from gitops_ocm.objects.names import metadata_causes
from gitops_ocm.objects.pod_parts import PARTS
from gitops_ocm.objects.ref import Kind, Object, Resource

MAX_MANAGER = 128
"""Bytes of a field manager's name."""
FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"
MAX_GENERATED_PREFIX = 63 - 5
"""How much of a generateName is kept before the five random characters."""

UNVERSIONED = frozenset(
    {
        *("ConfigMap", "Secret", "ServiceAccount", "Namespace", "Node", "Service", "Endpoints", "Event"),
        *("PersistentVolume", "PersistentVolumeClaim", "LimitRange", "ResourceQuota", "IPAddress"),
        *("ServiceCIDR", "CSIDriver", "CSIStorageCapacity", "VolumeAttachment", "VolumeAttributesClass"),
        *("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Lease", "StorageClass", "CSINode"),
        *("RuntimeClass", "ResourceClaim", "ResourceClaimTemplate"),
        *("CertificateSigningRequest", "ControllerRevision", "APIService", "HorizontalPodAutoscaler"),
    }
)
"""Native kinds that have no `metadata.generation`."""


_STILL = frozenset({"PriorityClass"})
"""Kinds whose generation stays what it was at the creation."""


class Fate(StrEnum):
    """What a deletion comes to: nothing happened, it was begun, or the object is gone."""

    UNCHANGED = "unchanged"
    MARKED = "marked"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The answer of `deleted`: the object as it now is, or as it last was."""

    fate: Fate
    obj: Object


def created(
    obj: Object,
    *,
    resource: Resource,
    now: datetime,
    uid: str,
    name_suffix: str = "",
    custom: bool = True,
) -> Object:
    """The object as it is first stored, without a resourceVersion; judging the metadata is `names`.

    `name_suffix` completes a `generateName`. A status is dropped where it is a subresource, which
    for native kinds is the exception named by `keeps_status`.
    """
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _RESET and v is not None}
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"][:MAX_GENERATED_PREFIX] + name_suffix
    _drop_empty(meta)
    if not resource.namespaced:
        meta.pop("namespace", None)
    meta["uid"] = uid
    meta["creationTimestamp"] = timestamp(now)
    if has_generation(resource, custom=custom):
        meta["generation"] = 1
    result = {**obj, "metadata": meta}
    if "status" in resource.subresources and "status" in result and not keeps_status(resource):
        del result["status"]
    return result


_DEPLOYMENT = Kind("apps", "Deployment")
_RESET = frozenset(
    {
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    }
)


def _drop_empty(meta: dict[str, Any]) -> None:
    for name in ("labels", "annotations", "finalizers", "ownerReferences"):
        if name in meta and not meta[name]:
            del meta[name]


def reset_fields(resource: Resource) -> frozenset[str]:
    """What the author of a creation does not come to own: a status, and all of a certificate request."""
    status = frozenset({"status"} if "status" in resource.subresources else ())
    return status | {"spec"} if resource.kind == "CertificateSigningRequest" else status


def has_generation(resource: Resource, *, custom: bool) -> bool:
    """Whether objects of the kind count generations."""
    return custom or resource.kind not in UNVERSIONED


def keeps_status(resource: Resource) -> bool:
    """Whether a status sent with a creation stays: only where the server fills it in itself."""
    return resource.kind in ("Namespace", "Node", "PersistentVolume") and not resource.group


def updated(
    old: Object,
    new: Object,
    *,
    resource: Resource,
    subresource: str = "",
    custom: bool = True,
) -> Object:
    """What is stored when `new` is written over `old`.

    The main resource cannot change a status that is a subresource; `/status` changes nothing else;
    `/approval` of a certificate request changes the conditions in its status, beside metadata.
    Comparing resourceVersions is `check_version`, judging the metadata is `update_causes`.
    """
    meta = _settled_metadata(old["metadata"], new.get("metadata") or {})
    if not resource.namespaced:
        meta.pop("namespace", None)
    if subresource == "approval":
        verdict = (new.get("status") or {}).get("conditions") or []
        return {**old, "metadata": meta, "status": {**(old.get("status") or {}), "conditions": verdict}}
    if subresource == "status" or subresource in PARTS:
        result = {k: v for k, v in old.items() if k != "status"}
        kept = {k: v for k, v in old["metadata"].items() if k != "managedFields"}
        if "managedFields" in meta:
            kept["managedFields"] = meta["managedFields"]
        told = new if subresource == "status" else old
        if "status" in told:
            result["status"] = told["status"]
        if subresource in PARTS:
            result["spec"] = PARTS[subresource](old.get("spec") or {}, new.get("spec") or {})
            kept["generation"] = _generation(old, result, resource)
        return {**result, "metadata": kept}
    result = {**new, "metadata": meta}
    if "status" in resource.subresources:
        result.pop("status", None)
        if "status" in old:
            result["status"] = old["status"]
    if has_generation(resource, custom=custom):
        meta["generation"] = _generation(old, result, resource)
    return result


def recounted(old: Object, new: Object, resource: Resource) -> Object:
    """What `updated` came to, once defaults are filled in: those alone make no new generation."""
    meta = new["metadata"]
    if "generation" not in meta or meta["generation"] == (due := _generation(old, new, resource)):
        return new
    return {**new, "metadata": {**meta, "generation": due}}


def _generation(old: Object, new: Object, resource: Resource) -> int:
    held: int = old["metadata"].get("generation") or 0
    return held if resource.kind in _STILL else held + wanted_changed(old, new, resource)


def update_causes(old: Mapping[str, Any], new: Mapping[str, Any], resource: Resource) -> list[Cause]:
    """Fields of the new metadata at fault: what may never change, and what no object may have."""
    return _immutable(old, new) + metadata_causes(new, resource)


def wanted_changed(old: Object, new: Object, resource: Resource) -> bool:
    """Whether anything but metadata and a status differs, or what a Deployment hands on: its annotations."""
    left_out = {"metadata", "apiVersion", "kind"} | (
        {"status"} if "status" in resource.subresources else set()
    )
    keys = (old.keys() | new.keys()) - left_out
    if resource.of == _DEPLOYMENT and _annotations(old) != _annotations(new):
        return True
    return any(old.get(k) != new.get(k) for k in keys)


def _annotations(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def _settled_metadata(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new metadata with what a client may leave out taken from the old."""
    meta = {k: v for k, v in new.items() if v is not None and k != "selfLink"}
    _drop_empty(meta)
    meta["creationTimestamp"] = old.get("creationTimestamp")
    for name in ("uid", "name", "namespace", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if name in old and (name == "generation" or name not in meta):
            meta[name] = old[name]
    if "generation" not in old:
        meta.pop("generation", None)
    meta["resourceVersion"] = old.get("resourceVersion", "")
    return meta


def _immutable(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Cause]:
    causes = []
    for at, entry in enumerate(new.get("managedFields") or ()):
        if len(str(entry.get("manager") or "").encode()) > MAX_MANAGER:
            text = f"Too long: may not be more than {MAX_MANAGER} bytes"
            causes.append(Cause("FieldValueTooLong", text, f"metadata.managedFields[{at}].manager"))
    for name in ("name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if new.get(name) != old.get(name):
            text = f"Invalid value: {canonical_json(new.get(name)).decode()}: field is immutable"
            causes.append(Cause("FieldValueInvalid", text, f"metadata.{name}"))
    if old.get("deletionTimestamp"):
        have = set(old.get("finalizers") or ())
        extra = [f for f in new.get("finalizers") or () if f not in have]
        if extra:
            shown = ", ".join(f'"{f}"' for f in extra)
            text = "no new finalizers can be added if the object is being deleted, found new finalizers"
            cause = f"Forbidden: {text} []string{{{shown}}}"
            causes.append(Cause("FieldValueForbidden", cause, "metadata.finalizers"))
    return causes


def unchanged(old: Object, new: Object) -> bool:
    """Whether a write comes to nothing: equal but for the times of managers."""
    if old.keys() != new.keys():
        return False
    if any(old[k] != new[k] for k in new if k != "metadata"):
        return False
    before, after = old["metadata"], new["metadata"]
    if {k for k in before if k != "managedFields"} != {k for k in after if k != "managedFields"}:
        return False
    if any(before[k] != after[k] for k in after if k != "managedFields"):
        return False
    return before.get("managedFields") is after.get("managedFields") or _untimed(before) == _untimed(after)


def _untimed(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{k: v for k, v in e.items() if k != "time"} for e in meta.get("managedFields") or ()]


_MOST_DIGITS = 20


def check_version(old: Object, sent: Mapping[str, Any], *, resource: Resource) -> None:
    """Raise Conflict where the metadata sent was read from another version or another object."""
    version = sent.get("resourceVersion") or "0"
    if not (version.isascii() and version.isdecimal()):
        raise unclassified(f'strconv.ParseUint: parsing "{version}": invalid syntax')
    # Told by its length first: Python does not read thousands of digits.
    if len(version) > _MOST_DIGITS or int(version) >= 1 << 64:
        raise unclassified(f'strconv.ParseUint: parsing "{version}": value out of range')
    have = old["metadata"]
    group, plural, name = resource.group, resource.plural, have["name"]
    if sent.get("uid") and sent["uid"] != have.get("uid"):
        why = (
            f"Precondition failed: UID in precondition: {sent['uid']}, UID in object meta: {have.get('uid')}"
        )
        raise conflict(group, plural, name, why)
    if sent.get("resourceVersion") and sent["resourceVersion"] != have.get("resourceVersion"):
        raise conflict(group, plural, name, MODIFIED)


def check_preconditions(
    old: Object, *, resource: Resource, uid: str = "", resource_version: str = ""
) -> None:
    """Raise Conflict where a deletion's preconditions do not hold."""
    have = old["metadata"]
    for label, title, wanted, found, why in (
        ("UID", "UID", uid, have.get("uid"), "deleted and then recreated"),
        ("ResourceVersion", "ResourceVersion", resource_version, have.get("resourceVersion"), "modified"),
    ):
        if wanted and wanted != found:
            text = (
                f"the {label} in the precondition ({wanted}) does not match the {title} in record ({found}). "
                f"The object might have been {why}"
            )
            raise conflict(resource.group, resource.kind, have["name"], text)


def deleted(
    old: Object,
    *,
    now: datetime,
    propagation: str = "",
    grace_seconds: int = 0,
) -> Deletion:
    """What deleting `old` comes to.

    `propagation` Foreground or Orphan adds its finalizer and takes away the other's, Background
    takes away both, `""` leaves the object's own. An object with finalizers is only marked.
    """
    meta = old["metadata"]
    finalizers = _propagated(meta.get("finalizers") or [], propagation)
    if not finalizers:
        return Deletion(Fate.REMOVED, _with_finalizers(old, finalizers))
    if meta.get("deletionTimestamp"):
        if finalizers == (meta.get("finalizers") or []):
            return Deletion(Fate.UNCHANGED, old)
        return Deletion(Fate.MARKED, _with_finalizers(old, finalizers))
    return Deletion(Fate.MARKED, marked(_with_finalizers(old, finalizers), now, grace_seconds=grace_seconds))


def marked(obj: Object, now: datetime, *, grace_seconds: int | None) -> Object:
    """The object with its deletion begun."""
    meta = {**obj["metadata"], "deletionTimestamp": timestamp(now)}
    if grace_seconds is not None:
        meta["deletionGracePeriodSeconds"] = grace_seconds
    if "generation" in meta:
        meta["generation"] += 1
    return {**obj, "metadata": meta}


def without_finalizer(obj: Object, finalizer: str) -> Object:
    """The object without that finalizer."""
    return _with_finalizers(obj, [f for f in obj["metadata"].get("finalizers") or () if f != finalizer])


def finished(obj: Object) -> bool:
    """Whether an object marked for deletion has no finalizer left, so that it goes."""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers"):
        return False
    return not (obj.get("kind") == "Namespace" and (obj.get("spec") or {}).get("finalizers"))


def check_propagation(options: Mapping[str, Any]) -> str:
    """The propagation policy that DeleteOptions ask for; raises Invalid."""
    policy = options.get("propagationPolicy")
    orphan = options.get("orphanDependents")
    if policy is not None and orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        text = f"Invalid value: {canonical_json(policy).decode()}: {why}"
        raise _options_invalid(Cause("FieldValueInvalid", text, "propagationPolicy"))
    if orphan is not None:
        return "Orphan" if orphan else "Background"
    if policy in (None, ""):
        return ""
    if policy not in ("Foreground", "Background", "Orphan"):
        shown = canonical_json(policy).decode()
        text = f'Unsupported value: {shown}: supported values: "Foreground", "Background", "Orphan", "nil"'
        raise _options_invalid(Cause("FieldValueNotSupported", text, "propagationPolicy"))
    return str(policy)


def _options_invalid(cause: Cause) -> ApiError:
    return invalid("meta.k8s.io", "DeleteOptions", "", (cause,))


def check_name(sent: Object, name: str) -> None:
    """Raise BadRequest where the object sent is not the one its URL names."""
    have = (sent.get("metadata") or {}).get("name")
    if not have:
        raise bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if have != name:
        raise bad_request(f"the name of the object ({have}) does not match the name on the URL ({name})")


def _propagated(finalizers: list[str], propagation: str) -> list[str]:
    wanted = {"Foreground": FOREGROUND_FINALIZER, "Orphan": ORPHAN_FINALIZER}.get(propagation)
    if not propagation:
        return list(finalizers)
    kept = [f for f in finalizers if f not in (FOREGROUND_FINALIZER, ORPHAN_FINALIZER) or f == wanted]
    return kept if wanted is None or wanted in kept else [*kept, wanted]


def _with_finalizers(obj: Object, finalizers: list[str]) -> Object:
    meta = dict(obj["metadata"])
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    return {**obj, "metadata": meta}
