"""Pods, and the templates of pods in everything that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitops_ocm.objects.rules import scheduling, security, volumes
from gitops_ocm.objects.rules.containers import Surroundings, containers, init_containers
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    duplicate,
    each_invalid,
    forbidden,
    invalid,
    items,
    one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import (
    IP_TEXT,
    MAX_ID,
    annotation_keys,
    between,
    is_ip,
    label,
    labels,
    qualified,
    subdomain,
)
from gitops_ocm.objects.rules.pod_names import search_problems

RESTARTS = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_CHANGED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: Value, old: Value | None) -> Faults:
    """A Pod."""
    spec = obj.get("spec") or {}
    yield from _apparmor("metadata.annotations", obj.get("metadata") or {}, spec)
    yield from pod_spec("spec", spec)
    yield from _padded_images(spec)
    yield from volumes.tokens_without_account("spec.volumes", spec)
    if old is not None:
        yield from _changes(spec, old.get("spec") or {})
        return
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        yield forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def _padded_images(spec: Value) -> Faults:
    """In templates they are let through."""
    for key in ("initContainers", "containers"):
        for at, container in items(spec.get(key), f"spec.{key}"):
            image = container.get("image") or ""
            if image.strip() != image:
                yield invalid(f"{at}.image", image, "must not have leading or trailing whitespace")


def template(path: str, value: Value) -> Faults:
    """The template of a pod."""
    meta, spec = value.get("metadata") or {}, value.get("spec") or {}
    yield from labels(f"{path}.labels", meta.get("labels"))
    yield from annotation_keys(f"{path}.annotations", meta.get("annotations"))
    yield from _apparmor(f"{path}.annotations", meta, spec)
    yield from pod_spec(f"{path}.spec", spec)
    if spec.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        yield forbidden(f"{path}.spec.ephemeralContainers", why)


def _apparmor(path: str, meta: Value, spec: Value) -> Faults:
    """Profiles by annotation, each for a container that is there."""
    names = {c.get("name") for key in ("initContainers", "containers") for c in spec.get(key) or ()}
    for key in meta.get("annotations") or {}:
        name = key.removeprefix(_APPARMOR)
        if name != key and name not in names:
            yield invalid(f"{path}[{key}]", name, "container not found")


def pod_spec(path: str, spec: Value) -> Faults:
    """What a pod is to be."""
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        yield required(f"{path}.terminationGracePeriodSeconds")
    faults, mountable = volumes.volumes(f"{path}.volumes", spec.get("volumes"))
    yield from faults
    named = frozenset(claim.get("name") or "" for claim in spec.get("resourceClaims") or ())
    around = Surroundings(
        volumes=mountable,
        claims=named,
        grace=grace,
        host_users=spec.get("hostUsers") is not False,
        restart_policy=spec.get("restartPolicy") or "",
    )
    regular = spec.get("containers") or ()
    yield from containers(f"{path}.containers", regular, around)
    yield from init_containers(f"{path}.initContainers", spec.get("initContainers"), regular, around)
    yield from _host_network(path, spec)
    yield from one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTARTS)
    yield from one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS)
    yield from labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    yield from security.of_pod(f"{path}.securityContext", spec.get("securityContext"), spec)
    yield from scheduling.affinity(f"{path}.affinity", spec.get("affinity"))
    yield from _dns(f"{path}.dnsConfig", spec.get("dnsConfig"), spec.get("dnsPolicy"))
    for at, gate in items(spec.get("readinessGates"), f"{path}.readinessGates"):
        yield from qualified(f"{at}.conditionType", gate.get("conditionType") or "")
    yield from _gates(f"{path}.schedulingGates", spec.get("schedulingGates"))
    constraints = spec.get("topologySpreadConstraints")
    yield from scheduling.spreading(f"{path}.topologySpreadConstraints", constraints)
    yield from _names(path, spec)
    yield from scheduling.tolerations(f"{path}.tolerations", spec.get("tolerations"))
    yield from _host_aliases(f"{path}.hostAliases", spec.get("hostAliases"))
    yield from _classes(path, spec)


def _names(path: str, spec: Value) -> Faults:
    for field in ("serviceAccountName", "nodeName"):
        if spec.get(field):
            yield from subdomain(f"{path}.{field}", spec[field])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None:
        problems = between(deadline, 1, MAX_ID)
        yield from each_invalid(f"{path}.activeDeadlineSeconds", deadline, problems)
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from label(f"{path}.{field}", spec[field])


def _classes(path: str, spec: Value) -> Faults:
    for field in ("priorityClassName", "runtimeClassName"):
        if spec.get(field):
            yield from subdomain(f"{path}.{field}", spec[field])
    policy = spec.get("preemptionPolicy")
    if policy is not None:
        yield from one_of(f"{path}.preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))
    system = (spec.get("os") or {}).get("name")
    if spec.get("os") is not None and not system:
        yield required(f"{path}.os.name", "cannot be empty")
    elif system and system not in ("linux", "windows"):
        yield unsupported(f"{path}.os", system, ("linux", "windows"))


def _host_network(path: str, spec: Value) -> Faults:
    if not spec.get("hostNetwork"):
        return
    for at, container in items(spec.get("containers"), f"{path}.containers"):
        for place, port in items(container.get("ports"), f"{at}.ports"):
            outer = port.get("hostPort") or 0
            if outer and outer != port.get("containerPort"):
                why = "must match `containerPort` when `hostNetwork` is true"
                yield invalid(f"{place}.hostPort", outer, why)


def _dns(path: str, config: Value | None, policy: Any) -> Faults:
    servers = (config or {}).get("nameservers") or []
    if policy == "None" and not servers:
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
        else:
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", why)
    elif config is not None:
        yield from _dns_config(path, config, servers)


def _dns_config(path: str, config: Value, servers: list[str]) -> Faults:
    if len(servers) > 3:
        yield invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for at, server in items(servers, f"{path}.nameservers"):
        if not is_ip(server):
            yield invalid(at, server, IP_TEXT)
    searches = config.get("searches") or []
    if len(searches) > 32:
        yield invalid(f"{path}.searches", searches, "must not have more than 32 search paths")
    if len(" ".join(searches)) > 2048:
        why = "must not have more than 2048 characters (including spaces) in the search list"
        yield invalid(f"{path}.searches", searches, why)
    for at, search in items(searches, f"{path}.searches"):
        if search != ".":
            bare = search.removesuffix(".")
            yield from each_invalid(at, bare, search_problems(bare))
    for at, option in items(config.get("options"), f"{path}.options"):
        if not option.get("name"):
            yield required(at, "must not be empty")


def _gates(path: str, gates: Any) -> Faults:
    seen: set[str] = set()
    for at, gate in items(gates, path):
        name = gate.get("name") or ""
        yield from qualified(at, name)
        if name in seen:
            yield duplicate(at, name)
        seen.add(name)


def _host_aliases(path: str, aliases: Any) -> Faults:
    for at, alias in items(aliases, path):
        address = alias.get("ip") or ""
        if not is_ip(address):
            yield invalid(f"{at}.ip", address, IP_TEXT)
        for place, name in items(alias.get("hostnames"), f"{at}.hostnames"):
            yield from subdomain(place, name)


_FREE = ("activeDeadlineSeconds", "tolerations", "schedulingGates")
"""Fields of a spec with rules of their own for changes."""


def _changes(new: Value, old: Value) -> Faults:
    """A pod is what it was made to be, but for its images and a few numbers.

    It may be given a node once. A real server takes that through `pods/binding` alone, which is not served
    here: the simulated workloads write it as they write the rest.
    """
    for key in ("containers", "initContainers"):
        if len(new.get(key) or ()) != len(old.get(key) or ()):
            yield forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
        for at, container in items(new.get(key), f"spec.{key}"):
            if not container.get("image"):
                yield required(f"{at}.image")
    faults = list(_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")))
    yield from faults
    if faults and new.get("activeDeadlineSeconds") is not None:
        return
    yield from _tolerations_kept(new.get("tolerations") or [], old.get("tolerations") or [])
    before, after = _fixed(old), _fixed(new)
    if not before.get("nodeName"):
        before["nodeName"] = after.get("nodeName")
        after.setdefault("nodeName", None)
    if old.get("schedulingGates"):
        before["nodeSelector"], before["affinity"] = after.get("nodeSelector"), after.get("affinity")
    if any(before.get(name) != after.get(name) for name in {*before, *after}):
        yield forbidden("spec", _CHANGED)


def _deadline(new: Any, old: Any) -> Faults:
    where = "spec.activeDeadlineSeconds"
    if new is None:
        if old is not None:
            yield invalid(where, None, "must not update from a positive integer to nil value")
        return
    problems = between(new, 0, MAX_ID)
    yield from each_invalid(where, new, problems)
    if not problems and old is not None and old < new:
        yield invalid(where, new, "must be less than or equal to previous value")


def _tolerations_kept(new: list[Any], old: list[Any]) -> Faults:
    def essence(toleration: Value) -> list[tuple[str, Any]]:
        return sorted((k, v) for k, v in toleration.items() if k != "tolerationSeconds")

    there = [essence(toleration) for toleration in new]
    if any(essence(toleration) not in there for toleration in old):
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", why)


def _fixed(spec: Value) -> dict[str, Any]:
    kept = {name: value for name, value in spec.items() if name not in _FREE}
    for name in ("containers", "initContainers"):
        kept[name] = [_imageless(container) for container in spec.get(name) or ()]
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        kept["terminationGracePeriodSeconds"] = 1
    return kept


def _imageless(container: Value) -> dict[str, Any]:
    return {key: value for key, value in container.items() if key != "image"}


def every_container(spec: Value) -> Iterable[Value]:
    """The containers of all kinds."""
    return (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
