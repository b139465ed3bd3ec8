"""The inventory: the kinds a HubSync has objects of, so that it knows where to look for them.

Which objects are ours the objects say themselves (`sync.marks.ours`). A label is found only in a kind that is
looked at, so a kind that left Git must not be forgotten while an object of it is left: this is the record
of it. `HubSync.status.inventory` is its only store; `sync.pull` enters a new kind before its first object
is created, and counts afterwards. It grows with the kinds of a fleet, never with its objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.ref import Kind
from gitops_ocm.plan.changes import ChangeSet


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind: the version its objects were applied at, and how many there were when last counted."""

    version: str
    count: int = 0


class Inventory(Mapping[Kind, Entry]):
    """Entries by kind; a value: every change makes a new one."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[Kind, Entry] | None = None) -> None:
        self._entries: dict[Kind, Entry] = dict(entries or {})

    def __getitem__(self, kind: Kind) -> Entry:
        return self._entries[kind]

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Inventory({', '.join(f'{entry.count} {kind}' for kind, entry in sorted(self.items()))})"

    def to_status(self) -> dict[str, Any]:
        """The value of `HubSync.status.inventory`, in a stable order."""
        kinds = [
            {"group": kind.group, "kind": kind.kind, "version": entry.version, "count": entry.count}
            for kind, entry in sorted(self.items())
        ]
        return {"kinds": kinds}

    @classmethod
    def from_status(cls, status: Mapping[str, Any] | None) -> Inventory:
        """What `HubSync.status.inventory` says; an absent one is empty."""
        return cls(
            {
                Kind(str(item.get("group") or ""), str(item["kind"])): Entry(
                    str(item.get("version") or ""), int(item.get("count") or 0)
                )
                for item in (status or {}).get("kinds") or ()
                if item.get("kind")
            }
        )


def written_ahead(plan: ChangeSet, inventory: Inventory) -> Inventory:
    """The inventory to record before the plan is carried out: nothing it creates can then be overlooked."""
    new = {c.ref.of: Entry(c.version) for c in plan.notable if c.applies and c.ref.of not in inventory}
    return Inventory({**inventory, **new}) if new else inventory


def counted(
    plan: ChangeSet,
    inventory: Inventory,
    counts: Mapping[Kind, int],
    *,
    served: Callable[[Kind], bool],
) -> Inventory:
    """The inventory after the plan was carried out, as far as it was; `inventory` was written ahead.

    `counts` are our objects on the hub. A kind that Git does not want stays while one is left, and while the
    hub does not serve it: its objects may only be out of sight.
    """
    wanted = {Kind(*c.ref[:2]): c.version for c in plan if c.wanted is not None}
    versions = {kind: entry.version for kind, entry in inventory.items()} | wanted
    found = Inventory(
        {
            kind: Entry(version, counts.get(kind, 0))
            for kind, version in versions.items()
            if counts.get(kind, 0) or (kind in inventory and (kind in wanted or not served(kind)))
        }
    )
    return inventory if found == inventory else found
