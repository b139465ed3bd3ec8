"""Private keys and certificates of an agent. Keys are made here and never leave the agent.

They are bytes in PEM that no repr shows; what a certificate says becomes a value for `decide`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from gitops_ocm.decide.agent.certificates import Certificate, Subject, Wanted

_REQUEST_HEAD = b"-----BEGIN CERTIFICATE REQUEST-----"


@dataclass(frozen=True)
class KeyRequest:
    """A private key, and the signing request made with it: public, and known by its bytes."""

    key: bytes = field(repr=False)
    request: bytes

    @property
    def text(self) -> bytes:
        """Both, to be kept until the certificate is there."""
        return self.key + self.request


def new_request(wanted: Wanted) -> KeyRequest:
    """A new key, and the request of a certificate for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(wanted.subject))
    if wanted.dns_names:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in wanted.dns_names])
        builder = builder.add_extension(names, critical=False)
    request = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    # SEC 1, as Go's agents write it.
    return KeyRequest(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()), request
    )


def kept_request(text: bytes, wanted: Wanted) -> KeyRequest | None:
    """A request that was kept (`KeyRequest.text`), if it is for what is wanted."""
    key, head, rest = text.partition(_REQUEST_HEAD)
    try:
        load_pem_private_key(key, None)
        asked = x509.load_pem_x509_csr(head + rest)
    except ValueError:
        return None
    return KeyRequest(key, head + rest) if _subject(asked.subject) == wanted.subject else None


def read_certificate(certificate: bytes, key: bytes) -> Certificate | None:
    """What a certificate says; None where it cannot be read or does not belong to the key."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError):
        return None
    if _public(found.public_key()) != _public(private.public_key()):
        return None
    return Certificate(_subject(found.subject), found.not_valid_before_utc, found.not_valid_after_utc)


def _public(key: object) -> bytes:
    assert hasattr(key, "public_bytes")
    shown: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return shown


def _name(subject: Subject) -> x509.Name:
    """As Go encodes it: all groups in one relative name."""
    parts = [
        # Longer than X.520's 64 characters they may be: Go, and so every hub, does not mind.
        [x509.NameAttribute(oid, value, _validate=False) for value in sorted(values)]
        for oid, values in (
            (NameOID.ORGANIZATION_NAME, subject.groups),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.units),
            (NameOID.COMMON_NAME, {subject.common_name}),
        )
    ]
    return x509.Name([x509.RelativeDistinguishedName(part) for part in parts if part])


def _subject(name: x509.Name) -> Subject:
    def values(oid: x509.ObjectIdentifier) -> list[str]:
        return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]

    return Subject(
        next(iter(values(NameOID.COMMON_NAME)), ""),
        frozenset(values(NameOID.ORGANIZATION_NAME)),
        frozenset(values(NameOID.ORGANIZATIONAL_UNIT_NAME)),
    )
