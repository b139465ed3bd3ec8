"""Bootstrap tokens: `ID.SECRET`, kept in Secrets of kube-system, for those who have no credentials yet.

What makes such a Secret good, and for what, is read here by all who use them: authentication, the
signatures of `cluster_info`, and the cleaner that removes the expired ones.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from gitops_ocm.apiserver.authentication import ISSUER, Authenticated
from gitops_ocm.apiserver.rbac import User
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.conditions import parse_time
from gitops_ocm.objects.ref import Object

NAMESPACE, TYPE = "kube-system", "bootstrap.kubernetes.io/token"
PREFIX = "bootstrap-token-"
_GROUP = "system:bootstrappers"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_NAME = re.compile(rf"{PREFIX}([a-z0-9]{{6}})")
_EXTRA_GROUP = re.compile(rf"{_GROUP}:[a-z0-9:-]{{0,255}}[a-z0-9]")


def field(secret: Object, name: str) -> str:
    """One value of the Secret as text; `""` where it is absent or no text."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(name) or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def expiration(secret: Object) -> datetime | None:
    """When it ends, None for never; one that cannot be read has ended long ago."""
    text = field(secret, "expiration")
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def expired(secret: Object, now: datetime) -> bool:
    """Whether it has ended."""
    end = expiration(secret)
    return end is not None and end <= now


def signing_secret(secret: Object, now: datetime) -> tuple[str, str] | None:
    """The ID and secret where the token may sign; else None."""
    named = _NAME.fullmatch(secret["metadata"]["name"])
    token_id, value = field(secret, "token-id"), field(secret, "token-secret")
    if secret.get("type") != TYPE or named is None or named[1] != token_id or not value:
        return None
    if expired(secret, now) or field(secret, "usage-bootstrap-signing") != "true":
        return None
    return token_id, value


class BootstrapTokens:
    """Knows who shows a bootstrap token."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def authenticate(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """`system:bootstrap:ID` with the groups its Secret names; None where it does not authenticate."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return None
        secret = self._store.get(Key("", "secrets", NAMESPACE, f"{PREFIX}{parts[1]}"))
        if secret is None or secret["metadata"].get("deletionTimestamp") or secret.get("type") != TYPE:
            return None
        if not hmac.compare_digest(field(secret, "token-secret").encode(), parts[2].encode()):
            return None
        if field(secret, "token-id") != parts[1] or expired(secret, self._now()):
            return None
        groups = _groups(secret)
        if groups is None or field(secret, "usage-bootstrap-authentication") != "true":
            return None
        return Authenticated(User(f"system:bootstrap:{parts[1]}", groups), (ISSUER,))


def _groups(secret: Object) -> tuple[str, ...] | None:
    extra = field(secret, "auth-extra-groups")
    groups = extra.split(",") if extra else []
    if not all(_EXTRA_GROUP.fullmatch(group) for group in groups):
        return None
    return tuple(sorted({_GROUP, *groups}))
