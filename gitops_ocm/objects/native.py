"""Rules of single native kinds that no schema tells: what the server fills in and refuses.

Tables by kind: what a create or update brings about beside the defaults of `native_defaults`, and what is
refused. Kinds that are not in them are stored as their schema has them. Workloads: `native_workloads`.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_ocm.objects import native_checks, native_workloads
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.go_json import syntax_error
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.rules.faults import each_invalid
from gitops_ocm.objects.rules.formats import config_key_problems

MAX_DATA = 1024 * 1024
"""All values of a ConfigMap or Secret together, in bytes."""
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
NAMESPACE_FINALIZER = "kubernetes"
CLAIM_PROTECTION, VOLUME_PROTECTION = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
CLASS_PROTECTION = "kubernetes.io/vac-protection"
NOT_READY = "node.kubernetes.io/not-ready"

_SECRET_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
"""What the older of a claim's two fields may name; anything else in it is passed over."""
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type's name
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"


def prepared(obj: Object, kind: Kind, old: Object | None = None) -> Object:
    """The object with what a write of its kind brings about; `old` is what it is written over."""
    fill = _PREPARE.get(kind)
    return fill(obj, old) if fill else obj


def causes(obj: Object, old: Object | None, kind: Kind) -> list[Cause]:
    """Fields at fault by the kind's own rules; `old` on an update."""
    check = _CHECKS.get(kind)
    return list(check(obj, old)) if check else []


def _namespace(obj: Object, old: Object | None) -> Object:
    meta = obj["metadata"]
    labels = dict(meta.get("labels") or {})
    if meta.get("name"):
        labels[NAMESPACE_LABEL] = meta["name"]
    spec = dict(obj.get("spec") or {})
    if not meta.get("deletionTimestamp") and NAMESPACE_FINALIZER not in (spec.get("finalizers") or ()):
        spec["finalizers"] = [*(spec.get("finalizers") or ()), NAMESPACE_FINALIZER]
    phase = "Terminating" if meta.get("deletionTimestamp") else "Active"
    status = {**(obj.get("status") or {}), "phase": phase}
    return {**obj, "metadata": {**meta, "labels": labels}, "spec": spec, "status": status}


def _protected(finalizer: str) -> Callable[[Object, Object | None], Object]:
    def fill(obj: Object, old: Object | None) -> Object:
        finalizers = obj["metadata"].get("finalizers") or []
        if old is not None or finalizer in finalizers:
            return obj
        return {**obj, "metadata": {**obj["metadata"], "finalizers": [*finalizers, finalizer]}}

    return fill


def _claim(obj: Object, old: Object | None) -> Object:
    """A claim is protected; the two fields that name what it is filled from say the same."""
    spec = obj.get("spec") or {}
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference and (source.get("apiGroup") or "", source.get("kind")) not in _SOURCES:
        spec, source = {key: value for key, value in spec.items() if key != "dataSource"}, None
        obj = {**obj, "spec": spec}
    if source and not reference:
        obj = {**obj, "spec": {**spec, "dataSourceRef": dict(source)}}
    elif reference and not source and not reference.get("namespace"):
        obj = {**obj, "spec": {**spec, "dataSource": dict(reference)}}
    return _protected(CLAIM_PROTECTION)(obj, old)


def _volume(obj: Object, old: Object | None) -> Object:
    if old is not None:
        return obj
    began = {"phase": "Pending", "lastPhaseTransitionTime": obj["metadata"].get("creationTimestamp")}
    return {**_protected(VOLUME_PROTECTION)(obj, None), "status": began}


def _node(obj: Object, old: Object | None) -> Object:
    """A node is not taken for ready before somebody says so."""
    taints = (obj.get("spec") or {}).get("taints") or []
    if old is not None or any(t.get("key") == NOT_READY for t in taints):
        return obj
    taints = [*taints, {"key": NOT_READY, "effect": "NoSchedule"}]
    return {**obj, "spec": {**(obj.get("spec") or {}), "taints": taints}}


def _check_secret(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from _check_values(obj, ("data",))
    data = obj.get("data") or {}
    for key in _SECRET_KEYS.get(obj.get("type", ""), ()):
        if key not in data:
            yield Cause("FieldValueRequired", "Required value", f"data[{key}]")
        elif key.startswith(".docker") and (problem := syntax_error(b64decode(data[key]))):
            text = f'Invalid value: "<secret contents redacted>": {problem}'
            yield Cause("FieldValueInvalid", text, f"data[{key}]")
    if obj.get("type") == "kubernetes.io/basic-auth" and not data.keys() & {"username", "password"}:
        for key in ("username", "password"):
            yield Cause("FieldValueRequired", "Required value", f"data[{key}]")
    annotations = obj["metadata"].get("annotations") or {}
    if obj.get("type") == SERVICE_ACCOUNT_TOKEN and not annotations.get(SERVICE_ACCOUNT_NAME):
        field = f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]"
        yield Cause("FieldValueRequired", "Required value", field)
    if old is not None:
        if obj.get("type") != old.get("type"):
            yield _immutable("type", obj.get("type"))
        yield from _check_frozen(obj, old, ("data",))


def _check_config_map(obj: Object, old: Object | None) -> Iterator[Cause]:
    yield from _check_values(obj, ("data", "binaryData"))
    both = (obj.get("data") or {}).keys() & (obj.get("binaryData") or {}).keys()
    for key in sorted(both):
        shown = canonical_json(key).decode()
        text = f"Invalid value: {shown}: duplicate of key present in binaryData"
        yield Cause("FieldValueInvalid", text, f"data[{key}]")
    if old is not None:
        yield from _check_frozen(obj, old, ("data", "binaryData"))


def _check_values(obj: Object, fields: tuple[str, ...]) -> Iterator[Cause]:
    size = 0
    for field in fields:
        for key, value in (obj.get(field) or {}).items():
            size += (
                len(value.encode()) if field == "data" and obj["kind"] == "ConfigMap" else len(value) * 3 // 4
            )
            yield from each_invalid(f"{field}[{key}]", key, config_key_problems(key))
    if size > MAX_DATA:
        where = "data" if obj["kind"] == "Secret" else "[]"
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {MAX_DATA} bytes", where)


def _check_frozen(obj: Object, old: Object, fields: tuple[str, ...]) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    text = "Forbidden: field is immutable when `immutable` is set"
    for field in ("immutable", *fields):
        if (obj.get(field) or None) != (old.get(field) or None):
            yield Cause("FieldValueForbidden", text, field)


def _immutable(field: str, value: Any) -> Cause:
    text = f"Invalid value: {canonical_json(value).decode()}: field is immutable"
    return Cause("FieldValueInvalid", text, field)


def _lease(obj: Object, old: Object | None) -> Object:
    """What only coordinated leader election knows is not kept: that is a feature still to come."""
    spec = obj.get("spec") or {}
    kept = {name: value for name, value in spec.items() if name not in ("strategy", "preferredHolder")}
    return obj if len(kept) == len(spec) else {**obj, "spec": kept}


_PREPARE: Mapping[Kind, Callable[[Object, Object | None], Object]] = {
    Kind("", "Namespace"): _namespace,
    Kind("", "Node"): _node,
    Kind("", "PersistentVolumeClaim"): _claim,
    Kind("", "PersistentVolume"): _volume,
    Kind("coordination.k8s.io", "Lease"): _lease,
    Kind("storage.k8s.io", "VolumeAttributesClass"): _protected(CLASS_PROTECTION),
    **native_workloads.PREPARE,
}
_CHECKS: Mapping[Kind, Callable[[Object, Object | None], Iterator[Cause]]] = {
    Kind("", "Secret"): _check_secret,
    Kind("", "ConfigMap"): _check_config_map,
    Kind("", "Event"): native_checks.event_causes,
    Kind("events.k8s.io", "Event"): native_checks.event_causes,
    Kind("coordination.k8s.io", "Lease"): native_checks.lease_causes,
}
