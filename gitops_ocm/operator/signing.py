"""A certificate authority and server certificates made of it: keys, for the webhooks of a hub.

Values in, values out, but for the keys, which are random. Where they are kept is `serving`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE, SERVER_LIFE = timedelta(days=365), timedelta(days=30)
SKEW = timedelta(minutes=5)
"""Certificates begin in the past: clocks differ."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM. Its repr shows no secret."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def parsed(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificate(self.certificate)


def renew_at(pair: Pair) -> datetime:
    """When a fifth of its life is left."""
    certificate = pair.parsed
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - life / 5


def new_authority(name: str, now: datetime) -> Pair:
    """A certificate authority that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"{name}@{int(now.timestamp())}")
    builder = _builder(subject, subject, key, now, AUTHORITY_LIFE).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    return _pair(builder.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256()), key)


def new_server(authority: Pair, hosts: Sequence[str], now: datetime) -> Pair:
    """A certificate for a server that goes by these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = load_pem_private_key(authority.key, None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    life = min(SERVER_LIFE, authority.parsed.not_valid_after_utc - now)
    builder = _builder(_name(hosts[0]), authority.parsed.subject, key, now, life)
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs=False), critical=True)
    )
    return _pair(builder.sign(signer, hashes.SHA256()), key)


def read_pair(certificate: bytes, key: bytes) -> Pair | None:
    """What was kept; None where it is not a certificate with its key."""
    try:
        loaded, parsed = load_pem_private_key(key, None), x509.load_pem_x509_certificate(certificate)
    except (ValueError, TypeError):
        return None
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.public_key() != parsed.public_key():
        return None
    return Pair(certificate, key)


def serves(pair: Pair, authority: Pair, hosts: Sequence[str]) -> bool:
    """Whether a server certificate is of this authority and for these names."""
    certificate = pair.parsed
    try:
        certificate.verify_directly_issued_by(authority.parsed)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 -- whatever is wrong with it, it is not one of ours
        return False
    return set(hosts) <= set(names.get_values_for_type(x509.DNSName))


def bundle(current: Pair, earlier: str, now: datetime) -> str:
    """The authorities to trust: this one first, then those of before that are still valid."""
    own = current.certificate.decode()
    kept = []
    try:
        for certificate in x509.load_pem_x509_certificates(earlier.encode()) if earlier.strip() else []:
            text = certificate.public_bytes(Encoding.PEM).decode()
            if text.strip() != own.strip() and certificate.not_valid_after_utc > now:
                kept.append(text)
    except ValueError:
        kept = []
    return "".join([own, *kept])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM), secret)
