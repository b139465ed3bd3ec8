"""X.509 certificates as they are made here: EC P-256, a few extensions, valid from a little earlier.

Whoever signs says what for and how long (`apiserver.tls`, `operator.signing`); here is how one is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

SKEW = timedelta(minutes=5)
"""Certificates begin in the past: clocks differ."""


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as PEM; the key never shows in a repr."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def parsed(self) -> x509.Certificate:
        """The certificate itself; raises ValueError where it is none."""
        return x509.load_pem_x509_certificate(self.certificate)

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        """The key itself; raises ValueError where it is none, or not one on an elliptic curve."""
        try:
            found = load_pem_private_key(self.key, None)
        except TypeError as fault:  # one with a password
            raise ValueError(str(fault)) from fault
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise ValueError("it is not an EC key")
        return found


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key."""
    return ec.generate_private_key(ec.SECP256R1())


def subject_name(common: str, organizations: Sequence[str] = ()) -> x509.Name:
    """A subject: user and groups, as Kubernetes reads them."""
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations]
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def begun(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    """A certificate without its extensions."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def self_signed(name: x509.Name, now: datetime, life: timedelta) -> KeyPair:
    """A certificate authority that signs servers and clients, but no other authority."""
    key = new_key()
    certificate = (
        begun(name, name, key.public_key(), now - SKEW, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def signed(
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    usage: x509.ObjectIdentifier,
    *,
    start: datetime,
    end: datetime,
    names: Iterable[x509.GeneralName] = (),
) -> KeyPair:
    """A certificate of an authority for a key made now; never beyond the authority's own end."""
    key = new_key()
    end = min(end, authority.not_valid_after_utc)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = (
        begun(subject, authority.subject, key.public_key(), start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(identifier, critical=False)
    )
    if alternatives := list(names):
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return _pair(builder.sign(signer, hashes.SHA256()), key)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), pem)
