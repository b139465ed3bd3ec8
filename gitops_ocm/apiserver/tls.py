"""The embedded server's own certificates: a CA, what it signs, and the TLS settings of the listener.

Everything is EC P-256. The files live in one directory (0700), keys are 0600 and each file is
replaced atomically. `Authority.open` makes what is missing and renews what is close to its end, so
a restart rotates. Nothing here knows HTTP; who a client certificate stands for is said in `access`.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

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
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gitops_ocm.apiserver.tls_usages import extensions, subject_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.private_files import write_private

CA_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
SKEW = timedelta(minutes=5)
"""Certificates are valid from a little earlier, for clients whose clock is behind."""

LOOPBACK = ("localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


class CertificateProblem(GitopsError):
    """A certificate or key on disk that cannot be used."""

    code = "certificate-unusable"


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as PEM; the key never shows in a repr."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"KeyPair({len(self.certificate)} bytes of certificate)"


class Authority:
    """A CA kept in a directory. It signs for this server and for its clients."""

    def __init__(self, directory: Path, pair: KeyPair) -> None:
        self.directory = directory
        self.pem = pair.certificate
        self._certificate = x509.load_pem_x509_certificate(pair.certificate)
        key = load_pem_private_key(pair.key, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateProblem(f"{directory}/ca.key is not an EC key")
        if key.public_key() != self._certificate.public_key():
            raise CertificateProblem(
                f"{directory}/ca.key does not belong to {directory}/ca.crt",
                hint="Restore the pair, or remove both for a new CA (and new kubeconfigs).",
            )
        self._key = key

    @classmethod
    def open(cls, directory: Path, *, now: datetime) -> Authority:
        """The CA in `directory`; made where there is none or where it is about to expire."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        pair = _read(directory, "ca")
        if pair is None or _ends_soon(pair, now):
            pair = _new_ca(now)
            _write(directory, "ca", pair)
        try:
            return cls(directory, pair)
        except ValueError as error:
            raise CertificateProblem(
                f"{directory}/ca.crt or ca.key cannot be read: {error}",
                hint="Restore the pair, or remove both to have a new CA made.",
            ) from error

    def server(self, hosts: Iterable[str], *, now: datetime) -> KeyPair:
        """The serving certificate for loopback and `hosts`, as kept or renewed."""
        names = tuple(dict.fromkeys((*LOOPBACK, *hosts)))
        pair = _read(self.directory, "server")
        if pair is None or not self._still_good(pair, now) or _names_of(pair) != names:
            extension = x509.SubjectAlternativeName([_general_name(n) for n in names])
            pair = self._sign(_subject("gitops-ocm"), ExtendedKeyUsageOID.SERVER_AUTH, now, extension)
            _write(self.directory, "server", pair)
        return pair

    def client(self, user: str, groups: Sequence[str] = (), *, now: datetime) -> KeyPair:
        """A client certificate (user in CN, groups in O), as kept or renewed."""
        file = f"client-{''.join(c if c.isalnum() or c in '-.' else '_' for c in user)}"
        pair = _read(self.directory, file)
        subject = _subject(user, groups)
        if pair is None or not self._still_good(pair, now) or _certificate(pair).subject != subject:
            pair = self._sign(subject, ExtendedKeyUsageOID.CLIENT_AUTH, now)
            _write(self.directory, file, pair)
        return pair

    def certify(
        self,
        request: x509.CertificateSigningRequest,
        usages: Iterable[str],
        *,
        start: datetime,
        end: datetime,
    ) -> bytes:
        """The PEM of a certificate for who has asked for it; for what is the caller's to judge."""
        end = min(end, self._certificate.not_valid_after_utc)
        subject, issuer = subject_of(request.subject), self._certificate.subject
        builder = _builder(subject, issuer, request.public_key(), start, end)
        for extension, critical in extensions(request, usages):
            builder = builder.add_extension(extension, critical=critical)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = builder.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())
        return signed.public_bytes(Encoding.PEM)

    def server_context(self, pair: KeyPair) -> ssl.SSLContext:
        """TLS 1.2 or newer; a client certificate is welcome and must then be this CA's."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem.decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.directory / "server.crt", self.directory / "server.key")
        return context

    def _still_good(self, pair: KeyPair, now: datetime) -> bool:
        try:
            _certificate(pair).verify_directly_issued_by(self._certificate)
        except Exception:  # noqa: BLE001  (whatever is wrong with it, it is made anew)
            return False
        return not _ends_soon(pair, now)

    def _sign(
        self,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        now: datetime,
        extension: x509.SubjectAlternativeName | None = None,
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        # Never beyond the CA's own end: a chain is as good as its shortest link.
        end = min(now + LIFETIME, self._certificate.not_valid_after_utc)
        builder = _builder(subject, self._certificate.subject, key.public_key(), now - SKEW, end)
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if extension is not None:
            builder = builder.add_extension(extension, critical=False)
        return _pair(builder.sign(self._key, hashes.SHA256()), key)


def _new_ca(now: datetime) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    # The date tells a renewed CA from its predecessor where both are around.
    name = _subject(f"gitops-ocm-ca@{int(now.timestamp())}")
    certificate = (
        _builder(name, name, key.public_key(), now - SKEW, now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


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


def _subject(user: str, groups: Sequence[str] = ()) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _names_of(pair: KeyPair) -> tuple[str, ...]:
    try:
        names = _certificate(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names.value)


def _certificate(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def _ends_soon(pair: KeyPair, now: datetime) -> bool:
    try:
        return now + RENEW_BEFORE >= _certificate(pair).not_valid_after_utc
    except ValueError:
        return False  # not a certificate at all: said by whoever loads it


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate.public_bytes(Encoding.PEM), pem)


def _read(directory: Path, name: str) -> KeyPair | None:
    try:
        return KeyPair(
            (directory / f"{name}.crt").read_bytes(),
            (directory / f"{name}.key").read_bytes(),
        )
    except FileNotFoundError:
        return None


def _write(directory: Path, name: str, pair: KeyPair) -> None:
    # The key goes first: a certificate without its key would be taken for a pair after a crash.
    write_private(directory / f"{name}.key", pair.key)
    write_private(directory / f"{name}.crt", pair.certificate)
