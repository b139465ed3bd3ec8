"""The sentence a pass ends with: which reason, and whether time or a person can help. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.api.fleet import READY
from gitops_ocm.errors import Diagnostic
from gitops_ocm.git.errors import (
    AuthenticationFailed,
    DiskFull,
    GitError,
    RefNotFound,
    RemoteUnreachable,
    RepositoryNotFound,
)
from gitops_ocm.git.refs import short
from gitops_ocm.objects.conditions import find
from gitops_ocm.plan.changes import ChangeSet, Reason
from gitops_ocm.sync.execute import Execution
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import Verdict

_GIT_REASONS: tuple[tuple[type[GitError], str], ...] = (
    (RefNotFound, "RefNotFound"),
    (RemoteUnreachable, "RepositoryUnreachable"),
    (AuthenticationFailed, "AuthenticationFailed"),
    (RepositoryNotFound, "RepositoryNotFound"),
    (DiskFull, "DiskFull"),
)


def of_git(error: GitError, *, kept: bool) -> Verdict:
    """Fetching failed; what is in force, if there is such a commit, is `kept`."""
    reason = next((reason for cls, reason in _GIT_REASONS if isinstance(error, cls)), "FetchFailed")
    text = error.message + ("; the last good commit stays in force" if kept else "")
    return Verdict(False, reason, text, reconciling=error.transient, stalled=not error.transient)


def of_invalid(commit: str, errors: Sequence[Diagnostic], *, kept: str = "") -> Verdict:
    """A commit was refused as a whole; `kept` is the one that stays in force."""
    noun = "problem" if len(errors) == 1 else "problems"
    text = f"commit {commit[:12]} has {len(errors)} {noun} and was not applied"
    text += f"; {kept[:12]} stays in force" if kept else ""
    # A kind may be served a moment later, when the hub's own installation is done.
    heals = all(error.code == "unknown-kind" for error in errors)
    first = f"first: {errors[0]}"
    return Verdict(False, "InvalidCommit", text, reconciling=heals, stalled=not heals, detail=first)


def suspended(status: Mapping[str, Any]) -> Verdict:
    """Nothing is done; whether the hub is as it should be is as it was last known."""
    ready = find(status.get("conditions"), READY)
    known = {"True": True, "False": False}.get(str(ready.get("status"))) if ready else None
    return Verdict(known, "Suspended", "spec.suspend is set; nothing is synced until it is not")


def timed_out(spec: SyncSpec) -> Verdict:
    """A pass was ended before it was done; what it had applied stays and counts."""
    text = f"the pass took longer than {spec.timeout:g} s and was ended; raise spec.timeout if that is normal"
    return Verdict(False, "TimedOut", text, reconciling=True)


def of_execution(plan: ChangeSet, done: Execution, spec: SyncSpec, *, previous: Mapping[str, Any]) -> Verdict:
    """A plan was carried out, as far as it went."""
    at = f"{short(spec.ref)}@{plan.commit[:12]}"
    if done.problems:
        return _failed(at, done)
    foreign = [done.foreign[ref] for ref in sorted(done.foreign)]
    if foreign:
        text = f"{at}: {_belong(len(foreign))} to another HubSync"
        return Verdict(False, "OwnedByAnotherSync", text, stalled=True, detail=f"first: {foreign[0]}")
    if done.waiting:
        names = ", ".join(sorted(done.missing_namespaces)[:5])
        what = f" for namespace {names}" if names else " for their kinds to be served"
        text = f"{at}: {_objects(len(done.waiting))} waiting{what}; everything else is applied"
        return Verdict(False, "WaitingForDependency", text, reconciling=True)
    guarded = next((d for d in plan.diagnostics if d.code == "prune-guarded"), None)
    if guarded is not None:
        text, detail = f"{at}: the prune guard held", f"{guarded.message}; {guarded.hint}"
        return Verdict(False, "PruneGuarded", text, stalled=True, detail=detail)
    wanted = sum(1 for change in plan if change.wanted is not None)
    drifted = sum(change.reason is Reason.DRIFT_REPORTED for change in plan.notable)
    text = f"{at}: {_objects(wanted)} in force"
    if drifted:
        text += f", {drifted} changed on the hub and left so"
    return Verdict(True, "Synced", text)


def camel(code: str) -> str:
    """An error's code as a condition reason: `invalid-hubsync` → `InvalidHubsync`."""
    return "".join(word.capitalize() for word in code.split("-"))


def _failed(at: str, done: Execution) -> Verdict:
    first = done.problems[0]
    text = f"{at}: {_objects(len(done.problems))} could not be written"
    if done.held_back:
        text += f"; {done.held_back} in later waves were held back"
    transient = bool(done.retry) and not done.refused
    detail = f"first: {first}"
    return Verdict(False, "ApplyFailed", text, reconciling=transient, stalled=not transient, detail=detail)


def _belong(count: int) -> str:
    return "1 object belongs" if count == 1 else f"{count} objects belong"


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
