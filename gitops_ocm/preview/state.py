"""The fleet as the `status` branch tells of it: files of `report.status_files`, read back.

A file holds what a person cares for, so an object read back is not whole: a work has no manifests here, a
placement no predicates. Those are desired state, and `stage` has them from there. What nobody wrote down
(versions, uids, leases) is made up where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.fleet import STALLED
from gitops_ocm.decide.writes import labels_of
from gitops_ocm.desired.cache import BlobCache
from gitops_ocm.desired.tree import Tree
from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object, Ref, kind_of
from gitops_ocm.preview.told import needed
from gitops_ocm.report.status_files import SYNC, WORK, path_of, ref_at

LIVE, FILES = "live", "files"
"""In place of a commit: an account that a hub gave just now, and one of files on disk."""


@dataclass(frozen=True)
class FleetState:
    """What was there. `objects` are as their files have them, as far as that is looked at (`told.needed`);
    `problems` are files that cannot be read.

    `at` is when that was told; None where nobody knows, or where it is asked for just now.
    """

    commit: str = ""
    objects: Mapping[Ref, Object] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    at: datetime | None = None

    def of(self, kind: Kind) -> Iterator[tuple[Ref, Object]]:
        """The objects of a kind, sorted."""
        return ((ref, self.objects[ref]) for ref in self._kinds.get(kind, ()))

    @cached_property
    def _kinds(self) -> Mapping[tuple[str, ...], Sequence[Ref]]:
        found: dict[tuple[str, ...], list[Ref]] = {}
        for ref in self.objects:
            found.setdefault(ref[:2], []).append(ref)
        return {kind: sorted(refs) for kind, refs in found.items()}

    @cached_property
    def works_of_addons(self) -> Sequence[tuple[Ref, Object]]:
        """The works that carry an add-on's agent."""
        return [(ref, told) for ref, told in self.of(WORK) if ADDON_NAME_LABEL in labels_of(told)]

    @property
    def sync(self) -> str:
        """The HubSync's name; a word for it where none is told of."""
        return str(self._sync.get("metadata", {}).get("name") or "HUBSYNC")

    @property
    def source_commit(self) -> str:
        """The commit of desired state that was in force; `""` where that is not told."""
        return str((self._sync.get("status") or {}).get("lastAppliedCommit") or "")

    @property
    def refused_commit(self) -> str:
        """The commit that the sync should take and does not: it is broken, or the policy forbids it (a freeze
        for a while, all else until somebody acts); `""` for none.
        """
        status = self._sync.get("status") or {}
        attempted = str(status.get("lastAttemptedCommit") or "")
        stalled = conditions.is_true(status.get("conditions") or (), STALLED)
        forbidden = (status.get("policy") or {}).get("allowed") is False
        return attempted if (stalled or forbidden) and attempted != self.source_commit else ""

    def lacks(self, ref: Ref, commit: str) -> bool:
        """Whether an object of `commit` was not on the hub: the account is of that commit, and has no file
        for an object that would have one. The hub may have refused it, or somebody deleted it.
        """
        status = self._sync.get("status") or {}
        known = commit and commit in (status.get("lastAppliedCommit"), status.get("lastAttemptedCommit"))
        return bool(known and path_of(ref)) and ref not in self.objects

    @property
    def _sync(self) -> Object:
        return self.objects.get(Ref(*SYNC, "", "")) or {}


def read_state(tree: Tree, cache: BlobCache | None = None, *, at: datetime | None = None) -> FleetState:
    """The state in a tree of the `status` branch, written `at`. Files that are not ours are passed over."""
    paths = {path: ref for path in tree.entries if (ref := ref_at(path)) is not None}
    values = (cache or BlobCache()).objects(tree, [tree.entries[path] for path in paths], _needed)
    objects: dict[Ref, Object] = {}
    problems = []
    for path, ref in paths.items():
        found = values[tree.entries[path].blob]
        if found is None or not _is(found, ref):
            why = f"it does not hold a {ref.kind}: the preview goes on without it"
            problems.append(
                Diagnostic(
                    "status-file-unreadable",
                    why,
                    Location(path, 1, tree.commit),
                    severity=Severity.WARNING,
                    hint="the status branch is written by the sync alone; what was changed there by hand "
                    "is written anew with the object's next change",
                )
            )
        else:
            objects[ref] = found
    return FleetState(tree.commit, objects, tuple(problems), at)


def _needed(value: Object) -> Object:
    """What files hold that are not ours is left as it is."""
    try:
        return needed(value)
    except (TypeError, AttributeError):
        return value


def _is(value: Any, ref: Ref) -> bool:
    """Whether what a file holds is what its path says."""
    try:
        name = value["metadata"]["name"]
        return kind_of(value) == ref.of and (not ref.name or name == ref.name)
    except (KeyError, TypeError, AttributeError):
        return False
