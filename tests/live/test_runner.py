"""The runner: controllers from a table, run against an API server over HTTP."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime

import pytest

from gitops_ocm.decide.contract import (
    DONE,
    Controller,
    Create,
    Delete,
    Emit,
    Index,
    MergePatch,
    Outcome,
    Result,
    View,
    Wake,
)
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.served import SECRETS
from gitops_ocm.testing.faulty_api import FaultyApi, Refusal
from gitops_ocm.testing.waiting import turns
from tests.live.running import (
    CONFIG_MAP,
    COPIES,
    EVENTS,
    SECRET,
    Eventually,
    obj,
    ref,
    running,
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
        await eventually(lambda: all(api.get("default", f"c{n}", "secrets") for n in range(20)))
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

        await eventually(settled)
        await eventually(lambda: runner.status().idle)
        before = api.requests.copy()
        runner.wake("copies", ref("c1"))
        await eventually(lambda: runner.status().idle)
        assert api.requests == before


@pytest.mark.slow
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
        await eventually(lambda: api.requests["POST secrets"] >= 12 and runner.status().idle)
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
        await eventually(lambda: "good" in seen and seen.count("bad") == 4)
        await eventually(lambda: runner.status().idle)


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
        await eventually(lambda: {"odd", "fine", "1"} <= set(seen))
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
        await eventually(lambda: shown[-1:] == [False])
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
        await eventually(lambda: (api.get("default", "c") or {})["data"] == {"done": "yes"})
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
        await eventually(lambda: api.watching == 1)
        api.put(obj("c", wanted="1", got="0"))
        api.watch_delay = lambda: next(delays, 0.0)
        await eventually(lambda: tries)
        api.put(obj("c", wanted="2", got="0"))
        await eventually(lambda: (api.get("default", "c") or {})["data"] == {"wanted": "2", "got": "2"})
        await eventually(lambda: runner.status().idle)


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
        await eventually(lambda: events() and events()[0].get("series", {}).get("count") == 3)
        assert events()[0]["regarding"]["name"] == "c"
        api.refusals.append(Refusal(500, method="PATCH", times=99))
        api.put(obj("c", x="2"))
        await eventually(lambda: runner.status().idle)
