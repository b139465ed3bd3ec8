"""Makes a certificate from a request with an add-on's own CA: a day long, for a client and a server.

Pure: the same request, CA and time make the same certificate. So nothing random goes into it: the serial
number is a digest, and signatures with elliptic curves are deterministic (RFC 6979).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from gitops_ocm.errors import GitopsError

LIFETIME = timedelta(hours=24)
SigningKey = RSAPrivateKey | EllipticCurvePrivateKey


class CannotSign(GitopsError):
    """A request or a CA that nothing can be signed with."""

    code = "addon-signing"


def signed(request: bytes, ca: bytes, key: bytes, *, seed: str, now: datetime) -> bytes:
    """The certificate for a request, all as PEM; `seed` tells one request from another with the same key."""
    issuer, signing = _authority(ca, key)
    if issuer.not_valid_after_utc <= now:
        expired = issuer.not_valid_after_utc
        raise CannotSign(f"the CA has expired at {expired:%Y-%m-%dT%H:%M:%SZ}", hint="renew it")
    csr = _request(request)
    start = now.replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(issuer.subject)
        .public_key(csr.public_key())
        .serial_number(_serial(seed, request, start))
        .not_valid_before(start)
        .not_valid_after(min(start + LIFETIME, issuer.not_valid_after_utc))
        .add_extension(_usage(), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
    )
    for extension in _copied(csr, issuer):
        builder = builder.add_extension(extension, critical=False)
    deterministic = isinstance(signing, EllipticCurvePrivateKey) or None
    certificate = builder.sign(signing, hashes.SHA256(), ecdsa_deterministic=deterministic)
    return certificate.public_bytes(serialization.Encoding.PEM)


def _authority(ca: bytes, key: bytes) -> tuple[x509.Certificate, SigningKey]:
    try:
        issuer = x509.load_pem_x509_certificate(ca)
        signing = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CannotSign("its tls.crt and tls.key are no certificate and key in PEM") from error
    if not isinstance(signing, RSAPrivateKey | EllipticCurvePrivateKey):
        raise CannotSign("its key is neither RSA nor of an elliptic curve")
    if signing.public_key() != issuer.public_key():
        raise CannotSign("its tls.key is not the key of its tls.crt")
    return issuer, signing


def _request(request: bytes) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_pem_x509_csr(request)
        valid = csr.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise CannotSign("the request cannot be read") from error
    if not valid:
        raise CannotSign("the request is not signed with its own key")
    return csr


def _serial(seed: str, request: bytes, start: datetime) -> int:
    text = f"{seed} {start.astimezone(UTC).isoformat()} ".encode() + request
    return int.from_bytes(hashlib.sha256(text).digest()[:16]) >> 1 or 1


def _usage() -> x509.KeyUsage:
    unset = dict.fromkeys(
        (
            "content_commitment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(digital_signature=True, key_encipherment=True, **unset)


def _copied(csr: x509.CertificateSigningRequest, issuer: x509.Certificate) -> list[x509.ExtensionType]:
    """The names a request asks for, and the CA's identifier."""
    found: list[x509.ExtensionType] = []
    with suppress(x509.ExtensionNotFound):
        found.append(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    with suppress(x509.ExtensionNotFound):
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        found.append(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier))
    return found
