"""All clusters as bit sets, so that thousands of placements can be judged without looking at each cluster.

A set of clusters is an int with a bit for each; `and`, `or` and `not` of ten thousand clusters take less
than a microsecond. Which clusters have a label or a claim is kept for those that a selector has asked
about, and is corrected with each change.

A projection (`decide.contract`) of the ManagedClusters; what is made of it is `filters` and `scores`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple, TypeVar

from gitops_ocm.api.quantity import Quantity
from gitops_ocm.decide.placement.judging import Allowance, Judge, Memory
from gitops_ocm.decide.placement.judging import Bits as Bits
from gitops_ocm.decide.writes import is_deleting, labels_of, name_of, status_of
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import Requirement

_SPARSE = 24
"""Where fewer than one of so many bits is set, it pays to look at those alone."""
_IN_BYTE = [[place for place in range(8) if byte >> place & 1] for byte in range(256)]
_MOST_MEMORIES = 256


class Taint(NamedTuple):
    """A taint without its time."""

    key: str
    value: str
    effect: str


class _Facet:
    """One label or claim: who has it, by value."""

    __slots__ = ("present", "values")

    def __init__(self) -> None:
        self.present: Bits = 0
        self.values: dict[str, Bits] = {}

    def change(self, bit: Bits, old: str | None, new: str | None) -> None:
        if old == new:
            return
        if old is not None:
            left = self.values[old] ^ bit
            if left:
                self.values[old] = left
            else:
                del self.values[old]
        if new is not None:
            self.values[new] = self.values.get(new, 0) | bit
        self.present = self.present | bit if new is not None else self.present & ~bit


T = TypeVar("T")
Values = Callable[[Mapping[str, Any]], Mapping[str, str]]


class _Facets:
    """The labels, or the claims, that somebody has asked about."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._known: dict[str, _Facet] = {}

    def get(self, key: str, clusters: Iterable[tuple[int, Object]]) -> _Facet:
        """Who has `key`; the first time it is looked for in all clusters."""
        if key not in self._known:
            facet = self._known[key] = _Facet()
            for slot, cluster in clusters:
                facet.change(1 << slot, None, self._values(cluster).get(key))
        return self._known[key]

    def change(self, bit: Bits, old: Object | None, new: Object | None) -> None:
        if not self._known:
            return
        before = self._values(old) if old is not None else {}
        after = self._values(new) if new is not None else {}
        if before != after:
            for key, facet in self._known.items():
                facet.change(bit, before.get(key), after.get(key))


def claims_of(cluster: Mapping[str, Any]) -> dict[str, str]:
    """A cluster's claims as a map."""
    return {c["name"]: c.get("value", "") for c in status_of(cluster).get("clusterClaims") or ()}


def taints_of(cluster: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A cluster's taints."""
    return (cluster.get("spec") or {}).get("taints") or ()


def taint_of(wire: Mapping[str, Any]) -> Taint:
    """A taint without its time."""
    return Taint(wire.get("key") or "", wire.get("value") or "", wire.get("effect") or "")


class Fleet:
    """The clusters of a hub."""

    def __init__(self) -> None:
        self.everyone: Bits = 0
        self.deleting: Bits = 0
        self.taints: dict[Taint, Bits] = {}
        self._slots: dict[str, int] = {}
        self._names: list[str] = []
        self._clusters: list[Object | None] = []
        self._free: list[int] = []
        self._labels = _Facets(labels_of)
        self._claims = _Facets(claims_of)
        self._amounts: dict[str, dict[int, float]] = {}
        self._memories: dict[object, Memory] = {}
        self._recalled: dict[tuple[object, Bits], Any] = {}

    @classmethod
    def of(cls, clusters: Iterable[Object]) -> Fleet:
        """A fleet of these clusters."""
        made = cls()
        for cluster in clusters:
            made.change(None, cluster)
        return made

    def change(self, old: Object | None, new: Object | None) -> None:
        """A cluster came, changed or went."""
        name = name_of(new if new is not None else old or {})
        slot = self._slots.get(name)
        if slot is None:
            if new is None:
                return
            slot = self._take(name)
        self._recalled.clear()
        bit, held = 1 << slot, self._clusters[slot]
        self._labels.change(bit, held, new)
        self._claims.change(bit, held, new)
        for taint in {taint_of(t) for t in taints_of(held or {})}:
            self.taints[taint] &= ~bit
            if not self.taints[taint]:
                del self.taints[taint]
        for taint in {taint_of(t) for t in taints_of(new or {})}:
            self.taints[taint] = self.taints.get(taint, 0) | bit
        for resource, amounts in self._amounts.items():
            _keep(amounts, slot, amount_of(new, resource) if new is not None else None)
        for memory in self._memories.values():
            memory.forget(bit)
        going = new is not None and is_deleting(new)
        self.deleting = self.deleting | bit if going else self.deleting & ~bit
        self._clusters[slot] = new
        if new is None:
            self.everyone &= ~bit
            del self._slots[name]
            self._free.append(slot)

    def _take(self, name: str) -> int:
        if self._free:
            slot = self._free.pop()
            self._names[slot] = name
        else:
            slot = len(self._names)
            self._names.append(name)
            self._clusters.append(None)
        self._slots[name] = slot
        self.everyone |= 1 << slot
        return slot

    # Sets of clusters

    def labelled(self, requirements: Iterable[Requirement]) -> Bits:
        """The clusters whose labels meet all of these."""
        return self._meeting(self._labels, requirements)

    def claiming(self, requirements: Iterable[Requirement]) -> Bits:
        """The clusters whose claims meet all of these."""
        return self._meeting(self._claims, requirements)

    def _meeting(self, facets: _Facets, requirements: Iterable[Requirement]) -> Bits:
        found = self.everyone
        for requirement in requirements:
            facet = facets.get(requirement.key, self.each())
            match requirement.operator:
                case "Exists":
                    found &= facet.present
                case "DoesNotExist":
                    found &= ~facet.present
                case operator:
                    named = 0
                    for value in requirement.values:
                        named |= facet.values.get(value, 0)
                    found &= named if operator == "In" else ~named
        return found

    def judged(self, within: Bits, judge: Judge, allowance: Allowance) -> Bits:
        """Those of `within` of whom a judge says yes; it is asked once for each state of a cluster."""
        return self._memory(judge).among(self, within, judge, allowance)

    def exceeding(self, within: Bits, judge: Judge) -> Iterator[tuple[str, str]]:
        """Those of `within` on whom a judge would have cost more than it may, and why; not in order."""
        for slot, why in self._memory(judge).exceeding(within):
            yield self._names[slot], why

    def _memory(self, judge: Judge) -> Memory:
        memory = self._memories.get(judge.key)
        if memory is None:
            while len(self._memories) >= _MOST_MEMORIES:
                del self._memories[next(iter(self._memories))]
            memory = self._memories[judge.key] = Memory()
        return memory

    def picked(self, within: Bits, judge: Callable[[Object], bool]) -> Bits:
        """Those of `within` of whom `judge` says yes."""
        found = 0
        for slot, cluster in self.each(within):
            if judge(cluster):
                found |= 1 << slot
        return found

    def recall(self, what: object, bits: Bits, make: Callable[[], T]) -> T:
        """Something reckoned of a set of clusters that many placements share, until any cluster changes."""
        found: T | None = self._recalled.get((what, bits))
        if found is None:
            while len(self._recalled) >= _MOST_MEMORIES:
                del self._recalled[next(iter(self._recalled))]
            found = self._recalled[what, bits] = make()
        return found

    def bit(self, name: str) -> Bits:
        """The set of one cluster; empty where there is none of that name."""
        slot = self._slots.get(name)
        return 0 if slot is None else 1 << slot

    def bits(self, names: Iterable[str]) -> Bits:
        """The set of these clusters."""
        flags = bytearray(len(self._names) // 8 + 1)
        for name in names:
            if (slot := self._slots.get(name)) is not None:
                flags[slot >> 3] |= 1 << (slot & 7)
        return int.from_bytes(flags, "little")

    # What is in a set

    def names(self, bits: Bits) -> Sequence[str]:
        """The clusters of a set, in order."""
        # Slots are nearly in the order of names, and what is nearly sorted sorts fast.
        return self.recall("names", bits, lambda: sorted(self.pick(self._names, bits)))

    def get(self, name: str) -> Object | None:
        """One cluster."""
        slot = self._slots.get(name)
        return None if slot is None else self._clusters[slot]

    def at(self, slot: int) -> Object | None:
        """The cluster in a slot."""
        return self._clusters[slot]

    def amounts(self, names: Iterable[str], resource: str) -> list[float | None]:
        """What these clusters can allocate of `cpu` or `memory`; None for one that does not say."""
        if resource not in self._amounts:
            kept = self._amounts[resource] = {}
            for slot, cluster in self.each():
                _keep(kept, slot, amount_of(cluster, resource))
        held, slots = self._amounts[resource], self._slots
        return [held.get(slots[name]) for name in names]

    def each(self, bits: Bits | None = None) -> Iterator[tuple[int, Object]]:
        """The clusters of a set, of all where none is given, with their slots."""
        slots: Iterable[int] = range(len(self._clusters))
        for slot in slots if bits is None else self.pick(slots, bits):
            if (cluster := self._clusters[slot]) is not None:
                yield slot, cluster

    def pick(self, items: Any, bits: Bits) -> Iterator[Any]:
        """The items at the slots of a set."""
        if bits.bit_count() * _SPARSE > len(self._names):
            return compress(items, bin(bits)[:1:-1].encode().replace(b"0", b"\0"))
        return map(items.__getitem__, _places(bits))


def _places(bits: Bits) -> Iterator[int]:
    """The places of a set's bits, byte by byte: faster where most bytes are 0."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    for at in compress(range(len(data)), data):
        for place in _IN_BYTE[data[at]]:
            yield at * 8 + place


def amount_of(cluster: Mapping[str, Any], resource: str) -> float | None:
    """What a cluster can allocate; it counts only where the cluster says what it has in all, too."""
    status = status_of(cluster)
    text = (status.get("allocatable") or {}).get(resource)
    if text is None or resource not in (status.get("capacity") or {}):
        return None
    try:
        return float(Quantity.parse(text).amount)
    except ValueError:
        return None


def _keep(amounts: dict[int, float], slot: int, amount: float | None) -> None:
    if amount is None:
        amounts.pop(slot, None)
    else:
        amounts[slot] = amount
