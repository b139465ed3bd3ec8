"""What tests of the hub's process share: a certificate authority, and webhooks that are served."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.hub.webhook import Reviewer, ServingCertificate, serving
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object


@dataclass
class Served:
    """Webhooks that listen, and who signs for them."""

    url: str
    authority: Authority
    files: ServingCertificate

    def trusting(self) -> ssl.SSLContext:
        """A client's context that knows the authority."""
        return ssl.create_default_context(cadata=self.authority.pem.decode())

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """The status and the answer."""
        async with (
            ClientSession(connector=TCPConnector(ssl=self.trusting())) as session,
            session.post(f"{self.url}{path}", json=body) as answer,
        ):
            good = answer.content_type == "application/json"
            return answer.status, await (answer.json() if good else answer.text())


def write_pair(authority: Authority, files: ServingCertificate, *hosts: str) -> None:
    """Put a certificate for loopback into the files, the key first; a new one for other further hosts."""
    pair = authority.server(["127.0.0.1", *hosts], now=datetime.now(UTC))
    files.key.write_bytes(pair.key)
    files.certificate.write_bytes(pair.certificate)


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def served(tmp_path: Path) -> Serve:
    """`async with served(cluster) as webhooks`: the webhooks of a hub."""

    @asynccontextmanager
    async def start(
        cluster: Cluster, settings: HubSettings | None = None, *, look: float = 0.02
    ) -> AsyncIterator[Served]:
        authority = Authority.open(tmp_path / "pki", now=datetime.now(UTC))
        files = ServingCertificate(tmp_path / "tls.crt", tmp_path / "tls.key")
        write_pair(authority, files)
        async with serving(Reviewer(cluster, settings), "127.0.0.1", 0, files, look=look) as port:
            yield Served(f"https://127.0.0.1:{port}", authority, files)

    return start


def role_for(user: str, name: str, *rules: tuple[str, str, str], names: tuple[str, ...] = ()) -> list[Object]:
    """A ClusterRole of (group, resource, verb) and its binding to a user."""
    limited = {"resourceNames": list(names)} if names else {}
    api = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [
                {"apiGroups": [group], "resources": [resource], "verbs": [verb], **limited}
                for group, resource, verb in rules
            ],
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": api, "kind": "User", "name": user}],
        },
    ]
