"""What takes long leaves the loop to others, and is still right: lists in steps, Services in a thread."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.apiserver.values import Keep, Overtaken, WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.apiserver.workers import Workers
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog


def _api(count: int) -> Api:
    api = Api(load_catalog(ocm=False))
    served = api.catalog.served("v1", "ConfigMap")
    assert served is not None
    with api.store.batch():
        for number in range(count):
            meta = {"name": f"c{number:05}", "labels": {"odd": str(number % 2)}}
            api.create(served, "default", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    return api


def test_a_selection_from_many_is_made_in_steps() -> None:
    """No step looks into more than 250 objects; writes between two steps are not in the page."""
    api = _api(2000)
    served = api.catalog.served("v1", "ConfigMap")
    assert served is not None
    version, steps = api.store.version, 0
    listing = api.listing(served, "default", labels="odd=1")
    while True:
        try:
            next(listing)
        except StopIteration as end:
            page = end.value
            break
        steps += 1
        api.delete(served, "default", f"c{2000 - steps:05}")
    assert steps == 2000 // 250
    assert [obj["metadata"]["name"] for obj in page.items] == [f"c{n:05}" for n in range(1, 2000, 2)]
    assert page.resource_version == str(version)


def _service(name: str, **spec: Any) -> Object:
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"clusterIP": "10.96.7.7"}, {"clusterIP": "10.96.7.7"}),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30007}]},
            {"type": "NodePort", "ports": [{"port": 81, "nodePort": 30007}]},
        ),
    ],
    ids=["address", "port"],
)
def test_what_is_allotted_meanwhile_is_not_allotted_twice(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    """A Service worked out in a thread, while another took its address or port, is worked out anew."""
    api = Api(load_catalog())
    served = api.catalog.served("v1", "Service")
    assert served is not None

    def after_another(keep: Keep) -> Object:
        api.create(served, "default", _service("second", **second))
        return keep()

    with pytest.raises(Overtaken):
        api.create(served, "default", _service("first", **first), WriteOptions(place=after_another))
    assert [s["metadata"]["name"] for s in map(dict, api.list(served, "default").items)] == ["second"]
    with pytest.raises(ApiError, match=r"provided (IP|port) is already allocated"):
        api.create(served, "default", _service("first", **first))


async def test_who_is_always_overtaken_is_told_of_a_conflict() -> None:
    """A write from a thread that never gets its turn ends as such a patch does on a kube-apiserver."""

    async def settled() -> None:
        return

    def overtaken() -> Object:
        raise Overtaken(Key("apps", "deployments", "default", "web"))

    workers = Workers(settled)
    try:
        with pytest.raises(ApiError, match=r'cannot be fulfilled on deployments\.apps "web"') as raised:
            await workers.write(lambda place: place(overtaken))
        assert raised.value.http_code == 409
    finally:
        workers.close()
