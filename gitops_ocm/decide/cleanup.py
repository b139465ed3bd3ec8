"""What is removed when its time has come: the namespace of a deleted cluster, works that are finished.

Rows: `ClusterCleanup`, keyed by the ManagedCluster, empties the cluster's namespace kind by kind before
the cluster may go; `FinishedWorks`, keyed by the work, deletes Complete works after their time to live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.api.cluster import (
    CLEANUP_PRIORITY_ANNOTATION,
    CLUSTER_DELETING_ERROR,
    CLUSTER_NO_RESOURCES,
    CLUSTER_RESOURCES_REMAIN,
    RESOURCE_CLEANUP_FINALIZER,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.scheme import SCHEME
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import DONE, Outcome, Result, View, Write
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import (
    add_finalizer,
    after_failure,
    annotations_of,
    conditions_of,
    delete,
    drop_finalizer,
    errors,
    is_deleting,
    is_stale,
    labels_of,
    report,
    seconds_until,
    time_at,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref, Resource, split_api_version

MAX_PRIORITY = 100
RETRY = 5.0


def priority(obj: Mapping[str, Any]) -> int:
    """In which batch an object is deleted; lower is earlier, what is no number from 0 to 100 is 0."""
    text = annotations_of(obj).get(CLEANUP_PRIORITY_ANNOTATION, "")
    found = int(text) if text.isascii() and text.isdigit() else 0
    return found if found <= MAX_PRIORITY else 0


@dataclass(frozen=True)
class ClusterCleanup:
    """Holds a deleted cluster until what was meant for it is gone from the hub."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedCluster.

        Where there is none, nothing is touched: what is in a namespace may be for a cluster still to come,
        or for an agent that runs without one. (OCM's hub sees a deletion, here the finalizer has seen to it.)
        """
        cluster = view.get(key)
        if cluster is None:
            return DONE
        if not is_deleting(cluster):
            return Outcome(
                add_finalizer(cluster, RESOURCE_CLEANUP_FINALIZER) if self.settings.resource_cleanup else ()
            )
        if RESOURCE_CLEANUP_FINALIZER not in (cluster["metadata"].get("finalizers") or ()):
            return DONE
        for name in self.settings.cleanup_resources:
            resource = _resource(view, name)
            left = view.list(resource.of, key.name) if resource else ()
            if resource and left:
                return _delete_first(cluster, resource, left, now)
        return _finished(cluster, now)


def _resource(view: View, name: str) -> Resource | None:
    """How the hub serves a group/version/plural, a kind of ours in whichever version; None if it does not."""
    api_version, _, plural = name.removeprefix("/").rpartition("/")
    group, _ = split_api_version(api_version)
    ours = [r for r in SCHEME.resources() if r.plural == plural and r.group == group]
    if not ours:
        return view.resource_named(api_version, plural)
    return next((r for o in ours if (r := view.resource(o.api_version, o.kind)) is not None), None)


def _delete_first(cluster: Object, resource: Resource, left: Sequence[Object], now: datetime) -> Outcome:
    """Delete the batch whose turn it is, and say how much there is."""
    first = min(map(priority, left))
    writes = tuple(w for o in left if priority(o) == first for w in delete(o))
    pending = sum(1 for obj in left if obj["metadata"].get("finalizers"))
    remain = CLUSTER_RESOURCES_REMAIN.saying(resource=resource.plural, count=len(left), pending=pending)

    def then(results: Sequence[Result]) -> Outcome:
        faults = errors(results)
        if not faults:
            return Outcome(_saying(cluster, remain, now), requeue_after=RETRY)
        if all(map(is_stale, faults)):
            return after_failure(faults)
        text = "\n".join(fault.message for fault in faults)
        return Outcome(_saying(cluster, CLUSTER_DELETING_ERROR.saying(error=text), now), retry=text)

    return Outcome(writes, then=then, keep_going=True)


def _finished(cluster: Object, now: datetime) -> Outcome:
    """Say that nothing is left, and let the cluster go."""
    said = _saying(cluster, CLUSTER_NO_RESOURCES, now)

    def then(results: Sequence[Result]) -> Outcome:
        if faults := errors(results):
            return after_failure(faults)
        latest = results[0].obj if results else cluster
        return Outcome(drop_finalizer(latest or cluster, RESOURCE_CLEANUP_FINALIZER))

    return Outcome(said, then=then)


def _saying(cluster: Object, condition: KnownCondition, now: datetime) -> tuple[Write, ...]:
    wanted = conditions.with_condition(conditions_of(cluster), **condition._asdict(), now=now)
    return report(cluster, {"conditions": wanted})


@dataclass(frozen=True)
class FinishedWorks:
    """Deletes works that have been Complete for as long as they ask for, where the hub wants that."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork; works of a replica set are that set's business."""
        work = view.get(key)
        if not self.settings.complete_work_cleanup or work is None or is_deleting(work):
            return DONE
        seconds = ((work.get("spec") or {}).get("deleteOption") or {}).get("ttlSecondsAfterFinished")
        complete = conditions.find(conditions_of(work), "Complete")
        if (
            seconds is None
            or REPLICA_SET_LABEL in labels_of(work)
            or not conditions.is_true(work, "Complete")
        ):
            return DONE
        since = time_at(complete.get("lastTransitionTime")) if complete is not None else None
        end = (since or now) + timedelta(seconds=seconds)
        if now < end:
            return Outcome(requeue_after=seconds_until(end, now))
        return Outcome(delete(work))
