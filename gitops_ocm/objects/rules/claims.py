"""Claims to volumes, also where a template makes them."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.names import subdomain_problems
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    each_invalid,
    forbidden,
    invalid,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector

ACCESS = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
MODES = ("Block", "Filesystem")


def access_modes(path: str, modes: Any) -> Faults:
    """How a volume may be used."""
    for mode in modes or ():
        if mode not in ACCESS:
            yield unsupported(path, mode, ACCESS)
    if "ReadWriteOncePod" in (modes or ()) and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        yield forbidden(path, why)


def spec(path: str, value: Value) -> Faults:
    """What is claimed."""
    if not value.get("accessModes"):
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(f"{path}.selector", value.get("selector"))
    yield from access_modes(f"{path}.accessModes", value.get("accessModes"))
    requests = (value.get("resources") or {}).get("requests") or {}
    where = f"{path}.resources[storage]"
    if "storage" not in requests:
        yield required(where)
    elif quantity(str(requests["storage"])) <= 0:
        yield invalid(where, str(requests["storage"]), "must be greater than zero")
    name = value.get("storageClassName")
    if name:
        yield from each_invalid(f"{path}.storageClassName", name, subdomain_problems(name))
    mode = value.get("volumeMode")
    if mode is not None and mode not in MODES:
        yield unsupported(f"{path}.volumeMode", mode, MODES)
    for field in ("dataSource", "dataSourceRef"):
        if value.get(field) is not None:
            yield from _source(f"{path}.{field}", value[field])
    yield from _both(path, value)


def _source(path: str, source: Value) -> Faults:
    if not source.get("name"):
        yield required(f"{path}.name")
    if not source.get("kind"):
        yield required(f"{path}.kind")
    group = source.get("apiGroup") or ""
    if not group and source.get("kind") != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid(path, source.get("kind") or "", why)
    elif group:
        yield from each_invalid(f"{path}.apiGroup", group, subdomain_problems(group))


def _both(path: str, value: Value) -> Faults:
    one, other = value.get("dataSource"), value.get("dataSourceRef")
    if one is None or other is None or other.get("namespace"):
        return
    if any((one.get(k) or "") != (other.get(k) or "") for k in ("apiGroup", "kind", "name")):
        yield invalid(path, one, "must match dataSourceRef")


def claim(obj: Value, old: Value | None) -> Faults:
    """A PersistentVolumeClaim."""
    wanted = obj.get("spec") or {}
    yield from spec("spec", wanted)
    if old is None:
        return
    before = old.get("spec") or {}
    yield from _unchanged(wanted, before, obj, old)


def _unchanged(new: Value, old: Value, obj: Value, before: Value) -> Faults:
    bound = (before.get("status") or {}).get("phase") == "Bound"
    kept, was = dict(new), dict(old)
    if old.get("storageClassName") is None and not bound:
        kept.pop("storageClassName", None)
    if not old.get("volumeName"):
        kept.pop("volumeName", None)
        was.pop("volumeName", None)
    if bound:
        for one in (kept, was):
            one.pop("resources", None)
    elif _size(new) != _size(old):
        kept.pop("volumeName", None)
    for name in ("volumeAttributesClassName",):
        kept.pop(name, None)
        was.pop(name, None)
    if kept != was:
        yield forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for "
            "bound claims",
        )
    elif bound and _size(new) < _size(old):
        where = "spec.resources.requests.storage"
        status = ((before.get("status") or {}).get("capacity") or {}).get("storage")
        if status is not None and _size(new) < quantity(str(status)):
            yield forbidden(where, "field can not be less than status.capacity")


def _size(value: Value) -> Any:
    return quantity(str(((value.get("resources") or {}).get("requests") or {}).get("storage", 0)))
