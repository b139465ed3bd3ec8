"""The two servers that every built-in kind is held to, and the objects that are made on both."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.testing.waiting import eventually
from tests.builtin.sides import Both, Side


def _request() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    built = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = built.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


async def _side(cluster: Cluster, namespace: str) -> Side:
    kinds = {(r.api_version, r.kind): r for r in await cluster.discover()}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await cluster.create(kinds["v1", "Namespace"], made)
    accounts = kinds["v1", "ServiceAccount"]

    async def furnished() -> bool:
        return any(
            o["metadata"]["name"] == "default" for o in (await cluster.list(accounts, namespace)).items
        )

    await eventually(furnished, describe="the ServiceAccount of a new namespace")
    return Side(cluster, kinds)


@pytest.fixture(scope="session")
async def both(kubernetes_cluster: Cluster, embedded_cluster: Cluster) -> AsyncIterator[Both]:
    """A namespace of one name on both servers, for the whole run."""
    unique = f"u{uuid.uuid4().hex[:6]}"
    real, ours = await _side(kubernetes_cluster, unique), await _side(embedded_cluster, unique)
    octet = str(int(unique[1:3], 16) % 253 + 1)
    values = {"UNIQUE": unique, "NAMESPACE": unique, "OCTET": octet, "CSR": _request()}
    yield Both(real, ours, unique, values)
    for side in (real, ours):
        await side.cluster.delete(side.kinds["v1", "Namespace"], "", unique)
