"""The variables of a container, and what fills them: fields of the pod, ConfigMaps, Secrets, files."""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.names import key_problems
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    each_invalid,
    invalid,
    items,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import config_key_problems, env_name_problems, relative_path, subdomain

ENV_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
VOLUME_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
)
_CONVERTED = frozenset(
    {
        *ENV_FIELDS,
        *VOLUME_FIELDS,
        *("spec.restartPolicy", "spec.schedulerName", "spec.hostNetwork", "status.phase"),
        "status.nominatedNodeName",
    }
)
"""Fields that can be named of a pod at all."""
_RESOURCES = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
_DIVISORS = {"cpu": ("1m", "1")}
_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SUBSCRIPT = re.compile(r"(.+)\['(.*)'\]", re.DOTALL)
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def variables(path: str, value: Any) -> Faults:
    """A container's `env`."""
    for at, variable in items(value, path):
        name = variable.get("name") or ""
        if name:
            yield from each_invalid(f"{at}.name", name, env_name_problems(name))
        else:
            yield required(f"{at}.name")
        if variable.get("valueFrom") is not None:
            yield from _filled(f"{at}.valueFrom", variable["valueFrom"], variable.get("value") or "")


def _filled(path: str, source: Value, value: str) -> Faults:
    used = [name for name in _SOURCES if source.get(name) is not None]
    for name in used:
        yield from _ONE[name](f"{path}.{name}", source[name])
    if not used:
        told = ", ".join(f"`{name}`" for name in _SOURCES[:-1])
        yield invalid(path, "", f"must specify one of: {told} or `{_SOURCES[-1]}`")
    elif value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(used) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def sources(path: str, value: Any) -> Faults:
    """A container's `envFrom`."""
    for at, source in items(value, path):
        if source.get("prefix"):
            yield from each_invalid(f"{at}.prefix", source["prefix"], env_name_problems(source["prefix"]))
        used = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
        for name in used:
            named = source[name].get("name") or ""
            if named:
                yield from subdomain(f"{at}.{name}.name", named)
            else:
                yield required(f"{at}.{name}.name")
        if not used:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(used) > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def field_of_pod(path: str, ref: Value, fields: tuple[str, ...]) -> Faults:
    """A reference to a field of the pod itself."""
    version, where = ref.get("apiVersion") or "", ref.get("fieldPath") or ""
    if not version:
        yield required(f"{path}.apiVersion")
        return
    if not where:
        yield required(f"{path}.fieldPath")
        return
    subscript = _SUBSCRIPT.fullmatch(where)
    base = subscript[1] if subscript else where
    if version != "v1":
        why = f"error converting fieldPath: unsupported pod version: {version}"
        yield invalid(f"{path}.fieldPath", where, why)
    elif subscript:
        yield from _subscripted(path, where, base, subscript[2])
    elif base not in _CONVERTED:
        why = f"error converting fieldPath: field label not supported: {base}"
        yield invalid(f"{path}.fieldPath", where, why)
    elif base not in fields:
        yield unsupported(f"{path}.fieldPath", where, sorted(fields))


def _subscripted(path: str, where: str, base: str, key: str) -> Faults:
    if base == "metadata.annotations":
        yield from each_invalid(path, key, key_problems(key.lower()))
    elif base == "metadata.labels":
        yield from each_invalid(path, key, key_problems(key))
    else:
        yield invalid(path, where, "does not support subscript")


def resource_of_container(path: str, ref: Value, *, in_volume: bool = False) -> Faults:
    """A reference to what a container requests or may use."""
    name = ref.get("resource") or ""
    if in_volume and not ref.get("containerName"):
        yield required(f"{path}.containerName")
    elif not name:
        yield required(f"{path}.resource")
    elif name not in _RESOURCES and not name.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield unsupported(f"{path}.resource", name, _RESOURCES)
    yield from _divisor(f"{path}.divisor", name, ref.get("divisor"))


def _divisor(path: str, name: str, divisor: Any) -> Faults:
    if divisor is None or quantity(str(divisor)) == 0:
        return
    kind = name.partition(".")[2]
    if kind == "cpu" and str(divisor) not in _DIVISORS["cpu"]:
        yield invalid(path, name, "only divisor's values 1m and 1 are supported with the cpu resource")
    elif kind in ("memory", "ephemeral-storage") and str(divisor) not in _SIZES:
        told = ", ".join(_SIZES)
        yield invalid(path, name, f"only divisor's values {told} are supported with the {kind} resource")


def _key(path: str, ref: Value) -> Faults:
    # A reference without a name is let through where it always was.
    yield from subdomain(f"{path}.name", ref.get("name") or "")
    key = ref.get("key") or ""
    if key:
        yield from each_invalid(f"{path}.key", key, config_key_problems(key))
    else:
        yield required(f"{path}.key")


def _file(path: str, ref: Value) -> Faults:
    key = ref.get("key") or ""
    if key:
        yield from each_invalid(f"{path}.key", key, env_name_problems(key))
    else:
        yield required(f"{path}.key")
    if not ref.get("volumeName"):
        yield required(f"{path}.volumeName")
    if ref.get("path"):
        yield from relative_path(f"{path}.path", ref["path"])
    else:
        yield required(f"{path}.path")


_ONE = {
    "fieldRef": lambda path, ref: field_of_pod(path, ref, ENV_FIELDS),
    "resourceFieldRef": resource_of_container,
    "configMapKeyRef": _key,
    "secretKeyRef": _key,
    "fileKeyRef": _file,
}
