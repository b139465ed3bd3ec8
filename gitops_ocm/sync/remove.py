"""What leaves Git: deleted, or let go of. The other half of `sync.execute`.

A deletion names the object as it was last seen (uid and resourceVersion). If it has changed since, it is
looked at again: what is not proven ours any more is left alone, whatever the plan said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gitops_ocm.decide.contract import Delete, MergePatch, Result, Write
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.plan.changes import Action, Change, ChangeSet, Live
from gitops_ocm.plan.waves import waves
from gitops_ocm.sync.events import Level, Listener, Phase, SyncEvent, of_change
from gitops_ocm.sync.execute import Execution
from gitops_ocm.sync.hub import Hub
from gitops_ocm.sync.marks import live_of, unmarked
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.reading import live_object

_TRIES = 3
"""So often an object that keeps changing is looked at again within one pass."""

Make = Callable[[Change, Live, str], Write]
"""The write for a change, the object as it was seen, and its resourceVersion then."""


class Remover:
    """Carries out a plan's deletions and releases."""

    def __init__(
        self,
        hub: Hub,
        observed: Observed,
        listener: Listener,
        owner: str,
        concurrency: int,
    ) -> None:
        self._hub = hub
        self._observed = observed
        self._listener = listener
        self._owner = owner
        self._concurrency = concurrency

    async def remove(self, plan: ChangeSet, done: Execution) -> None:
        """Release what is to stay, then delete the rest, last wave first."""
        released = [c for c in plan.notable if c.action is Action.RELEASE]
        await self._each(released, _release, done, len(released))
        ordered = [wave for wave in waves(plan) if wave.prunes]
        total = sum(map(len, ordered))
        for wave in ordered:
            if done.cut_off:
                done.held_back += len(wave)
            else:
                await self._each(wave.changes, _delete, done, total)

    async def _each(self, changes: Iterable[Change], make: Make, done: Execution, total: int) -> None:
        """Write for each of `changes`; what has changed meanwhile is looked at again."""
        there = self._there(changes, done)
        asked = [(change, self._observed[change.ref], self._observed.version(change.ref)) for change in there]
        moved: list[tuple[Change, ApiError]] = []
        for _ in range(_TRIES):
            moved = await self._round(asked, make, done, total)
            again = [(change, await self._again(change, done)) for change, _ in moved]
            asked = [(change, *seen) for change, seen in again if seen is not None]
        for change, error in moved:
            if any(change is left for left, *_ in asked):
                done.failed(change, error)

    async def _round(
        self, asked: Sequence[tuple[Change, Live, str]], make: Make, done: Execution, total: int
    ) -> list[tuple[Change, ApiError]]:
        """Write once for each object as it was seen; those that were not so any more."""
        moved: list[tuple[Change, ApiError]] = []
        by_write: dict[int, Change] = {}
        writes: list[Write] = []
        for change, live, version in asked:
            writes.append(make(change, live, version))
            by_write[id(writes[-1])] = change

        def on_result(result: Result) -> None:
            change, error = by_write[id(result.write)], result.error
            if error is None or error.reason == "NotFound":
                self._on_removed(change, done, total)
            elif error.reason == "Conflict":
                moved.append((change, error))
            else:
                done.failed(change, error)

        await self._hub.committer.write_many(writes, concurrency=self._concurrency, on_result=on_result)
        return moved

    def _there(self, changes: Iterable[Change], done: Execution) -> Iterator[Change]:
        """Those that are still ours, as far as the watches have told."""
        for change in changes:
            if change.ref in self._observed:
                yield change
            else:
                done.pruned.add(change.ref)

    def _on_removed(self, change: Change, done: Execution, total: int) -> None:
        self._observed.deleted(change.ref)
        if change.action is Action.PRUNE:
            done.pruned.add(change.ref)
            self._listener(of_change(change, done=len(done.pruned), total=total))
        else:
            text = f"{change.ref}: {change.reason}; it stays, and is not ours any more"
            self._listener(SyncEvent(Phase.PRUNE, text))

    async def _again(self, change: Change, done: Execution) -> tuple[Live, str] | None:
        """The object as it is now with its version, if it is still ours to remove."""
        ref = change.ref
        try:
            obj = await live_object(self._hub.cluster, self._hub.mapper, ref, change.version)
        except ApiError as error:
            done.failed(change, error)
            return None
        live = live_of(obj or {}, self._owner, in_sync=True)
        stays = live.prune_disabled and change.action is Action.PRUNE
        if obj is not None and live.ours and not live.terminating and not stays:
            return live, str(obj["metadata"].get("resourceVersion", ""))
        if obj is not None and not live.terminating and change.action is Action.PRUNE:
            text = f"{ref} left Git, but has changed on the hub: it is left alone"
            self._listener(SyncEvent(Phase.PRUNE, text, Level.WARNING))
        done.pruned.add(ref)
        return None


def _delete(change: Change, live: Live, version: str) -> Write:
    return Delete(change.ref, uid=live.uid, resource_version=version, version=change.version)


def _release(change: Change, live: Live, version: str) -> Write:
    return MergePatch(change.ref, unmarked(live, version), version=change.version)
