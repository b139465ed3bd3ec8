"""`kube-public/cluster-info`: a kubeconfig without credentials, for those who come with a bootstrap token.

Anybody may read it, so it is signed with every bootstrap token that may sign: who has such a token knows
that this is the server meant. The format is kubeadm's, the signatures are detached JWS (RFC 7515).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

import orjson
import yaml

from gitops_ocm.apiserver.tokens_bootstrap import signing_secret
from gitops_ocm.objects.ref import Object

NAMESPACE, NAME = "kube-public", "cluster-info"
SIGNATURE = "jws-kubeconfig-"
_CONTENT = "kubeconfig"


def published(ca: str, url: str) -> Object:
    """The ConfigMap but for its signatures."""
    cluster = {"certificate-authority-data": base64.b64encode(ca.encode()).decode(), "server": url}
    config = {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": ""}],
        "contexts": None,
        "current-context": "",
        "kind": "Config",
        "users": None,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": {_CONTENT: yaml.safe_dump(config, width=1 << 20)},
    }


def signed(info: Object, secrets: Iterable[Object], now: datetime) -> Object | None:
    """The ConfigMap with a signature by each token that may sign, and no other; None where it is so."""
    data = info.get("data") or {}
    content = data.get(_CONTENT)
    if content is None:
        return None
    kept = {key: value for key, value in data.items() if not key.startswith(SIGNATURE)}
    for secret in secrets:
        token = signing_secret(secret, now)
        if token is not None:
            kept[f"{SIGNATURE}{token[0]}"] = signature(content, *token)
    return {**info, "data": kept} if kept != data else None


def signature(content: str, token_id: str, secret: str) -> str:
    """The signature without what it signs, as it is kept beside it."""
    head = _encoded(orjson.dumps({"alg": "HS256", "kid": token_id}))
    # Bootstrap tokens are shorter than a JWT library would take a key to be.
    mac = hmac.new(secret.encode(), head + b"." + _encoded(content.encode()), hashlib.sha256)
    return f"{head.decode()}..{_encoded(mac.digest()).decode()}"


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
