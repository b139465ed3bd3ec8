"""What differs between two objects, said path by path, without noise and without secrets.

For showing and comparing. What a write would do is `plan`; who owns a field is `ownership`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.paths import Step, dotted
from gitops_ocm.objects.ref import Object

MASK = "***"
"""What stands in place of a secret value."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_SERVER_METADATA = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "uid",
        "generation",
        "creationTimestamp",
        "selfLink",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    }
)
_SECRET_FIELDS = ("data", "stringData")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: `before` or `after` is `ABSENT` where there was or is nothing."""

    path: str
    before: Any
    after: Any


class _Absent:
    """The value of a field that is not there (null is a value)."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


def differences(old: Any, new: Any) -> list[Difference]:
    """Every differing field, deepest path first named, in path order of the new object."""
    return list(_walk(old, new, ()))


def covers(desired: Any, live: Any) -> bool:
    """Whether everything `desired` says is so in `live`, which may say more in maps."""
    if isinstance(desired, Mapping):
        if not isinstance(live, Mapping):
            return False
        return all(key in live and covers(value, live[key]) for key, value in desired.items())
    if isinstance(desired, list):
        return isinstance(live, list) and len(desired) == len(live) and all(map(covers, desired, live))
    return type(desired) is type(live) and bool(desired == live)


def without_noise(obj: Mapping[str, Any], *, status: bool = False) -> Object:
    """The object as a person wrote it: no server-set metadata, no status (unless `status`)."""
    result = dict(obj)
    if not status:
        result.pop("status", None)
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _SERVER_METADATA}
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if k != LAST_APPLIED}
    if annotations:
        meta["annotations"] = annotations
    else:
        meta.pop("annotations", None)
    result["metadata"] = meta
    return result


def masked(obj: Any, mask: str = MASK) -> Any:
    """A copy in which every value of a Secret, at any depth, reads `***`."""
    if isinstance(obj, list):
        return [masked(item, mask) for item in obj]
    if not isinstance(obj, Mapping):
        return obj
    if not _is_secret(obj):
        return {key: masked(value, mask) for key, value in obj.items()}
    result = dict(obj)
    for name in _SECRET_FIELDS:
        if isinstance(obj.get(name), Mapping):
            result[name] = dict.fromkeys(obj[name], mask)
        elif name in obj:
            result[name] = mask
    meta = obj.get("metadata")
    if isinstance(meta, Mapping) and LAST_APPLIED in (meta.get("annotations") or {}):
        result["metadata"] = {**meta, "annotations": {**meta["annotations"], LAST_APPLIED: mask}}
    return result


def _is_secret(obj: Mapping[str, Any]) -> bool:
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _walk(old: Any, new: Any, path: tuple[Step, ...]) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(k for k in old if k not in new)]:
            yield from _walk(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            was = old[at] if at < len(old) else ABSENT
            now = new[at] if at < len(new) else ABSENT
            yield from _walk(was, now, (*path, at))
    elif type(old) is not type(new) or old != new:
        yield Difference(dotted(path), old, new)
