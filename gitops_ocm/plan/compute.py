"""Desired against live: the judgement of what a commit means for the hub.

    compute(wanted, inventory, live, ...) -> ChangeSet

Pure, and total: every wanted object and every inventory entry gets exactly one `Change`. The order
to carry them out in is `plan.waves`, carrying them out is `sync.pull`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gitops_ocm.api.fleet import SYNC_NAME_LABEL
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.objects.ref import Ref, split_api_version
from gitops_ocm.plan.changes import Action, Change, ChangeSet, DriftMode, Live, Policy, Reason
from gitops_ocm.plan.inventory import Entry, Inventory, entry_digest
from gitops_ocm.plan.wanted import Wanted

NOTHING_LIVE: Mapping[Ref, Live] = {}


def compute(
    wanted: Iterable[Wanted],
    inventory: Inventory,
    live: Mapping[Ref, Live] = NOTHING_LIVE,
    *,
    owner: str,
    commit: str,
    policy: Policy | None = None,
) -> ChangeSet:
    """The changes that bring the hub from `live` to `wanted`.

    `owner` is the HubSync's name. `live` holds the objects on the hub that carry a HubSync's label,
    this one's or another's; an object that is not in it may still exist, unlabelled.
    """
    policy = policy or Policy()
    by_ref = {item.ref: item for item in wanted}
    changes: list[Change] = []
    diagnostics: list[Diagnostic] = []
    for ref, item in by_ref.items():
        change = _of_wanted(item, inventory.get(ref), live.get(ref), owner, policy)
        if change.reason is Reason.FOREIGN:
            diagnostics.append(_foreign(change))
        changes.append(change)
    pruned, guard = _prunes(by_ref, inventory, live, owner=owner, commit=commit, policy=policy)
    changes += pruned
    changes.sort(key=lambda change: change.ref)
    return ChangeSet(commit, tuple(changes), (*diagnostics, *guard))


def written_ahead(plan: ChangeSet, inventory: Inventory) -> Inventory:
    """The inventory to record before the plan is carried out: nothing created can then be lost.

    New objects get an entry without a digest: a crash may or may not have created them.
    """
    added: dict[Ref, Entry] = {}
    for change in plan:
        known = inventory.get(change.ref)
        if change.applies and known is None:
            added[change.ref] = Entry(change.version)
        elif known is not None and (change.reason is Reason.PRUNE_GUARDED) is not known.held:
            added[change.ref] = Entry(known.version, known.digest, held=not known.held)
    return inventory.with_entries(added) if added else inventory


def _of_wanted(item: Wanted, entry: Entry | None, live: Live | None, owner: str, policy: Policy) -> Change:
    _, version = split_api_version(item.obj.get("apiVersion", ""))

    def change(action: Action, reason: Reason, *, force: bool = False) -> Change:
        return Change(item.ref, action, reason, item, live, force=force or policy.overwrite, version=version)

    if live is not None and live.owner not in ("", owner):
        return change(Action.SKIP, Reason.FOREIGN)
    if entry is None:
        return change(*((Action.ADOPT, Reason.FOUND) if live else (Action.CREATE, Reason.NEW)))
    # An entry without a digest was written ahead: whether the object is ours was never confirmed, so
    # another manager's fields are not taken from it.
    ours = bool(entry.digest)
    if not ours:
        return change(Action.CONFIGURE if live else Action.CREATE, Reason.UNFINISHED)
    changed = entry.digest != entry_digest(item.digest)
    if live is None:
        if changed:
            return change(Action.CREATE, Reason.CHANGED, force=True)
        return change(*_on_drift(policy.drift, Action.CREATE, Reason.GONE), force=True)
    if changed:
        return change(Action.CONFIGURE, Reason.CHANGED, force=True)
    if not live.in_sync:
        return change(*_on_drift(policy.drift, Action.CONFIGURE, Reason.DRIFTED), force=True)
    if live.path != item.origin.path:
        return change(Action.CONFIGURE, Reason.MOVED, force=True)
    return change(Action.UNCHANGED, Reason.SAME)


def _on_drift(mode: DriftMode, action: Action, reason: Reason) -> tuple[Action, Reason]:
    if mode is DriftMode.REPORT:
        return Action.SKIP, Reason.DRIFT_REPORTED
    if mode is DriftMode.IGNORE:
        return Action.SKIP, Reason.DRIFT_IGNORED
    return action, reason


def _prunes(
    wanted: Mapping[Ref, Wanted],
    inventory: Inventory,
    live: Mapping[Ref, Live],
    *,
    owner: str,
    commit: str,
    policy: Policy,
) -> tuple[list[Change], list[Diagnostic]]:
    gone = [ref for ref in inventory if ref not in wanted]
    guarded = _guarded(gone, wanted, inventory, commit=commit, policy=policy)
    changes = []
    for ref in gone:
        seen = live.get(ref)
        action, reason = _of_unwanted(seen, owner, policy, guarded=ref in guarded)
        changes.append(Change(ref, action, reason, live=seen, version=inventory[ref].version))
    stopped = [c.ref for c in changes if c.reason is Reason.PRUNE_GUARDED]
    return changes, [_guard(stopped, len(inventory), owner, commit, policy)] if stopped else []


def _of_unwanted(live: Live | None, owner: str, policy: Policy, *, guarded: bool) -> tuple[Action, Reason]:
    if live is not None and live.owner not in ("", owner):
        return Action.SKIP, Reason.FOREIGN
    if live is not None and live.prune_disabled:
        return Action.SKIP, Reason.RELEASED
    if not policy.prune:
        return Action.SKIP, Reason.PRUNE_DISABLED
    if guarded:
        return Action.SKIP, Reason.PRUNE_GUARDED
    return Action.PRUNE, Reason.REMOVED


def _guarded(
    gone: Sequence[Ref], wanted: Mapping[Ref, Wanted], inventory: Inventory, *, commit: str, policy: Policy
) -> frozenset[Ref]:
    """The objects among `gone` that the guard keeps from being pruned.

    Held entries stay held. Fresh ones are measured twice. Among confirmed entries, because unconfirmed
    ones may be this commit's own additions, which must not thin the share out; and among all, because
    after an interrupted first sync nothing is confirmed yet.
    """
    if not gone or policy.allow_commit == commit:
        return frozenset()
    if not wanted:
        return frozenset(gone)
    if policy.max_prune_percent >= 100:
        return frozenset()
    held = {ref for ref in gone if inventory[ref].held}
    standing = {ref: bool(entry.digest) for ref, entry in inventory.items() if ref not in held}
    confirmed = sum(standing.values())
    fresh = [ref for ref in gone if ref not in held]
    fresh_confirmed = sum(standing[ref] for ref in fresh)
    most = policy.max_prune_percent
    too_many = fresh_confirmed * 100 > most * confirmed or len(fresh) * 100 > most * len(standing)
    return frozenset(gone if too_many else held)


def _guard(stopped: Sequence[Ref], total: int, owner: str, commit: str, policy: Policy) -> Diagnostic:
    patch = '{"spec":{"prune":{"allowCommit":"' + commit + '"}}}'
    names = ", ".join(str(ref) for ref in sorted(stopped)[:3])
    more = f" and {len(stopped) - 3} more" if len(stopped) > 3 else ""
    return Diagnostic(
        "prune-guarded",
        f"{len(stopped)} of {total} objects are no longer in Git and were kept: {names}{more}",
        note=f"a commit that deletes more than {policy.max_prune_percent}% of the inventory, or everything, "
        "deletes nothing until that is confirmed",
        hint=f"if they should go: kubectl patch hubsync {owner} --type=merge -p '{patch}'; "
        "if not, bring the files back",
        severity=Severity.WARNING,
    )


def _kubectl_name(ref: Ref) -> str:
    kind = f"{ref.kind}.{ref.group}".rstrip(".").lower()
    return f"{kind} {ref.name}" + (f" -n {ref.namespace}" if ref.namespace else "")


def _foreign(change: Change) -> Diagnostic:
    assert change.wanted is not None
    assert change.live is not None
    return Diagnostic(
        "owned-by-another-sync",
        f"HubSync {change.live.owner} already manages this object ({change.live.path or 'path unknown'})",
        change.wanted.origin,
        subject=str(change.ref),
        hint="declare it in one repository path only, or remove it from the other HubSync first; "
        f"if that HubSync is gone: kubectl label {_kubectl_name(change.ref)} {SYNC_NAME_LABEL}-",
    )
