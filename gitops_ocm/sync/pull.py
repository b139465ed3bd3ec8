"""Git → hub, one pass: fetch, check the whole commit, plan, apply in waves, prune, record.

    attempt() -> Attempt

Crash-only: killed anywhere, the next pass converges. Each object carries what was applied of it, and the
HubSync tells where to look: a new kind is entered into its inventory before the first object is created,
and a tripped prune guard before anything is. A commit with an error changes nothing; the last good
commit stays in force, and drift from it is still put back. `sync.loop` decides when a pass is due.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from gitops_ocm.decide.contract import Create
from gitops_ocm.errors import Diagnostic, GitopsError
from gitops_ocm.git.errors import Interrupted
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.live.commit import CONCURRENCY
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.plan.changes import Action, ChangeSet, DriftMode, Reason
from gitops_ocm.plan.inventory import Inventory, counted, written_ahead
from gitops_ocm.plan.prune import guard_after, guard_of
from gitops_ocm.runtime.clock import Clock
from gitops_ocm.sync.events import Level, Listener, Phase, SyncEvent, Unrepeated, of_diagnostic
from gitops_ocm.sync.execute import Execution, Executor
from gitops_ocm.sync.hub import Hub
from gitops_ocm.sync.kinds import HubKinds
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.planning import Planner
from gitops_ocm.sync.policy_events import policy_event
from gitops_ocm.sync.record import Record, Superseded
from gitops_ocm.sync.remove import Remover
from gitops_ocm.sync.source import Source
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import Outcome, Verdict, status_of
from gitops_ocm.sync.target import Target, Targets
from gitops_ocm.sync.verdicts import camel, of_execution, suspended, timed_out
from gitops_ocm.sync.watching import Watching

MANY = 200
"""So many writes are made without watching: listing afterwards is cheaper than an event for each."""


@dataclass(frozen=True)
class PullSettings:
    """`patience`: seconds a pass waits for what its objects need before it ends without them."""

    concurrency: int = CONCURRENCY
    patience: float = 2.0


@dataclass(frozen=True)
class Attempt:
    """How a pass ended.

    `complete` says that all the plan asked for was done, `noop` that there was nothing to look at. `until` is
    when a commit that the policy refuses is looked at again.
    """

    verdict: Verdict
    commit: str = ""
    plan: ChangeSet | None = None
    problems: tuple[Diagnostic, ...] = ()
    waiting: tuple[str, ...] = ()
    complete: bool = False
    noop: bool = False
    until: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether the hub is as the commit wants it."""
        return self.verdict.ready is True

    @property
    def retry(self) -> bool:
        """Whether time alone may help."""
        return self.verdict.reconciling and self.until is None


class Pull:
    """Git → hub for one HubSync. One pass at a time."""

    def __init__(
        self,
        hub: Hub,
        source: Source,
        kinds: HubKinds,
        observed: Observed,
        watching: Watching,
        *,
        clock: Clock,
        listener: Listener,
        settings: PullSettings,
    ) -> None:
        self._hub = hub
        self._listener = Unrepeated(listener)
        self._targets = Targets(source, kinds, self._listener, clock)
        self._planner = Planner(hub.mapper, self._targets, observed, watching)
        self._observed = observed
        self._watching = watching
        self._clock = clock
        self._settings = settings
        self._settled: tuple[object, ...] = ()
        self._last: Attempt | None = None
        self._failed = False

    async def attempt(self, record: Record) -> Attempt:
        """One pass. `Unreachable` and `ApiError` from the hub are the caller's to wait out.

        Anything else that stands in the way is recorded on the HubSync and answered.
        """
        self._listener.begin(after_failure=self._failed)
        attempt = await self._recorded(record)
        self._failed = not attempt.ok
        return attempt

    async def _recorded(self, record: Record) -> Attempt:
        try:
            return await self._attempt(record)
        except (Unreachable, ApiError, Superseded, Interrupted):
            raise
        except GitopsError as error:
            self._settled = ()
            problem = error.diagnostic()
            verdict = Verdict(False, camel(error.code), error.message, stalled=True)
            outcome = Outcome(
                int(record.sync["metadata"].get("generation") or 0), verdict, problems=(problem,)
            )
            await record.write(status_of(record.status, outcome, now=self._clock.now()))
            self._listener(of_diagnostic(Phase.FAILED, problem))
            return Attempt(verdict, problems=(problem,))

    async def _attempt(self, record: Record) -> Attempt:
        spec = SyncSpec.of(record.sync)
        if spec.suspend:
            return await self._suspend(record, spec)
        try:
            async with asyncio.timeout(spec.timeout):
                return await self._pass(spec, record)
        except TimeoutError:
            self._settled = ()
            verdict = timed_out(spec)
            outcome = Outcome(spec.generation, verdict)
            await record.write(status_of(record.status, outcome, now=self._clock.now()))
            self._listener(SyncEvent(Phase.FAILED, verdict.message, Level.ERROR))
            return Attempt(verdict)

    async def _pass(self, spec: SyncSpec, record: Record) -> Attempt:
        target = await self._targets.find(spec, record.status)
        uid = record.sync["metadata"].get("uid")
        key = (spec, target.attempted, target.trouble, id(target.checked), uid)
        if key == self._settled and not self._observed.news and self._last is not None:
            return replace(self._last, noop=True)
        self._settled = ()
        await self._note(target, record)
        until = target.judged.until if target.judged else None
        done = await self._put_in_force(target, spec, record)
        attempt = self._last = replace(done, until=until)
        if attempt.complete:
            self._settled = key
        return attempt

    async def _note(self, target: Target, record: Record) -> None:
        """Record what the policy says before anything is applied: what was let through stays so."""
        if target.judged is None or (record.status.get("policy") or None) == target.judged.record:
            return
        status = {key: value for key, value in record.status.items() if key != "policy"}
        if target.judged.record is not None:
            status["policy"] = dict(target.judged.record)
        await record.write(status)
        event = policy_event(record.sync, status.get("policy") or {}, self._clock.now())
        if event is not None:
            await self._hub.committer.write(Create(event))  # As good as it goes: events are nobody's record.

    async def _suspend(self, record: Record, spec: SyncSpec) -> Attempt:
        self._settled = ()
        verdict = suspended(record.status)
        if self._last is None or self._last.verdict != verdict:
            self._listener(SyncEvent(Phase.DONE, verdict.message, Level.WARNING))
        outcome = Outcome(spec.generation, verdict, handled_at=spec.requested_at)
        await record.write(status_of(record.status, outcome, now=self._clock.now()))
        self._last = Attempt(verdict, noop=True)
        return self._last

    async def _put_in_force(self, target: Target, spec: SyncSpec, record: Record) -> Attempt:
        if target.checked is None:
            verdict = target.trouble or Verdict(None, "Unknown", "nothing was synced yet", reconciling=True)
            outcome = Outcome(
                spec.generation,
                verdict,
                target.attempted,
                problems=target.problems,
                handled_at=spec.requested_at,
            )
            await record.write(status_of(record.status, outcome, now=self._clock.now()))
            if target.trouble is not None and target.attempted:
                self._listener(ended(verdict))
            return Attempt(verdict, target.attempted, problems=target.problems)
        executor = self._executor(spec)
        plan = await executor.verified(await self._planner.plan(target.checked, spec, record))
        self._tell(plan)
        done = await self._carry_out(executor, plan, spec, record)
        if done.cut_off is not None:
            raise Unreachable(done.cut_off.message, hint=done.cut_off.hint)
        attempt = await self._record(target, plan, done, spec, record)
        if done.complete:
            self._planner.in_force(target.checked)
        return attempt

    def _tell(self, plan: ChangeSet) -> None:
        for problem in plan.diagnostics:
            self._listener(of_diagnostic(Phase.PLAN, problem))
        if not plan.nothing_to_do:
            self._listener(SyncEvent(Phase.PLAN, f"{plan.commit[:12]}: {plan.summary()}"))

    def _executor(self, spec: SyncSpec) -> Executor:
        exists = self._watching.namespace_exists
        return Executor(
            self._hub, self._observed, self._listener, exists, spec.name, self._settings.concurrency
        )

    def _remover(self, spec: SyncSpec) -> Remover:
        return Remover(self._hub, self._observed, self._listener, spec.name, self._settings.concurrency)

    async def _carry_out(
        self, executor: Executor, plan: ChangeSet, spec: SyncSpec, record: Record
    ) -> Execution:
        """Apply, wait a little for what is missing, remove. What a restart has to know is recorded before."""
        ahead = written_ahead(plan, record.inventory)
        tripped = plan.guard is not None and guard_of(record.status) is None
        if ahead is not record.inventory or (tripped and plan.work):
            await self._progress(record, spec, plan, ahead)
        done = await self._apply(executor, plan)
        await self._wait(executor, plan, done)
        leaving = any(change.action in (Action.PRUNE, Action.RELEASE) for change in plan.notable)
        if leaving and not (done.problems or done.retry or done.cut_off):
            await self._remover(spec).remove(plan, done)
        return done

    async def _apply(self, executor: Executor, plan: ChangeSet) -> Execution:
        if len(plan.work) < MANY:
            return await executor.apply(plan)
        with self._watching.quiet():
            return await executor.apply(plan)

    async def _progress(self, record: Record, spec: SyncSpec, plan: ChangeSet, inventory: Inventory) -> None:
        verdict = Verdict(None, "Applying", f"{plan.commit[:12]}: {plan.summary()}", reconciling=True)
        outcome = Outcome(spec.generation, verdict, plan.commit, inventory=inventory, guard=plan.guard)
        await record.write(status_of(record.status, outcome, now=self._clock.now()), inventory)

    async def _wait(self, executor: Executor, plan: ChangeSet, done: Execution) -> None:
        """Give what waits a few more tries, quickly at first."""
        if not done.waiting:
            self._watching.forget_namespaces()
            return
        names = ", ".join(sorted(done.missing_namespaces)[:5])
        count = len(done.waiting)
        text = ("1 object waits" if count == 1 else f"{count} objects wait") + (
            f" for namespace {names}" if names else ""
        )
        self._listener(SyncEvent(Phase.WAIT, text))
        await self._watching.follow_namespaces()
        until, delay = self._clock.monotonic() + self._settings.patience, 0.05
        while done.waiting and not done.cut_off and self._clock.monotonic() + delay <= until:
            await self._clock.sleep(delay)
            delay = min(1.0, delay * 1.6)
            await executor.again(plan, done)

    async def _record(
        self,
        target: Target,
        plan: ChangeSet,
        done: Execution,
        spec: SyncSpec,
        record: Record,
    ) -> Attempt:
        inventory = counted(
            plan,
            record.inventory,
            self._observed.counts(),
            served=lambda kind: self._hub.mapper.known_of(kind) is not None,
        )
        foreign = tuple(done.foreign[ref] for ref in sorted(done.foreign))
        verdict = of_execution(plan, done, spec, previous=record.status)
        problems = (*target.problems, *foreign, *plan.diagnostics, *done.problems)
        reported = [str(c.ref) for c in plan.notable if c.reason is Reason.DRIFT_REPORTED]
        outcome = Outcome(
            spec.generation,
            target.trouble or verdict,
            attempted=target.attempted,
            applied=plan.commit if done.complete else None,
            inventory=inventory,
            guard=guard_after(plan, done.pruned),
            problems=problems,
            drift=reported if spec.policy.drift is DriftMode.REPORT else (),
            handled_at=spec.requested_at,
            summary=done.summary(plan, record.status.get("summary")),
        )
        await record.write(status_of(record.status, outcome, now=self._clock.now()), inventory)
        for problem in (*foreign, *done.problems):
            self._listener(of_diagnostic(Phase.APPLY, problem))
        for change in done.drifted(plan):
            self._listener(SyncEvent(Phase.DRIFT, str(change), Level.WARNING))
        self._listener(ended(outcome.verdict))
        waiting = tuple(str(ref) for ref in sorted(done.waiting))
        # Nobody tells when another HubSync lets go of an object: that is asked for at each pass.
        complete = done.complete and not foreign
        return Attempt(outcome.verdict, plan.commit, plan, problems, waiting, complete=complete)


def ended(verdict: Verdict) -> SyncEvent:
    """How a pass ended, in one line."""
    if verdict.ready:
        return SyncEvent(Phase.DONE, verdict.message)
    if verdict.reconciling:
        return SyncEvent(Phase.WAIT, verdict.message, Level.WARNING)
    return SyncEvent(Phase.FAILED, verdict.message, Level.ERROR)
