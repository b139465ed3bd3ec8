"""What wakes a key of a controller, and what is watched for it."""

from __future__ import annotations

from datetime import datetime

import pytest

from gitops_ocm.decide.contract import (
    DONE,
    LOCAL_GROUP,
    Controller,
    Outcome,
    Read,
    Side,
    View,
    Wake,
)
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.live.reflector import WatchSettings
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.objects.served import SECRETS
from gitops_ocm.testing.faulty_api import FaultyApi
from tests.live.running import (
    CONFIG_MAP,
    COPIES,
    SECRET,
    WIDGET,
    WIDGETS,
    Eventually,
    copies,
    obj,
    ref,
    running,
)


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
        await eventually(lambda: seen == [None])
        api.put(obj("other", "Secret", x="1"), "secrets")
        await eventually(lambda: seen == [None, "1"])
        api.remove("default", "c")
        await eventually(lambda: len(runner.status().watches) == 1)


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
        await eventually(lambda: seen == [False])
        api.served.append(WIDGETS)
        await eventually(lambda: seen == [False, True])


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
        await eventually(lambda: seen.count("soon") >= 3)
        await eventually(lambda: seen.count("c") >= 3)
        await eventually(lambda: seen.count("retried") == 3)
        await eventually(lambda: seen.count("facts") == 1)


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
