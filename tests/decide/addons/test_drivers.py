"""What a klusterlet says of how its add-ons get at the hub, at either version."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gitops_ocm.decide.agent.addon_registration import credentials_of, with_driver
from gitops_ocm.decide.agent.certificates import Wanted
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object

GROUP = "addon.open-cluster-management.io"
ACCOUNT = "system:serviceaccount:c1:hello-agent"
CLIENT: Object = {"type": "kubeClient", "kubeClient": {"subject": {"user": "u", "groups": ["g"]}}}
SIGNERS: list[Object] = [
    {"type": "customSigner", "customSigner": {"signerName": "example.com/a", "subject": {"groups": ["g"]}}},
    {"type": "customSigner", "customSigner": {"signerName": "example.com/b", "subject": {"user": "u"}}},
]


def addon(*registrations: Object, version: str = "v1beta1") -> Object:
    """An add-on whose status registers these."""
    made: Object = {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "ManagedClusterAddOn",
        "metadata": {"name": "hello", "namespace": "c1"},
        "spec": {},
        "status": {"registrations": list(registrations)},
    }
    return converted(made, f"{GROUP}/{version}")


def settled(obj: Object, driver: str) -> Object:
    """The add-on once that is said, at v1beta1."""
    told = {**obj, "status": {**obj["status"], **with_driver(obj, driver)}}
    assert with_driver(told, driver) == {}
    return converted(told, f"{GROUP}/v1beta1")


SAID: Mapping[str, tuple[str, Object]] = {
    "csr": ("csr", {"subject": {"user": "u", "groups": ["g"]}, "driver": "csr"}),
    "token": ("token", {"subject": {"user": ACCOUNT}, "driver": "token"}),
}


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
@pytest.mark.parametrize("case", SAID)
def test_what_is_said_of_the_driver(case: str, version: str) -> None:
    """The driver, and with tokens as whom; once. Signers of the add-on's own are left as they are."""
    driver, expected = SAID[case]
    found = settled(addon(CLIENT, *SIGNERS, version=version), driver)["status"]["registrations"]
    assert found[0] == {"type": "kubeClient", "kubeClient": expected}
    assert [each["customSigner"]["signerName"] for each in found[1:]] == ["example.com/a", "example.com/b"]


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
def test_without_access_to_the_hub_nothing_is_said(version: str) -> None:
    """A signer has no driver."""
    assert with_driver(addon(*SIGNERS, version=version), "token") == {}


def test_subjects_of_own_signers() -> None:
    """As registered: a user that is left open is the agent's own, a group that is left open is none."""
    wanted = [c.how for c in credentials_of(addon(*SIGNERS), "csr")]
    assert all(isinstance(how, Wanted) for how in wanted)
    own = "system:open-cluster-management:cluster:c1:addon:hello:agent:hello"
    subjects = [how.subject for how in wanted if isinstance(how, Wanted)]
    assert [(s.common_name, s.groups) for s in subjects] == [(own, {"g"}), ("u", frozenset())]
