"""Acting as somebody else: the user that `Impersonate-*` headers name, where the real one may.

Every user, group, uid and extra value named is a permission of its own (verb `impersonate`), asked of
`access` one by one, as a kube-apiserver does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from gitops_ocm.apiserver.access import Access, Denied
from gitops_ocm.apiserver.rbac import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, Attributes, User
from gitops_ocm.objects.names import label_problems, subdomain_problems

USER, GROUP, UID, EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
_AUTHENTICATION = "authentication.k8s.io"
_SERVICE_ACCOUNT = "system:serviceaccount:"


def impersonated(access: Access, user: User, headers: Iterable[tuple[str, str]]) -> User:
    """Who the request is to count as: the user itself without such headers; 400 or 403 otherwise."""
    sent = [(name.lower(), value) for name, value in headers if name[:12].lower() == "impersonate-"]
    if not sent:
        return user
    name = next((value for header, value in sent if header == USER), "")
    groups = [value for header, value in sent if header == GROUP]
    extra = _extra(sent)
    uid = next((value for header, value in sent if header == UID), "")
    if not name:
        if groups or extra or uid:
            text = f"requested [{_references(groups, extra, uid)}] without impersonating a user"
            raise Denied("BadRequest", text)
        return user
    for wanted in _wanted(name, groups, extra, uid):
        access.require(user, wanted)
    account = service_account(name)
    if account and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}"]
    return User(name, _completed(name, groups), uid, extra)


def service_account(name: str) -> tuple[str, str] | None:
    """The namespace and name of the ServiceAccount that a user name stands for."""
    namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
    if not name.startswith(_SERVICE_ACCOUNT) or label_problems(namespace) or subdomain_problems(account):
        return None
    return namespace, account


def _wanted(
    name: str, groups: Iterable[str], extra: Mapping[str, tuple[str, ...]], uid: str
) -> Iterator[Attributes]:
    account = service_account(name)
    if account:
        yield Attributes("impersonate", "", "serviceaccounts", "", *account)
    else:
        yield Attributes("impersonate", "", "users", name=name)
    for group in groups:
        yield Attributes("impersonate", "", "groups", name=group)
    for key, values in extra.items():
        for value in values:
            yield Attributes("impersonate", _AUTHENTICATION, "userextras", key, name=value)
    if uid:
        yield Attributes("impersonate", _AUTHENTICATION, "uids", name=uid)


def _references(groups: Iterable[str], extra: Mapping[str, tuple[str, ...]], uid: str) -> str:
    """What was asked for as Go prints the references that a kube-apiserver makes of it."""
    version = f"{_AUTHENTICATION}/v1"
    found = [f"{{Group  {group}    }}" for group in groups]
    found += [
        f"{{UserExtra  {value}  {version}  {key}}}" for key, values in extra.items() for value in values
    ]
    return " ".join((*found, f"{{UID  {uid}  {version}  }}") if uid else found)


def _extra(sent: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for header, value in sent:
        if header.startswith(EXTRA):
            key = unquote(header.removeprefix(EXTRA))
            found[key] = (*found.get(key, ()), value)
    return found


def _completed(name: str, groups: list[str]) -> tuple[str, ...]:
    """The groups with the one that everybody is in, unless who asks has chosen that too."""
    if name == ANONYMOUS:
        return tuple(groups) if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    if AUTHENTICATED in groups or UNAUTHENTICATED in groups:
        return tuple(groups)
    return (*groups, AUTHENTICATED)
