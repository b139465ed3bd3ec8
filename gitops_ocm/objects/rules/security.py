"""As whom a pod and its containers run, and what they may do on a node."""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    invalid,
    items,
    optional_one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import between, id_faults, relative_path

_CONFINED = ("Localhost", "RuntimeDefault", "Unconfined")
_CONTEXT = (
    *("capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup"),
    *("runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount", "seccompProfile"),
    "appArmorProfile",
)
_SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"


def of_container(path: str, value: Value | None, *, host_users: bool) -> Faults:
    """A container's `securityContext`."""
    if value is None:
        return
    yield from id_faults(f"{path}.runAsUser", value.get("runAsUser"))
    yield from id_faults(f"{path}.runAsGroup", value.get("runAsGroup"))
    mount = value.get("procMount")
    yield from optional_one_of(f"{path}.procMount", mount, ("Default", "Unmasked"))
    if host_users and mount == "Unmasked":
        yield invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _confined(f"{path}.seccompProfile", value.get("seccompProfile"), "seccomp")
    yield from _escalation(path, value)
    yield from _confined(f"{path}.appArmorProfile", value.get("appArmorProfile"), "AppArmor")


def _escalation(path: str, value: Value) -> Faults:
    if value.get("allowPrivilegeEscalation") is not False:
        return
    if value.get("privileged"):
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        yield invalid(path, _told(value), why)
    if "CAP_SYS_ADMIN" in ((value.get("capabilities") or {}).get("add") or ()):
        why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield invalid(path, _told(value), why)


def _told(value: Value) -> dict[str, Any]:
    """A context as a server shows it: all its fields under Go's names."""
    told: dict[str, Any] = {}
    for name in _CONTEXT:
        found = value.get(name)
        if name == "capabilities" and found is not None:
            found = {"Add": found.get("add"), "Drop": found.get("drop")}
        elif isinstance(found, dict):
            found = {f"{key[0].upper()}{key[1:]}": inner for key, inner in found.items()}
        told[f"{name[0].upper()}{name[1:]}"] = found
    told["SELinuxOptions"] = told.pop("SeLinuxOptions")
    order = [f"{name[0].upper()}{name[1:]}".replace("SeLinux", "SELinux") for name in _CONTEXT]
    return {name: told[name] for name in order}


def _confined(path: str, profile: Value | None, what: str) -> Faults:
    """A seccomp or AppArmor profile."""
    if profile is None:
        return
    kind, local = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        yield required(f"{path}.type", "type is required when seccompProfile is set" if what == "seccomp" else
                       "type is required when appArmorProfile is set")  # fmt: skip
        return
    where = f"{path}.localhostProfile"
    if kind == "Localhost":
        if local is None or (what == "AppArmor" and not local.strip()):
            yield required(where, f"must be set when {what} type is Localhost")
        elif what == "seccomp":
            yield from relative_path(where, local)
        elif local.strip() != local:
            yield invalid(where, local, "must not be padded with whitespace")
    elif kind not in _CONFINED:
        yield unsupported(f"{path}.type", kind, _CONFINED)
    elif local is not None and what == "seccomp":
        told = {"Type": kind, "LocalhostProfile": local}
        yield invalid(where, told, "can only be set when seccomp type is Localhost")
    elif local is not None:
        yield invalid(where, local, "can only be set when AppArmor type is Localhost")


def of_pod(path: str, value: Value | None, spec: Value) -> Faults:
    """A pod's `securityContext`."""
    value = value or {}
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from id_faults(f"{path}.{name}", value.get(name))
    for at, group in items(value.get("supplementalGroups"), f"{path}.supplementalGroups"):
        yield from each_invalid(at, group, between(group, 0, 2**31 - 1))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{path}.shareProcessNamespace", True, why)
    yield from _sysctls(f"{path}.sysctls", value.get("sysctls"))
    policies = ("Always", "OnRootMismatch")
    yield from optional_one_of(f"{path}.fsGroupChangePolicy", value.get("fsGroupChangePolicy"), policies)
    yield from _confined(f"{path}.seccompProfile", value.get("seccompProfile"), "seccomp")
    yield from _confined(f"{path}.appArmorProfile", value.get("appArmorProfile"), "AppArmor")
    yield from optional_one_of(
        f"{path}.supplementalGroupsPolicy", value.get("supplementalGroupsPolicy"), ("Merge", "Strict")
    )
    yield from optional_one_of(
        f"{path}.seLinuxChangePolicy", value.get("seLinuxChangePolicy"), ("MountOption", "Recursive")
    )


def _sysctls(path: str, value: Any) -> Faults:
    seen: set[str] = set()
    for at, sysctl in items(value, path):
        name = sysctl.get("name") or ""
        if not name:
            yield required(f"{at}.name")
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            yield invalid(f"{at}.name", name, f"must have at most 253 characters and match regex ^{_SYSCTL}$")
        elif name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
