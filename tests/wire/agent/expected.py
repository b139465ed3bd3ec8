"""What a case expects, as values, and how it is held against what is there: field by field.

`Entry` is one manifest: what is reported of it, and what the managed cluster has. Everything that is not
said is the normal case: applied, available, no values asked for, the object as its manifest says and owned
by the work alone. Of API objects only what is said is compared, of everything the agent writes all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object, split_api_version

Text = str | re.Pattern[str]
ABSENT = object()
"""As an expected value: the field is not there."""
_HIDDEN = re.compile("^Failed to fetch resource: .* is forbidden: ")


class Raw(str):
    """A value reported as JSON text."""

    __slots__ = ()


@dataclass(frozen=True)
class Entry:
    """One manifest. `applied` and `feedback` are a message where they failed.

    `live` is what the object has (None: the manifest itself; ABSENT: nothing is there), `owned` whether by
    this work, `others` how many owners it has beside. `rules`: type → (status, message[, reason]).
    """

    manifest: Object
    applied: Text = ""
    reason: str = "AppliedManifestFailed"
    available: str = "True"
    values: Sequence[tuple[str, Any]] = ()
    feedback: Text | None = None
    rules: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    live: Any = None
    owned: bool = True
    others: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)

    def resource_meta(self, ordinal: int, plural: str, *, namespaced: bool) -> Object:
        """The `resourceMeta` it is reported under."""
        group, version = split_api_version(self.manifest["apiVersion"])
        meta = self.manifest["metadata"]
        return {
            "ordinal": ordinal,
            "group": group,
            "version": version,
            "kind": self.manifest["kind"],
            "resource": plural,
            "name": meta.get("name", ""),
            "namespace": meta.get("namespace", "") if namespaced else "",
            **self.meta,
        }

    def conditions(self, generation: int) -> dict[str, tuple[Any, ...]]:
        """Type → (status, reason, message, observedGeneration)."""
        found: dict[str, tuple[Any, ...]] = {
            "Applied": ("False", self.reason, self.applied, generation)
            if self.applied
            else ("True", "AppliedManifestComplete", "Apply manifest complete", generation),
            "Available": {
                "True": ("True", "ResourceAvailable", "Resource is available", None),
                "False": ("False", "ResourceNotAvailable", "Resource is not available", None),
                "Unknown": ("Unknown", "IncompleteResourceMeta", "Resource meta is incomplete", None),
                "Hidden": ("Unknown", "FetchingResourceFailed", _HIDDEN, None),
            }[self.available],
        }
        if self.feedback is not None and self.feedback != "":
            found["StatusFeedbackSynced"] = ("False", "StatusFeedbackSyncFailed", self.feedback, None)
        elif self.available == "True" or self.feedback == "":
            reason = "NoStatusFeedbackSynced" if self.feedback is None else "StatusFeedbackSynced"
            found["StatusFeedbackSynced"] = ("True", reason, "", None)
        for name, (status, message, *reason_given) in self.rules.items():
            found[name] = (status, *(reason_given or ["ConditionRuleEvaluated"]), message, generation)
        return found

    def feedback_values(self) -> list[Object]:
        """The reported values on the wire."""
        return [{"name": name, "fieldValue": _field_value(value)} for name, value in self.values]


def _field_value(value: Any) -> Object:
    match value:
        case Raw():
            return {"type": "JsonRaw", "jsonRaw": str(value)}
        case bool():
            return {"type": "Boolean", "boolean": value}
        case int():
            return {"type": "Integer", "integer": value}
    return {"type": "String", "string": value}


def work_conditions(entries: Sequence[Entry], generation: int) -> dict[str, tuple[Any, ...]]:
    """The work's Applied and Available that follow from its entries."""
    total = len(entries)
    missing = sum(e.available == "False" for e in entries)
    unknown = sum(e.available in ("Unknown", "Hidden") for e in entries)
    found: dict[str, tuple[Any, ...]] = {}
    if any(e.applied for e in entries):
        found["Applied"] = (
            "False",
            "AppliedManifestWorkFailed",
            "Failed to apply manifest work",
            generation,
        )
    elif entries:
        found["Applied"] = (
            "True",
            "AppliedManifestWorkComplete",
            "Apply manifest work complete",
            generation,
        )
    if missing:
        text = f"{missing} of {total} resources are not available"
        found["Available"] = ("False", "ResourcesNotAvailable", text, generation)
    elif unknown:
        text = f"{unknown} of {total} resources have unknown status"
        found["Available"] = ("Unknown", "ResourcesStatusUnknown", text, generation)
    elif entries:
        found["Available"] = ("True", "ResourcesAvailable", "All resources are available", generation)
    return found


def conditions_in(conditions: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Conditions as they are compared; each must say when it last changed."""
    found = {}
    for c in conditions:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", c["lastTransitionTime"]), c
        found[c["type"]] = (c["status"], c["reason"], c["message"], c.get("observedGeneration"))
    return found


def differences(wanted: Any, found: Any, path: str = "", *, part: bool = False) -> Iterable[str]:
    """Where two values differ; with `part` mappings may have more than is wanted."""
    if wanted is ABSENT:
        if found is not None:
            yield f"{path}: {found!r} is there"
    elif isinstance(wanted, re.Pattern):
        if not isinstance(found, str) or wanted.search(found) is None:
            yield f"{path}: {found!r} does not match {wanted.pattern!r}"
    elif isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted} if part else {*wanted, *found}):
            if key not in wanted:
                yield f"{path}.{key}: {found[key]!r} is there"
            else:
                yield from differences(wanted[key], found.get(key), f"{path}.{key}", part=part)
    elif isinstance(wanted, (list, tuple)) and isinstance(found, (list, tuple)):
        if len(wanted) != len(found):
            yield f"{path}: {len(found)} items, not {len(wanted)}: {found!r}"
            return
        for at, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(left, right, f"{path}[{at}]", part=part)
    elif wanted != found or type(wanted) is not type(found):
        yield f"{path}: {found!r}, not {wanted!r}"
