"""One case's corner of both sides: names of its own, and how what is there is read.

Only the Kubernetes API is spoken. Hundreds of cases share one agent, so each has a name that no other has:
`$me` in any text of a case; `$ns` is the namespace on the managed cluster that all share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from tests.wire.programs import Agent

WORK = "work.open-cluster-management.io"
WORKS = Resource(WORK, "v1", "ManifestWork", "manifestworks", namespaced=True)
APPLIED_WORKS = Resource(WORK, "v1", "AppliedManifestWork", "appliedmanifestworks", namespaced=False)
SOMEBODY = "somebody-else"


@dataclass
class Scene:
    """`cluster` is the ManagedCluster's name, `kinds` says how the managed cluster serves kinds."""

    hub: Cluster
    spoke: Cluster
    kinds: dict[tuple[str, str], Resource]
    cluster: str
    namespace: str
    agent: Agent
    hub_url: str
    """The hub as the agent knows it."""
    me: str
    works: set[str] = field(default_factory=set)
    """The works that were made."""

    def filled(self, value: Any) -> Any:
        """A value of the case with its names put in."""
        match value:
            case str():
                return value.replace("$me", self.me).replace("$ns", self.namespace)
            case Mapping():
                return {self.filled(k): self.filled(v) for k, v in value.items()}
            case list() | tuple():
                return [self.filled(v) for v in value]
        return value

    @property
    def agent_id(self) -> str:
        """What the agent marks its ledgers with."""
        return self.agent.agent_id

    # --- names ----------------------------------------------------------------------------------------

    @property
    def hub_hash(self) -> str:
        """As the protocol makes it of the hub's URL."""
        return hashlib.sha256(self.hub_url.encode()).hexdigest()

    def anchor(self, work: str = "") -> str:
        """The name of the AppliedManifestWork."""
        return f"{self.hub_hash}-{work or self.me}"

    def served(self, obj: Mapping[str, Any]) -> Resource:
        """How the managed cluster serves an object."""
        return self.kinds[obj["apiVersion"], obj["kind"]]

    # --- the hub ---------------------------------------------------------------------------------------

    async def put_work(
        self, spec: Mapping[str, Any], name: str = "", labels: Mapping[str, str] | None = None
    ) -> None:
        """Create the work, or give it another spec."""
        name = name or self.me
        self.works.add(name)
        meta: Object = {"name": name, "namespace": self.cluster, "labels": dict(labels or {})}
        wanted = {"apiVersion": WORKS.api_version, "kind": WORKS.kind, "metadata": meta, "spec": dict(spec)}
        try:
            await self.hub.create(WORKS, wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            body = [{"op": "replace", "path": "/spec", "value": dict(spec)}]
            await self.hub.patch(WORKS, self.cluster, name, body, type=PatchType.JSON)

    async def work(self, name: str = "") -> Object:
        """The work as it is."""
        self.agent.check()
        return await self.hub.get(WORKS, self.cluster, name or self.me)

    async def end_work(self, name: str = "") -> None:
        """Delete the work."""
        await self.hub.delete(WORKS, self.cluster, name or self.me)

    async def clear(self) -> None:
        """Delete what works there still are, without waiting: less for the agent to look after."""
        for name in self.works:
            with suppress(ApiError):
                await self.end_work(name)

    # --- the managed cluster ---------------------------------------------------------------------------

    async def ledger(self, work: str = "") -> Object | None:
        """The AppliedManifestWork."""
        return await find(self.spoke, APPLIED_WORKS, self.anchor(work))

    async def find(self, obj: Mapping[str, Any]) -> Object | None:
        """The object on the managed cluster as it is; None where there is none."""
        meta = obj["metadata"]
        resource = self.served(obj)
        namespace = meta.get("namespace", "") if resource.namespaced else ""
        if resource.namespaced and not namespace:
            return None
        return await find(self.spoke, resource, meta["name"], namespace)

    async def change(self, obj: Mapping[str, Any], body: Mapping[str, Any], *, subresource: str = "") -> None:
        """Merge-patch an object on the managed cluster, as somebody else."""
        meta = obj["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        await self.spoke.patch(
            self.served(obj), *place, dict(body), subresource=subresource, field_manager=SOMEBODY
        )

    async def make(self, obj: Object) -> None:
        """Create an object on the managed cluster, as somebody else; its status too, where it has one."""
        made = await self.spoke.create(self.served(obj), obj, field_manager=SOMEBODY)
        if "status" in obj and made.get("status") != obj["status"]:
            await self.change(obj, {"status": obj["status"]}, subresource="status")

    async def remove(self, obj: Mapping[str, Any]) -> None:
        """Delete an object on the managed cluster."""
        meta = obj["metadata"]
        await self.spoke.delete(self.served(obj), meta.get("namespace", ""), meta["name"])
