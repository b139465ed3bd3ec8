"""What scores of a decision rest on, in words: who else chose a cluster, its resources, what add-ons say.

Asked only when somebody wants to know (`explanation`); the numbers are `scores`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.decide.placement.schedule import Schedule
from gitops_ocm.decide.placement.scores import Prioritizer
from gitops_ocm.decide.writes import status_of, time_at

UNTOLD = "not known here: the status branch has no AddOnPlacementScores"
_AMOUNTS = {"ResourceAllocatableCPU": "cpu", "ResourceAllocatableMemory": "memory"}


class Grounds:
    """Of every cluster that a decision has scored."""

    def __init__(self, choice: Schedule) -> None:
        self._choice = choice
        self._ranges: dict[str, tuple[float, float]] = {}

    def of(self, prioritizer: Prioritizer, cluster: str) -> str:
        """Why a prioritizer gave a cluster what it gave."""
        around = self._choice.around
        if prioritizer.resource:
            return self._of_addon(prioritizer, cluster)
        if prioritizer.name == "Balance":
            elsewhere = around.elsewhere
            count = elsewhere.of(cluster)
            return f"{_placements(count)} it; the most chosen has {elsewhere.most}"
        if prioritizer.name == "Steady":
            return "chosen already" if cluster in around.chosen else "not chosen so far"
        return self._of_amount(_AMOUNTS[prioritizer.name], cluster)

    def _of_addon(self, prioritizer: Prioritizer, cluster: str) -> str:
        _, resource, name = prioritizer.name.split("/", 2)
        found = self._choice.around.scoreboard.find(cluster, resource)
        if found is None:
            return f"the cluster has no AddOnPlacementScore {resource}"
        status = status_of(found)
        until = time_at(status.get("validUntil"))
        if until is not None and self._choice.around.now > until:
            return f"its AddOnPlacementScore expired at {until:%Y-%m-%dT%H:%M:%SZ}"
        given = [s.get("value") for s in status.get("scores") or () if s.get("name") == name]
        told = (
            f"its AddOnPlacementScore says {given[-1]}" if given else f"its AddOnPlacementScore has no {name}"
        )
        return f"{told}, until {until:%Y-%m-%dT%H:%M:%SZ}" if until else told

    def _of_amount(self, resource: str, cluster: str) -> str:
        fleet = self._choice.candidates.fleet
        if resource not in self._ranges:
            passed = self._choice.passed[-1][1]
            known = [a for a in fleet.amounts(fleet.names(passed), resource) if a is not None]
            self._ranges[resource] = (min(known, default=0.0), max(known, default=0.0))
        if fleet.amounts([cluster], resource)[0] is None:
            return f"the cluster does not tell its {resource}"
        low, high = self._ranges[resource]
        told = _allocatable(fleet.get(cluster) or {}, resource)
        return f"{told} {resource} can be allocated, between {low:.15g} and {high:.15g} in those that qualify"


def _placements(count: int) -> str:
    return f"{count} other placement{' chooses' if count == 1 else 's choose'}"


def _allocatable(cluster: Mapping[str, Any], resource: str) -> str:
    return str((status_of(cluster).get("allocatable") or {}).get(resource, ""))
