"""The volumes of a pod, and what is mounted out of ConfigMaps, Secrets and the pod itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules import claims, environment
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    forbidden,
    invalid,
    items,
    one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label, no_backsteps, non_reserved_path, subdomain

_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATHS = (
    *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate"),
    "Socket",
)
_ORDER = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs"),
    *("iscsi", "glusterfs", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "flocker", "downwardAPI"),
    *("fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk"),
    *("portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)
"""The kinds of volumes in the order in which a server looks for them."""


def volumes(path: str, value: Any) -> tuple[list[Any], dict[str, Value]]:
    """The faults of a pod's volumes, and those without any by their names."""
    faults: list[Any] = []
    good: dict[str, Value] = {}
    for at, volume in items(value, path):
        name = volume.get("name") or ""
        found = list(_source(at, volume, name))
        if not name:
            found.append(required(f"{at}.name"))
        else:
            found += label(f"{at}.name", name)
        if name in good:
            found.append(duplicate(f"{at}.name", name))
        if not found:
            good[name] = volume
        faults += found
    return faults, good


def _source(path: str, volume: Value, name: str) -> Faults:
    used = [kind for kind in _ORDER if volume.get(kind) is not None]
    for at, kind in enumerate(used):
        if at:
            yield forbidden(f"{path}.{kind}", "may not specify more than 1 volume type")
        elif kind in _KINDS:
            yield from _KINDS[kind](f"{path}.{kind}", volume[kind])
    if not used:
        yield required(path, "must specify a volume type")


def _empty_dir(path: str, value: Value) -> Faults:
    if value.get("sizeLimit") is not None and quantity(str(value["sizeLimit"])) < 0:
        yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def host_path(path: str, value: Value) -> Faults:
    """A place on the node."""
    if not value.get("path"):
        yield required(f"{path}.path")
        return
    yield from no_backsteps(f"{path}.path", value["path"])
    kind = value.get("type")
    if kind is not None and kind not in _HOST_PATHS:
        yield unsupported(f"{path}.type", kind, _HOST_PATHS)


def _git(path: str, value: Value) -> Faults:
    if not value.get("repository"):
        yield required(f"{path}.repository")
    if value.get("directory"):
        yield from non_reserved_path(f"{path}.directory", value["directory"])


def nfs(path: str, value: Value) -> Faults:
    """A directory on an NFS server."""
    if not value.get("server"):
        yield required(f"{path}.server")
    where = value.get("path") or ""
    if not where:
        yield required(f"{path}.path")
    if not where.startswith("/"):
        yield invalid(f"{path}.path", where, "must be an absolute path")


def _claimed(path: str, value: Value) -> Faults:
    if not value.get("claimName"):
        yield required(f"{path}.claimName")


def _mode(path: str, mode: Any) -> Faults:
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(path, mode, _MODE)


def _keyed(path: str, value: Value, name: str) -> Faults:
    """What is filled from a ConfigMap (`name`) or a Secret (`secretName`)."""
    if not value.get(name):
        yield required(f"{path}.{name}")
    yield from _mode(f"{path}.defaultMode", value.get("defaultMode"))
    yield from _keys(path, value)


def _keys(path: str, value: Value) -> Faults:
    for at, item in items(value.get("items"), f"{path}.items"):
        if not item.get("key"):
            yield required(f"{at}.key")
        if not item.get("path"):
            yield required(f"{at}.path")
        else:
            yield from non_reserved_path(f"{at}.path", item["path"])
        yield from _mode(f"{at}.mode", item.get("mode"))


def _downward(path: str, value: Value) -> Faults:
    yield from _mode(f"{path}.defaultMode", value.get("defaultMode"))
    for item in value.get("items") or ():
        yield from _downward_file(path, item)


def _downward_file(path: str, item: Value) -> Faults:
    """One file of a pod's own facts; a server tells of it without its place in the list."""
    if not item.get("path"):
        yield required(f"{path}.path")
    else:
        yield from non_reserved_path(f"{path}.path", item["path"])
    of_pod, of_container = item.get("fieldRef"), item.get("resourceFieldRef")
    if of_pod is not None:
        yield from environment.field_of_pod(f"{path}.fieldRef", of_pod, environment.VOLUME_FIELDS)
        if of_container is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield invalid(path, "resource", why)
    elif of_container is not None:
        where = f"{path}.resourceFieldRef"
        yield from environment.resource_of_container(where, of_container, in_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode(f"{path}.mode", item.get("mode"))


def _projected(path: str, value: Value) -> Faults:
    yield from _mode(f"{path}.defaultMode", value.get("defaultMode"))
    taken: set[str] = set()
    for at, source in items(value.get("sources"), f"{path}.sources"):
        used = [kind for kind in _PROJECTIONS if source.get(kind) is not None]
        for number, kind in enumerate(used):
            where = f"{at}.{kind}"
            if number:
                yield forbidden(where, "may not specify more than 1 volume type")
                continue
            yield from _PROJECTIONS[kind](path, where, source[kind])
            yield from _clashes(path, kind, source[kind], taken)


def _clashes(path: str, kind: str, source: Value, taken: set[str]) -> Faults:
    paths = [item.get("path") or "" for item in source.get("items") or ()]
    if kind == "serviceAccountToken":
        paths = [source.get("path") or ""]
    for one in filter(None, paths):
        if one in taken:
            told = source.get("name") or one
            yield invalid(path, told, "conflicting duplicate paths")
        taken.add(one)


def _of_projection(path: str, where: str, value: Value) -> Faults:
    if not value.get("name"):
        yield required(f"{where}.name")
    yield from _keys(where, value)


def _downward_projection(path: str, where: str, value: Value) -> Faults:
    for item in value.get("items") or ():
        yield from _downward_file(where, item)


def _token(path: str, where: str, value: Value) -> Faults:
    seconds = value.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        why = "may not specify a duration less than 10 minutes"
        yield invalid(f"{where}.expirationSeconds", seconds, why)
    if seconds is not None and seconds > 1 << 32:
        why = "may not specify a duration larger than 2^32 seconds"
        yield invalid(f"{where}.expirationSeconds", seconds, why)
    if not value.get("path"):
        yield required(f"{path}.path")
    else:
        yield from non_reserved_path(f"{path}.path", value["path"])


_PROJECTIONS: Mapping[str, Callable[[str, str, Value], Faults]] = {
    "secret": _of_projection,
    "configMap": _of_projection,
    "downwardAPI": _downward_projection,
    "serviceAccountToken": _token,
}


def _csi(path: str, value: Value) -> Faults:
    yield from driver_name(f"{path}.driver", value.get("driver") or "")
    if (value.get("nodePublishSecretRef") or {"name": "x"}).get("name") in (None, ""):
        yield required(f"{path}.nodePublishSecretRef.name")


def driver_name(path: str, name: str) -> Faults:
    """The name of a CSI driver."""
    if not name:
        yield required(path)
        return
    if len(name) > 63:
        text = "Too long: may not be more than 63 bytes"
        yield invalid(path, name, text)
    yield from subdomain(path, name.lower() if name.lower() != name and "_" not in name else name)


def _ephemeral(path: str, value: Value) -> Faults:
    template = value.get("volumeClaimTemplate")
    if template is None:
        yield required(f"{path}.volumeClaimTemplate")
    else:
        yield from claims.spec(f"{path}.volumeClaimTemplate.spec", template.get("spec") or {})


def _image(path: str, value: Value) -> Faults:
    if not value.get("reference"):
        yield required(f"{path}.reference")
    policies = ("Always", "IfNotPresent", "Never")
    if value.get("pullPolicy"):
        yield from one_of(f"{path}.pullPolicy", value["pullPolicy"], policies)


_KINDS: Mapping[str, Callable[[str, Value], Faults]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "gitRepo": _git,
    "secret": lambda path, value: _keyed(path, value, "secretName"),
    "nfs": nfs,
    "persistentVolumeClaim": _claimed,
    "downwardAPI": _downward,
    "configMap": lambda path, value: _keyed(path, value, "name"),
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}


def tokens_without_account(path: str, spec: Value) -> Faults:
    """A token of the pod's account needs an account."""
    if spec.get("serviceAccountName"):
        return
    for at, volume in items(spec.get("volumes"), path):
        sources = (volume.get("projected") or {}).get("sources")
        for place, source in items(sources, f"{at}.projected.sources"):
            if source.get("serviceAccountToken") is not None:
                why = "must not be specified when serviceAccountName is not set"
                yield forbidden(f"{place}.serviceAccountToken", why)
