"""The inventory after a plan was carried out, as far as it was.

Pure counterpart of `compute.written_ahead`: that one makes sure nothing created can be lost, this one
forgets what is known to be gone or never ours. An object whose fate is unknown stays, without a digest.
"""

from __future__ import annotations

from collections.abc import Collection

from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Change, ChangeSet, Reason
from gitops_ocm.plan.inventory import Entry, Inventory, entry_digest

_FORGOTTEN = (Reason.RELEASED, Reason.PRUNE_DISABLED, Reason.FOREIGN)
"""Skipped, and no longer this HubSync's business."""


def recorded(
    plan: ChangeSet,
    inventory: Inventory,
    *,
    applied: Collection[Ref],
    pruned: Collection[Ref],
    refused: Collection[Ref] = (),
) -> Inventory:
    """The inventory to record now.

    `inventory` is the one written ahead. `applied` were answered with success, `pruned` are gone or
    going, `refused` were answered with an error that says the object is not there as we wanted it: a
    new one among them was never ours.
    """
    changed: dict[Ref, Entry] = {}
    gone: list[Ref] = []
    for change in plan:
        known = inventory.get(change.ref)
        entry = _after(change, known, applied, pruned, refused)
        if entry is None and known is not None:
            gone.append(change.ref)
        elif entry is not None and entry != known:
            changed[change.ref] = entry
    if not changed and not gone:
        return inventory
    return inventory.without(gone).with_entries(changed)


def _after(
    change: Change,
    known: Entry | None,
    applied: Collection[Ref],
    pruned: Collection[Ref],
    refused: Collection[Ref],
) -> Entry | None:
    if change.reason in _FORGOTTEN or change.ref in pruned:
        return None
    if change.applies and change.ref in applied:
        assert change.wanted is not None
        return Entry(change.version, entry_digest(change.wanted.digest))
    if change.applies and change.ref in refused and known is not None and not known.digest:
        return None
    return known
