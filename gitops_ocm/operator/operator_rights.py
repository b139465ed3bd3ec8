"""What the components and the operators themselves may do: rules made from the controller table.

`hub_rules` and `agent_rules` are what each component gets (`decide.operators` makes ClusterRoles of them). An
operator holds exactly the sum of what it grants, and what it does itself, so it needs neither `escalate` nor
`bind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from gitops_ocm.api import cluster_profile
from gitops_ocm.api.crd import crd as crd_of
from gitops_ocm.api.registration import CLIENT_SIGNER
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.controllers import LOCKS, agent_controllers, hub_controllers, in_groups
from gitops_ocm.decide.operators.agent_objects import spoke_crds
from gitops_ocm.decide.operators.cluster_manager import MADE_HERE
from gitops_ocm.decide.operators.hub_objects import CA_BUNDLE, PROFILES, hub_crds
from gitops_ocm.decide.operators.table import AGENT_WRITES, HUB_WRITES
from gitops_ocm.decide.settings import AgentSettings, HubSettings
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS
from gitops_ocm.operator.rbac import READ, SYNC_GROUP, Rights, hold_what_agents_get, table_rights
from gitops_ocm.runtime.catalog import load_catalog

EVENTS = ("create", "patch", "update")
SECRET_VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")
Rules = Mapping[str, tuple[Object, ...]]


@lru_cache(maxsize=1)
def hub_rules() -> Rules:
    """By component of a hub: what it may do everywhere, and (`…-namespace`) where it runs."""
    catalog = load_catalog().with_crd(crd_of(cluster_profile.DEFINITION))
    found: dict[str, tuple[Object, ...]] = {}
    everything, usual = hub_controllers(HubSettings(cluster_profiles=True)), hub_controllers()
    for group, table in (
        *((group, usual) for group in ("registration", "placement", "addon", "work")),
        (PROFILES, everything),
    ):
        registers = group in ("registration", PROFILES)
        rows = in_groups(table, {"registration" if registers else group})
        rights = table_rights(rows, Side.HUB, catalog)
        if registers:
            hold_what_agents_get(rights)
        if registers or group == "addon":
            rights.allow("certificates.k8s.io", "signers", ("approve",), [CLIENT_SIGNER])
        found[group] = _rules(rights)
    sync = Rights()
    sync.allow(CRDS.group, CRDS.plural, ("list",))
    sync.allow(SYNC_GROUP, "hubsyncs", READ)
    sync.allow(SYNC_GROUP, "hubsyncs/status", ("patch",))
    found["sync"] = _rules(sync)
    for webhook in ("registration", "work", "addon"):
        found[f"{webhook}-webhook"] = _webhook_rules()
    for group in ("registration", "placement", "addon", "work", "sync"):
        found[f"{group}-namespace"] = _leader_rules(LOCKS.values())
    return found


@lru_cache(maxsize=1)
def agent_rules() -> Rules:
    """By component of a managed cluster."""
    rows, catalog = agent_controllers(AgentSettings("any")), load_catalog()
    found: dict[str, tuple[Object, ...]] = {}
    for group in ("registration", "work"):
        rights = table_rights(in_groups(rows, {group}), Side.SPOKE, catalog)
        rights.allow(CRDS.group, CRDS.plural, ("get",), [crd["metadata"]["name"] for crd in spoke_crds("")])
        if group == "registration":
            rights.allow("", "namespaces", (*READ, "create", "patch", "update"))
        else:
            # What an executor would grant is rehearsed as that account. As in OCM the agent's other role is
            # `admin`: who may run pods as any account gains nothing by this.
            rights.allow("", "serviceaccounts", ("impersonate",))
        found[f"{group}-agent"] = _rules(rights)
        near = Rights()
        for lease in ("create", "get", "list", "patch", "update", "watch"):
            near.allow("coordination.k8s.io", "leases", (lease,))
        if group == "registration":
            near.allow("", "secrets", SECRET_VERBS)
        found[f"{group}-agent-namespace"] = _rules(near)
    addons = Rights()
    addons.allow("", "secrets", SECRET_VERBS)
    addons.allow("coordination.k8s.io", "leases", ("create", "get", "list", "patch", "update", "watch"))
    found["addon-management"] = tuple(addons.rules())
    execution = Rights()
    execution.allow("", "namespaces", ("create", "delete", "get", "list", "patch", "update", "watch"))
    found["work-execution"] = tuple(execution.rules())
    reader = Rights()
    reader.allow("", "configmaps", READ, ["extension-apiserver-authentication"])
    found["extension-apiserver"] = tuple(reader.rules())
    return found


def hub_operator_rules() -> list[Object]:
    """What the operator of ClusterManagers may do."""
    own = Rights()
    for written, verbs in HUB_WRITES.items():
        own.allow(*_named(written), verbs)
    crds = [crd["metadata"]["name"] for crd in hub_crds("", "", True)]
    own.allow(CRDS.group, CRDS.plural, ("create",))
    own.allow(CRDS.group, CRDS.plural, ("delete", "get", "list", "patch", "watch"), crds)
    own.allow("", "secrets", ("create",))
    own.allow("", "secrets", ("delete", "get", "list", "patch", "update", "watch"), MADE_HERE)
    own.allow("", "configmaps", ("create",))
    own.allow("", "configmaps", ("delete", "get", "list", "patch", "update", "watch"), [CA_BUNDLE])
    return together([*own.rules(), *(rule for rules in hub_rules().values() for rule in rules)])


def klusterlet_operator_rules() -> list[Object]:
    """What the operator of Klusterlets may do."""
    own = Rights()
    for written, verbs in AGENT_WRITES.items():
        own.allow(*_named(written), verbs)
    crds = [crd["metadata"]["name"] for crd in spoke_crds("")]
    own.allow(CRDS.group, CRDS.plural, ("create",))
    own.allow(CRDS.group, CRDS.plural, ("get", "list", "patch", "watch"), crds)
    own.allow("", "secrets", SECRET_VERBS)
    return together([*own.rules(), *(rule for rules in agent_rules().values() for rule in rules)])


def together(rules: Iterable[Object]) -> list[Object]:
    """The same rights in as few rules as can be."""
    rights = Rights()
    for rule in rules:
        names: Sequence[str] = rule.get("resourceNames") or ()
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                rights.allow(group, resource, rule["verbs"], names)
    return rights.rules()


def _rules(rights: Rights) -> tuple[Object, ...]:
    """With events, which every component writes."""
    rights.allow("events.k8s.io", "events", EVENTS)
    return tuple(rights.rules())


def _webhook_rules() -> tuple[Object, ...]:
    rights = Rights()
    rights.allow("authorization.k8s.io", "subjectaccessreviews", ("create",))
    rights.allow("", "namespaces", READ)
    return tuple(rights.rules())


def _leader_rules(names: Iterable[str]) -> tuple[Object, ...]:
    rights = Rights()
    rights.allow("coordination.k8s.io", "leases", ("create",))
    rights.allow("coordination.k8s.io", "leases", ("get", "list", "patch", "update", "watch"), names)
    return tuple(rights.rules())


def _named(text: str) -> tuple[str, str]:
    """(group, resource) of `plural`, `group/plural` or `group/plural/subresource`."""
    group, slash, resource = text.partition("/")
    return (group, resource) if slash else ("", text)
