"""Our client against a server that refuses, breaks and lies, and against none at all."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import PatchType, Unreachable
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.kube.faults import Interrupted
from gitops_ocm.kube.identity import Connection, Pem
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Resource
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.testing.faulty_api import CONFIG_MAPS, FaultyApi, Refusal

WIDGETS = Resource(
    "example.com", "v1", "Widget", "widgets", namespaced=True, subresources=frozenset({"status"})
)
Eventually = Callable[..., Awaitable[object]]


def config_map(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "d"},
        "data": {"x": "1"},
    }


@asynccontextmanager
async def client(url: str, timeout: float = 5, **options: object) -> AsyncIterator[HttpCluster]:
    cluster = HttpCluster(Connection(url, **options), timeout=timeout)  # type: ignore[arg-type]
    try:
        yield cluster
    finally:
        await cluster.close()


async def test_every_verb(api: FaultyApi) -> None:
    """Create, get, list, update, patch, apply and delete do what they say."""
    async with client(api.url) as cluster:
        made = await cluster.create(CONFIG_MAPS, config_map("a"))
        assert await cluster.get(CONFIG_MAPS, "d", "a") == made
        assert (await cluster.update(CONFIG_MAPS, {**made, "data": {"x": "2"}}))["data"] == {"x": "2"}
        assert (await cluster.patch(CONFIG_MAPS, "d", "a", {"data": {"y": "3"}}))["data"] == {
            "x": "2",
            "y": "3",
        }
        await cluster.patch(CONFIG_MAPS, "d", "b", config_map("b"), type=PatchType.APPLY, field_manager="m")
        page = await cluster.list(CONFIG_MAPS, limit=1)
        assert [o["metadata"]["name"] for o in page.items] == ["a"]
        page = await cluster.list(CONFIG_MAPS, limit=1, continue_token=page.continue_token)
        assert [o["metadata"]["name"] for o in page.items] == ["b"]
        assert await cluster.delete(CONFIG_MAPS, "d", "a") is None
        with pytest.raises(ApiError, match='"a" not found'):
            await cluster.get(CONFIG_MAPS, "d", "a")
        assert (await cluster.version())["gitVersion"] == "v1.35.0-faulty"


@pytest.mark.parametrize("aggregated", [True, False])
async def test_discovery_in_both_forms(api: FaultyApi, aggregated: bool) -> None:
    """Aggregated and legacy discovery tell the same."""
    api.aggregated = aggregated
    api.served.append(WIDGETS)
    async with client(api.url) as cluster:
        assert set(await cluster.discover()) == {CONFIG_MAPS, WIDGETS}
        mapper = Mapper(cluster, min_age=0.0)
        assert await mapper.resource_of(Kind("example.com", "Widget")) == WIDGETS
        assert mapper.known_named("example.com/v1", "widgets") == WIDGETS
        assert await mapper.resource_for("example.com/v2", "Widget") is None
        assert await mapper.resource_of(Kind("", "Widget")) is None


@pytest.mark.parametrize("aggregated", [True, False])
async def test_many_ask_one_discovers(api: FaultyApi, aggregated: bool) -> None:
    """Who asks while somebody discovers waits for that answer, and gets it."""
    async with client(api.url) as cluster:
        mapper = Mapper(cluster)
        found = await asyncio.gather(*(mapper.resource_of(CONFIG_MAPS.of) for _ in range(20)))
        assert found == [found[0]] * 20
        assert found[0] is not None


@pytest.mark.parametrize(
    ("method", "refusal", "survives"),
    [
        ("get", Refusal(429, times=2, retry_after="0.01"), True),
        ("create", Refusal(429, times=2, retry_after="0.01"), True),
        ("get", Refusal(503, times=2, retry_after="0.01"), True),
        ("create", Refusal(503, retry_after="0.01"), False),
        ("get", Refusal(503), False),
        ("get", Refusal(500, retry_after="0.01"), False),
        ("get", Refusal(429, times=99, retry_after="0.01"), False),
        ("get", Refusal(429, retry_after="600"), False),
        ("get", Refusal(0), True),
        ("apply", Refusal(0), True),
        ("create", Refusal(0), False),
        ("get", Refusal(0, times=9), False),
        ("get", Refusal(401), False),
    ],
    ids=lambda v: f"{v.status}x{v.times} after {v.retry_after}" if isinstance(v, Refusal) else str(v),
)
async def test_what_is_tried_again(api: FaultyApi, method: str, refusal: Refusal, survives: bool) -> None:
    """Only what can do no harm is sent again, only when asked to, and not for ever."""
    api.put(config_map("a"))
    async with client(api.url) as cluster:
        await cluster.version()  # a connection is open
        api.refusals.append(refusal)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "get": lambda: cluster.get(CONFIG_MAPS, "d", "a"),
            "create": lambda: cluster.create(CONFIG_MAPS, config_map("b")),
            "apply": lambda: cluster.patch(
                CONFIG_MAPS, "d", "a", config_map("a"), type=PatchType.APPLY, field_manager="m"
            ),
        }
        if survives:
            await calls[method]()
        else:
            with pytest.raises((ApiError, Unreachable)):
                await calls[method]()


async def test_watch_cut_mid_line_is_unreachable(api: FaultyApi, eventually: Eventually) -> None:
    """A stream that stops inside an event is told apart from one that the server ended."""
    async with client(api.url) as cluster:

        async def read() -> list[str]:
            return [
                e.object["metadata"]["name"] async for e in cluster.watch(CONFIG_MAPS, resource_version="100")
            ]

        reader = asyncio.create_task(read())
        await eventually(lambda: api.watching == 1)
        api.put(config_map("a"))
        api.send(b'{"type":"ADD')
        api.cut_watches()
        with pytest.raises(Interrupted):
            await reader


async def test_answer_that_is_not_json(tmp_path: Path) -> None:
    """A portal that answers with a page is an error that names the host, not a traceback."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>log in</html>", content_type="text/html")

    async with serving(page) as url, client(url) as cluster:
        with pytest.raises(Unreachable, match="127"):
            await cluster.version()


async def test_answer_that_never_comes() -> None:
    """A request has a time limit, and the error says so."""

    given_up = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await given_up.wait()
        return web.Response()

    async with serving(slow) as url, client(url, timeout=0.05) as cluster:
        with pytest.raises(Unreachable, match="no answer in time"):
            await cluster.version()
        given_up.set()


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:1", "connection refused"),
        ("http://does-not-exist.invalid", "the host name does-not-exist.invalid is not known"),
    ],
)
async def test_nobody_there(url: str, cause: str) -> None:
    """The error names the host, the cause and what to do."""
    async with client(url) as cluster:
        with pytest.raises(Unreachable) as raised:
            await cluster.version()
    assert url in raised.value.message
    assert cause in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("made", "trusted", "name", "cause"),
    [
        ({}, True, "", ""),
        ({}, False, "", "not signed by the expected authority"),
        ({"days": -1}, True, "", "has expired"),
        ({"name": "other.example"}, True, "", "is for another name"),
        ({"name": "other.example"}, True, "other.example", ""),
    ],
    ids=["good", "other CA", "expired", "other name", "tls-server-name"],
)
async def test_tls_is_always_checked(
    tmp_path: Path, made: dict[str, object], trusted: bool, name: str, cause: str
) -> None:
    """A certificate that is not right is refused with its reason; tls-server-name names what to expect."""
    certificate = self_signed(tmp_path / "server.pem", **made)  # type: ignore[arg-type]
    other = self_signed(tmp_path / "other.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    async def version(_request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1"})

    ca = Pem(certificate if trusted else other)
    async with serving(version, context) as url, client(url, ca=ca, tls_server_name=name) as cluster:
        if not cause:
            assert await cluster.version() == {"gitVersion": "v1"}
            return
        with pytest.raises(Unreachable) as raised:
            await cluster.version()
    assert cause in raised.value.message
    assert raised.value.hint


async def test_a_renewed_certificate_file_is_used(tmp_path: Path) -> None:
    """When a certificate file of the kubeconfig is replaced, new connections are made with it."""
    certificate = self_signed(tmp_path / "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    ca = tmp_path / "ca.crt"
    ca.write_bytes(self_signed(tmp_path / "old.pem"))
    os.utime(ca, (1, 1))

    async def version(_request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1"})

    async with serving(version, context) as url:
        clock = Advanced()
        cluster = HttpCluster(Connection(url, ca=Pem(path=ca)), clock=clock)
        with pytest.raises(Unreachable):
            await cluster.version()
        ca.write_bytes(certificate)
        with pytest.raises(Unreachable):
            await cluster.version()
        clock.ahead += 60
        assert await cluster.version() == {"gitVersion": "v1"}
        await cluster.close()
        with pytest.raises(GitopsError, match="is closed"):
            await cluster.version()


class Advanced(SystemClock):
    """A clock that can be put ahead."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def test_http_server_behind_an_https_url(api: FaultyApi) -> None:
    """A server that does not speak TLS is told as that."""
    async with client(api.url.replace("http:", "https:")) as cluster:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            await cluster.version()


async def test_token_file_is_read_again_after_a_401(tmp_path: Path) -> None:
    """A refused token is read from its file again, and the request repeated if that is another one."""
    valid, shown = {"Bearer one"}, []

    async def version(request: web.Request) -> web.Response:
        shown.append(request.headers["Authorization"])
        return web.json_response({}, status=200 if shown[-1] in valid else 401)

    token = tmp_path / "token"
    token.write_text("one\n")
    async with serving(version) as url:
        kubeconfig = tmp_path / "config"
        Kubeconfig(server=url).write(kubeconfig)
        kubeconfig.write_text(kubeconfig.read_text().replace("user: {}", f"user: {{tokenFile: {token}}}"))
        cluster = HttpCluster(load_kubeconfig(kubeconfig))
        await cluster.version()
        valid.clear()
        valid.add("Bearer two")
        token.write_text("two\n")
        await cluster.version()
        token.write_text("three\n")
        valid.clear()
        with pytest.raises(ApiError) as raised:
            await cluster.version()
        await cluster.close()
    assert raised.value.http_code == 401
    assert shown == ["Bearer one", "Bearer one", "Bearer two", "Bearer two", "Bearer three"]


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.Response]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """One handler for every path, on loopback."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def self_signed(path: Path, *, name: str = "localhost", days: int = 1) -> bytes:
    """A certificate with its key at `path`; answers with the certificate."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{path.stem} {name}")])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem + private)
    return pem


async def test_a_rehearsal_as_somebody_else(api: FaultyApi) -> None:
    """Who acts as somebody already cannot act as another: groups would be taken for theirs."""
    async with client(api.url) as cluster:
        made = await cluster.rehearse(CONFIG_MAPS, config_map("a"), "system:serviceaccount:d:s")
        assert made["metadata"]["name"] == "a"
    headers = (("Impersonate-User", "jane"), ("Impersonate-Group", "admins"))
    async with client(api.url, impersonation=headers) as cluster:
        with pytest.raises(ApiError, match="acts as somebody already"):
            await cluster.rehearse(CONFIG_MAPS, config_map("b"), "system:serviceaccount:d:s")
