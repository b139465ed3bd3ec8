"""What one cluster is given, manifest by manifest: its works, and those of add-ons, on a hub that was tried.

    manifests_on(tried.after, "c1", catalog).known      in the order an agent would need them
    changes_between(now, then)                          against what it has now

A work's manifests are what the cluster's agent is told to apply. What the agent adds (owner references) and
what others change on the cluster is not in here. How it is shown is `formats.one_cluster`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.agent.identity import Identity
from gitops_ocm.decide.agent.options import CREATE_ONLY, READ_ONLY, options_for, orphans
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANAGEMENT_ADDON, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.order import sync_rank
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.model import Act


@dataclass(frozen=True)
class Manifest:
    """An object as a work has it. `owner` is what made the work: a replica set, an add-on, or itself.

    `strategy` is how the agent updates it; one that is `orphaned` stays when it leaves the work.
    """

    ref: Ref
    obj: Object
    work: Ref
    owner: Ref
    strategy: str = ""
    orphaned: bool = False


@dataclass(frozen=True)
class OnOne:
    """All manifests of a cluster, and the works of which nobody told the manifests."""

    known: tuple[Manifest, ...]
    untold: tuple[Ref, ...] = ()


@dataclass(frozen=True)
class ManifestChange:
    """What becomes of one object on the cluster; `why` says what is not as one would think."""

    ref: Ref
    act: Act
    work: Ref
    owner: Ref
    before: Object | None
    after: Object | None
    why: str = ""


@dataclass(frozen=True)
class Changes:
    """All changes on one cluster. So many objects are `unchanged`; of `untold` works nobody can say."""

    changes: tuple[ManifestChange, ...]
    unchanged: int
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


def manifests_on(objects: Mapping[Ref, Object], cluster: str, catalog: Catalog) -> OnOne:
    """What the works in a cluster's namespace hold, what others stand on first."""
    known: list[Manifest] = []
    untold: list[Ref] = []
    for ref in sorted(ref for ref in objects if ref.of == MANIFEST_WORK and ref.namespace == cluster):
        workload = (objects[ref].get("spec") or {}).get("workload")
        if workload is None:
            untold.append(ref)
        known += _manifests(ref, objects[ref], workload or {}, catalog)
    known.sort(key=lambda m: (sync_rank(m.ref.kind), m.ref, m.work))
    return OnOne(tuple(known), tuple(untold))


def _manifests(ref: Ref, work: Object, workload: Mapping[str, Any], catalog: Catalog) -> Iterator[Manifest]:
    owner, spec = owner_of_work(ref, work), work["spec"]
    plain = not spec.get("manifestConfigs") and not spec.get("deleteOption")
    for obj in workload.get("manifests") or ():
        if not isinstance(obj, Mapping) or not obj.get("kind"):
            continue
        found = Manifest(ref_of(obj), dict(obj), ref, owner)
        if not plain:
            identity = _identity(obj, catalog)
            strategy = options_for(work, identity).strategy
            found = Manifest(ref_of(obj), dict(obj), ref, owner, strategy, orphans(work, identity))
        yield found


def _identity(obj: Mapping[str, Any], catalog: Catalog) -> Identity:
    """How the rules of a work name an object. Of kinds that the hub does not know the plural is guessed."""
    ref = ref_of(obj)
    served = catalog.resource(str(obj.get("apiVersion", "")), ref.kind)
    return ref.group, served.plural if served else guessed_plural(ref.kind), ref.namespace, ref.name


def owner_of_work(ref: Ref, work: Object) -> Ref:
    """What a work was made for: the replica set or the add-on that its labels name, else itself."""
    labels = work["metadata"].get("labels") or {}
    if value := labels.get(REPLICA_SET_LABEL):
        namespace, _, name = str(value).partition(".")
        return Ref(*REPLICA_SET, namespace, name)
    if addon := labels.get(ADDON_NAME_LABEL):
        return Ref(*MANAGEMENT_ADDON, "", str(addon))
    return ref


def changes_between(before: OnOne, after: OnOne) -> Changes:
    """What changes on a cluster between two moments.

    An object that several works hold is the first one's; one that goes over to another work stays.
    """
    old, new = _by_ref(before), _by_ref(after)
    refs = sorted(old.keys() | new.keys(), key=lambda ref: (sync_rank(ref.kind), ref))
    found = [change for ref in refs if (change := _change(old.get(ref), new.get(ref))) is not None]
    untold = tuple(sorted({*before.untold, *after.untold}))
    return Changes(tuple(found), len(refs) - len(found), untold)


def _by_ref(found: OnOne) -> dict[Ref, Manifest]:
    return {manifest.ref: manifest for manifest in reversed(found.known)}


def _change(old: Manifest | None, new: Manifest | None) -> ManifestChange | None:
    if old is not None and new is not None:
        return _altered(old, new)
    if new is not None:
        read = new.strategy == READ_ONLY
        act, why = (Act.KEEP, "it is only read, not made") if read else (Act.CREATE, "")
        return ManifestChange(new.ref, act, new.work, new.owner, None, new.obj, why)
    assert old is not None
    if old.strategy == READ_ONLY:
        return ManifestChange(old.ref, Act.KEEP, old.work, old.owner, old.obj, None, "it was only read")
    act, why = (Act.KEEP, "it is orphaned and stays") if old.orphaned else (Act.DELETE, "")
    return ManifestChange(old.ref, act, old.work, old.owner, old.obj, None, why)


def _altered(old: Manifest, new: Manifest) -> ManifestChange | None:
    if old.obj == new.obj:
        return None
    act, why = Act.CHANGE, ""
    if new.strategy == CREATE_ONLY:
        act, why = Act.KEEP, "it is only made where there is none (CreateOnly)"
    elif new.strategy == READ_ONLY:
        act, why = Act.KEEP, "it is only read, not changed"
    elif old.work != new.work:
        why = f"until now of {old.work}"
    return ManifestChange(new.ref, act, new.work, new.owner, old.obj, new.obj, why)
