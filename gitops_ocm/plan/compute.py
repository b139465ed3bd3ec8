"""Desired against live: the judgement of what a commit means for the hub.

    compute(wanted, live, ...) -> ChangeSet

Pure, and total: every wanted object and every object of ours that Git does not have gets exactly one
`Change`. What becomes of the latter is `plan.prune`. The order to carry them out in is `plan.waves`,
carrying them out is `sync.pull`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter

from gitops_ocm.api.fleet import DIGEST_CHARS, SYNC_NAME_LABEL
from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.objects.ref import Ref, split_api_version
from gitops_ocm.plan.changes import Action, Change, ChangeSet, DriftMode, Live, Policy, PruneGuard, Reason
from gitops_ocm.plan.prune import leaving
from gitops_ocm.plan.wanted import Wanted

NOTHING_LIVE: Mapping[Ref, Live] = {}
NOTHING_IN_FORCE: Mapping[Ref, Wanted] = {}


def compute(
    wanted: Iterable[Wanted],
    live: Mapping[Ref, Live] = NOTHING_LIVE,
    *,
    owner: str,
    commit: str,
    policy: Policy | None = None,
    in_force: Mapping[Ref, Wanted] = NOTHING_IN_FORCE,
    guard: PruneGuard | None = None,
) -> ChangeSet:
    """The changes that bring the hub from `live` to `wanted`.

    `owner` is the HubSync's name. `live` holds the objects that are this HubSync's; it may hold others, and
    an object that is not in it may still exist, as nobody's or another's. `in_force` is what was once
    applied in full: of that, what is not there now was taken away on the hub. `guard` is the prune guard
    as it was recorded.
    """
    policy = policy or Policy()
    by_ref = {item.ref: item for item in wanted}
    changes = []
    for ref, item in by_ref.items():
        seen = live.get(ref)
        action, reason, force = _of_wanted(item, seen, in_force.get(ref), owner, policy.drift)
        _, version = split_api_version(item.obj.get("apiVersion", ""))
        changes.append(Change(ref, action, reason, item, seen, force or policy.overwrite, version))
    foreign = [
        owned_by_another(c.ref, c.wanted.origin, c.live.owner, c.live.path)
        for c in changes
        if c.reason is Reason.FOREIGN and c.wanted is not None and c.live is not None
    ]
    gone = leaving(
        {ref: seen for ref, seen in live.items() if seen.ours and ref not in by_ref},
        sum(seen.ours and not seen.terminating for seen in live.values()),
        everything=not by_ref,
        owner=owner,
        commit=commit,
        policy=policy,
        guard=guard,
        homes=frozenset(ref.namespace for ref in by_ref),
        kinds=frozenset(ref.of for ref in by_ref),
    )
    changes += gone.changes
    changes.sort(key=attrgetter("ref"))
    return ChangeSet(commit, tuple(changes), (*foreign, *gone.diagnostics), gone.guard)


def owned_by_another(ref: Ref, origin: Location, owner: str, path: str) -> Diagnostic:
    """What a person is told of an object that another HubSync has."""
    return Diagnostic(
        "owned-by-another-sync",
        f"HubSync {owner} already manages this object ({path or 'path unknown'})",
        origin,
        subject=str(ref),
        hint="declare it in one repository path only, or remove it from the other HubSync first; "
        f"if that HubSync is gone: kubectl label {_kubectl_name(ref)} {SYNC_NAME_LABEL}-",
    )


def _of_wanted(
    item: Wanted, live: Live | None, before: Wanted | None, owner: str, drift: DriftMode
) -> tuple[Action, Reason, bool]:
    """What is done to a wanted object, why, and whether with force."""
    if live is None:
        if before is None:
            return Action.CREATE, Reason.NEW, False
        if before.digest != item.digest:
            return Action.CREATE, Reason.CHANGED, True
        return *_on_drift(drift, Action.CREATE, Reason.GONE), True
    if not live.ours:
        if live.owner not in ("", owner):
            return Action.SKIP, Reason.FOREIGN, False
        return Action.ADOPT, Reason.FOUND, before is not None
    if live.digest != item.digest[:DIGEST_CHARS]:
        return Action.CONFIGURE, Reason.CHANGED, True
    if not live.in_sync:
        return *_on_drift(drift, Action.CONFIGURE, Reason.DRIFTED), True
    if live.path != item.origin.path:
        return Action.CONFIGURE, Reason.MOVED, True
    return Action.UNCHANGED, Reason.SAME, False


def _on_drift(mode: DriftMode, action: Action, reason: Reason) -> tuple[Action, Reason]:
    if mode is DriftMode.REPORT:
        return Action.SKIP, Reason.DRIFT_REPORTED
    if mode is DriftMode.IGNORE:
        return Action.SKIP, Reason.DRIFT_IGNORED
    return action, reason


def _kubectl_name(ref: Ref) -> str:
    kind = f"{ref.kind}.{ref.group}".rstrip(".").lower()
    return f"{kind} {ref.name}" + (f" -n {ref.namespace}" if ref.namespace else "")
