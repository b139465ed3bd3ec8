"""The rows that deploy and register add-ons' agents: the hub's for templates, and those of authors' managers.

Which add-ons they are about the `agents` say that they are given; beside each other, rows for different
add-ons leave each other's alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops_ocm.api.cluster import AVAILABLE, IMAGE_REGISTRIES_ANNOTATION
from gitops_ocm.decide.addons import management, permissions, standing_works, token_accounts
from gitops_ocm.decide.addons import requests as of_requests
from gitops_ocm.decide.addons.agent import Agents, hosting_cluster
from gitops_ocm.decide.addons.deploy import Deploy
from gitops_ocm.decide.addons.registration import Registration
from gitops_ocm.decide.addons.requests import Requests
from gitops_ocm.decide.addons.template import TemplateAgents
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Controller, Index, KeyMapper, Read, View, Wake
from gitops_ocm.decide.kinds import (
    ADDON_GROUP,
    ADDON_TEMPLATE,
    CLUSTER_ADDON,
    CSR,
    DEPLOYMENT_CONFIG,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    RBAC_GROUP,
    ROLE_BINDING,
)
from gitops_ocm.decide.writes import annotations_of, conditions_of, is_deleting, name_of, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

GROUP = "addon"
BY_CONFIG = "cluster-addons-by-desired-config"
BY_HOST = "cluster-addons-by-hosting-cluster"
CONFIG_KINDS: Mapping[Kind, str] = {
    ADDON_TEMPLATE: "addontemplates",
    DEPLOYMENT_CONFIG: "addondeploymentconfigs",
}
_RESYNC = 600
_STATUS = {f"{ADDON_GROUP}/managedclusteraddons/status": ("patch", "update")}
_EVENTS = {"events.k8s.io/events": ("create", "patch", "update")}
_BY_NAME = Index(management.BY_NAME, CLUSTER_ADDON, management.own_name)
_BY_HOST = Index(BY_HOST, CLUSTER_ADDON, lambda addon: hosts(addon))


def template_rows(namespace: str) -> tuple[Controller, ...]:
    """Add-ons whose agents are AddOnTemplates; `namespace` is the manager's own, where signing CAs are."""
    return (*agent_rows(TemplateAgents(namespace)), _token_row())


def agent_rows(
    agents: Agents, configs: Mapping[Kind, str] = CONFIG_KINDS, *, group: str = GROUP, prefix: str = "addon"
) -> tuple[Controller, ...]:
    """The rows for these agents; `configs` are the kinds that configure them, with their plurals."""
    by_config = tuple(Wake(kind, _by_config(plural)) for kind, plural in sorted(configs.items()))
    index = Index(BY_CONFIG, CLUSTER_ADDON, desired_configs)
    manager = f"gitops-ocm-{prefix}"
    return (
        _registration_row(agents, by_config, index, group, prefix, manager),
        _deploy_row(agents, by_config, index, group, prefix, manager),
        _requests_row(agents, group, prefix),
    )


def _registration_row(
    agents: Agents, by_config: tuple[Wake, ...], index: Index, group: str, prefix: str, manager: str
) -> Controller:
    return Controller(
        f"{prefix}-registration",
        group,
        Registration(agents),
        (
            Wake(CLUSTER_ADDON),
            *by_config,
            Wake(ROLE_BINDING, permissions.addons_of),
            Wake(MANAGED_CLUSTER, of_cluster, when=_comes),
        ),
        indexes=(_BY_NAME, _BY_HOST, index),
        field_manager=manager,
        resync=_RESYNC,
        writes={**_STATUS, **_EVENTS, f"{RBAC_GROUP}/rolebindings": ("create", "patch", "delete")},
    )


def _deploy_row(
    agents: Agents, by_config: tuple[Wake, ...], index: Index, group: str, prefix: str, manager: str
) -> Controller:
    return Controller(
        f"{prefix}-deploy",
        group,
        Deploy(agents),
        (
            Wake(CLUSTER_ADDON),
            *by_config,
            Wake(MANIFEST_WORK, standing_works.addon_of),
            Wake(MANAGED_CLUSTER, of_cluster, when=_matters),
        ),
        indexes=(
            index,
            _BY_HOST,
            Index(standing_works.BY_HOSTED_ADDON, MANIFEST_WORK, standing_works.hosted_addon),
        ),
        field_manager=manager,
        resync=_RESYNC,
        writes={
            **_STATUS,
            **_EVENTS,
            f"{ADDON_GROUP}/managedclusteraddons": ("patch",),
            # Whoever writes a reference that blocks the owner's deletion needs the right to hold the owner.
            f"{ADDON_GROUP}/managedclusteraddons/finalizers": ("update",),
            "work.open-cluster-management.io/manifestworks": ("create", "patch", "delete"),
        },
    )


def _requests_row(agents: Agents, group: str, prefix: str) -> Controller:
    return Controller(
        f"{prefix}-requests",
        group,
        Requests(agents),
        (
            Wake(CSR, when=of_requests.to_do),
            Wake(CLUSTER_ADDON, of_requests.of_addon, when=_registers_otherwise),
        ),
        (Read(MANAGED_CLUSTER),),
        writes={
            **_STATUS,
            **_EVENTS,
            "certificates.k8s.io/certificatesigningrequests/approval": ("update",),
            "certificates.k8s.io/certificatesigningrequests/status": ("update",),
        },
    )


def _token_row() -> Controller:
    made = ("create", "patch", "delete")
    return Controller(
        "addon-token-accounts",
        GROUP,
        token_accounts.reconcile,
        (Wake(CLUSTER_ADDON, when=_registers_otherwise),),
        field_manager="gitops-ocm-addon",
        resync=_RESYNC,
        writes={
            **_STATUS,
            "serviceaccounts": ("get", "list", "watch", *made),
            f"{RBAC_GROUP}/roles": ("get", "list", "watch", *made),
            f"{RBAC_GROUP}/rolebindings": ("get", "list", "watch", *made),
            # Nobody may grant what they do not hold.
            "serviceaccounts/token": ("create", "subscribe"),
        },
    )


# --- what wakes the rows ----------------------------------------------------------------------------


def desired_configs(addon: Object) -> Iterable[str]:
    """An add-on is filed under each configuration that its status says is desired."""
    return sorted(
        {
            f"{each.get('resource')}/{told.get('namespace') or ''}/{told.get('name')}"
            for each in status_of(addon).get("configReferences") or ()
            if (told := each.get("desiredConfig") or {})
        }
    )


def _by_config(plural: str) -> KeyMapper:
    def to(view: View, config: Object) -> Iterable[Ref]:
        ref = ref_of(config)
        return [ref_of(addon) for addon in view.indexed(BY_CONFIG, f"{plural}/{ref.namespace}/{ref.name}")]

    return to


def of_cluster(view: View, cluster: Object) -> Iterable[Ref]:
    """The add-ons of a cluster, and those it hosts."""
    found = [*view.list(CLUSTER_ADDON, name_of(cluster)), *view.indexed(BY_HOST, name_of(cluster))]
    return [ref_of(addon) for addon in found]


def hosts(addon: Object) -> Iterable[str]:
    """An add-on is filed under the cluster that hosts it."""
    host = hosting_cluster(addon)
    return (host,) if host else ()


def _comes(old: Object | None, new: Object | None) -> bool:
    return old is None or new is None


def _matters(old: Object | None, new: Object | None) -> bool:
    """Whether a cluster comes, goes, is out of reach or back, or has its images from elsewhere."""
    if old is None or new is None:
        return True
    registries = [annotations_of(each).get(IMAGE_REGISTRIES_ANNOTATION) for each in (old, new)]
    return (
        is_deleting(old) != is_deleting(new)
        or registries[0] != registries[1]
        or _available(old) != _available(new)
    )


def _available(cluster: Object) -> str | None:
    found = conditions.find(conditions_of(cluster), AVAILABLE)
    return found.get("status") if found is not None else None


def _registers_otherwise(old: Object | None, new: Object | None) -> bool:
    """Whether what an add-on registers for or is made of has changed, or it goes."""
    if old is None or new is None:
        return True
    was, now = (status_of(at_beta(each)) for each in (old, new))
    fields = ("registrations", "configReferences")
    return is_deleting(old) != is_deleting(new) or any(was.get(f) != now.get(f) for f in fields)
