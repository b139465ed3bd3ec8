"""Carrying out writes: the one place that changes anything on an API server.

`decide` and `sync` say what is to be written (`decide.contract.Write`); here it becomes requests and
each comes back as a `Result`. What an error means is decided by the caller. Events go their own,
best-effort way: `live.events`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.decide.contract import (
    Apply,
    Create,
    Delete,
    Emit,
    MergePatch,
    Result,
    Side,
    Update,
    Write,
)
from gitops_ocm.kube.cluster import Cluster, PatchType, Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.events import Recorder
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Resource, ref_of, split_api_version
from gitops_ocm.runtime.metrics import writes as counted

CONCURRENCY = 32
_NAME_TRIES = 3


class Committer:
    """Writes to the clusters it was given, under one field manager unless a write names another."""

    def __init__(
        self,
        clusters: Mapping[Side, Cluster],
        mappers: Mapping[Side, Mapper],
        *,
        field_manager: str,
        recorders: Mapping[Side, Recorder] | None = None,
        dry_run: bool = False,
    ) -> None:
        self._clusters = clusters
        self._mappers = mappers
        self._field_manager = field_manager
        self._recorders = recorders or {}
        self._dry_run = dry_run

    async def write(self, write: Write) -> Result:
        """One write. `Unreachable` is raised, for then nothing is known of what was done."""
        try:
            obj = await self._write(write)
        except ApiError as error:
            counted(type(write).__name__, error.reason).inc()
            return Result(write, error=error)
        counted(type(write).__name__, "OK").inc()
        return Result(write, obj)

    async def write_all(self, writes: Iterable[Write], *, keep_going: bool = False) -> list[Result]:
        """Writes in order; the first error is the last result, unless `keep_going`."""
        results: list[Result] = []
        for write in writes:
            result = await self.write(write)
            results.append(result)
            if not result.ok and not keep_going:
                break
        return results

    async def write_many(
        self,
        writes: Sequence[Write],
        *,
        concurrency: int = CONCURRENCY,
        on_result: Callable[[Result], None] | None = None,
    ) -> list[Result]:
        """Independent writes side by side, each tried once; results in the order of `writes`.

        When the server cannot be reached the rest is not tried: those results carry a transient
        `ServiceUnavailable` whose `__cause__` is the `Unreachable`.
        """
        results: list[Result | None] = [None] * len(writes)
        pending = iter(enumerate(writes))
        gone: ApiError | None = None

        async def worker() -> None:
            nonlocal gone
            for index, write in pending:
                if gone is None:
                    try:
                        result = await self.write(write)
                    except Unreachable as error:
                        gone = _unavailable(error)
                        result = Result(write, error=gone)
                else:
                    result = Result(write, error=gone)
                results[index] = result
                if on_result is not None:
                    on_result(result)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(writes))):
                group.create_task(worker())
        return [r for r in results if r is not None]

    async def _write(self, write: Write) -> Object | None:
        match write:
            case Apply():
                return await self._apply(write)
            case MergePatch():
                resource = await self._resource(write.side, write.ref.of, write.version)
                return await self._clusters[write.side].patch(
                    resource,
                    write.ref.namespace,
                    write.ref.name,
                    write.body,
                    type=PatchType.MERGE,
                    subresource=write.subresource,
                    field_manager=self._field_manager,
                    dry_run=self._dry_run,
                )
            case Create():
                return await self._create(write)
            case Update():
                resource = await self._resource_of(write.side, write.obj)
                return await self._clusters[write.side].update(
                    resource,
                    write.obj,
                    subresource=write.subresource,
                    field_manager=self._field_manager,
                    dry_run=self._dry_run,
                )
            case Delete():
                return await self._delete(write)
            case Emit():
                if recorder := self._recorders.get(write.side):
                    recorder.emit(write)
                return None

    async def _apply(self, write: Apply) -> Object:
        ref = ref_of(write.obj)
        resource = await self._resource_of(write.side, write.obj)
        return await self._clusters[write.side].patch(
            resource,
            ref.namespace,
            ref.name,
            write.obj,
            type=PatchType.APPLY,
            subresource=write.subresource,
            field_manager=write.manager or self._field_manager,
            force=write.force,
            dry_run=self._dry_run,
        )

    async def _create(self, write: Create) -> Object:
        resource = await self._resource_of(write.side, write.obj)
        if write.rehearsed_by:
            return await self._clusters[write.side].rehearse(resource, write.obj, write.rehearsed_by)
        generated = not write.obj["metadata"].get("name")
        for tries_left in reversed(range(_NAME_TRIES if generated else 1)):
            try:
                return await self._clusters[write.side].create(
                    resource, write.obj, field_manager=self._field_manager, dry_run=self._dry_run
                )
            except ApiError as error:
                # The server made a name that was taken: it will make another.
                if error.reason != "AlreadyExists" or not tries_left:
                    raise
        raise AssertionError("unreachable")

    async def _delete(self, write: Delete) -> Object | None:
        resource = await self._resource(write.side, write.ref.of, write.version)
        try:
            return await self._clusters[write.side].delete(
                resource,
                write.ref.namespace,
                write.ref.name,
                propagation=write.propagation.value,
                uid=write.uid,
                resource_version=write.resource_version,
                dry_run=self._dry_run,
            )
        except ApiError as error:
            if error.http_code == 404:
                return None
            raise

    async def _resource_of(self, side: Side, obj: Mapping[str, Any]) -> Resource:
        group, version = split_api_version(str(obj.get("apiVersion", "")))
        return await self._resource(side, Kind(group, str(obj.get("kind", ""))), version)

    async def _resource(self, side: Side, kind: Kind, version: str) -> Resource:
        mapper = self._mappers[side]
        found = mapper.known_of(kind, version) or await mapper.resource_of(kind, version)
        if found is None:
            at = f" at version {version}" if version else ""
            raise ApiError(
                "NotFound",
                f"the server does not serve {kind}{at}",
                details={"group": kind.group, "kind": kind.kind},
                hint="Install its CustomResourceDefinition first, or correct apiVersion and kind.",
            )
        return found


def _unavailable(error: Unreachable) -> ApiError:
    made = ApiError("ServiceUnavailable", error.message, hint=error.hint)
    made.__cause__ = error
    return made
