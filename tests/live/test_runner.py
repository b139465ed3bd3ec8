"""The runner: controllers from a table, run against an API server over HTTP."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from gitops_ocm.decide.contract import (
    DONE,
    LOCAL_GROUP,
    Apply,
    Controller,
    Create,
    Delete,
    Emit,
    Index,
    MergePatch,
    Outcome,
    Read,
    Result,
    Side,
    View,
    Wake,
    Write,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.live.runner import Runner, RunnerSettings
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource
from gitops_ocm.objects.served import SECRETS
from gitops_ocm.testing.faulty_api import FaultyApi, Refusal
from gitops_ocm.testing.waiting import turns

CONFIG_MAP = Kind("", "ConfigMap")
SECRET = Kind("", "Secret")
EVENTS = Resource("events.k8s.io", "v1", "Event", "events", namespaced=True)
WIDGET = Kind("example.com", "Widget")
WIDGETS = Resource("example.com", "v1", "Widget", "widgets", namespaced=True)
Eventually = Callable[..., Awaitable[object]]


def obj(name: str, kind: str = "ConfigMap", api: str = "v1", **data: str) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "data": data}


def ref(name: str, kind: Kind = CONFIG_MAP) -> Ref:
    return Ref(kind.group, kind.kind, "default", name)


@asynccontextmanager
async def running(
    http: HttpCluster, quick: WatchSettings, *controllers: Controller, **settings: float
) -> AsyncIterator[Runner]:
    """A runner at work; it is stopped properly at the end."""
    runner = Runner(
        controllers,
        {Side.HUB: http},
        settings=RunnerSettings(watch=quick, missing_kind=0.05, **settings),  # type: ignore[arg-type]
        rng=random.Random(1),
    )
    stop = asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    try:
        yield runner
    finally:
        stop.set()
        await task


def copies(view: View, key: Ref, _now: datetime) -> Outcome:
    """A Secret for each ConfigMap, with the same data; gone when the ConfigMap is."""
    source, copy = view.get(key), view.get(ref(key.name, SECRET))
    if source is None:
        return Outcome((Delete(ref(key.name, SECRET)),)) if copy else DONE
    if copy is not None and copy["data"] == source["data"]:
        return DONE
    return Outcome((Apply(obj(key.name, "Secret", **source["data"])),))


COPIES = Controller(
    "copies", "test", copies, (Wake(CONFIG_MAP), Wake(SECRET, to=lambda _v, o: [ref(o["metadata"]["name"])]))
)


async def test_converges_and_then_rests(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """What was there before the start, what changes and what goes is acted on; then no request is made."""
    api.served.append(SECRETS)
    for n in range(20):
        api.put(obj(f"c{n}", x=str(n)))
    async with running(http, quick, COPIES) as runner:
        await runner.synced()
        await eventually(lambda: all(api.get("default", f"c{n}", "secrets") for n in range(20)), 10)
        api.put(obj("c3", x="changed"))
        api.remove("default", "c4")
        api.remove("default", "c5", "secrets")
        api.put(obj("c6", "Secret", x="drifted"), "secrets")

        def settled() -> bool:
            shown = {n: api.get("default", f"c{n}", "secrets") for n in (3, 4, 5, 6)}
            return (
                shown[4] is None
                and all(shown[n] is not None for n in (3, 5, 6))
                and (shown[3] or {})["data"] == {"x": "changed"}
                and (shown[6] or {})["data"] == {"x": "6"}
            )

        await eventually(settled, 10)
        await eventually(lambda: runner.status().idle, 10)
        before = api.requests.copy()
        runner.wake("copies", ref("c1"))
        await eventually(lambda: runner.status().idle, 10)
        assert api.requests == before


@pytest.mark.parametrize("seed", range(4))
async def test_stale_caches_never_overspend(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, seed: int
) -> None:
    """A reconciler that may create three objects makes three, however late its watches are."""
    api.served.append(SECRETS)
    rng = random.Random(seed)
    api.watch_delay = lambda: rng.random() * 0.08

    def three(view: View, key: Ref, _now: datetime) -> Outcome:
        mine = view.list(SECRET, labels={"of": key.name})
        if len(mine) >= 3:
            return DONE
        child = obj("", "Secret")
        child["metadata"] = {
            "generateName": f"{key.name}-",
            "namespace": "default",
            "labels": {"of": key.name},
        }
        return Outcome((Create(child),))

    def owner(_view: View, child: Object) -> Iterable[Ref]:
        return [ref(child["metadata"]["labels"]["of"])]

    async with running(
        http, quick, Controller("three", "test", three, (Wake(CONFIG_MAP), Wake(SECRET, to=owner)))
    ) as runner:
        for n in range(4):
            api.put(obj(f"c{n}"))
        for _ in range(30):
            runner.wake("three", ref(f"c{rng.randrange(4)}"))
            await turns(rng.randrange(20))
        if seed == 3:
            api.compact()
            api.cut_watches()
        await eventually(lambda: api.requests["POST secrets"] >= 12 and runner.status().idle, 15)
    assert api.requests["POST secrets"] == 12


async def test_a_crash_is_one_keys_own(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A bug met by one key is retried and stops neither other keys nor the process."""
    seen: list[str] = []

    def buggy(_view: View, key: Ref, _now: datetime) -> Outcome:
        seen.append(key.name)
        if key.name == "bad" and seen.count("bad") < 4:
            raise KeyError("spec")
        return DONE

    api.put(obj("bad"))
    async with running(http, quick, Controller("buggy", "test", buggy, (Wake(CONFIG_MAP),))) as runner:
        await runner.synced()
        api.put(obj("good"))
        await eventually(lambda: "good" in seen and seen.count("bad") == 4, 10)
        await eventually(lambda: runner.status().idle, 10)


async def test_an_odd_object_is_its_own_problem(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """Filters, mappers and indexes that trip over one object neither stop the watch nor hide others."""
    seen: list[str] = []

    def note(view: View, key: Ref, _now: datetime) -> Outcome:
        seen.append(key.name)
        return Outcome(notes=(str(len(view.indexed("by-x", "1"))),))

    row = Controller(
        "note",
        "test",
        note,
        (
            Wake(CONFIG_MAP, to=lambda _v, o: [ref(o["data"]["x"])]),
            Wake(CONFIG_MAP, when=lambda _old, new: bool(new and new["data"]["x"])),
        ),
        indexes=(Index("by-x", CONFIG_MAP, lambda o: [o["data"]["x"]]),),
    )
    async with running(http, quick, row) as runner:
        await runner.synced()
        odd = obj("odd")
        del odd["data"]
        api.put(odd)
        api.put(obj("fine", x="1"))
        await eventually(lambda: {"odd", "fine", "1"} <= set(seen), 10)
        assert len(runner.view().indexed("by-x", "1")) == 1
        assert api.requests["LIST configmaps"] == 1


async def test_a_deletion_is_waited_for(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """After deleting, the key is not looked at until the cache no longer shows what was deleted."""
    api.watch_delay = lambda: 0.05
    shown: list[bool] = []

    def reap(view: View, key: Ref, _now: datetime) -> Outcome:
        shown.append(view.get(key) is not None)
        return Outcome((Delete(key),), requeue_after=0.001) if shown[-1] else DONE

    async with running(http, quick, Controller("reap", "test", reap, (Wake(CONFIG_MAP),))) as runner:
        await runner.synced()
        api.put(obj("c"))
        await eventually(lambda: shown[-1:] == [False], 10)
    assert shown == [True, False]


async def test_follows_then_with_all_results(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """With keep_going every write is tried; `then` sees each result and what it answers is carried out."""
    api.served.append(SECRETS)
    told: list[list[str]] = []

    def writes(view: View, key: Ref, _now: datetime) -> Outcome:
        if (view.get(key) or {}).get("data") == {"done": "yes"}:
            return DONE
        return Outcome(
            (
                Create(obj("a", "Secret")),
                Create(obj("x", "Unknown", "nowhere.example/v1")),
                Delete(ref("never-there", SECRET)),
                Emit(obj("c"), "Tried", "best effort"),
                Create(obj("b", "Secret")),
            ),
            keep_going=True,
            then=report,
        )

    def report(results: Iterable[Result]) -> Outcome:
        told.append([r.error.reason if r.error else "ok" for r in results])
        return Outcome((MergePatch(ref("c"), {"data": {"done": "yes"}}),))

    api.put(obj("c"))
    async with running(http, quick, Controller("writes", "test", writes, (Wake(CONFIG_MAP),))):
        await eventually(lambda: (api.get("default", "c") or {})["data"] == {"done": "yes"}, 10)
    assert told == [["ok", "NotFound", "ok", "ok", "ok"]]
    assert api.get("default", "b", "secrets")


async def test_a_lost_race_is_tried_again_quickly(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A write computed from an outdated object is refused and computed anew once the cache has caught up."""
    delays = iter([0.1])
    tries: list[str] = []

    def count(view: View, key: Ref, _now: datetime) -> Outcome:
        seen = view.get(key)
        if seen is None or seen["data"]["wanted"] == seen["data"].get("got"):
            return DONE
        tries.append(seen["data"]["wanted"])
        version = seen["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "data": {"got": seen["data"]["wanted"]}}
        return Outcome((MergePatch(key, body),))

    api.put(obj("c", wanted="0", got="0"))
    async with running(http, quick, Controller("count", "test", count, (Wake(CONFIG_MAP),))) as runner:
        await runner.synced()
        await eventually(lambda: api.watching == 1, 5)
        api.put(obj("c", wanted="1", got="0"))
        api.watch_delay = lambda: next(delays, 0.0)
        await eventually(lambda: tries, 5)
        api.put(obj("c", wanted="2", got="0"))
        await eventually(lambda: (api.get("default", "c") or {})["data"] == {"wanted": "2", "got": "2"}, 10)
        await eventually(lambda: runner.status().idle, 10)


async def test_what_was_read_on_the_way_wakes(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A kind that the table does not name is watched once read, wakes its reader, and is let go of."""
    api.served.append(SECRETS)
    seen: list[object] = []

    def curious(view: View, key: Ref, _now: datetime) -> Outcome:
        if view.get(key) is not None:
            found = view.get(ref("other", SECRET))
            seen.append(found and found["data"]["x"])
        return DONE

    api.put(obj("c"))
    async with running(
        http, quick, Controller("curious", "test", curious, (Wake(CONFIG_MAP),)), unused=0.2
    ) as runner:
        await eventually(lambda: seen == [None], 10)
        api.put(obj("other", "Secret", x="1"), "secrets")
        await eventually(lambda: seen == [None, "1"], 10)
        api.remove("default", "c")
        await eventually(lambda: len(runner.status().watches) == 1, 10)


async def test_a_kind_that_is_served_later_wakes_who_missed_it(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A reconciler that found a kind unserved runs again when its CRD has come."""
    seen: list[bool] = []

    def waits(view: View, _key: Ref, _now: datetime) -> Outcome:
        seen.append(view.resource("example.com/v1", "Widget") is not None)
        return DONE

    api.put(obj("c"))
    async with running(http, quick, Controller("waits", "test", waits, (Wake(CONFIG_MAP),))):
        await eventually(lambda: seen == [False], 10)
        api.served.append(WIDGETS)
        await eventually(lambda: seen == [False, True], 10)


async def test_wakes_again_when_asked(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A requeue, a resync, a seed, a retry and a local object wake keys without a change on the server."""
    seen: list[str] = []

    def again(_view: View, key: Ref, _now: datetime) -> Outcome:
        seen.append(key.name)
        if key.name == "soon":
            return Outcome(requeue_after=0.02)
        if key.name == "retried" and seen.count("retried") < 3:
            return Outcome(retry="not yet")
        return DONE

    facts = Kind(LOCAL_GROUP, "Facts")
    rows = [
        Controller("seeded", "test", again, (Wake(WIDGET),), seeds=(ref("soon"), ref("retried"))),
        Controller("resynced", "test", again, (Wake(CONFIG_MAP),), resync=0.05),
        Controller("local", "test", again, (Wake(facts),)),
    ]
    api.put(obj("c"))
    async with running(http, quick, *rows) as runner:
        await runner.synced()
        runner.caches[Side.HUB].put_local(
            {"apiVersion": f"{LOCAL_GROUP}/v1", "kind": "Facts", "metadata": {"name": "facts"}}
        )
        await eventually(lambda: seen.count("soon") >= 3, 10)
        await eventually(lambda: seen.count("c") >= 3, 10)
        await eventually(lambda: seen.count("retried") == 3, 10)
        await eventually(lambda: seen.count("facts") == 1, 10)


async def test_a_stop_lets_writes_finish(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A reconcile that is half way when the stop comes makes the rest of its writes; no new one begins."""
    api.served.append(SECRETS)
    begun = asyncio.Event()

    def writes(view: View, key: Ref, _now: datetime) -> Outcome:
        begun.set()
        actions: tuple[Write, ...] = tuple(Apply(obj(f"{key.name}{n}", "Secret")) for n in range(20))
        return Outcome(actions)

    api.put(obj("c"))
    row = Controller("writes", "test", writes, (Wake(CONFIG_MAP),), workers=1)
    async with running(http, quick, row):
        await begun.wait()
    assert api.get("default", "c19", "secrets") is not None


def gave_up_once(logs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the runner has tried to reach its API, in vain."""
    return any(line["event"] == "API not reached yet" for line in logs)


@pytest.mark.parametrize("reachable", [True, False])
async def test_being_cancelled_leaves_nothing_behind(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually, reachable: bool
) -> None:
    """A runner whose task is cancelled, started or not, ends its watches and workers with it."""
    if not reachable:
        await api.stop()
    runner = Runner([COPIES], {Side.HUB: http}, settings=RunnerSettings(watch=quick))
    with capture_logs() as logs:
        task = asyncio.create_task(runner.run(asyncio.Event()))
        await (runner.synced() if reachable else eventually(lambda: gave_up_once(logs)))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await runner.synced() is reachable


async def test_a_stop_before_the_start(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """A runner told to stop while its API cannot be reached ends at once, and so does who waits for it."""
    await api.stop()
    with capture_logs() as logs:
        async with running(http, quick, COPIES) as runner:
            waiting = asyncio.create_task(runner.synced())
            await eventually(lambda: gave_up_once(logs))
    assert await waiting is False


async def test_events_are_written_and_counted(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """The same event again becomes a series; one that cannot be written fails nothing."""
    api.served.append(EVENTS)

    def emits(view: View, key: Ref, _now: datetime) -> Outcome:
        about = view.get(key)
        return Outcome(tuple(Emit(about, "Seen", "it is there") for _ in range(3)) if about else ())

    def events() -> list[Object]:
        return [o for (plural, _, _), o in api._objects.items() if plural == "events"]

    api.put(obj("c"))
    async with running(http, quick, Controller("emits", "test", emits, (Wake(CONFIG_MAP),))) as runner:
        await eventually(lambda: events() and events()[0].get("series", {}).get("count") == 3, 10)
        assert events()[0]["regarding"]["name"] == "c"
        api.refusals.append(Refusal(500, method="PATCH", times=99))
        api.put(obj("c", x="2"))
        await eventually(lambda: runner.status().idle, 10)


async def test_survives_the_api_server_going_away(
    api: FaultyApi, http: HttpCluster, quick: WatchSettings, eventually: Eventually
) -> None:
    """While the server is away writes fail and wait; when it is back everything is caught up with."""
    api.served.append(SECRETS)
    api.put(obj("a", x="1"))
    async with running(http, quick, COPIES) as runner:
        await eventually(lambda: api.get("default", "a", "secrets"), 10)
        await api.stop()
        runner.wake("copies", ref("a"))
        for n in range(5):
            api.put(obj(f"b{n}", x="1"))
        api.remove("default", "a", "secrets")
        api.compact()
        await api.start()
        wanted = ("a", "b0", "b1", "b2", "b3", "b4")
        await eventually(lambda: all(api.get("default", n, "secrets") for n in wanted), 15)
        await eventually(lambda: runner.status().idle, 10)


@pytest.mark.parametrize(
    ("reads", "wants"),
    [
        ((), [("Hub", ""), ("Secret", "")]),
        ((Read(SECRET, "cluster1"),), [("Hub", ""), ("Secret", "cluster1")]),
        ((Read(SECRET, "cluster1"), Read(SECRET)), [("Hub", ""), ("Secret", "")]),
        (
            (Read(WIDGET, "b"), Read(WIDGET, "a")),
            [("Hub", ""), ("Secret", ""), ("Widget", "a"), ("Widget", "b")],
        ),
        ((Read(Kind("", "Hub"), name="one"),), [("Hub", "one"), ("Secret", "")]),
        (
            (Read(SECRET, "a", name="one"), Read(SECRET, "b")),
            [("Hub", ""), ("Secret", "a/one"), ("Secret", "b")],
        ),
        ((Read(SECRET, "a", name="one"), Read(SECRET, "a")), [("Hub", ""), ("Secret", "a")]),
    ],
)
def test_what_a_row_has_watched(reads: tuple[Read, ...], wants: list[tuple[str, str]]) -> None:
    """Wakes are watched everywhere unless a read of the same kind narrows them."""
    row = Controller("row", "test", copies, (Wake(SECRET), Wake(Kind("", "Hub"))), reads)
    found = [(w.kind.kind, "/".join(filter(None, (w.namespace, w.name)))) for _, w in row.wants()]
    assert found == wants


def test_a_table_that_cannot_run_is_refused() -> None:
    """Two rows of one name, or a row about an API that was not given, are an error before anything starts."""
    with pytest.raises(GitopsError, match="named twice: copies"):
        Runner([COPIES, COPIES], {})
    with pytest.raises(GitopsError, match="needs the hub API"):
        Runner([COPIES], {})
