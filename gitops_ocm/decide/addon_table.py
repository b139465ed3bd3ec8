"""The rows of add-ons in the controller table.

Install, what add-ons carry and how they are configured are the group `addon`, OCM's add-on manager. Their
health as seen through the cluster belongs to the group `registration`, for that is who does it in OCM: so
each part can be swapped. What deploys and registers agents made of templates is `addons.agent_table`.
"""

from __future__ import annotations

from gitops_ocm.decide.addons import configuration, health, install, management, metadata, progress
from gitops_ocm.decide.addons.agent_table import template_rows
from gitops_ocm.decide.contract import Controller, Index, Read, Wake
from gitops_ocm.decide.hub_table import in_cluster_namespace
from gitops_ocm.decide.kinds import (
    ADDON_TEMPLATE,
    CLUSTER_ADDON,
    DEPLOYMENT_CONFIG,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
    MANIFEST_WORK,
    NAMESPACE,
    PLACEMENT,
    PLACEMENT_DECISION,
)
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.objects.ref import Object

_ADDONS = "addon.open-cluster-management.io/"
# Whoever writes a reference that blocks the owner's deletion needs the right to hold the owner.
_OWNERS = {_ADDONS + "clustermanagementaddons/finalizers": ("update",)}
_BY_NAME = Index(management.BY_NAME, CLUSTER_ADDON, management.own_name)
_BY_PLACEMENT = Index(management.BY_PLACEMENT, MANAGEMENT_ADDON, management.placement_names)
_STATUS = ("patch", "update")
_EVENTS = {"events.k8s.io/events": ("create", "patch", "update")}
_RESYNC = 600


def addon_rows(settings: HubSettings) -> tuple[Controller, ...]:
    """Where add-ons are, what they carry, how they fare."""
    manager = (*_manager_rows(), *_configuration_rows(settings), *template_rows(settings.namespace))
    return (*(manager if settings.addon_management else ()), *_health_rows())


def _manager_rows() -> tuple[Controller, ...]:
    return (
        Controller(
            "addon-install",
            "addon",
            install.reconcile,
            (
                Wake(MANAGEMENT_ADDON),
                Wake(CLUSTER_ADDON, install.of_addon, when=_comes_or_goes),
                Wake(PLACEMENT, install.of_placement),
                Wake(PLACEMENT_DECISION, install.of_decision),
                Wake(MANAGED_CLUSTER, install.of_cluster, when=_comes_or_ends),
                Wake(NAMESPACE, install.of_cluster, when=_comes_or_ends),
            ),
            indexes=(_BY_NAME, _BY_PLACEMENT),
            field_manager=management.MANAGER,
            resync=_RESYNC,
            writes={_ADDONS + "managedclusteraddons": ("create", "delete"), **_OWNERS},
        ),
        Controller(
            "addon-metadata",
            "addon",
            metadata.reconcile,
            (
                Wake(CLUSTER_ADDON),
                Wake(MANAGEMENT_ADDON, metadata.of_cma, when=metadata.cma_changes),
                Wake(MANAGED_CLUSTER, metadata.of_cluster, when=metadata.handing_changes),
            ),
            (Read(CLUSTER_ADDON, managed_fields=True),),
            (_BY_NAME,),
            field_manager=management.MANAGER,
            writes={_ADDONS + "managedclusteraddons": ("patch",), **_OWNERS},
        ),
    )


def _configuration_rows(settings: HubSettings) -> tuple[Controller, ...]:
    return (
        Controller(
            "addon-configuration",
            "addon",
            configuration.Configuration(settings),
            (
                Wake(MANAGEMENT_ADDON),
                Wake(CLUSTER_ADDON, install.of_addon, when=configuration.addon_changes),
                Wake(PLACEMENT, install.of_placement),
                Wake(PLACEMENT_DECISION, install.of_decision),
                Wake(DEPLOYMENT_CONFIG, configuration.of_config, when=configuration.content_changes),
                Wake(ADDON_TEMPLATE, configuration.of_config, when=configuration.content_changes),
            ),
            (Read(MANIFEST_WORK),),
            (
                _BY_NAME,
                _BY_PLACEMENT,
                Index(configuration.BY_CONFIG, MANAGEMENT_ADDON, configuration.configs_of_cma),
                Index(configuration.ADDONS_BY_CONFIG, CLUSTER_ADDON, configuration.configs_of_addon),
            ),
            field_manager=management.MANAGER,
            resync=_RESYNC,
            writes={
                _ADDONS + "clustermanagementaddons/status": _STATUS,
                _ADDONS + "managedclusteraddons/status": _STATUS,
                **_EVENTS,
            },
        ),
        Controller(
            "addon-progressing",
            "addon",
            progress.Progress(settings),
            (
                Wake(CLUSTER_ADDON),
                Wake(MANAGEMENT_ADDON, metadata.of_cma, when=metadata.cma_changes),
                Wake(MANIFEST_WORK, progress.of_work),
            ),
            indexes=(_BY_NAME,),
            field_manager=management.MANAGER,
            writes={_ADDONS + "managedclusteraddons/status": _STATUS},
        ),
    )


def _health_rows() -> tuple[Controller, ...]:
    return (
        Controller(
            "addon-health",
            "registration",
            health.reconcile_unknown,
            # Only the arrival of an add-on: an agent elsewhere that keeps reporting is not argued with.
            (Wake(MANAGED_CLUSTER), Wake(CLUSTER_ADDON, in_cluster_namespace, when=_comes)),
            resync=_RESYNC,
            writes={_ADDONS + "managedclusteraddons/status": _STATUS, **_EVENTS},
        ),
        Controller(
            "addon-features",
            "registration",
            health.reconcile_features,
            (
                Wake(MANAGED_CLUSTER),
                Wake(CLUSTER_ADDON, in_cluster_namespace, when=health.feature_changes),
            ),
            writes={"cluster.open-cluster-management.io/managedclusters": ("patch",)},
        ),
    )


def _comes(old: Object | None, new: Object | None) -> bool:
    return old is None


def _comes_or_goes(old: Object | None, new: Object | None) -> bool:
    return old is None or new is None


def _comes_or_ends(old: Object | None, new: Object | None) -> bool:
    return old is None or new is None or is_deleting(old) != is_deleting(new)
