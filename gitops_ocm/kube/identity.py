"""Who we are and whom we trust: kubeconfig files and in-cluster settings as a `Connection`.

Which files to read (KUBECONFIG, flags) is the CLI's business; paths come in. Every problem is told
with the file, the context and what to do.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from ruamel.yaml import YAML
from yaml import CSafeLoader

from gitops_ocm.errors import GitopsError, Location
from gitops_ocm.kube.credentials import (
    AuthProvider,
    Credentials,
    ExecPlugin,
    Identity,
    Static,
    TokenFile,
    basic,
    bearer,
)

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


def load_kubeconfig(path: str | Path | Sequence[str | Path], context: str | None = None) -> Connection:
    """The connection that a kubeconfig (or several, merged as kubectl does) describes.

    Without `context`, the current one. The first file to name a thing wins; paths inside a file
    are relative to it.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]
    merged = _Merged([_File.read(p.expanduser()) for p in paths])
    return merged.connection(context)


@dataclass(frozen=True)
class _File:
    path: Path
    body: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> _File:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise KubeconfigError(
                f"kubeconfig {path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}",
                hint="Give a file with --kubeconfig or in $KUBECONFIG.",
                where=Location(str(path)),
            ) from error
        try:
            # libyaml's, and so YAML 1.1, as kubectl reads it; many times as fast as the pure one.
            body = yaml.load(text, Loader=CSafeLoader)
        except yaml.YAMLError as error:
            line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
            raise KubeconfigError(
                f"kubeconfig {path} is not YAML", where=Location(str(path), line)
            ) from error
        if not isinstance(body, dict) or body.get("kind", "Config") != "Config":
            raise KubeconfigError(f"{path} is not a kubeconfig", where=Location(str(path)))
        return cls(path, body)


class _Merged:
    """Several kubeconfig files read as one."""

    def __init__(self, files: Sequence[_File]) -> None:
        if not files:
            raise KubeconfigError("no kubeconfig was given")
        self._files = files

    def connection(self, context: str | None) -> Connection:
        chosen = context or next((str(c) for f in self._files if (c := f.body.get("current-context"))), "")
        if not chosen:
            raise KubeconfigError(
                f"kubeconfig {self._names()} has no current context",
                hint="Choose one with --context" + self._known("contexts"),
                where=Location(str(self._files[0].path)),
            )
        file, entry = self._entry("contexts", "context", chosen, "")
        of = f"context {chosen}"
        cluster_file, cluster = self._entry("clusters", "cluster", str(entry.get("cluster") or ""), of)
        user_file, user = (
            self._entry("users", "user", str(entry["user"]), of) if entry.get("user") else (file, {})
        )
        source = f"{file.path}, {of}"
        server = str(cluster.get("server") or "")
        if not server.startswith(("https://", "http://")):
            raise KubeconfigError(
                f"{source}: cluster {entry.get('cluster')} has no usable server URL ({server!r})",
                where=Location(str(cluster_file.path)),
            )
        reader = _UserReader(user_file.path, cluster, source)
        return Connection(
            server=server,
            ca=_pem(cluster, "certificate-authority", cluster_file.path, source),
            certificate=_pem(user, "client-certificate", user_file.path, source),
            key=_pem(user, "client-key", user_file.path, source),
            credentials=reader.credentials(user),
            namespace=str(entry.get("namespace") or ""),
            proxy_url=str(cluster.get("proxy-url") or ""),
            tls_server_name=str(cluster.get("tls-server-name") or ""),
            insecure=bool(cluster.get("insecure-skip-tls-verify")),
            source=source,
            impersonation=reader.impersonation(user),
            cluster=str(entry.get("cluster") or ""),
        )

    def _entry(self, section: str, key: str, name: str, wanted_by: str) -> tuple[_File, Mapping[str, Any]]:
        for file in self._files:
            for item in file.body.get(section) or ():
                if isinstance(item, dict) and item.get("name") == name:
                    body = item.get(key)
                    return file, body if isinstance(body, dict) else {}
        by = f", which {wanted_by} asks for" if wanted_by else ""
        raise KubeconfigError(
            f"kubeconfig {self._names()} has no {key} {name!r}{by}",
            hint=("Choose one" if section == "contexts" else "Correct the file") + self._known(section),
            where=Location(str(self._files[0].path)),
        )

    def _names(self) -> str:
        return ", ".join(str(f.path) for f in self._files)

    def _known(self, section: str) -> str:
        names = [
            str(i.get("name")) for f in self._files for i in f.body.get(section) or () if isinstance(i, dict)
        ]
        return f"; it has: {', '.join(names)}." if names else f"; it has no {section}."


@dataclass(frozen=True)
class _UserReader:
    path: Path
    cluster: Mapping[str, Any]
    source: str

    def credentials(self, user: Mapping[str, Any]) -> Credentials:
        """In kubectl's order: token before tokenFile, plug-ins after, basic last."""
        if user.get("exec"):
            return ExecPlugin(user["exec"], self.cluster, self.path.parent)
        if user.get("auth-provider"):
            return AuthProvider(user, self.path.parent)
        if user.get("tokenFile"):
            return TokenFile(self.path.parent / str(user["tokenFile"]))
        if user.get("token"):
            return Static(Identity(bearer(str(user["token"]))))
        if user.get("username"):
            return basic(str(user["username"]), str(user.get("password") or ""))
        return Static()

    def impersonation(self, user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """What `as`, `as-uid`, `as-groups` and `as-user-extra` ask for, as headers."""
        headers = [("Impersonate-Uid", str(user["as-uid"]))] if user.get("as-uid") else []
        headers += [("Impersonate-Group", str(group)) for group in user.get("as-groups") or ()]
        for key, values in sorted((user.get("as-user-extra") or {}).items()):
            name = "Impersonate-Extra-" + quote(str(key).lower(), safe="")
            headers += [(name, str(value)) for value in values]
        if not user.get("as"):
            if headers:
                raise KubeconfigError(
                    f"{self.source}: it says as which groups to act, but not as whom (`as`)",
                    where=Location(str(self.path)),
                )
            return ()
        return (("Impersonate-User", str(user["as"])), *headers)


def _pem(entry: Mapping[str, Any], key: str, file: Path, source: str) -> Pem:
    if data := entry.get(f"{key}-data"):
        try:
            return Pem(base64.b64decode("".join(str(data).split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise KubeconfigError(f"{source}: {key}-data is not base64", where=Location(str(file))) from error
    if path := entry.get(key):
        pem = Pem(path=file.parent / str(path))
        pem.read()  # fail now, with the file's name, rather than at the first request
        return pem
    return Pem()


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


def write_kubeconfig(
    path: str | Path,
    *,
    server: str,
    ca: bytes = b"",
    certificate: bytes = b"",
    key: bytes = b"",
    certificate_path: str = "",
    key_path: str = "",
    token: str = "",
    namespace: str = "",
    cluster: str = "cluster",
    user: str = "user",
    context: str = "",
) -> None:
    """Write a kubeconfig with one context, readable by its owner only (0600), atomically."""
    name = context or f"{user}@{cluster}"
    cluster_body: dict[str, Any] = {"server": server}
    if ca:
        cluster_body["certificate-authority-data"] = base64.b64encode(ca).decode()
    coded = {"client-certificate-data": certificate, "client-key-data": key}
    plain = {"client-certificate": certificate_path, "client-key": key_path, "token": token}
    user_body = {k: base64.b64encode(data).decode() for k, data in coded.items() if data}
    user_body |= {k: text for k, text in plain.items() if text}
    context_body = {"cluster": cluster, "user": user} | ({"namespace": namespace} if namespace else {})
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": cluster_body}],
        "users": [{"name": user, "user": user_body}],
        "contexts": [{"name": name, "context": context_body}],
        "current-context": name,
    }
    _write_private(Path(path), body)


def _write_private(path: Path, body: Mapping[str, Any]) -> None:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            writer.dump(body, file)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
