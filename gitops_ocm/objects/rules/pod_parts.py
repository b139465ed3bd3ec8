"""What may be written to parts of a pod that have a subresource: its ephemeral containers, its resources.

The rest of a pod is `pods`; what of a write reaches such a part is `objects.lifecycle`.
"""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.native_workloads import qos_class
from gitops_ocm.objects.quantities import quantity
from gitops_ocm.objects.rules.containers import Surroundings, ephemeral_container
from gitops_ocm.objects.rules.faults import Faults, Value, duplicate, forbidden, invalid, items, not_found
from gitops_ocm.objects.rules.pods import pod_spec
from gitops_ocm.objects.rules.volumes import volumes

_MIRROR = "kubernetes.io/config.mirror"
_KINDS = ("containers", "initContainers")
_RESIZABLE = ("cpu", "memory")
_ALLOWED = frozenset(
    {
        *(
            "name",
            "image",
            "command",
            "args",
            "workingDir",
            "envFrom",
            "env",
            "volumeMounts",
            "volumeDevices",
        ),
        *(
            "terminationMessagePath",
            "terminationMessagePolicy",
            "imagePullPolicy",
            "securityContext",
            "stdin",
        ),
        *("stdinOnce", "tty", "targetContainerName"),
    }
)


def ephemeral_containers(obj: Value, old: Value) -> Faults:
    """A Pod with more ephemeral containers than before."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from pod_spec("spec", spec)
    yield from _ephemeral("spec.ephemeralContainers", spec)
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        yield forbidden("", "static pods do not support ephemeral containers")
        return
    found = {container.get("name"): container for container in spec.get("ephemeralContainers") or ()}
    for container in before.get("ephemeralContainers") or ():
        name = container.get("name")
        if name not in found:
            why = f'existing ephemeral containers "{name}" may not be removed\n'
            yield forbidden("spec.ephemeralContainers", why)
        elif found[name] != container:
            why = f'existing ephemeral containers "{name}" may not be changed\n'
            yield forbidden("spec.ephemeralContainers", why)


def _ephemeral(path: str, spec: Value) -> Faults:
    others = {c.get("name") for kind in _KINDS for c in spec.get(kind) or ()}
    taken = set(others)
    _, mountable = volumes("spec.volumes", spec.get("volumes"))
    around = Surroundings(
        volumes=mountable,
        claims=frozenset(),
        grace=None,
        host_users=spec.get("hostUsers") is not False,
        restart_policy=spec.get("restartPolicy") or "",
    )
    for at, container in items(spec.get("ephemeralContainers"), path):
        yield from ephemeral_container(at, container, around)
        name, target = container.get("name") or "", container.get("targetContainerName")
        if name in taken:
            yield duplicate(f"{at}.name", name)
        taken.add(name)
        if target and target not in others:
            yield not_found(f"{at}.targetContainerName", target)
        for field, value in container.items():
            if field not in _ALLOWED and value:
                yield forbidden(f"{at}.{field}", "cannot be set for an Ephemeral Container")
        for where, mount in items(container.get("volumeMounts"), f"{at}.volumeMounts"):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield forbidden(f"{where}.{field}", "cannot be set for an Ephemeral Container")


def resized(obj: Value, old: Value) -> Faults:
    """A Pod with other amounts of CPU and memory than before."""
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    yield from pod_spec("spec", spec)
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        yield forbidden("", "static pods cannot be resized")
        return
    held = (old.get("status") or {}).get("qosClass") or qos_class(before)
    if held != qos_class(spec):
        yield invalid("spec", held, "Pod QOS Class may not change as a result of resizing")
    if any(
        (each.get("resources") or {}).get(part) for each in (spec, before) for part in ("requests", "limits")
    ):
        why = (
            "resize of pods with pod-level resources is forbidden when "
            "InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled"
        )
        yield forbidden("", why)
        return
    moved = [*_moved(spec, before)]
    yield from moved
    if not moved:
        yield from _amounts(spec, before)


def _moved(spec: Value, before: Value) -> Faults:
    for kind in _KINDS:
        have, had = spec.get(kind) or [], before.get(kind) or []
        if len(have) != len(had):
            yield forbidden(f"spec.{kind}", f"{kind} may not be added or removed on resize")
            continue
        for at, (one, other) in enumerate(zip(have, had, strict=True)):
            if one.get("name") != other.get("name"):
                yield forbidden(
                    f"spec.{kind}[{at}].name", f"{kind} may not be renamed or reordered on resize"
                )


def _amounts(spec: Value, before: Value) -> Faults:
    pairs = {kind: [*zip(spec.get(kind) or (), before.get(kind) or (), strict=True)] for kind in _KINDS}
    for kind in reversed(_KINDS):
        for at, (new, old) in enumerate(pairs[kind]):
            if kind == "containers" or old.get("restartPolicy") == "Always":
                yield from _removed(f"spec.{kind}[{at}].resources", new, old)
    if any(_rest(new) != _rest(old) for new, old in pairs["containers"]):
        yield forbidden("spec", "only cpu and memory resources are mutable")
    for new, old in pairs["initContainers"]:
        if old.get("restartPolicy") == "Always" and _rest(new) != _rest(old):
            yield forbidden("spec", "only cpu and memory resources for sidecar containers are mutable")
        elif old.get("restartPolicy") != "Always" and new != old:
            yield forbidden("spec", "resources for non-sidecar init containers are immutable")


def _removed(path: str, new: Value, old: Value) -> Faults:
    for part in ("requests", "limits"):
        have = (new.get("resources") or {}).get(part) or {}
        if ((old.get("resources") or {}).get(part) or {}).keys() - have.keys():
            yield forbidden(f"{path}.{part}", f"resource {part} cannot be removed")


def _rest(container: Value) -> tuple[dict[str, Any], dict[str, Any]]:
    """A container but for the amounts that a resize may change."""
    resources = container.get("resources") or {}
    kept = {
        part: {
            name: quantity(text)
            for name, text in (resources.get(part) or {}).items()
            if name not in _RESIZABLE
        }
        for part in ("requests", "limits")
    }
    others = {k: v for k, v in resources.items() if k not in kept}
    return {k: v for k, v in container.items() if k != "resources"}, {**others, **kept}
