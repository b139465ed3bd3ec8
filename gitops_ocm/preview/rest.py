"""Which keys have something to do on a hub that nobody has touched: no others need to be reconciled on it.

    rest = Rest(world, table, now)
    rest.restless       what of the hub's rows would write something, or is in doubt
    rest.unanswered     the works that nobody has reported on, rest.unjoined the clusters that have not joined

A key is at rest where its reconcile is known to write nothing and to ask for no timer. Of most rows that is
found out by asking them. Of replica sets, with their thousands of works, it follows from what makes them do
nothing: every cluster that is chosen has the template, and has succeeded with it. Whatever is in
doubt is restless. `tests/preview/test_reach.py` holds previews to those for which everything is reconciled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import JOINED
from gitops_ocm.api.work_replicaset import PLACEMENT_NAME_LABEL, REPLICA_SET_LABEL
from gitops_ocm.decide.contract import Controller, Side
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    CSR,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    PLACEMENT,
    REPLICA_SET,
    ROLE_BINDING,
)
from gitops_ocm.decide.placement.decisions import decisions_of
from gitops_ocm.decide.rollout import RolloutError, State, groups_of
from gitops_ocm.decide.rollout.limits import limits_of, with_concurrency_of
from gitops_ocm.decide.work_states import MAX_LABEL, state_of
from gitops_ocm.decide.work_template import is_of_template
from gitops_ocm.decide.works import owner_value
from gitops_ocm.decide.writes import conditions_of, is_deleting, labels_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.agents import WAITS
from gitops_ocm.preview.table import SETTLED
from gitops_ocm.simulate.process import process_of
from gitops_ocm.simulate.run import Woken
from gitops_ocm.simulate.world import World

SETS, FINISHED = "manifestwork-replicasets", "finished-works"
OF_SETS = {"cluster-sets": CLUSTER_SET, "cluster-set-bindings": CLUSTER_SET_BINDING}
"""Rows that begin with the objects of one kind, and do nothing for one that is not there."""
_OF_ADDONS = (MANAGEMENT_ADDON, CLUSTER_ADDON, CSR, ROLE_BINDING)
"""Without any of these, and without works of add-ons, the rows of add-ons have nothing to do."""
_Signature = tuple[tuple[str, str, bool], ...]
"""What of a work's conditions says how far it is: their types and states, and whether they are fresh."""


@dataclass
class _Works:
    """The works of one replica set: where they are, by placement, and one of each that are alike: in their
    spec, and in what was answered of it.
    """

    clusters: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    alike: dict[tuple[int, _Signature], Object] = field(default_factory=dict)
    labels: list[Mapping[str, str]] = field(default_factory=list)
    leaving: bool = False


class _Said(NamedTuple):
    """What a work's conditions come to."""

    signature: _Signature
    answered: bool


def _said(work: Object) -> _Said:
    generation = work["metadata"].get("generation")
    applied = waits = False
    told_of = []
    for each in conditions_of(work):
        type_, fresh = each.get("type", ""), each.get("observedGeneration") == generation
        told_of.append((type_, each.get("status", ""), fresh))
        applied = applied or (fresh and type_ == "Applied")
        waits = waits or each.get("reason") == WAITS
    return _Said(tuple(told_of), applied and not waits)


class Rest:
    """What is at rest in a world. It is found out when it is made, and holds until something changes.

    `compat` says that rollouts are OCM's own.
    """

    def __init__(
        self, world: World, table: Sequence[Controller], now: datetime, *, compat: bool = False
    ) -> None:
        self._process = process_of("", table, {Side.HUB: world})
        self._view = self._process.view()
        self._now, self._compat = now, compat
        self._sets: dict[str, _Works] = defaultdict(_Works)
        self._single: list[Ref] = []
        self._of_addons = any(world.list(kind) for kind in _OF_ADDONS)
        self.unanswered: list[Ref] = []
        self.unjoined = [ref_of(c) for c in world.list(MANAGED_CLUSTER) if not conditions.is_true(c, JOINED)]
        said: dict[tuple[int, Any], _Said] = {}
        for work in world.list(MANIFEST_WORK):
            known = id(work.get("status")), work["metadata"].get("generation")
            if known not in said:  # Many works share one status, see `told`.
                said[known] = _said(work)
            self._file(work, said[known])
        self.restless: frozenset[Woken] = frozenset(self._found())

    def _file(self, work: Object, said: _Said) -> None:
        meta = work["metadata"]
        labels = meta.get("labels") or {}
        if not said.answered:
            self.unanswered.append(ref_of(work))
        self._of_addons = self._of_addons or ADDON_NAME_LABEL in labels
        owner = labels.get(REPLICA_SET_LABEL)
        if not owner:
            self._single.append(ref_of(work))
            return
        mine = self._sets[owner]
        mine.clusters[labels.get(PLACEMENT_NAME_LABEL, "")].append(meta.get("namespace") or "")
        mine.alike.setdefault((id(work.get("spec")), said.signature), work)
        mine.labels.append(labels)
        mine.leaving = mine.leaving or is_deleting(work)

    def _found(self) -> Iterator[Woken]:
        for row in self._process.rows:
            if row.name in SETTLED:
                continue
            if row.name == SETS:
                keys = [ref_of(owner) for owner in self._view.list(REPLICA_SET)]
                yield from ((row.name, key) for key in keys if not self._is_at_rest(key))
            elif row.name == FINISHED:
                # Works of a replica set are that set's business.
                keys = [key for key in self._single if not self._process.at_rest(row, key, self._now)]
                yield from ((row.name, key) for key in keys)
            elif row.group == "addon":
                yield from (
                    (row.name, key) for key in (self._process.keys_of(row) if self._of_addons else ())
                )
            else:
                every = sorted(set(self._keys(row)))
                yield from (
                    (row.name, key) for key in every if not self._process.at_rest(row, key, self._now)
                )

    def _keys(self, row: Controller) -> Iterable[Ref]:
        """The keys of a row. To ask each cluster for its sets would only name sets that are there."""
        if row.name in OF_SETS:
            return [ref_of(obj) for obj in self._view.list(OF_SETS[row.name])]
        return self._process.keys_of(row)

    # Replica sets

    def _is_at_rest(self, key: Ref) -> bool:
        """Whether a replica set gives nobody anything, takes nothing back, and waits for nobody."""
        owner = self._view.get(key)
        if owner is None or is_deleting(owner) or len(owner_value(key)) > MAX_LABEL or self._compat:
            return False  # OCM's own rollouts are not judged here
        works = self._sets.get(owner_value(key), _Works())
        try:
            placed = self._placed(owner, key.namespace)
        except RolloutError:
            return False
        there = {name: sorted(clusters) for name, clusters in works.clusters.items()}
        if placed is None or works.leaving or there != placed:
            return False
        own = labels_of(owner).items()
        template = (owner.get("spec") or {}).get("manifestWorkTemplate") or {}
        return (not own or all(own <= labels.items() for labels in works.labels)) and all(
            is_of_template(work, template) and state_of(work, template).state is State.SUCCEEDED
            for work in works.alike.values()
        )

    def _placed(self, owner: Object, namespace: str) -> dict[str, list[str]] | None:
        """The clusters that each placement gives; None where one is missing, or makes its clusters soak."""
        found: dict[str, list[str]] = {}
        taken: set[str] = set()
        for each in (owner.get("spec") or {}).get("placementRefs") or ():
            placement = self._view.get(Ref(*PLACEMENT, namespace, each["name"]))
            if placement is None or each["name"] in found:
                return None
            if limits_of(with_concurrency_of(placement, each.get("rolloutStrategy"))).soak:
                return None
            groups = groups_of(decisions_of(self._view, namespace, each["name"]))
            clusters = {c for group in groups for c in group.clusters} - taken
            if clusters:
                found[each["name"]] = sorted(clusters)
            taken |= clusters
        return found
