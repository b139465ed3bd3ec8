"""The rows of add-ons in the controller table.

Install and what add-ons carry are the group `addon`, OCM's add-on manager. Their health as seen through the
cluster belongs to the group `registration`, for that is who does it in OCM: so each part can be swapped.
Configuration, templates and rollout of add-ons take their rows here when they come.
"""

from __future__ import annotations

from gitops_ocm.decide.addons import health, install, management, metadata
from gitops_ocm.decide.contract import Controller, Index, Read, Wake
from gitops_ocm.decide.hub_table import in_cluster_namespace
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGED_CLUSTER,
    MANAGEMENT_ADDON,
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
_RESYNC = 600


def addon_rows(settings: HubSettings) -> tuple[Controller, ...]:
    """Where add-ons are, what they carry, how they fare."""
    return (*(_manager_rows() if settings.addon_management else ()), *_health_rows())


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
            indexes=(_BY_NAME, Index(management.BY_PLACEMENT, MANAGEMENT_ADDON, management.placement_names)),
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


def _health_rows() -> tuple[Controller, ...]:
    return (
        Controller(
            "addon-health",
            "registration",
            health.reconcile_unknown,
            # Only the arrival of an add-on: an agent elsewhere that keeps reporting is not argued with.
            (Wake(MANAGED_CLUSTER), Wake(CLUSTER_ADDON, in_cluster_namespace, when=_comes)),
            resync=_RESYNC,
            writes={
                _ADDONS + "managedclusteraddons/status": ("patch", "update"),
                "events.k8s.io/events": ("create", "patch", "update"),
            },
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
