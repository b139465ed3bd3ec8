"""One cluster's work of a ManifestWorkReplicaSet: its name, its labels, and whether it is the template's.

When the rollout reaches a cluster is decided in `decide.works`; what became of it reads `decide.work_states`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.api.work_replicaset import PLACEMENT_NAME_LABEL, REPLICA_SET_LABEL, STARTED_ANNOTATION
from gitops_ocm.decide.contract import Apply, Update, Write
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.decide.writes import annotations_of, is_deleting, labels_of, name_of, namespace_of, uid_of
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object

WORK_VERSION = "work.open-cluster-management.io/v1"


def work_name(owner: Mapping[str, Any], cluster: str) -> str:
    """The name of the work for a cluster: always the same, so that a restart makes no second one.

    Sets of the same name in other namespaces share the cluster's: so many digits keep their works apart.
    """
    return f"{name_of(owner)}-{digest([uid_of(owner), cluster])[:10]}"


def placement_of(work: Mapping[str, Any]) -> str:
    """The placement under which a work was made."""
    return labels_of(work).get(PLACEMENT_NAME_LABEL, "")


def is_of_template(
    work: Mapping[str, Any], template: Mapping[str, Any], wanted: Mapping[str, Any] | None = None
) -> bool:
    """Whether a cluster has been given the template as it is now; `wanted` is it, normalised."""
    if is_deleting(work):
        return False
    spec = work.get("spec") or {}
    return bool(spec == template) or normalised(spec) == (wanted or normalised(template))


def normalised(spec: Mapping[str, Any]) -> Object:
    """A work's spec with the defaults of its schema filled in, for comparing only."""
    result: Object = {k: v for k, v in spec.items() if v not in (None, {}, [])}
    if option := spec.get("deleteOption"):
        result["deleteOption"] = {"propagationPolicy": "Foreground", **option}
    if configs := spec.get("manifestConfigs"):
        result["manifestConfigs"] = [_config(c) for c in configs]
    manifests = (spec.get("workload") or {}).get("manifests") or []
    result["workload"] = {"manifests": [_without_creation(m) for m in manifests]}
    return result


def _config(entry: Mapping[str, Any]) -> Object:
    result = {"feedbackScrapeType": "Poll", **entry}
    if strategy := entry.get("updateStrategy"):
        result["updateStrategy"] = {"type": "Update", **strategy}
        if server_side := strategy.get("serverSideApply"):
            result["updateStrategy"]["serverSideApply"] = {"fieldManager": "work-agent", **server_side}
    return result


def _without_creation(manifest: Mapping[str, Any]) -> Object:
    meta = manifest.get("metadata")
    if not isinstance(meta, Mapping) or meta.get("creationTimestamp", 0) is not None:
        return dict(manifest)
    return {**manifest, "metadata": {k: v for k, v in meta.items() if k != "creationTimestamp"}}


def written(
    work: Object | None,
    owner: Object,
    cluster: str,
    placement: str,
    *,
    started: datetime | None = None,
) -> tuple[Write, ...]:
    """Give a cluster the template; a work that is being deleted is waited for.

    `started` is noted where somebody will ask how long ago that was; a new work tells it by its age.
    """
    if work is not None and is_deleting(work):
        return ()
    template = (owner.get("spec") or {}).get("manifestWorkTemplate") or {}
    labels = _labels(owner, placement)
    if work is None:
        name = work_name(owner, cluster)
        return (_fragment({"name": name, "namespace": cluster, "labels": labels}, template),)
    notes = {STARTED_ANNOTATION: timestamp(started)} if started is not None else {}
    if covers(normalised(template), normalised(work.get("spec") or {})):
        # Only too much is there, owned by somebody else: an apply would leave it, so replace the spec.
        kept = {"labels": {**labels_of(work), **labels}, "annotations": {**annotations_of(work), **notes}}
        return (Update({**work, "metadata": {**work["metadata"], **kept}, "spec": dict(template)}),)
    meta = {"name": name_of(work), "namespace": cluster, "labels": labels}
    return (_fragment({**meta, "annotations": notes} if notes else meta, template),)


def labelled(work: Object, owner: Object, placement: str) -> tuple[Write, ...]:
    """Labels follow those of the set, and the placement, without a rollout: no cluster sees them."""
    labels = _labels(owner, placement)
    if covers(labels, labels_of(work)):
        return ()
    meta: Object = {"name": name_of(work), "namespace": namespace_of(work), "labels": labels}
    if STARTED_ANNOTATION in annotations_of(work):
        meta["annotations"] = {STARTED_ANNOTATION: annotations_of(work)[STARTED_ANNOTATION]}
    return (_fragment(meta, (owner.get("spec") or {}).get("manifestWorkTemplate") or {}),)


def _labels(owner: Object, placement: str) -> dict[str, str]:
    key = f"{namespace_of(owner)}.{name_of(owner)}"
    return {**labels_of(owner), REPLICA_SET_LABEL: key, PLACEMENT_NAME_LABEL: placement}


def _fragment(meta: Object, template: Mapping[str, Any]) -> Apply:
    kind = MANIFEST_WORK.kind
    return Apply({"apiVersion": WORK_VERSION, "kind": kind, "metadata": meta, "spec": dict(template)})
