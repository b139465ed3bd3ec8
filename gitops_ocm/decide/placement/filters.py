"""Which candidates a placement may select at all: predicates, then taints and tolerations.

Sets of clusters go in and come out; why a single one is left out says `left_out` of each. A placement that
cannot be understood raises `Misconfigured`. Order and texts are the Go scheduler's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.fleet import Bits, Fleet, taint_of, taints_of
from gitops_ocm.decide.placement.judging import Allowance
from gitops_ocm.decide.placement.score_source import NO_SCORES, Scores
from gitops_ocm.decide.placement.selector import ClusterSelector
from gitops_ocm.decide.writes import name_of, time_at
from gitops_ocm.objects.placements import toleration_fault
from gitops_ocm.objects.ref import Object

PREDICATE, TAINTS = "Predicate", "TaintToleration"


@dataclass(frozen=True)
class Predicates:
    """Alternatives, any of which a cluster has to meet; none at all lets every cluster pass."""

    alternatives: tuple[ClusterSelector, ...]

    @classmethod
    def of(cls, wire: Sequence[Mapping[str, Any]], scores: Scores = NO_SCORES) -> Predicates:
        """Read a placement's `predicates`; raises `Misconfigured`."""
        required = [p.get("requiredClusterSelector") or {} for p in wire]
        return cls(tuple(ClusterSelector.of(one, PREDICATE, scores) for one in required))

    def among(self, fleet: Fleet, within: Bits) -> Bits:
        """The clusters of `within` that pass; raises `TooCostly`."""
        if not self.alternatives:
            return within
        found, allowance = 0, Allowance()
        for alternative in self.alternatives:
            found |= alternative.among(fleet, within & ~found, allowance)
        return found

    def exceeding(self, fleet: Fleet, left: Bits) -> Mapping[str, str]:
        """Of clusters that do not pass those on which expressions cost more than they may, and why."""
        return {c: why for one in self.alternatives for c, why in one.exceeding(fleet, left)}

    def matches(self, cluster: Mapping[str, Any]) -> bool:
        """Whether a cluster passes."""
        return not self.alternatives or any(one.matches(cluster) for one in self.alternatives)

    def left_out(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """What of each alternative a cluster does not meet; nothing of one that it meets."""
        for one in self.alternatives:
            yield "; ".join(one.refusals(cluster))


@dataclass(frozen=True)
class Tolerations:
    """What of taints a placement puts up with. `chosen` are in the placement's decisions already."""

    wire: Sequence[Mapping[str, Any]]
    chosen: frozenset[str]
    now: datetime

    def __post_init__(self) -> None:
        for toleration in self.wire:
            if fault := toleration_fault(toleration):
                raise Misconfigured(TAINTS, fault)

    def among(self, fleet: Fleet, within: Bits) -> Bits:
        """The clusters of `within` all of whose taints are tolerated."""
        refused, timed = 0, 0
        for taint, clusters in fleet.taints.items():
            here = clusters & within
            if not here or taint.effect == "PreferNoSelect":
                continue
            if taint.effect == "NoSelectIfNew":
                here &= ~fleet.bits(self.chosen)
            held = [t for t in self.wire if _tolerates(t, taint._asdict())]
            if not held:
                refused |= here
            elif all(t.get("tolerationSeconds") is not None for t in held):
                timed |= here
        return within & ~refused & ~fleet.picked(timed & ~refused, self._refuses)

    def _refuses(self, cluster: Object) -> bool:
        return any(True for _ in self.left_out(cluster))

    def left_out(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """The taints of a cluster that are not tolerated."""
        chosen = name_of(cluster) in self.chosen
        for taint in taints_of(cluster):
            if not self._passes(taint, chosen=chosen):
                late = any(_tolerates(t, taint) for t in self.wire)
                why = "is tolerated no longer" if late else "is not tolerated"
                yield f"taint {_words(taint)} {why}"

    def tolerated(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """The taints of a cluster that do not keep it out, why, and until when."""
        chosen = name_of(cluster) in self.chosen
        for taint in taints_of(cluster):
            if self._passes(taint, chosen=chosen):
                yield f"taint {_words(taint)} {self._why(taint)}"

    def _why(self, taint: Mapping[str, Any]) -> str:
        if taint.get("effect") == "PreferNoSelect":
            return "keeps nobody out"
        ends = [_expiry(t, taint) for t in self.wire if _holds(t, taint, self.now)]
        if not ends:
            return "keeps out new clusters alone, and this one was chosen before"
        if None in ends:
            return "is tolerated"
        return f"is tolerated until {max(filter(None, ends)):%Y-%m-%dT%H:%M:%SZ}"

    def _passes(self, taint: Mapping[str, Any], *, chosen: bool) -> bool:
        match taint.get("effect"):
            case "PreferNoSelect":
                return True
            case "NoSelectIfNew" if chosen:
                return True
        return any(_holds(toleration, taint, self.now) for toleration in self.wire)

    def recheck(self, fleet: Fleet, within: Bits) -> datetime | None:
        """When time alone takes a cluster out of `within`: the first end of a toleration of a chosen one."""
        if all(t.get("tolerationSeconds") is None for t in self.wire):
            return None
        ends: list[datetime] = []
        tainted = 0
        for clusters in fleet.taints.values():
            tainted |= clusters
        for name in fleet.names(tainted & within & fleet.bits(self.chosen)):
            taints = taints_of(fleet.get(name) or {})
            ends += [at for t in taints if (at := _tolerated_until(t, self.wire, self.now))]
        return min(ends, default=None)


def _words(taint: Mapping[str, Any]) -> str:
    key, value, effect = taint_of(taint)
    return f"{key}{f'={value}' if value else ''} ({effect})"


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether a toleration is for this taint, its time left aside; an unknown operator tolerates nothing."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    same = (toleration.get("value") or "") == (taint.get("value") or "")
    return operator == "Exists" or (operator == "Equal" and same)


def _expiry(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> datetime | None:
    """When the toleration ends; None: never. A taint without a time has been there always."""
    seconds = toleration.get("tolerationSeconds")
    if seconds is None:
        return None
    added = time_at(taint.get("timeAdded"))
    if added is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        return added + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def _holds(toleration: Mapping[str, Any], taint: Mapping[str, Any], now: datetime) -> bool:
    if not _tolerates(toleration, taint):
        return False
    end = _expiry(toleration, taint)
    return end is None or now < end


def _tolerated_until(
    taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]], now: datetime
) -> datetime | None:
    """The end of the first toleration that holds now: it decides when to look again."""
    if taint.get("effect") in ("PreferNoSelect", "NoSelectIfNew"):
        return None
    for toleration in tolerations:
        if _holds(toleration, taint, now):
            return _expiry(toleration, taint)
    return None
