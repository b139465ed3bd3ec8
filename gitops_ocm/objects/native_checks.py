"""What a server refuses of Events and Leases; the words are Kubernetes' own. Part of `native`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.faults import Cause
from gitops_ocm.objects.ref import Object

_EVENTS_GROUP = "events.k8s.io/"
_OTHER_NAMESPACE = "does not match event.namespace"
_ANYWHERE = ("", "default")
"""Namespaces whose events may be about what is in none."""
_NOT_STRICT = ("firstTimestamp", "lastTimestamp", "count", "source")
"""Fields of an event that the newer API no longer takes (there they are called `deprecated…`)."""
_UNCHANGING = {
    "regarding": "involvedObject",
    "reason": "reason",
    "note": "message",
    "type": "type",
    "action": "action",
    "related": "related",
    "reportingController": "reportingController",
    "reportingInstance": "reportingInstance",
}
"""Fields of an event of the newer API that an update keeps, and what they are called where one does not."""


def _negative(of: Mapping[str, Any], names: tuple[str, ...], where: str) -> Iterator[Cause]:
    for name in names:
        if (of.get(name) or 0) < 0:
            yield _invalid(f"{where}.{name}", of[name], "must be greater than or equal to 0")


def lease_causes(obj: Object, old: Object | None) -> Iterator[Cause]:
    """Numbers that cannot be."""
    spec = obj.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    if duration is not None and duration <= 0:
        yield _invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    yield from _negative(spec, ("leaseTransitions",), "spec")


def event_causes(obj: Object, old: Object | None) -> Iterator[Cause]:
    """What any event has to say, and what the newer API wants beyond that."""
    newer = obj.get("apiVersion", "").startswith(_EVENTS_GROUP)
    about = obj.get("regarding" if newer else "involvedObject") or {}
    yield from _namespace(obj, about.get("namespace") or "")
    if obj.get("eventTime"):
        yield from _told(obj, "reportingController" if newer else "reportingComponent")
    if newer and old is None:
        yield from _strict(obj)
    elif newer and old is not None:
        yield from _changed(obj, old)


def _namespace(obj: Object, about: str) -> Iterator[Cause]:
    own = obj["metadata"].get("namespace") or ""
    if about:
        fits = own == about or bool(obj.get("eventTime"))
    else:
        fits = own in ((*_ANYWHERE, "kube-system") if obj.get("eventTime") else _ANYWHERE)
    if not fits:
        yield _invalid("involvedObject.namespace", about, _OTHER_NAMESPACE)


def _told(obj: Object, reporter: str) -> Iterator[Cause]:
    for name in (reporter, "reportingInstance", "action", "reason"):
        if not obj.get(name):
            yield Cause("FieldValueRequired", "Required value", name)


def _strict(obj: Object) -> Iterator[Cause]:
    if obj.get("type") not in ("Normal", "Warning"):
        yield _invalid("type", "", f"has invalid value: {obj.get('type') or ''}")
    for name in _NOT_STRICT:
        if obj.get(f"deprecated{name[0].upper()}{name[1:]}"):
            yield _invalid(name, "", "needs to be unset")


def _changed(obj: Object, old: Object) -> Iterator[Cause]:
    for name, told in _UNCHANGING.items():
        if (obj.get(name) or None) != (old.get(name) or None):
            fault = _invalid(told, obj.get(name), "field is immutable")
            # A kube-apiserver looks at the reason twice.
            yield from (fault, fault) if name == "reason" else (fault,)


def _invalid(field: str, value: Any, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {canonical_json(value).decode()}: {why}", field)
