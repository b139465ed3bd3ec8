"""Kubeconfigs as a `Connection`: files of a person, and ones that were handed over (in a Secret).

Which files to read (KUBECONFIG, flags) is the CLI's business; paths come in. Every problem is told
with the file, the context and what to do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from yaml import CSafeLoader

from gitops_ocm.errors import Location
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
from gitops_ocm.kube.identity import Connection, KubeconfigError, Pem


def load_kubeconfig(path: str | Path | Sequence[str | Path], context: str | None = None) -> Connection:
    """The connection that a kubeconfig (or several, merged as kubectl does) describes.

    Without `context`, the current one. The first file to name a thing wins; paths inside a file
    are relative to it.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(p) for p in path]
    merged = _Merged([_File.read(p.expanduser()) for p in paths])
    return merged.connection(context)


def held_kubeconfig(data: Mapping[str, bytes], key: str, source: str) -> Connection:
    """The connection of a kubeconfig that was handed over, under `key` of `data`: a Secret's, mostly.

    Whoever could write the Secret did not get our shell and our files by that: the kubeconfig may run
    no program, and the paths in it are other keys of `data`. `source` names the whole, for messages.
    """
    text = data.get(key, b"")
    if not text:
        raise KubeconfigError(f"{source} has no {key}")
    return _Merged([_File.parsed(Path(f"{source}, {key}"), text, data)]).connection(None)


@dataclass(frozen=True)
class _File:
    path: Path
    body: Mapping[str, Any]
    beside: Mapping[str, bytes] | None = None
    """The files that paths in it mean, where it does not lie in a directory of its reader."""

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
        return cls.parsed(path, text)

    @classmethod
    def parsed(cls, path: Path, text: str | bytes, beside: Mapping[str, bytes] | None = None) -> _File:
        try:
            # libyaml's, and so YAML 1.1, as kubectl reads it; many times as fast as the pure one.
            body = yaml.load(text, Loader=CSafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
            raise KubeconfigError(
                f"kubeconfig {path} is not YAML", where=Location(str(path), line)
            ) from error
        if not isinstance(body, dict) or body.get("kind", "Config") != "Config":
            raise KubeconfigError(f"{path} is not a kubeconfig", where=Location(str(path)))
        for section in ("clusters", "contexts", "users"):
            if not isinstance(body.get(section) or [], list):
                raise KubeconfigError(
                    f"{path} is not a kubeconfig: its {section} are no list", where=Location(str(path))
                )
        return cls(path, body, beside)

    def file(self, name: str, source: str) -> Pem:
        """What a path in it means; read now, so that what is missing is told with its name."""
        if self.beside is None:
            pem = Pem(path=self.path.parent / name)
            pem.read()
            return pem
        if (data := self.beside.get(name)) is None:
            raise KubeconfigError(
                f"{source}: there is no {name!r} beside it",
                hint="Put its content into the kubeconfig: kubectl config view --raw --flatten --minify",
            )
        return Pem(data)


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
        reader = _UserReader(user_file, cluster, source)
        return Connection(
            server=server,
            ca=_pem(cluster, "certificate-authority", cluster_file, source),
            certificate=_pem(user, "client-certificate", user_file, source),
            key=_pem(user, "client-key", user_file, source),
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
    file: _File
    cluster: Mapping[str, Any]
    source: str

    def credentials(self, user: Mapping[str, Any]) -> Credentials:
        """In kubectl's order: plug-ins, then tokenFile before token, basic last."""
        folder = self.file.path.parent
        for key in ("exec", "auth-provider"):
            if user.get(key) and self.file.beside is not None:
                raise KubeconfigError(
                    f"{self.source}: it would run a program here ({key}), which a kubeconfig that was "
                    "handed over may not",
                    hint="Put a token or a client certificate into it.",
                )
        if user.get("exec"):
            return ExecPlugin(user["exec"], self.cluster, folder)
        if user.get("auth-provider"):
            return AuthProvider(user, folder)
        if user.get("tokenFile"):
            if self.file.beside is None:
                return TokenFile(folder / str(user["tokenFile"]))
            token = self.file.file(str(user["tokenFile"]), self.source).data
            return Static(Identity(bearer(token.decode().strip())))
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
                    where=Location(str(self.file.path)),
                )
            return ()
        return (("Impersonate-User", str(user["as"])), *headers)


def _pem(entry: Mapping[str, Any], key: str, file: _File, source: str) -> Pem:
    if data := entry.get(f"{key}-data"):
        try:
            return Pem(base64.b64decode("".join(str(data).split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise KubeconfigError(
                f"{source}: {key}-data is not base64", where=Location(str(file.path))
            ) from error
    return file.file(str(path), source) if (path := entry.get(key)) else Pem()
