"""Kubeconfigs of an agent: the one it bootstraps with, and the one that it makes of what it got.

The made one names certificate and key by relative paths, so it is good wherever the Secret is mounted.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml
from yaml import CSafeLoader

from gitops_ocm.api.registration import (
    CERTIFICATE_KEY,
    KUBECONFIG_CONTEXT,
    KUBECONFIG_NAMESPACE,
    KUBECONFIG_USER,
    PRIVATE_KEY_KEY,
    TOKEN_KEY,
)
from gitops_ocm.decide.agent.bootstrap import HubAddress
from gitops_ocm.kube.credentials import Credentials, Identity
from gitops_ocm.kube.identity import Connection, Pem
from gitops_ocm.kube.kubeconfig_text import Kubeconfig

_LOOK_AGAIN = timedelta(seconds=75)


def address_of(connection: Connection) -> HubAddress:
    """The hub that a bootstrap kubeconfig names."""
    return HubAddress(
        connection.cluster,
        connection.server,
        connection.ca.read(),
        connection.proxy_url,
        connection.tls_server_name,
        connection.insecure,
    )


def hub_connection(address: HubAddress, credentials: Credentials) -> Connection:
    """How the agent reaches its hub as itself."""
    return Connection(
        server=address.server,
        ca=Pem(address.ca),
        credentials=credentials,
        proxy_url=address.proxy_url,
        tls_server_name=address.tls_server_name,
        insecure=address.insecure,
        source="the hub kubeconfig of the agent",
    )


def kubeconfig_text(address: HubAddress, *, token: bool = False) -> bytes:
    """The kubeconfig to keep beside certificate and key, or beside a token."""
    return Kubeconfig(
        server=address.server,
        ca=address.ca,
        proxy_url=address.proxy_url,
        tls_server_name=address.tls_server_name,
        insecure=address.insecure,
        cluster=address.name,
        user=KUBECONFIG_USER,
        context=KUBECONFIG_CONTEXT,
        namespace=KUBECONFIG_NAMESPACE,
        certificate_path="" if token else CERTIFICATE_KEY,
        key_path="" if token else PRIVATE_KEY_KEY,
        token_path=TOKEN_KEY if token else "",
    ).text()


def read_address(kubeconfig: bytes) -> HubAddress | None:
    """The hub in a kept kubeconfig; None where it is not one."""
    try:
        body = yaml.load(kubeconfig, Loader=CSafeLoader)
        context = _named(body["contexts"], body["current-context"])["context"]
        cluster = _named(body["clusters"], context["cluster"])["cluster"]
        return HubAddress(
            str(context["cluster"]),
            str(cluster["server"]),
            base64.b64decode(cluster.get("certificate-authority-data") or ""),
            str(cluster.get("proxy-url") or ""),
            str(cluster.get("tls-server-name") or ""),
            bool(cluster.get("insecure-skip-tls-verify")),
        )
    except (yaml.YAMLError, ValueError, KeyError, TypeError, StopIteration):
        return None


def _named(items: Any, name: str) -> Any:
    return next(item for item in items if item["name"] == name)


@dataclass
class HeldIdentity:
    """The certificate in force, as credentials: connections take up a new one by themselves.

    What runs on an older connection finishes there (`kube.session`).
    """

    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)

    async def fetch(self, now: datetime) -> Identity:
        """What is held now; asked for again half a minute later, at the latest."""
        return Identity(certificate=self.certificate, key=self.key, expires=now + _LOOK_AGAIN)

    def take(self, certificate: bytes, key: bytes) -> None:
        """Hold another one."""
        self.certificate, self.key = certificate, key
