"""Webhooks' certificates: made, left alone, renewed in time; a replaced authority stays trusted."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES, SECRETS
from gitops_ocm.operator.serving import SIGNER, keep_serving
from gitops_ocm.operator.signing import bundle, new_authority, new_server, read_pair, renew_at, serves
from gitops_ocm.testing.clusters import memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEBHOOK, HOSTS = "work-webhook-serving-cert", ("hook.ns.svc", "hook.ns.svc.cluster.local")
CA = "ca-bundle-configmap"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster with the namespace."""
    async with memory() as found:
        await found.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
        yield found


async def keep(cluster: Cluster, now: datetime, hosts: tuple[str, ...] = HOSTS) -> datetime:
    """One look."""
    return await keep_serving(cluster, "ns", {WEBHOOK: hosts}, {"made": "here"}, now)


async def versions(cluster: Cluster) -> list[str]:
    """What tells whether anything was written."""
    objects = [await cluster.get(SECRETS, "ns", name) for name in (SIGNER, WEBHOOK)]
    return [o["metadata"]["resourceVersion"] for o in (*objects, await cluster.get(CONFIG_MAPS, "ns", CA))]


def certificate(secret: Object) -> x509.Certificate:
    """The certificate in a Secret."""
    return x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))


async def test_made_once_and_left_alone(cluster: Cluster) -> None:
    """Everything is there after one look, and the next one writes nothing until a fifth of a life is left."""
    again = await keep(cluster, NOW)
    before = await versions(cluster)
    assert timedelta(days=23) < again - NOW < timedelta(days=25)
    assert await keep(cluster, again - timedelta(seconds=1)) == again
    assert await versions(cluster) == before
    assert await keep(cluster, again) > again
    signer, server, trusted = before
    assert (await versions(cluster))[0::2] == [signer, trusted]
    assert (await versions(cluster))[1] != server


async def test_a_replaced_authority_stays_trusted(cluster: Cluster) -> None:
    """When the authority is due, both are in the bundle, and webhooks get certificates of the new one."""
    await keep(cluster, NOW)
    old = certificate(await cluster.get(SECRETS, "ns", SIGNER))
    later = NOW + timedelta(days=300)
    await keep(cluster, later)
    new = certificate(await cluster.get(SECRETS, "ns", SIGNER))
    text = (await cluster.get(CONFIG_MAPS, "ns", CA))["data"]["ca-bundle.crt"]
    assert x509.load_pem_x509_certificates(text.encode()) == [new, old]
    certificate(await cluster.get(SECRETS, "ns", WEBHOOK)).verify_directly_issued_by(new)
    much_later = NOW + timedelta(days=370)
    await keep(cluster, much_later)
    text = (await cluster.get(CONFIG_MAPS, "ns", CA))["data"]["ca-bundle.crt"]
    assert x509.load_pem_x509_certificates(text.encode()) == [new]


@pytest.mark.parametrize(
    "data",
    [
        {"tls.crt": "", "tls.key": ""},
        {"tls.crt": "bm9uZQ==", "tls.key": "bm9uZQ=="},
    ],
)
async def test_what_is_none_is_made_anew(cluster: Cluster, data: dict[str, str]) -> None:
    """A Secret that holds no certificate with its key is replaced."""
    await keep(cluster, NOW)
    held = await cluster.get(SECRETS, "ns", WEBHOOK)
    await cluster.update(SECRETS, {**held, "data": data})
    await keep(cluster, NOW)
    found = await cluster.get(SECRETS, "ns", WEBHOOK)
    assert read_pair(*(base64.b64decode(found["data"][key]) for key in ("tls.crt", "tls.key"))) is not None


async def test_other_names_need_another_certificate(cluster: Cluster) -> None:
    """An address that is added to a spec is in the certificate at the next look."""
    await keep(cluster, NOW)
    await keep(cluster, NOW, (*HOSTS, "hooks.example"))
    names = certificate(await cluster.get(SECRETS, "ns", WEBHOOK)).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "hooks.example" in names.value.get_values_for_type(x509.DNSName)


def test_keys_that_do_not_fit() -> None:
    """A certificate of one key with another key is none, and one of another authority does not serve."""
    one, two = new_authority("a", NOW), new_authority("b", NOW)
    assert read_pair(one.certificate, two.key) is None
    server = new_server(one, HOSTS, NOW)
    assert serves(server, one, HOSTS)
    assert not serves(server, two, HOSTS)
    assert not serves(server, one, ("other.ns.svc",))
    assert renew_at(server) < renew_at(one)
    assert b"PRIVATE" not in repr(server).encode()


def test_a_bundle_is_one_that_tls_takes() -> None:
    """What is trusted loads as it is, and what was kept there by mistake is dropped."""
    authority = new_authority("a", NOW)
    text = bundle(authority, "no certificate at all", NOW)
    assert ssl.create_default_context(cadata=text).get_ca_certs()
    assert text.count("BEGIN CERTIFICATE") == 1
