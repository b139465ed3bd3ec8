"""Whether who asks may: RBAC over the roles in the store, and that nobody grants what they lack.

Who asks is found by `authentication`. What RBAC objects mean is in `rbac`, the roles a new server starts
with in `access_bootstrap`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gitops_ocm.apiserver.rbac import (
    FULL_AUTHORITY,
    GROUP,
    Attributes,
    Policy,
    Rule,
    User,
    quoted,
    shown,
)
from gitops_ocm.apiserver.request_info import RequestInfo
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects.faults import ApiError, forbidden, not_found
from gitops_ocm.objects.ref import Object

_UPKEEP = frozenset(("ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"))
_ROLES, _BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")


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
            raise refusal(user, wanted, self.policy().trouble(user, wanted.namespace))

    def require_no_escalation(
        self, user: User, plural: str, namespace: str, name: str, obj: Object, old: Object | None = None
    ) -> None:
        """Nobody grants what they do not hold: the check on writes of roles and bindings.

        `name` is that of the request's URL (none on a creation), `old` what is written over.
        """
        if user.is_master or (old is not None and _only_for_deletion(obj, old)):
            return
        shown_name = name or str((obj.get("metadata") or {}).get("name") or "")
        if plural in _ROLES:
            self._require_held(user, plural, namespace, name, shown_name, obj, old)
        elif plural in _BINDINGS:
            self._require_bindable(user, plural, namespace, shown_name, obj)

    def _require_held(
        self,
        user: User,
        plural: str,
        namespace: str,
        name: str,
        shown_name: str,
        obj: Object,
        old: Object | None,
    ) -> None:
        policy = self.policy()
        if policy.allows(user, Attributes("escalate", GROUP, plural, namespace=namespace, name=name)):
            return
        missing = policy.uncovered(user, obj.get("rules") or (), namespace)
        if missing:
            raise _escalates(user, plural, shown_name, missing)
        if (_aggregates(obj) or _aggregates(old)) and policy.uncovered(user, FULL_AUTHORITY, namespace):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise forbidden(GROUP, plural, shown_name, why)

    def _require_bindable(
        self, user: User, plural: str, namespace: str, shown_name: str, obj: Object
    ) -> None:
        policy, ref = self.policy(), obj.get("roleRef") or {}
        roles = "roles" if ref.get("kind") == "Role" else "clusterroles"
        name = str(ref.get("name", ""))
        if policy.allows(user, Attributes("bind", GROUP, roles, namespace=namespace, name=name)):
            return
        if not policy.has_role(ref, namespace):
            raise not_found(GROUP, plural, name)
        missing = policy.uncovered(user, policy.rules_of(ref, namespace), namespace)
        if missing:
            raise _escalates(user, plural, shown_name, missing)


def attributes_of(info: RequestInfo) -> Attributes:
    """What a request wants to do, as RBAC sees it."""
    if not info.is_resource:
        return Attributes(info.verb, path=info.path)
    return Attributes(info.verb, info.group, info.plural, info.subresource, info.namespace, info.name)


class Denied(ApiError):
    """Refused for who asks: the request was not looked into any further."""


def refusal(user: User, wanted: Attributes, reason: str = "") -> Denied:
    """The 403 as a kube-apiserver words it."""
    told = f": {reason}" if reason else ""
    if wanted.path:
        return Denied(
            "Forbidden",
            f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{told}',
            details={},
        )
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    why = (
        f'User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" '
        f'in API group "{wanted.group}" {where}{told}'
    )
    found = forbidden(wanted.group, wanted.resource, wanted.name, why)
    return Denied(found.reason, found.message, details=found.details)


def _escalates(user: User, plural: str, name: str, missing: Iterable[Rule]) -> ApiError:
    lines = "\n".join(shown(missing))
    why = (
        f'user "{user.name}" (groups={quoted(user.groups)}) is attempting to grant RBAC permissions '
        f"not currently held:\n{lines}"
    )
    return forbidden(GROUP, plural, name, why)


def _aggregates(obj: Object | None) -> bool:
    return bool(((obj or {}).get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _only_for_deletion(obj: Object, old: Object) -> bool:
    """Whether a write changes no more than what garbage collection has to."""
    return _without_upkeep(obj) == _without_upkeep(old)


def _without_upkeep(obj: Object) -> Object:
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _UPKEEP}
    return {**{k: v for k, v in obj.items() if k not in ("apiVersion", "kind")}, "metadata": meta}
