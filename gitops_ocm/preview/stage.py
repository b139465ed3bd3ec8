"""The hub before the change, in memory: what Git wants there, with the state that was last told of it.

    stage = set_up(base, state, catalog)
    world = stage.opened(now, applied)      # as often as changes are tried on it, one after the other

Objects of desired state come from the base commit, what controllers and agents made of them from the
`status` branch. What neither has (a hub's own namespaces, decisions one by one) is made as the hub makes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_NAMESPACE_LABEL
from gitops_ocm.api.fleet import SPEC_ANNOTATION, sync_field_manager
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.cluster_sets import STANDARD_SETS, standard_set
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    CLUSTER_SET,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    NAMESPACE,
    PLACEMENT,
    REPLICA_SET,
)
from gitops_ocm.decide.placement.decisions import FLEET, stamp
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.groups import decision_groups, slices
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.works import owner_value
from gitops_ocm.decide.writes import labels_of, name_of, namespace_of, uid_of
from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.objects import ownership
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.intake import decoded
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object, Ref, kind_of, ref_of
from gitops_ocm.plan.taints import with_live_taints
from gitops_ocm.preview.kept import at_kept_versions
from gitops_ocm.preview.own_managers import left_to_them
from gitops_ocm.preview.rest import Rest
from gitops_ocm.preview.state import FleetState
from gitops_ocm.preview.table import rows
from gitops_ocm.preview.told import whole, works
from gitops_ocm.report.trimmed import spec_digest
from gitops_ocm.simulate.ledger import Mark
from gitops_ocm.simulate.world import World

CRD = "CustomResourceDefinition"
MANAGER = sync_field_manager("preview")
"""Who the sync of a preview is."""


@dataclass(frozen=True)
class Stage:
    """A hub that changes can be tried on, one after the other: each finds it as it was set up.

    `wanted` is what Git wants of it, `undecided` are the placements that nobody has decided yet.
    """

    world: World
    wanted: Mapping[Ref, Object]
    undecided: tuple[Ref, ...]
    begins: Mark
    _rests: list[tuple[HubSettings, Rest]] = field(default_factory=list)

    def rest(self, settings: HubSettings, now: datetime) -> Rest:
        """Who is at rest as it was set up."""
        for of, found in self._rests:
            if of == settings:
                return found
        self.world.rewind(self.begins)
        made = Rest(self.world, left_to_them(rows(settings)), now, compat=settings.rollout_compat)
        self._rests.append((settings, made))
        return made

    def opened(self, now: datetime, applied: Collection[Ref] = ()) -> World:
        """The world as it was set up, whatever was tried in it before.

        The objects that will change are seen to have been `applied` by the sync: so a field that leaves Git
        leaves the object.
        """
        self.world.rewind(self.begins)
        for ref in sorted(applied):
            known = self.world.get(ref)
            if ref in self.wanted and known is not None:
                self.world.put(_applied(self.world, known, self.wanted[ref], now))
        self.world.changes()  # It is there; nothing has happened.
        for ref in self.undecided:
            self.world.put({**(self.world.get(ref) or {}), "status": {}})  # News: somebody has to decide it.
        return self.world


def set_up(base: DesiredState, state: FleetState, catalog: Catalog) -> Stage:
    """A stage with everything that is known to be on the hub."""
    world, base = World(catalog), at_kept_versions(base)
    wanted = {item.ref: item.obj for item in base.objects if not state.lacks(item.ref, base.commit)}
    order = sorted(wanted, key=lambda ref: (ref.kind != CRD, ref.of != NAMESPACE, ref))
    for clusters, refs in groupby(order, key=lambda ref: ref.of == MANAGED_CLUSTER):
        known = ((ref, _decoded(world, _known(wanted[ref], state.objects.get(ref)))) for ref in refs)
        if clusters:
            world.begin(known)
        else:
            for _, obj in known:
                world.put(obj)
    for ref, told in state.of(MANAGED_CLUSTER):
        if ref not in wanted:
            world.put(_decoded(world, whole(told)))
    for name, selector in STANDARD_SETS.items():
        if world.get(Ref(*CLUSTER_SET, "", name)) is None:
            world.put(standard_set(name, selector))
    _namespaces(world, state)
    undecided = tuple(_decided(world, state))
    templates = dict(_templates(wanted.values()))
    world.begin((ref, whole(told)) for ref, told in state.of(CLUSTER_ADDON) if ref not in wanted)
    others = ((ref, told) for ref, told in state.of(MANIFEST_WORK) if ref not in wanted)
    found = works(others, lambda told: _spec(told, templates))
    world.begin((ref, _with_owner(world, work)) for ref, work in found)
    return Stage(world, wanted, undecided, world.mark())


Templates = Mapping[tuple[str, str], Mapping[str, Any]]
"""The templates of replica sets, by the label their works carry and the digest their works' files have."""


def _templates(objects: Iterable[Object]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for obj in objects:
        if kind_of(obj) == REPLICA_SET:
            template = (obj.get("spec") or {}).get("manifestWorkTemplate") or {}
            yield (owner_value(ref_of(obj)), spec_digest(template)), template


def _with_owner(world: World, obj: Object) -> Object:
    """An add-on's work as its ManagedClusterAddOn owns it: it goes with that."""
    labels = labels_of(obj)
    name = labels.get(ADDON_NAME_LABEL, "")
    if not name or kind_of(obj) != MANIFEST_WORK or ADDON_NAMESPACE_LABEL in labels:
        return obj
    addon = world.get(Ref(*CLUSTER_ADDON, namespace_of(obj), name))
    if addon is None:
        return obj
    owner = {"apiVersion": addon["apiVersion"], "kind": addon["kind"], "name": name, "uid": uid_of(addon)}
    mine = {**owner, "controller": True, "blockOwnerDeletion": True}
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [mine]}}


def _spec(told: Object, templates: Templates) -> Mapping[str, Any]:
    """The spec of a replica set's work, where its file says that it has the present one.

    Of any other it is left out: all that counts is that it is not as it is to be.
    """
    meta = told["metadata"]
    owner = (meta.get("labels") or {}).get(REPLICA_SET_LABEL, "")
    template = templates.get((owner, (meta.get("annotations") or {}).get(SPEC_ANNOTATION, "")))
    return template if template is not None else told.get("spec") or {}


def _decoded(world: World, obj: Object) -> Object:
    """With the defaults of its kind, as a hub keeps it.

    What is told of a cluster, most of what there is of it, came from a hub; its kind has no defaults there.
    """
    served = world.catalog.served(obj.get("apiVersion", ""), obj.get("kind", ""))
    if served is None:
        return obj
    if served.resource.of != MANAGED_CLUSTER or "status" not in obj:
        return decoded(obj, served)[0]
    wanted = {key: value for key, value in obj.items() if key != "status"}
    return {**decoded(wanted, served)[0], "status": obj["status"]}


def _applied(world: World, known: Object, wanted: Object, now: datetime) -> Object:
    """The object with the sync as the manager of what Git wants of it."""
    schema = world.catalog.schema(wanted["apiVersion"], wanted["kind"])
    alone = ownership.apply(None, wanted, manager=MANAGER, force=True, schema=schema, now=now)
    owned = alone["metadata"].get("managedFields") or []  # None of what has only a name: a plain namespace.
    return {**known, "metadata": {**known["metadata"], "managedFields": owned}}


def _known(wanted: Object, told: Object | None) -> Object:
    """A desired object with the state it was last seen in."""
    if told is None:
        return wanted
    from_git = {key: value for key, value in with_live_taints(wanted, told).items() if key != "status"}
    return {**merge_patch(whole(told), from_git), "apiVersion": wanted["apiVersion"]}


def _namespaces(world: World, state: FleetState) -> None:
    """Those of accepted clusters, and those that objects are in: they are on the hub already."""
    accepted = (
        c["metadata"]["name"]
        for c in world.list(MANAGED_CLUSTER)
        if (c.get("spec") or {}).get("hubAcceptsClient")
    )
    used = (obj["metadata"].get("namespace") or "" for obj in world.all())
    told = (ref.namespace for ref in state.objects)
    refs = (Ref(*NAMESPACE, "", name) for name in sorted({*accepted, *used, *told} - {""}))
    world.begin(
        (ref, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ref.name}})
        for ref in refs
        if world.get(ref) is None
    )


def _decided(world: World, state: FleetState) -> Iterator[Ref]:
    """Put the PlacementDecisions there; the placements that have none yet.

    A file tells which clusters are chosen. They are cut into groups anew, but not chosen anew: a placement
    keeps what it has until something wakes it.
    """
    fleet = world.projected(FLEET)
    for placement in world.list(PLACEMENT):
        told = (state.objects.get(ref_of(placement)) or {}).get("status") or {}
        if not told.get("conditions"):
            yield ref_of(placement)
            continue
        strategy = (placement.get("spec") or {}).get("decisionStrategy")
        try:
            groups = decision_groups(strategy, fleet, fleet.bits(told.get("decisions") or ()))
        except Misconfigured:
            groups = ()
        for piece in slices(name_of(placement), groups):
            clusters = [{"clusterName": name, "reason": ""} for name in piece.clusters]
            world.put({**stamp(placement, piece), "status": {"decisions": clusters}})
