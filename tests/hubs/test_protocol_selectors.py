"""LIST: selectors, order, pages."""

from __future__ import annotations

import pytest

from gitops_ocm.objects.faults import ApiError
from tests.hubs.conftest import VERSION, Hub

LABELS: dict[str, dict[str, str]] = {
    "a": {"app": "web", "tier": "front"},
    "b": {"app": "web", "tier": "back"},
    "c": {"app": "db"},
    "d": {},
}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("", "abcd"),
        ("app=web", "ab"),
        ("app==web,tier=front", "a"),
        ("app!=web", "cd"),
        ("app in (web,db)", "abc"),
        ("app notin (web)", "cd"),
        ("app", "abc"),
        ("!app", "d"),
        ("app,tier notin (back)", "ac"),
        ("app=web,app=db", ""),
        ("tier=", ""),
    ],
)
async def test_label_selectors(hub: Hub, selector: str, found: str) -> None:
    """The selector syntax of the API picks the objects it should."""
    for name, labels in LABELS.items():
        await hub.create(hub.widget(name, metadata={"labels": labels}))
    assert await hub.names("Widget", VERSION, label_selector=selector) == list(found)


@pytest.mark.parametrize("selector", ["app=(", "app in web", "a b", "=x", "app=web,,"])
async def test_bad_label_selectors(hub: Hub, selector: str) -> None:
    """A selector that cannot be parsed is a 400."""
    with pytest.raises(ApiError) as refused:
        await hub.page("ConfigMap", label_selector=selector)
    assert (refused.value.reason, refused.value.http_code) == ("BadRequest", 400)
    assert "unable to parse" in refused.value.message or "found" in refused.value.message


async def test_field_selectors(hub: Hub) -> None:
    """By name and namespace everywhere; by what a built-in kind offers beyond that."""
    for name in ("a", "b"):
        await hub.create(hub.widget(name))
    await hub.create(hub.new("Secret", "opaque"))
    await hub.create(hub.new("Secret", "typed", type="example.com/other"))
    assert await hub.names("Widget", VERSION, field_selector="metadata.name=b") == ["b"]
    assert await hub.names("Widget", VERSION, field_selector="metadata.name!=b") == ["a"]
    assert await hub.names("Widget", VERSION, field_selector="metadata.namespace=other") == []
    assert await hub.names("Secret", field_selector="type=example.com/other") == ["typed"]


async def test_an_unknown_field_selector_is_refused(hub: Hub) -> None:
    """A field that the kind does not offer is a 400."""
    with pytest.raises(ApiError) as refused:
        await hub.page("ConfigMap", field_selector="data.k=v")
    assert refused.value.reason == "BadRequest"
    assert '"data.k" is not a known field selector' in refused.value.message


async def test_lists_are_sorted_and_spelled_out(hub: Hub) -> None:
    """Items come by name, each with apiVersion and kind, and the list has a version to watch from."""
    for name in ("zebra", "ant", "bee-2", "bee-10"):
        await hub.create(hub.widget(name))
    page = await hub.page("Widget", VERSION)
    assert [o["metadata"]["name"] for o in page.items] == ["ant", "bee-10", "bee-2", "zebra"]
    assert {(o["apiVersion"], o["kind"]) for o in page.items} == {(VERSION, "Widget")}
    assert int(page.resource_version) >= max(int(o["metadata"]["resourceVersion"]) for o in page.items)
    assert page.continue_token == ""


async def test_a_list_across_namespaces(hub: Hub) -> None:
    """Without a namespace a LIST spans all of them."""
    other = hub.unique("other")
    await hub.create(hub.new("Namespace", other))
    label = hub.unique("mark")
    marked = {"labels": {"mark": label}}
    await hub.create(hub.widget("here", metadata=marked))
    await hub.create(hub.widget("there", metadata=marked | {"namespace": other}))
    everywhere = await hub.cluster.list(hub.kinds[VERSION, "Widget"], label_selector=f"mark={label}")
    found = {(o["metadata"]["namespace"], o["metadata"]["name"]) for o in everywhere.items}
    assert found == {(hub.namespace, "here"), (other, "there")}


async def test_pages_are_one_snapshot(hub: Hub) -> None:
    """Pages of a LIST together are the collection as it was at the first page."""
    for number in range(5):
        await hub.create(hub.widget(f"w{number}"))
    first = await hub.page("Widget", VERSION, limit=2)
    assert [o["metadata"]["name"] for o in first.items] == ["w0", "w1"]
    assert first.continue_token
    await hub.create(hub.widget("w3-late"))
    await hub.delete(hub.widget("w4"))
    second = await hub.page("Widget", VERSION, limit=2, continue_token=first.continue_token)
    third = await hub.page("Widget", VERSION, limit=2, continue_token=second.continue_token)
    assert [o["metadata"]["name"] for o in second.items + third.items] == ["w2", "w3", "w4"]
    assert (second.resource_version, third.resource_version) == (first.resource_version,) * 2
    assert third.continue_token == ""


async def test_a_broken_continue_token_is_refused(hub: Hub) -> None:
    """A token that the server did not give is a 400."""
    with pytest.raises(ApiError) as refused:
        await hub.page("ConfigMap", limit=1, continue_token="bm90LWEtdG9rZW4")
    assert refused.value.http_code == 400
