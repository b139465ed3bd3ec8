"""Requests for certificates as agents make them, and as nobody should: subjects part by part, known keys."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.api.cluster import CLUSTER_NAME_LABEL, GROUP_PREFIX, MANAGED_CLUSTERS_GROUP
from gitops_ocm.api.registration import CLIENT_SIGNER, CLIENT_USAGES
from gitops_ocm.objects.ref import Object

PARTS = {
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
Subject = tuple[tuple[tuple[str, str], ...], ...]
"""The parts of a name in order, each a set of (kind, value)."""


@lru_cache(maxsize=1)
def key() -> ec.EllipticCurvePrivateKey:
    """A key that everybody knows."""
    return ec.derive_private_key(54321, ec.SECP256R1())


def agent_subject(cluster: str, agent: str = "agent1") -> Subject:
    """As Go writes it: all organizations in one part of the name."""
    own = f"{GROUP_PREFIX}{cluster}"
    return (("O", own), ("O", MANAGED_CLUSTERS_GROUP)), (("CN", f"{own}:{agent}"),)


def separate(subject: Subject) -> Subject:
    """The same subject with every value in a part of its own."""
    return tuple((value,) for part in subject for value in part)


@lru_cache(maxsize=128)
def request(subject: Subject) -> str:
    """A signed request for that subject, as JSON carries it."""
    names = [
        # Names of agents may be longer than X.520 says: Go does not mind.
        x509.RelativeDistinguishedName(
            x509.NameAttribute(PARTS[kind], value, _validate=False) for kind, value in part
        )
        for part in subject
    ]
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key(), hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def cluster_csr(
    cluster: str,
    subject: Subject | None = None,
    *,
    name: str = "",
    label: str | None = None,
    usages: Iterable[str] = CLIENT_USAGES,
    signer: str = CLIENT_SIGNER,
    username: str = "",
    groups: Sequence[str] = (),
) -> Object:
    """A cluster's request; `username` and `groups` are what a server has noted of who made it."""
    meta: Object = {"name": name} if name else {"generateName": f"{cluster}-"}
    wanted = cluster if label is None else label
    spec: Object = {
        "signerName": signer,
        "usages": list(usages),
        "request": request(agent_subject(cluster) if subject is None else subject),
    }
    noted: Object = {"username": username, "groups": list(groups)} if username else {}
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {**meta, **({"labels": {CLUSTER_NAME_LABEL: wanted}} if wanted else {})},
        "spec": {**spec, **noted},
    }
