"""Two end states of a world held against each other: what a person would call a change.

Versions, uids and times are left out, so that a simulated state and a live one, or two runs, compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.diff import Difference, differences, masked, without_noise
from gitops_ocm.objects.ref import Object, Ref, ref_of

TIMES = frozenset({"lastTransitionTime", "renewTime", "evictionStartTime", "timeAdded", "lastUpdateTime"})
UIDS = frozenset({"uid"})
UNORDERED = frozenset({"conditions", "finalizers", "ownerReferences"})


@dataclass(frozen=True)
class Changed:
    """One object that is there in one state only, or differs; `before` or `after` is None where it is not."""

    ref: Ref
    before: Object | None
    after: Object | None

    @property
    def differences(self) -> list[Difference]:
        """Field by field, secrets masked."""
        return differences(masked(self.before or {}), masked(self.after or {}))


def end_state(objects: Iterable[Object]) -> dict[Ref, Object]:
    """Objects by identity, stripped of what differs between equal runs."""
    return {ref_of(obj): _stripped(without_noise(obj, status=True)) for obj in objects}


def compare(before: Mapping[Ref, Object], after: Mapping[Ref, Object]) -> list[Changed]:
    """What is different, sorted by identity."""
    refs = sorted(before.keys() | after.keys())
    return [
        Changed(ref, before.get(ref), after.get(ref)) for ref in refs if before.get(ref) != after.get(ref)
    ]


def _stripped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _sorted(k, _stripped(v)) for k, v in value.items() if k not in TIMES and k not in UIDS}
    return [_stripped(v) for v in value] if isinstance(value, list) else value


def _sorted(name: str, value: Any) -> Any:
    """Lists whose order means nothing, and tells only who came first."""
    if name in UNORDERED and isinstance(value, list):
        return sorted(value, key=canonical_json)
    return value
