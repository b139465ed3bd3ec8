"""Placements that were decided by hand, for the controllers that read decisions: works and add-ons.

So these are judged alone, whoever runs the placements.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.objects import placement
from tests.wire.hub.placements import BETA
from tests.wire.hub.stage import CLUSTER, Stage

MAX = 100


class Decided:
    """One placement and its decisions, as the scheduler would have written them."""

    def __init__(self, stage: Stage, home: str, short: str = "p") -> None:
        self.stage = stage
        self.home = home
        self.name = stage.name(short)
        self.placement: Object | None = None
        self.decisions: dict[str, Object] = {}

    async def decide(self, *groups: Sequence[str]) -> None:
        """Choose these clusters, one decision for each group; additions come before removals."""
        if self.placement is None:
            self.placement = await self.stage.create(placement(self.name, self.home))
        groups = groups or ((),)
        told = []
        for index, clusters in enumerate(groups):
            name = f"{self.name}-decision-{index + 1}"
            if name not in self.decisions:
                self.decisions[name] = await self.stage.create(self._decision(name, index))
            chosen = [{"clusterName": self.stage.name(c), "reason": ""} for c in clusters]
            await self.stage.report(self.decisions[name], {"decisions": chosen})
            told.append(
                {
                    "decisionGroupIndex": index,
                    "decisionGroupName": "",
                    "decisions": [name],
                    "clusterCount": len(clusters),
                }
            )
        kept = {d for entry in told for d in entry["decisions"]}  # type: ignore[attr-defined]
        for name in [n for n in self.decisions if n not in kept]:
            await self.stage.delete(self.decisions.pop(name))
        total = sum(len(clusters) for clusters in groups)
        status = {"numberOfSelectedClusters": total, "decisionGroups": told, "conditions": []}
        await self.stage.report(self.placement, status)

    def _decision(self, name: str, index: int) -> Object:
        return {
            "apiVersion": BETA,
            "kind": "PlacementDecision",
            "metadata": {
                "name": name,
                "namespace": self.home,
                "labels": {
                    f"{CLUSTER}/placement": self.name,
                    f"{CLUSTER}/decision-group-index": str(index),
                    f"{CLUSTER}/decision-group-name": "",
                },
            },
        }

    async def withdraw(self) -> None:
        """Delete the placement with its decisions."""
        assert self.placement is not None
        for decision in self.decisions.values():
            await self.stage.delete(decision)
        await self.stage.delete(self.placement)
