"""WATCH: nothing missed, nothing twice, from any version the history reaches back to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from gitops_ocm.kube.cluster import WatchEvent
from gitops_ocm.objects.faults import ApiError
from tests.hubs.conftest import VERSION, Hub

pytestmark = pytest.mark.slow


async def take(events: AsyncIterator[WatchEvent], count: int) -> list[WatchEvent]:
    """The next `count` events that are not bookmarks; the watch is closed then."""
    found: list[WatchEvent] = []
    async with asyncio.timeout(30), aclosing(events):  # type: ignore[type-var]
        async for event in events:
            if event.type != "BOOKMARK":
                found.append(event)
            if len(found) == count:
                break
    return found


def short(events: list[WatchEvent]) -> list[tuple[str, str]]:
    """Type and name of each."""
    return [(event.type, event.object["metadata"]["name"]) for event in events]


async def version(hub: Hub) -> str:
    """The version of the Widget collection now."""
    return (await hub.page("Widget", VERSION)).resource_version


async def test_a_watch_tells_every_change_after_its_version(hub: Hub) -> None:
    """From a LIST's version on: each change once, in order, as the object was after it."""
    await hub.create(hub.widget("before"))
    since = await version(hub)
    created = await hub.create(hub.widget("w"))
    changed = await hub.patch(created, {"spec": {"size": 2}})
    await hub.delete(changed)
    events = await take(hub.watch("Widget", VERSION, resource_version=since), 3)
    assert short(events) == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]
    assert events[0].object == created
    assert events[1].object == changed
    last = events[2].object
    assert last["spec"] == changed["spec"]
    assert int(last["metadata"]["resourceVersion"]) > int(changed["metadata"]["resourceVersion"])


async def test_a_watch_can_be_resumed_anywhere(hub: Hub) -> None:
    """From each event's version a new watch goes on with the next event."""
    since = await version(hub)
    for number in range(4):
        await hub.create(hub.widget(f"w{number}"))
    events = await take(hub.watch("Widget", VERSION, resource_version=since), 4)
    for seen, event in enumerate(events[:-1], 1):
        resumed = hub.watch("Widget", VERSION, resource_version=event.object["metadata"]["resourceVersion"])
        assert short(await take(resumed, 4 - seen)) == [("ADDED", f"w{n}") for n in range(seen, 4)]


async def test_a_watch_tells_what_happens_while_it_is_open(hub: Hub) -> None:
    """Changes made after the watch was opened arrive without asking again."""
    watch = hub.watch("Widget", VERSION, resource_version=await version(hub))
    waiting = asyncio.ensure_future(take(watch, 2))
    await hub.create(hub.widget("one"))
    await hub.create(hub.widget("two"))
    assert short(await waiting) == [("ADDED", "one"), ("ADDED", "two")]


async def test_a_watch_without_a_version_starts_with_what_is_there(hub: Hub) -> None:
    """Without a version the existing objects come first, as ADDED."""
    for name in ("a", "b"):
        await hub.create(hub.widget(name))
    events = await take(hub.watch("Widget", VERSION), 2)
    assert sorted(short(events)) == [("ADDED", "a"), ("ADDED", "b")]


async def test_an_object_enters_and_leaves_a_selector(hub: Hub) -> None:
    """With a label selector an object that starts to match is ADDED, one that stops is DELETED."""
    since = await version(hub)
    widget = await hub.create(hub.widget("w"))
    await hub.patch(widget, {"metadata": {"labels": {"app": "web"}}})
    await hub.patch(widget, {"spec": {"size": 2}})
    await hub.patch(widget, {"metadata": {"labels": {"app": "db"}}})
    events = await take(hub.watch("Widget", VERSION, resource_version=since, label_selector="app=web"), 3)
    assert short(events) == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]


async def test_a_watch_by_name(hub: Hub) -> None:
    """A field selector narrows a watch to one object."""
    since = await version(hub)
    await hub.create(hub.widget("other"))
    await hub.create(hub.widget("mine"))
    watch = hub.watch("Widget", VERSION, resource_version=since, field_selector="metadata.name=mine")
    assert short(await take(watch, 1)) == [("ADDED", "mine")]


async def test_a_held_object_is_modified_before_it_is_deleted(hub: Hub) -> None:
    """With a finalizer a deletion is seen as MODIFIED, then DELETED when it is released."""
    widget = await hub.create(hub.widget("w", metadata={"finalizers": ["test.gitops-ocm.io/hold"]}))
    since = widget["metadata"]["resourceVersion"]
    await hub.delete(widget)
    await hub.patch(widget, {"metadata": {"finalizers": None}})
    events = await take(hub.watch("Widget", VERSION, resource_version=since), 2)
    assert short(events) == [("MODIFIED", "w"), ("DELETED", "w")]
    assert "deletionTimestamp" in events[0].object["metadata"]


async def test_a_watch_ends_when_its_time_is_over(hub: Hub) -> None:
    """With a time limit the server ends the stream in good order, with a last bookmark at most."""
    since = await version(hub)
    async with asyncio.timeout(30):
        events = [e async for e in hub.watch("Widget", VERSION, resource_version=since, timeout=1)]
    assert [e.type for e in events if e.type != "BOOKMARK"] == []


async def test_nothing_is_skipped_where_the_history_is_gone(hub: Hub) -> None:
    """From the oldest version of all a watch tells everything, or says Expired: list again."""
    created = await hub.create(hub.widget("w"))
    try:
        events = await take(hub.watch("Widget", VERSION, resource_version="1"), 1)
        assert [(e.type, e.object) for e in events] == [("ADDED", created)]
    except ApiError as expired:
        assert (expired.reason, expired.http_code) in [("Expired", 410), ("Gone", 410)]  # noqa: PT017


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resource_version": "not-a-number"}, 'resourceVersion: Invalid value: "not-a-number"'),
        ({"label_selector": "a b"}, "unable to parse requirement"),
    ],
    ids=["version", "selector"],
)
async def test_nonsense_is_refused(hub: Hub, options: dict[str, Any], message: str) -> None:
    """A watch with a bad version or selector is refused before it starts."""
    with pytest.raises(ApiError) as refused:
        await take(hub.watch("Widget", VERSION, **options), 1)
    assert message in refused.value.message
