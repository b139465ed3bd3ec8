"""Watches over real HTTPS: lines, tables, how they end."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from tests.apiserver.plain_http import IN_DEFAULT, TABLE, Http, config_map


async def _lines(http: Http, query: str, count: int, *, accept: str = "*/*") -> list[Any]:
    url = f"{http.server.url}{IN_DEFAULT}?watch=1&{query}"
    headers = {"Authorization": "Bearer root", "Accept": accept}
    found = []
    async with http.session.get(url, headers=headers) as answer:
        assert answer.status == 200
        async for line in answer.content:
            found.append(orjson.loads(line))
            if len(found) == count:
                break
    return found


async def test_watch_streams_lines(http: Http) -> None:
    """What happens after a version, one JSON document a line, whenever the watch begins."""
    _, made, _ = await http("POST", IN_DEFAULT, config_map())
    since = made["metadata"]["resourceVersion"]
    watching = asyncio.create_task(_lines(http, f"timeoutSeconds=30&resourceVersion={since}", 2))
    await http("PUT", f"{IN_DEFAULT}/a", {**made, "data": {"x": "2"}})
    await http("DELETE", f"{IN_DEFAULT}/a")
    assert [line["type"] for line in await watching] == ["MODIFIED", "DELETED"]
    (first,) = await _lines(http, f"timeoutSeconds=30&resourceVersion={since}", 1)
    assert first["object"]["data"] == {"x": "2"}


async def test_watch_as_table_heads_once(http: Http) -> None:
    """Only the first event of a Table watch carries the column heads."""
    for name in ("a", "b"):
        await http("POST", IN_DEFAULT, config_map(name))
    first, second = await _lines(http, "timeoutSeconds=30", 2, accept=TABLE)
    assert first["object"]["columnDefinitions"]
    assert second["object"]["columnDefinitions"] is None


@pytest.mark.slow
async def test_watch_ends_in_time_and_tells_errors_as_events(http: Http) -> None:
    """A timeout is a clean end; a version that nobody remembers is an ERROR event; nonsense is a 400."""
    assert await _lines(http, "timeoutSeconds=1&resourceVersion=0&labelSelector=a", 1) == []
    http.server.api.store.history.compact()
    await http("POST", IN_DEFAULT, config_map())
    (error,) = await _lines(http, "timeoutSeconds=30&resourceVersion=1", 1)
    assert (error["type"], error["object"]["code"]) == ("ERROR", 410)
    assert (await http("GET", f"{IN_DEFAULT}?watch=1&resourceVersion=x"))[0] == 500
