"""Carrying a plan out: waves of writes, and what came of each.

`Execution` collects; `Executor` sends. An error never stops the other objects of its wave; objects in
later waves are held back until it is put right, because they may stand on what failed. An object whose
namespace is still coming waits alone. What the results mean for the inventory is `plan.outcome`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_ocm.api.fleet import SYNC_FIELD_MANAGER, SYNC_NAME_LABEL
from gitops_ocm.decide.contract import Apply, Delete, Result, Write
from gitops_ocm.errors import Diagnostic
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import CONCURRENCY, Committer
from gitops_ocm.objects.diff import differences, without_noise
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ownership import fields_owned_by
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Reason
from gitops_ocm.plan.waves import Wave, needs, waves
from gitops_ocm.sync.events import Level, Listener, Phase, SyncEvent, of_change
from gitops_ocm.sync.failures import Verdict, namespace_missing, problem, verdict
from gitops_ocm.sync.marks import commit_of, marked
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.reading import live_object
from gitops_ocm.sync.taints import has_taints, with_live_taints


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
    cut_off: ApiError | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return not (self.problems or self.waiting or self.retry or self.held_back or self.cut_off)

    def summary(self, plan: ChangeSet, before: Mapping[str, int] | None) -> Mapping[str, int]:
        """The counts of `HubSync.status.summary`; those of a pass that did nothing stay as they were."""
        objects = sum(1 for change in plan if change.wanted is not None)
        drifted = sum(1 for change in plan if change.drift and change.ref not in self.untouched)
        changed = self.applied - self.untouched
        if not changed and not self.pruned and before is not None and before.get("objects") == objects:
            return {**before, "drifted": drifted} if drifted else before
        created = sum(1 for c in plan if c.action is Action.CREATE and c.ref in changed)
        return {
            "objects": objects,
            "created": created,
            "configured": len(changed) - created,
            "pruned": len(self.pruned),
            "drifted": drifted,
        }


class Executor:
    """Sends one plan's writes to the hub."""

    def __init__(
        self,
        committer: Committer,
        cluster: Cluster,
        mapper: Mapper,
        observed: Observed,
        listener: Listener,
        namespace_exists: Callable[[str], bool | None],
        *,
        owner: str,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._committer = committer
        self._cluster = cluster
        self._mapper = mapper
        self._observed = observed
        self._listener = listener
        self._namespace_exists = namespace_exists
        self._before: dict[Ref, str] = {}
        self._owner = owner
        self._concurrency = concurrency

    async def apply(self, plan: ChangeSet) -> Execution:
        """Everything but the deletions."""
        done = Execution()
        ordered = [wave for wave in waves(plan) if not wave.prunes]
        total = sum(map(len, ordered))
        for wave in ordered:
            if done.problems or done.retry or done.cut_off:
                done.held_back += len(wave)
                continue
            await self._apply_wave(wave.changes, plan, done, total)
        return done

    async def verified(self, plan: ChangeSet) -> ChangeSet:
        """The plan without drift that is none, where drift is only reported.

        An object seen for the first time may look drifted only because the hub writes a value
        differently. A dry run tells: an apply that would change nothing is no drift.
        """
        suspects = [c for c in plan if c.reason is Reason.DRIFT_REPORTED and c.live is not None]
        cleared = {change.ref for change in suspects if await self._as_in_git(change)}
        if not cleared:
            return plan
        changes = (
            replace(c, action=Action.UNCHANGED, reason=Reason.SAME) if c.ref in cleared else c for c in plan
        )
        return ChangeSet(plan.commit, tuple(changes), plan.diagnostics)

    async def _as_in_git(self, change: Change) -> bool:
        assert change.wanted is not None
        assert change.live is not None
        ref = change.ref
        resource = await self._mapper.resource_of(ref.of, change.version)
        if resource is None:
            return False
        fragment = marked(change.wanted, owner=self._owner, commit=change.live.commit)
        try:
            live = await self._cluster.get(resource, ref.namespace, ref.name)
            after = await self._cluster.patch(
                resource,
                ref.namespace,
                ref.name,
                fragment,
                type=PatchType.APPLY,
                field_manager=SYNC_FIELD_MANAGER,
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

    async def again(self, plan: ChangeSet, done: Execution) -> None:
        """Try once more what waits."""
        waiting = [done.waiting[ref] for ref in sorted(done.waiting)]
        done.waiting.clear()
        done.missing_namespaces.clear()
        if done.missing_kinds:
            done.missing_kinds = False
            await self._mapper.refresh(force=True)
        for wave in waves(waiting):
            await self._apply_wave(wave.changes, plan, done, len(waiting))

    async def prune(self, plan: ChangeSet, done: Execution) -> None:
        """The deletions, last wave first."""
        ordered = [wave for wave in waves(plan) if wave.prunes]
        total = sum(map(len, ordered))
        for wave in ordered:
            if done.cut_off:
                done.held_back += len(wave)
                continue
            await self._prune_wave(wave, done, total)

    async def _apply_wave(
        self, changes: Sequence[Change], plan: ChangeSet, done: Execution, total: int
    ) -> None:
        coming = _kinds_coming(plan)
        writes: list[Write] = []
        by_write: dict[int, Change] = {}
        for change in changes:
            if self._gated(change, done):
                done.missing_namespaces.add(change.ref.namespace)
                done.waiting[change.ref] = change
                continue
            assert change.wanted is not None
            if change.reason is Reason.DRIFTED:
                self._before[change.ref] = self._observed.version(change.ref)
            fragment = marked(change.wanted, owner=self._owner, commit=commit_of(change, plan.commit))
            if has_taints(fragment):
                try:
                    fragment = with_live_taints(fragment, await self._live(change))
                except ApiError as error:
                    self._on_error(change, error, done, coming)
                    continue
            writes.append(Apply(fragment, force=change.force))
            by_write[id(writes[-1])] = change

        def on_result(result: Result) -> None:
            self._on_applied(by_write[id(result.write)], result, done, coming, total)

        await self._committer.write_many(writes, concurrency=self._concurrency, on_result=on_result)

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
            self._on_error(change, result.error, done, coming)
            return
        assert result.obj is not None
        done.applied.add(change.ref)
        if result.obj["metadata"].get("resourceVersion") == self._before.get(change.ref):
            done.untouched.add(change.ref)
        self._observed.applied(result.obj)
        self._listener(of_change(change, done=len(done.applied), total=total))

    def _on_error(
        self, change: Change, error: ApiError, done: Execution, coming: frozenset[tuple[str, str]]
    ) -> None:
        match verdict(change, error, coming=coming):
            case Verdict.CUT_OFF:
                done.cut_off = error
            case Verdict.WAIT:
                if namespace_missing(change, error):
                    done.missing_namespaces.add(change.ref.namespace)
                else:
                    done.missing_kinds = True
                done.waiting[change.ref] = change
            case Verdict.RETRY:
                done.retry.add(change.ref)
                done.problems.append(problem(change, error))
            case Verdict.REFUSED:
                done.refused.add(change.ref)
                done.problems.append(problem(change, error))

    async def _prune_wave(self, wave: Wave, done: Execution, total: int) -> None:
        writes: list[Write] = []
        by_write: dict[int, Change] = {}
        for change in wave.changes:
            uid = change.live.uid if change.live else await self._uid_if_ours(change, done)
            if uid is None:
                continue
            writes.append(Delete(change.ref, uid=uid, version=change.version))
            by_write[id(writes[-1])] = change

        def on_result(result: Result) -> None:
            change = by_write[id(result.write)]
            error = result.error
            if error is not None and error.reason != "NotFound":
                self._on_error(change, error, done, frozenset())
                return
            done.pruned.add(change.ref)
            self._observed.deleted(change.ref)
            self._listener(of_change(change, done=len(done.pruned), total=total))

        await self._committer.write_many(writes, concurrency=self._concurrency, on_result=on_result)

    async def _live(self, change: Change) -> Object | None:
        return await live_object(self._cluster, self._mapper, change.ref, change.version)

    async def _uid_if_ours(self, change: Change, done: Execution) -> str | None:
        """The uid of an object that no longer carries our label, when it is nevertheless ours to delete.

        It is when our fields are still on it and no other HubSync has claimed it. Otherwise it is left alone
        and forgotten: an inventory entry is a claim, the object is the evidence.
        """
        ref = change.ref
        try:
            obj = await self._live(change)
        except ApiError as error:
            self._on_error(change, error, done, frozenset())
            return None
        if obj is not None:
            meta = obj["metadata"]
            owner = (meta.get("labels") or {}).get(SYNC_NAME_LABEL, self._owner)
            if owner == self._owner and fields_owned_by(obj, SYNC_FIELD_MANAGER):
                return str(meta.get("uid", ""))
            text = f"{ref} left Git and is not ours any more: it is left alone"
            self._listener(SyncEvent(Phase.PRUNE, text, Level.WARNING))
        done.pruned.add(ref)
        return None


def _kinds_coming(changes: Iterable[Change]) -> frozenset[tuple[str, str]]:
    """(group, kind) of what the plan's CustomResourceDefinitions will serve."""
    found = set()
    for change in changes:
        if change.ref.kind == "CustomResourceDefinition" and change.wanted is not None:
            spec = change.wanted.obj.get("spec") or {}
            found.add((str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))))
    return frozenset(found)
