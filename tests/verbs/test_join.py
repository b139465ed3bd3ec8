"""`join` against an embedded hub: how it learns the hub's CA, by a proxy too, and what it leaves behind."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitops_ocm.apiserver.serve import serve_fleet
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.served import CONFIG_MAPS, NAMESPACES, SECRETS
from gitops_ocm.operator.crds import hub_crds
from gitops_ocm.operator.install import OperatorOptions
from gitops_ocm.testing.clusters import install
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.hub_checks import CLUSTER_INFO, PUBLIC
from gitops_ocm.verbs.hub_lookup import HubAccess, look_up
from gitops_ocm.verbs.hub_objects import HubSpec
from gitops_ocm.verbs.init import InitOptions, init
from gitops_ocm.verbs.join import KLUSTERLETS, JoinOptions, join
from gitops_ocm.verbs.klusterlet_objects import KlusterletSpec
from gitops_ocm.verbs.voice import VerbError, Voice

SPEC = KlusterletSpec("klusterlet", "cluster1", "img:1")


def foreign_ca() -> bytes:
    """The certificate of an authority that has nothing to do with the hub."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


FOREIGN_CA = foreign_ca()


class Heard:
    """What a verb said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.noted: list[str] = []
        self.voice = Voice(self.said.append, self.noted.append)

    def __contains__(self, text: str) -> bool:
        return any(text in line for line in (*self.said, *self.noted))


class Scene:
    """A hub, a cluster, and what `init` gave out."""

    def __init__(self, hub: Path, managed: Path) -> None:
        self.to_hub = load_kubeconfig(hub)
        self.hub = HttpCluster(self.to_hub)
        self.managed = HttpCluster(load_kubeconfig(managed))
        self.managed_text = managed.read_bytes()
        self.token = self.stored = ""

    def access(self, token: str = "", **but: object) -> HubAccess:
        """What a person has of the hub, with the hour's token unless another is given."""
        return replace(HubAccess(self.to_hub.server, token or self.token), **but)  # type: ignore[arg-type]

    def options(self, **but: object) -> JoinOptions:
        """A plain join, but for what is given."""
        plain = JoinOptions(self.access(), SPEC, OperatorOptions(image="img:1"))
        return replace(plain, **but)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """An initialized hub without controllers, and a cluster beside it."""
    async with serve_fleet(tmp_path_factory.mktemp("join"), clusters=1) as (server, members):
        found = Scene(server.kubeconfig_path, members["cluster1"].kubeconfig_path)
        await install(found.hub, hub_crds())
        for stored in (False, True):
            spec = HubSpec("img:1", bootstrap_token=stored)
            options = InitOptions(spec, OperatorOptions(image="img:1"))
            done = await init(found.hub, found.to_hub, options, Heard().voice)
            assert done.join is not None
            token = done.join.token
            found.stored, found.token = (token, found.token) if stored else ("", token)
        yield found
        await found.hub.close()
        await found.managed.close()


async def test_init_again_keeps_the_stored_token(scene: Scene) -> None:
    """A join command that was printed stays good when init is run again."""
    spec = HubSpec("img:1", bootstrap_token=True)
    again = await init(
        scene.hub, scene.to_hub, InitOptions(spec, OperatorOptions(image="img:1")), Heard().voice
    )
    assert again.join is not None
    assert again.join.token == scene.stored


async def test_the_ca_is_told_to_whoever_asks(scene: Scene) -> None:
    """The hub's own CA is found without showing the token to a server that is not known yet."""
    heard = Heard()
    found = await look_up(scene.access(), heard.voice)
    assert found.ca == scene.to_hub.ca.read()
    assert found.internal == scene.to_hub.server
    assert "the token is used" not in heard


async def test_a_stored_token_tells_a_false_hub(scene: Scene) -> None:
    """What a stored token has signed is believed; with a wrong secret it is not the hub of this token."""

    async def signed() -> bool:
        info = await scene.hub.get(CONFIG_MAPS, PUBLIC, CLUSTER_INFO)
        return "jws-kubeconfig-ocmhub" in info["data"]

    await eventually(signed)
    assert (await look_up(scene.access(scene.stored), Heard().voice)).ca
    with pytest.raises(VerbError, match="does not know this token") as raised:
        await look_up(scene.access("ocmhub.0123456789abcdef"), Heard().voice)
    assert "0123456789abcdef" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.options(access=s.access("wrong")), "does not accept the token"),
        (lambda s: s.options(access=s.access(ca=FOREIGN_CA)), "certificate"),
        (lambda s: s.options(spec=replace(SPEC, cluster="Not_A_Name")), "validate ClusterName failed"),
        (lambda s: s.options(spec=replace(SPEC, cluster="a" * 64)), "63 characters at most"),
        (
            lambda s: s.options(
                spec=replace(SPEC, mode="Hosted"),
                managed=(s.managed, s.managed_text.replace(b"client-key-data:", b"client-key:")),
            ),
            "there is no .* beside it",
        ),
    ],
    ids=["wrong token", "wrong CA", "no name", "long name", "kubeconfig with a path"],
)
async def test_joins_that_fail_before_anything_is_written(scene: Scene, change: object, message: str) -> None:
    """A token, CA or name that cannot do is told before the cluster is touched, without the token in it."""
    assert callable(change)
    with pytest.raises(GitopsError, match=message) as raised:
        await join(scene.managed, change(scene), Heard().voice)
    assert scene.token not in str(raised.value)
    assert await missing(scene, "open-cluster-management-agent")


async def test_a_join_that_is_not_meant(scene: Scene) -> None:
    """A dry run writes nothing, and an address where nothing answers is told."""
    nowhere = replace(scene.access(), server="https://127.0.0.1:1")
    with pytest.raises(GitopsError, match="refused"):
        await join(scene.managed, scene.options(access=nowhere), Heard().voice)
    heard = Heard()
    await join(scene.managed, scene.options(dry_run=True), heard.voice)
    assert "would apply Klusterlet klusterlet" in heard
    assert not any(scene.token in line for line in heard.noted)
    assert await missing(scene, "open-cluster-management-agent")


async def test_a_hosted_klusterlet_keeps_its_name(scene: Scene) -> None:
    """Joining a cluster twice in hosted mode is one Klusterlet, with the other cluster's kubeconfig."""
    options = scene.options(
        spec=replace(SPEC, mode="Hosted"),
        managed=(scene.managed, scene.managed_text),
        internal_endpoint_managed=True,
    )
    first = await join(scene.managed, options, Heard().voice)
    again = await join(scene.managed, options, Heard().voice)
    assert first.spec == again.spec
    name = first.spec.name
    assert [k["metadata"]["name"] for k in (await scene.managed.list(KLUSTERLETS)).items] == [name]
    secret = await scene.managed.get(SECRETS, name, "external-managed-kubeconfig")
    body = yaml.safe_load(base64.b64decode(secret["data"]["kubeconfig"]))
    assert body["clusters"][0]["cluster"]["server"] == scene.managed.server
    await scene.managed.delete(KLUSTERLETS, "", name)


async def test_joining_by_a_proxy(scene: Scene) -> None:
    """With --proxy-url every word to the hub goes by the proxy, and the agent is told to do the same."""
    async with connect_proxy() as (url, asked):
        done = await join(scene.managed, scene.options(access=scene.access(proxy_url=url)), Heard().voice)
    assert asked
    assert set(asked) == {scene.to_hub.server.removeprefix("https://")}
    body = yaml.safe_load(done.bootstrap)
    assert body["clusters"][0]["cluster"]["proxy-url"] == url
    secret = await scene.managed.get(SECRETS, "open-cluster-management-agent", "bootstrap-hub-kubeconfig")
    assert base64.b64decode(secret["data"]["kubeconfig"]) == done.bootstrap


async def missing(scene: Scene, namespace: str) -> bool:
    """Whether the managed cluster has no such namespace."""
    found = (await scene.managed.list(NAMESPACES)).items
    return namespace not in {item["metadata"]["name"] for item in found}


@asynccontextmanager
async def connect_proxy() -> AsyncIterator[tuple[str, list[str]]]:
    """A CONNECT proxy on loopback, and whom it was asked to connect to."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, where, _ = head.split("\r\n", 1)[0].split(" ")
        assert method == "CONNECT"
        asked.append(where)
        host, _, port = where.rpartition(":")
        back, forth = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pumped(reader, forth), pumped(back, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        await server.wait_closed()


async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one side to the other, to the end."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
