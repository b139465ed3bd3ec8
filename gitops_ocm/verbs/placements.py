"""`create placement`: a Placement from flags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selector_text import terms
from gitops_ocm.verbs.listing import BINDINGS, PLACEMENTS
from gitops_ocm.verbs.targets import Target
from gitops_ocm.verbs.voice import VerbError, Voice

_OUTSIDE_PARENTHESES = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True)
class PlacementFlags:
    """What the flags say; each label selector is a predicate of its own, and one of them suffices."""

    cluster_sets: Sequence[str] = ()
    count: int = 0
    label_selectors: Sequence[str] = ()
    prioritizers: Sequence[str] = ()

    def spec(self) -> dict[str, Any]:
        """The Placement's spec."""
        spec: dict[str, Any] = {}
        if self.cluster_sets:
            spec["clusterSets"] = list(self.cluster_sets)
        if self.count > 0:
            spec["numberOfClusters"] = self.count
        if self.label_selectors:
            spec["predicates"] = [
                {"requiredClusterSelector": {"labelSelector": label_selector(text)}}
                for text in self.label_selectors
            ]
        if self.prioritizers:
            configurations = [prioritizer(text) for text in self.prioritizers]
            spec["prioritizerPolicy"] = {"mode": "Additive", "configurations": configurations}
        return spec


async def create_placement(
    target: Target, voice: Voice, name: str, namespace: str, flags: PlacementFlags, *, overwrite: bool
) -> None:
    """A new Placement, or a new spec for one that is there."""
    spec = flags.spec()
    for cluster_set in flags.cluster_sets:
        if not await target.known(BINDINGS, cluster_set, namespace):
            raise not_found(BINDINGS.group, BINDINGS.plural, cluster_set)
    if await target.find(PLACEMENTS, name, namespace) is None:
        metadata = {"name": name, "namespace": namespace}
        obj = {
            "apiVersion": PLACEMENTS.api_version,
            "kind": PLACEMENTS.kind,
            "metadata": metadata,
            "spec": spec,
        }
        await target.create(PLACEMENTS, obj)
        voice.say(f"Placement '{name}' has been created in '{namespace}' namespace")
        return
    if not overwrite:
        raise VerbError(f"placement {name} already exists", hint="--overwrite gives it a new spec")

    def change(obj: Object) -> None:
        obj["spec"] = spec

    await target.edit(PLACEMENTS, name, namespace, change)
    voice.say(f"Placement '{name}' of '{namespace}' namespace has been updated")


def label_selector(text: str) -> dict[str, Any]:
    """A selector's text as a LabelSelector: `k=v` as matchLabels, the rest as matchExpressions."""
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for part in _OUTSIDE_PARENTHESES.split(text):
        for key, operator, values in terms(part):
            if "!=" in part or operator in ("Gt", "Lt"):
                sign = "!=" if "!=" in part else ">" if operator == "Gt" else "<"
                raise VerbError(
                    f'failed to parse selector {text}: "{sign}" is not a valid label selector operator',
                    hint="a Placement knows k=v, k in (a,b), k notin (a,b), k and !k",
                )
            if "=" in part:
                labels[key] = values[0] if values else ""
            else:
                expressions.append(
                    {"key": key, "operator": operator} | ({"values": sorted(values)} if values else {})
                )
    selector: dict[str, Any] = {"matchLabels": labels} if labels else {}
    return selector | ({"matchExpressions": expressions} if expressions else {})


def prioritizer(text: str) -> dict[str, Any]:
    """`BuiltIn:<Type>:<Weight>` or `AddOn:<resource>:<score>:<weight>` as a prioritizer configuration."""
    kind, *parts = text.split(":")
    if len(parts) < 2:
        raise VerbError(f"prioritizer {text} format is not correct", hint=_PRIORITIZERS)
    match kind:
        case "BuiltIn" if len(parts) == 2:
            coordinate: dict[str, Any] = {"type": kind, "builtIn": parts[0]}
        case "AddOn" if len(parts) == 3:
            coordinate = {"type": kind, "addOn": {"resourceName": parts[0], "scoreName": parts[1]}}
        case "BuiltIn" | "AddOn":
            raise VerbError(f"prioritizer {text} format is not correct", hint=_PRIORITIZERS)
        case _:
            raise VerbError(f"unknown prioritizer type {kind} for {text}", hint=_PRIORITIZERS)
    return {"scoreCoordinate": coordinate, "weight": _weight(text, parts[-1])}


_PRIORITIZERS = "BuiltIn:<type>:<weight> or AddOn:<resource>:<score>:<weight>"


def _weight(text: str, digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise VerbError(
            f"weight in prioritizer {text} is not correct: {digits}", hint=_PRIORITIZERS
        ) from None
