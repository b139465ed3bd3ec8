"""The embedded server's own certificates: a CA, what it signs, and the TLS settings of the listener.

Everything is EC P-256. The files live in one directory (0700), keys are 0600 and each file is
replaced atomically. `Authority.open` makes what is missing and renews what is close to its end, so
a restart rotates. Nothing here knows HTTP; who a client certificate stands for is said in `access`.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gitops_ocm.apiserver.tls_usages import extensions, subject_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.certificates import SKEW, KeyPair, begun, self_signed, signed, subject_name
from gitops_ocm.runtime.private_files import write_private

_NO_CHECK_TIME = 0x200000
"""OpenSSL's `X509_V_FLAG_NO_CHECK_TIME`, which Python has no name for."""
CA_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
LOOPBACK = ("localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


_RESTORE = "Restore the pair, or remove both to have a new CA made."


class CertificateProblem(GitopsError):
    """A certificate or key on disk that cannot be used."""

    code = "certificate-unusable"


class Authority:
    """A CA kept in a directory. It signs for this server and for its clients."""

    def __init__(self, directory: Path, pair: KeyPair) -> None:
        self.directory = directory
        self.pem = pair.certificate
        self._certificate, key = pair.parsed, pair.private
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
        if pair is None and (lost := _lost(directory)):
            raise CertificateProblem(f"{lost} is gone", hint=_RESTORE)
        if pair is None or _ends_soon(pair, now):
            pair = _new_ca(now)
            _write(directory, "ca", pair)
        try:
            return cls(directory, pair)
        except ValueError as error:
            raise CertificateProblem(
                f"{directory}/ca.crt or ca.key cannot be read: {error}",
                hint=_RESTORE,
            ) from error

    def server(self, hosts: Iterable[str], *, now: datetime) -> KeyPair:
        """The serving certificate for loopback and `hosts`, as kept or renewed."""
        names = tuple(dict.fromkeys((*LOOPBACK, *hosts)))
        pair = _read(self.directory, "server")
        if pair is None or not self._still_good(pair, now) or _names_of(pair) != names:
            alternatives = [_general_name(name) for name in names]
            pair = self._sign(subject_name("gitops-ocm"), ExtendedKeyUsageOID.SERVER_AUTH, now, alternatives)
            _write(self.directory, "server", pair)
        return pair

    def client(self, user: str, groups: Sequence[str] = (), *, now: datetime) -> KeyPair:
        """A client certificate (user in CN, groups in O), as kept or renewed."""
        file = f"client-{''.join(c if c.isalnum() or c in '-.' else '_' for c in user)}"
        pair = _read(self.directory, file)
        subject = subject_name(user, groups)
        if pair is None or not self._still_good(pair, now) or pair.parsed.subject != subject:
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
        builder = begun(subject, issuer, request.public_key(), start, end)
        for extension, critical in extensions(request, usages):
            builder = builder.add_extension(extension, critical=critical)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = builder.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())
        return certificate.public_bytes(Encoding.PEM)

    def server_context(self, pair: KeyPair) -> ssl.SSLContext:
        """TLS 1.2 or newer; a client certificate is welcome and must then be this CA's.

        When it counts is judged for each request (`authentication`), so that an old one is a 401.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem.decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= _NO_CHECK_TIME
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.directory / "server.crt", self.directory / "server.key")
        return context

    def _still_good(self, pair: KeyPair, now: datetime) -> bool:
        try:
            pair.parsed.verify_directly_issued_by(self._certificate)
            if pair.private.public_key() != pair.parsed.public_key():
                return False
        except Exception:  # noqa: BLE001  (whatever is wrong with it, it is made anew)
            return False
        return not _ends_soon(pair, now)

    def _sign(
        self,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        now: datetime,
        names: Iterable[x509.GeneralName] = (),
    ) -> KeyPair:
        start, end = now - SKEW, now + LIFETIME
        return signed(self._certificate, self._key, subject, usage, start=start, end=end, names=names)


def _new_ca(now: datetime) -> KeyPair:
    # The date tells a renewed CA from its predecessor where both are around.
    return self_signed(subject_name(f"gitops-ocm-ca@{int(now.timestamp())}"), now, CA_LIFETIME)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _names_of(pair: KeyPair) -> tuple[str, ...]:
    try:
        names = pair.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names.value)


def _ends_soon(pair: KeyPair, now: datetime) -> bool:
    try:
        return now + RENEW_BEFORE >= pair.parsed.not_valid_after_utc
    except ValueError:
        return False  # not a certificate at all: said by whoever loads it


def _read(directory: Path, name: str) -> KeyPair | None:
    try:
        return KeyPair(
            (directory / f"{name}.crt").read_bytes(),
            (directory / f"{name}.key").read_bytes(),
        )
    except FileNotFoundError:
        return None


def _lost(directory: Path) -> Path | None:
    """What of a CA is missing, where it once was: clients trust that CA and would not know a new one.

    A key alone is what a crash leaves before anything was ever signed.
    """
    certificate, key = directory / "ca.crt", directory / "ca.key"
    if certificate.exists():
        return key
    return certificate if key.exists() and (directory / "server.crt").exists() else None


def _write(directory: Path, name: str, pair: KeyPair) -> None:
    # The key goes first: a certificate without its key would be taken for a pair after a crash.
    write_private(directory / f"{name}.key", pair.key)
    write_private(directory / f"{name}.crt", pair.certificate)
