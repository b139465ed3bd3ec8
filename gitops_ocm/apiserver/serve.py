"""Runs the embedded server: opens its directory, listens with TLS, and ends in good order.

    async with serve(Path("hub")) as server:
        print(server.url, server.kubeconfig_path)

One directory is served by one process. The port of the last run is taken again where it is free,
so that kubeconfigs written earlier stay good.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from asyncio import sslproto
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import web

from gitops_ocm.apiserver.app import App
from gitops_ocm.apiserver.authentication import Authenticator
from gitops_ocm.apiserver.chores import Chores
from gitops_ocm.apiserver.connections import Connections
from gitops_ocm.apiserver.csr_beta import beta_only
from gitops_ocm.apiserver.data_dir import (
    CLUSTERS,
    PKI,
    PORT,
    STATE,
    check_clock,
    check_whole,
    last_port,
    locked,
    prepared,
    usable,
)
from gitops_ocm.apiserver.data_dir import CannotServe as CannotServe
from gitops_ocm.apiserver.furnishing import furnish, publish
from gitops_ocm.apiserver.group_commit import group_commit
from gitops_ocm.apiserver.handlers_token import TokenRequests
from gitops_ocm.apiserver.hooks.consultation import Ask
from gitops_ocm.apiserver.housekeeping import Housekeeping
from gitops_ocm.apiserver.limits import MAX_BODY
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.rbac import MASTERS, User
from gitops_ocm.apiserver.signing_key import SigningKey
from gitops_ocm.apiserver.standing import usual
from gitops_ocm.apiserver.store_sqlite import SqliteStorage
from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.apiserver.tokens import ServiceAccountTokens
from gitops_ocm.apiserver.tokens_bootstrap import BootstrapTokens
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import descriptions as prose_of
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.runtime.certificates import KeyPair
from gitops_ocm.runtime.clock import Clock, SystemClock
from gitops_ocm.runtime.private_files import write_private

ADMIN = "gitops-ocm-admin"
GRACE = 5.0
"""Seconds that requests under way get to finish when the server stops."""
WEBHOOKS = Webhooks()
"""What a hub judges writes of OCM's kinds by; a server without those kinds never asks."""
_MAX_LINE = 64 * 1024
_BACKLOG = 512
_TLS_BUFFER = 32 * 1024


@dataclass(frozen=True)
class Server:
    """A server that is listening."""

    name: str
    url: str
    kubeconfig_path: Path
    api: Api
    authority: Authority
    ask: Ask

    def local(self) -> LocalCluster:
        """A client in this process, which is an administrator; its writes are judged as all others are."""
        return LocalCluster(self.api, ask=self.ask, user=User(ADMIN, (MASTERS,)))


@asynccontextmanager
async def serve(
    source: Api | Path,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    name: str = "hub",
    hosts: Iterable[str] = (),
    tokens: Mapping[str, User] | None = None,
    crds: Iterable[Object] = (),
    clock: Clock | None = None,
    admission: Webhooks | None = WEBHOOKS,
    accept_clock: bool = False,
    beta_certificates: bool = False,
    descriptions: Path | None = None,
) -> AsyncIterator[Server]:
    """Serve a directory (made if need be), or an `Api` with its files in a temporary directory.

    `hosts` are further names and addresses the serving certificate is for; `tokens` are bearer
    tokens beside the client certificates; `crds` are CustomResourceDefinitions applied at the start.
    `admission` judges writes to a directory that is served; an `Api` has its own. With `accept_clock`
    the directory may have been written at a time that is still to come. With `beta_certificates` the
    directory's requests for certificates are served as by an old hub (`csr_beta`). `descriptions` is a file
    with what `kubectl explain` says of built-in fields (`runtime.catalog.descriptions`).
    """
    clock = clock or SystemClock()
    prose_of(descriptions)  # what is wrong with the file is said at the start
    async with AsyncExitStack() as stack:
        if isinstance(source, Path):
            directory = prepared(source)
            stack.enter_context(locked(directory))
            catalog = load_catalog(ocm=False)
            if beta_certificates:
                catalog = beta_only(catalog)
            api = stack.enter_context(_opened(directory, catalog, clock, admission, accept_clock))
        else:
            directory, api = Path(stack.enter_context(TemporaryDirectory(prefix="gitops-ocm-"))), source
        authority, pair, key = _keys(directory, [host, *hosts], clock)
        ca = authority.pem.decode("ascii")
        with api.store.batch():
            furnish(api, ca, crds)
            api.keep_in_namespaces(usual(ca))
        sources = (ServiceAccountTokens(api.store, key, clock.now), BootstrapTokens(api.store, clock.now))
        authenticator = Authenticator(tokens, sources)
        requests = TokenRequests(api.store, key, clock.now)
        app = App(api, authenticator, requests, now=clock.now, address=host, descriptions=descriptions)
        stack.push_async_callback(app.close)
        context = authority.server_context(pair)
        taken = await stack.enter_async_context(_listening(app, host, port or last_port(directory), context))
        url = f"https://{f'[{host}]' if ':' in host else host}:{taken}"
        publish(api, ca, url)
        chores = Chores(api, authority, key, app.access.allows).all()
        await stack.enter_async_context(_housekeeping(Housekeeping(api, chores, clock.now)))
        with usable(directory):
            write_private(directory / PORT, str(taken).encode())
            kubeconfig = _admin_kubeconfig(directory, authority, name, url, clock)
        if isinstance(source, Path):
            await stack.enter_async_context(group_commit(api.store, api.lost))
        yield Server(name, url, kubeconfig, api, authority, app.ask)


def _keys(directory: Path, hosts: Iterable[str], clock: Clock) -> tuple[Authority, KeyPair, SigningKey]:
    """The authority, the serving certificate it signed, and the key of tokens: as kept, or made."""
    with usable(directory):
        authority = Authority.open(directory / PKI, now=clock.now())
        pair = authority.server(hosts, now=clock.now())
        return authority, pair, SigningKey.open(authority.directory)


def _admin_kubeconfig(directory: Path, authority: Authority, name: str, url: str, clock: Clock) -> Path:
    """Written anew at each start: port and certificate may be other ones."""
    admin = authority.client(ADMIN, (MASTERS,), now=clock.now())
    path = directory / "kubeconfig"
    Kubeconfig(
        server=url,
        ca=authority.pem,
        certificate=admin.certificate,
        key=admin.key,
        cluster=name,
        user=ADMIN,
        context=name,
    ).write(path)
    return path


@asynccontextmanager
async def serve_fleet(
    directory: Path,
    *,
    clusters: int = 0,
    host: str = "127.0.0.1",
    port: int = 0,
    crds: Iterable[Object] = (),
    clock: Clock | None = None,
    admission: Webhooks | None = WEBHOOKS,
    accept_clock: bool = False,
    beta_certificates: bool = False,
    descriptions: Path | None = None,
) -> AsyncIterator[tuple[Server, Mapping[str, Server]]]:
    """A hub in `directory` and `cluster1`..`clusterN` beside it, each a server of its own."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(
            serve(
                directory,
                host,
                port,
                crds=crds,
                clock=clock,
                admission=admission,
                accept_clock=accept_clock,
                beta_certificates=beta_certificates,
                descriptions=descriptions,
            )
        )
        members = {}
        for number in range(1, clusters + 1):
            name = f"cluster{number}"
            home = directory / CLUSTERS / name
            member = serve(
                home, host, name=name, clock=clock, accept_clock=accept_clock, descriptions=descriptions
            )
            members[name] = await stack.enter_async_context(member)
        yield hub, members


@contextmanager
def _opened(
    directory: Path, catalog: Catalog, clock: Clock, admission: Webhooks | None, accept_clock: bool
) -> Iterator[Api]:
    with usable(directory):
        check_whole(directory)
    storage = SqliteStorage(directory / STATE)
    if not accept_clock:
        check_clock(directory, storage.written_at(), clock.now())
    api = Api(catalog, storage, now=clock.now, admission=admission)
    try:
        yield api
    finally:
        api.close()


@asynccontextmanager
async def _housekeeping(housekeeping: Housekeeping) -> AsyncIterator[None]:
    """What is to be done at the start is done when this is entered; the rest goes on beside."""
    housekeeping.look_at_everything()
    housekeeping.catch_up()
    task = asyncio.create_task(housekeeping.run(), name="housekeeping")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _listening(app: App, host: str, port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    # What asyncio sets aside for each connection, for as long as that is open: 256 KiB unless told. Of a
    # thousand agents' watches that is a quarter of a gigabyte, and a TLS record has 16 KiB.
    sslproto.SSLProtocol.max_size = _TLS_BUFFER

    def make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)

    server = Connections(
        app,
        request_factory=make_request,
        # A packed body is read as it came, as a kube-apiserver reads it; nothing can unfold without end.
        auto_decompress=False,
        # A client that went away ends its watch; a write is done or not begun, never cut in half.
        handler_cancellation=True,
        access_log=None,
        max_line_size=_MAX_LINE,
        max_field_size=_MAX_LINE,
    )
    runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        yield await _bound(runner, host, port, context)
    finally:
        app.watches.stop()
        await runner.cleanup()


async def _bound(runner: web.ServerRunner, host: str, port: int, context: ssl.SSLContext) -> int:
    for wanted in dict.fromkeys((abs(port), max(0, port))):
        site = web.TCPSite(runner, host, wanted, ssl_context=context, backlog=_BACKLOG)
        try:
            await site.start()
        except OSError as error:
            if wanted and port <= 0:
                continue  # the port of the last run: any other will do
            # asyncio puts a sentence around the system's own words.
            known = error.errno is not None and error.errno in errno.errorcode
            why = os.strerror(error.errno or 0) if known else error.strerror or str(error)
            raise CannotServe(
                f"cannot listen on {host}:{wanted}: {why}",
                hint="Choose another port, or stop what uses this one.",
            ) from error
        bound: int = runner.addresses[0][1]
        return bound
    raise CannotServe(f"cannot listen on {host}")
