"""Admission that a kube-apiserver has built in and that looks at others: priorities, runtimes, limits.

What needs nothing but the object itself is `objects.native`. It comes before registered webhooks (`hooks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects import limit_ranges
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, forbidden
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.rules.cluster import SYSTEM_PRIORITIES

POD, CLAIM = Kind("", "Pod"), Kind("", "PersistentVolumeClaim")
PRIORITY_CLASS = Kind("scheduling.k8s.io", "PriorityClass")
CLASSES, RUNTIMES = ("scheduling.k8s.io", "priorityclasses"), ("node.k8s.io", "runtimeclasses")
LIMITS = ("", "limitranges")
_PREEMPTS = "PreemptLowerPriority"
_COMPUTED = (
    "the {} must not be provided in pod spec; priority admission controller computed {} from the given "
    "PriorityClass name"
)


class BuiltInAdmission:
    """Judges and completes creations by what else is in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admitted(self, served: Served, namespace: str, obj: Object) -> Object:
        """The new object with what it is given; raises what refuses it."""
        kind = served.resource.of
        if kind == PRIORITY_CLASS and obj.get("globalDefault"):
            self._require_no_default(served, obj)
        if kind not in (POD, CLAIM):
            return obj
        if kind == POD:
            obj = self._of_class(served, self._of_runtime(served, obj))
        if not self._store.has(LIMITS):
            return obj
        ranges = [o for key, o in self._store.objects(LIMITS).items() if key.namespace == namespace]
        if kind == POD:
            obj = limit_ranges.filled(obj, ranges)
        if refusals := limit_ranges.refusals(obj, ranges):
            raise _refused(served, obj, refusals[0] if len(refusals) == 1 else f"[{', '.join(refusals)}]")
        return obj

    def _require_no_default(self, served: Served, obj: Object) -> None:
        for key, found in self._store.objects(CLASSES).items():
            if found.get("globalDefault"):
                why = f"PriorityClass {key.name} is already marked as default. Only one default can exist"
                raise _refused(served, obj, why)

    def _of_class(self, served: Served, pod: Object) -> Object:
        """The pod with the priority its class gives it."""
        spec = pod.get("spec") or {}
        name = spec.get("priorityClassName") or ""
        found = self._class(name) if name else self._default_class()
        if found is None and name:
            raise _refused(served, pod, f"no PriorityClass with name {name} was found")
        value, policy = _value(found), (found or {}).get("preemptionPolicy") or _PREEMPTS
        asked, wanted = spec.get("priority"), spec.get("preemptionPolicy")
        if asked is not None and asked != value:
            raise _refused(served, pod, _COMPUTED.format(f"integer value of priority ({asked})", value))
        if wanted is not None and wanted != policy:
            raise _refused(
                served, pod, _COMPUTED.format(f"string value of PreemptionPolicy ({wanted})", policy)
            )
        given = {"priority": value, "preemptionPolicy": policy}
        if found is not None and not name:
            given["priorityClassName"] = found["metadata"]["name"]
        return {**pod, "spec": {**spec, **given}}

    def _class(self, name: str) -> Object | None:
        """A class by its name; those of the system need not be there."""
        found = self._store.get(Key(*CLASSES, "", name))
        if found is None and name in SYSTEM_PRIORITIES:
            return {"metadata": {"name": name}, "value": SYSTEM_PRIORITIES[name]}
        return found

    def _default_class(self) -> Object | None:
        """The class of pods that name none: of several defaults the least."""
        if not self._store.has(CLASSES):
            return None
        found = [obj for obj in self._store.objects(CLASSES).values() if obj.get("globalDefault")]
        return min(found, key=_value, default=None)

    def _of_runtime(self, served: Served, pod: Object) -> Object:
        """The pod with what its runtime costs, and where that is."""
        spec = pod.get("spec") or {}
        name = spec.get("runtimeClassName")
        runtime: Mapping[str, Any] = {}
        if name:
            found = self._store.get(Key(*RUNTIMES, "", name))
            if found is None:
                raise _refused(served, pod, f'pod rejected: RuntimeClass "{name}" not found')
            runtime = found
        fixed = (runtime.get("overhead") or {}).get("podFixed")
        if spec.get("overhead") and not fixed:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise _refused(served, pod, why)
        if spec.get("overhead") and spec["overhead"] != fixed:
            raise _refused(
                served, pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            )
        given: dict[str, Any] = {"overhead": dict(fixed)} if fixed else {}
        scheduling = runtime.get("scheduling") or {}
        if scheduling.get("nodeSelector"):
            given["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **scheduling["nodeSelector"]}
        if scheduling.get("tolerations"):
            own = spec.get("tolerations") or []
            given["tolerations"] = [*own, *(t for t in scheduling["tolerations"] if t not in own)]
        return {**pod, "spec": {**spec, **given}} if given else pod


def _value(found: Object | None) -> int:
    return int((found or {}).get("value") or 0)


def _refused(served: Served, obj: Object, why: str) -> ApiError:
    resource = served.resource
    return forbidden(resource.group, resource.plural, str(obj["metadata"].get("name") or ""), why)
