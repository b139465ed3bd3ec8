"""Large lists leave the loop to others: in steps, over what was there at the first of them."""

from __future__ import annotations

from gitops_ocm.apiserver.verbs import Api
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
