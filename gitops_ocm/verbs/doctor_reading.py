"""Reads what `doctor` looks at: page by page, cut to what is judged, and ready to be refused.

A kind that may not be listed is said to be unseen, and everything else goes on. Nothing is ever written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from gitops_ocm.decide.diagnosis.evidence import Objects
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Resource

PAGE = 500
_AT_ONCE = 4
_TRIES = 2


@dataclass(frozen=True)
class Ask:
    """One list: a kind, where, and which of its objects are kept (`keep`), in which form (`trim`)."""

    kind: Kind
    namespace: str = ""
    labels: str = ""
    name: str = ""
    keep: Callable[[Object], bool] | None = None
    trim: Callable[[Object], Object] | None = None

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind.kind}s{where}" if not self.name else f"{self.kind.kind} {self.name}{where}"


@dataclass
class Reader:
    """One API server, read with few requests at a time. `unseen` collects what could not be read."""

    cluster: Cluster
    side: str
    unseen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.served = Mapper(self.cluster)
        self._stranger: ApiError | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def objects(self, asks: Iterable[Ask]) -> Objects:
        """Everything asked for. A kind is seen if every ask for it was answered.

        Who is not known to the server at all sees nothing: that is raised.
        """
        asks = list(asks)
        answers = await asyncio.gather(*(self._answer(ask) for ask in asks))
        if self._stranger is not None:
            raise self._stranger
        kinds: dict[Kind, list[Object]] = {}
        refused: dict[Kind, str] = {}
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, str):
                refused[ask.kind] = answer
            elif answer is not None:
                kinds.setdefault(ask.kind, []).extend(answer)
        seen = {
            kind: sorted(
                _once(found), key=lambda o: (o["metadata"].get("namespace") or "", o["metadata"]["name"])
            )
            for kind, found in kinds.items()
            if kind not in refused
        }
        return Objects(seen, refused)

    async def _answer(self, ask: Ask) -> list[Object] | str | None:
        """The objects, None where the kind is not served, or why it could not be read."""
        resource = await self.served.resource_of(ask.kind)
        if resource is None:
            return None
        try:
            async with self._turns:
                return await self._pages(ask, resource)
        except ApiError as error:
            if error.http_code == 404:
                return None
            if error.http_code == 401:
                self._stranger = error
            self.unseen[f"{ask} ({self.side})"] = error.message
            return error.message
        except Unreachable as error:
            self.unseen[f"{ask} ({self.side})"] = error.message
            return error.message

    async def _pages(self, ask: Ask, resource: Resource) -> list[Object]:
        for left in reversed(range(_TRIES)):
            try:
                return [obj async for page in self._each(ask, resource) for obj in page]
            except ApiError as error:
                # The list took so long that the server forgot where it was: once more from the start.
                if error.http_code != 410 or not left:
                    raise
        raise AssertionError("unreachable")

    async def _each(self, ask: Ask, resource: Resource) -> AsyncIterator[list[Object]]:
        more = ""
        while True:
            page = await self.cluster.list(
                resource,
                ask.namespace,
                label_selector=ask.labels,
                field_selector=f"metadata.name={ask.name}" if ask.name else "",
                limit=PAGE,
                continue_token=more,
            )
            typed = (
                {**item, "apiVersion": resource.api_version, "kind": resource.kind} for item in page.items
            )
            trim = ask.trim or trimmed
            yield [trim(obj) for obj in typed if ask.keep is None or ask.keep(obj)]
            more = page.continue_token
            if not more:
                return


def _once(objects: Iterable[Object]) -> list[Object]:
    """Overlapping asks may find an object twice."""
    found = {(o["metadata"].get("namespace"), o["metadata"]["name"]): o for o in objects}
    return list(found.values())


def trimmed(obj: Object) -> Object:
    """Without the fields that each manager holds: only when they wrote is kept."""
    meta = obj["metadata"]
    fields = [
        {k: v for k, v in entry.items() if k != "fieldsV1"} for entry in meta.get("managedFields") or ()
    ]
    return {**obj, "metadata": {**meta, "managedFields": fields}}


def without_addresses(cluster: Object) -> Object:
    """A ManagedCluster without the ways to reach it: their certificates are the most of one."""
    spec = {k: v for k, v in (cluster.get("spec") or {}).items() if k != "managedClusterClientConfigs"}
    return {**trimmed(cluster), "spec": spec}


def without_spec(obj: Object) -> Object:
    """Without what is wanted either: the manifests of a work may be large, and secret."""
    return {key: value for key, value in trimmed(obj).items() if key != "spec"}
