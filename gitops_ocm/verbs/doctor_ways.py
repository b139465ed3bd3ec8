"""Tries an agent's ways to its hub: reads a kubeconfig, goes where it points, asks what its holder may.

From this machine, which need not be where the agents run: what was met is told as that. Credentials are used
and never shown; asking an API server what one may do changes nothing there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import yaml
from cryptography import x509
from yarl import URL

from gitops_ocm.api.registration import (
    AGENT_NAME_KEY,
    CERTIFICATE_KEY,
    CLUSTER_NAME_KEY,
    KUBECONFIG_KEY,
    PRIVATE_KEY_KEY,
)
from gitops_ocm.decide.agent.rights import BOOTSTRAP_RIGHTS, hub_rights
from gitops_ocm.decide.diagnosis.evidence import Fault, Way
from gitops_ocm.errors import GitopsError
from gitops_ocm.klusterlet.keys import read_certificate
from gitops_ocm.klusterlet.kubeconfig import address_of
from gitops_ocm.kube.access import may
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.kube.identity import Connection, Pem
from gitops_ocm.kube.kubeconfig import held_kubeconfig, load_kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.rights import Right
from gitops_ocm.runtime.clock import Clock, SystemClock

PATIENCE = 10.0
"""Seconds that a hub is given to answer."""


async def bootstrap_way(source: str, entries: Mapping[str, bytes]) -> Way:
    """The kubeconfig of a Secret that an agent registers with, tried."""
    return await _way(source, partial(_held, entries), entries, BOOTSTRAP_RIGHTS)


async def bootstrap_way_of(path: Path) -> Way:
    """The same from a file of the person who asks: it may name other files, and plug-ins."""
    text = await asyncio.to_thread(path.read_bytes)
    return await _way(str(path), partial(load_kubeconfig, path), {KUBECONFIG_KEY: text}, BOOTSTRAP_RIGHTS)


async def hub_way(source: str, entries: Mapping[str, bytes], cluster: str) -> Way:
    """The hub kubeconfig an agent got, tried as the cluster it names."""
    name = entries.get(CLUSTER_NAME_KEY, b"").decode(errors="replace") or cluster
    way = await _way(source, partial(_held, entries), entries, hub_rights(name))
    held = read_certificate(entries.get(CERTIFICATE_KEY, b""), entries.get(PRIVATE_KEY_KEY, b""))
    agent = entries.get(AGENT_NAME_KEY, b"").decode(errors="replace")
    return replace(way, certificate=held, cluster=name, agent=agent)


def _held(entries: Mapping[str, bytes]) -> Connection:
    return held_kubeconfig(entries, KUBECONFIG_KEY, "it")


async def _way(
    source: str, load: Callable[[], Connection], entries: Mapping[str, bytes], rights: Sequence[Right]
) -> Way:
    try:
        connection = load()
        connection.ssl_context()
        address = address_of(connection)
    except GitopsError as error:
        return Way(source, unusable=error.message)
    made = Way(source, address, expires=_end_of_token(entries[KUBECONFIG_KEY]))
    return await _tried(made, connection, rights)


async def _tried(way: Way, connection: Connection, rights: Sequence[Right]) -> Way:
    client = HttpCluster(connection, timeout=PATIENCE)
    try:
        lacks = [str(right) for right in rights if not await may(client, right)]
    except ApiError as error:
        fault = Fault.UNAUTHORIZED if error.http_code == 401 else Fault.OTHER
        return replace(way, fault=fault, said=error.message)
    except Unreachable as error:
        fault = fault_of(error)
        if (
            fault is Fault.OTHER
            and connection.certificate
            and await clock_ahead(connection, SystemClock()) is not None
        ):
            # It answers whoever shows no certificate: some servers hang up instead of saying 401.
            fault = Fault.UNAUTHORIZED
        if fault is Fault.CERTIFICATE:
            way = replace(way, shown=await _issuer(connection), trusted=_authorities(connection.ca.read()))
        return replace(way, fault=fault, said=error.message)
    finally:
        await client.close()
    return replace(way, lacks=tuple(lacks))


def fault_of(error: Unreachable) -> Fault:
    """Which kind of trouble kept the answer away, by what the network library raised."""
    cause = error.__cause__
    match cause:
        case aiohttp.ClientConnectorDNSError():
            return Fault.DNS
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return Fault.PROXY
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            expired = "expired" in str(cause).lower()
            return Fault.SERVER_EXPIRED if expired else Fault.CERTIFICATE
        case aiohttp.ConnectionTimeoutError() | TimeoutError():
            return Fault.TIMEOUT
        case aiohttp.ClientConnectorError():
            return Fault.REFUSED
    return Fault.OTHER


def _end_of_token(kubeconfig: bytes) -> datetime | None:
    """When the token in a kubeconfig ends, as it says itself; None where it does not say."""
    try:
        users: Any = yaml.safe_load(kubeconfig)["users"]
        tokens = [str(token) for user in users if (token := (user.get("user") or {}).get("token"))]
        claims = jwt.decode(tokens[0], options={"verify_signature": False, "verify_exp": False})
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (yaml.YAMLError, jwt.PyJWTError, KeyError, TypeError, AttributeError, IndexError, ValueError):
        return None


async def _issuer(connection: Connection) -> str:
    """Who signed the certificate that a server shows; `""` where that cannot be seen."""
    url = URL(connection.server)
    tls = replace(connection, certificate=Pem(), key=Pem(), insecure=True).ssl_context()
    if connection.proxy_url:
        return ""
    with suppress(OSError, TimeoutError, ValueError):
        name = connection.tls_server_name or None
        opened = asyncio.open_connection(url.host, url.port, ssl=tls, server_hostname=name)
        _, writer = await asyncio.wait_for(opened, PATIENCE)
        try:
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        return _signed_by(x509.load_der_x509_certificate(shown))
    return ""


def _signed_by(certificate: x509.Certificate) -> str:
    """Who signed a certificate: authorities of one name are told apart by their keys."""
    name, key = certificate.issuer.rfc4514_string(), b""
    with suppress(x509.ExtensionNotFound):
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        key = found.value.key_identifier or b""
    return f"{name} (key {key.hex()})" if key else name


def _authorities(bundle: bytes) -> str:
    """Whom a bundle of certificates names, with their keys."""
    try:
        found = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return ""
    keys = [x509.SubjectKeyIdentifier.from_public_key(c.public_key()).digest.hex() for c in found]
    named = zip((c.subject.rfc4514_string() for c in found), keys, strict=True)
    return ", ".join(f"{name} (key {key})" for name, key in named)


async def clock_ahead(connection: Connection, clock: Clock) -> timedelta | None:
    """How far an API server's clock is ahead of ours: it puts the time on its answers, to anybody.

    None where it does not, or does not answer.
    """
    nobody = replace(connection, certificate=Pem(), key=Pem())
    tls = nobody.ssl_context() if connection.server.startswith("https:") else False
    proxy = URL(connection.proxy_url) if connection.proxy_url else None
    limit = aiohttp.ClientTimeout(total=PATIENCE)
    with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError):
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), timeout=limit) as session,
            session.get(
                f"{connection.server.rstrip('/')}/version",
                proxy=proxy,
                server_hostname=connection.tls_server_name or None,
            ) as answer,
        ):
            return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC) - clock.now()
    return None
