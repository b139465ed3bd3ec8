"""Freezes: times in which nothing may change, or nothing of some cluster sets and kinds."""

from __future__ import annotations

from datetime import datetime

from gitops_ocm.desired.policy import Freeze
from gitops_ocm.desired.policy_checks import window_of
from gitops_ocm.desired.windows import DAYS, NEVER, Window
from gitops_ocm.preview.policy.case import Case, Finding, listed
from gitops_ocm.preview.policy.protections import is_kind


def freezes(freeze: Freeze, case: Case) -> Finding:
    """`freeze`: whether now is a time of it, and the change one that it holds."""
    window = window_of(freeze)
    end = window.ends(case.found.now)
    if end is None:
        return Finding(True, "not now")
    held = _held(freeze, case)
    if not held:
        return Finding(True, "it holds nothing of this change")
    until = None if end == NEVER else end
    return Finding(False, f"{held} frozen{_until(until, window)}", until)


def _held(freeze: Freeze, case: Case) -> str:
    """What of the change a freeze holds, with a verb; `""` for nothing."""
    if not freeze.cluster_sets and not freeze.kinds:
        return "the fleet is" if case.found.changes_anything else ""
    sets = sorted(case.touched_sets & set(freeze.cluster_sets))
    if sets:
        return f"cluster set {sets[0]} is" if len(sets) == 1 else f"cluster sets {listed(sets)} are"
    everything = (*case.found.effects, *(e for c in case.found.clusters for e in c.effects))
    kinds = sorted({effect.ref.kind for effect in everything if is_kind(effect.ref, freeze.kinds)})
    if kinds:
        return f"{listed(kinds)} {'is' if len(kinds) == 1 else 'are'}"
    return ""


def _until(end: datetime | None, window: Window) -> str:
    if end is None:
        return " until the rule is lifted"
    local = end.astimezone(window.zone)
    return f" until {DAYS[local.weekday()]} {local:%Y-%m-%d %H:%M} {window.zone.key}"
