"""Registers the agents of add-ons: who they are on the hub, what they may do there, where they run.

The hub says in the status what an agent registers for; the cluster's klusterlet gets the credentials and
says by which driver, and with tokens as whom (`decide.agent.addon_registration`). Rights stay until the
ManagedClusterAddOn is really gone, for its agent may need them to clean up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import (
    INSTALL_NAMESPACE_ANNOTATION,
    REGISTRATION_FAILED,
    REGISTRATION_NONE,
    REGISTRATION_PENDING,
    REGISTRATION_SET,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import ADDON_NAMESPACE
from gitops_ocm.decide.addons import permissions
from gitops_ocm.decide.addons.agent import Agent, AgentFailed, Agents, Told, said, tell
from gitops_ocm.decide.addons.subjects import bound, client_groups, client_user
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import DONE, Outcome, Result, View
from gitops_ocm.decide.kinds import MANAGEMENT_ADDON, cluster_ref
from gitops_ocm.decide.writes import (
    after_failure,
    annotations_of,
    errors,
    is_deleting,
    name_of,
    namespace_of,
    status_of,
)
from gitops_ocm.objects.ref import Object, Ref

TOKEN, CSR = "token", "csr"


@dataclass(frozen=True)
class Registration:
    """Reconciles the registration of the add-ons that `agents` knows."""

    agents: Agents

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterAddOn."""
        live = view.get(key)
        if live is None:
            return Outcome(permissions.left_over(view, key.name))
        addon = at_beta(live)
        agent, cluster = self.agents(view, addon), view.get(cluster_ref(key.namespace))
        if is_deleting(live) or agent is None or cluster is None:
            return DONE
        if not _is_owned(addon):
            return Outcome(notes=("waits until it belongs to its ClusterManagementAddOn",))
        return _registered(view, agent, cluster, addon, live, now)


def _is_owned(addon: Object) -> bool:
    owners: Iterable[Mapping[str, Any]] = addon["metadata"].get("ownerReferences") or ()
    wanted = (MANAGEMENT_ADDON.kind, name_of(addon))
    return any((owner.get("kind"), owner.get("name")) == wanted for owner in owners)


def _registered(
    view: View, agent: Agent, cluster: Object, addon: Object, live: Object, now: datetime
) -> Outcome:
    fields: Object = {"supportedConfigs": _supported(agent, addon)}
    try:
        asked = agent.registrations(view, cluster, addon)
        fields["namespace"] = _namespace(view, agent, addon)
        if asked is None:
            return Outcome(tell(live, Told((REGISTRATION_NONE,), fields=fields), now))
        registrations = merged(asked, addon)
        fields["registrations"] = registrations
        wanted = agent.permissions(view, cluster, addon, bound(registrations))
    except AgentFailed as error:
        failed = REGISTRATION_FAILED.saying(error=said(error))
        return Outcome(tell(live, Told((failed,), fields=fields), now))
    if wanted and not bound(registrations):
        return Outcome(tell(live, Told((REGISTRATION_PENDING,), fields=fields), now))
    writes = permissions.granting(view, addon, wanted)

    def then(results: Sequence[Result]) -> Outcome:
        faults = errors(results)
        condition: KnownCondition = REGISTRATION_SET
        if faults:
            condition = REGISTRATION_FAILED.saying(error=said(faults[0]))
        told = tell(live, Told((condition,), fields=fields), now)
        after = after_failure(faults) if faults else DONE
        return Outcome(told, requeue_after=after.requeue_after, retry=after.retry)

    return Outcome(writes, then=then, keep_going=True) if writes else then(())


def _supported(agent: Agent, addon: Object) -> list[Object]:
    """The kinds of configuration an agent takes; in the order they are told in, which in OCM is any."""
    told: list[Object] = list(status_of(addon).get("supportedConfigs") or ())
    same = {(each.get("group", ""), each.get("resource")) for each in told} == set(agent.supported)
    if same and len(told) == len(agent.supported):
        return told
    return [{"group": group, "resource": resource} for group, resource in sorted(agent.supported)]


def _namespace(view: View, agent: Agent, addon: Object) -> str:
    told = annotations_of(addon).get(INSTALL_NAMESPACE_ANNOTATION)
    return agent.install_namespace(view, addon) or told or ADDON_NAMESPACE


def merged(asked: Sequence[Object], addon: Object) -> list[Object]:
    """What an agent registers for, with what its cluster has said of it: the driver, and a token's user."""
    held = [r for r in status_of(addon).get("registrations") or () if r.get("type") == "kubeClient"]
    result, clients = [], 0
    for registration in asked:
        if registration["type"] == "kubeClient":
            before = (held[clients].get("kubeClient") or {}) if clients < len(held) else {}
            clients += 1
            result.append(_client(registration, before, namespace_of(addon), name_of(addon)))
        else:
            result.append(registration)
    return result


def _client(asked: Object, before: Mapping[str, Any], cluster: str, addon: str) -> Object:
    client = asked.get("kubeClient") or {}
    driver = before.get("driver") or client.get("driver")
    subject = client.get("subject") or {}
    if driver == TOKEN:
        subject = before.get("subject") or {}
    elif driver == CSR and not subject:
        subject = {"user": client_user(cluster, addon, addon), "groups": client_groups(cluster, addon)}
    told = {**({"driver": driver} if driver else {}), **({"subject": subject} if subject else {})}
    return {"type": "kubeClient", "kubeClient": told}
