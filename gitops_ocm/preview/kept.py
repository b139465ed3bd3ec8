"""Desired state at the versions at which a hub in memory keeps its objects.

OCM's add-on kinds can be written at a version that a hub serves by conversion. What is computed here is
computed at the kept one; people are shown what they wrote.
"""

from __future__ import annotations

from dataclasses import replace

from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON
from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.objects.conversion import converted
from gitops_ocm.plan.wanted import Wanted

ADDONS = "addon.open-cluster-management.io/v1alpha1"
"""The version at which a simulated hub keeps add-ons; a real one may tell of them at another."""


def at_kept_versions(desired: DesiredState) -> DesiredState:
    """The same with its add-ons at the kept version; itself where they are so already."""
    if not any(map(_elsewhere, desired.objects)):
        return desired
    return replace(desired, objects=tuple(map(_kept, desired.objects)))


def _elsewhere(item: Wanted) -> bool:
    return item.ref.of in (MANAGEMENT_ADDON, CLUSTER_ADDON) and item.obj["apiVersion"] != ADDONS


def _kept(item: Wanted) -> Wanted:
    return replace(item, obj=converted(item.obj, ADDONS)) if _elsewhere(item) else item
