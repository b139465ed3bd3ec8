"""Whether a live object is still as its manifest says, seen through what an API server does to it.

A server fills in defaults, leaves out what is empty and rewrites quantities. None of that is drift, so
a manifest is held against the live object leniently: what the manifest says must be so, in the server's
notation; what it does not say may be anything. (OCM's agent compares exactly and therefore sends most
objects again at each resync; here a resync without drift sends nothing.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.quantity import Quantity
from gitops_ocm.objects.ref import Object

_QUANTITIES = frozenset(
    {"requests", "limits", "hard", "capacity", "allocatable", "default", "defaultRequest"}
)


def as_wished(desired: Any, live: Any, *, quantities: bool = False) -> bool:
    """Whether everything `desired` says is so in `live`."""
    if _is_empty(desired):
        return live is None or _is_empty(live) or isinstance(desired, Mapping)
    if isinstance(desired, Mapping):
        return isinstance(live, Mapping) and all(
            as_wished(value, live.get(key), quantities=quantities or key in _QUANTITIES)
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(live, list)
            and len(desired) == len(live)
            and all(as_wished(a, b, quantities=quantities) for a, b in zip(desired, live, strict=True))
        )
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live
    return bool(desired == live) or (quantities and _same_amount(desired, live))


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (Mapping, list, str)) and not value)


def _same_amount(desired: Any, live: Any) -> bool:
    if not all(isinstance(text, (str, int)) for text in (desired, live)):
        return False
    try:
        return Quantity.parse(desired).amount == Quantity.parse(live).amount
    except ValueError:
        return False


def metadata_as_wished(manifest: Object, live: Object) -> bool:
    """The same for labels and annotations; a key ending in `-` says that the key must not be there."""
    wished, have = manifest.get("metadata") or {}, live["metadata"]
    for part in ("labels", "annotations"):
        held = have.get(part) or {}
        for key, value in (wished.get(part) or {}).items():
            if key.endswith("-"):
                if key[:-1] in held:
                    return False
            elif held.get(key) != value:
                return False
    return True
