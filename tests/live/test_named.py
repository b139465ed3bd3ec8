"""Watches of single objects by name, and watches that wait for their rights, on an API server with RBAC."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.decide.contract import Side, Unread, Want
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.reflector import State, WatchSettings
from gitops_ocm.live.refusals import Refusals
from gitops_ocm.objects.faults import ApiError, forbidden
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES
from gitops_ocm.testing.objects import config_map
from gitops_ocm.testing.witness import Witness

CONFIG_MAP = Kind("", "ConfigMap")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "Role", "roles", namespaced=True)
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True)
Eventually = Callable[..., Awaitable[object]]


@dataclass
class Place:
    """A namespace, as its administrator and as somebody without rights reach it."""

    admin: Cluster
    nobody: Witness
    name: str

    def ref(self, name: str) -> Ref:
        """A ConfigMap here."""
        return Ref(*CONFIG_MAP, self.name, name)

    async def put(self, name: str, **data: str) -> None:
        """Write a ConfigMap."""
        await self.admin.patch(
            CONFIG_MAPS, self.name, name, config_map(name, self.name, data),
            type=PatchType.APPLY, field_manager="test",
        )  # fmt: skip

    async def grant(self, *verbs: str, names: tuple[str, ...] = ()) -> None:
        """Give rights on ConfigMaps (of these names)."""
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}
        role = _rbac("Role", self.name, rules=[{**rule, "resourceNames": list(names)} if names else rule])
        user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name}
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "test"}
        binding = _rbac("RoleBinding", self.name, subjects=[user], roleRef=ref)
        for resource, obj in ((ROLES, role), (BINDINGS, binding)):
            await self.admin.patch(
                resource, self.name, "test", obj, type=PatchType.APPLY, field_manager="test"
            )


def _rbac(kind: str, namespace: str, **fields: Any) -> Object:
    version = "rbac.authorization.k8s.io/v1"
    return {
        "apiVersion": version, "kind": kind, "metadata": {"name": "test", "namespace": namespace}, **fields
    }  # fmt: skip


@pytest.fixture
async def place(embedded_kubeconfig: Path, unique: Callable[[str], str]) -> AsyncIterator[Place]:
    """A namespace on the embedded server, whose name is also that of a user without rights."""
    connection, name = load_kubeconfig(embedded_kubeconfig), unique("named")
    admin, own = HttpCluster(connection), HttpCluster(connection.acting_as(name))
    await admin.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield Place(admin, Witness(own), name)
    await admin.close()
    await own.close()


@asynccontextmanager
async def cache_of(cluster: Any) -> AsyncIterator[Cache]:
    settings = WatchSettings(retry_base=0.01, relist_jitter=0.01, poll=0.05, relist_when_forbidden=30.0)
    async with Cache(Side.HUB, cluster, settings=settings) as cache:
        yield cache


async def test_one_object_by_name(place: Place, eventually: Eventually) -> None:
    """With rights on one name the object is watched, lists show it alone, and others are asked for apart."""
    await place.put("mine", x="1")
    await place.put("other", x="1")
    await place.grant("get", "list", "watch", names=("mine",))
    mine, other = place.ref("mine"), place.ref("other")
    async with cache_of(place.nobody) as cache:
        want = Want(CONFIG_MAP, place.name, name="mine")
        cache.subscribe(want, pinned=True)
        await cache.synced()
        assert [o["metadata"]["name"] for o in cache.list(CONFIG_MAP)] == ["mine"]
        assert [o["metadata"]["name"] for o in cache.list(CONFIG_MAP, place.name)] == ["mine"]
        assert cache.list(CONFIG_MAP, labels={"no": "such"}) == []
        await place.put("mine", x="2")
        await place.put("other", x="2")
        await eventually(lambda: (cache.get(mine) or {})["data"] == {"x": "2"})
        assert cache.watching(CONFIG_MAP, place.name, "mine")
        assert not cache.watching(CONFIG_MAP, place.name, "other")
        with pytest.raises(Unread) as unread:
            cache.get(other)
        assert unread.value.wants == (Want(CONFIG_MAP, place.name, name="other"),)
        cache.subscribe(unread.value.wants[0])
        await cache.synced()
        with pytest.raises(ApiError) as refusal:
            await _read(cache, other)
        assert refusal.value.http_code == 403
        await place.admin.delete(CONFIG_MAPS, place.name, "mine")
        await eventually(lambda: cache.get(mine) is None)
        await place.put("mine", x="3")
        await eventually(lambda: (cache.get(mine) or {}).get("data") == {"x": "3"})
        cache.unsubscribe(want)
        with pytest.raises(Unread):
            cache.get(mine)
    assert [r for r in place.nobody.refused if "other" not in r] == []


async def _read(cache: Cache, ref: Ref) -> Object | None:
    """As the runner does: what is unread is waited for."""
    try:
        return cache.get(ref)
    except Unread as unread:
        await cache.synced(unread.wants)
        return cache.get(ref)


async def test_a_wider_watch_takes_over(place: Place, eventually: Eventually) -> None:
    """Whoever wants the namespace later gets it all, and the watch by name ends."""
    await place.put("mine", x="1")
    await place.put("other", x="1")
    async with cache_of(place.admin) as cache:
        cache.subscribe(Want(CONFIG_MAP, place.name, name="mine"))
        await cache.synced()
        cache.subscribe(Want(CONFIG_MAP, place.name))
        await eventually(lambda: [s.want for s in cache.status()] == [Want(CONFIG_MAP, place.name)])
        found = {o["metadata"]["name"] for o in cache.list(CONFIG_MAP, place.name)}
        assert found >= {"mine", "other"}
        assert cache.get(place.ref("mine"))
        cache.subscribe(Want(CONFIG_MAP, place.name, name="other"))
        assert len(cache.status()) == 1


async def test_what_may_only_be_got_is_polled(place: Place, eventually: Eventually) -> None:
    """With `get` alone a wanted object is read now and then, lists answer with it, and rights heal it."""
    await place.put("mine", x="1")
    await place.grant("get", names=("mine",))
    async with cache_of(place.nobody) as cache:
        cache.subscribe(Want(CONFIG_MAP, place.name, name="mine"), pinned=True)
        await cache.synced()
        assert cache.status()[0].state is State.POLLING
        assert [o["data"] for o in cache.list(CONFIG_MAP)] == [{"x": "1"}]
        await place.put("mine", x="2")
        await eventually(lambda: (cache.get(place.ref("mine")) or {})["data"] == {"x": "2"})


async def test_rights_are_waited_for_in_silence(place: Place, eventually: Eventually) -> None:
    """One line tells of any number of watches without rights; all run soon after the first may."""
    await place.put("mine", x="1")
    with capture_logs() as logs:
        async with cache_of(place.nobody) as cache:
            for want in (Want(CONFIG_MAP, place.name), Want(CONFIG_MAP, place.name, name="mine")):
                cache.subscribe(want, pinned=True)
            cache.subscribe(Want(Kind("", "Secret"), place.name), pinned=True)
            synced = asyncio.ensure_future(cache.synced([Want(CONFIG_MAP, place.name)]))
            await eventually(lambda: len(place.nobody.refused) >= 8)
            assert not synced.done()
            assert {s.state for s in cache.status()} <= {State.REFUSED, State.LISTING}
            await place.grant("get", "list", "watch")
            await eventually(synced.done)
            assert "mine" in [o["metadata"]["name"] for o in cache.list(CONFIG_MAP)]
    told = [line["event"] for line in logs if line["log_level"] != "debug"]
    assert told[0] == "not allowed to watch, waiting for the rights"
    assert told.count(told[0]) == 1
    assert "watch interrupted" not in told


class Sleeping:
    """A clock whose sleepers say for how long, and wake when told."""

    def __init__(self) -> None:
        self.time = 0.0
        self.asked: list[float] = []
        self.woken = asyncio.Event()

    def now(self) -> datetime:
        """A moment."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """The time set."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Note how long."""
        self.asked.append(seconds)
        await self.woken.wait()


REFUSAL = forbidden("", "configmaps", "", "no")
A, B = Want(CONFIG_MAP, "a"), Want(CONFIG_MAP, "b")


async def test_one_looks_for_all(eventually: Eventually) -> None:
    """While nothing is allowed one watch tries every other second, the others as seldom as they say."""
    clock = Sleeping()
    refusals = Refusals(Side.HUB, clock, random.Random(1))
    for want in (B, A):
        refusals.refused(want, REFUSAL)
    waits = [asyncio.ensure_future(refusals.wait(want, 60.0)) for want in (A, B)]
    await eventually(lambda: len(clock.asked) == 2)
    assert 1.2 <= clock.asked[0] <= 1.8
    assert clock.asked[1] == 60.0
    assert refusals.allowed(A)
    assert await asyncio.gather(*waits) == [True, True]
    waiting = asyncio.ensure_future(refusals.wait(B, 60.0))  # some rights are there: no need to look
    await eventually(lambda: len(clock.asked) == 3)
    assert clock.asked[2] == 60.0
    clock.woken.set()
    assert await waiting is False


async def test_what_waits_for_long_is_named() -> None:
    """The first refusal is told at once; after a minute all that still waits is told in one line."""
    clock = Sleeping()
    refusals = Refusals(Side.HUB, clock, random.Random(1))
    with capture_logs() as logs:
        for moment in (0.0, 1.0, 61.5, 70.0):
            clock.time = moment
            for want in (A, B):
                refusals.refused(want, REFUSAL)
        refusals.allowed(A)
        refusals.allowed(B)
    assert [(line["event"], line.get("watches")) for line in logs] == [
        ("not allowed to watch, waiting for the rights", None),
        ("still waiting for rights", ["ConfigMap in a", "ConfigMap in b"]),
        ("the rights are there", None),
    ]
