"""The AppliedManifestWork as a ledger: what a work has on the cluster, and its removal.

Rows: `Ledger`, keyed by the work, keeps the list in step with what was applied and removes what left the
work; `Anchor`, keyed by the AppliedManifestWork, removes everything when it is deleted, and has those
deleted whose work is gone from the hub. `judge` is the one decision about one object both make.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gitops_ocm.api.work import APPLIED_WORK_FINALIZER
from gitops_ocm.decide.agent.apply import by_identity
from gitops_ocm.decide.agent.identity import (
    LEDGER_FIELDS,
    Identity,
    anchor_ref,
    identity_of,
    ref_in,
    served_as,
    work_of_anchor,
)
from gitops_ocm.decide.agent.manifests import look
from gitops_ocm.decide.agent.merge import owners_with
from gitops_ocm.decide.agent.work_status import is_reported, reported
from gitops_ocm.decide.contract import DONE, Delete, MergePatch, Outcome, Result, Side, View, Want, Write
from gitops_ocm.decide.kinds import APPLIED_WORK
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import (
    add_finalizer,
    after_failure,
    delete,
    drop_finalizer,
    errors,
    is_deleting,
    report,
    seconds_until,
    status_of,
    time_at,
    uid_of,
)
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object, Ref, split_api_version

FOREVER = 100 * 365 * 24 * 3600
RETRY = 60.0


@dataclass(frozen=True)
class Judgement:
    """What to do about one ledger entry: writes, and whether it stays in the ledger until later."""

    writes: tuple[Write, ...] = ()
    keep: bool = False


def judge(live: Object | None, entry: Mapping[str, Any], anchor: Object, *, hidden: str = "") -> Judgement:
    """How to take one applied object away; what is not, or no longer, ours is only forgotten.

    What may not be looked at (`hidden`) is waited for, unless nobody knows that it was ever there: if it is,
    the garbage collector takes it away with the AppliedManifestWork that owns it.
    """
    if live is None:
        return Judgement(keep=bool(hidden and entry.get("uid")))
    owners = live["metadata"].get("ownerReferences") or []
    if not any(o.get("uid") == uid_of(anchor) for o in owners):
        return Judgement()
    _, version = split_api_version(live["apiVersion"])
    ref = Ref(split_api_version(live["apiVersion"])[0], live["kind"], *_place(live))
    if any(o.get("kind") == APPLIED_WORK.kind and o.get("uid") != uid_of(anchor) for o in owners):
        left = owners_with(live, None, uid_of(anchor))
        body: Object = {"metadata": {"uid": uid_of(live), "ownerReferences": left}}
        return Judgement((MergePatch(ref, body, Side.SPOKE, version=version),))
    if entry.get("uid") and entry["uid"] != uid_of(live):
        return Judgement()
    if is_deleting(live):
        return Judgement(keep=True)
    return Judgement((Delete(ref, Side.SPOKE, uid=uid_of(live), version=version),), keep=True)


def _place(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


def _live(view: View, entries: Iterable[Mapping[str, Any]]) -> list[tuple[Object | None, str]]:
    """The objects of ledger entries, or why one is hidden; a kind the cluster no longer serves has none."""
    refs = []
    for entry in entries:
        resource = served_as(view, entry)
        refs.append(ref_in(resource, entry) if resource is not None else None)
    view.require(sorted({Want(r.of, r.namespace) for r in refs if r is not None}), Side.SPOKE)
    return [look(view, ref) if ref is not None else (None, "") for ref in refs]


def _judged(view: View, entries: Sequence[Mapping[str, Any]], anchor: Object) -> list[Judgement]:
    """How to take each of them away."""
    found = zip(_live(view, entries), entries, strict=True)
    return [judge(live, entry, anchor, hidden=hidden) for (live, hidden), entry in found]


def _written(anchor: Object, entries: Sequence[Object], writes: Sequence[Write]) -> Outcome:
    """Remove, then write the ledger; what could not be removed keeps the ledger as it is."""
    listed = by_identity(entries)
    noted = report(anchor, {"appliedResources": listed}, Side.SPOKE) if listed or status_of(anchor) else ()
    if not writes:
        return Outcome(noted, requeue_after=RETRY if entries else None)

    def then(results: Sequence[Result]) -> Outcome:
        if faults := errors(results):
            return after_failure(faults)  # 409: another object by now, which the next look forgets
        return Outcome(noted, requeue_after=RETRY)

    return Outcome(tuple(writes), then=then, keep_going=True)


@dataclass(frozen=True)
class Ledger:
    """Keeps the list of what a work has applied, and removes what has left the work."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork, once this generation of it has been applied and reported."""
        work = view.get(key)
        anchor = view.get(anchor_ref(self.settings, key.name), Side.SPOKE)
        if work is None or anchor is None or is_deleting(work) or is_deleting(anchor):
            return DONE
        metas = [entry.get("resourceMeta") or {} for entry in reported(work)]
        if not is_reported(work) or any(not meta.get("resource") for meta in metas):
            return DONE  # with one manifest unknown nobody can say what has left
        listed = {identity_of(e): e for e in status_of(anchor).get("appliedResources") or ()}
        wanted: dict[Identity, Mapping[str, Any]] = {}
        for meta in metas:
            wanted.setdefault(identity_of(meta), meta)
        seen = _live(view, wanted.values())
        live = {identity: obj for identity, (obj, _) in zip(wanted, seen, strict=True)}
        entries = [
            _entry(wanted[identity], obj) if obj is not None else listed[identity]
            for identity, obj in live.items()
            if obj is not None or identity in listed
        ]
        gone = [entry for identity, entry in listed.items() if identity not in wanted]
        verdicts = _judged(view, gone, anchor)
        entries += [entry for verdict, entry in zip(verdicts, gone, strict=True) if verdict.keep]
        writes = [write for verdict in verdicts for write in verdict.writes]
        outcome = _written(anchor, entries, writes)
        settled = not any(verdict.keep for verdict in verdicts)
        return Outcome(outcome.actions) if settled and outcome.then is None else outcome


def _entry(meta: Mapping[str, Any], live: Object) -> Object:
    return {**{n: meta.get(n) or "" for n in LEDGER_FIELDS}, "uid": uid_of(live)}


@dataclass(frozen=True)
class Anchor:
    """Answers for the AppliedManifestWorks that carry this agent's id."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one AppliedManifestWork."""
        anchor = view.get(key, Side.SPOKE)
        if anchor is None or (anchor.get("spec") or {}).get("agentID") != self.settings.agent:
            return DONE
        if is_deleting(anchor):
            return self._remove(view, anchor)
        if marks := add_finalizer(anchor, APPLIED_WORK_FINALIZER, Side.SPOKE):
            return Outcome(marks)
        return self._evict(view, anchor, now)

    def _remove(self, view: View, anchor: Object) -> Outcome:
        """Remove everything the ledger names; the AppliedManifestWork goes when that is gone."""
        entries: list[Object] = list(status_of(anchor).get("appliedResources") or ())
        verdicts = _judged(view, entries, anchor)
        kept = [entry for verdict, entry in zip(verdicts, entries, strict=True) if verdict.keep]
        writes = [write for verdict in verdicts for write in verdict.writes]
        if kept or writes:
            return _written(anchor, kept, writes)
        return Outcome(drop_finalizer(anchor, APPLIED_WORK_FINALIZER, Side.SPOKE))

    def _evict(self, view: View, anchor: Object, now: datetime) -> Outcome:
        """Give a work that is gone from the hub (or the hub itself) time to come back."""
        keys = list(work_of_anchor(self.settings, anchor))
        orphaned = not keys or view.get(keys[0]) is None
        started = time_at(status_of(anchor).get("evictionStartTime"))
        if not orphaned or self.settings.eviction_grace >= FOREVER:
            return Outcome(report(anchor, {"evictionStartTime": None}, Side.SPOKE) if started else ())
        grace = timedelta(seconds=self.settings.eviction_grace)
        if started is None:
            marked = report(anchor, {"evictionStartTime": timestamp(now)}, Side.SPOKE)
            return Outcome(marked, requeue_after=self.settings.eviction_grace)
        if now < started + grace:
            return Outcome(requeue_after=seconds_until(started + grace, now))
        return Outcome(delete(anchor, Side.SPOKE))
