"""Who configures which cluster: the placements of an add-on in their order, and behind them the defaults.

The last placement that selects a cluster configures it. While a placement is in doubt (it is gone, or its
decisions are being rewritten) its clusters may be any: what is listed up to it has to wait, so that nobody
is given the configuration of another placement for a moment. What is listed after it goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from gitops_ocm.api.addon_words import ADDON_COMPLETED, ADDON_FAILED, PROGRESSING, PROGRESSING_NO_WORKS
from gitops_ocm.decide.addons.references import Wanted, configs_in, desired_in, hashes_in, overriding
from gitops_ocm.decide.addons.selection import Choice
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.rollout import ClusterState, Group, RolloutError, State, Step, advance, groups_of
from gitops_ocm.decide.rollout.limits import with_concurrency_of
from gitops_ocm.decide.writes import conditions_of, namespace_of, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object

REASON_FAILED, REASON_COMPLETED = ADDON_FAILED.reason, ADDON_COMPLETED.reason
REASON_PROGRESSING = PROGRESSING_NO_WORKS.reason


@dataclass(frozen=True)
class Member:
    """An add-on on one cluster, as served and at v1beta1: what it is to have, and how far it is."""

    live: Object
    addon: Object
    wanted: Wanted
    state: ClusterState


@dataclass
class Source:
    """A placement, or the defaults (no `entry`), with the add-ons that it configures.

    `waits` says why nothing may be given by it now, `fault` what is wrong with its strategy; `step` is what
    its rollout may do. `taken` are clusters that later placements select, `overridden` those of them where
    the add-on is, so that it takes its configuration from there.
    """

    wanted: Wanted
    entry: Mapping[str, Any] | None = None
    choice: Choice | None = None
    groups: tuple[Group, ...] = ()
    members: dict[str, Member] = field(default_factory=dict)
    overridden: dict[str, Source] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    waits: str = ""
    fault: str = ""
    step: Step = field(default_factory=Step)

    @property
    def name(self) -> str:
        """Namespace and name of the placement."""
        return f"{self.entry['namespace']}/{self.entry['name']}" if self.entry else "defaults"

    @cached_property
    def rolling(self) -> frozenset[str]:
        """The clusters that may have what is wanted now; to be asked once `step` is known."""
        return frozenset(found.cluster for found in self.step.roll_out)

    @cached_property
    def clusters(self) -> set[str]:
        """All clusters of the placement."""
        return {cluster for group in self.groups for cluster in group.clusters}


def placement_source(
    entry: Mapping[str, Any], wanted: Wanted, choice: Choice, *, compat: bool = False
) -> Source:
    """A placement of the install strategy with what it wants of its clusters."""
    source = Source(wanted, entry, choice)
    try:
        groups = groups_of(choice.decisions, None if compat else choice.placement)
    except RolloutError as fault:
        source.fault = source.waits = fault.message
        return source
    # OCM counts as many groups as there are indexes: behind a gap one is lost.
    indexes = {group.index for group in groups}
    source.groups = tuple(g for g in groups if not compat or 0 <= g.index < len(indexes))
    return source


def assign(sources: Sequence[Source], addons: Iterable[Object], *, compat: bool = False) -> None:
    """Give each add-on to the last source that has its cluster; the first source is the defaults."""
    later: set[str] = set()
    for source in reversed(sources):
        source.taken = set(later)
        later |= source.clusters
    selected = [(source, source.clusters) for source in sources[1:]]
    for live in addons:
        addon, cluster = at_beta(live), namespace_of(live)
        having = [source for source, clusters in selected if cluster in clusters]
        owner = having[-1] if having else sources[0]
        wanted = own_wanted(addon, owner.wanted)
        owner.members[cluster] = Member(live, addon, wanted, state_of(addon, wanted, compat=compat))
        for earlier in having[:-1]:
            earlier.overridden[cluster] = owner


def roll_out(sources: Sequence[Source], now: datetime, *, compat: bool = False) -> None:
    """Let every source's strategy decide who may be given what is wanted; the defaults have no limits."""
    if not compat:
        _hold_back(sources)
    for source in sources:
        if not source.waits:
            _step(source, now, compat=compat)
    if compat:
        # OCM: one placement that is missing or says what cannot be, and nobody is given anything.
        why = next((w for s in sources if (w := s.fault or _gone(s))), "")
        for source in sources:
            source.waits = why


def _hold_back(sources: Sequence[Source]) -> None:
    doubt = ""
    for source in reversed(sources):
        doubt = (source.choice.doubt if source.choice else "") or source.fault or doubt
        source.waits = doubt


def _gone(source: Source) -> str:
    return source.choice.doubt if source.choice and source.choice.placement is None else ""


def own_wanted(addon: Object, inherited: Wanted) -> Wanted:
    """What an add-on on one cluster is to have: its own configurations count as they are known to it."""
    special = configs_in(addon.get("spec") or {})
    if not special:
        return inherited
    told = hashes_in(status_of(addon).get("configReferences") or ())
    own = {config: told.get(config, "") for config in special}
    return {config: own.get(config, inherited.get(config, "")) for config in overriding(inherited, special)}


def state_of(addon: Object, wanted: Wanted, *, compat: bool = False) -> ClusterState:
    """How far an add-on is with what it is to have.

    In OCM a reference that is not applied yet hides that another one has changed since (`compat`).
    """
    cluster = namespace_of(addon)
    references = status_of(addon).get("configReferences") or ()
    states = [_state_of(each, wanted) for each in references]
    if len(references) != len(wanted):
        return ClusterState(cluster)
    open_states = [state for state in states if state is not State.SUCCEEDED]
    state = next(iter(open_states if compat else sorted(open_states, key=_due_first)), State.SUCCEEDED)
    if state is State.TO_APPLY:
        return ClusterState(cluster)
    progressing = conditions.find(conditions_of(addon), PROGRESSING) or {}
    reason, since = progressing.get("reason"), time_at(progressing.get("lastTransitionTime"))
    if state is State.SUCCEEDED:
        return ClusterState(cluster, state, since if reason == REASON_COMPLETED else None)
    if reason == REASON_FAILED:
        return ClusterState(cluster, State.FAILED, since)
    return ClusterState(cluster, state, since if reason == REASON_PROGRESSING else None)


def _state_of(reference: Mapping[str, Any], wanted: Wanted) -> State:
    config = desired_in(reference)
    if config is None or config not in wanted:
        return State.TO_APPLY
    if (reference["desiredConfig"].get("specHash") or "") != wanted[config]:
        return State.TO_APPLY
    applied = desired_in({**reference, "desiredConfig": reference.get("lastAppliedConfig")})
    same = applied == config and (reference["lastAppliedConfig"].get("specHash") or "") == wanted[config]
    return State.SUCCEEDED if same else State.PROGRESSING


def _due_first(state: State) -> bool:
    return state is not State.TO_APPLY


def _step(source: Source, now: datetime, *, compat: bool) -> None:
    states = [source.members[cluster].state for cluster in sorted(source.members)]
    if source.entry is None:
        source.step = Step(roll_out=tuple(s for s in states if s.state is not State.SUCCEEDED))
        return
    try:
        source.step = advance(strategy_of(source), groups_in(source, compat), states, now, compat=compat)
    except RolloutError as fault:
        source.fault = source.waits = fault.message


def groups_in(source: Source, compat: bool) -> tuple[Group, ...]:
    """The groups that a source's rollout is about.

    In OCM a cluster that another placement configures is among them, and holds a place for ever (`compat`).
    """
    return source.groups if compat else tuple(_without(group, source.taken) for group in source.groups)


def _without(group: Group, taken: Collection[str]) -> Group:
    return Group(group.index, group.name, tuple(c for c in group.clusters if c not in taken))


def strategy_of(source: Source) -> Mapping[str, Any] | None:
    """The rollout strategy: without maxConcurrency of its own it takes the size of a decision group."""
    placement = (source.choice.placement if source.choice else None) or {}
    return with_concurrency_of(placement, (source.entry or {}).get("rolloutStrategy"))


def differing(source: Source) -> dict[str, list[str]]:
    """The clusters that a later placement configures otherwise, by that placement."""
    found: dict[str, list[str]] = {}
    for cluster, later in sorted(source.overridden.items()):
        if set(later.wanted) != set(source.wanted):
            found.setdefault(later.name, []).append(cluster)
    return found
