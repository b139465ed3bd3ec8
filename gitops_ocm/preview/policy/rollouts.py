"""How anything must spread that rolls out over a placement: step by step, with a canary, with time to see.

Asked of replica sets and add-ons that the change makes, changes or has roll out; what it leaves alone may
spread as it did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from gitops_ocm.api.rollout import ALL, PROGRESSIVE, PROGRESSIVE_PER_GROUP
from gitops_ocm.api.scalars import ScalarError, parse_duration
from gitops_ocm.decide.kinds import MANAGEMENT_ADDON, REPLICA_SET
from gitops_ocm.desired.policy import RequiredRollout
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.model import Act
from gitops_ocm.preview.policy.case import Case, Finding, listed, named

_LIMITS = {PROGRESSIVE: "progressive", PROGRESSIVE_PER_GROUP: "progressivePerGroup"}


def required_rollouts(required: RequiredRollout, case: Case) -> Finding:
    """`requiredRollout`: whether all that rolls out over these placements does it so."""
    asked, faults = 0, []
    for ref in sorted(_rolling(case)):
        for placement, strategy in _spread(ref, case.after[ref].obj):
            if any(fnmatchcase(placement, glob) for glob in required.placements):
                asked += 1
                faults += [f"{named(ref)} over {placement}: {fault}" for fault in _faults(required, strategy)]
    if faults:
        return Finding(False, listed(faults))
    noun = "rollout is" if asked == 1 else "rollouts are"
    return Finding(True, f"{asked or 'no'} {noun} over these placements")


def _rolling(case: Case) -> set[Ref]:
    """What the change makes, changes or has roll out, as far as Git has it."""
    changed = {e.ref for e in case.found.effects if e.act in (Act.CREATE, Act.CHANGE, Act.MOVE)}
    started = {rollout.owner for rollout in case.found.rollouts if rollout.waves}
    kinds = (REPLICA_SET, MANAGEMENT_ADDON)
    return {ref for ref in changed | started if ref.of in kinds and ref in case.after}


def _spread(ref: Ref, obj: Object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """`NAMESPACE/NAME` of each placement it goes to, and the strategy there."""
    spec = obj.get("spec") or {}
    if ref.of == REPLICA_SET:
        for one in spec.get("placementRefs") or ():
            yield f"{ref.namespace}/{one.get('name', '')}", one.get("rolloutStrategy") or {}
    else:
        for one in (spec.get("installStrategy") or {}).get("placements") or ():
            yield f"{one.get('namespace', '')}/{one.get('name', '')}", one.get("rolloutStrategy") or {}


def _faults(required: RequiredRollout, strategy: Mapping[str, Any]) -> Iterator[str]:
    type_ = str(strategy.get("type") or ALL)
    if type_ not in _LIMITS:
        yield f"its rollout is {type_}, it must be {PROGRESSIVE} or {PROGRESSIVE_PER_GROUP}"
        return
    limits = strategy.get(_LIMITS[type_]) or {}
    if required.min_success_time is not None:
        soak, least = str(limits.get("minSuccessTime") or "0"), required.min_success_time
        if _lasting(soak) < _lasting(least):
            yield f"its minSuccessTime is {soak}, it must be {least} or more"
    held = {str(group.get("groupName") or "") for group in limits.get("mandatoryDecisionGroups") or ()}
    if missing := [name for name in required.mandatory_groups if name not in held]:
        yield f"decision group {listed(missing)} must be mandatory"


def _lasting(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ScalarError:
        return timedelta(0)
