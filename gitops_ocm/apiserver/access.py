"""Who asks, and whether they may: authentication of a request and RBAC over the roles in the store.

A user is a client certificate of this server's CA (CN and Os) or a bearer token; nobody else is
`system:anonymous`, who may see no more than the bootstrap roles let it. What RBAC objects mean is
in `rbac`, the roles a new server starts with in `access_bootstrap`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from gitops_ocm.apiserver.rbac import AUTHENTICATED, GROUP, NOBODY, Attributes, Policy, User
from gitops_ocm.apiserver.request_info import RequestInfo
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.faults import ApiError, forbidden
from gitops_ocm.objects.ref import Object

UNAUTHORIZED = ApiError("Unauthorized", "Unauthorized")
_SERVICE_ACCOUNT = "system:serviceaccount:"
_ROLES, _BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")


class Authenticator:
    """Finds the user of a connection or request."""

    def __init__(self, tokens: Mapping[str, User] | None = None) -> None:
        # Hashed, so that a lookup takes the same time whatever part of a guess is right.
        self._tokens = {_digest(token): user for token, user in (tokens or {}).items()}

    def user(self, certificate: Mapping[str, Any] | None, authorization: str | None) -> User:
        """The user; 401 for credentials that are not good."""
        if certificate:
            return _authenticated(*_subject(certificate))
        if not authorization:
            return NOBODY
        scheme, _, token = authorization.partition(" ")
        user = self._tokens.get(_digest(token.strip())) if scheme.lower() == "bearer" else None
        if user is None:
            raise UNAUTHORIZED
        return _authenticated(user.name, user.groups)


class Roles(Protocol):
    """Where the RBAC objects are read."""

    def all(self, plural: str) -> Iterable[Object]:
        """Every object of one of the four kinds."""
        ...

    def revision(self) -> int:
        """A number that changes whenever one of them does."""
        ...


class RoleObjects:
    """The RBAC objects in the store of an `Api`."""

    def __init__(self, api: Api) -> None:
        self._store = api.store
        self._position = self._store.history.position_after(self._store.version)
        self._revision = 0

    def all(self, plural: str) -> Iterable[Object]:
        """The stored objects."""
        return self._store.objects((GROUP, plural)).values()

    def revision(self) -> int:
        """Follows the history, so that a write of anything else costs a look at its key."""
        try:
            changes = self._store.history.read(self._position)
        except ApiError:  # so much has happened that some of it is forgotten
            self._position = self._store.history.position_after(self._store.version)
            self._revision += 1
            return self._revision
        self._position += len(changes)
        if any(change.key.group == GROUP for change in changes):
            self._revision += 1
        return self._revision


class Access:
    """Judges requests by roles and bindings; while those stay as they are, the policy is kept."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._made_at = -1
        self._made = Policy()

    def policy(self) -> Policy:
        """The rules in force now."""
        revision = self._roles.revision()
        if revision != self._made_at:
            self._made = Policy(*(self._roles.all(plural) for plural in (*_ROLES, *_BINDINGS)))
            self._made_at = revision
        return self._made

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether the user may do that."""
        return user.is_master or self.policy().allows(user, wanted)

    def require(self, user: User, wanted: Attributes) -> None:
        """Raise the 403 unless the user may do that."""
        if not self.allows(user, wanted):
            raise refusal(user, wanted)

    def require_no_escalation(self, user: User, plural: str, namespace: str, name: str, obj: Object) -> None:
        """Nobody grants what they do not hold: the check on writes of roles and bindings."""
        if user.is_master:
            return
        policy = self.policy()
        if plural in _ROLES:
            verb, rules = "escalate", tuple(obj.get("rules") or ())
            wanted = Attributes(verb, GROUP, plural, namespace=namespace, name=name)
        elif plural in _BINDINGS:
            ref = obj.get("roleRef") or {}
            rules = policy.rules_of(ref, namespace)
            role_plural = "roles" if ref.get("kind") == "Role" else "clusterroles"
            wanted = Attributes("bind", GROUP, role_plural, namespace=namespace, name=ref.get("name", ""))
        else:
            return
        missing = policy.uncovered(user, rules, namespace)
        if missing and not policy.allows(user, wanted):
            raise _escalates(user, plural, name, missing)


def impersonated(access: Access, user: User, headers: Mapping[str, str], groups: Iterable[str]) -> User:
    """The user that `Impersonate-*` headers name, where the real one may act as that; else 403.

    `groups` are the values of `Impersonate-Group`, which may be sent more than once.
    """
    name = headers.get("Impersonate-User", "")
    groups = tuple(groups)
    if not name:
        if groups or any(h.lower().startswith("impersonate-") for h in headers):
            raise ApiError("InternalError", "requested impersonation without a user name")
        return user
    namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
    if name.startswith(_SERVICE_ACCOUNT) and account:
        access.require(user, Attributes("impersonate", "", "serviceaccounts", "", namespace, account))
        groups = groups or ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    else:
        access.require(user, Attributes("impersonate", "", "users", name=name))
    for group in groups:
        access.require(user, Attributes("impersonate", "", "groups", name=group))
    if any(h.lower().startswith(("impersonate-uid", "impersonate-extra-")) for h in headers):
        raise ApiError("BadRequest", "impersonating a uid or extra fields is not supported")
    return _authenticated(name, groups)


def attributes_of(info: RequestInfo) -> Attributes:
    """What a request wants to do, as RBAC sees it."""
    if not info.is_resource:
        return Attributes(info.verb, path=info.path)
    return Attributes(info.verb, info.group, info.plural, info.subresource, info.namespace, info.name)


def refusal(user: User, wanted: Attributes) -> ApiError:
    """The 403 as a kube-apiserver words it."""
    if wanted.path:
        return ApiError(
            "Forbidden",
            f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"',
            details={},
        )
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {where}'
    )
    return forbidden(wanted.group, wanted.resource, wanted.name, why)


def _escalates(user: User, plural: str, name: str, missing: Iterable[Mapping[str, Any]]) -> ApiError:
    lines = "\n".join(_rule_text(rule) for rule in missing)
    why = (
        f'user "{user.name}" (groups={sorted(user.groups)}) is attempting to grant RBAC permissions '
        f"not currently held:\n{lines}"
    )
    return forbidden(GROUP, plural, name, why)


def _rule_text(rule: Mapping[str, Any]) -> str:
    words = {"apiGroups": "APIGroups", "resources": "Resources", "resourceNames": "ResourceNames"}
    words |= {"nonResourceURLs": "NonResourceURLs", "verbs": "Verbs"}
    parts = [
        f"{word}:[{' '.join(f'{chr(34)}{v}{chr(34)}' for v in rule[key])}]"
        for key, word in words.items()
        if key in rule
    ]
    return "{" + ", ".join(parts) + "}"


def _subject(certificate: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    name, groups = "", []
    for part in certificate.get("subject") or ():
        for key, value in part:
            if key == "commonName":
                name = value
            elif key == "organizationName":
                groups.append(value)
    if not name:
        raise UNAUTHORIZED
    return name, tuple(groups)


def _authenticated(name: str, groups: Iterable[str]) -> User:
    return User(name, tuple(dict.fromkeys((*groups, AUTHENTICATED))))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
