"""The words of Kubernetes for what a certificate may be used for, as X.509 extensions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_KEY: Mapping[str, str] = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_FIELDS = tuple(dict.fromkeys(_KEY.values()))
_IPSEC = "1.3.6.1.5.5.7.3."
_EXTENDED: Mapping[str, ObjectIdentifier] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": ObjectIdentifier(f"{_IPSEC}5"),
    "ipsec tunnel": ObjectIdentifier(f"{_IPSEC}6"),
    "ipsec user": ObjectIdentifier(f"{_IPSEC}7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": ObjectIdentifier("2.16.840.1.113730.4.1"),
}


_SUBJECT = (
    NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME, NameOID.STREET_ADDRESS, NameOID.POSTAL_CODE, NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)  # fmt: skip
"""What a subject may consist of, in this order; anything else asked for is left out."""


def subject_of(asked: x509.Name) -> x509.Name:
    """The subject of a certificate, put together as Go does: all values of a sort side by side."""
    parts = ([a for a in asked if a.oid == oid] for oid in _SUBJECT)
    return x509.Name([x509.RelativeDistinguishedName(dict.fromkeys(part)) for part in parts if part])


def extensions(
    request: x509.CertificateSigningRequest, usages: Iterable[str]
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Those of a certificate for that request, each with whether it is critical: of what was asked for
    only the names are taken over.
    """
    usages = tuple(usages)
    key = {_KEY[usage] for usage in usages if usage in _KEY}
    if "key_agreement" not in key:  # these two say how keys are agreed on, and mean nothing without it
        key -= {"encipher_only", "decipher_only"}
    if key:
        yield x509.KeyUsage(**{field: field in key for field in _FIELDS}), True
    extended = [oid for usage, oid in _EXTENDED.items() if usage in usages]
    if extended:
        yield x509.ExtendedKeyUsage(dict.fromkeys(extended)), False
    yield x509.BasicConstraints(ca=False, path_length=None), True
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return
    yield names.value, False
