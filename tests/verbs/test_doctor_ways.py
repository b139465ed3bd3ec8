"""Why agents do not get to their hub: real kubeconfigs against a real server, and what it answers."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from gitops_ocm.apiserver.serve import serve
from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.klusterlet.kept import SecretData
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import forbidden
from gitops_ocm.objects.ref import Resource
from gitops_ocm.objects.served import ACCOUNTS, SECRETS
from gitops_ocm.testing.clusters import connected, memory
from gitops_ocm.testing.joining import NAMESPACE as OCM
from gitops_ocm.testing.joining import bootstrap_kubeconfig
from gitops_ocm.verbs.doctor import DoctorOptions, Examination, examine
from gitops_ocm.verbs.doctor_spoke import SpokeOptions
from gitops_ocm.verbs.doctor_text import text, to_json
from tests.verbs.doctoring import NAMESPACE, causes, first, folded, roots

pytestmark = pytest.mark.slow

NAME = "lost"
CN = f"system:open-cluster-management:{NAME}:agent"
GROUPS = (f"system:open-cluster-management:{NAME}", "system:open-cluster-management:managed-clusters")
Edit = Callable[[dict[str, Any], dict[str, Any]], None]


class Ward:
    """A hub without controllers, a managed cluster, and the Secrets of its agents."""

    def __init__(self, hub: Cluster, spoke: Cluster, admin: Path, folder: Path) -> None:
        self.hub, self.spoke, self.admin, self.folder = hub, spoke, admin, folder
        self.bootstrap = SecretData(spoke, NAMESPACE, "bootstrap-hub-kubeconfig")
        self.kept = SecretData(spoke, NAMESPACE, "hub-kubeconfig-secret")

    async def give(self, edit: Edit | None = None) -> bytes:
        """A bootstrap Secret with a token that is good, its kubeconfig edited."""
        path = await bootstrap_kubeconfig(self.hub, self.admin, self.folder / "bootstrap")
        body = yaml.safe_load(await asyncio.to_thread(path.read_text))
        if edit is not None:
            edit(body["clusters"][0]["cluster"], body["users"][0]["user"])
        content: bytes = yaml.safe_dump(body).encode()
        await self.bootstrap.write({"kubeconfig": content})
        return content

    async def keep(
        self,
        name: str = CN,
        *,
        now: datetime | None = None,
        authority: Authority | None = None,
        **entries: bytes,
    ) -> None:
        """A hub kubeconfig with a certificate of the hub's authority, issued at `now`."""
        signer = authority or Authority.open(self.admin.parent / "pki", now=datetime.now(UTC))
        pair = signer.client(name, GROUPS, now=now or datetime.now(UTC))
        body = yaml.safe_load(await asyncio.to_thread(self.admin.read_text))
        body["users"][0]["user"] = {"client-certificate": "tls.crt", "client-key": "tls.key"}
        await self.kept.write(
            {
                "kubeconfig": yaml.safe_dump(body).encode(),
                "tls.crt": pair.certificate,
                "tls.key": pair.key,
                "cluster-name": NAME.encode(),
                "agent-name": b"agent",
            }
        )

    async def examined(self) -> Examination:
        """What is found of the cluster, from both sides."""
        options = DoctorOptions((NAME,), settle=0, spoke=SpokeOptions(NAME))
        return await examine(self.hub, self.spoke, options)


@pytest.fixture
async def ward(embedded_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Ward]:
    """The embedded hub over HTTPS and a managed cluster."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(connected(embedded_kubeconfig))
        spoke = await stack.enter_async_context(memory())
        yield Ward(hub, spoke, embedded_kubeconfig, tmp_path)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback where nobody listens: it is bound, so that nobody else will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def test_a_name_nobody_knows(ward: Ward) -> None:
    """A hub whose name cannot be resolved is told as that, and everything else follows from it."""
    await ward.give(lambda cluster, user: cluster.update(server="https://hub.invalid:6443"))
    found = await ward.examined()
    assert roots(found) == ["hub-name-unknown"]
    assert {"cluster-unknown", "hub-kubeconfig-missing"} <= folded(found)


async def test_nobody_listens(ward: Ward) -> None:
    """A hub that is not there is told with its URL."""
    with closed_port() as port:
        await ward.give(lambda cluster, user: cluster.update(server=f"https://127.0.0.1:{port}"))
        found = await ward.examined()
    assert roots(found) == ["hub-unreachable"]
    assert first(found, "hub-unreachable").facts[0].value == f"https://127.0.0.1:{port}"


async def test_a_proxy_that_is_not_there(ward: Ward) -> None:
    """Where the proxy does not answer it is the proxy that is named; its password is told nobody."""
    with closed_port() as port:
        proxy = f"http://someone:hunter2hunter2@127.0.0.1:{port}"
        await ward.give(lambda cluster, user: cluster.update({"proxy-url": proxy}))
        found = await ward.examined()
    assert roots(found) == ["hub-proxy"]
    assert "hunter2" not in text(found) + to_json(found)


async def test_another_authority(ward: Ward) -> None:
    """A bootstrap kubeconfig from before the hub got another authority: that is said."""
    other = Authority.open(ward.folder / "pki", now=datetime.now(UTC))
    coded = base64.b64encode(other.pem).decode()
    await ward.give(lambda cluster, user: cluster.update({"certificate-authority-data": coded}))
    found = await ward.examined()
    assert roots(found) == ["hub-ca-changed"]
    fields = {fact.field: fact.value for fact in first(found, "hub-ca-changed").facts}
    assert fields["certificate: issuer"] != fields["certificate-authority-data: subject"]
    assert "(key " in fields["certificate: issuer"]


async def test_a_token_that_is_over(ward: Ward) -> None:
    """A token whose time is over is told with the time; that the hub refuses it follows."""
    end = datetime.now(UTC) - timedelta(hours=2)
    token = jwt.encode({"exp": end}, "not the hub's key, and long enough for it", algorithm="HS256")
    await ward.give(lambda cluster, user: user.update(token=token))
    found = await ward.examined()
    assert roots(found) == ["bootstrap-expired"]
    assert "bootstrap-refused" in folded(found)
    assert token not in text(found) + to_json(found)


async def test_a_token_that_was_revoked(ward: Ward) -> None:
    """A token whose account was deleted: the hub does not take it, and a new one is the way on."""
    await ward.give()
    assert "bootstrap-refused" not in roots(await ward.examined())
    await ward.hub.delete(ACCOUNTS, OCM, "agent-registration-bootstrap")
    found = await ward.examined()
    assert roots(found) == ["bootstrap-refused"]
    assert first(found, "bootstrap-refused").mend == "gitops-ocm get token"


async def test_a_certificate_that_is_over(ward: Ward) -> None:
    """A client certificate whose time is over, with its end and whose it is."""
    await ward.give()
    await ward.keep(now=datetime.now(UTC) - timedelta(days=400))
    found = await ward.examined()
    assert "certificate-expired" in roots(found)
    facts = {fact.field: fact.value for fact in first(found, "certificate-expired").facts}
    assert facts["tls.crt: subject"] == CN


async def test_another_clusters_certificate(ward: Ward) -> None:
    """A Secret that was copied from another cluster is known by the name in its certificate."""
    await ward.give()
    await ward.keep("system:open-cluster-management:other:agent")
    found = await ward.examined()
    assert "wrong-cluster" in roots(found)
    assert "kubectl -n open-cluster-management-agent delete secret" in first(found, "wrong-cluster").mend


async def test_a_certificate_that_is_not_renewed(ward: Ward) -> None:
    """A certificate that is good for some days still, and was due weeks ago."""
    await ward.keep(
        f"system:open-cluster-management:{NAME}:late", now=datetime.now(UTC) - timedelta(days=360)
    )
    await ward.kept.write({**await ward.kept.read(), "agent-name": b"late"})
    found = await ward.examined()
    (finding,) = causes(found)["certificate-not-renewed"]
    assert finding.mend == f"kubectl get csr -l open-cluster-management.io/cluster-name={NAME}"


async def test_a_certificate_of_another_key(ward: Ward) -> None:
    """A certificate that does not belong to the key beside it is none."""
    await ward.give()
    await ward.keep()
    kept = await ward.kept.read()
    other = Authority.open(ward.folder / "pki", now=datetime.now(UTC)).client("x", (), now=datetime.now(UTC))
    await ward.kept.write({**kept, "tls.key": other.key})
    found = await ward.examined()
    assert "certificate-missing" in causes(found)


async def test_the_kubeconfig_of_another_cluster(ward: Ward) -> None:
    """Whoever looks at another managed cluster than the one asked for is told so, and nothing else of it."""
    await ward.keep("system:open-cluster-management:other:agent")
    kept = await ward.kept.read()
    await ward.kept.write({**kept, "cluster-name": b"other"})
    found = await ward.examined()
    assert "another-cluster" in roots(found)
    mend = "gitops-ocm doctor other --spoke-kubeconfig FILE"
    assert first(found, "another-cluster").mend == mend


async def test_agents_of_another_hub(ward: Ward) -> None:
    """Agents that are well with another hub than the one that is looked at."""
    async with serve(ward.folder / "other") as server, connected(server.kubeconfig_path) as other:
        elsewhere = Ward(other, ward.spoke, server.kubeconfig_path, ward.folder)
        await elsewhere.keep()
        found = await ward.examined()
        (finding,) = causes(found)["wrong-hub"]
    assert other.server in finding.sentence
    assert ward.hub.server in finding.sentence


async def test_a_hub_that_moved(ward: Ward) -> None:
    """The kept kubeconfig leads nowhere, and the bootstrap kubeconfig to another hub: they join anew."""
    await ward.give()
    await ward.keep()
    kept = await ward.kept.read()
    with closed_port() as port:
        body = yaml.safe_load(kept["kubeconfig"])
        body["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        await ward.kept.write({**kept, "kubeconfig": yaml.safe_dump(body).encode()})
        found = await ward.examined()
    (finding,) = causes(found)["hub-moved"]
    assert finding.mend == f"gitops-ocm accept --clusters {NAME}"


async def test_a_hub_whose_certificate_is_over(ward: Ward) -> None:
    """A server that shows a certificate whose time is over, of the right authority."""
    authority = Authority.open(ward.folder / "pki", now=datetime.now(UTC) - timedelta(days=500))
    old = authority.server((), now=datetime.now(UTC) - timedelta(days=500))
    listener = await asyncio.start_server(
        lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=authority.server_context(old)
    )
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        coded = base64.b64encode(authority.pem).decode()
        trusted = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": coded}
        await ward.give(lambda cluster, user: cluster.update(trusted))
        found = await ward.examined()
    assert roots(found) == ["hub-certificate-expired"]


async def test_a_certificate_the_hub_does_not_know(ward: Ward) -> None:
    """A certificate of another authority is one that the hub does not take."""
    await ward.give()
    await ward.keep(authority=Authority.open(ward.folder / "pki", now=datetime.now(UTC)))
    found = await ward.examined()
    assert "hub-credentials-refused" in roots(found)


async def test_rights_that_are_missing(ward: Ward) -> None:
    """A certificate that is good, on a hub that grants nothing: what is missing is named."""
    await ward.give()
    await ward.keep()
    found = await ward.examined()
    finding = first(found, "hub-rights-missing")
    assert any("get certificatesigningrequests" in fact.value for fact in finding.facts)


async def test_nothing_to_join_with(ward: Ward) -> None:
    """Agents without bootstrap kubeconfig, and without any other."""
    await ward.kept.write({"cluster-name": NAME.encode()})
    found = await ward.examined()
    assert "bootstrap-missing" in roots(found)


async def test_a_kubeconfig_that_is_none(ward: Ward) -> None:
    """What is no kubeconfig is told so, without what is in it."""
    await ward.bootstrap.write({"kubeconfig": b"token: abcdef.0123456789abcdef"})
    found = await ward.examined()
    assert "bootstrap-unusable" in roots(found)
    assert "0123456789abcdef" not in text(found) + to_json(found)


async def test_nothing_is_installed(ward: Ward) -> None:
    """A cluster without agents at all."""
    found = await ward.examined()
    assert roots(found) == ["klusterlet-missing"]


class Discreet:
    """A managed cluster that shows nobody its Secrets."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def get(self, resource: Resource, namespace: str, name: str) -> Any:
        """GET."""
        if resource.kind == "Secret":
            raise forbidden("", "secrets", name, "the role has no get")
        return await self._cluster.get(resource, namespace, name)


async def test_secrets_that_may_not_be_read(ward: Ward) -> None:
    """Who may not read the agents' Secrets is told that, and not that there are none."""
    await ward.give()
    spoke: Any = Discreet(ward.spoke)
    found = await examine(None, spoke, DoctorOptions((NAME,), settle=0, spoke=SpokeOptions(NAME)))
    assert not found.diagnosis.findings
    assert f"Secret {NAMESPACE}/hub-kubeconfig-secret (managed cluster)" in found.diagnosis.unseen


async def test_nothing_secret_is_told(ward: Ward) -> None:
    """Neither token nor key appear in what is printed, in either form."""
    content = await ward.give()
    await ward.keep(now=datetime.now(UTC) - timedelta(days=400))
    secret = await ward.spoke.get(SECRETS, NAMESPACE, "hub-kubeconfig-secret")
    token = yaml.safe_load(content)["users"][0]["user"]["token"]
    found = await ward.examined()
    printed = text(found) + to_json(found)
    assert token not in printed
    assert secret["data"]["tls.key"] not in printed
    assert "PRIVATE KEY" not in printed
    assert json.loads(to_json(found))["healthy"] is False


async def test_files_alone(ward: Ward) -> None:
    """A bootstrap kubeconfig is tried without any managed cluster to look at."""
    path = await bootstrap_kubeconfig(ward.hub, ward.admin, ward.folder / "file")
    options = DoctorOptions((NAME,), settle=0, spoke=SpokeOptions(NAME, path))
    assert roots(await examine(ward.hub, None, options)) == ["cluster-unknown"]
    await ward.hub.delete(ACCOUNTS, OCM, "agent-registration-bootstrap")
    found = await examine(ward.hub, None, options)
    assert roots(found) == ["bootstrap-refused"]
