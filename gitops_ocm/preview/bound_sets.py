"""Which cluster set brings a cluster within the reach of a placement, or takes it out of that.

The cluster moved, a set was bound or changed, or the placement chooses from others.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.cluster_sets import bound_sets, sets_of
from gitops_ocm.decide.kinds import CLUSTER_SET, CLUSTER_SET_BINDING, cluster_ref
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.predicates import Reason


@dataclass(frozen=True)
class _Reach:
    """One side: the sets a cluster is in, those bound, and those the placement asks for (none: all)."""

    of_cluster: frozenset[str]
    bound: frozenset[str]
    asked: frozenset[str]

    @classmethod
    def of(cls, moment: Moment, ref: Ref, cluster: str) -> _Reach:
        obj = moment.clusters.get(cluster)
        placement = moment.objects.get(ref) or {}
        return cls(
            frozenset(map(name_of, sets_of(moment.view, obj))) if obj is not None else frozenset(),
            frozenset(map(name_of, bound_sets(moment.view, ref.namespace))),
            frozenset((placement.get("spec") or {}).get("clusterSets") or ()),
        )

    @property
    def through(self) -> frozenset[str]:
        """The sets through which the cluster is within reach."""
        return self.of_cluster & self.bound & (self.asked or self.bound)


@dataclass(frozen=True)
class SetTurns:
    """The clusters that turned by the sets of one placement."""

    hub: Hub
    ref: Ref
    origins: Origins

    def reason(self, name: str, *, gained: bool) -> Reason:
        """What brought a cluster within reach, or took it out."""
        before, after = (_Reach.of(m, self.ref, name) for m in (self.hub.before, self.hub.after))
        no, yes = (before, after) if gained else (after, before)
        through = yes.through
        if not through & no.of_cluster:
            return self._of_cluster(name, before, after, through, gained=gained)
        cluster_set = min(through & no.of_cluster)
        if cluster_set not in no.bound:
            how = "is bound now" if gained else "is no longer bound"
            where = self.origins.of(Ref(*CLUSTER_SET_BINDING, self.ref.namespace, cluster_set))
            return f"cluster set {cluster_set} {how} to namespace {self.ref.namespace}", where
        how = "now chooses" if gained else "no longer chooses"
        where = self.origins.of(self.ref, "spec", "clusterSets")
        return f"the placement {how} from cluster set {cluster_set}", where

    def _of_cluster(
        self, name: str, before: _Reach, after: _Reach, through: Collection[str], *, gained: bool
    ) -> Reason:
        """The cluster is in the set on one side alone: it moved, or the set is another."""
        old, new = (
            labels_of(m.clusters.get(name) or {}).get(CLUSTER_SET_LABEL, "")
            for m in (self.hub.before, self.hub.after)
        )
        if old != new:
            where = self.origins.of(cluster_ref(name), "metadata", "labels", CLUSTER_SET_LABEL)
            if old and new:
                return f"it moves from cluster set {old} to {new}", where
            return (f"it joins cluster set {new}", where) if new else (f"it leaves cluster set {old}", where)
        named = min(through, default="")
        ref = Ref(*CLUSTER_SET, "", named)
        if gained:
            existed = ref in self.hub.before.objects
            return f"cluster set {named} {'takes it in now' if existed else 'is new'}", self.origins.of(ref)
        exists = ref in self.hub.after.objects
        return f"cluster set {named} {'no longer takes it in' if exists else 'is deleted'}", self.origins.of(
            ref
        )
