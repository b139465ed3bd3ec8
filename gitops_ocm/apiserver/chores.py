"""The chores of `housekeeping`: which objects wake each, and how its decision is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gitops_ocm.apiserver import cluster_info, csr_rules, csr_signing, token_secrets, tokens_bootstrap
from gitops_ocm.apiserver.aggregated_roles import ROLES, gathered
from gitops_ocm.apiserver.housekeeping import Chore
from gitops_ocm.apiserver.rbac import GROUP as RBAC
from gitops_ocm.apiserver.rbac import Attributes, User
from gitops_ocm.apiserver.registry import resource_of
from gitops_ocm.apiserver.signing_key import SigningKey
from gitops_ocm.apiserver.tls import Authority
from gitops_ocm.apiserver.verbs import Api, WriteOptions
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Object

SECRETS, ACCOUNTS, CONFIG_MAPS = ("", "secrets"), ("", "serviceaccounts"), ("", "configmaps")
REQUESTS = (csr_rules.GROUP, csr_rules.PLURAL)
_INFO = Key(*CONFIG_MAPS, cluster_info.NAMESPACE, cluster_info.NAME)
_HOUR = 3600.0
MANAGER = "kube-controller-manager"


@dataclass
class Chores:
    """What the chores work with."""

    api: Api
    authority: Authority
    key: SigningKey
    allows: Callable[[User, Attributes], bool]
    _gathered_at: int = field(default=0, init=False)

    def all(self) -> tuple[Chore, ...]:
        """Every chore."""
        return (
            Chore("csr-approving", (REQUESTS,), self._approve),
            Chore("csr-signing", (REQUESTS,), self._sign),
            Chore("csr-cleaning", (REQUESTS,), self._clean_request),
            Chore("token-secrets", (SECRETS,), self._fill_secret),
            Chore("account-tokens", (ACCOUNTS,), self._end_tokens),
            Chore("token-cleaning", (SECRETS,), self._clean_token),
            Chore("cluster-info", (SECRETS, CONFIG_MAPS), self._sign_info),
            Chore("aggregated-roles", (ROLES,), self._aggregate),
        )

    def _approve(self, key: Key, now: datetime) -> None:
        csr = self.api.store.get(key)
        if csr is not None and (new := csr_signing.approved(csr, self.allows, now)) is not None:
            self._write(key, new, subresource="approval")

    def _sign(self, key: Key, now: datetime) -> None:
        csr = self.api.store.get(key)
        if csr is not None and (new := csr_signing.signed(csr, self.authority, now)) is not None:
            self._write(key, new, subresource="status")

    def _clean_request(self, key: Key, now: datetime) -> float | None:
        csr = self.api.store.get(key)
        if csr is None:
            return None
        if not csr_signing.outdated(csr, now):
            return _HOUR
        self._delete(key, csr)
        return None

    def _fill_secret(self, key: Key, now: datetime) -> None:
        secret = self.api.store.get(key)
        if secret is None or not token_secrets.is_token(secret):
            return
        name = token_secrets.account_of(secret)
        account = self.api.store.get(Key(*ACCOUNTS, key.namespace, name))
        if not token_secrets.belongs(secret, account):
            self._delete(key, secret)
        elif account is not None:
            ca = self.authority.pem.decode("ascii")
            new = token_secrets.filled(secret, account, ca, self.key.sign)
            if new is not None:
                self._write(key, new)

    def _end_tokens(self, key: Key, now: datetime) -> None:
        """The Secrets of an account that is gone, or was made anew, are looked at once more."""
        for secret in list(self.api.store.objects(SECRETS)):
            if secret.namespace == key.namespace:
                found = self.api.store.get(secret)
                if found is not None and token_secrets.account_of(found) == key.name:
                    self._fill_secret(secret, now)

    def _clean_token(self, key: Key, now: datetime) -> float | None:
        secret = self.api.store.get(key)
        if secret is None or secret.get("type") != tokens_bootstrap.TYPE:
            return None
        if key.namespace != tokens_bootstrap.NAMESPACE:
            return None
        end = tokens_bootstrap.expiration(secret)
        if end is None:
            return None
        if end > now:
            return (end - now).total_seconds()
        self._delete(key, secret)
        return None

    def _sign_info(self, key: Key, now: datetime) -> None:
        if key != _INFO and (key.resource != SECRETS or key.namespace != tokens_bootstrap.NAMESPACE):
            return
        info = self.api.store.get(_INFO)
        if info is None:
            return
        store = self.api.store
        secrets = (store.get(k) or {} for k in store.keys(SECRETS, tokens_bootstrap.NAMESPACE))
        new = cluster_info.signed(info, secrets, now)
        if new is not None:
            self._write(_INFO, new)

    def _aggregate(self, key: Key, now: datetime) -> None:
        """A role that changes may be part of any that gathers: all of them are looked at, once."""
        if self._gathered_at == self.api.store.version:
            return
        roles = sorted(self.api.store.objects(ROLES).values(), key=lambda r: str(r["metadata"]["name"]))
        for role in roles:
            rules = gathered(role, roles)
            if rules is not None:
                name = role["metadata"]["name"]
                fragment = {
                    "apiVersion": f"{RBAC}/v1",
                    "kind": "ClusterRole",
                    "metadata": {"name": name},
                    "rules": rules,
                }
                options = WriteOptions("clusterrole-aggregation-controller", force=True)
                self.api.patch(self._served(ROLES), "", name, PatchType.APPLY, fragment, options)
        self._gathered_at = self.api.store.version

    def _write(self, key: Key, obj: Object, *, subresource: str = "") -> None:
        served = self._served(key.resource)
        obj = {**obj, "apiVersion": served.resource.api_version}
        options = WriteOptions(MANAGER)
        self.api.update(served, key.namespace, key.name, obj, options, subresource=subresource)

    def _delete(self, key: Key, obj: Object) -> None:
        only = {"preconditions": {"uid": obj["metadata"]["uid"]}}
        self.api.delete(self._served(key.resource), key.namespace, key.name, only)

    def _served(self, resource: tuple[str, str]) -> Served:
        return next(s for s in self.api.catalog.entries() if resource_of(s) == resource and s.storage)
