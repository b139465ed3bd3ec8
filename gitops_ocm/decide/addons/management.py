"""What a ClusterManagementAddOn asks of this hub, and how its ManagedClusterAddOns are written.

Facts that the rows of add-ons share: whether an add-on is the add-on manager's business, which version to
write, who owns, what a cluster hands on. Which clusters are chosen is `decide.addons.selection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.api.addon_words import (
    ADDON_ANNOTATION_PREFIX,
    INSTALL_NAMESPACE_ANNOTATION,
    INSTALL_PLACEMENTS,
    LIFECYCLE_ADDON_MANAGER,
    LIFECYCLE_ANNOTATION,
)
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import ADDON_GROUP, CLUSTER_ADDON, MANAGEMENT_ADDON
from gitops_ocm.decide.writes import annotations_of, is_deleting, name_of, uid_of
from gitops_ocm.objects.ref import Kind, Object, ref_of, split_api_version

MANAGER = "gitops-ocm-addon"
"""Field manager of what is written to ManagedClusterAddOns: by it we know which annotations we put there."""

BY_NAME = "cluster-addons-by-name"
BY_PLACEMENT = "addons-by-placement"

_VERSIONS = ("v1beta1", "v1alpha1")
"""OCM's controllers write v1beta1; a hub without a conversion webhook serves the older one alone."""


def is_ours(cma: Object | None) -> bool:
    """Whether the add-on manager acts for an add-on: any lifecycle but its own is somebody else's."""
    if cma is None or is_deleting(cma):
        return False
    marks = annotations_of(cma)
    return marks.get(LIFECYCLE_ANNOTATION, LIFECYCLE_ADDON_MANAGER) == LIFECYCLE_ADDON_MANAGER


def is_placed(cma: Object) -> bool:
    """Whether placements, and not a person, say where the add-on goes."""
    return _strategy(cma).get("type") == INSTALL_PLACEMENTS


def placements_of(cma: Object) -> Sequence[tuple[str, str]]:
    """The placements an add-on goes by, as (namespace, name)."""
    return [(p["namespace"], p["name"]) for p in placement_entries(cma)]


def placement_entries(cma: Object) -> Sequence[Mapping[str, Any]]:
    """What the install strategy says of each placement, in its order."""
    return _strategy(cma).get("placements") or ()


def _strategy(cma: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (cma.get("spec") or {}).get("installStrategy") or {}
    return found


def handed_on(cluster: Object | None) -> dict[str, str]:
    """The annotations of a cluster that its add-ons get too."""
    marks = annotations_of(cluster) if cluster is not None else {}
    return {key: marks[key] for key in sorted(marks) if key.startswith(ADDON_ANNOTATION_PREFIX)}


def served_version(view: View, kind: Kind) -> str | None:
    """The newest `apiVersion` at which the hub serves an add-on kind."""
    versions = (f"{kind.group}/{version}" for version in _VERSIONS)
    return next((v for v in versions if view.resource(v, kind.kind) is not None), None)


def cluster_addon(view: View, cma: Object, cluster: Object) -> Object | None:
    """The ManagedClusterAddOn as it is made for a cluster; None where the hub serves no such kind."""
    version = served_version(view, CLUSTER_ADDON)
    if version is None:
        return None
    marks, spec = expressed(handed_on(cluster), version)
    meta: Object = {"name": name_of(cma), "namespace": name_of(cluster)}
    if marks:
        meta["annotations"] = marks
    meta["ownerReferences"] = owned_by(view, cma, ())
    return {"apiVersion": version, "kind": CLUSTER_ADDON.kind, "metadata": meta, "spec": spec}


def expressed(marks: Mapping[str, str], api_version: str) -> tuple[dict[str, str], Object]:
    """Annotations to hand on, as annotations and spec at a version.

    The install namespace is an annotation only at v1beta1; at v1alpha1 it has its field.
    """
    kept = dict(marks)
    if split_api_version(api_version)[1] != "v1alpha1" or INSTALL_NAMESPACE_ANNOTATION not in kept:
        return kept, {}
    return kept, {"installNamespace": kept.pop(INSTALL_NAMESPACE_ANNOTATION)}


def owned_by(view: View, cma: Object, held: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The owner references of a ManagedClusterAddOn, with the add-on among them.

    A reference to an earlier add-on of that name gives way. An object has one controller at most: where
    somebody else is that already, the add-on is an owner beside it.
    """
    name = name_of(cma)
    others = [owner for owner in held if not _refers(owner, name)]
    # The garbage collector finds an owner only at a version that is served.
    version = served_version(view, MANAGEMENT_ADDON) or str(cma["apiVersion"])
    ours = {
        "apiVersion": version,
        "kind": MANAGEMENT_ADDON.kind,
        "name": name,
        "uid": uid_of(cma),
        "controller": not any(owner.get("controller") for owner in others),
        "blockOwnerDeletion": True,
    }
    return [*others, ours]


def _refers(owner: Mapping[str, Any], name: str) -> bool:
    group, _ = split_api_version(str(owner.get("apiVersion", "")))
    return (group, owner.get("kind"), owner.get("name")) == (ADDON_GROUP, MANAGEMENT_ADDON.kind, name)


# --- indexes ----------------------------------------------------------------------------------------


def own_name(addon: Object) -> Iterable[str]:
    """A ManagedClusterAddOn is filed under its name, which is its add-on's."""
    return (ref_of(addon).name,)


def placement_names(cma: Object) -> Iterable[str]:
    """An add-on is filed under each placement it goes by."""
    return sorted({f"{namespace}/{name}" for namespace, name in placements_of(cma)})
