"""Tokens of ServiceAccounts, by TokenRequest: short-lived, and nothing is stored on the hub."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import parse_time
from gitops_ocm.objects.ref import Object, Resource

_VERSION = "authentication.k8s.io/v1"


@dataclass(frozen=True)
class Token:
    """A token, and when it is over."""

    text: str = field(repr=False)
    expires: datetime


async def request_token(hub: Cluster, namespace: str, account: str, seconds: int) -> Token:
    """A token of a ServiceAccount; the server may give one of another lifetime than asked for."""
    # The collection that is posted to is a subresource of the account.
    at = Resource("", "v1", "TokenRequest", f"serviceaccounts/{account}/token", namespaced=True)
    wanted: Object = {
        "apiVersion": _VERSION,
        "kind": "TokenRequest",
        "metadata": {"namespace": namespace},
        "spec": {"expirationSeconds": seconds},
    }
    status = (await hub.create(at, wanted))["status"]
    return Token(str(status["token"]), parse_time(status["expirationTimestamp"]))
