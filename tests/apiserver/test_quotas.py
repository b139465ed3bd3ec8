"""Quotas of the embedded server: right after every write, and never overspent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.quota_usage import usage
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog

HARD = {"configmaps": "3", "pods": "2", "requests.cpu": "1", "count/secrets": "1"}


@pytest.fixture
def api() -> Iterator[Api]:
    """A server of its own."""
    api = Api(load_catalog(ocm=False))
    yield api
    api.close()


def served(api: Api, kind: str) -> Any:
    found = api.catalog.served("v1", kind)
    assert found is not None
    return found


def make(api: Api, kind: str, name: str, **rest: Any) -> None:
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, **rest}
    api.create(served(api, kind), "default", obj)


def container(cpu: str) -> Object:
    return {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}


def used(api: Api) -> dict[str, str]:
    found: dict[str, str] = api.get(served(api, "ResourceQuota"), "default", "q")["status"]["used"]
    return found


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ConfigMap", "Secret", "Pod"]),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["make", "drop", "end"]),
        st.sampled_from(["100m", "0.5", "1"]),
    ),
    max_size=25,
)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(STEPS)
def test_what_is_used_is_what_is_there_and_no_more_than_may_be(
    steps: list[tuple[str, str, str, str]],
) -> None:
    """After any writes a quota says exactly what its namespace holds, and that is within its limits."""
    api = Api(load_catalog(ocm=False))
    make(api, "ResourceQuota", "q", spec={"hard": HARD})
    for kind, name, step, cpu in steps:
        with suppress(ApiError):
            if step == "make":
                rest = {"spec": {"containers": [container(cpu)]}} if kind == "Pod" else {}
                make(api, kind, name, **rest)
            elif step == "drop":
                api.delete(served(api, kind), "default", name)
            elif kind == "Pod":
                pod = api.get(served(api, kind), "default", name)
                ended = {**pod, "status": {**pod["status"], "phase": "Succeeded"}}
                api.update(served(api, kind), "default", name, ended, subresource="status")
    made = {
        kind: list(api.list(served(api, kind), "default").items) for kind in ("ConfigMap", "Secret", "Pod")
    }
    running = [pod for pod in made["Pod"] if pod["status"]["phase"] == "Pending"]
    cpus = sum(float(usage(("", "pods"), pod)["cpu"].replace("m", "e-3")) for pod in running)
    found = used(api)
    api.close()
    assert int(found["configmaps"]) == len(made["ConfigMap"]) <= 3
    assert int(found["count/secrets"]) == len(made["Secret"]) <= 1
    assert int(found["pods"]) == len(running) <= 2
    assert float(found["requests.cpu"].replace("m", "e-3")) == pytest.approx(cpus)
    assert cpus <= 1 + 1e-9


def test_a_new_quota_counts_what_is_there_already(api: Api) -> None:
    """A quota that comes late begins with what the namespace holds, even where that is too much."""
    for name in "abcd":
        make(api, "ConfigMap", name)
    make(api, "ResourceQuota", "q", spec={"hard": HARD})
    assert used(api)["configmaps"] == "4"
    with pytest.raises(ApiError, match="exceeded quota: q, requested: configmaps=1, used: configmaps=4"):
        make(api, "ConfigMap", "e")
    api.delete(served(api, "ConfigMap"), "default", "a")
    assert used(api)["configmaps"] == "3"


def test_what_a_namespace_of_another_holds_is_not_counted(api: Api) -> None:
    """A quota is about its own namespace alone."""
    make(api, "ResourceQuota", "q", spec={"hard": {"configmaps": "0"}})
    elsewhere = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    api.create(served(api, "ConfigMap"), "kube-public", elsewhere)
    assert used(api) == {"configmaps": "0"}
