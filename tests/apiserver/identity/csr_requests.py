"""Requests for certificates as tests make them, with keys that are the same in every run."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.objects.ref import Object

CLIENT = "kubernetes.io/kube-apiserver-client"
CLIENT_USAGES = ("digital signature", "key encipherment", "client auth")


def key(number: int = 12345) -> ec.EllipticCurvePrivateKey:
    """A key that everybody knows."""
    return ec.derive_private_key(number, ec.SECP256R1())


@lru_cache(maxsize=64)
def pem(user: str = "u", groups: tuple[str, ...] = ("g",), hosts: tuple[str, ...] = ()) -> bytes:
    """A signed request for a certificate of that subject."""
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    name = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def encoded(data: bytes) -> str:
    """Bytes as JSON carries them."""
    return base64.b64encode(data).decode()


def csr(
    name: str,
    request: bytes | None = None,
    *,
    signer: str = "example.com/none",
    usages: Iterable[str] = ("client auth",),
    version: str = "v1",
    **spec: Any,
) -> Object:
    """A CertificateSigningRequest; for a good request with a signer nobody serves, where not said."""
    said = {"request": encoded(pem() if request is None else request), "signerName": signer}
    return {
        "apiVersion": f"certificates.k8s.io/{version}",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {**said, "usages": list(usages), **spec},
    }
