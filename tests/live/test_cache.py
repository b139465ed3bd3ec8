"""Watch caches against a server that misbehaves: what they show must always come to be true."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gitops_ocm.decide.contract import LOCAL_GROUP, Index, Side, Unread, Want
from gitops_ocm.decide.projection import Projection
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.reflector import State, WatchSettings
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource
from gitops_ocm.testing.faulty_api import CONFIG_MAPS, FaultyApi, Refusal
from gitops_ocm.testing.waiting import turns

pytestmark = pytest.mark.slow

CONFIG_MAP = Kind("", "ConfigMap")
WIDGET = Kind("example.com", "Widget")
WIDGETS = Resource("example.com", "v1", "Widget", "widgets", namespaced=True)
Eventually = Callable[..., Awaitable[object]]


def config_map(name: str, namespace: str = "default", **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {"n": name}},
        "data": data,
    }


def names(cache: Cache, namespace: str | None = None) -> list[str]:
    return [o["metadata"]["name"] for o in cache.list(CONFIG_MAP, namespace)]


def x_of(obj: Object | None) -> str | None:
    return obj["data"]["x"] if obj else None


def same(cache: Cache, api: FaultyApi) -> bool:
    """Whether the cache shows exactly what the server holds."""
    shown = {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in cache.list(CONFIG_MAP)}
    return shown == {(n, name): o for (p, n, name), o in api._objects.items() if p == "configmaps"}


def make(http: HttpCluster, settings: WatchSettings) -> Cache:
    return Cache(Side.HUB, http, Mapper(http, min_age=0.02), settings=settings)


async def test_lists_in_pages_and_follows(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """Several pages make one list, sorted; then changes arrive, and listeners see old and new."""
    for n in range(8):
        api.put(config_map(f"c{n}", "b" if n % 2 else "a"))
    seen: list[tuple[str | None, str | None]] = []
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        assert api.requests["LIST configmaps"] == 3
        assert names(cache) == ["c0", "c2", "c4", "c6", "c1", "c3", "c5", "c7"]
        assert names(cache, "b") == ["c1", "c3", "c5", "c7"]
        assert [o["metadata"]["name"] for o in cache.list(CONFIG_MAP, labels={"n": "c3"})] == ["c3"]
        cache.listen(lambda _kind, old, new: seen.append((x_of(old), x_of(new))))
        api.put(config_map("new", x="1"))
        api.put(config_map("new", x="2"))
        api.remove("default", "new")
        await eventually(lambda: len(seen) == 3)
    assert seen == [(None, "1"), ("1", "2"), ("2", None)]


class _Counted:
    """Counts objects, and trips over those named `bad`."""

    def __init__(self) -> None:
        self.count = 0

    def change(self, old: Object | None, new: Object | None) -> None:
        """One more, or one fewer."""
        if (new or old or {})["metadata"]["name"] == "bad":
            raise ValueError("an object that nobody expected")
        self.count += (new is not None) - (old is not None)


async def test_a_projection_is_kept_up_to_date_whatever_comes(http: HttpCluster) -> None:
    """It knows what was there before it and hears of what follows; one bad object costs that object alone."""
    kind = Kind(LOCAL_GROUP, "Fact")
    counted = Projection(kind, _Counted)
    async with Cache(Side.HUB, http) as cache:
        for name in ("a", "b"):
            cache.put_local({"apiVersion": f"{LOCAL_GROUP}/v1", "kind": "Fact", "metadata": {"name": name}})
        assert cache.projected(counted).count == 2
        for name in ("bad", "c"):
            cache.put_local({"apiVersion": f"{LOCAL_GROUP}/v1", "kind": "Fact", "metadata": {"name": name}})
        cache.remove_local(Ref(*kind, "", "a"))
        assert cache.projected(counted).count == 2


@pytest.mark.parametrize("fault", ["cut", "mid-line", "500 on watch", "restart", "bookmark then cut"])
async def test_resumes_without_listing_again(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, fault: str
) -> None:
    """A broken watch goes on from the last version seen: nothing is missed and nothing is listed anew."""
    api.put(config_map("a"))
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        await eventually(lambda: api.watching == 1)
        lists = api.requests["LIST configmaps"]
        if fault == "mid-line":
            api.send(b'{"type":"ADDED","object":{"metadata":{"na')
        if fault == "bookmark then cut":
            api.bookmark()
        if fault == "500 on watch":
            api.refusals.append(Refusal(500, watch=True, times=3))
        api.cut_watches()
        if fault == "restart":
            await api.stop()
        api.put(config_map("b"))
        api.put(config_map("a", x="changed"))
        api.remove("default", "b")
        api.put(config_map("c"))
        if fault == "restart":
            await api.start()
        await eventually(lambda: same(cache, api))
        assert api.requests["LIST configmaps"] == lists


@pytest.mark.parametrize("midstream", [False, True], ids=["at start of watch", "as an event"])
async def test_lists_again_after_410(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, midstream: bool
) -> None:
    """When the history is gone a new list tells listeners what was added, changed and deleted meanwhile."""
    api.put(config_map("kept"))
    api.put(config_map("changed", x="1"))
    api.put(config_map("deleted"))
    events: list[tuple[str, str]] = []
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        await eventually(lambda: api.watching == 1)

        def note(_kind: Kind, old: Object | None, new: Object | None) -> None:
            what = "added" if old is None else "deleted" if new is None else "changed"
            events.append((what, (new or old or {})["metadata"]["name"]))

        cache.listen(note)
        watches = dict(api._watches)
        api._watches.clear()  # changes from here on reach no watch
        api.put(config_map("changed", x="2"))
        api.remove("default", "deleted")
        api.put(config_map("added"))
        api.compact()
        api._watches.update(watches)
        if midstream:
            api.send(b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n')
        else:
            api.cut_watches()
        await eventually(lambda: same(cache, api))
    assert sorted(events) == [("added", "added"), ("changed", "changed"), ("deleted", "deleted")]


async def test_list_that_expires_midway(api: FaultyApi, http: HttpCluster, quick: WatchSettings) -> None:
    """A continue token that expires makes one unpaged list of it."""
    for n in range(7):
        api.put(config_map(f"c{n}"))
    api.compact_between_pages = True
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        assert len(cache.list(CONFIG_MAP)) == 7
        assert not api.compact_between_pages


async def test_bookmark_moves_what_has_been_seen(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """After a bookmark, everything up to its version counts as seen although nothing changed here."""
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        await eventually(lambda: api.watching == 1)
        api.version += 50
        assert not cache.has_seen(CONFIG_MAP, "default", str(api.version))
        api.bookmark()
        await eventually(lambda: cache.has_seen(CONFIG_MAP, "default", str(api.version)))


async def test_unread_until_watched(api: FaultyApi, http: HttpCluster, quick: WatchSettings) -> None:
    """Reading what nobody watches says what is wanted; once watched it can be read; then no more."""
    api.put(config_map("a"))
    want = Want(CONFIG_MAP, "default")
    async with make(http, quick) as cache:
        with pytest.raises(Unread) as raised:
            cache.get(Ref("", "ConfigMap", "default", "a"))
        assert raised.value.wants == (want,)
        for _ in range(2):
            cache.subscribe(want)
            await cache.synced(raised.value.wants)
            assert cache.get(Ref("", "ConfigMap", "default", "a")) is not None
            assert cache.get(Ref("", "ConfigMap", "default", "b")) is None
            with pytest.raises(Unread):
                cache.list(CONFIG_MAP)
            cache.unsubscribe(want)
            with pytest.raises(Unread):
                cache.require([want])


async def test_wider_watch_takes_over(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A watch over all namespaces replaces those of single ones, and keeps showing everything."""
    for n in "abc":
        api.put(config_map(n, n))
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP, "a"))
        cache.subscribe(Want(CONFIG_MAP, "b"))
        await cache.synced()
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced([Want(CONFIG_MAP)])
        assert names(cache) == ["a", "b", "c"]
        await eventually(lambda: len(cache.status()) == 1)
        api.put(config_map("d", "a"))
        await eventually(lambda: same(cache, api))


async def test_pinned_namespaces_are_the_world(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings
) -> None:
    """An agent that watches only its own namespace lists that when it lists all."""
    api.put(config_map("mine", "cluster1"))
    api.put(config_map("theirs", "cluster2"))
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP, "cluster1"), pinned=True)
        await cache.synced()
        assert names(cache) == ["mine"]


async def test_kind_that_is_not_served_yet(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """An unserved kind has no objects; when its CRD comes it is watched, when it goes its objects go too."""
    async with make(http, quick) as cache:
        cache.subscribe(Want(WIDGET))
        await cache.synced()
        assert cache.list(WIDGET) == []
        assert cache.status()[0].state is State.ABSENT
        api.served.append(WIDGETS)
        api.put(
            {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "d"}},
            "widgets",
        )
        await eventually(lambda: len(cache.list(WIDGET)) == 1)
        api.served.remove(WIDGETS)
        api.cut_watches()
        await eventually(lambda: cache.list(WIDGET) == [])


async def test_forbidden_to_watch_reads_one_by_one(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """Without list rights named objects are read now and then; a list is a clear error; rights heal it."""
    api.put(config_map("a", x="1"))
    refusal = Refusal(403, method="GET", path_end="/configmaps", times=10**9)
    api.refusals.append(refusal)
    ref = Ref("", "ConfigMap", "default", "a")
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await eventually(lambda: cache.status()[0].state is State.POLLING)
        await cache.synced()
        with pytest.raises(ApiError) as raised:
            cache.list(CONFIG_MAP)
        assert raised.value.http_code == 403
        with pytest.raises(Unread):
            cache.get(ref)
        await cache.synced()
        assert (cache.get(ref) or {})["data"] == {"x": "1"}
        api.put(config_map("a", x="2"))
        await eventually(lambda: (cache.get(ref) or {})["data"] == {"x": "2"})
        refusal.times = 0
        await eventually(lambda: cache.status()[0].state is State.WATCHING)
        assert names(cache) == ["a"]


async def test_a_kind_that_the_server_fails_to_list(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """Who is hurried is told the server's error after a while, and reads the table once it lists again."""
    api.put(config_map("a", x="1"))
    refusal = Refusal(500, method="GET", path_end="/configmaps", times=10**9)
    api.refusals.append(refusal)
    ref = Ref("", "ConfigMap", "default", "a")
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP), hurried=True)
        with pytest.raises(Unread):
            cache.get(ref)
        await cache.synced()
        for read in (lambda: cache.get(ref), lambda: cache.list(CONFIG_MAP)):
            with pytest.raises(ApiError) as raised:
                read()
            assert raised.value.http_code == 500
        refusal.times = 0
        await eventually(lambda: cache.status()[0].state is State.WATCHING)
        assert (cache.get(ref) or {})["data"] == {"x": "1"}


async def test_unreachable_at_first(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A server that is not there yet is no error: the watch says so and starts when it is."""
    await api.stop()
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await eventually(lambda: cache.status()[0].error is not None)
        assert "connection refused" in str(cache.status()[0].error)
        api.put(config_map("a"))
        await api.start()
        await eventually(lambda: cache.status()[0].state is State.WATCHING)
        assert cache.status()[0].error is None
        assert names(cache) == ["a"]


async def test_another_server_in_place_of_the_known_one(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A server that comes back with an older state or a new one is listed anew: watches would stay silent."""
    api.put(config_map("old"))
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        await api.stop()
        await eventually(lambda: cache.status()[0].error is not None)
        async with FaultyApi(port=api.port) as other:
            other.version = 1
            other.put(config_map("new"))
            await eventually(lambda: names(cache) == ["new"])
            other.put(config_map("newer"))
            await eventually(lambda: names(cache) == ["new", "newer"])


async def test_slow_list_is_not_half_shown(api: FaultyApi, http: HttpCluster, quick: WatchSettings) -> None:
    """While the pages of a first list are still coming nothing can be read; then all of it."""
    for n in range(7):
        api.put(config_map(f"c{n}"))
    api.slow_lists = 0.05
    async with make(http, quick) as cache:
        cache.subscribe(Want(CONFIG_MAP))
        with pytest.raises(Unread):
            cache.list(CONFIG_MAP)
        await cache.synced()
        assert len(names(cache)) == 7


async def test_index_and_transform(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """An index follows changes; a transform is applied to listed and to watched objects."""

    def trimmed(obj: Object) -> Object:
        obj.pop("data", None)
        return obj

    api.put(config_map("a", x="1"))
    async with make(http, replace(quick, transform=trimmed)) as cache:
        cache.add_index(Index("by-label", CONFIG_MAP, lambda o: o["metadata"].get("labels", {}).values()))
        cache.subscribe(Want(CONFIG_MAP))
        await cache.synced()
        api.put(config_map("b", x="2"))
        await eventually(lambda: len(cache.indexed("by-label", "b")) == 1)
        assert all("data" not in o for o in cache.list(CONFIG_MAP))
        api.remove("default", "b")
        await eventually(lambda: not cache.indexed("by-label", "b"))
        assert len(cache.indexed("by-label", "a")) == 1


async def test_local_objects(http: HttpCluster, quick: WatchSettings) -> None:
    """Objects of the local group are shown without any server and tell listeners when they change."""
    heard: list[Object | None] = []
    facts: Object = {
        "apiVersion": f"{LOCAL_GROUP}/v1",
        "kind": "Facts",
        "metadata": {"name": "spoke"},
        "version": "1",
    }
    ref = Ref(LOCAL_GROUP, "Facts", "", "spoke")
    async with make(http, quick) as cache:
        cache.listen(lambda _kind, _old, new: heard.append(new))
        assert cache.get(ref) is None
        cache.put_local(facts)
        cache.put_local(dict(facts))
        cache.put_local({**facts, "version": "2"})
        cache.remove_local(ref)
    assert [h and h["version"] for h in heard] == ["1", "2", None]


def test_served_kind_is_what_the_tests_think() -> None:
    """The server's ConfigMaps are the kind the tests watch."""
    assert CONFIG_MAPS.of == CONFIG_MAP


@pytest.mark.parametrize("seed", range(5))
async def test_any_history_of_faults_ends_in_the_truth(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, seed: int
) -> None:
    """Under random changes and faults the cache comes to hold the truth, and has told every step of it."""
    rng = random.Random(seed)
    told: dict[str, Object] = {}

    def follow(_kind: Kind, old: Object | None, new: Object | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        assert told.get(name) == old
        if new is None:
            del told[name]
        else:
            told[name] = new

    async def fault() -> None:
        match rng.choice(["cut", "mid-line", "compact", "refuse", "restart", "bookmark", "nonsense"]):
            case "cut":
                api.cut_watches()
            case "mid-line":
                api.send(b'{"type":"MODIFIED","object":')
                api.cut_watches()
            case "compact":
                api.compact()
                api.cut_watches()
            case "refuse":
                api.refusals.append(Refusal(rng.choice([0, 429, 500, 503]), times=rng.randrange(1, 4)))
                api.cut_watches()
            case "restart":
                await api.stop()
                await turns(rng.randrange(50))
                await api.start()
            case "bookmark":
                api.bookmark()
            case _:
                api.send(b"nonsense\n")

    async with make(http, quick) as cache:
        cache.listen(follow)
        cache.subscribe(Want(CONFIG_MAP))
        for step in range(80):
            name = f"c{rng.randrange(9)}"
            if api.get("default", name) and rng.random() < 0.4:
                api.remove("default", name)
            else:
                api.put(config_map(name, x=str(step)))
            if rng.random() < 0.15:
                await fault()
            if rng.random() < 0.5:
                await turns(rng.randrange(40))
        api.refusals.clear()
        await eventually(lambda: same(cache, api))
        assert told == {o["metadata"]["name"]: o for o in cache.list(CONFIG_MAP)}
        await eventually(lambda: cache.has_seen(CONFIG_MAP, "default", str(api.version)))
