"""Tokens that clusters join with: of an account, for an hour; or a stored one that stays.

`get token`, `delete token`, and what `init` prints in the end.
"""

from __future__ import annotations

import base64
import secrets
import string
from dataclasses import dataclass, field

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.kube.token_request import request_token
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import ACCOUNTS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CRDS, SECRETS
from gitops_ocm.verbs.applying import Applier
from gitops_ocm.verbs.hub_objects import (
    ACCOUNT,
    ACCOUNT_BINDING,
    CLUSTER_MANAGER,
    ROLE,
    TOKEN_BINDING,
    TOKEN_SECRET,
)
from gitops_ocm.verbs.voice import NAME, VerbError, Voice

HOUR = 3600
_LETTERS = string.ascii_lowercase + string.digits
_SYSTEM = "kube-system"
_INIT = f"run {NAME} init again to make what joins need"


@dataclass(frozen=True)
class JoinInfo:
    """What a cluster joins with."""

    token: str = field(repr=False)
    apiserver: str

    def command(self, *, wait: bool = False) -> str:
        """The command line to run there, but for the cluster's name."""
        line = f"{NAME} join --hub-token {self.token} --hub-apiserver {self.apiserver}"
        return f"{line} --wait" if wait else line

    def fields(self) -> dict[str, str]:
        """As machines read it."""
        return {"hub-token": self.token, "hub-apiserver": self.apiserver}


async def account_token(hub: Cluster) -> str:
    """A fresh token of the bootstrap account, good for an hour."""
    try:
        return (await request_token(hub, OPERATOR_NAMESPACE, ACCOUNT, HOUR)).text
    except ApiError as error:
        raise VerbError(
            f"failed to get token from sa {OPERATOR_NAMESPACE}/{ACCOUNT}: {error.message}", hint=_INIT
        ) from error


async def stored_tokens(hub: Cluster) -> list[Object]:
    """The Secrets of stored tokens, the newest first."""
    found = (await hub.list(SECRETS, _SYSTEM, label_selector=f"app={CLUSTER_MANAGER}")).items
    tokens = [s for s in found if s["metadata"]["name"].startswith("bootstrap-token-")]
    return sorted(tokens, key=lambda s: str(s["metadata"].get("creationTimestamp")), reverse=True)


async def stored_token(hub: Cluster) -> str:
    """The newest stored token."""
    for secret in await stored_tokens(hub):
        parts = (_part(secret, "token-id"), _part(secret, "token-secret"))
        if all(parts):
            return ".".join(parts)
    raise VerbError(
        "no bootstrap token is stored on this hub",
        hint=f"make one: {NAME} init --use-bootstrap-token, or leave --use-bootstrap-token out",
    )


async def token_secret(hub: Cluster) -> str:
    """The private half of our stored token: as it is, so that printed commands stay good; else a new one."""
    secret = await find(hub, SECRETS, TOKEN_SECRET, _SYSTEM)
    kept = _part(secret, "token-secret") if secret is not None else ""
    return kept or "".join(secrets.choice(_LETTERS) for _ in range(16))


def _part(secret: Object, key: str) -> str:
    return base64.b64decode((secret.get("data") or {}).get(key) or "").decode()


async def join_info(hub: Cluster, server: str, *, stored: bool) -> JoinInfo:
    """What clusters join with: the stored token, or a fresh one."""
    return JoinInfo(await (stored_token(hub) if stored else account_token(hub)), server)


async def delete_tokens(hub: Cluster, voice: Voice, *, dry_run: bool = False) -> None:
    """Take away who may ask to join, and every stored token; those who joined are not touched."""
    if await find(hub, CRDS, "clustermanagers.operator.open-cluster-management.io") is None:
        raise VerbError("this is not a hub", hint=f"use the hub's kubeconfig, or make a hub: {NAME} init")
    applier = Applier(hub, voice, dry_run=dry_run)
    for name in (ACCOUNT_BINDING, ACCOUNT, TOKEN_BINDING):
        await applier.delete(CLUSTER_ROLE_BINDINGS, "", name)
    await applier.delete(CLUSTER_ROLES, "", ROLE)
    for secret in await stored_tokens(hub):
        await applier.delete(SECRETS, _SYSTEM, secret["metadata"]["name"])
    await applier.delete(ACCOUNTS, OPERATOR_NAMESPACE, ACCOUNT)
