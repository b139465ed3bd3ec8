"""Fleets for `doctor` to look at: a hub whose controllers run, agents of real clusters, and what it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitops_ocm.decide.diagnosis.finding import Finding
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.klusterlet.kept import Folder, Kept, SecretData
from gitops_ocm.klusterlet.process import Klusterlet
from gitops_ocm.klusterlet.registration import RegistrationOptions
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object, Resource, kind_of, split_api_version
from gitops_ocm.objects.served import LEASES
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.joining import CLUSTERS
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_spoke import SpokeOptions
from gitops_ocm.verbs.doctor_text import text
from tests.klusterlet.conftest import Agent, Hub

NAMESPACE = "open-cluster-management-agent"


def roots(found: Examination) -> list[str]:
    """The causes that nothing else explains."""
    return [finding.cause for finding in found.diagnosis.findings]


def folded(found: Examination) -> set[str]:
    """What follows from them."""
    return {cause for finding in found.diagnosis.findings for cause in _under(finding)}


def causes(found: Examination) -> dict[str, list[Finding]]:
    """Everything that was found by its cause, be it a root or under one."""
    every: dict[str, list[Finding]] = {}
    todo = list(found.diagnosis.findings)
    while todo:
        finding = todo.pop(0)
        every.setdefault(finding.cause, []).append(finding)
        todo += finding.follows
    return every


def _under(finding: Finding) -> Iterable[str]:
    for follower in finding.follows:
        yield follower.cause
        yield from _under(follower)


def first(found: Examination, cause: str) -> Finding:
    """The first finding of a cause, which is a root."""
    return next(finding for finding in found.diagnosis.findings if finding.cause == cause)


@dataclass(frozen=True)
class Ward:
    """A hub and a managed cluster, as their doctor sees them."""

    hub: Hub
    spoke: Cluster
    folder: Path

    def agent(self, name: str, *, place: str = "", clock: Clock | None = None, secret: bool = False) -> Agent:
        """An agent; it keeps its identity in a directory, or in the Secret on its cluster."""
        folder = self.folder / "agents" / (place or name)
        kept: Kept = SecretData(self.spoke, NAMESPACE, "hub-kubeconfig-secret") if secret else Folder(folder)
        klusterlet = Klusterlet(
            self.spoke,
            self.spoke,
            kept,
            Folder(folder / "pending"),
            AgentSettings(""),
            clock=clock or SystemClock(),
        )
        options = RegistrationOptions(bootstraps=(self.hub.bootstrap,), cluster_name=name, look=0.05)
        return Agent(options, klusterlet)

    async def joined(self, name: str) -> None:
        """What an administrator does until the cluster is there; its lease lasts a second from then on."""
        await eventually(lambda: self.hub.known(name))
        spec = {"spec": {"leaseDurationSeconds": 1}}
        await self.hub.admin.patch(CLUSTERS, "", name, spec, type=PatchType.MERGE)
        await eventually(lambda: self.hub.requests(name))
        await self.hub.approved(name)
        await self.hub.accept(name)
        await eventually(lambda: self.hub.available(name))

    async def examined(self, *names: str, spoke: bool = False, **told: Any) -> Examination:
        """What is found of clusters; nothing is left time to come about."""
        one = SpokeOptions(
            names[0] if names else "", told.pop("bootstrap", None), told.pop("hub_folder", None)
        )
        options = DoctorOptions(names, spoke=one, **{"settle": 0.0, **told})
        return await examine(self.hub.admin, self.spoke if spoke else None, options)

    async def found(self, cause: str, *names: str, within: float = 30.0, **told: Any) -> Examination:
        """Look until a cause is found, as a root."""

        async def look() -> Examination | None:
            found = await self.examined(*names, **told)
            return found if cause in roots(found) else None

        answer = await eventually(look, within, describe=f"{cause} is found")
        assert isinstance(answer, Examination)
        return answer

    async def healthy(self, *names: str, **told: Any) -> Examination:
        """Look until nothing is found."""

        async def look() -> Examination | None:
            found = await self.examined(*names, **told)
            return found if not found.diagnosis.findings else None

        answer = await eventually(look, 30.0, describe="nothing is found")
        assert isinstance(answer, Examination)
        return answer


HOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    namespaced=False,
)
Unique = Callable[[str], str]


@asynccontextmanager
async def hub_in_memory() -> AsyncIterator[Cluster]:
    """A new hub with all of its controllers."""
    async with memory() as hub, controllers_on(hub):
        yield hub


async def made(hub: Cluster, *objects: Object) -> None:
    """Create objects."""
    mapper = Mapper(hub)
    for obj in objects:
        _, version = split_api_version(obj["apiVersion"])
        resource = await mapper.resource_of(kind_of(obj), version)
        assert resource is not None
        await hub.create(resource, obj)


async def alive(
    hub: Cluster, name: str, *, available: str = "True", labels: dict[str, str] | None = None
) -> None:
    """A cluster whose agent has joined: what it would have written is written."""
    cluster: Object = {
        "apiVersion": CLUSTERS.api_version,
        "kind": CLUSTERS.kind,
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
    }
    await hub.create(CLUSTERS, cluster)

    async def accepted() -> bool:
        return bool(await hub.get(LEASES, name, "managed-cluster-lease"))

    await eventually(accepted)

    async def report() -> bool:
        found = await hub.get(CLUSTERS, "", name)
        now, told = timestamp(datetime.now(UTC)), found["status"]["conditions"]
        for type_, status in (
            ("ManagedClusterJoined", "True"),
            ("ManagedClusterConditionAvailable", available),
        ):
            said = {"type": type_, "status": status, "reason": "Said", "message": f"it says {status}"}
            told = [c for c in told if c["type"] != type_] + [{**said, "lastTransitionTime": now}]
        await hub.update(CLUSTERS, {**found, "status": {"conditions": told}}, subresource="status")
        return True

    await eventually(report)


async def looked(hub: Cluster, *names: str, **told: Any) -> Examination:
    """What is found on a hub."""
    return await examine(hub, None, DoctorOptions(names, **{"settle": 0.0, **told}))


async def comes(hub: Cluster, cause: str, *names: str, **told: Any) -> Examination:
    """Look until a cause is found as a root."""

    async def look() -> Examination | None:
        found = await looked(hub, *names, **told)
        assert cause in roots(found), text(found)
        return found

    found = await eventually(look, describe=f"{cause} is found")
    assert isinstance(found, Examination)
    return found
