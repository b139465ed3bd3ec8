"""What a commit was going to do, recomputed from history, and whether that is what came.

    replayed = replay(Path("fleet"), "f00ba4")
    replayed.differences        nothing: it did what its preview said

A commit of desired state is tried on the fleet as the `status` branch told of it last before, at the moment
the branch first told that it is in force; what the branch told last, before the next commit was, is what
came. A commit of the `status` branch stands for the commit that it answers. Nothing but Git is read, so the
same commit gives the same bytes whenever and wherever it is replayed.

`against` asks another commit's policy about it (`replay_policy`): would a new rule have refused it?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitops_ocm.api.fleet import SPEC_ANNOTATION
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGED_CLUSTER, MANIFEST_WORK, PLACEMENT
from gitops_ocm.decide.writes import annotations_of, labels_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.git.clone import Clone, Told
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import DEFAULTS, Settings, Tried
from gitops_ocm.preview.state import FleetState
from gitops_ocm.report.trimmed import spec_digest
from gitops_ocm.verbs.preview import Reviewer, state_at
from gitops_ocm.verbs.replay_policy import Judged, judged_by


class NeverApplied(GitopsError):
    """A commit that the status branch does not tell of."""

    code = "never-applied"


@dataclass(frozen=True)
class Pair:
    """Which commits a replay is of: desired state before and after, the fleet's account before and after."""

    base: str
    head: str
    state: str
    came: str
    at: datetime


@dataclass(frozen=True)
class Deviation:
    """One thing that was told and did not come, or came and was not told."""

    what: str
    said: str
    came: str


@dataclass(frozen=True)
class Replayed:
    """The preview as it was, and where what came differs from it; `judged` is what another policy says."""

    pair: Pair
    preview: Preview
    differences: tuple[Deviation, ...]
    judged: Judged | None = None

    @property
    def differs(self) -> bool:
        """Whether something else came, or would have been decided."""
        return bool(self.differences or (self.judged and self.judged.differences))


def replay(
    folder: Path,
    revision: str,
    *,
    path: str = ".",
    status_ref: str = "status",
    against: str = "",
    settings: Settings = DEFAULTS,
) -> Replayed:
    """Recompute what a commit was to do, and hold it against what came.

    `against` is the revision whose policy is asked about it, too (`.`: as it is on disk).
    """
    with Reviewer(folder, path=path, state=lambda clone: state_at(clone, pair.state)) as reviewer:
        pair = pair_of(reviewer.clone, revision, status_ref)
        found = reviewer.reviewed(f"{pair.base}..{pair.head}", now=pair.at, settings=settings)
        came = state_at(reviewer.clone, pair.came)
        judged = judged_by(reviewer.clone, against, path, found) if against else None
    differences = tuple(_differences(found.tried, came)) if found.tried else ()
    return Replayed(pair, found.preview, differences, judged)


def pair_of(clone: Clone, revision: str, status_ref: str) -> Pair:
    """The commits around one; raises `NeverApplied` where the status branch tells of no such."""
    commit, told = clone.resolve(revision), _told(clone, status_ref)
    head = next((one.source for one in told if one.commit == commit), commit)
    first = next((place for place, one in enumerate(told) if one.source == head and head), None)
    if not first:
        raise NeverApplied(
            f"{status_ref} does not tell of a fleet before {commit[:12]} and with it",
            hint=_deepen(clone)
            or f"give a commit that git log {status_ref} has as a Source-Commit, but not its first",
        )
    last = first
    while last + 1 < len(told) and told[last + 1].source == head:
        last += 1
    before = told[first - 1]
    if not before.source:
        raise NeverApplied(
            f"no commit was wholly in force before {head[:12]}: there is nothing to compute it against",
            hint=f"{before.commit[:12]} of {status_ref}, the last report before it, answers none; "
            "gitops-ocm history tells what came",
        )
    for source in (before.source, head):
        _check_there(clone, source, status_ref)
    return Pair(before.source, head, before.commit, told[last].commit, _moment(told[first]))


def _told(clone: Clone, status_ref: str) -> tuple[Told, ...]:
    try:
        return clone.told(clone.newest(status_ref))
    except RefNotFound:
        raise NeverApplied(
            f"there is no branch {status_ref} here, which would tell what came",
            hint=f"git fetch origin {status_ref}, or name another by --status-ref",
        ) from None


def _check_there(clone: Clone, source: str, status_ref: str) -> None:
    """Raise where this clone does not have a commit that the status branch names."""
    try:
        clone.resolve(source)
    except RefNotFound:
        raise NeverApplied(
            f"{status_ref} names {source[:12]} as in force, and this clone does not have that commit",
            hint=_deepen(clone) or "was the branch rewritten? fetch it from whoever has it still",
        ) from None


def _deepen(clone: Clone) -> str:
    return "this clone is shallow, its history cut off: git fetch --unshallow" if clone.is_shallow else ""


def _moment(told: Told) -> datetime:
    return datetime.fromtimestamp(told.seconds, UTC)


def _differences(tried: Tried, came: FleetState) -> Iterator[Deviation]:
    said, found = _said(tried), _found(came)
    for what in sorted(said.keys() | found.keys()):
        if said.get(what) != found.get(what):
            yield Deviation(what, said.get(what, "not there"), found.get(what, "not there"))


def _said(tried: Tried) -> Mapping[str, str]:
    """Whom placements select and what clusters have, as tried."""
    after = Moment(tried.after, tried.ended or datetime.min.replace(tzinfo=UTC))
    lines = {}
    for ref, obj in tried.after.items():
        if ref.of == PLACEMENT:
            lines[str(ref)] = ", ".join(sorted(after.decided.get(ref, ())))
        elif ref.of == MANIFEST_WORK:
            lines[_work(ref, obj)] = f"spec {spec_digest(obj.get('spec') or {})}"
        elif ref.of in (CLUSTER_ADDON, MANAGED_CLUSTER):
            lines[str(ref)] = "there"
    return lines


def _found(state: FleetState) -> Mapping[str, str]:
    """The same, as files tell of it."""
    lines = {}
    for ref, told in state.objects.items():
        if ref.of == PLACEMENT:
            lines[str(ref)] = ", ".join(sorted((told.get("status") or {}).get("decisions") or ()))
        elif ref.of == MANIFEST_WORK:
            lines[_work(ref, told)] = f"spec {annotations_of(told).get(SPEC_ANNOTATION, '')}"
        elif ref.of in (CLUSTER_ADDON, MANAGED_CLUSTER):
            lines[str(ref)] = "there"
    return lines


def _work(ref: Ref, work: Object) -> str:
    """A work by its replica set where it has one: its own name is made of a uid, which no file has."""
    owner = labels_of(work).get(REPLICA_SET_LABEL)
    return f"ManifestWork of {owner} on {ref.namespace}" if owner else str(ref)
