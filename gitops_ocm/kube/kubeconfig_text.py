"""Kubeconfigs that are made here: one cluster, one user, one context."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml import CSafeDumper

from gitops_ocm.runtime.private_files import write_private


@dataclass(frozen=True, kw_only=True)
class Kubeconfig:
    """What it says. PEM goes into it; paths in it count from where it will lie."""

    server: str
    ca: bytes = b""
    proxy_url: str = field(default="", repr=False)
    tls_server_name: str = ""
    insecure: bool = False
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    certificate_path: str = ""
    key_path: str = ""
    token: str = field(default="", repr=False)
    token_path: str = ""
    namespace: str = ""
    cluster: str = "cluster"
    user: str = "user"
    context: str = ""

    def text(self) -> bytes:
        """The file, in YAML."""
        name = self.context or f"{self.user}@{self.cluster}"
        cluster = {
            "server": self.server,
            "certificate-authority-data": base64.b64encode(self.ca).decode(),
            "proxy-url": self.proxy_url,
            "tls-server-name": self.tls_server_name,
            "insecure-skip-tls-verify": self.insecure,
        }
        user = {
            "client-certificate-data": base64.b64encode(self.certificate).decode(),
            "client-key-data": base64.b64encode(self.key).decode(),
            "client-certificate": self.certificate_path,
            "client-key": self.key_path,
            "token": self.token,
            "tokenFile": self.token_path,
        }
        context = {"cluster": self.cluster, "user": self.user, "namespace": self.namespace}
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.cluster, "cluster": _given(cluster)}],
            "users": [{"name": self.user, "user": _given(user)}],
            "contexts": [{"name": name, "context": _given(context)}],
            "current-context": name,
        }
        text: str = yaml.dump(body, Dumper=CSafeDumper, sort_keys=False, width=1 << 20)
        return text.encode()

    def write(self, path: Path) -> None:
        """Write the file, for its owner's eyes only."""
        write_private(path, self.text())


def _given(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value}
