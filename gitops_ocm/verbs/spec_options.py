"""Options that become parts of a ClusterManager's or a Klusterlet's spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gitops_ocm.api.feature_gates import Gates
from gitops_ocm.api.quantity import Quantity
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.voice import VerbError

QOS_CLASSES = ("Default", "BestEffort", "ResourceRequirement")


def resource_requirement(qos: str, limits: Mapping[str, str], requests: Mapping[str, str]) -> Object:
    """A spec's `resourceRequirement`."""
    if qos not in QOS_CLASSES:
        raise VerbError(f"there is no resource QoS class {qos!r}", hint=f"there is {', '.join(QOS_CLASSES)}")
    if not limits and not requests:
        if qos == "ResourceRequirement":
            raise VerbError(
                f"resource type is {qos} but both limits and requests are not set",
                hint="add --resource-limits or --resource-requests, for example cpu=500m,memory=500Mi",
            )
        return {"type": qos}
    if qos != "ResourceRequirement":
        raise VerbError(
            "resource type must be ResourceRequirement when resource limits or requests are set",
            hint="add --resource-qos-class ResourceRequirement",
        )
    for name in sorted({*limits, *requests}):
        most, least = _quantity(name, limits.get(name)), _quantity(name, requests.get(name))
        if most is not None and least is not None and least.amount > most.amount:
            raise VerbError(
                f"requests {requests[name]} must be less than or equal to limits {limits[name]}",
                hint=f"lower the request or raise the limit of {name}",
            )
    found = {"limits": dict(limits), "requests": dict(requests)}
    return {"type": qos, "resourceRequirements": {key: value for key, value in found.items() if value}}


def _quantity(name: str, text: str | None) -> Quantity | None:
    if text is None:
        return None
    try:
        return Quantity.parse(text)
    except GitopsError as error:
        raise VerbError(f"{name}={text}: {error.message}", hint="write it like 500m or 800Mi") from error


def gates_of(chosen: Gates, known: Gates) -> list[Object]:
    """Those of the gates that a component knows, as its `featureGates`."""
    return [
        {"feature": name, "mode": "Enable" if chosen[name] else "Disable"}
        for name in sorted(chosen)
        if name in known
    ]


def present(**parts: Any) -> dict[str, Any]:
    """A mapping of those parts that say something."""
    return {key: value for key, value in parts.items() if value not in (None, "", [], {})}


def read_file(path: Path, what: str) -> bytes:
    """A file that an option names."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise VerbError(f"failed read the {what} {path}: {error.strerror}", hint="check the path") from error


def pairs(entries: Iterable[str], flag: str) -> dict[str, str]:
    """`key=value,…`, given once or more."""
    found: dict[str, str] = {}
    for part in (piece.strip() for entry in entries for piece in entry.split(",")):
        key, equals, value = part.partition("=")
        if not key or not equals:
            raise VerbError(f"{flag}: {part!r} is not key=value", hint=f"write {flag} cpu=500m,memory=500Mi")
        found[key] = value
    return found
