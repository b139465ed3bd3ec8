"""How a cluster that joins learns which certificates its hub's are signed by, and whether it is a hub.

As kubeadm does, and clusteradm: `cluster-info` tells the CA to whoever asks. A stored token has signed it,
so with one of these nobody in between can pass for the hub; else `--ca-file` is what excludes that.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from gitops_ocm.apiserver.cluster_info import SIGNATURE, signature
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster, Unreachable
from gitops_ocm.kube.credentials import Identity, Static, bearer
from gitops_ocm.kube.identity import Connection, Pem
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CONFIG_MAPS
from gitops_ocm.verbs.hub_checks import CLUSTER_INFO, PUBLIC, cluster_of
from gitops_ocm.verbs.voice import Preflight, VerbError, Voice

_GROUP = "cluster.open-cluster-management.io"
CHECK = "HubKubeconfig check"
NO_CA = "no ca detected, creating hub kubeconfig without ca"


@dataclass(frozen=True)
class HubAccess:
    """What a person gave of a hub."""

    server: str
    token: str = field(repr=False)
    ca: bytes = b""
    proxy_url: str = field(default="", repr=False)
    proxy_ca: bytes = b""

    def connection(self, ca: bytes, *, known: bool = True) -> Connection:
        """How to reach it: as the bearer of the token, or (not `known`) as nobody in particular."""
        return Connection(
            server=self.server,
            ca=Pem(merged_pem(ca, self.proxy_ca)),
            credentials=Static(Identity(bearer(self.token))) if known else Static(),
            proxy_url=self.proxy_url,
            insecure=not ca,
            source="the hub to join",
        )


@dataclass(frozen=True)
class FoundHub:
    """What was found out: its CA (none if there is none to be had) and the address it publishes."""

    ca: bytes
    internal: str = ""


async def look_up(access: HubAccess, voice: Voice) -> FoundHub:
    """Find the hub's CA, and its published address, from as far as it lets us."""
    info = await _asked(access, voice)
    server, ca = cluster_of(info) if info is not None else ("", b"")
    if info is not None:
        _check_signature(info, access)
    if access.ca:
        return FoundHub(access.ca, server)
    return FoundHub(ca or await _root_ca(access), server)


async def _asked(access: HubAccess, voice: Voice) -> Object | None:
    """`cluster-info`, asked for without the token first: who answers is not known yet."""
    if not access.ca:
        try:
            return await _read(access, access.connection(b"", known=False), CLUSTER_INFO)
        except ApiError as error:
            if error.http_code not in (401, 403):
                raise
            voice.note(
                "cluster-info is not shown to everybody: the token is used to read it, before the hub's "
                "certificate can be verified (--ca-file avoids that)"
            )
    try:
        return await _read(access, access.connection(access.ca), CLUSTER_INFO)
    except ApiError as error:
        if error.http_code == 401:
            raise _unknown_token(access) from error
        if error.http_code != 403:
            raise
        return None


async def _root_ca(access: HubAccess) -> bytes:
    try:
        found = await _read(access, access.connection(b""), "kube-root-ca.crt")
    except ApiError as error:
        if error.http_code == 401:
            raise _unknown_token(access) from error
        if error.http_code != 403:
            raise
        return b""
    return str(((found or {}).get("data") or {}).get("ca.crt") or "").encode()


async def _read(access: HubAccess, at: Connection, name: str) -> Object | None:
    hub = HttpCluster(at, timeout=30.0)
    try:
        return await find(hub, CONFIG_MAPS, name, PUBLIC)
    finally:
        await hub.close()


def _check_signature(info: Object, access: HubAccess) -> None:
    """Where the token given has signed what was read, the signature must be right."""
    token_id, dot, secret = access.token.partition(".")
    data = info.get("data") or {}
    given = data.get(f"{SIGNATURE}{token_id}") if dot and "." not in secret else None
    if given is None:
        return
    if not hmac.compare_digest(given, signature(data["kubeconfig"], token_id, secret)):
        raise VerbError(
            f"what answers at {access.server} does not know this token: another signed its cluster-info",
            hint="get a new one on the hub: gitops-ocm get token --use-bootstrap-token; or give --ca-file",
        )


def _unknown_token(access: HubAccess) -> VerbError:
    return VerbError(
        f"the hub at {access.server} does not accept the token",
        hint="tokens of init and get token live an hour: get a new one on the hub with gitops-ocm get token",
    )


async def check_hub(access: HubAccess, found: FoundHub, check: Preflight) -> None:
    """Whether the token opens a hub there, its certificate verified."""
    if not found.ca:
        check.told(CHECK, warnings=[NO_CA])
        return
    hub = HttpCluster(access.connection(found.ca), timeout=30.0)
    try:
        await _ask_for_hub(hub, access)
    except GitopsError as error:
        check.failed(CHECK, error)
    else:
        check.told(CHECK)
    finally:
        await hub.close()


async def _ask_for_hub(hub: Cluster, access: HubAccess) -> None:
    try:
        await hub.version()
        served = await hub.discover()
    except ApiError as error:
        raise (_unknown_token(access) if error.http_code == 401 else error) from error
    except Unreachable as error:
        raise VerbError(error.message, hint=error.hint or "check --hub-apiserver and --ca-file") from error
    if all((r.group, r.version) != (_GROUP, "v1") for r in served):
        raise VerbError(
            f"no apigroup {_GROUP}/v1 detected",
            hint="is --hub-apiserver the hub's? there: gitops-ocm init",
        )


def merged_pem(*bundles: bytes) -> bytes:
    """Certificates of several bundles, each once."""
    end = b"-----END CERTIFICATE-----"
    found: dict[bytes, None] = {}
    for bundle in bundles:
        for block in bundle.split(end)[:-1]:
            found[block.strip() + b"\n" + end + b"\n"] = None
    return b"".join(found)
