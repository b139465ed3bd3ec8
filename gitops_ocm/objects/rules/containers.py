"""The containers of a pod: names, ports, mounts. Probes are `probes`, users and rights `security`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.rules import environment, probes, resources, security
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    not_found,
    one_of,
    optional_one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label, port_name_problems, port_problems, relative_path

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_ONLY_ALWAYS = "may not be set for init containers without restartPolicy=Always"


@dataclass(frozen=True)
class Surroundings:
    """What of its pod a container is judged by."""

    volumes: Mapping[str, Value]
    claims: frozenset[str]
    grace: int | None
    host_users: bool
    restart_policy: str


def containers(path: str, value: Any, around: Surroundings) -> Faults:
    """The containers of a pod."""
    if not value:
        yield required(path)
        return
    names: set[str] = set()
    for at, container in items(value, path):
        yield from _common(at, container, around)
        name = container.get("name") or ""
        if name in names:
            yield duplicate(f"{at}.name", name)
        names.add(name)
        yield from probes.all_of(at, container, around.grace)
        yield from _restart(at, container)
    yield from _host_ports(path, value)


def init_containers(path: str, value: Any, regular: Iterable[Value], around: Surroundings) -> Faults:
    """The containers that run before, or with `restartPolicy: Always` beside, the others."""
    names = {container.get("name") or "" for container in regular}
    for at, container in items(value, path):
        yield from _common(at, container, around)
        yield from _restart(at, container)
        name = container.get("name") or ""
        if name in names:
            yield duplicate(f"{at}.name", name)
        names |= {name} if name else set()
        yield from _host_ports(path, [container])
        if container.get("restartPolicy") == "Always":
            yield from probes.all_of(at, container, around.grace)
        else:
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if container.get(field) is not None:
                    yield forbidden(f"{at}.{field}", _ONLY_ALWAYS)


def ephemeral_container(path: str, container: Value, around: Surroundings) -> Faults:
    """A container that is added to a pod that runs."""
    yield from _common(path, container, around)


def _common(path: str, container: Value, around: Surroundings) -> Faults:
    name = container.get("name") or ""
    if name:
        yield from label(f"{path}.name", name)
    else:
        yield required(f"{path}.name")
    if not container.get("image"):
        yield required(f"{path}.image")
    policies = ("File", "FallbackToLogsOnError")
    yield from one_of(f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), policies)
    yield from _ports(f"{path}.ports", container.get("ports"))
    yield from environment.variables(f"{path}.env", container.get("env"))
    yield from environment.sources(f"{path}.envFrom", container.get("envFrom"))
    yield from _mounts(f"{path}.volumeMounts", container, around)
    yield from _devices(f"{path}.volumeDevices", container, around)
    yield from one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    yield from resources.requirements(f"{path}.resources", container.get("resources"), around.claims)
    yield from _resizing(f"{path}.resizePolicy", container.get("resizePolicy"), around.restart_policy)
    yield from security.of_container(
        f"{path}.securityContext", container.get("securityContext"), host_users=around.host_users
    )


def _ports(path: str, value: Any) -> Faults:
    names: set[str] = set()
    for at, port in items(value, path):
        name = port.get("name") or ""
        problems = port_name_problems(name) if name else []
        yield from each_invalid(f"{at}.name", name, problems)
        if name and not problems:
            if name in names:
                yield duplicate(f"{at}.name", name)
            names.add(name)
        number = port.get("containerPort") or 0
        if number:
            yield from each_invalid(f"{at}.containerPort", number, port_problems(number))
        else:
            yield required(f"{at}.containerPort")
        if port.get("hostPort"):
            yield from each_invalid(f"{at}.hostPort", port["hostPort"], port_problems(port["hostPort"]))
        yield from one_of(f"{at}.protocol", port.get("protocol"), PROTOCOLS)


def _host_ports(path: str, value: Any) -> Faults:
    seen: set[str] = set()
    for at, container in items(value, path):
        for place, port in items(container.get("ports"), f"{at}.ports"):
            number = port.get("hostPort") or 0
            if not number:
                continue
            text = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{number}"
            if text in seen:
                yield duplicate(f"{place}.hostPort", text)
            seen.add(text)


def _mounts(path: str, container: Value, around: Surroundings) -> Faults:
    devices = {d.get("name"): d.get("devicePath") for d in container.get("volumeDevices") or ()}
    seen: set[str] = set()
    for at, mount in items(container.get("volumeMounts"), path):
        name, where = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{at}.name")
        if name not in around.volumes:
            yield not_found(f"{at}.name", name)
        if not where:
            yield required(f"{at}.mountPath")
        if where in seen:
            yield invalid(f"{at}.mountPath", where, "must be unique")
        seen.add(where)
        if name in devices:
            yield invalid(f"{at}.name", name, "must not already exist in volumeDevices")
        if where in devices.values():
            yield invalid(f"{at}.mountPath", where, "must not already exist as a path in volumeDevices")
        yield from _mounted_how(path, at, mount, container)


def _mounted_how(path: str, at: str, mount: Value, container: Value) -> Faults:
    """A server tells these without the place in the list."""
    sub, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if sub:
        yield from relative_path(f"{path}.subPath", sub)
    if expression and sub:
        yield invalid(f"{at}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
    if expression:
        yield from relative_path(f"{path}.subPathExpr", expression)
    propagation = mount.get("mountPropagation")
    modes = ("Bidirectional", "HostToContainer", "None")
    yield from optional_one_of(f"{path}.mountPropagation", propagation, modes)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if propagation == "Bidirectional" and not privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(f"{path}.mountPropagation", why)
    yield from _recursively(f"{path}.recursiveReadOnly", mount)


def _recursively(path: str, mount: Value) -> Faults:
    mode = mount.get("recursiveReadOnly")
    if mode in (None, "Disabled"):
        return
    if mode not in ("Enabled", "IfPossible"):
        yield unsupported(path, mode, ("Disabled", "Enabled", "IfPossible"))
        return
    if not mount.get("readOnly"):
        yield forbidden(path, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        yield forbidden(path, "may only be specified when mountPropagation is None or not specified")


def _devices(path: str, container: Value, around: Surroundings) -> Faults:
    mounts = {m.get("name"): m.get("mountPath") for m in container.get("volumeMounts") or ()}
    names: set[str] = set()
    places: set[str] = set()
    for at, device in items(container.get("volumeDevices"), path):
        name, where = device.get("name") or "", device.get("devicePath") or ""
        if not name:
            yield required(f"{at}.name")
        if name in names:
            yield invalid(f"{at}.name", name, "must be unique")
        volume = around.volumes.get(name)
        if volume is not None and not volume.keys() & {"persistentVolumeClaim", "ephemeral"}:
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield invalid(f"{at}.name", name, why)
        if volume is None:
            yield not_found(f"{at}.name", name)
        if not where:
            yield required(f"{at}.devicePath")
        if where in places:
            yield invalid(f"{at}.devicePath", where, "must be unique")
        if where and ".." in where.split("/"):
            yield invalid(f"{at}.devicePath", where, "can not contain backsteps ('..')")
        names, places = names | {name}, places | {where}
        if name in mounts:
            yield invalid(f"{at}.name", name, "must not already exist in volumeMounts")
        if where in mounts.values():
            yield invalid(f"{at}.devicePath", where, "must not already exist as a path in volumeMounts")


def _restart(path: str, container: Value) -> Faults:
    policy = container.get("restartPolicy")
    yield from optional_one_of(f"{path}.restartPolicy", policy, ("Always", "Never", "OnFailure"))
    rules = container.get("restartPolicyRules")
    if rules and policy is None:
        yield required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
    for at, rule in items(rules, f"{path}.restartPolicyRules"):
        actions = ("Restart", "RestartAllContainers")
        yield from one_of(f"{at}.action", rule.get("action"), actions, missing=False)
        codes = rule.get("exitCodes")
        if codes is None:
            yield required(f"{at}.exitCodes", "must be specified")
        else:
            yield from one_of(
                f"{at}.exitCodes.operator", codes.get("operator"), ("In", "NotIn"), missing=False
            )


def _resizing(path: str, value: Any, restart_policy: str) -> Faults:
    seen: set[str] = set()
    for at, rule in items(value, path):
        name, policy = rule.get("resourceName") or "", rule.get("restartPolicy") or ""
        if name in seen:
            yield duplicate(at, name)
        seen.add(name)
        if not name:
            yield required(path)
        elif name not in ("cpu", "memory"):
            yield unsupported(path, name, ("cpu", "memory"))
        if not policy:
            yield required(path)
        elif policy not in ("NotRequired", "RestartContainer"):
            yield unsupported(path, policy, ("NotRequired", "RestartContainer"))
        if restart_policy == "Never" and policy == "RestartContainer":
            why = "must be 'NotRequired' when `restartPolicy` is 'Never'"
            yield invalid(path, policy, why)
