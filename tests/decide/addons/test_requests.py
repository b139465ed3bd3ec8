"""Certificates of add-ons' agents: which requests are approved unseen, and what is signed with an own CA."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL
from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, MergePatch
from gitops_ocm.decide.kinds import CLUSTER_ADDON, CSR
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.conversion import converted
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.csrs import cluster_csr
from tests.decide.addons.request_cases import (
    AGENT,
    CASES,
    HOME,
    NAME,
    REGISTRATION,
    SIGNER,
    STRICTER,
    THEIRS,
    request,
    subject,
)
from tests.decide.addons.template_cases import Case, config_map, custom_signer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def hub(*objects: Object, registration: list[Object] | None = None) -> Simulation:
    """A hub with the add-on on `c1`, which registers with its API and with a signer of its own."""
    world = World(load_catalog(), namespaces=["default", "fleet", HOME, "c1"])
    simulation = Simulation(world, addon_rows(HubSettings()), now=NOW)
    asked = registration if registration is not None else REGISTRATION
    case = Case(NAME, [config_map()], registration=asked)
    for obj in (make.managed_cluster("c1"), *case.objects()):
        older = obj["apiVersion"].replace("v1beta1", "v1alpha1")
        assert simulation.act(Create(converted(obj, older)))[0].error is None
    simulation.settle()
    for obj in objects:
        world.put(obj)
        assert simulation.act(
            MergePatch(Ref(*CLUSTER_ADDON, "c1", NAME), {"metadata": {"labels": {"x": "y"}}})
        )
    return simulation


def played(csr: Object, *objects: Object, **told: Any) -> Simulation:
    """What becomes of a request."""
    simulation = hub(*objects, **told)
    simulation.hub.put(csr)
    # The store is told by a write, as a server would.
    simulation.act(MergePatch(Ref(*CSR, "", csr["metadata"]["name"]), {"metadata": {"labels": {"x": "y"}}}))
    simulation.settle()
    return simulation


def found(simulation: Simulation, csr: Object) -> Object:
    """A request as it is now."""
    got = simulation.hub.get(Ref(*CSR, "", csr["metadata"]["name"]))
    assert got is not None
    return got


def is_approved(simulation: Simulation, csr: Object) -> bool:
    """Whether it is approved, in the words of OCM's manager."""
    conditions = (found(simulation, csr).get("status") or {}).get("conditions") or []
    approved = find(conditions, "Approved")
    assert approved is None or (approved["reason"], approved["message"]) == (
        "AutoApprovedByHubCSRApprovingController",
        "Auto approving addon agent certificate.",
    )
    return approved is not None


@pytest.mark.parametrize("case", CASES)
def test_what_is_approved(case: str) -> None:
    """What the add-on registers for, asked for by its own cluster's agent, and nothing else."""
    csr, approved = CASES[case]
    assert is_approved(played(csr), csr) is approved


def test_we_are_stricter_than_ocm_s_manager_where_we_mean_to_be() -> None:
    """It approves, on record, what we approve, and those that have a reason to be left to a person."""
    ours = {case for case, (_, approved) in CASES.items() if approved}
    assert ours | STRICTER.keys() == THEIRS
    assert not ours & STRICTER.keys()


@pytest.mark.parametrize("registration", [[], [custom_signer(SIGNER)]], ids=["none", "another"])
def test_nothing_is_approved_that_is_not_registered(registration: list[Object]) -> None:
    """An add-on without access to the hub gets none."""
    assert not is_approved(played(request(), registration=registration), request())


# --- signing ----------------------------------------------------------------------------------------


def _key(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def authority(kind: str = "EC", *, ends: timedelta = timedelta(days=365), other_key: bool = False) -> Object:
    """A Secret with a CA."""
    key = _key(kind)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(NOW + ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = (_key(kind) if other_key else key).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    data = {"tls.crt": certificate.public_bytes(serialization.Encoding.PEM), "tls.key": pem}
    return secret({name: base64.b64encode(value).decode() for name, value in data.items()})


def secret(data: Mapping[str, str]) -> Object:
    """The Secret `ca` where the hub's controllers run."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ca", "namespace": HOME},
        "type": "Opaque",
        "data": dict(data),
    }


OWN = request(subject("u", "g"), signer=SIGNER)


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_an_own_signer_s_certificate(kind: str) -> None:
    """For a day, for a client and a server, with the subject asked for, by the CA of the Secret."""
    ca = authority(kind)
    simulation = played(OWN, ca)
    made = x509.load_pem_x509_certificate(base64.b64decode(found(simulation, OWN)["status"]["certificate"]))
    issuer = x509.load_pem_x509_certificate(base64.b64decode(ca["data"]["tls.crt"]))
    made.verify_directly_issued_by(issuer)
    names = [str(each.value) for each in made.subject]
    assert sorted(names) == ["g", "u"]
    assert (made.not_valid_before_utc, made.not_valid_after_utc) == (NOW, NOW + timedelta(hours=24))
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    known = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert named.key_identifier == known.digest
    assert found(played(OWN, ca), OWN)["status"] == found(simulation, OWN)["status"]


def test_a_certificate_does_not_outlive_its_ca() -> None:
    """It ends with it."""
    simulation = played(OWN, authority(ends=timedelta(hours=1)))
    made = x509.load_pem_x509_certificate(base64.b64decode(found(simulation, OWN)["status"]["certificate"]))
    assert made.not_valid_after_utc == NOW + timedelta(hours=1)


BAD: Mapping[str, tuple[list[Object], str, str]] = {
    "no Secret": ([], "SigningCANotFound", f"there is no Secret {HOME}/ca to sign with"),
    "nothing in it": ([secret({})], "SigningCAUnusable", "are no certificate and key in PEM"),
    "expired": ([authority(ends=-timedelta(days=1))], "SigningCAUnusable", "has expired at 2025-12-31T12"),
    "another key": ([authority(other_key=True)], "SigningCAUnusable", "is not the key of its tls.crt"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_signed_is_told(case: str) -> None:
    """By a condition of the add-on, until it can be; the request stays approved."""
    objects, reason, message = BAD[case]
    simulation = played(OWN, *objects)
    assert is_approved(simulation, OWN)
    assert "certificate" not in found(simulation, OWN)["status"]
    told = _told(simulation)
    assert told is not None
    assert (told["status"], told["reason"], message in told["message"]) == ("False", reason, True)
    good = authority()
    ref = Ref("", "Secret", HOME, "ca")
    write = MergePatch(ref, {"data": good["data"]}) if objects else Create(good)
    assert simulation.act(write)[0].error is None
    simulation.settle()
    assert "certificate" in found(simulation, OWN)["status"]
    assert _told(simulation) is None


def _told(simulation: Simulation) -> Mapping[str, Any] | None:
    addon = simulation.hub.get(Ref(*CLUSTER_ADDON, "c1", NAME))
    assert addon is not None
    return find(at_beta(addon)["status"]["conditions"], "SigningCAReady")


def test_requests_of_clusters_are_not_add_ons() -> None:
    """What has no label of an add-on is for others to judge."""
    csr = cluster_csr("c1", name="addon-c1", username=AGENT)
    assert csr["metadata"]["labels"] == {CLUSTER_NAME_LABEL: "c1"}
    assert not is_approved(played(csr), csr)
