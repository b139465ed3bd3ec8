"""From a certificate request to who one is: signing, the agents of clusters, old hubs, and cleaning up."""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.api.crd import crds
from gitops_ocm.apiserver import cluster_info, csr_signing
from gitops_ocm.apiserver.csr_pem import blocks
from gitops_ocm.apiserver.csr_rules import causes
from gitops_ocm.apiserver.serve import Server, serve
from gitops_ocm.decide import access
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Object
from tests.apiserver.identity.csr_requests import CLIENT, CLIENT_USAGES, csr, encoded, key, pem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CSRS = "/apis/certificates.k8s.io/{v}/certificatesigningrequests"
WORKS = "/apis/work.open-cluster-management.io/v1{ns}/manifestworks"
Eventually = Callable[..., Awaitable[Any]]


class Caller:
    """Calls a server, as its administrator or by other credentials."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server, self.session = server, session

    def context(self, certificate: bytes = b"", private: bytes = b"") -> ssl.SSLContext:
        """TLS with a client certificate, or without."""
        context = ssl.create_default_context(cadata=self.server.authority.pem.decode())
        if certificate:
            file = self.server.kubeconfig_path.with_name("client.pem")
            file.write_bytes(certificate + private)
            context.load_cert_chain(file)
        return context

    async def __call__(
        self, method: str, path: str, body: Any = None, *, tls: ssl.SSLContext | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and document."""
        url = self.server.url + path
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(
            method, url, json=body, ssl=tls or self.admin, headers=sent
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    @property
    def admin(self) -> ssl.SSLContext:
        """The administrator's."""
        pair = self.server.authority.client("gitops-ocm-admin", ("system:masters",), now=datetime.now(UTC))
        return self.context(pair.certificate, pair.key)

    async def certificate(
        self, name: str, request: bytes, eventually: Eventually, *, version: str = "v1"
    ) -> bytes:
        """A client certificate, asked for, approved and signed."""
        path = CSRS.format(v=version)
        body = csr(name, request, signer=CLIENT, usages=CLIENT_USAGES, version=version)
        status, made = await self("POST", path, body)
        assert status == 201, made
        condition = {"type": "Approved", "status": "True", "reason": "t", "message": "t"}
        approved = {**made, "status": {"conditions": [condition]}}
        assert (await self("PUT", f"{path}/{name}/approval", approved))[0] == 200

        async def signed() -> str:
            return str((await self("GET", f"{path}/{name}"))[1]["status"].get("certificate", ""))

        return base64.b64decode(await eventually(signed))


MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}}
PRIVATE = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """An embedded hub with OCM's kinds, and the rights of two accepted clusters."""
    async with serve(tmp_path_factory.mktemp("hub"), crds=crds()) as found:
        yield found


@pytest.fixture
async def call(server: Server) -> AsyncIterator[Caller]:
    """A caller of that hub."""
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


def _path(obj: Object) -> str:
    namespace = obj["metadata"].get("namespace")
    within = f"/namespaces/{namespace}" if namespace else ""
    plural = {"Namespace": "namespaces"}.get(obj["kind"], f"{obj['kind'].lower()}s")
    root = "/api/v1" if obj["apiVersion"] == "v1" else f"/apis/{obj['apiVersion']}"
    return f"{root}{within}/{plural}"


def rights(clusters: Iterable[str]) -> list[Object]:
    """What a hub gives to accepted clusters."""
    found: list[Object] = list(access.shared_roles(labels={}))
    for name in clusters:
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        found.append(access.cluster_role(name, accepted=True, labels={}))
        found.append(access.cluster_role_binding(name, labels={}))
        found += access.role_bindings(name, labels={})
    return found


async def test_an_agent_sees_its_own_cluster_alone(call: Caller, eventually: Eventually) -> None:
    """By the certificate that the hub has signed for it: nothing of another cluster, by no verb."""
    for obj in rights(("c1", "c2")):
        assert (await call("POST", _path(obj), obj))[0] == 201, obj
    for name in ("c1", "c2"):
        work = {"apiVersion": "work.open-cluster-management.io/v1", "kind": "ManifestWork"}
        body = {**work, "metadata": {"name": "w"}, "spec": {"workload": {"manifests": [MANIFEST]}}}
        assert (await call("POST", WORKS.format(ns=f"/namespaces/{name}"), body))[0] == 201
    user, groups = access.agent_identity("c1", "agent")
    agent = call.context(await call.certificate("c1", pem(user, groups), eventually), PRIVATE)
    own, other, every = (WORKS.format(ns=ns) for ns in ("/namespaces/c1", "/namespaces/c2", ""))
    status, me = await call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, tls=agent)
    assert (status, me["status"]["userInfo"]["username"]) == (201, user)
    for path in (own, f"{own}/w", f"{own}?watch=1&timeoutSeconds=1&resourceVersion=1"):
        assert (await call("HEAD", path, tls=agent))[0] == 200, path
    seen = [
        ("GET", other), ("GET", f"{other}?watch=1"), ("GET", f"{other}/w"), ("GET", every),
        ("GET", f"{every}?watch=1"), ("GET", f"{every}?fieldSelector=metadata.namespace%3Dc1"),
        ("POST", other), ("PUT", f"{other}/w"), ("PATCH", f"{other}/w"), ("PATCH", f"{other}/w/status"),
        ("DELETE", f"{other}/w"), ("DELETE", other), ("POST", own),
        ("GET", "/api/v1/namespaces/c2/secrets"), ("GET", "/api/v1/namespaces/c1/secrets"),
        ("GET", "/api/v1/secrets"), ("GET", "/apis/cluster.open-cluster-management.io/v1/managedclusters/c2"),
        ("GET", "/apis/cluster.open-cluster-management.io/v1/managedclusters"),
    ]  # fmt: skip
    for method, path in seen:
        status, body = await call(method, path, {} if method in ("POST", "PUT", "PATCH") else None, tls=agent)
        assert (status, body["reason"]) == (403, "Forbidden"), (method, path)
        assert "manifests" not in str(body)


async def test_a_serving_certificate_is_no_client(call: Caller, eventually: Eventually) -> None:
    """What is signed for servers identifies nobody: the handshake itself fails."""
    serving = "kubernetes.io/kubelet-serving"
    body = csr("serving", pem("system:node:n", ("system:nodes",), ("n.local",)), signer=serving,
               usages=("digital signature", "server auth"))  # fmt: skip
    path = CSRS.format(v="v1")
    _, made = await call("POST", path, body)
    approved = {**made, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "t"}]}}
    await call("PUT", f"{path}/serving/approval", approved)

    async def signed() -> str:
        return str((await call("GET", f"{path}/serving"))[1]["status"].get("certificate", ""))

    certificate = base64.b64decode(await eventually(signed))
    with pytest.raises(aiohttp.ClientError):
        await call("GET", "/api", tls=call.context(certificate, PRIVATE))


async def test_nobody_signs_oneself_into_the_masters(call: Caller) -> None:
    """A request for a client certificate in `system:masters` is refused, whatever else it asks for."""
    body = csr("evil", pem("eve", ("a", "system:masters")), signer=CLIENT, usages=CLIENT_USAGES)
    status, answer = await call("POST", CSRS.format(v="v1"), body)
    assert status == 403
    assert "system:masters group is not allowed" in answer["message"]


async def test_anybody_may_read_how_to_reach_the_server(call: Caller, eventually: Eventually) -> None:
    """Without credentials there is `cluster-info`, signed by each bootstrap token, and nothing beside it."""
    nobody = call.context()
    path = "/api/v1/namespaces/kube-public/configmaps"
    fields = {"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true"}
    secret = {
        "metadata": {"name": "bootstrap-token-abcdef"}, "type": "bootstrap.kubernetes.io/token",
        "stringData": fields,
    }  # fmt: skip
    assert (await call("POST", "/api/v1/namespaces/kube-system/secrets", secret))[0] == 201

    async def info() -> Object | None:
        data: Object = (await call("GET", f"{path}/cluster-info", tls=nobody))[1]["data"]
        return data if "jws-kubeconfig-abcdef" in data else None

    data = await eventually(info)
    expected = cluster_info.signature(data["kubeconfig"], "abcdef", fields["token-secret"])
    assert data["jws-kubeconfig-abcdef"] == expected
    assert call.server.url in data["kubeconfig"]
    assert "client-" not in data["kubeconfig"]
    for other in (path, f"{path}/kube-root-ca.crt", "/api/v1/namespaces/kube-system/secrets"):
        assert (await call("GET", other, tls=nobody))[0] == 403
    await call("DELETE", "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef")

    async def unsigned() -> bool:
        return "jws-kubeconfig-abcdef" not in (await call("GET", f"{path}/cluster-info"))[1]["data"]

    await eventually(unsigned)


async def test_no_secret_is_logged(
    call: Caller, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    """Tokens, keys and what is sent with them leave no trace, good or bad."""
    caplog.set_level(logging.DEBUG)
    accounts = "/api/v1/namespaces/default/serviceaccounts/default/token"
    _, made = await call("POST", accounts, {"spec": {}})
    token = made["status"]["token"]
    for shown in (token, token[:-4] + "AAAA", "s3cret-token"):
        await call("GET", "/api", tls=call.context(), Authorization=f"Bearer {shown}")
        review = {"spec": {"token": shown}}
        await call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
    await call.certificate("logged", pem("logged"), eventually)
    for secret in (token, token.split(".")[2], "s3cret-token", "PRIVATE KEY"):
        assert secret not in caplog.text


async def test_an_old_hub_knows_v1beta1_alone(tmp_path: Path, eventually: Eventually) -> None:
    """Discovery says so; signer and usages may be left out; what is signed is good."""
    async with serve(tmp_path, beta_certificates=True) as server, aiohttp.ClientSession() as session:
        call = Caller(server, session)
        _, group = await call("GET", "/apis/certificates.k8s.io")
        assert [v["version"] for v in group["versions"]] == ["v1beta1"]
        assert (await call("GET", CSRS.format(v="v1")))[0] == 404
        path = CSRS.format(v="v1beta1")
        node = pem("system:node:n", ("system:nodes",))
        cases = [(pem(), None, "kubernetes.io/legacy-unknown"), (node, CLIENT_USAGES, f"{CLIENT}-kubelet")]
        for i, (request, usages, signer) in enumerate(cases):
            spec = {"request": encoded(request), **({"usages": usages} if usages else {})}
            _, made = await call("POST", path, {"metadata": {"name": f"r{i}"}, "spec": spec})
            assert made["spec"]["signerName"] == signer
            assert made["spec"]["usages"] == list(usages or ("digital signature", "key encipherment"))
        user, groups = access.agent_identity("c1", "agent")
        certificate = await call.certificate("c1", pem(user, groups), eventually, version="v1beta1")
        reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        _, me = await call("POST", reviews, {}, tls=call.context(certificate, PRIVATE))
        assert me["status"]["userInfo"]["username"] == user


def _aged(hours: float, *conditions: str, certificate: bytes = b"") -> Object:
    then = timestamp(NOW - timedelta(hours=hours))
    verdicts = [{"type": c, "status": "True", "lastUpdateTime": then} for c in conditions]
    status: Object = {"conditions": verdicts} if verdicts else {}
    if certificate:
        status["certificate"] = encoded(certificate)
    made = csr("r")
    return {**made, "metadata": {"name": "r", "creationTimestamp": then}, "status": status}


@pytest.mark.parametrize(
    ("request_", "goes"),
    [
        (_aged(23.9), False),
        (_aged(24.1), True),
        (_aged(0.9, "Denied"), False),
        (_aged(1.1, "Denied"), True),
        (_aged(1.1, "Failed"), True),
        (_aged(1.1, "Approved"), False),
        (_aged(24.1, "Approved"), True),
    ],
)
def test_requests_are_cleaned_up(request_: Object, goes: bool) -> None:
    """A day where nobody decides or signs, an hour once that is done."""
    assert csr_signing.outdated(request_, NOW) is goes


def test_a_signed_request_goes_with_its_certificate(call: Caller) -> None:
    """An hour after it was signed, or sooner where the certificate has ended."""
    authority = call.server.authority
    good = authority.client("x", now=NOW).certificate
    assert not csr_signing.outdated(_aged(0.5, "Approved", certificate=good), NOW)
    assert csr_signing.outdated(_aged(1.5, "Approved", certificate=good), NOW)
    late = NOW + timedelta(days=800)
    fresh = _aged(0, "Approved", certificate=good)
    fresh["status"]["conditions"][0]["lastUpdateTime"] = timestamp(late)
    assert csr_signing.outdated(fresh, late)


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_bytes_are_judged(noise: bytes) -> None:
    """A request that is no PEM, or PEM of something else, is a fault of that field and never a crash."""
    wrapped = b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(noise)
    for request in (noise, wrapped + b"-----END CERTIFICATE REQUEST-----\n"):
        found = causes(csr("r", request), None, "")
        assert [cause.field for cause in found] == ["spec.request"]


def test_pem_is_read_as_go_reads_it() -> None:
    """Text around blocks does not matter, headers are seen, and what is no base64 is passed over."""
    text = b"before\n" + pem() + b"between\n-----BEGIN X-----\nA: b\n\neA==\n-----END X-----\nafter"
    first, second = blocks(text)
    assert (first.label, first.headers) == ("CERTIFICATE REQUEST", False)
    assert second == ("X", True, b"x")
    assert not list(blocks(b"-----BEGIN X-----\n!\n-----END X-----\n"))


@pytest.mark.parametrize(
    ("begins", "status"), [(-800, 401), (400, 401), (-300, 200)], ids=["expired", "still to come", "good"]
)
async def test_when_a_client_certificate_counts(
    server: Server, tmp_path: Path, begins: int, status: int
) -> None:
    """One whose time is over, or has not begun, is let through the handshake and is a 401."""
    begun = datetime.now(UTC) + timedelta(days=begins)
    pair = server.authority.client(f"since{begins}", ("system:masters",), now=begun)
    (tmp_path / "tls.crt").write_bytes(pair.certificate)
    (tmp_path / "tls.key").write_bytes(pair.key)
    context = ssl.create_default_context(cadata=server.authority.pem.decode())
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/api", ssl=context) as answer:
        assert answer.status == status
