"""The inventory: which objects a HubSync has put on the hub.

What is in here and no longer wanted is what a prune may delete, so losing an entry orphans an
object and inventing one endangers somebody else's. `HubSync.status.inventory` is its only store;
`sync.pull` writes it before the first create (union of old and new) and again after the last.

It is not a cache of the hub: whether an object is still there, and as it was left, is `plan.changes.Live`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Ref

DIGEST_CHARS = 16
"""Hex characters of a digest that the inventory keeps: 64 bits tell two versions of one object apart,
and 5,000 entries stay at a third of the 1.5 MiB that etcd takes for one object."""

HELD = "held:"
"""Prefix of a held entry's digest, see `Entry.held`."""


class InventoryUnreadable(GitopsError):
    """An inventory entry on the hub does not name an object; somebody edited the status by hand."""

    code = "inventory-unreadable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object the HubSync has applied, or is about to.

    `version` is the API version it was applied at. `digest` is empty until an apply of it was seen
    to succeed. `held` marks an object that left Git in a commit the prune guard stopped: it stays
    until that deletion is allowed, however many objects later commits add to thin the share out.
    """

    version: str
    digest: str = ""
    held: bool = False


def entry_digest(digest: str) -> str:
    """The part of a `Wanted.digest` that an entry keeps."""
    return digest[:DIGEST_CHARS]


def entry_id(ref: Ref) -> str:
    """`namespace_name_group_kind`; only a name may contain `_`, so this is unambiguous."""
    return f"{ref.namespace}_{ref.name}_{ref.group}_{ref.kind}"


def parse_id(text: str) -> Ref:
    """The object an entry id names."""
    namespace, first, rest = text.partition("_")
    name, second, tail = rest.rpartition("_")
    name, third, group = name.rpartition("_")
    if not (first and second and third and name and tail):
        raise InventoryUnreadable(
            f"inventory entry {text!r} does not name an object",
            hint="status.inventory is written by gitops-ocm alone; remove the entry to forget the object",
        )
    return Ref(group, tail, namespace, name)


class Inventory(Mapping[Ref, Entry]):
    """Objects by identity; a value: every change makes a new one."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[Ref, Entry] | None = None) -> None:
        self._entries: dict[Ref, Entry] = dict(entries or {})

    def __getitem__(self, ref: Ref) -> Entry:
        return self._entries[ref]

    def __iter__(self) -> Iterator[Ref]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Inventory({len(self)} objects)"

    def with_entries(self, entries: Mapping[Ref, Entry]) -> Inventory:
        """This inventory with `entries` added or put in place of what was there."""
        return Inventory({**self._entries, **entries})

    def without(self, refs: Iterable[Ref]) -> Inventory:
        """This inventory without `refs`."""
        gone = set(refs)
        return Inventory({ref: entry for ref, entry in self._entries.items() if ref not in gone})

    def to_status(self) -> dict[str, Any]:
        """The value of `HubSync.status.inventory`, in a stable order."""
        entries = [
            {"id": entry_id(ref), "v": entry.version, "d": (HELD if entry.held else "") + entry.digest}
            for ref, entry in sorted(self._entries.items())
        ]
        return {"entries": entries}

    @classmethod
    def from_status(cls, status: Mapping[str, Any] | None) -> Inventory:
        """What `HubSync.status.inventory` says; an absent one is empty."""
        entries: dict[Ref, Entry] = {}
        for item in (status or {}).get("entries") or ():
            digest = str(item.get("d") or "")
            held = digest.startswith(HELD)
            entries[parse_id(str(item.get("id") or ""))] = Entry(
                str(item.get("v") or ""), digest.removeprefix(HELD), held
            )
        return cls(entries)
