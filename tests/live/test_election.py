"""Leader election: who works, who waits, and how the lease changes hands."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.live.election import ElectionSettings, LeadershipLost, lead
from gitops_ocm.live.leader import is_gone, own_name
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import LEASES, NAMESPACES
from gitops_ocm.testing.clusters import memory

pytestmark = pytest.mark.slow

Eventually = Callable[..., Awaitable[object]]
QUICK = ElectionSettings("locks", duration=1.0, deadline=0.8, retry=0.1)
SLOW = ElectionSettings("locks", duration=900.0, deadline=600.0, retry=300.0)
PATIENT = 20.0


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub of its own, without the namespace of the leases."""
    async with memory() as cluster:
        yield cluster


@dataclass
class Candidate:
    """A process that wants to lead."""

    task: asyncio.Task[None]
    stop: asyncio.Event
    leads: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def candidate(
    hub: Cluster, name: str, settings: ElectionSettings, *, locks: tuple[str, ...] = ("a-lock",)
) -> AsyncIterator[Candidate]:
    """Have `name` stand for election; it works by waiting for its end."""
    leads, stop = asyncio.Event(), asyncio.Event()

    async def work(ending: asyncio.Event) -> None:
        leads.set()
        await ending.wait()
        leads.clear()

    task = asyncio.create_task(lead(hub, locks, settings, stop, work, identity=name))
    try:
        yield Candidate(task, stop, leads)
    finally:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)


async def lease(hub: Cluster, name: str = "a-lock") -> Object:
    """The record, as it is."""
    spec: Object = (await hub.get(LEASES, "locks", name))["spec"]
    return spec


async def held_by(hub: Cluster, holder: str, seconds: int) -> None:
    """Make a lease that somebody holds who is silent from now on."""
    await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "locks"}})
    at = "2026-01-01T00:00:00.000000Z"
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "acquireTime": at,
        "renewTime": at,
        "leaseTransitions": 4,
    }
    meta = {"name": "a-lock", "namespace": "locks"}
    await hub.create(
        LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
    )


async def test_the_record_is_client_gos(hub: Cluster) -> None:
    """The first leader makes namespace and lease; at its end it leaves the lease to whoever comes."""
    async with candidate(hub, "one", QUICK) as one:
        await asyncio.wait_for(one.leads.wait(), PATIENT)
        spec = await lease(hub)
        assert {k: v for k, v in spec.items() if not k.endswith("Time")} == {
            "holderIdentity": "one",
            "leaseDurationSeconds": 1,
            "leaseTransitions": 0,
        }
        assert spec["acquireTime"].endswith("Z")
        assert len(spec["renewTime"]) == len("2026-01-01T00:00:00.000000Z")
    spec = await lease(hub)
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("", 1)


async def test_the_next_one_leads_as_soon_as_the_lease_is_released(hub: Cluster) -> None:
    """Nobody waits for a lease to run out that was given back, nor for the next look."""
    async with candidate(hub, "one", SLOW) as one:
        await asyncio.wait_for(one.leads.wait(), PATIENT)
        async with candidate(hub, "two", SLOW) as two:
            assert not two.leads.is_set()
            one.stop.set()
            await asyncio.wait_for(two.leads.wait(), PATIENT)
            spec = await lease(hub)
            assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("two", 1)


async def test_a_silent_leader_is_followed_when_its_lease_has_run_out(hub: Cluster) -> None:
    """The time counts from when the record was first seen, not from the clock of who wrote it."""
    await held_by(hub, "silent", 1)
    started = asyncio.get_running_loop().time()
    async with candidate(hub, "two", QUICK) as two:
        await asyncio.wait_for(two.leads.wait(), PATIENT)
        assert asyncio.get_running_loop().time() - started >= 1
        spec = await lease(hub)
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("two", 5)
        assert spec["acquireTime"] > "2026-01-01T00:00:00.000000Z"


async def test_a_leader_that_is_known_to_be_dead_is_not_waited_for(hub: Cluster) -> None:
    """A process of this machine that has ended holds nothing, however long its lease lasts."""
    told = "from gitops_ocm.live.leader import own_name; print(own_name())"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    dead = done.stdout.strip()
    assert is_gone(dead)
    await held_by(hub, dead, 900)
    async with candidate(hub, "two", SLOW) as two:
        await asyncio.wait_for(two.leads.wait(), PATIENT)


@pytest.mark.parametrize(
    "holder",
    [
        own_name,
        lambda: own_name().rpartition("-")[0],
        lambda: own_name().partition("_")[0],
        lambda: "elsewhere_0f1e.1_12-34",
        lambda: "host_6d1a4f9e-uuid",
        lambda: "",
    ],
    ids=["this-process", "no-start", "no-process", "elsewhere", "no-place", "nobody"],
)
def test_nobody_else_is_taken_for_dead(holder: Callable[[], str]) -> None:
    """Of a process that lives, or of which this machine knows nothing, one cannot say that it is gone."""
    assert not is_gone(holder())


async def test_a_leader_whose_lease_was_taken_stops_working(hub: Cluster) -> None:
    """Work is told to end, and the error says who leads now."""
    async with candidate(hub, "one", QUICK) as one:
        await asyncio.wait_for(one.leads.wait(), PATIENT)
        found = await hub.get(LEASES, "locks", "a-lock")
        body = {"spec": {"holderIdentity": "two", "leaseDurationSeconds": 900}}
        await hub.patch(LEASES, "locks", found["metadata"]["name"], body)
        with pytest.raises(LeadershipLost, match="two has taken the lease a-lock"):
            await asyncio.wait_for(one.task, PATIENT)
        assert not one.leads.is_set()
    assert (await lease(hub))["holderIdentity"] == "two"


class Cut(LocalCluster):
    """A hub whose connection can be cut."""

    cut = False

    async def update(self, *args: object, **options: object) -> Object:
        """PUT, or nothing."""
        if self.cut:
            raise Unreachable("no answer from the hub")
        return await super().update(*args, **options)  # type: ignore[arg-type]


async def test_a_leader_that_cannot_renew_stops_before_others_begin(hub: Cluster) -> None:
    """After the deadline, which is before the lease runs out, work ends although nobody else has begun."""
    assert isinstance(hub, LocalCluster)
    cut = Cut(hub.api)
    async with candidate(cut, "one", QUICK) as one:
        await asyncio.wait_for(one.leads.wait(), PATIENT)
        cut.cut = True
        with pytest.raises(LeadershipLost, match="was not renewed"):
            await asyncio.wait_for(one.task, PATIENT)
    assert (await lease(hub))["holderIdentity"] == "one"


async def test_who_wants_several_leases_works_with_all_of_them(hub: Cluster, eventually: Eventually) -> None:
    """Two with a lease in common never work at once, whichever others each of them wants."""
    async with candidate(hub, "one", SLOW, locks=("b-lock",)) as one:
        await asyncio.wait_for(one.leads.wait(), PATIENT)
        async with candidate(hub, "two", SLOW, locks=("b-lock", "a-lock")) as two:

            async def has_the_first() -> bool:
                found = await hub.list(LEASES, "locks")
                return any(o["spec"]["holderIdentity"] == "two" for o in found.items)

            await eventually(has_the_first, describe="a-lock is held by two")
            assert not two.leads.is_set()
            one.stop.set()
            await asyncio.wait_for(two.leads.wait(), PATIENT)
