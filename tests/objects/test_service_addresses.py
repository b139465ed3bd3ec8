"""Services and their addresses: what a kube-apiserver of one IPv4 range allots, keeps, frees and refuses."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.service_addresses import RANGE, addressed

NOBODY: list[Object] = []


def service(name: str = "a", **spec: Any) -> Object:
    """A Service as a person writes it."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "n"}, "spec": spec}


def given_to(obj: Object, old: Object | None = None, *, others: list[Object] = NOBODY) -> dict[str, Any]:
    """The spec as it is stored."""
    spec: dict[str, Any] = addressed(obj, old, lambda: others)["spec"]
    return spec


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), unique=True, max_size=30))
@settings(derandomize=True, deadline=None)
def test_every_service_has_an_address_of_its_own(names: list[str]) -> None:
    """In the range, never twice, and the same one whenever the same is done."""
    runs = []
    for _ in range(2):
        made: list[Object] = []
        for name in names:
            made.append(addressed(service(name), None, made.copy))
        runs.append([o["spec"]["clusterIP"] for o in made])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(names)
    assert all(ip_address(ip) in RANGE for ip in runs[0])


def test_an_address_lasts_for_life_and_no_longer() -> None:
    """A write that leaves it out keeps it; once the Service is gone it can be had again."""
    old = addressed(service(), None, lambda: NOBODY)
    ip = old["spec"]["clusterIP"]
    assert given_to(service(selector={"a": "b"}), old, others=[old])["clusterIP"] == ip
    assert given_to(service("b", clusterIP=ip))["clusterIPs"] == [ip]
    external = addressed(service(type="ExternalName", externalName="x.io"), old, lambda: [old])
    assert external["spec"] == {"type": "ExternalName", "externalName": "x.io"}
    assert given_to(service(type="ClusterIP"), external)["clusterIP"] == ip


HEADLESS = {"clusterIP": "None", "clusterIPs": ["None"]}
SINGLE = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
DUAL = {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"}


@pytest.mark.parametrize(
    ("spec", "stored"),
    [
        ({"clusterIP": "None", "selector": {"a": "b"}}, {**HEADLESS, **SINGLE, "selector": {"a": "b"}}),
        ({"clusterIP": "None"}, {**HEADLESS, **DUAL}),
        ({"clusterIP": "10.96.0.10"}, {"clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10"], **SINGLE}),
    ],
)
def test_services_that_say_which(spec: dict[str, Any], stored: dict[str, Any]) -> None:
    """Headless ones, and such as name a free address."""
    assert given_to(service(**spec)) == stored


TAKEN = addressed(service("t"), None, lambda: NOBODY)
IP = TAKEN["spec"]["clusterIP"]


@pytest.mark.parametrize(
    ("spec", "old", "message"),
    [
        (
            {"type": "ExternalName", "clusterIP": "10.96.0.7"},
            None,
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        ),
        (
            {"clusterIP": IP},
            None,
            (
                f'spec.clusterIPs: Invalid value: ["{IP}"]: failed to allocate IP {IP}: '
                "provided IP is already allocated"
            ),
        ),
        (
            {"clusterIP": "1.2.3.4"},
            None,
            (
                'spec.clusterIPs: Invalid value: ["1.2.3.4"]: failed to allocate IP 1.2.3.4: '
                "the provided network does not match the current range"
            ),
        ),
        (
            {"clusterIP": "abc"},
            None,
            (
                'spec.clusterIPs[0]: Invalid value: "abc": must be a valid IP address, '
                "(e.g. 10.9.8.7 or 2001:db8::ffff)"
            ),
        ),
        (
            {"clusterIP": "fd00::1"},
            None,
            'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
        ),
        (
            {"clusterIP": "None", "clusterIPs": ["10.96.0.9"]},
            None,
            'spec.clusterIPs: Invalid value: ["10.96.0.9"]: first value must match `clusterIP`',
        ),
        (
            {"clusterIPs": ["None"]},
            None,
            'spec.clusterIPs: Invalid value: ["None"]: must be empty when `clusterIP` is not specified',
        ),
        (
            {"clusterIP": "10.96.0.9", "clusterIPs": [IP]},
            TAKEN,
            'spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change once set',
        ),
        (
            {"clusterIP": "None", "clusterIPs": ["None"]},
            TAKEN,
            'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
        ),
    ],
)
def test_what_is_refused(spec: dict[str, Any], old: Object | None, message: str) -> None:
    """With the words a real kube-apiserver answered to the same request."""
    with pytest.raises(ApiError) as caught:
        given_to(service("t" if old else "a", **spec), old, others=[TAKEN])
    assert caught.value.http_code == 422
    assert caught.value.message.partition(" is invalid: ")[2] == message
