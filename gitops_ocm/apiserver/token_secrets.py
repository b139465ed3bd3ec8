"""Secrets of type `kubernetes.io/service-account-token`: filled in with a token that lasts, and ended with
the ServiceAccount they name. Pure; what such a token is good for is judged in `tokens`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from gitops_ocm.apiserver.tokens import legacy_claims
from gitops_ocm.objects.native import SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN
from gitops_ocm.objects.ref import Object

ACCOUNT_UID = "kubernetes.io/service-account.uid"


def is_token(secret: Object) -> bool:
    """Whether it is such a Secret."""
    return bool(secret.get("type") == SERVICE_ACCOUNT_TOKEN)


def account_of(secret: Object) -> str:
    """The name of the ServiceAccount it is for."""
    return str((secret["metadata"].get("annotations") or {}).get(SERVICE_ACCOUNT_NAME) or "")


def belongs(secret: Object, account: Object | None) -> bool:
    """Whether the ServiceAccount it was made for is still there."""
    if account is None:
        return False
    uid = (secret["metadata"].get("annotations") or {}).get(ACCOUNT_UID)
    return not uid or uid == account["metadata"]["uid"]


def filled(secret: Object, account: Object, ca: str, sign: Callable[[Object], str]) -> Object | None:
    """The Secret with its token, CA and namespace; None where it has them."""
    data = dict(secret.get("data") or {})
    wanted = {"ca.crt": ca, "namespace": data.get("namespace") or account["metadata"]["namespace"]}
    if data.get("namespace"):
        wanted.pop("namespace")
    new = {**data, **{key: _encoded(value) for key, value in wanted.items()}}
    if not data.get("token"):
        new["token"] = _encoded(sign(legacy_claims(account, secret)))
    if new == data:
        return None
    meta = secret["metadata"]
    marks = {SERVICE_ACCOUNT_NAME: account["metadata"]["name"], ACCOUNT_UID: account["metadata"]["uid"]}
    annotations = {**(meta.get("annotations") or {}), **marks}
    return {**secret, "metadata": {**meta, "annotations": annotations}, "data": new}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
