"""The rollouts of a replica set or an add-on, placement by placement, as one side of a change has them.

Asked of the functions that decide (`decide.works`, `decide.addons`), which are what `explain rollout` asks,
too. What becomes of them over time is `rollouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from gitops_ocm.decide.addons.assignment import Source, groups_in, strategy_of
from gitops_ocm.decide.addons.configuration import sources_of
from gitops_ocm.decide.addons.management import is_ours, is_placed
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.kinds import REPLICA_SET
from gitops_ocm.decide.rollout import Group, Hold
from gitops_ocm.decide.rollout.explanation import Row, Standing, standings
from gitops_ocm.decide.rollout.limits import Limits, limits_of
from gitops_ocm.decide.rollout.wording import hold_in_words, listed, mandatory_of, strategy_in_words
from gitops_ocm.decide.work_states import Part as SetPart
from gitops_ocm.decide.works import owner_value, rollouts_of
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.hub import Moment

BY_HAND = "everyone at once: it is installed by hand"
DEFAULTS = "everyone at once: no placement of the add-on selects these clusters"


@dataclass(frozen=True)
class Part:
    """What one placement (`NAMESPACE/NAME`; `""`: none) rolls out, and how its clusters stand.

    Where a `fault` says why it cannot be rolled out, there is no more than the clusters.
    """

    placement: str
    clusters: frozenset[str]
    strategy: Mapping[str, Any] | None = None
    groups: tuple[Group, ...] = ()
    rows: tuple[Row, ...] = ()
    hold: Hold | None = None
    fault: str = ""
    rule: str = ""

    def standing(self, *standings: Standing) -> tuple[str, ...]:
        """The clusters that stand so, by name."""
        return tuple(sorted(row.cluster for row in self.rows if row.standing in standings))

    @cached_property
    def limits(self) -> Limits | None:
        """The strategy's options; None where they cannot be read."""
        return None if self.fault else limits_of(self.strategy)

    @property
    def in_words(self) -> str:
        """The strategy."""
        return self.rule or (strategy_in_words(self.strategy) if not self.fault else "")

    @property
    def soak(self) -> timedelta:
        """How long a cluster has to stay good."""
        return self.limits.soak if self.limits else timedelta(0)

    @property
    def mandatory(self) -> tuple[str, ...]:
        """The decision groups that come first."""
        return mandatory_of(self.limits) if self.limits else ()

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The decision group of each cluster; nothing where a placement makes no groups."""
        if len(self.groups) < 2 and not any(g.name for g in self.groups):
            return {}
        return {c: g.name or str(g.index) for g in self.groups for c in g.clusters}

    @property
    def why(self) -> str:
        """Why those that wait do."""
        if self.fault:
            return self.fault
        if self.hold is not None:
            return hold_in_words(self.hold, self.strategy, self.groups, self.rows)
        if starting := self.standing(Standing.STARTING):
            return f"nothing can be made for {listed(starting)}: not accepted, so there is no namespace"
        return ""


def parts_of(moment: Moment, owner: Ref) -> Sequence[Part]:
    """The rollouts of a replica set or an add-on, in the order of its placements."""
    obj = moment.objects.get(owner)
    if obj is None:
        return ()
    return tuple(_of_set(moment, obj, owner) if owner.of == REPLICA_SET else _of_addon(moment, obj))


def _of_set(moment: Moment, obj: Object, owner: Ref) -> Iterator[Part]:
    works = moment.works.get(owner_value(owner), ())
    rollouts, _ = rollouts_of(moment.view, obj, works, moment.at, compat=moment.compat)
    missing = rollouts.missing()
    for part in rollouts.parts():
        placement = f"{owner.namespace}/{part.name}"
        if part.name in missing:
            yield Part(placement, part.placed, fault=f"Placement {placement} does not exist")
        else:
            yield _of_placement(part, placement, moment)


def _of_placement(part: SetPart, placement: str, moment: Moment) -> Part:
    found = part.inputs
    if found is None or part.step is None:
        return Part(placement, part.placed, fault=part.fault)
    rows = standings(found.strategy, found.groups, found.states, part.step, moment.at)
    return Part(placement, part.placed, found.strategy, found.groups, rows, part.step.hold)


def _of_addon(moment: Moment, obj: Object) -> Iterator[Part]:
    cma = at_beta(obj)
    if not is_ours(cma):
        return
    addons = moment.addons.get(cma["metadata"]["name"], ())
    placed = is_placed(cma)
    for source in sources_of(moment.view, cma, addons, moment.at, compat=moment.compat):
        if source.entry is not None or source.members:
            yield _of_source(source, moment, DEFAULTS if placed else BY_HAND)


def _of_source(source: Source, moment: Moment, without: str) -> Part:
    members = sorted(source.members)
    if source.entry is None:
        placement, strategy, rule = "", None, without
        groups: tuple[Group, ...] = (Group(0, "", tuple(members)),)
    else:
        placement, strategy, rule = source.name, strategy_of(source), ""
        groups = groups_in(source, moment.compat)
    clusters = frozenset(c for g in groups for c in g.clusters)
    if source.waits:
        return Part(placement, clusters, fault=source.waits)
    states = [source.members[cluster].state for cluster in members]
    rows = standings(strategy, groups, states, source.step, moment.at)
    return Part(placement, clusters, strategy, groups, rows, source.step.hold, rule=rule)
