"""The end of a ManifestWork: what it applied goes first, then the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.work import WORK_DELETING, WORK_FINALIZER
from gitops_ocm.decide.agent.identity import anchor_ref
from gitops_ocm.decide.agent.work_status import generation_of
from gitops_ocm.decide.contract import DONE, Outcome, Side, View
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import conditions_of, delete, drop_finalizer, is_deleting, report
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Ref


@dataclass(frozen=True)
class FinishWork:
    """Deletes the AppliedManifestWork of a deleted work, and lets the work go when that is gone."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork."""
        work = view.get(key)
        if work is None or not is_deleting(work):
            return DONE
        anchor = view.get(anchor_ref(self.settings, key.name), Side.SPOKE)
        if anchor is None:
            return Outcome(drop_finalizer(work, WORK_FINALIZER))
        wanted = conditions.with_condition(
            conditions_of(work),
            **WORK_DELETING._asdict(),
            now=now,
            observed_generation=generation_of(work),
        )
        return Outcome((*report(work, {"conditions": wanted}), *delete(anchor, Side.SPOKE)))
