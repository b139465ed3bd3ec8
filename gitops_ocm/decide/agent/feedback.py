"""What the agent reports of applied objects: whether they are there, and what rules ask for.

"Available" means that the object exists, nothing more. The list it adds to is the apply row's; values are
found by `decide.agent.feedback_values`, conditions of rules by `decide.agent.condition_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import (
    APPLIED,
    AVAILABLE,
    FEEDBACK_FAILED,
    FEEDBACK_IS_SYNCED,
    FEEDBACK_SYNCED,
    MANIFEST_AVAILABLE,
    MANIFEST_FETCH_FAILED,
    MANIFEST_META_INCOMPLETE,
    MANIFEST_NOT_AVAILABLE,
    NO_FEEDBACK,
    WORK_AVAILABILITY_UNKNOWN,
    WORK_AVAILABLE,
    WORK_FINALIZER,
    WORK_NOT_AVAILABLE,
    WORK_WITHOUT_RESOURCES,
)
from gitops_ocm.decide.agent.condition_rules import aggregated, pruned, rule_conditions
from gitops_ocm.decide.agent.feedback_values import feedback_values
from gitops_ocm.decide.agent.identity import identity_of, served_as
from gitops_ocm.decide.agent.manifests import look
from gitops_ocm.decide.agent.options import options_for
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.agent.work_status import generation_of, reported
from gitops_ocm.decide.contract import DONE, Outcome, Side, View, Want
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import conditions_of, report
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class Feedback:
    """Reports on the objects of a work once it has been applied, also while it is being deleted."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork."""
        work = view.get(key)
        if work is None or WORK_FINALIZER not in (work["metadata"].get("finalizers") or ()):
            return DONE
        if conditions.find(conditions_of(work), APPLIED) is None:
            return DONE
        metas = [entry.get("resourceMeta") or {} for entry in reported(work)]
        refs = [_ref(view, meta) for meta in metas]
        view.require(sorted({Want(r.of, r.namespace) for r in refs if r is not None}), Side.SPOKE)
        entries = [
            self._entry(work, entry, meta, look(view, ref) if ref is not None else (None, ""), now)
            for entry, meta, ref in zip(reported(work), metas, refs, strict=True)
        ]
        fields = {
            "conditions": _summed_up(work, entries, now),
            "resourceStatus": {"manifests": entries},
        }
        again = spread(self.settings.status_sync_interval, 0.9, self.settings.cluster_name, *key)
        return Outcome(report(work, fields), requeue_after=again)

    def _entry(
        self,
        work: Object,
        entry: Mapping[str, Any],
        meta: Mapping[str, Any],
        looked: tuple[Object | None, str],
        now: datetime,
    ) -> Object:
        """One manifest's entry with Available and values renewed; without an object values stay."""
        live, hidden = looked
        if live is None:
            return {**entry, "conditions": _with(entry, _unavailable(meta, hidden), now)}
        options, generation = options_for(work, identity_of(meta)), generation_of(work)
        ruled = rule_conditions(options.conditions, live)
        result = dict(entry)
        if not any(judged.type == AVAILABLE for judged in ruled):
            result["conditions"] = _with(result, MANIFEST_AVAILABLE, now)
        values, faults = feedback_values(self.settings, options.feedback, live)
        synced = FEEDBACK_IS_SYNCED if options.feedback else NO_FEEDBACK
        if faults:
            synced = FEEDBACK_FAILED.saying(error=_listed(faults))
        if ((entry.get("statusFeedback") or {}).get("values") or []) != values:
            kept = [c for c in result["conditions"] if c.get("type") != FEEDBACK_SYNCED]
            result["conditions"] = kept
        result["statusFeedback"] = {"values": values} if values else {}
        result["conditions"] = _with(result, synced, now)
        for judged in ruled:
            result["conditions"] = _with(result, judged, now, generation)
        result["conditions"] = pruned(result["conditions"], generation)
        return result


def _listed(faults: Sequence[str]) -> str:
    """Faults as Go lists errors: each once."""
    told = list(dict.fromkeys(faults))
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]"


def _ref(view: View, meta: Mapping[str, Any]) -> Ref | None:
    """The object a reported manifest is about, where that can be told."""
    if not (meta.get("resource") and meta.get("version") and meta.get("name")):
        return None
    resource = served_as(view, meta)
    if resource is None:
        return None
    return Ref(resource.group, resource.kind, meta.get("namespace") or "", meta["name"])


def _unavailable(meta: Mapping[str, Any], hidden: str) -> KnownCondition:
    if not (meta.get("resource") and meta.get("version") and meta.get("name")):
        return MANIFEST_META_INCOMPLETE
    return MANIFEST_FETCH_FAILED.saying(error=hidden) if hidden else MANIFEST_NOT_AVAILABLE


def _with(
    entry: Mapping[str, Any], judged: KnownCondition, now: datetime, generation: int | None = None
) -> list[Object]:
    return conditions.with_condition(
        entry.get("conditions"), **judged._asdict(), now=now, observed_generation=generation
    )


def _summed_up(work: Object, entries: Sequence[Mapping[str, Any]], now: datetime) -> list[Object]:
    """The work's Available, where any False wins, then any Unknown; and what rules define."""
    found = [conditions.find(e.get("conditions"), AVAILABLE) or {} for e in entries]
    total = len(found)
    missing = sum(1 for c in found if c.get("status") == "False")
    unknown = sum(1 for c in found if c.get("status") == "Unknown")
    judged = WORK_AVAILABLE
    if missing:
        judged = WORK_NOT_AVAILABLE.saying(count=missing, total=total)
    elif unknown:
        judged = WORK_AVAILABILITY_UNKNOWN.saying(count=unknown, total=total)
    elif not total:
        judged = WORK_WITHOUT_RESOURCES
    result: Sequence[Mapping[str, Any]] = conditions_of(work)
    for condition in (judged, *aggregated(entries)):
        result = conditions.with_condition(
            result, **condition._asdict(), now=now, observed_generation=generation_of(work)
        )
    return pruned(result, generation_of(work))
