"""Carrying a plan out: waves of applies, and what came of each. What leaves Git is `sync.remove`.

`Execution` collects; `Executor` sends. An error never stops the other objects of its wave; objects in
later waves are held back until it is put right, because they may stand on what failed. An object whose
namespace is still coming waits alone.

Only what is proven ours is applied with force at once. For anything else the API is asked without force:
the label is a field like any other, so an object that another HubSync has answers with a conflict, and is
left to it. Fields that somebody else holds are then taken over where the plan says so, from exactly
the object that was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_ocm.decide.contract import Apply, MergePatch, Result, Write
from gitops_ocm.errors import Diagnostic
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.diff import differences, without_noise
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Reason
from gitops_ocm.plan.compute import owned_by_another
from gitops_ocm.plan.failures import Verdict, field_conflicts, namespace_missing, problem, verdict
from gitops_ocm.plan.taints import has_taints, left_of, with_live_taints, with_taints
from gitops_ocm.plan.waves import needs, waves
from gitops_ocm.sync.events import Listener, of_change
from gitops_ocm.sync.hub import Hub
from gitops_ocm.sync.marks import commit_of, live_of, marked
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.reading import live_object


@dataclass
class Execution:
    """What came of a plan so far."""

    applied: set[Ref] = field(default_factory=set)
    untouched: set[Ref] = field(default_factory=set)
    """Applied without changing anything: the hub merely writes a value differently from Git."""
    pruned: set[Ref] = field(default_factory=set)
    refused: set[Ref] = field(default_factory=set)
    waiting: dict[Ref, Change] = field(default_factory=dict)
    missing_namespaces: set[str] = field(default_factory=set)
    missing_kinds: bool = False
    retry: set[Ref] = field(default_factory=set)
    held_back: int = 0
    problems: list[Diagnostic] = field(default_factory=list)
    foreign: dict[Ref, Diagnostic] = field(default_factory=dict)
    """What another HubSync has; it holds nothing else up."""
    cut_off: ApiError | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return not (self.problems or self.waiting or self.retry or self.held_back or self.cut_off)

    def failed(
        self, change: Change, error: ApiError, *, coming: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        """Note what an error means; `coming` as in `plan.failures.verdict`."""
        match verdict(change, error, coming=coming):
            case Verdict.CUT_OFF:
                self.cut_off = error
            case Verdict.WAIT:
                if namespace_missing(change, error):
                    self.missing_namespaces.add(change.ref.namespace)
                else:
                    self.missing_kinds = True
                self.waiting[change.ref] = change
            case Verdict.RETRY:
                self.retry.add(change.ref)
                self.problems.append(problem(change, error))
            case Verdict.REFUSED:
                self.refused.add(change.ref)
                self.problems.append(problem(change, error))

    def drifted(self, plan: ChangeSet) -> list[Change]:
        """What somebody changed on the hub; what is another HubSync's was never ours to lose."""
        none = self.untouched | self.foreign.keys()
        return [change for change in plan.notable if change.drift and change.ref not in none]

    def summary(self, plan: ChangeSet, before: Mapping[str, int] | None) -> Mapping[str, int]:
        """The counts of `HubSync.status.summary`; those of a pass that did nothing stay as they were."""
        objects = sum(1 for change in plan if change.wanted is not None)
        drifted = len(self.drifted(plan))
        changed = self.applied - self.untouched
        if not changed and not self.pruned and before is not None and before.get("objects") == objects:
            return {**before, "drifted": drifted} if drifted else before
        created = sum(1 for c in plan.notable if c.action is Action.CREATE and c.ref in changed)
        return {
            "objects": objects,
            "created": created,
            "configured": len(changed) - created,
            "pruned": len(self.pruned),
            "drifted": drifted,
        }


class Executor:
    """Sends one plan's applies to the hub."""

    def __init__(
        self,
        hub: Hub,
        observed: Observed,
        listener: Listener,
        namespace_exists: Callable[[str], bool | None],
        owner: str,
        concurrency: int,
    ) -> None:
        self._hub = hub
        self._observed = observed
        self._listener = listener
        self._namespace_exists = namespace_exists
        self._before: dict[Ref, str] = {}
        self._owner = owner
        self._concurrency = concurrency

    async def apply(self, plan: ChangeSet) -> Execution:
        """Every apply, wave by wave."""
        done = Execution()
        ordered = [wave for wave in waves(plan) if not wave.prunes]
        total = sum(map(len, ordered))
        for wave in ordered:
            if done.problems or done.retry or done.cut_off:
                done.held_back += len(wave)
                continue
            await self._apply_wave(wave.changes, plan, done, total)
        return done

    async def again(self, plan: ChangeSet, done: Execution) -> None:
        """Try once more what waits."""
        waiting = [done.waiting[ref] for ref in sorted(done.waiting)]
        done.waiting.clear()
        done.missing_namespaces.clear()
        if done.missing_kinds:
            done.missing_kinds = False
            await self._hub.mapper.refresh(force=True)
        for wave in waves(waiting):
            await self._apply_wave(wave.changes, plan, done, len(waiting))

    async def verified(self, plan: ChangeSet) -> ChangeSet:
        """The plan without drift that is none, where drift is only reported.

        An object seen for the first time may look drifted only because the hub writes a value
        differently. A dry run tells: an apply that would change nothing is no drift.
        """
        suspects = [c for c in plan.notable if c.reason is Reason.DRIFT_REPORTED and c.live is not None]
        cleared = {change.ref for change in suspects if await self._as_in_git(change)}
        if not cleared:
            return plan
        changes = (
            replace(c, action=Action.UNCHANGED, reason=Reason.SAME) if c.ref in cleared else c for c in plan
        )
        return ChangeSet(plan.commit, tuple(changes), plan.diagnostics, plan.guard)

    async def _as_in_git(self, change: Change) -> bool:
        assert change.wanted is not None
        assert change.live is not None
        ref = change.ref
        resource = await self._hub.mapper.resource_of(ref.of, change.version)
        if resource is None:
            return False
        fragment = marked(change.wanted, owner=self._owner, commit=change.live.commit)
        try:
            live = await self._hub.cluster.get(resource, ref.namespace, ref.name)
            after = await self._hub.cluster.patch(
                resource,
                ref.namespace,
                ref.name,
                fragment,
                type=PatchType.APPLY,
                field_manager=self._hub.manager,
                force=True,
                dry_run=True,
            )
        except ApiError as error:
            if error.transient:
                raise
            return False
        if differences(without_noise(live), without_noise(after)):
            return False
        self._observed.applied(live)
        return True

    async def _apply_wave(
        self, changes: Sequence[Change], plan: ChangeSet, done: Execution, total: int
    ) -> None:
        coming = _kinds_coming(plan)
        by_write: dict[int, Change] = {}
        writes: list[Write] = []
        contested: list[tuple[Change, Apply, ApiError]] = []
        for change in changes:
            fragment = await self._fragment(change, plan.commit, done, coming)
            if fragment is not None:
                proven = change.live is not None and change.live.ours
                writes.append(Apply(fragment, force=change.force and proven))
                by_write[id(writes[-1])] = change

        def on_result(result: Result) -> None:
            change, write = by_write[id(result.write)], result.write
            if result.error is not None and isinstance(write, Apply) and field_conflicts(result.error):
                contested.append((change, write, result.error))
            else:
                self._on_applied(change, result, done, coming, total)

        await self._hub.committer.write_many(writes, concurrency=self._concurrency, on_result=on_result)
        for change, write, error in contested:
            await self._settle(change, write, error, done, total)

    async def _fragment(
        self, change: Change, commit: str, done: Execution, coming: frozenset[tuple[str, str]]
    ) -> Object | None:
        """What to apply; None for what has to wait, and for what could not be looked at."""
        if self._gated(change, done):
            done.missing_namespaces.add(change.ref.namespace)
            done.waiting[change.ref] = change
            return None
        assert change.wanted is not None
        if change.reason is Reason.DRIFTED:
            self._before[change.ref] = self._observed.version(change.ref)
        fragment = marked(change.wanted, owner=self._owner, commit=commit_of(change, commit))
        if not has_taints(fragment) and not (change.live is not None and change.live.taints):
            return fragment
        try:
            live = await self._live(change)
            if live is not None:
                await self._leave_taints(change, fragment, live)
            return with_live_taints(fragment, live)
        except ApiError as error:
            done.failed(change, error, coming=coming)
            return None

    async def _leave_taints(self, change: Change, fragment: Object, live: Object) -> None:
        """Take Git's last taints off a cluster whose list the hub's controller holds as well."""
        left = left_of(fragment, live, self._hub.manager)
        if left is None:
            return
        body = with_taints(live, left)
        result = await self._hub.committer.write(MergePatch(change.ref, body, version=change.version))
        if result.error is not None:
            raise result.error

    def _gated(self, change: Change, done: Execution) -> bool:
        """Whether the object's namespace is known not to be there, so that asking would be in vain."""
        gate = needs(change.ref)
        if gate is None or gate in done.applied:
            return False
        name = change.ref.namespace
        return name in done.missing_namespaces or self._namespace_exists(name) is False

    def _on_applied(
        self,
        change: Change,
        result: Result,
        done: Execution,
        coming: frozenset[tuple[str, str]],
        total: int,
    ) -> None:
        if result.error is not None:
            done.failed(change, result.error, coming=coming)
            return
        assert result.obj is not None
        done.applied.add(change.ref)
        if result.obj["metadata"].get("resourceVersion") == self._before.get(change.ref):
            done.untouched.add(change.ref)
        self._observed.applied(result.obj)
        self._listener(of_change(change, done=len(done.applied), total=total))

    async def _settle(
        self, change: Change, write: Apply, error: ApiError, done: Execution, total: int
    ) -> None:
        """Somebody else holds fields of the object: look whose it is, and take them over if we may."""
        assert change.wanted is not None
        try:
            obj = await self._live(change)
        except ApiError as reading:
            done.failed(change, reading)
            return
        live = live_of(obj or {}, self._owner, in_sync=False)
        if live.owner not in ("", self._owner):
            done.foreign[change.ref] = owned_by_another(
                change.ref, change.wanted.origin, live.owner, live.path
            )
        elif change.force and obj is not None:
            # Exactly what was looked at: whoever claims it meanwhile has it.
            seen = {key: obj["metadata"][key] for key in ("uid", "resourceVersion")}
            fragment = {**write.obj, "metadata": {**write.obj["metadata"], **seen}}
            result = await self._hub.committer.write(Apply(fragment, force=True))
            self._on_applied(change, result, done, frozenset(), total)
        else:
            done.failed(change, error)

    async def _live(self, change: Change) -> Object | None:
        return await live_object(self._hub.cluster, self._hub.mapper, change.ref, change.version)


def _kinds_coming(changes: Iterable[Change]) -> frozenset[tuple[str, str]]:
    """(group, kind) of what the plan's CustomResourceDefinitions will serve."""
    found = set()
    for change in changes:
        if change.ref.kind == "CustomResourceDefinition" and change.wanted is not None:
            spec = change.wanted.obj.get("spec") or {}
            found.add((str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))))
    return frozenset(found)
