"""ServiceAccount tokens: what they claim, and whether that still holds.

Two sorts, as on a kube-apiserver. Bound tokens have an audience, an end, and perhaps an object they die
with (Pod, Secret, Node); they are made on request (`handlers_token`). Legacy tokens have none of that
and hold as long as the Secret they are kept in (`token_secrets`). Either is looked up in the store at
every use, so that what is deleted ends at once.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from gitops_ocm.apiserver.authentication import CREDENTIAL_ID, ISSUER, Authenticated, InvalidToken
from gitops_ocm.apiserver.rbac import User, quoted
from gitops_ocm.apiserver.signing_key import SigningKey
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.conditions import parse_time
from gitops_ocm.objects.faults import not_found
from gitops_ocm.objects.ref import Object

LEGACY_ISSUER = "kubernetes/serviceaccount"
LEEWAY = timedelta(seconds=60)
"""How far the clocks of those who sign and those who verify may be apart."""
_CLAIM = "kubernetes.io"
_LEGACY = "kubernetes.io/serviceaccount/"
_POD = "authentication.kubernetes.io/pod-"
_NODE = "authentication.kubernetes.io/node-"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"


def claims_for(
    account: Object, *, now: datetime, seconds: int, audiences: Sequence[str], jti: str, bound: Object
) -> Object:
    """The claims of a bound token; `bound` maps `pod`, `secret` or `node` to what it is bound to."""
    meta, issued = account["metadata"], int(now.timestamp())
    about: Object = {"namespace": meta["namespace"]}
    for kind in ("node", "pod", "secret"):
        if kind in bound:
            about[kind] = bound[kind]
    about["serviceaccount"] = {"name": meta["name"], "uid": meta["uid"]}
    return {
        "aud": list(audiences),
        "exp": issued + seconds,
        "iat": issued,
        "iss": ISSUER,
        "jti": jti,
        _CLAIM: about,
        "nbf": issued,
        "sub": user_name(account),
    }


def legacy_claims(account: Object, secret: Object) -> Object:
    """The claims of a token that is kept in a Secret."""
    meta = account["metadata"]
    return {
        "iss": LEGACY_ISSUER,
        f"{_LEGACY}namespace": meta["namespace"],
        f"{_LEGACY}secret.name": secret["metadata"]["name"],
        f"{_LEGACY}service-account.name": meta["name"],
        f"{_LEGACY}service-account.uid": meta["uid"],
        "sub": user_name(account),
    }


def user_name(account: Object) -> str:
    """Whom a ServiceAccount is known as."""
    return f"system:serviceaccount:{account['metadata']['namespace']}:{account['metadata']['name']}"


class ServiceAccountTokens:
    """Knows this server's tokens of either sort."""

    def __init__(self, store: Store, key: SigningKey, now: Callable[[], datetime]) -> None:
        self._store = store
        self._key = key
        self._now = now

    def authenticate(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """The ServiceAccount; None for what was not issued here, `InvalidToken` for what ended."""
        issuer = _unverified_issuer(token)
        if issuer not in (ISSUER, LEGACY_ISSUER):
            return None
        claims = self._key.verified(token)
        legacy = issuer == LEGACY_ISSUER
        granted = _granted(claims, audiences)
        user = self._legacy(claims, token) if legacy else self._bound(claims)
        return Authenticated(user, granted)

    def _bound(self, claims: Object) -> User:
        _check_times(claims, self._now())
        about = claims.get(_CLAIM) or {}
        namespace = str(about.get("namespace", ""))
        account = about.get("serviceaccount") or {}
        self._account(namespace, account)
        extra: dict[str, tuple[str, ...]] = {}
        if claims.get("jti"):
            extra[CREDENTIAL_ID] = (f"JTI={claims['jti']}",)
        for plural, marks in (("secrets", ""), ("pods", _POD), ("nodes", _NODE)):
            ref = about.get(plural.removesuffix("s"))
            if ref is None:
                continue
            if plural != "nodes" or "pod" not in about:  # the node of a bound pod is only told
                self._alive(plural, namespace if plural != "nodes" else "", ref)
            if marks:
                extra |= {f"{marks}{key}": (str(ref[key]),) for key in ("name", "uid") if ref.get(key)}
        return _user(namespace, account, extra)

    def _legacy(self, claims: Object, token: str) -> User:
        namespace = str(claims.get(f"{_LEGACY}namespace", ""))
        account = {key: claims.get(f"{_LEGACY}service-account.{key}", "") for key in ("name", "uid")}
        name = str(claims.get(f"{_LEGACY}secret.name", ""))
        if claims.get("sub") != f"system:serviceaccount:{namespace}:{account['name']}":
            raise InvalidToken("sub claim is invalid")
        secret = self._store.get(Key("", "secrets", namespace, name))
        if secret is None or secret["metadata"].get("deletionTimestamp"):
            raise InvalidToken("Token has been invalidated")
        kept = base64.b64decode((secret.get("data") or {}).get("token", ""))
        if not hmac.compare_digest(kept, token.encode()):
            raise InvalidToken("Token does not match server's copy")
        self._account(namespace, account)
        if (secret["metadata"].get("labels") or {}).get(INVALID_SINCE):
            where = f"secret {namespace}/{name} for service account {namespace}/{account['name']}"
            raise InvalidToken(f"the token in {where} has been marked invalid by the label {INVALID_SINCE!r}")
        return _user(namespace, account, {})

    def _account(self, namespace: str, wanted: Mapping[str, Any]) -> None:
        name = str(wanted.get("name", ""))
        found = self._store.get(Key("", "serviceaccounts", namespace, name))
        if found is None:
            raise InvalidToken(not_found("", "serviceaccounts", name).message)
        uid = found["metadata"]["uid"]
        if uid != wanted.get("uid"):
            text = f"service account UID ({uid}) does not match claim ({wanted.get('uid', '')})"
            raise InvalidToken(text)
        if self._gone(found):
            raise InvalidToken(f"service account {namespace}/{name} has been deleted")

    def _alive(self, plural: str, namespace: str, ref: Mapping[str, Any]) -> None:
        found = self._store.get(Key("", plural, namespace, str(ref.get("name", ""))))
        if found is None or self._gone(found):
            raise InvalidToken("service account token has been invalidated")
        uid = found["metadata"]["uid"]
        if uid != ref.get("uid"):
            kind = plural.removesuffix("s")
            shown = "Secret" if kind == "secret" else kind
            claim = f"service account {kind} ref claim ({ref.get('uid', '')})"
            raise InvalidToken(
                f"{shown.capitalize() if kind == 'secret' else kind} UID ({uid}) does not match {claim}"
            )

    def _gone(self, obj: Object) -> bool:
        deleted = obj["metadata"].get("deletionTimestamp")
        return bool(deleted) and parse_time(deleted) < self._now() - LEEWAY


def _check_times(claims: Object, now: datetime) -> None:
    seconds, leeway = now.timestamp(), LEEWAY.total_seconds()
    try:
        if seconds + leeway < float(claims.get("nbf", 0)):
            raise InvalidToken("service account token is not valid yet")
        if seconds - leeway > float(claims.get("exp", 0)):
            raise InvalidToken("service account token has expired")
        if seconds + leeway < float(claims.get("iat", 0)):
            raise InvalidToken("service account token is issued in the future")
    except (TypeError, ValueError) as error:
        raise InvalidToken("service account token claims could not be validated") from error


def _granted(claims: Object, audiences: Sequence[str]) -> tuple[str, ...]:
    told = claims.get("aud") or []
    offered = [told] if isinstance(told, str) else [str(a) for a in told]
    granted = tuple(a for a in (offered or (ISSUER,)) if a in audiences)
    if not granted:
        target = f"the target audiences {quoted(audiences)}"
        raise InvalidToken(f"token audiences {quoted(offered or (ISSUER,))} is invalid for {target}")
    return granted


def _unverified_issuer(token: str) -> str:
    """Who a token says issued it: only to know whether it is one of ours to look at."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _user(namespace: str, account: Mapping[str, Any], extra: dict[str, tuple[str, ...]]) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    name = f"system:serviceaccount:{namespace}:{account['name']}"
    return User(name, groups, str(account["uid"]), extra)
