"""The ServiceAccounts on the hub of add-ons' agents that register with a token, and who may have tokens made.

Made as soon as the cluster's klusterlet has said that it works with tokens; the condition that says so names
the account by its uid, so that a token of an earlier one is known for what it is. All goes with the add-on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gitops_ocm.api.addon_words import TOKEN_ADDON_LABEL, TOKEN_LABEL
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import TOKEN_READY
from gitops_ocm.decide.access import groups_of
from gitops_ocm.decide.addons.agent import Told, said, tell
from gitops_ocm.decide.addons.management import served_version
from gitops_ocm.decide.addons.versions import VERSION, at_beta
from gitops_ocm.decide.contract import DONE, Outcome, Result, View, Want, Write
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    RBAC_GROUP,
    ROLE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
)
from gitops_ocm.decide.writes import (
    after_failure,
    conditions_of,
    delete,
    ensure,
    errors,
    is_deleting,
    labels_of,
    status_of,
    uid_of,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref, ref_of

READY = KnownCondition(
    TOKEN_READY,
    "True",
    "TokenInfrastructureReady",
    "ServiceAccount {cluster}/{account} (UID: {uid}) is ready",
)
NOT_READY = KnownCondition(
    TOKEN_READY,
    "False",
    "TokenInfrastructureApplyFailed",
    "Failed to apply token infrastructure: {error}",
)
_VERSION = f"{RBAC_GROUP}/v1"


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one ManagedClusterAddOn."""
    live = view.get(key)
    if live is None:
        return DONE
    told = conditions.find(conditions_of(live), TOKEN_READY)
    uses = _uses_token(at_beta(live)) and not is_deleting(live)
    if not uses and told is None:
        return DONE
    # Only where there are such add-ons at all are their accounts watched.
    view.require([Want(kind) for kind in (SERVICE_ACCOUNT, ROLE, ROLE_BINDING)])
    if is_deleting(live):
        return Outcome(_removal(view, key))
    if not uses:
        return Outcome((*_removal(view, key), *tell(live, Told(dropped=frozenset({TOKEN_READY})), now)))
    version = served_version(view, CLUSTER_ADDON) or VERSION
    writes = tuple(write for obj in made_for(live, version) for write in ensure(view, obj))

    def then(results: Sequence[Result]) -> Outcome:
        return _reported(view, live, key, results, now)

    return Outcome(writes, then=then) if writes else then(())


def _reported(view: View, live: Object, key: Ref, results: Sequence[Result], now: datetime) -> Outcome:
    if faults := errors(results):
        failed = NOT_READY.saying(error=said(faults[0]))
        after = after_failure(faults)
        return Outcome(tell(live, Told((failed,)), now), after.requeue_after, retry=after.retry)
    account = view.get(_refs(key)[0])
    made = next((r.obj for r in results if r.obj is not None and r.obj["kind"] == SERVICE_ACCOUNT.kind), None)
    if (found := made or account) is None:
        return DONE
    ready = READY.saying(cluster=key.namespace, account=f"{key.name}-agent", uid=uid_of(found))
    return Outcome(tell(live, Told((ready,)), now))


def _uses_token(addon: Object) -> bool:
    """Whether the first access to the hub that says how it is had is by token."""
    for registration in status_of(addon).get("registrations") or ():
        client = registration.get("kubeClient")
        if registration.get("type") == "kubeClient" and client is not None:
            return bool(client.get("driver") == "token")
    return False


def _refs(key: Ref) -> tuple[Ref, Ref, Ref]:
    role = f"{key.name}-token-role"
    return (
        Ref(*SERVICE_ACCOUNT, key.namespace, f"{key.name}-agent"),
        Ref(*ROLE, key.namespace, role),
        Ref(*ROLE_BINDING, key.namespace, role),
    )


def made_for(addon: Object, version: str) -> tuple[Object, Object, Object]:
    """The account, and the role by which its cluster's agent gets tokens of it."""
    key = ref_of(addon)
    owner = {"apiVersion": version, "kind": CLUSTER_ADDON.kind, "name": key.name, "uid": uid_of(addon)}
    account, role, binding = _refs(key)
    labels = {TOKEN_ADDON_LABEL: key.name, TOKEN_LABEL: "true"}

    def meta(ref: Ref) -> Object:
        return {
            "name": ref.name,
            "namespace": ref.namespace,
            "labels": labels,
            "ownerReferences": [owner],
        }

    tokens = {"apiGroups": [""], "resources": ["serviceaccounts/token"]}
    rules = [
        {**tokens, "resourceNames": [account.name], "verbs": ["create"]},
        {**tokens, "verbs": ["subscribe"]},
    ]
    groups = [{"apiGroup": RBAC_GROUP, "kind": "Group", "name": g} for g in groups_of(key.namespace)]
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(account)},
        {"apiVersion": _VERSION, "kind": "Role", "metadata": meta(role), "rules": rules},
        {
            "apiVersion": _VERSION,
            "kind": "RoleBinding",
            "metadata": meta(binding),
            "roleRef": {"apiGroup": RBAC_GROUP, "kind": "Role", "name": role.name},
            "subjects": groups,
        },
    )


def _removal(view: View, key: Ref) -> tuple[Write, ...]:
    found = (view.get(ref) for ref in _refs(key))
    marked = [obj for obj in found if obj is not None and labels_of(obj).get(TOKEN_LABEL) == "true"]
    return tuple(write for obj in marked for write in delete(obj))
