"""The hub before a change and after it, as the controllers' own functions read it.

Two of these are what all of a preview is found out from. Nothing is decided here; what is looked up often is
kept, for there may be ten thousand clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gitops_ocm.api.cluster import LABEL_SELECTOR
from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.addons.config_objects import KINDS
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.diagnosis.evidence import Objects
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    NAMESPACE,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
    REPLICA_SET,
)
from gitops_ocm.decide.placement.decisions import FLEET, clusters_in, members_of
from gitops_ocm.decide.writes import labels_of, name_of, namespace_of
from gitops_ocm.objects.ref import Kind, Object, Ref

_READ = (
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    NAMESPACE,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
    REPLICA_SET,
    *KINDS.values(),
)
"""What a view of the hub has; works and add-ons are looked up by what they are of."""


class _ByKind(Mapping[Kind, Sequence[Object]]):
    """Objects by kind, in order; those of a kind are put in order when somebody asks for them."""

    def __init__(self, objects: Mapping[Ref, Object]) -> None:
        self._objects = objects
        self._refs: dict[tuple[str, ...], list[Ref]] = {}
        self._ordered: dict[Kind, Sequence[Object]] = {}
        for ref in objects:
            self._refs.setdefault(ref[:2], []).append(ref)

    def __getitem__(self, kind: Kind) -> Sequence[Object]:
        if kind not in self._ordered:
            self._ordered[kind] = [self._objects[ref] for ref in sorted(self._refs[kind])]
        return self._ordered[kind]

    def __iter__(self) -> Iterator[Kind]:
        return (Kind(*kind) for kind in self._refs)

    def __len__(self) -> int:
        return len(self._refs)


@dataclass(frozen=True)
class Moment:
    """The hub's objects at a time. `compat` says that rollouts are OCM's own."""

    objects: Mapping[Ref, Object]
    at: datetime
    compat: bool = False

    @cached_property
    def by_kind(self) -> Mapping[Kind, Sequence[Object]]:
        """The objects of each kind by namespace and name."""
        return _ByKind(self.objects)

    @cached_property
    def view(self) -> View:
        """What placements and rollouts are decided from."""
        return Objects({kind: self.by_kind.get(kind, ()) for kind in _READ})

    @cached_property
    def clusters(self) -> Mapping[str, Object]:
        """The clusters by name."""
        return {name_of(cluster): cluster for cluster in self.by_kind.get(MANAGED_CLUSTER, ())}

    @cached_property
    def members(self) -> Mapping[str, Sequence[str]]:
        """The clusters of each cluster set; a set of everybody, which says nothing, is left out."""
        fleet = self.view.projected(FLEET)
        found = ((name_of(s), s, members_of(fleet, s)) for s in self.by_kind.get(CLUSTER_SET, ()))
        return {name: tuple(fleet.names(bits)) for name, s, bits in found if not _takes_everybody(s)}

    @cached_property
    def sets(self) -> Mapping[str, tuple[str, ...]]:
        """The cluster sets each cluster is in."""
        found: dict[str, list[str]] = {}
        for name, clusters in self.members.items():
            for cluster in clusters:
                found.setdefault(cluster, []).append(name)
        return {cluster: tuple(names) for cluster, names in found.items()}

    @cached_property
    def decided(self) -> Mapping[Ref, frozenset[str]]:
        """Whom each placement has selected."""
        found: dict[Ref, set[str]] = {}
        for decision in self.by_kind.get(PLACEMENT_DECISION, ()):
            name = labels_of(decision).get(PLACEMENT_LABEL, "")
            found.setdefault(Ref(*PLACEMENT, namespace_of(decision), name), set()).update(
                clusters_in(decision)
            )
        return {ref: frozenset(clusters) for ref, clusters in found.items()}

    @cached_property
    def works(self) -> Mapping[str, Sequence[Object]]:
        """The works of each replica set, by the value of their label; `""` has all others."""
        found: dict[str, list[Object]] = {}
        for work in self.by_kind.get(MANIFEST_WORK, ()):
            found.setdefault(labels_of(work).get(REPLICA_SET_LABEL, ""), []).append(work)
        return found

    @cached_property
    def addons(self) -> Mapping[str, Sequence[Object]]:
        """The installations of each add-on."""
        found: dict[str, list[Object]] = {}
        for addon in self.by_kind.get(CLUSTER_ADDON, ()):
            found.setdefault(name_of(addon), []).append(addon)
        return found


def _takes_everybody(cluster_set: Object) -> bool:
    selector = (cluster_set.get("spec") or {}).get("clusterSelector") or {}
    return selector.get("selectorType") == LABEL_SELECTOR and not selector.get("labelSelector")


@dataclass(frozen=True)
class Hub:
    """Both of them."""

    before: Moment
    after: Moment

    @cached_property
    def changed(self) -> Sequence[Ref]:
        """What came, went or is not as it was, sorted."""
        before, after = self.before.objects, self.after.objects
        found = [ref for ref, obj in after.items() if before.get(ref) is not obj]
        return sorted(found + [ref for ref in before if ref not in after])
