"""What one cluster is given, manifest by manifest: its works, and those of add-ons, on a hub that was tried.

    manifests_on(tried.after, "c1").known       in the order an agent would need them

A work's manifests are what the cluster's agent is told to apply. What the agent adds (owner references) and
what others change on the cluster is not in here. How it is shown is `formats.manifest_text`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANAGEMENT_ADDON, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.order import sync_rank
from gitops_ocm.objects.ref import Object, Ref, ref_of


@dataclass(frozen=True)
class Manifest:
    """An object as a work has it. `owner` is what made the work: a replica set, an add-on, or itself."""

    ref: Ref
    obj: Object
    work: Ref
    owner: Ref


@dataclass(frozen=True)
class OnOne:
    """All manifests of a cluster, and the works of which nobody told the manifests."""

    known: tuple[Manifest, ...]
    untold: tuple[Ref, ...] = ()


class NoCluster(GitopsError):
    """The fleet has no such cluster."""

    code = "no-such-cluster"


def check_cluster(objects: Mapping[Ref, Object], cluster: str) -> None:
    """Raise `NoCluster`, with the names that come near, where a hub has no such cluster."""
    names = sorted(ref.name for ref in objects if ref.of == MANAGED_CLUSTER)
    if cluster in names:
        return
    near = [name for name in names if cluster and (cluster in name or name in cluster)][:3]
    hint = f"there is {', '.join(near)}" if near else "see `gitops-ocm get clusters`"
    raise NoCluster(
        f"{cluster} is none of the fleet's {len(names)} clusters",
        hint=hint if names else "neither the repository nor the status branch tells of any cluster",
    )


def manifests_on(objects: Mapping[Ref, Object], cluster: str) -> OnOne:
    """What the works in a cluster's namespace hold, what others stand on first."""
    known: list[Manifest] = []
    untold: list[Ref] = []
    for ref in sorted(ref for ref in objects if ref.of == MANIFEST_WORK and ref.namespace == cluster):
        work = objects[ref]
        workload = (work.get("spec") or {}).get("workload")
        if workload is None:
            untold.append(ref)
        known += _manifests(ref, work, workload or {})
    known.sort(key=lambda m: (sync_rank(m.ref.kind), m.ref, m.work))
    return OnOne(tuple(known), tuple(untold))


def _manifests(ref: Ref, work: Object, workload: Mapping[str, Any]) -> Iterator[Manifest]:
    owner = owner_of_work(ref, work)
    for obj in workload.get("manifests") or ():
        if isinstance(obj, Mapping) and obj.get("kind"):
            yield Manifest(ref_of(obj), dict(obj), ref, owner)


def owner_of_work(ref: Ref, work: Object) -> Ref:
    """What a work was made for: the replica set or the add-on that its labels name, else itself."""
    labels = work["metadata"].get("labels") or {}
    if value := labels.get(REPLICA_SET_LABEL):
        namespace, _, name = str(value).partition(".")
        return Ref(*REPLICA_SET, namespace, name)
    if addon := labels.get(ADDON_NAME_LABEL):
        return Ref(*MANAGEMENT_ADDON, "", str(addon))
    return ref
