"""Rollout strategies, and what add-ons and replica sets refer to, before the hub sees them.

A strategy can pass its definition and stop a rollout nevertheless: the patterns there do not see all. What an
object refers to is told only where this commit alone says that it cannot be meant: a decision group that the
placement beside it does not have, a name that is there but for a slip. What else is on the hub nobody knows
here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.api.scalars import ScalarError, parse_duration
from gitops_ocm.desired.fields import Finding
from gitops_ocm.desired.suggest import nearest
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Severity
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object, Ref

ADDON, WORK, CLUSTER = (f"{name}.open-cluster-management.io" for name in ("addon", "work", "cluster"))
PLACEMENT = Kind(CLUSTER, "Placement")
_CONFIGS = {
    (ADDON, "addondeploymentconfigs"): Kind(ADDON, "AddOnDeploymentConfig"),
    (ADDON, "addontemplates"): Kind(ADDON, "AddOnTemplate"),
}
REFERRED_TO = frozenset({PLACEMENT, *_CONFIGS.values()})
_BLOCKS = {"All": "all", "Progressive": "progressive", "ProgressivePerGroup": "progressivePerGroup"}
_COUNT = re.compile(r"[0-9]+(\.[0-9]+)?%", re.ASCII)

Known = Mapping[Kind, Mapping[tuple[str, str], Object]]
"""The objects of a commit by kind, then by namespace and name."""


def rolls_out(group: str, kind: str) -> bool:
    """Whether objects of a kind have rollout strategies, or refer to configurations."""
    return (group, kind) in ((ADDON, "ClusterManagementAddOn"), (WORK, "ManifestWorkReplicaSet"))


def strategy_findings(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the strategies of one object, where its schema says nothing."""
    for entry, at in _entries(obj):
        strategy = entry.get("rolloutStrategy")
        if isinstance(strategy, Mapping):
            yield from _strategy(strategy, (*at, "rolloutStrategy"))


def _entries(obj: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """What an object says of each placement, and where."""
    addon = obj["kind"] == "ClusterManagementAddOn"
    at: Path = ("spec", "installStrategy", "placements") if addon else ("spec", "placementRefs")
    entries = get(obj, *at, default=None)
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield entry, (*at, index)


def _strategy(strategy: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    block = _BLOCKS.get(str(strategy.get("type", "All")), "")
    options = strategy.get(block)
    for name in _BLOCKS.values():
        if name != block and block and strategy.get(name) is not None:
            why = f"{name} says nothing where the type is {strategy.get('type', 'All')}"
            yield Finding("rollout-strategy", why, (*at, name), f"write it under {block}", Severity.WARNING)
    if not isinstance(options, Mapping):
        return
    checks: Sequence[tuple[str, Callable[[str], bool], str]] = (
        ("progressDeadline", _is_deadline, "write it like 90s, 10m or None"),
        ("minSuccessTime", _is_duration, "write it like 90s or 10m"),
        ("maxFailures", _is_count, "write a number, or a percentage up to 100%"),
        ("maxConcurrency", _is_count, "write a number, or a percentage up to 100%"),
    )
    for name, is_right, hint in checks:
        value = options.get(name)
        if isinstance(value, str) and not is_right(value):
            yield Finding("rollout-strategy", f"{name} cannot be {value!r}", (*at, block, name), hint)


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ScalarError:
        return False
    return True


def _is_deadline(text: str) -> bool:
    return text in ("", "None") or _is_duration(text)


def _is_count(text: str) -> bool:
    return _COUNT.fullmatch(text) is not None and float(text[:-1]) <= 100


# --- between the objects of a commit ----------------------------------------------------------------


def reference_findings(obj: Mapping[str, Any], known: Known) -> Iterator[Finding]:
    """What an object refers to that is surely meant otherwise."""
    own = str(obj["metadata"].get("namespace") or "")
    for entry, at in _entries(obj):
        place = str(entry.get("namespace") or own), str(entry.get("name") or "")
        yield from _slip(known, PLACEMENT, place, (*at, "name"))
        if (placement := known.get(PLACEMENT, {}).get(place)) is not None:
            yield from _groups(entry, placement, (*at, "rolloutStrategy"))
        yield from _configs(entry.get("configs"), known, (*at, "configs"))
    if obj["kind"] == "ClusterManagementAddOn":
        yield from _configs(
            get(obj, "spec", "defaultConfigs", default=None), known, ("spec", "defaultConfigs")
        )
        supported = get(obj, "spec", "supportedConfigs", default=None)
        for index, each in enumerate(supported if isinstance(supported, list) else ()):
            if isinstance(each, Mapping) and isinstance(each.get("defaultConfig"), Mapping):
                where: Path = ("spec", "supportedConfigs", index, "defaultConfig")
                yield from _config({**each, **each["defaultConfig"]}, known, where)


def _configs(entries: Any, known: Known, at: Path) -> Iterator[Finding]:
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, Mapping):
            yield from _config(entry, known, (*at, index))


def _config(entry: Mapping[str, Any], known: Known, at: Path) -> Iterator[Finding]:
    kind = _CONFIGS.get((str(entry.get("group")), str(entry.get("resource"))))
    if kind is not None:
        place = str(entry.get("namespace") or ""), str(entry.get("name") or "")
        yield from _slip(known, kind, place, (*at, "name"))


def _slip(known: Known, kind: Kind, place: tuple[str, str], at: Path) -> Iterator[Finding]:
    """A name that this commit does not have, beside one that it has and that is nearly the same."""
    objects = known.get(kind, {})
    if place in objects:
        return
    hint = nearest(place[1], [name for namespace, name in objects if namespace == place[0]])
    if hint:
        why = f"{Ref(*kind, *place)} is not in this commit"
        yield Finding("unknown-reference", why, at, hint, Severity.WARNING)


def _groups(entry: Mapping[str, Any], placement: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    """Mandatory decision groups that the placement does not define: without them nothing goes first."""
    strategy = entry.get("rolloutStrategy")
    block = _BLOCKS.get(str(strategy.get("type", "All")), "") if isinstance(strategy, Mapping) else ""
    mandatory = get(strategy, block, "mandatoryDecisionGroups", default=None) if block else None
    defined = get(placement, "spec", "decisionStrategy", "groupStrategy", "decisionGroups", default=None)
    names = [g.get("groupName") for g in defined or () if isinstance(g, Mapping)]
    for index, group in enumerate(mandatory if isinstance(mandatory, list) else ()):
        name = group.get("groupName") if isinstance(group, Mapping) else None
        if name and name not in names:
            where = f"{placement['metadata'].get('namespace', '')}/{placement['metadata']['name']}"
            why = f"Placement {where} has no decision group {name!r}: nothing would go first"
            there = ", ".join(sorted(filter(None, names)))
            hint = nearest(str(name), filter(None, names)) or (f"it has: {there}" if there else "it has none")
            yield Finding("unknown-group", why, (*at, block, "mandatoryDecisionGroups", index), hint)
