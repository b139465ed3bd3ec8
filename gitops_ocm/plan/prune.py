"""What becomes of objects that left Git, and the guard that keeps a mistake from deleting a fleet.

The guard is one small value, however many objects it holds: `HubSync.status.pruneGuard`. A commit that
would delete more than its share trips it, and from then on every object that is not in Git is kept,
however many objects later commits add to thin the share out: until none is missing any more, or the
HubSync allows the commit that is being synced. It is recorded before anything of that commit is written
(`sync.pull`), because what that commit creates would thin the share out, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Live, Policy, PruneGuard, Reason

_NAMESPACE = Kind("", "Namespace")
_DEFINITION = Kind("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True)
class Leaving:
    """The changes of objects that left Git, the guard to record, and what a person is told of it."""

    changes: tuple[Change, ...] = ()
    guard: PruneGuard | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def leaving(
    unwanted: Mapping[Ref, Live],
    standing: int,
    *,
    everything: bool,
    owner: str,
    commit: str,
    policy: Policy,
    guard: PruneGuard | None,
    homes: Collection[str] = (),
    kinds: Collection[Kind] = (),
) -> Leaving:
    """Judge `unwanted`, objects of ours that Git does not have.

    `homes` are the namespaces of what Git has: none of them goes, for all that is in it would go, too. Nor
    does the definition of one of its `kinds`.

    `standing` counts all objects of ours that are not being deleted already; `everything` says that Git
    has none of any kind.
    """
    needed = {ref for ref in unwanted if _is_needed(ref, homes, kinds)}
    deletable = [ref for ref, live in unwanted.items() if _deletable(live, policy) and ref not in needed]
    limit = 0 if everything else policy.max_prune_percent
    held = (
        bool(deletable)
        and not (commit and policy.allow_commit == commit)  # what is on disk is no commit
        and _too_many(len(deletable), standing, limit, tripped=guard is not None)
    )
    changes = tuple(
        Change(ref, *_judged(live, policy, held=held, needed=ref in needed), live=live)
        for ref, live in unwanted.items()
    )
    kept = tuple(_kept(c.ref) for c in changes if c.reason is Reason.STILL_NEEDED)
    if not deletable:
        return Leaving(changes, diagnostics=kept)
    if not held:
        # Kept until all of it is done: `guard_after`.
        return Leaving(changes, guard, kept)
    tripped = PruneGuard(guard.commit if guard else commit, len(deletable))
    return Leaving(changes, tripped, (*kept, _told(deletable, standing, owner, commit, policy)))


def guard_after(plan: ChangeSet, pruned: Collection[Ref]) -> PruneGuard | None:
    """The guard once the plan was carried out: a deletion that was allowed and finished ends it."""
    left = any(
        c.reason is Reason.PRUNE_GUARDED or (c.action is Action.PRUNE and c.ref not in pruned)
        for c in plan.notable
    )
    return plan.guard if left else None


def guard_of(status: Mapping[str, Any]) -> PruneGuard | None:
    """What `HubSync.status.pruneGuard` says."""
    found = status.get("pruneGuard")
    return PruneGuard(str(found.get("commit") or ""), int(found.get("count") or 0)) if found else None


def _is_needed(ref: Ref, homes: Collection[str], kinds: Collection[Kind]) -> bool:
    """Whether what Git has would go with an object.

    A definition is named by its plural, which nobody here knows for sure: one too many that is kept is seen.
    """
    if ref.of == _DEFINITION:
        plural, _, group = ref.name.partition(".")
        return any(kind.group == group and plural.startswith(kind.kind.lower()[:-2]) for kind in kinds)
    return ref.of == _NAMESPACE and ref.name in homes


def _too_many(deletable: int, standing: int, percent: int, *, tripped: bool) -> bool:
    return percent < 100 and (tripped or deletable * 100 > percent * standing)


def _deletable(live: Live, policy: Policy) -> bool:
    return policy.prune and not live.prune_disabled and not live.terminating


def _judged(live: Live, policy: Policy, *, held: bool, needed: bool) -> tuple[Action, Reason]:
    if live.terminating:
        return Action.SKIP, Reason.GOING
    if live.prune_disabled:
        return Action.RELEASE, Reason.OPTED_OUT
    if not policy.prune:
        return Action.RELEASE, Reason.PRUNE_DISABLED
    if needed:
        return Action.SKIP, Reason.STILL_NEEDED
    return (Action.SKIP, Reason.PRUNE_GUARDED) if held else (Action.PRUNE, Reason.REMOVED)


def _kept(ref: Ref) -> Diagnostic:
    if ref.of == _DEFINITION:
        code, why = "definition-needed", f"the definition {ref.name} is no longer in Git and was kept: "
        text, what = "objects of its kind are in Git", "the objects of its kind"
    else:
        code, why = "namespace-needed", f"namespace {ref.name} is no longer in Git and was kept: "
        text, what = "objects that are in Git are in it", "the objects in it"
    hint = f"bring its file back, or take {what} out of Git, too"
    return Diagnostic(code, why + text, subject=str(ref), hint=hint, severity=Severity.WARNING)


def _told(stopped: Sequence[Ref], standing: int, owner: str, commit: str, policy: Policy) -> Diagnostic:
    # What is only on disk has no commit yet.
    patch = '{"spec":{"prune":{"allowCommit":"' + (commit or "COMMIT") + '"}}}'
    names = ", ".join(str(ref) for ref in sorted(stopped)[:3])
    more = f" and {len(stopped) - 3} more" if len(stopped) > 3 else ""
    return Diagnostic(
        "prune-guarded",
        f"{len(stopped)} of {standing} objects are no longer in Git and were kept: {names}{more}",
        note=f"a commit that deletes more than {policy.max_prune_percent}% of what is on the hub, or "
        "everything, deletes nothing; nor does a later one until that is confirmed or nothing is missing",
        hint=f"if they should go: kubectl patch hubsync {owner} --type=merge -p '{patch}'; "
        "if not, bring the files back",
        severity=Severity.WARNING,
    )
