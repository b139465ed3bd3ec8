"""Rights as admission expressions ask for them (`objects.cel_authorizer`): by the roles of this server."""

from __future__ import annotations

from gitops_ocm.apiserver.access import Access
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.objects.cel_authorizer import Authorizer, Check, Decision

_ACCOUNTS = "system:serviceaccounts"


def authorizer_of(access: Access, user: User) -> Authorizer:
    """What the user may, as expressions ask."""

    def ask(check: Check, verb: str) -> Decision:
        wanted = Attributes(
            verb,
            check.group,
            check.resource,
            check.subresource,
            check.namespace,
            check.name,
            path=check.path,
        )
        if user.is_master:
            return Decision(allowed=True)
        policy = access.policy()
        reason = policy.reason(user, wanted)
        return Decision(bool(reason), reason or policy.trouble(user, wanted.namespace))

    def account(namespace: str, name: str) -> Authorizer:
        groups = (_ACCOUNTS, f"{_ACCOUNTS}:{namespace}", "system:authenticated")
        return authorizer_of(access, User(f"system:serviceaccount:{namespace}:{name}", groups))

    return Authorizer(ask, account)
