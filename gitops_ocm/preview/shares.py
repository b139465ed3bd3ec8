"""How much of the fleet, and of each cluster set, a change touches, and how much of it at one moment.

Clusters that nobody accepted are not counted: nothing is ever given to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gitops_ocm.decide.contract import Emit
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGED_CLUSTER, MANIFEST_WORK
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.hub import Hub
from gitops_ocm.preview.model import Act, OnCluster, Rollout, Share
from gitops_ocm.preview.run import Tried

ONE_MOMENT = timedelta(seconds=1)
_GIVEN = (MANIFEST_WORK, CLUSTER_ADDON, MANAGED_CLUSTER)


def shares(
    tried: Tried, hub: Hub, touched: Sequence[OnCluster], spread: Sequence[Rollout]
) -> Iterator[Share]:
    """The fleet first, then each cluster set that is touched, by name."""
    fleet = counted(hub)
    moments = _moments(tried, hub, touched, spread)
    names = {cluster.name for cluster in touched} & fleet
    yield Share("", len(names), len(fleet), _most(moments, fleet))
    for name in sorted({*hub.before.members, *hub.after.members}):
        members = {*hub.before.members.get(name, ()), *hub.after.members.get(name, ())} & fleet
        if some := names & members:
            yield Share(name, len(some), len(members), _most(moments, members))


def counted(hub: Hub) -> set[str]:
    """The clusters that are, or were, accepted."""
    return {
        name
        for clusters in (hub.before.clusters, hub.after.clusters)
        for name, obj in clusters.items()
        if is_accepted(obj)
    }


def is_accepted(cluster: Object) -> bool:
    """Whether the hub lets a cluster in."""
    return bool((cluster.get("spec") or {}).get("hubAcceptsClient"))


def _most(moments: Sequence[set[str]], among: set[str]) -> int:
    return max((len(names & among) for names in moments), default=0)


def _moments(
    tried: Tried, hub: Hub, touched: Sequence[OnCluster], spread: Sequence[Rollout]
) -> Sequence[set[str]]:
    """Who gets something else, moment by moment; what no controller wrote comes with the merge itself.

    Waves that follow each other without a pause are moments of their own.
    """
    found: dict[tuple[datetime, int], set[str]] = {}
    for rollout in spread:
        passed: Counter[datetime] = Counter()
        for wave in rollout.waves:
            found.setdefault((wave.at, passed[wave.at]), set()).update(wave.clusters)
            passed[wave.at] += 1
    spreading, when = {rollout.owner for rollout in spread}, _when(tried)
    for cluster in touched:
        for effect in cluster.effects:
            if effect.act is Act.DELETE or effect.owner not in spreading:
                for at in when.get(effect.ref, (hub.before.at,)):
                    found.setdefault((at, 0), set()).add(cluster.name)
    return list(found.values())


def _when(tried: Tried) -> dict[Ref, list[datetime]]:
    """The moments at which controllers wrote what a cluster is given."""
    found: dict[Ref, list[datetime]] = {}
    seen: dict[Ref, object] = {}
    last: datetime | None = None
    for step in tried.steps:
        last = step.at if last is None or step.at - last >= ONE_MOMENT else last
        for result in step.results:
            obj = result.obj
            if obj is None or isinstance(result.write, Emit):
                continue
            ref = ref_of(obj)
            if ref.of in _GIVEN and _content(obj) != seen.get(ref, _content(tried.before.get(ref))):
                seen[ref] = _content(obj)
                found.setdefault(ref, []).append(last)
    return found


def _content(obj: Object | None) -> object:
    """What makes a write a gift: the spec, the configurations, and that it goes."""
    if obj is None:
        return None
    references = (obj.get("status") or {}).get("configReferences") or ()
    desired = [each.get("desiredConfig") for each in references]
    return obj.get("spec"), desired, bool(obj["metadata"].get("deletionTimestamp"))
