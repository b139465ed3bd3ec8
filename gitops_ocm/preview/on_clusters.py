"""What each cluster comes to: its own object, its works and its add-ons, before the change and after it.

Held against each other by what they are to be; what agents and controllers report of them is no change of a
reviewer's. Of thousands of works of one template the difference is found once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, FEATURE_LABEL_PREFIX
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    REPLICA_SET,
)
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.decide.writes import is_deleting, labels_of
from gitops_ocm.objects.diff import Difference
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.reviewed import differing
from gitops_ocm.preview.addon_configs import addon_configs
from gitops_ocm.preview.hub import Hub
from gitops_ocm.preview.model import Act, Bystander, Effect, OnCluster, Rollout, Selection
from gitops_ocm.preview.origins import Origins

UNTOLD = "it had something else, which the status branch does not tell"
_KINDS = (MANIFEST_WORK, CLUSTER_ADDON, MANAGED_CLUSTER)


def on_clusters(hub: Hub, origins: Origins) -> Iterator[OnCluster]:
    """The clusters for which anything changes, by name."""
    found: dict[str, list[Effect]] = defaultdict(list)
    before, after, memory = hub.before.objects, hub.after.objects, _Memory()
    for ref in (ref for ref in hub.changed if ref.of in _KINDS):
        old, new = _there(before.get(ref)), _there(after.get(ref))
        if effect := _effect(ref, old, new, origins, memory):
            found[ref.namespace or ref.name].append(effect)
    configs = addon_configs(hub, origins)
    for name in sorted({*found, *configs}):
        yield OnCluster(name, tuple(found.get(name, ())), configs.get(name, ()), _sets(hub, name))


def bystanders(
    hub: Hub, touched: Iterable[OnCluster], selected: Iterable[Selection], spread: Iterable[Rollout]
) -> Iterator[Bystander]:
    """The other clusters that placements and rollouts are told to select, reach, or leave, by name."""
    told = {name for selection in selected for name in (*selection.before, *selection.after)}
    for rollout in spread:
        told.update(rollout.waiting, rollout.failed, rollout.under_way, rollout.unfinished)
        told.update(name for wave in rollout.waves for name in wave.clusters)
    for name in sorted(told.difference(cluster.name for cluster in touched)):
        yield Bystander(name, _sets(hub, name))


def _sets(hub: Hub, name: str) -> tuple[str, ...]:
    return hub.after.sets.get(name) or hub.before.sets.get(name) or ()


def _there(obj: Object | None) -> Object | None:
    """What is being deleted is as good as gone: how long that takes is up to the cluster."""
    return None if obj is None or is_deleting(obj) else obj


def _effect(
    ref: Ref, old: Object | None, new: Object | None, origins: Origins, memory: _Memory
) -> Effect | None:
    obj = new or old
    if obj is None:
        return None
    owner = owner_of(obj, ref)
    origin = origins.of(owner if owner is not None and ref not in origins else ref)
    if old is None or new is None:
        return Effect(ref, Act.CREATE if old is None else Act.DELETE, origin, owner=owner)
    if ref.of == MANIFEST_WORK and not old.get("spec") and new.get("spec"):
        return Effect(ref, Act.CHANGE, origin, why=UNTOLD, owner=owner)
    fields = memory.differences(ref, owner, old, new)
    return Effect(ref, Act.CHANGE, origin, fields, owner=owner) if fields else None


def owner_of(obj: Object, ref: Ref) -> Ref | None:
    """The replica set or add-on that a work or an installation is of; None where it is nobody's."""
    labels = labels_of(obj)
    namespace, dot, name = str(labels.get(REPLICA_SET_LABEL, "")).partition(".")
    if dot:
        return Ref(*REPLICA_SET, namespace, name)
    addon = ref.name if ref.of == CLUSTER_ADDON else labels.get(ADDON_NAME_LABEL, "")
    return Ref(*MANAGEMENT_ADDON, "", addon) if addon else None


class _Memory:
    """Differences that were found, by whose works they are of."""

    def __init__(self) -> None:
        self._found: dict[Ref, list[tuple[Any, Any, tuple[Difference, ...]]]] = defaultdict(list)

    def differences(self, ref: Ref, owner: Ref | None, old: Object, new: Object) -> tuple[Difference, ...]:
        """The fields in which what an object is to be differs."""
        if ref.of != MANIFEST_WORK or owner is None:
            content = _CONTENT[ref.of]
            return tuple(differing(content(old), content(new)))
        was, now = old.get("spec"), new.get("spec")
        for before, after, fields in self._found[owner]:
            if before == was and after == now:
                return fields
        fields = tuple(differing(_work(old), _work(new)))
        self._found[owner].append((was, now, fields))
        return fields


def _work(obj: Object) -> Any:
    return {"spec": normalised(obj.get("spec") or {})}


def _addon(obj: Object) -> Any:
    """An add-on by what it is to have: hashes say nothing to people."""
    beta = at_beta(obj)
    references = (beta.get("status") or {}).get("configReferences") or ()
    desired = [
        f"{each.get('resource')} {'/'.join(filter(None, (d.get('namespace'), d.get('name'))))}"
        for each in references
        if (d := each.get("desiredConfig"))
    ]
    return {"spec": beta.get("spec") or {}, "configs": desired}


def _cluster(obj: Object) -> Any:
    """A cluster by what it is to be: labels that say how its add-ons are come from the hub."""
    labels = {key: v for key, v in labels_of(obj).items() if not key.startswith(FEATURE_LABEL_PREFIX)}
    return {"metadata": {"labels": labels}, "spec": obj.get("spec") or {}}


_CONTENT = {MANIFEST_WORK: _work, CLUSTER_ADDON: _addon, MANAGED_CLUSTER: _cluster}
