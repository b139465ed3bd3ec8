"""Into which decision groups the selected clusters fall, and into which PlacementDecisions those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gitops_ocm.api.placement import MAX_DECISIONS
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.fleet import Bits, Fleet
from gitops_ocm.decide.placement.selector import ClusterSelector
from gitops_ocm.objects.placements import group_size_fault, percent_of


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


def decision_groups(strategy: Mapping[str, Any] | None, fleet: Fleet, selected: Bits) -> tuple[Group, ...]:
    """Cut the selected clusters into groups; raises `Misconfigured`."""
    wanted = (strategy or {}).get("groupStrategy") or {}
    size = _group_size(wanted.get("clustersPerDecisionGroup"), selected.bit_count())
    rest, parts = selected, list[tuple[str, tuple[str, ...]]]()
    for name, selector in named_groups(strategy):
        matched = selector.among(fleet, rest)
        rest &= ~matched
        parts += [(name, part) for part in _chunks(fleet.names(matched), size)]
    parts += [("", part) for part in _chunks(fleet.names(rest), size)]
    return tuple(Group(i, name, part) for i, (name, part) in enumerate(parts or [("", ())]))


def named_groups(strategy: Mapping[str, Any] | None) -> list[tuple[str, ClusterSelector]]:
    """The groups that a strategy names, with what selects their clusters; raises `Misconfigured`."""
    entries = ((strategy or {}).get("groupStrategy") or {}).get("decisionGroups") or ()
    return [
        (entry.get("groupName") or "", ClusterSelector.of(_without_expressions(entry), ""))
        for entry in entries
    ]


def _without_expressions(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A group's selector: there is no CEL in it."""
    return {k: v for k, v in (entry.get("groupClusterSelector") or {}).items() if k != "celSelector"}


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
    elif (percent := percent_of(wanted)) is not None:
        size = ceil(percent / 100 * total)  # in floats, as Go: 7% of 100 are 8
    else:
        raise Misconfigured("", group_size_fault(wanted))
    return size if 0 < size <= total else max(total, 1)


def _chunks(names: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(names), size):
        yield tuple(names[start : start + size])
