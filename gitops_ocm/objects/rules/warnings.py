"""What a server lets through and warns of: what hides something else, is deprecated, or does nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_ocm.objects.crd_schemas import unrecognized_formats
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.ref import Kind
from gitops_ocm.objects.rules.faults import Value, items, shown

Warnings = Iterator[str]
DEFINITION = Kind("apiextensions.k8s.io", "CustomResourceDefinition")
_OLD_LABELS: Mapping[str, str] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
}
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"


def told(kind: Kind, obj: Value, old: Value | None = None) -> tuple[str, ...]:
    """The warnings about an object that is valid; of a definition's formats, those it did not have before."""
    if kind == DEFINITION:
        before = _formats(old) if old is not None else ()
        return tuple(f'unrecognized format "{name}"' for name in _formats(obj) if name not in before)
    look = _KINDS.get(kind)
    return tuple(look(obj)) if look else ()


def _formats(crd: Value) -> list[str]:
    """Formats that no value is held to; those all versions have alike count once."""
    versions = (crd.get("spec") or {}).get("versions") or []
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") or {} for version in versions]
    alike = schemas[:1] if all(schema == schemas[0] for schema in schemas) else schemas
    return [name for schema in alike for name in unrecognized_formats(schema)]


def _pod_spec(path: str, spec: Value) -> Warnings:
    for label in sorted(spec.get("nodeSelector") or {}):
        if label in _OLD_LABELS:
            yield f"{path}.nodeSelector[{label}]: {_OLD_LABELS[label]}"
    yield from _volumes(spec)
    yield from _pull_secrets(f"{path}.imagePullSecrets", spec.get("imagePullSecrets"))
    for key in ("initContainers", "containers"):
        for at, container in items(spec.get(key), f"{path}.{key}"):
            yield from _container(at, container)


def _volumes(spec: Value) -> Warnings:
    for volume in spec.get("volumes") or ():
        projected = volume.get("projected")
        for source in (projected or {}).get("sources") or ():
            if not source:
                yield f'volume "{volume.get("name")}" (Projected) has no sources provided'


def _pull_secrets(path: str, secrets: Any) -> Warnings:
    seen: set[str] = set()
    for at, secret in items(secrets, path):
        name = secret.get("name") or ""
        if not name:
            yield f'{at}.name: invalid empty name ""'
        elif name in seen:
            yield f"{at}.name: duplicate name {shown(name)}"
        seen.add(name)


def _container(path: str, container: Value) -> Warnings:
    resources = container.get("resources") or {}
    for part in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            amount = (resources.get(part) or {}).get(name)
            if amount is not None and quantity(str(amount)) % 1:
                text = f"fractional byte value {shown(str(amount))} is invalid, must be an integer"
                yield f"{path}.resources.{part}[{name}]: {text}"
    seen: set[str] = set()
    for at, variable in items(container.get("env"), f"{path}.env"):
        name = variable.get("name") or ""
        if name in seen:
            yield f"{at}: hides previous definition of {shown(name)}, which may be dropped when using apply"
        seen.add(name)
    yield from _ports(path, container)


def _ports(path: str, container: Value) -> Warnings:
    first: dict[tuple[Any, ...], str] = {}
    for at, port in items(container.get("ports"), f"{path}.ports"):
        key = tuple(port.get(name) or "" for name in ("containerPort", "hostPort", "hostIP", "protocol"))
        if key in first:
            yield f"{at}: duplicate port definition with {first[key]}"
        first.setdefault(key, at)


def _pod(obj: Value) -> Warnings:
    yield from _pod_spec("spec", obj.get("spec") or {})


def _workload(obj: Value) -> Warnings:
    template = (obj.get("spec") or {}).get("template") or {}
    yield from _pod_spec("spec.template.spec", template.get("spec") or {})


def _stateful_set(obj: Value) -> Warnings:
    yield from _workload(obj)
    if ((obj.get("spec") or {}).get("revisionHistoryLimit") or 0) < 0:
        text = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {text}"


def _cron_job(obj: Value) -> Warnings:
    job = ((obj.get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}
    pod = (job.get("template") or {}).get("spec") or {}
    yield from _pod_spec("spec.jobTemplate.spec.template.spec", pod)


def _service_account(obj: Value) -> Warnings:
    if _MOUNTABLE in ((obj.get("metadata") or {}).get("annotations") or {}):
        text = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        yield f"metadata.annotations[{_MOUNTABLE}]: {text}"


_KINDS: Mapping[Kind, Callable[[Value], Warnings]] = {
    Kind("", "Pod"): _pod,
    Kind("", "ServiceAccount"): _service_account,
    Kind("", "ReplicationController"): _workload,
    Kind("apps", "Deployment"): _workload,
    Kind("apps", "ReplicaSet"): _workload,
    Kind("apps", "DaemonSet"): _workload,
    Kind("apps", "StatefulSet"): _stateful_set,
    Kind("batch", "Job"): _workload,
    Kind("batch", "CronJob"): _cron_job,
}
