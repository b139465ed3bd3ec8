"""The fleet's state from elsewhere than the status branch of the clone: a hub, or files on disk.

What a hub has is told as its sync would tell it (`report.status_files`), so a preview is the same whichever
way it is told; only what no file holds, the manifests of works that are not in Git, is known in addition.
Only lists are asked for, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_ocm.api.fleet import SYNC_NAME_LABEL
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.clone import Clone
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object, Ref, kind_of, ref_of
from gitops_ocm.preview.state import FILES, LIVE, FleetState, read_state
from gitops_ocm.report.status_files import (
    ADDON,
    CLUSTER,
    DECISION,
    MANAGEMENT_ADDON,
    PLACEMENT,
    REPLICA_SET,
    SYNC,
    WORK,
    owner_of_decision,
    path_of,
    ref_at,
    told_of,
)
from gitops_ocm.verbs.doctor_reading import Ask
from gitops_ocm.verbs.explain import all_of
from gitops_ocm.verbs.preview import state_of_commit
from gitops_ocm.verbs.targets import require_hub

_KINDS = (CLUSTER, PLACEMENT, DECISION, WORK, ADDON, REPLICA_SET, MANAGEMENT_ADDON, SYNC)


class NoState(GitopsError):
    """The fleet's state is not where it was said to be."""

    code = "no-fleet-state"


def state_on(clone: Clone, ref: str) -> FleetState:
    """What a branch that was asked for tells; unlike the usual one it has to be there."""
    try:
        commit = clone.newest(ref)
    except RefNotFound:
        fetch = f"git fetch origin {ref}:{ref}"
        raise NoState(
            f"{clone.root} has no {ref} that would tell of the fleet",
            hint=f"{fetch}; or name the branch that the sync writes; or ask the hub: --live",
        ) from None
    return _checked(state_of_commit(clone, commit), ref)


def state_in(folder: Path) -> FleetState:
    """What the files of a status branch tell that somebody has put on disk."""
    if not folder.is_dir():
        raise NoState(f"there is no folder {folder}", hint="give a checkout of the status branch")
    paths = sorted(path for path in folder.rglob("*.yaml") if path.is_file())
    names = {str(path.relative_to(folder)): path for path in paths}
    told = {name: path.read_bytes() for name, path in names.items() if ref_at(name) is not None}
    if not told:
        raise NoState(
            f"{folder} holds no file of a status branch",
            hint="its clusters are in clusters/NAME/cluster.yaml: git worktree add DIR status",
        )
    return _checked(replace(_without_commits(memory_tree(told)), commit=FILES), str(folder))


def _checked(state: FleetState, where: str) -> FleetState:
    """A repository's `clusters/NAME/cluster.yaml` look like those of the status branch, but tell nothing."""
    if state.objects and not any("status" in obj for obj in state.objects.values()):
        raise NoState(
            f"{where} holds what the fleet is to be, not what it is",
            hint="the sync writes what it is on the branch `status`",
        )
    return state


async def state_of(hub: Cluster) -> FleetState:
    """What a hub has now."""
    await require_hub(hub)
    objects = await all_of(hub, [Ask(kind) for kind in _KINDS], "preview")
    return FleetState(LIVE, dict(_told([obj for kind in _KINDS for obj in objects.list(kind)])))


def _without_commits(tree: Tree) -> FleetState:
    """Read a tree that is no commit's, so that no problem names one."""
    state = read_state(tree)
    problems = tuple(replace(p, where=replace(p.where, commit="")) for p in state.problems)
    return replace(state, problems=problems)


def _told(objects: Sequence[Object]) -> Iterator[tuple[Ref, Object]]:
    """What the files would tell of these objects; of several syncs one is told of."""
    decisions: dict[Ref, list[Object]] = {}
    for obj in objects:
        if kind_of(obj) == DECISION:
            decisions.setdefault(owner_of_decision(obj), []).append(obj)
    for obj in objects:
        ref = ref_of(obj)
        path = path_of(ref)
        if (known := ref_at(path) if path else None) is not None:
            told = told_of(obj, decisions.get(ref, ()))
            yield known, _with_spec(told, obj) if ref.of == WORK else told


def _with_spec(told: Object, work: Object) -> Object:
    """A work that is made on the hub, with what it holds; what is Git's is known from there."""
    synced = SYNC_NAME_LABEL in (work["metadata"].get("labels") or {})
    return told if synced else {**told, "spec": work.get("spec") or {}}
