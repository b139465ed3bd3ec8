"""Works and installations of add-ons, put back to what was told of them, once the hub has made them anew.

The status branch has no manifests, and those of an add-on's works are not in Git: so its controllers make
them again, and take all clusters for not having answered. Where the digest that was told says that a cluster
has this very spec, what it answered holds. `stage` is for what can be known before any controller ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_NAMESPACE_LABEL
from gitops_ocm.api.fleet import SPEC_ANNOTATION
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK
from gitops_ocm.decide.writes import annotations_of, conditions_of, labels_of, namespace_of, status_of
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.state import FleetState
from gitops_ocm.preview.told import reported
from gitops_ocm.report.trimmed import spec_digest
from gitops_ocm.simulate.world import World


def put_back(world: World, state: FleetState) -> None:
    """Let what was told of add-ons hold where they are still to have the same."""
    same: dict[Ref, bool] = {}
    for ref, told in state.works_of_addons:
        owner, work = _addon_of(told), world.get(ref)
        if owner is None or work is None:
            continue
        work = _in_told_order(work, told)
        as_told = spec_digest(work.get("spec") or {}) == annotations_of(told).get(SPEC_ANNOTATION)
        same[owner] = same.get(owner, True) and as_told
        if as_told:
            world.put(_answered(_with_conditions(work, told), told))
    for owner in (owner for owner, unchanged in same.items() if unchanged):
        addon, known = world.get(owner), state.objects.get(owner)
        if addon is not None and known is not None and _configs(addon) == _configs(known):
            world.put(_with_conditions(addon, known))
    for ref, known in state.of(MANAGEMENT_ADDON):
        if (cma := world.get(ref)) is not None:
            world.put(_with_progress(cma, known))


def _with_progress(cma: Object, told: Object) -> Object:
    """A ClusterManagementAddOn with the progress that was told of, where that is of the same placements."""
    now, then = (status_of(each).get("installProgressions") or () for each in (cma, told))
    if not then or [_placement(entry) for entry in now] != [_placement(entry) for entry in then]:
        return cma
    return {**cma, "status": {**status_of(cma), "installProgressions": then}}


def _placement(entry: Mapping[str, Any]) -> tuple[Any, Any]:
    return entry.get("namespace"), entry.get("name")


def _addon_of(work: Object) -> Ref | None:
    """The installation a work carries, which may be in another namespace than the work; None for others."""
    labels = labels_of(work)
    name = labels.get(ADDON_NAME_LABEL, "")
    namespace = labels.get(ADDON_NAMESPACE_LABEL) or namespace_of(work)
    return Ref(*CLUSTER_ADDON, namespace, name) if name else None


def _in_told_order(work: Object, told: Object) -> Object:
    """The work with its manifests as they were told: what is new in a work is packed behind what it has."""
    spec = work.get("spec") or {}
    manifests = (spec.get("workload") or {}).get("manifests") or ()
    entries = status_of(told).get("manifests") or ()
    place = {_told_identity(entry["resourceMeta"]): number for number, entry in enumerate(entries)}
    if not manifests or any(ref_of(manifest) not in place for manifest in manifests):
        return work
    ordered = sorted(manifests, key=lambda manifest: place[ref_of(manifest)])
    return {**work, "spec": {**spec, "workload": {**spec["workload"], "manifests": ordered}}}


def _told_identity(meta: Mapping[str, Any]) -> Ref:
    return Ref(*(str(meta.get(part) or "") for part in ("group", "kind", "namespace", "name")))


def _configs(addon: Object) -> list[Object]:
    """Which configurations it has, by content: of their generations nothing is told."""
    every = status_of(addon).get("configReferences") or ()
    return [{key: value for key, value in each.items() if key != "lastObservedGeneration"} for each in every]


def _answered(work: Object, told: Object) -> Object:
    return {**work, "status": {**status_of(work), "resourceStatus": {"manifests": reported(told)}}}


def _with_conditions(obj: Object, told: Object) -> Object:
    """The object with the conditions that were told of, which speak of its present generation."""
    said: dict[str, Any] = {"message": ""}
    if ref_of(obj).of == MANIFEST_WORK:
        said["observedGeneration"] = obj["metadata"].get("generation")
    conditions = [{**said, **condition} for condition in conditions_of(told)]
    return {**obj, "status": {**status_of(obj), "conditions": conditions}}
