"""Who asks: from a client certificate or a bearer token to a user, or to nobody.

A certificate of this server's CA is its CN and Os. A bearer token is one given at the start, one of a
ServiceAccount (`tokens`) or a bootstrap token (`tokens_bootstrap`); the first that knows it decides. A
request without credentials is `system:anonymous`. What a user may do is for `access`, acting as
somebody else for `impersonation`.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from gitops_ocm.apiserver.rbac import AUTHENTICATED, NOBODY, User
from gitops_ocm.objects.faults import ApiError

FOREVER, EVER = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
ISSUER = "https://kubernetes.default.svc"
"""Who issues this server's ServiceAccount tokens, and the audience that it is itself."""


def unauthorized() -> ApiError:
    """A refusal of credentials. A new one each time: one that is raised again and again keeps every frame."""
    return ApiError("Unauthorized", "Unauthorized")


@dataclass(frozen=True)
class Authenticated:
    """A token's user, and those of the audiences asked about that the token is for."""

    user: User
    audiences: tuple[str, ...] = (ISSUER,)


class InvalidToken(Exception):
    """A token that is of a known sort and not good; the text may be shown to who reviews it."""


class TokenSource(Protocol):
    """One sort of bearer token."""

    def authenticate(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """Whose it is; None where it is of another sort, `InvalidToken` where it is not good."""
        ...


@dataclass(frozen=True)
class Certificate:
    """A client certificate whose signature the TLS handshake has verified, as a user and when it counts."""

    user: User
    not_after: datetime = FOREVER
    not_before: datetime = EVER

    @classmethod
    def of(cls, parsed: Mapping[str, Any], der: bytes = b"") -> Certificate:
        """From what `ssl` tells of the peer; 401 for one without a common name."""
        name, groups = _subject(parsed)
        extra = {CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)} if der else {}
        user = authenticated(User(name, groups, extra=extra))
        return cls(user, _time(parsed.get("notAfter"), FOREVER), _time(parsed.get("notBefore"), EVER))


class Authenticator:
    """Finds the user of a request."""

    def __init__(self, tokens: Mapping[str, User] | None = None, sources: Iterable[TokenSource] = ()) -> None:
        self._sources: tuple[TokenSource, ...] = (_Given(tokens or {}), *sources)

    def user(self, certificate: Certificate | None, authorization: str | None, now: datetime) -> User:
        """The user; 401 for credentials that are not good.

        As on a kube-apiserver a certificate goes first, and a header that is no bearer token counts
        as none.
        """
        if certificate is not None:
            if not certificate.not_before <= now < certificate.not_after:
                raise unauthorized()
            return certificate.user
        token = bearer_token(authorization)
        if not token:
            return NOBODY
        found, _ = self.review(token)
        if found is None:
            raise unauthorized()
        return found.user

    def review(self, token: str, audiences: Sequence[str] = (ISSUER,)) -> tuple[Authenticated | None, str]:
        """Whose token that is for these audiences, or None and why not."""
        faults = []
        for source in self._sources:
            try:
                found = source.authenticate(token, audiences)
            except InvalidToken as invalid:
                faults.append(str(invalid))
                continue
            if found is not None:
                return Authenticated(authenticated(found.user), found.audiences), ""
        return None, f"[invalid bearer token, {', '.join(faults)}]" if faults else "invalid bearer token"


def bearer_token(authorization: str | None) -> str:
    """The token in an `Authorization` header; `""` for none, or for a header of another scheme."""
    parts = (authorization or "").split(" ", 2)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "bearer" else ""


def authenticated(user: User) -> User:
    """The user with the group that everybody has who has shown who they are."""
    groups = tuple(dict.fromkeys((*user.groups, AUTHENTICATED)))
    return User(user.name, groups, user.uid, user.extra)


class _Given:
    """Tokens that were named when the server was started."""

    def __init__(self, tokens: Mapping[str, User]) -> None:
        # Hashed, so that a lookup takes the same time whatever part of a guess is right.
        self._users = {_digest(token): user for token, user in tokens.items()}

    def authenticate(self, token: str, audiences: Sequence[str]) -> Authenticated | None:
        """The user it was given for."""
        user = self._users.get(_digest(token))
        return Authenticated(user, tuple(audiences)) if user is not None else None


def _time(text: str | None, otherwise: datetime) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else otherwise


def _subject(parsed: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    name, groups = "", []
    for part in parsed.get("subject") or ():
        for key, value in part:
            if key == "commonName":
                name = value
            elif key == "organizationName":
                groups.append(value)
    if not name:
        raise unauthorized()
    return name, tuple(groups)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
