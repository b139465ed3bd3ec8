"""The hub against Git, field by field, as a server-side apply would change it; nothing is written.

The hub itself says what an apply would give (dry run), so defaulting, normalising and other managers'
fields are not shown as differences; it is not asked about what it has word for word. What left Git is found
as the sync finds it: by label, in the kinds of the inventory. What is secret, a Secret inside of a work too,
shows as changed and no more (`objects.reviewed`). Exit status as `kubectl diff`: `DiffResult.exit_status` is
0 for none, 1 for differences, more for trouble.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from gitops_ocm.api.fleet import COMMIT_ANNOTATION, DIGEST_ANNOTATION, SYNC_NAME_LABEL, sync_field_manager
from gitops_ocm.errors import Diagnostic
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.commit import CONCURRENCY
from gitops_ocm.objects.diff import Difference, covers, without_noise
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of, split_api_version
from gitops_ocm.objects.reviewed import differing
from gitops_ocm.plan.changes import Action, Change, ChangeSet, PruneGuard
from gitops_ocm.plan.compute import compute
from gitops_ocm.plan.failures import namespace_missing, problem
from gitops_ocm.plan.inventory import Inventory
from gitops_ocm.plan.taints import left_of, with_live_taints
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.plan.waves import waves
from gitops_ocm.sync.marks import live_of, marked
from gitops_ocm.sync.reading import live_object
from gitops_ocm.sync.spec import SyncSpec

PAGE = 500
"""Objects in one answer to a list."""
FEW = 50
"""So many objects of a kind and a namespace are asked for one by one."""
_NAMED_ABOVE = frozenset({"apiVersion", "kind", "metadata"})

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True)
class ObjectDiff:
    """One object that an apply would create, change or delete, and in which fields."""

    change: Change
    fields: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class DiffResult:
    """All differences, in the order they would be applied, and what could not be compared."""

    commit: str
    objects: tuple[ObjectDiff, ...]
    problems: tuple[Diagnostic, ...] = ()

    @property
    def exit_status(self) -> int:
        """0: none, 1: differences, 2: trouble."""
        if self.problems:
            return 2
        return 1 if self.objects else 0


async def diff(
    cluster: Cluster,
    mapper: Mapper,
    wanted: Sequence[Wanted],
    inventory: Inventory,
    *,
    spec: SyncSpec,
    commit: str,
    guard: PruneGuard | None = None,
    in_force: str = "",
    concurrency: int = CONCURRENCY,
) -> DiffResult:
    """What a sync of `wanted` would change on the hub now; `inventory`, `guard` and the commit `in_force` as
    recorded: what that has and the hub has not was deleted there.
    """
    versions = {item.ref: split_api_version(item.obj.get("apiVersion", ""))[1] for item in wanted}
    kinds = {kind: entry.version for kind, entry in inventory.items()}
    kinds.update({ref.of: version for ref, version in versions.items()})
    seen = _Hub(cluster, mapper, spec.name, concurrency)
    live = await seen.labelled(kinds)
    live.update(await seen.read({ref: version for ref, version in versions.items() if ref not in live}))
    known = {ref: live_of(obj, spec.name, in_sync=False) for ref, obj in live.items()}
    plan = compute(
        wanted,
        known,
        owner=spec.name,
        commit=commit,
        policy=spec.policy,
        in_force={item.ref: item for item in wanted} if commit == in_force else {},
        guard=guard,
    )
    return await seen.compare(plan, live)


class _Hub:
    """Reads and dry runs, side by side."""

    def __init__(self, cluster: Cluster, mapper: Mapper, owner: str, concurrency: int) -> None:
        self._cluster = cluster
        self._mapper = mapper
        self._owner = owner
        self._limit = asyncio.Semaphore(concurrency)

    async def labelled(self, kinds: dict[Kind, str]) -> dict[Ref, Object]:
        """The objects of these kinds that carry the HubSync's label."""
        found = await self._each(sorted(kinds), lambda kind: self._list(kind, kinds[kind]))
        return {ref_of(obj): obj for _, objects in found for obj in objects}

    async def read(self, versions: dict[Ref, str]) -> dict[Ref, Object]:
        """Those of the objects that are there; of many in one place the place is listed."""
        places: dict[tuple[Kind, str], dict[Ref, str]] = {}
        for ref, version in sorted(versions.items()):
            places.setdefault((ref.of, ref.namespace), {})[ref] = version
        single = {ref: v for each in places.values() if len(each) <= FEW for ref, v in each.items()}
        listed = sorted(place for place, each in places.items() if len(each) > FEW)
        found = dict(await self._each(single, lambda ref: self._get(ref, single[ref])))
        for (kind, namespace), objects in await self._each(
            listed, lambda place: self._list(place[0], min(places[place].values()), place[1])
        ):
            found |= {ref_of(obj): obj for obj in objects if ref_of(obj) in places[kind, namespace]}
        return {ref: obj for ref, obj in found.items() if obj is not None}

    async def compare(self, plan: ChangeSet, live: dict[Ref, Object]) -> DiffResult:
        """Every change of the plan that would be seen."""
        ordered = [change for wave in waves(plan) for change in wave.changes]
        coming = {c.ref for c in ordered if c.applies}
        answers = await self._each(
            ordered, lambda change: self._compare(change, live.get(change.ref), coming)
        )
        objects = [answer for _, answer in answers if isinstance(answer, ObjectDiff)]
        problems = [answer for _, answer in answers if isinstance(answer, Diagnostic)]
        return DiffResult(plan.commit, tuple(objects), (*plan.diagnostics, *problems))

    async def _list(self, kind: Kind, version: str, namespace: str | None = None) -> list[Object]:
        """A kind's objects: those of a namespace, or without one those that carry the HubSync's label."""
        resource = await self._mapper.resource_of(kind, version) or await self._mapper.resource_of(kind)
        objects: list[Object] = []
        token = ""
        while resource is not None:
            page = await self._cluster.list(
                resource,
                namespace or "",
                label_selector=f"{SYNC_NAME_LABEL}={self._owner}" if namespace is None else "",
                limit=PAGE,
                continue_token=token,
            )
            objects += page.items
            token = page.continue_token
            if not token:
                break
        return objects

    async def _get(self, ref: Ref, version: str) -> Object | None:
        return await live_object(self._cluster, self._mapper, ref, version)

    async def _compare(
        self, change: Change, live: Object | None, coming: set[Ref]
    ) -> ObjectDiff | Diagnostic | None:
        if change.action is Action.PRUNE:
            return ObjectDiff(change) if live is not None else None
        assert change.wanted is not None
        # Provenance is no difference: an object's commit changes only when its content does.
        commit = change.live.commit if change.live else ""
        fragment = with_live_taints(marked(change.wanted, owner=self._owner, commit=commit or "0" * 40), live)
        left = left_of(fragment, live or {}, sync_field_manager(self._owner))
        if live is not None and left is None and covers(fragment, live):
            return None  # All of it is there, its digest too: an apply would say what the last one said.
        resource = await self._mapper.resource_of(change.ref.of, change.version)
        try:
            if resource is None:
                raise ApiError("NotFound", f"the hub does not serve {change.ref.of} at {change.version}")
            after = await self._cluster.patch(
                resource,
                change.ref.namespace,
                change.ref.name,
                fragment,
                type=PatchType.APPLY,
                field_manager=sync_field_manager(self._owner),
                force=change.force,
                dry_run=True,
            )
            if left is not None:
                spec = {key: value for key, value in after["spec"].items() if key != "taints"}
                after = {**after, "spec": spec | ({"taints": left} if left else {})}
        except ApiError as error:
            if not _still_coming(change, error, coming):
                return problem(change, error)
            after = change.wanted.obj
        fields = tuple(differing(_comparable(live) or {}, _comparable(after) or {}))
        if live is None:
            # What kind of object, and which, the line above its fields says already.
            fields = tuple(f for f in fields if f.path not in _NAMED_ABOVE)
        elif not fields:
            return None
        action = Action.CONFIGURE if live is not None else Action.CREATE
        return ObjectDiff(replace(change, action=action), fields)

    async def _each(self, items: Iterable[K], work: Callable[[K], Awaitable[T]]) -> list[tuple[K, T]]:
        async def one(item: K) -> tuple[K, T]:
            async with self._limit:
                return item, await work(item)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(item)) for item in items]
        except BaseExceptionGroup as errors:  # all for one reason: the hub is away, or does not let us
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]


def _still_coming(change: Change, error: ApiError, coming: set[Ref]) -> bool:
    """Whether the same plan, or the hub, brings what the dry run found missing."""
    if namespace_missing(change, error):
        return True
    return error.reason == "NotFound" and any(ref.kind == "CustomResourceDefinition" for ref in coming)


def _comparable(obj: Object | None) -> Object | None:
    """The object without what a server sets and without the marks that tell its content apart."""
    if obj is None:
        return None
    bare = without_noise(obj)
    notes = bare["metadata"].get("annotations") or {}
    told = {key: text for key, text in notes.items() if key not in (COMMIT_ANNOTATION, DIGEST_ANNOTATION)}
    if len(told) < len(notes):
        bare["metadata"] = {**bare["metadata"], "annotations": told}
    return bare
