"""An Event is one object in two API groups: core `v1` and `events.k8s.io/v1` name its fields otherwise.

Where each form says the same by another name, it is renamed; what only one form has is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ocm.objects.ref import Object

CORE = "v1"
EVENTS = "events.k8s.io/v1"

_TO_EVENTS: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_TO_CORE: Mapping[str, str] = {new: old for old, new in _TO_EVENTS.items()}


def in_form(event: Object, api_version: str) -> Object:
    """The event as the group of `api_version` shows it."""
    if event.get("apiVersion") == api_version:
        return event
    names = _TO_EVENTS if api_version == EVENTS else _TO_CORE
    renamed = {names.get(field, field): value for field, value in event.items()}
    return {**renamed, "apiVersion": api_version}
