"""One object at another version of its kind, where the two differ in more than the name of the version.

    converted(obj, "autoscaling/v1")

A kind that is not in the table has the same fields at all its versions: only `apiVersion` changes, as for a
CustomResourceDefinition whose conversion strategy is `None`. Pruning and defaults are not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ocm.objects import conversion_addons, conversion_autoscaling
from gitops_ocm.objects.event_forms import in_form
from gitops_ocm.objects.ref import Kind, Object, split_api_version

Convert = Callable[[Object], Object]

_ADDONS, _SCALING = "addon.open-cluster-management.io", "autoscaling"
_BETWEEN: Mapping[tuple[Kind, str, str], Convert] = {
    (Kind(_ADDONS, "ClusterManagementAddOn"), "v1alpha1", "v1beta1"): conversion_addons.management_to_beta,
    (Kind(_ADDONS, "ClusterManagementAddOn"), "v1beta1", "v1alpha1"): conversion_addons.management_to_alpha,
    (Kind(_ADDONS, "ManagedClusterAddOn"), "v1alpha1", "v1beta1"): conversion_addons.addon_to_beta,
    (Kind(_ADDONS, "ManagedClusterAddOn"), "v1beta1", "v1alpha1"): conversion_addons.addon_to_alpha,
    (Kind(_SCALING, "HorizontalPodAutoscaler"), "v1", "v2"): conversion_autoscaling.to_v2,
    (Kind(_SCALING, "HorizontalPodAutoscaler"), "v2", "v1"): conversion_autoscaling.to_v1,
}


def converted(obj: Object, api_version: str) -> Object:
    """The object at that version; the object itself where it is at it already."""
    if obj["apiVersion"] == api_version:
        return obj
    group, version = split_api_version(obj["apiVersion"])
    other_group, other_version = split_api_version(api_version)
    if group != other_group:
        return in_form(obj, api_version)
    convert = _BETWEEN.get((Kind(group, obj["kind"]), version, other_version))
    return {**(convert(obj) if convert is not None else obj), "apiVersion": api_version}


def converts(kind: Kind) -> bool:
    """Whether the kind's versions differ."""
    return any(known == kind for known, _, _ in _BETWEEN)
