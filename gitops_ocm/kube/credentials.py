"""Where the `Authorization` header and client certificates come from, and when to ask again.

A kubeconfig's user is one of these. Exec plug-ins are run here (client.authentication.k8s.io, with
its expiry, certificates and cluster info, which the `kubernetes` package leaves out); the legacy
auth providers (oidc, gcp) are left to that package, imported only when used, for it is slow to load.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import orjson

from gitops_ocm.errors import GitopsError
from gitops_ocm.runtime.redact import Secret, redacted_text

_EARLY = timedelta(seconds=60)
_FILE_AGE = timedelta(seconds=60)
_EXEC_TIMEOUT = 60.0


class CredentialsError(GitopsError):
    """No credentials could be had: a token file is gone, a plug-in failed."""

    code = "credentials"


@dataclass(frozen=True)
class Identity:
    """What a request shows: a header, or a certificate with its key (PEM), or neither."""

    header: Secret | None = None
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: datetime | None = None

    def stale(self, now: datetime) -> bool:
        """Whether it should be asked for again."""
        return self.expires is not None and now >= self.expires - _EARLY


class Credentials(Protocol):
    """One way to identify. `fetch` may take long; its answer holds until stale or refused (401)."""

    async def fetch(self, now: datetime) -> Identity:
        """A fresh identity."""
        ...


def bearer(token: str) -> Secret:
    """The header for a token."""
    return Secret(f"Bearer {token}")


@dataclass(frozen=True)
class Static:
    """A token, a basic header or nothing, as written in the kubeconfig."""

    identity: Identity = field(default_factory=Identity)

    async def fetch(self, now: datetime) -> Identity:
        """Always the same."""
        return self.identity


def basic(username: str, password: str) -> Static:
    """HTTP basic authentication."""
    coded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Static(Identity(Secret(f"Basic {coded}")))


@dataclass(frozen=True)
class TokenFile:
    """A token in a file that somebody else keeps fresh (a ServiceAccount's); re-read each minute."""

    path: Path

    async def fetch(self, now: datetime) -> Identity:
        """The token that is there now."""
        try:
            token = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialsError(
                f"token file {self.path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}",
                hint="Check tokenFile in the kubeconfig, or that the ServiceAccount's token is mounted.",
            ) from error
        if not token:
            raise CredentialsError(f"token file {self.path} is empty")
        return Identity(bearer(token), expires=now + _FILE_AGE + _EARLY)


@dataclass(frozen=True)
class ExecPlugin:
    """A credential plug-in: a program that prints an `ExecCredential`."""

    spec: Mapping[str, Any]
    cluster: Mapping[str, Any]
    directory: Path

    async def fetch(self, now: datetime) -> Identity:
        """Run the program and read its answer."""
        command = str(self.spec.get("command") or "")
        if not command:
            raise CredentialsError("the kubeconfig's exec section names no command")
        status = self._status(command, await self._output(command))
        token, certificate = status.get("token"), status.get("clientCertificateData")
        key = status.get("clientKeyData")
        if not token and not (certificate and key):
            raise CredentialsError(f"{command} gave neither a token nor a certificate with its key")
        return Identity(
            bearer(token) if token else None,
            (certificate or "").encode(),
            (key or "").encode(),
            _parsed_time(status.get("expirationTimestamp")),
        )

    async def _output(self, command: str) -> bytes:
        program = command if "/" not in command else str(self.directory / command)
        arguments = [str(a) for a in self.spec.get("args") or ()]
        try:
            process = await asyncio.create_subprocess_exec(
                program, *arguments,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            hint = str(self.spec.get("installHint") or "Is the credential plug-in installed and on PATH?")
            raise CredentialsError(f"{command} cannot be run: {error.strerror}", hint=hint) from error
        try:
            async with asyncio.timeout(_EXEC_TIMEOUT):
                out, err = await process.communicate()
        except TimeoutError as error:
            raise CredentialsError(f"{command} did not finish in {_EXEC_TIMEOUT:.0f} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = redacted_text(err.decode("utf-8", "replace").strip()[-300:])
            raise CredentialsError(f"{command} failed with status {process.returncode}", note=said)
        return out

    def _environment(self) -> dict[str, str]:
        # A plug-in is the user's own program and needs their environment: PATH, HOME, proxies.
        environment = dict(os.environ)
        for entry in self.spec.get("env") or ():
            environment[str(entry.get("name"))] = str(entry.get("value"))
        spec: dict[str, Any] = {"interactive": False}
        if self.spec.get("provideClusterInfo"):
            spec["cluster"] = dict(self.cluster)
        info = {"apiVersion": self.spec.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
        environment["KUBERNETES_EXEC_INFO"] = orjson.dumps(info).decode()
        return environment

    def _status(self, command: str, output: bytes) -> Mapping[str, Any]:
        try:
            answer = orjson.loads(output)
        except orjson.JSONDecodeError as error:
            raise CredentialsError(f"{command} did not print JSON") from error
        wanted = self.spec.get("apiVersion")
        if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
            raise CredentialsError(f"{command} did not print an ExecCredential")
        if answer.get("apiVersion") != wanted:
            raise CredentialsError(
                f"{command} speaks {answer.get('apiVersion')}, the kubeconfig asks {wanted}"
            )
        status = answer.get("status")
        return status if isinstance(status, dict) else {}


@dataclass(frozen=True)
class AuthProvider:
    """A legacy auth provider (oidc, gcp): the `kubernetes` package knows how."""

    user: Mapping[str, Any]
    directory: Path

    async def fetch(self, now: datetime) -> Identity:
        """A token from the provider, refreshed where it can be."""
        from kubernetes.aio.config import kube_config  # slow to import, rarely used

        name = (self.user.get("auth-provider") or {}).get("name")
        if name not in ("oidc", "gcp"):
            raise CredentialsError(
                f"auth provider {name!r} is not supported", hint="Use the exec plug-in of your provider."
            )
        whole = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {}}],
            "users": [{"name": "u", "user": orjson.loads(orjson.dumps(self.user))}],
        }
        loader: Any = _untyped(kube_config.KubeConfigLoader)(
            config_dict=whole, config_base_path=str(self.directory)
        )
        try:
            token = await (loader.load_gcp_token() if name == "gcp" else loader._load_oid_token())
        except Exception as error:
            raise CredentialsError(f"auth provider {name}: {redacted_text(str(error))}") from error
        return Identity(Secret(token), expires=now + timedelta(minutes=5))


def _untyped(constructor: Any) -> Any:
    return constructor


def _parsed_time(text: Any) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return parsed if parsed is None or parsed.tzinfo else parsed.replace(tzinfo=UTC)
