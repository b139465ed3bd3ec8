"""The work agent's apply row: make the cluster have what a ManifestWork says, and report that.

One pass, in steps: the work's finalizer and its AppliedManifestWork; what the work's executor may do, if it
has one (`decide.agent.executor`); the ledger entries of what is about to be made (so that a crash leaves
nothing that nobody knows of); the manifests, in the order of their kinds, a failure of one never stopping
another; the report. A pass without drift writes nothing.

What becomes of manifests that left the work is `decide.agent.ledger`, the work's end `decide.agent.finish`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import (
    COMPLETE,
    IGNORE_FIELDS_FAILED,
    MANIFEST_APPLIED,
    MANIFEST_NOT_APPLIED,
    WORK_FINALIZER,
    WORK_NAME_TOO_LONG,
)
from gitops_ocm.decide.agent import executor
from gitops_ocm.decide.agent.executor import Refusal, executor_of
from gitops_ocm.decide.agent.identity import (
    LEDGER_FIELDS,
    anchor_ref,
    anchor_spec,
    identity_of,
    new_anchor,
)
from gitops_ocm.decide.agent.ignored import IgnoreFieldError
from gitops_ocm.decide.agent.manifests import Item, items_of, look, writes_for
from gitops_ocm.decide.agent.options import READ_ONLY
from gitops_ocm.decide.agent.pacing import spread
from gitops_ocm.decide.agent.work_status import (
    applied_entry,
    generation_of,
    is_applied,
    previous,
    reported,
    with_applied,
    with_condition,
)
from gitops_ocm.decide.contract import DONE, Create, Outcome, Result, Side, View, Want, Write
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import (
    LOOK_AGAIN,
    add_finalizer,
    after_failure,
    errors,
    is_deleting,
    is_stale,
    locked_patch,
    report,
    status_of,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects import conditions
from gitops_ocm.objects.order import work_rank
from gitops_ocm.objects.ref import Object, Ref

MAX_NAME = 253


@dataclass(frozen=True)
class ApplyWork:
    """Applies the ManifestWorks of one cluster."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManifestWork."""
        work = view.get(key)
        if work is None or is_deleting(work) or conditions.is_true(work, COMPLETE):
            return DONE
        if len(anchor_ref(self.settings, key.name).name) > MAX_NAME:
            told = WORK_NAME_TOO_LONG.saying(name=key.name)
            return Outcome(report(work, {"conditions": with_condition(work, told, now)}))
        items = items_of(view, work)
        wants = {Want(i.ref.of, i.ref.namespace) for i in items if i.ref is not None}
        view.require(sorted(wants), Side.SPOKE)
        anchor = view.get(anchor_ref(self.settings, key.name), Side.SPOKE)
        if anchor is not None and is_deleting(anchor):
            return Outcome(notes=("what the last work of this name applied is still being removed",))
        return _Pass(self.settings, view, key, now, items).prepare(work, anchor)


@dataclass(frozen=True)
class _Pass:
    """One pass over a work: the steps after each other, each with what the one before came to.

    `refused` are the manifests, by their place, that the work's executor may not have applied.
    """

    settings: AgentSettings
    view: View
    key: Ref
    now: datetime
    items: Sequence[Item]
    refused: Mapping[int, Refusal] = field(default_factory=dict)

    def prepare(self, work: Object, anchor: Object | None) -> Outcome:
        """Finalizer and AppliedManifestWork."""
        marks = add_finalizer(work, WORK_FINALIZER)
        wanted = anchor_spec(self.settings, work)
        anchoring: tuple[Write, ...] = ()
        if anchor is None:
            anchoring = (Create(new_anchor(self.settings, work), Side.SPOKE),)
        elif anchor.get("spec") != wanted:
            anchoring = (locked_patch(anchor, {"spec": wanted}, Side.SPOKE),)
        if not marks and not anchoring:
            assert anchor is not None
            return self.permit(work, anchor)

        def then(results: Sequence[Result]) -> Outcome:
            if faults := errors(results):
                return after_failure(faults)
            moved = (results[0].obj if marks else None) or work
            made = (results[-1].obj if anchoring else None) or anchor
            assert made is not None
            return self.permit(moved, made)

        return Outcome((*marks, *anchoring), then=then)

    def permit(self, work: Object, anchor: Object) -> Outcome:
        """Ask what the work's executor may do."""
        account = executor_of(work)
        if account is None:
            return self.record(work, anchor)
        entries = self._entries(work)
        due = [at for at, i in enumerate(self.items) if not i.fault and not _is_complete(entries[at])]
        if account.fault:
            refused = {at: Refusal(account.fault, lasting=False) for at in due}
            return replace(self, refused=refused).record(work, anchor)
        asked = {at: account.questions(self.items[at]) for at in due}

        def then(results: Sequence[Result]) -> Outcome:
            answers = iter(results)
            verdicts = {
                at: executor.refusal(self.items[at], [next(answers) for _ in questions])
                for at, questions in asked.items()
            }
            refused = {at: verdict for at, verdict in verdicts.items() if verdict is not None}
            return replace(self, refused=refused).record(work, anchor)

        return Outcome(tuple(q for each in asked.values() for q in each), then=then, keep_going=True)

    def _entries(self, work: Object) -> list[Mapping[str, Any] | None]:
        """What was last reported of each manifest."""
        return previous([item.meta for item in self.items], reported(work))

    def record(self, work: Object, anchor: Object) -> Outcome:
        """Enter what is about to be applied into the ledger, before it is."""
        entries = list(status_of(anchor).get("appliedResources") or ())
        held = {identity_of(entry) for entry in entries}
        fresh = [
            {k: i.meta[k] for k in LEDGER_FIELDS}
            for at, i in enumerate(self.items)
            if i.ref is not None
            and at not in self.refused
            and i.options.strategy != READ_ONLY
            and identity_of(i.meta) not in held
            and (i.blind or not look(self.view, i.ref)[1])
        ]
        if not fresh:
            return self.apply(work, anchor)
        writes = report(anchor, {"appliedResources": by_identity([*entries, *fresh])}, Side.SPOKE)

        def then(results: Sequence[Result]) -> Outcome:
            if faults := errors(results):
                return after_failure(faults)
            return self.apply(work, results[-1].obj or anchor)

        return Outcome(writes, then=then)

    def apply(self, work: Object, anchor: Object) -> Outcome:
        """Write what is not as the manifests say."""
        verdicts: dict[int, KnownCondition] = {}
        untried: list[str] = []
        writes: list[Write] = []
        writer: list[int] = []
        entries = self._entries(work)
        for at, item in sorted(enumerate(self.items), key=lambda pair: _rank(pair[1])):
            refused = Refusal(item.fault, lasting=False) if item.fault else self.refused.get(at)
            if refused is not None:
                verdicts[at] = _failed(refused.message)
                untried += [] if refused.lasting else [refused.message]
                continue
            if _is_complete(entries[at]):
                verdicts[at] = MANIFEST_APPLIED  # it has done its work: neither changed nor made again
                continue
            assert item.ref is not None
            live, hidden = look(self.view, item.ref)
            if hidden and not item.blind:
                verdicts[at] = _failed(hidden)
                untried.append(hidden)
                continue
            try:
                needed = writes_for(item, live, anchor, applied=is_applied(work, entries[at]))
            except IgnoreFieldError as fault:
                verdicts[at] = IGNORE_FIELDS_FAILED.saying(error=fault.message)
                continue
            except GitopsError as fault:
                verdicts[at] = _failed(fault.message)
                continue
            verdicts[at] = MANIFEST_APPLIED
            writes += needed
            writer += [at] * len(needed)

        def then(results: Sequence[Result]) -> Outcome:
            if any(map(is_stale, errors(results))):  # look again before saying anything
                return Outcome(requeue_after=LOOK_AGAIN)
            retry = next(iter(untried), "")
            for at, result in zip(writer, results, strict=False):
                if result.error is not None:
                    # Of the 409s only a field conflict is left: no time heals it, only a change does.
                    verdicts[at] = _failed(result.error.message)
                    retry = retry if result.error.http_code == 409 else result.error.message
            return self.report(work, verdicts, retry)

        return Outcome(tuple(writes), then=then, keep_going=True) if writes else then(())

    def report(self, work: Object, verdicts: dict[int, KnownCondition], retry: str) -> Outcome:
        """Applied, per manifest and for the work."""
        old = self._entries(work)
        entries = [
            applied_entry(item.meta, old[at], verdicts[at], generation=generation_of(work), now=self.now)
            for at, item in enumerate(self.items)
        ]
        fields = {
            "conditions": with_applied(work, entries, self.now),
            "resourceStatus": {"manifests": entries},
        }
        again = spread(self.settings.resync_interval, 0.5, self.settings.cluster_name, *self.key)
        if any(refused.lasting for refused in self.refused.values()):
            again = min(again, executor.LOOK_AGAIN)
        said = report(work, fields) if entries or reported(work) else ()
        return Outcome(said, requeue_after=again, retry=retry)


def by_identity(entries: Sequence[Object]) -> list[Object]:
    """Ledger entries in the order a ledger has."""
    return sorted(entries, key=lambda e: tuple(e.get(n) or "" for n in LEDGER_FIELDS))


def _rank(item: Item) -> int:
    return work_rank(item.manifest.get("kind", ""))


def _is_complete(entry: Mapping[str, Any] | None) -> bool:
    return conditions.is_true((entry or {}).get("conditions") or (), COMPLETE)


def _failed(message: str) -> KnownCondition:
    return MANIFEST_NOT_APPLIED.saying(error=message)
