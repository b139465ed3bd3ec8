"""Who we are and whom we trust at one API server: a `Connection`. `kubeconfig` reads them from files."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.credentials import Credentials, Identity, Static, TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class KubeconfigError(GitopsError):
    """A kubeconfig cannot be used; `where` is the file."""

    code = "kubeconfig"


@dataclass(frozen=True)
class Pem:
    """A certificate or key: bytes at hand, or a file that is read when needed (it may be renewed)."""

    data: bytes = field(default=b"", repr=False)
    path: Path | None = None

    def read(self) -> bytes:
        """The PEM text, empty if there is none."""
        if self.path is None:
            return self.data
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise KubeconfigError(
                f"{self.path} cannot be read: {error.strerror}",
                hint="Check the certificate and key paths in the kubeconfig.",
            ) from error

    def stamp(self) -> float:
        """Changes when the file does."""
        try:
            return self.path.stat().st_mtime if self.path else 0.0
        except OSError:
            return -1.0

    def __bool__(self) -> bool:
        return bool(self.data) or self.path is not None


@dataclass(frozen=True)
class Connection:
    """How to reach one API server. Its repr shows no secret."""

    server: str
    ca: Pem = field(default_factory=Pem)
    certificate: Pem = field(default_factory=Pem)
    key: Pem = field(default_factory=Pem, repr=False)
    credentials: Credentials = field(default_factory=Static, repr=False)
    namespace: str = ""
    proxy_url: str = field(default="", repr=False)
    tls_server_name: str = ""
    insecure: bool = False
    source: str = ""
    """The file and context this came from, for messages."""
    impersonation: tuple[tuple[str, str], ...] = ()
    """Headers that say as whom to act: whoever asks for fewer rights must not get their own instead."""
    cluster: str = ""
    """What the kubeconfig calls the server."""

    def expired(self, now: datetime) -> str:
        """A sentence about the client certificate, if its time is over; "" otherwise.

        Servers tell that in many ways, a broken connection among them.
        """
        from cryptography import x509  # Only where something went wrong already.

        try:
            end = x509.load_pem_x509_certificate(self.certificate.read()).not_valid_after_utc
        except (ValueError, KubeconfigError):
            return ""
        if end > now:
            return ""
        return f"The client certificate of {self.source} expired on {end:%Y-%m-%d}: get a new kubeconfig."

    def acting_as(self, user: str, groups: Iterable[str] = ()) -> Connection:
        """The same server, as somebody else, where who we are may do that."""
        headers = [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]
        return replace(self, impersonation=tuple(headers))

    def stamp(self) -> tuple[float, ...]:
        """Changes when a certificate file is renewed."""
        return (self.ca.stamp(), self.certificate.stamp(), self.key.stamp())

    def ssl_context(self, shown: Identity | None = None) -> ssl.SSLContext:
        """TLS settings; a certificate in `shown` (from a plug-in) goes before the kubeconfig's."""
        try:
            context = ssl.create_default_context(cadata=self.ca.read().decode() if self.ca else None)
        except (ssl.SSLError, ValueError) as error:
            raise KubeconfigError(
                f"{self.source}: the certificate authority is not PEM", hint="Check certificate-authority."
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if shown is not None and shown.certificate:
            _load_chain(context, shown.certificate, shown.key, self.source)
        elif self.certificate:
            _load_chain(context, self.certificate.read(), self.key.read(), self.source)
        return context


def _load_chain(context: ssl.SSLContext, certificate: bytes, key: bytes, source: str) -> None:
    """Give the context a client certificate; `ssl` takes files only, so one exists for a moment (0600)."""
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(certificate + b"\n" + key)
        context.load_cert_chain(name)
    except (ssl.SSLError, ValueError) as error:
        raise KubeconfigError(
            f"{source}: the client certificate and its key do not belong together, or are not PEM",
            hint="Check client-certificate and client-key.",
        ) from error
    finally:
        Path(name).unlink()


def in_cluster(host: str, port: str = "443", directory: Path = SERVICE_ACCOUNT) -> Connection:
    """The connection of a pod to its own cluster (KUBERNETES_SERVICE_HOST and _PORT, handed in)."""
    ca, token = directory / "ca.crt", directory / "token"
    if not host or not token.exists():
        raise KubeconfigError(
            "not running in a pod: there is no service account", hint="Give a kubeconfig with --kubeconfig."
        )
    namespace = directory / "namespace"
    return Connection(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca=Pem(path=ca),
        credentials=TokenFile(token),
        namespace=namespace.read_text(encoding="utf-8").strip() if namespace.exists() else "",
        source="in-cluster service account",
    )
