"""Tokens of ServiceAccounts, by TokenRequest: short-lived, and the server stores nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.conditions import parse_time
from gitops_ocm.objects.ref import Object, Resource

_VERSION = "authentication.k8s.io/v1"


@dataclass(frozen=True)
class Token:
    """A token, whose it is, and when it is over."""

    text: str = field(repr=False)
    uid: str
    issued: datetime
    expires: datetime


def read_token(text: str) -> Token | None:
    """What a token says of itself; nobody has checked it."""
    try:
        body = text.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return Token(
            text,
            str(claims["kubernetes.io"]["serviceaccount"]["uid"]),
            datetime.fromtimestamp(claims["iat"], UTC),
            datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (ValueError, KeyError, IndexError, TypeError):
        return None


@dataclass(frozen=True)
class Granted:
    """What a server gave: a token, and when it is over."""

    text: str = field(repr=False)
    expires: datetime


async def request_token(cluster: Cluster, namespace: str, account: str, seconds: int) -> Granted:
    """A token of a ServiceAccount; the server may give one of another lifetime than asked for."""
    # The collection that is posted to is a subresource of the account.
    at = Resource("", "v1", "TokenRequest", f"serviceaccounts/{account}/token", namespaced=True)
    wanted: Object = {
        "apiVersion": _VERSION,
        "kind": "TokenRequest",
        "metadata": {"namespace": namespace},
        "spec": {"expirationSeconds": seconds},
    }
    status = (await cluster.create(at, wanted))["status"]
    return Granted(str(status["token"]), parse_time(status["expirationTimestamp"]))
