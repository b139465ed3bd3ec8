"""Into which decision groups the selected clusters fall, and into which PlacementDecisions those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gitops_ocm.api.placement import MAX_DECISIONS
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.filters import ClusterSelector
from gitops_ocm.decide.writes import name_of
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True)
class Group:
    """A decision group: its index, its name (`""`: unnamed) and its clusters by name."""

    index: int
    name: str
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class Slice:
    """What one PlacementDecision is to hold."""

    name: str
    group: Group
    clusters: tuple[str, ...]


def decision_groups(strategy: Mapping[str, Any] | None, selected: Sequence[Object]) -> tuple[Group, ...]:
    """Cut the selected clusters into groups; raises `Misconfigured`."""
    wanted = (strategy or {}).get("groupStrategy") or {}
    size = _group_size(wanted.get("clustersPerDecisionGroup"), len(selected))
    named = [
        (entry.get("groupName") or "", ClusterSelector.of(entry.get("groupClusterSelector") or {}, ""))
        for entry in wanted.get("decisionGroups") or ()
    ]
    rest = sorted(selected, key=name_of)
    parts: list[tuple[str, tuple[str, ...]]] = []
    for name, selector in named:
        matched = [c for c in rest if selector.matches(c)]
        rest = [c for c in rest if c not in matched]
        parts += [(name, part) for part in _chunks(matched, size)]
    parts += [("", part) for part in _chunks(rest, size)]
    return tuple(Group(i, name, part) for i, (name, part) in enumerate(parts or [("", ())]))


def slices(placement: str, groups: Sequence[Group]) -> tuple[Slice, ...]:
    """The PlacementDecisions of the groups, numbered from 1 across all of them."""
    found: list[Slice] = []
    for group in groups:
        for start in range(0, max(1, len(group.clusters)), MAX_DECISIONS):
            name = f"{placement}-decision-{len(found) + 1}"
            found.append(Slice(name, group, group.clusters[start : start + MAX_DECISIONS]))
    return tuple(found)


def _group_size(wanted: object, total: int) -> int:
    """Clusters per group, `"25%"` rounded up; what makes no sense means all of them."""
    if wanted is None:
        size = total
    elif isinstance(wanted, int):
        size = wanted
    elif str(wanted).endswith("%") and str(wanted)[:-1].isdigit():
        size = ceil(int(str(wanted)[:-1]) * total / 100)
    else:
        raise Misconfigured("", f"{wanted} invalid type: string is not a percentage")
    return size if 0 < size <= total else max(total, 1)


def _chunks(clusters: Sequence[Object], size: int) -> Iterator[tuple[str, ...]]:
    names = [name_of(c) for c in clusters]
    for start in range(0, len(names), size):
        yield tuple(names[start : start + size])
