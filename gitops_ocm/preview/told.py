"""Objects as the `status` branch tells of them, with what such a file leaves out and every hub has.

A file holds what a person cares for (`report.status_files`): no messages of conditions that have none, no
finalizers, of a work's manifests a summary. `whole` gives that back, so that the hub's controllers find what
they left there, and write nothing. Where objects of desired state come in is `stage`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import CLUSTER_FINALIZER, HUB_ACCEPTED, RESOURCE_CLEANUP_FINALIZER
from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
)
from gitops_ocm.decide.writes import conditions_of, labels_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object, Ref, kind_of
from gitops_ocm.preview.kept import ADDONS

_BESIDE = frozenset({"decisions"})
_BESIDE_WORKS = frozenset({"summary", "manifests", "observedGeneration"})
"""What a status file has that the status of its object has not."""


def needed(told: Object) -> Object:
    """What `whole` and its neighbours look at of an object: by far the most of a work's file they do not."""
    if kind_of(told) != MANIFEST_WORK or ADDON_NAME_LABEL in labels_of(told) or not status_of(told):
        return told
    status = {key: value for key, value in status_of(told).items() if key not in _BESIDE_WORKS}
    return {**told, "status": status}


def whole(told: Object) -> Object:
    """The object that a status file tells of."""
    kind = kind_of(told)
    if kind == MANIFEST_WORK:
        return _work(told)
    if kind in (CLUSTER_ADDON, MANAGEMENT_ADDON):
        told = converted(told, ADDONS)
    status = {key: value for key, value in status_of(told).items() if key not in _BESIDE}
    if held := status.get("conditions"):
        status["conditions"] = [{"message": "", **condition} for condition in held]
    made = {**told, "spec": told.get("spec") or {}, **({"status": status} if "status" in told else {})}
    if kind == MANAGED_CLUSTER:
        made["metadata"] = {**told["metadata"], "finalizers": _finalizers(told)}
    return made


def _work(told: Object) -> Object:
    """A work. What is said of it is taken for the word on the present generation, which here is the first."""
    made = {**told, "spec": told.get("spec") or {}}
    if "status" in told:
        made["status"] = _status(told)
    return made


def _status(work: Object) -> Object:
    said = status_of(work)
    status = {key: said[key] for key in said if key not in _BESIDE_WORKS}
    held = said.get("conditions") or ()
    status["conditions"] = [{"message": "", **c, "observedGeneration": 1} for c in held]
    if ADDON_NAME_LABEL in labels_of(work):  # Nobody on the hub looks at what is told of others.
        status["resourceStatus"] = {"manifests": reported(work)}
    return status


def works(
    told: Iterable[tuple[Ref, Object]], spec_of: Callable[[Object], Mapping[str, Any]]
) -> Iterator[tuple[Ref, Object]]:
    """Many works, each as `whole` gives it, with its spec; where the statuses of several are one object, so
    are those of what they come to.
    """
    known: dict[int, tuple[Any, Object]] = {}
    for ref, work in told:
        made = {**work, "spec": spec_of(work)}
        if "status" in work:
            said = work["status"]
            if ADDON_NAME_LABEL in labels_of(work):
                made["status"] = _status(work)
            else:
                if id(said) not in known:
                    known[id(said)] = said, _status(work)
                made["status"] = known[id(said)][1]
        yield ref, made


def _finalizers(cluster: Object) -> list[str]:
    """By what the hub holds a cluster: one that was never let in was only seen."""
    let_in = conditions.find(conditions_of(cluster), HUB_ACCEPTED) is not None
    return [*([CLUSTER_FINALIZER] if let_in else ()), RESOURCE_CLEANUP_FINALIZER]


def reported(work: Object) -> list[Object]:
    """What a cluster was told to report of each manifest of a work, as the work's status has it."""
    return [_entry(told) for told in status_of(work).get("manifests") or ()]


def _entry(told: Mapping[str, Any]) -> Object:
    meta = told.get("resourceMeta") or {}
    entry: Object = {"resourceMeta": {**meta, "resource": guessed_plural(str(meta.get("kind") or ""))}}
    if held := told.get("conditions"):
        entry["conditions"] = [{"message": "", **condition} for condition in held]
    if values := told.get("feedback"):
        entry["statusFeedback"] = {"values": _values(values)}
    return entry


def _values(feedback: Mapping[str, Any]) -> Sequence[Object]:
    return [{"name": name, "fieldValue": _field(value)} for name, value in feedback.items()]


def _field(value: Any) -> Object:
    match value:
        case bool():
            return {"type": "Boolean", "boolean": value}
        case int():
            return {"type": "Integer", "integer": value}
    return {"type": "String", "string": str(value)}
