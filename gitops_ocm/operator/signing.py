"""A certificate authority and server certificates made of it: keys, for the webhooks of a hub.

Values in, values out, but for the keys, which are random. Where they are kept is `serving`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gitops_ocm.runtime.certificates import SKEW, KeyPair, self_signed, signed, subject_name

AUTHORITY_LIFE, SERVER_LIFE = timedelta(days=365), timedelta(days=30)


def renew_at(pair: KeyPair) -> datetime:
    """When a fifth of its life is left."""
    certificate = pair.parsed
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_after_utc - life / 5


def new_authority(name: str, now: datetime) -> KeyPair:
    """A certificate authority that signs itself."""
    return self_signed(_name(f"{name}@{int(now.timestamp())}"), now, AUTHORITY_LIFE)


def new_server(authority: KeyPair, hosts: Sequence[str], now: datetime) -> KeyPair:
    """A certificate for a server that goes by these names."""
    return signed(
        authority.parsed,
        authority.private,
        _name(hosts[0]),
        ExtendedKeyUsageOID.SERVER_AUTH,
        start=now - SKEW,
        end=now + SERVER_LIFE,
        names=[x509.DNSName(host) for host in hosts],
    )


def read_pair(certificate: bytes, key: bytes) -> KeyPair | None:
    """What was kept; None where it is not a certificate with its key."""
    pair = KeyPair(certificate, key)
    try:
        return pair if pair.private.public_key() == pair.parsed.public_key() else None
    except ValueError:
        return None


def serves(pair: KeyPair, authority: KeyPair, hosts: Sequence[str]) -> bool:
    """Whether a server certificate is of this authority and for these names."""
    certificate = pair.parsed
    try:
        certificate.verify_directly_issued_by(authority.parsed)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 -- whatever is wrong with it, it is not one of ours
        return False
    return set(hosts) <= set(names.get_values_for_type(x509.DNSName))


def bundle(current: KeyPair, earlier: str, now: datetime) -> str:
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


def _name(text: str) -> x509.Name:
    return subject_name(text[:64])
