"""Volumes of the cluster, their classes, and the drivers that make them. Claims are `claims`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.names import key_problems, subdomain_problems
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules import claims, volumes
from gitops_ocm.objects.rules.faults import (
    IMMUTABLE,
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    optional_one_of,
    required,
    same,
    unsupported,
)
from gitops_ocm.objects.rules.formats import duplicates, no_backsteps
from gitops_ocm.objects.rules.scheduling import node_selector

_NOT_SOURCES = frozenset(
    {
        *("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "storageClassName"),
        *("persistentVolumeReclaimPolicy", "volumeAttributesClassName", "volumeMode"),
    }
)
_RECLAIM = ("Delete", "Recycle", "Retain")


def volume(obj: Value, old: Value | None) -> Faults:
    """A PersistentVolume."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from claims.access_modes("spec.accessModes", spec.get("accessModes"))
    yield from _capacity(spec.get("capacity"))
    policy = spec.get("persistentVolumeReclaimPolicy") or ""
    if policy and policy not in _RECLAIM:
        yield unsupported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        yield from _node_affinity("spec.nodeAffinity", affinity)
    yield from _source(spec)
    if policy == "Recycle" and (spec.get("hostPath") or {}).get("path") == "/":
        yield forbidden(
            "spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'"
        )
    name = spec.get("storageClassName")
    if name:
        yield from each_invalid("spec.storageClassName", name, subdomain_problems(name))
    mode = spec.get("volumeMode")
    if mode is not None and mode not in claims.MODES:
        yield unsupported("spec.volumeMode", mode, claims.MODES)
    if old is not None:
        yield from _kept(spec, old.get("spec") or {})


def _capacity(capacity: Value | None) -> Faults:
    if not capacity:
        yield required("spec.capacity")
    if not capacity or set(capacity) != {"storage"}:
        told = canonical_json(capacity).decode()
        text = f'Unsupported value: {told}: supported values: "storage"'
        yield Cause("FieldValueNotSupported", text, "spec.capacity")
    for name, amount in (capacity or {}).items():
        if quantity(str(amount)) <= 0:
            yield invalid(f"spec.capacity[{name}]", str(amount), "must be greater than zero")


def _node_affinity(path: str, affinity: Value) -> Faults:
    if affinity.get("required") is None:
        yield required(f"{path}.required", "must specify required node constraints")
    else:
        yield from node_selector(f"{path}.required", affinity["required"])


def _source(spec: Value) -> Faults:
    used = sorted(name for name in spec if name not in _NOT_SOURCES and spec[name] is not None)
    used.sort(key=lambda name: _ORDER.get(name, len(_ORDER)))
    for at, name in enumerate(used):
        if at:
            yield forbidden(f"spec.{name}", "may not specify more than 1 volume type")
        elif name == "hostPath":
            yield from volumes.host_path("spec.hostPath", spec[name])
        elif name == "nfs":
            yield from volumes.nfs("spec.nfs", spec[name])
        elif name == "csi":
            yield from _csi("spec.csi", spec[name])
        elif name == "local":
            yield from _local("spec.local", spec[name], spec)
    if not used:
        yield required("spec", "must specify a volume type")


_ORDER: Mapping[str, int] = {name: at for at, name in enumerate(("hostPath", "nfs", "csi", "local"))}


def _csi(path: str, csi: Value) -> Faults:
    yield from volumes.driver_name(f"{path}.driver", csi.get("driver") or "")
    if not csi.get("volumeHandle"):
        yield required(f"{path}.volumeHandle")


def _local(path: str, local: Value, spec: Value) -> Faults:
    if not local.get("path"):
        yield required(f"{path}.path")
    else:
        yield from no_backsteps(f"{path}.path", local["path"])
    if spec.get("nodeAffinity") is None:
        yield required("spec.nodeAffinity", "Local volume requires node affinity")


def _kept(new: Value, old: Value) -> Faults:
    def source(spec: Value) -> dict[str, Any]:
        return {name: value for name, value in spec.items() if name not in _NOT_SOURCES}

    if source(new) != source(old):
        yield forbidden(
            "spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"
        )
    yield from same("spec.volumeMode", old.get("volumeMode"), new.get("volumeMode"))


def storage_class(obj: Value, old: Value | None) -> Faults:
    """A StorageClass."""
    if old is not None:
        yield from _class_kept(obj, old)
        return
    provisioner = str(obj.get("provisioner") or "").lower()
    if not provisioner:
        yield required("provisioner")
    else:
        yield from each_invalid("provisioner", provisioner, key_problems(provisioner))
    parameters = obj.get("parameters") or {}
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    policy = obj.get("reclaimPolicy")
    if policy and policy not in ("Delete", "Retain"):
        yield unsupported("reclaimPolicy", policy, ("Delete", "Retain"))
    modes = ("Immediate", "WaitForFirstConsumer")
    mode = obj.get("volumeBindingMode")
    if mode is None:
        yield required("volumeBindingMode")
    else:
        yield from optional_one_of("volumeBindingMode", mode, modes)
    for at, term in items(obj.get("allowedTopologies"), "allowedTopologies"):
        for place, one in items(term.get("matchLabelExpressions"), f"{at}.matchLabelExpressions"):
            yield from _topology(place, one)


def _topology(path: str, expression: Value) -> Faults:
    values, key = expression.get("values") or [], expression.get("key") or ""
    if not values:
        yield required(f"{path}.values")
    for at, value in duplicates(values):
        yield duplicate(f"{path}.values[{at}]", value)
    yield from each_invalid(f"{path}.key", key, key_problems(key))


def _class_kept(new: Value, old: Value) -> Faults:
    for name in ("parameters", "provisioner", "reclaimPolicy"):
        if (new.get(name) or None) != (old.get(name) or None):
            yield forbidden(name, f"updates to {name} are forbidden.")
    yield from same("volumeBindingMode", old.get("volumeBindingMode"), new.get("volumeBindingMode"))


def csi_driver(obj: Value, old: Value | None) -> Faults:
    """A CSIDriver."""
    spec = obj.get("spec") or {}
    policies = ("File", "None", "ReadWriteOnceWithFSType")
    yield from optional_one_of("spec.fsGroupPolicy", spec.get("fsGroupPolicy"), policies)
    seen: set[str] = set()
    for at, request in items(spec.get("tokenRequests"), "spec.tokenRequests"):
        audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
        if audience in seen:
            yield duplicate(f"{at}.audience", audience)
        seen.add(audience)
        if seconds is not None and seconds < 600:
            why = "may not specify a duration less than 10 minutes"
            yield invalid(f"{at}.expirationSeconds", seconds, why)
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in ("Persistent", "Ephemeral"):
            yield unsupported("spec.volumeLifecycleModes", mode, ("Persistent", "Ephemeral"))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        why = "must be greater than or equal to 10 seconds"
        yield invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, why)
    if old is not None:
        yield from _driver_kept(spec, old.get("spec") or {})


def _driver_kept(new: Value, old: Value) -> Faults:
    for name, told in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes",) * 2):
        if new.get(name) != old.get(name):
            yield invalid(f"spec.{told}", new.get(name), IMMUTABLE)
