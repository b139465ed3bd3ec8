"""The decision groups of a placement, as its PlacementDecisions tell them.

How a placement makes them is `decide.placement.groups`; whoever rolls out knows only the labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_ocm.api.placement import DECISION_GROUP_INDEX_LABEL, DECISION_GROUP_NAME_LABEL
from gitops_ocm.decide.placement.groups import Group
from gitops_ocm.decide.rollout.model import RolloutError
from gitops_ocm.decide.writes import labels_of, name_of, status_of

__all__ = ["Group", "groups_of"]


def groups_of(
    decisions: Iterable[Mapping[str, Any]], placement: Mapping[str, Any] | None = None
) -> tuple[Group, ...]:
    """The groups by index; raises `RolloutError`.

    A cluster that two groups name, as it may be for a moment while decisions are rewritten, is in the
    first of them. With the `placement`, a group that it defines and that has no cluster now is there, too:
    who names it has not misspelt it.
    """
    found: dict[tuple[int, str], set[str]] = {}
    for decision in decisions:
        key = _index_of(decision), labels_of(decision).get(DECISION_GROUP_NAME_LABEL, "")
        named = {d["clusterName"] for d in status_of(decision).get("decisions") or ()}
        found.setdefault(key, set()).update(named - {""})
    groups: list[Group] = []
    taken: set[str] = set()
    for (index, name), clusters in sorted(found.items()):
        groups.append(Group(index, name, tuple(sorted(clusters - taken))))
        taken |= clusters
    return (*groups, *_without_clusters(groups, placement or {}))


def _index_of(decision: Mapping[str, Any]) -> int:
    text = labels_of(decision).get(DECISION_GROUP_INDEX_LABEL, "")
    try:
        return int(text)
    except ValueError as error:
        raise RolloutError(
            f'incorrect group index: strconv.Atoi: parsing "{text}": invalid syntax',
            hint=f"in PlacementDecision {name_of(decision)} {DECISION_GROUP_INDEX_LABEL} is to be a number",
        ) from error


def _without_clusters(groups: Iterable[Group], placement: Mapping[str, Any]) -> Iterable[Group]:
    strategy = (placement.get("spec") or {}).get("decisionStrategy") or {}
    entries = (strategy.get("groupStrategy") or {}).get("decisionGroups") or ()
    names, last = {g.name for g in groups}, max((g.index for g in groups), default=-1)
    defined = dict.fromkeys(e.get("groupName") or "" for e in entries)
    missing = [name for name in defined if name and name not in names]
    return tuple(Group(last + 1 + i, name, ()) for i, name in enumerate(missing))
