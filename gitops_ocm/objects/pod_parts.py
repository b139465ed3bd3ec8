"""What of a pod is written through a subresource: its ephemeral containers, or how much its containers get.

Whether it may be so is `rules.pod_parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _with_ephemeral(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in old.items() if key != "ephemeralContainers"}
    added = new.get("ephemeralContainers")
    return {**kept, "ephemeralContainers": added} if added else kept


def _resized(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Containers by their places with other resources; where others are there, it is for rules to refuse."""
    result = dict(old)
    for kind in ("containers", "initContainers"):
        have, had = new.get(kind) or [], old.get(kind) or []
        if len(have) != len(had):
            return dict(new)
        if [each.get("name") for each in have] != [each.get("name") for each in had]:
            result[kind] = have
        elif had:
            result[kind] = [_amounts_of(one, other) for one, other in zip(have, had, strict=True)]
    return result


def _amounts_of(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("resources", "resizePolicy")
    return {k: v for k, v in old.items() if k not in parts} | {k: new[k] for k in parts if k in new}


PARTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]] = {
    "ephemeralcontainers": _with_ephemeral,
    "resize": _resized,
}
"""Subresources of a pod through which a part of its spec is written, and the spec that comes of it."""
