"""`addon create`: an add-on made of manifests, a ClusterManagementAddOn and the template it installs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.verbs.listing_work import ADDON, MANAGEMENT_ADDONS
from gitops_ocm.verbs.targets import Target, ocm
from gitops_ocm.verbs.voice import VerbError, Voice

TEMPLATES = ocm(f"{ADDON}/v1alpha1", "AddOnTemplate")


@dataclass(frozen=True)
class AddonFlags:
    """What the flags say."""

    name: str
    version: str = "0.0.1"
    hub_registration: bool = False
    cluster_role: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    placement: str = ""
    """`namespace/name` of the Placement whose clusters get it; `""` for none."""

    @property
    def template_name(self) -> str:
        """The template of this version."""
        return f"{self.name}-{self.version}"


async def create_addon(
    target: Target, voice: Voice, flags: AddonFlags, manifests: Sequence[Object], *, overwrite: bool
) -> None:
    """Bring in both objects; those that are there are left alone without `overwrite`."""
    if not flags.version:
        raise VerbError("addon version must be specified")
    addon, template = management_addon(flags), addon_template(flags, manifests)
    await _put(target, voice, MANAGEMENT_ADDONS, addon, "ClusterManagementAddon", overwrite)
    await _put(target, voice, TEMPLATES, template, "AddonTemplate", overwrite)


def management_addon(flags: AddonFlags) -> Object:
    """The add-on as the fleet knows it."""
    strategy: dict[str, Any] = {"type": "Manual"}
    if flags.placement:
        strategy = {"type": "Placements", "placements": [_placement_ref(flags.placement)]}
    annotations = {"addon.open-cluster-management.io/lifecycle": "addon-manager"}
    default = {"name": flags.template_name}
    return {
        "apiVersion": MANAGEMENT_ADDONS.api_version,
        "kind": MANAGEMENT_ADDONS.kind,
        "metadata": {"name": flags.name, "annotations": annotations, **_labels(flags)},
        "spec": {
            "supportedConfigs": [{"group": ADDON, "resource": "addontemplates", "defaultConfig": default}],
            "installStrategy": strategy,
        },
    }


def addon_template(flags: AddonFlags, manifests: Sequence[Object]) -> Object:
    """What of it runs on a cluster, and what it may do on the hub."""
    registration: list[Any] = []
    if flags.hub_registration:
        permissions = []
        if flags.cluster_role:
            current = {"clusterRoleName": flags.cluster_role}
            permissions = [{"type": "CurrentCluster", "currentCluster": current}]
        client = {"hubPermissions": permissions} if permissions else {}
        registration = [{"type": "KubeClient", "kubeClient": client}]
    return {
        "apiVersion": TEMPLATES.api_version,
        "kind": TEMPLATES.kind,
        "metadata": {"name": flags.template_name, **_labels(flags)},
        "spec": {
            "addonName": flags.name,
            "agentSpec": {"workload": {"manifests": list(manifests)}},
            "registration": registration,
        },
    }


def _labels(flags: AddonFlags) -> dict[str, Any]:
    return {"labels": dict(flags.labels)} if flags.labels else {}


def _placement_ref(text: str) -> dict[str, str]:
    parts = [part.strip() for part in text.split("/")]
    if len(parts) != 2:
        raise VerbError("placement-ref must be in the format 'namespace/name'")
    if not all(parts):
        raise VerbError("placement-ref namespace and name cannot be empty")
    return {"namespace": parts[0], "name": parts[1]}


async def _put(
    target: Target, voice: Voice, resource: Resource, obj: Object, called: str, overwrite: bool
) -> None:
    name = obj["metadata"]["name"]
    if not await target.find(resource, name):
        await target.create(resource, obj)
        voice.say(f"{called} {name} is created")
        return
    if not overwrite:
        voice.say(f"{called} {name} is not updated when overwrite is disabled")
        return

    def change(there: Object) -> None:
        there["spec"] = obj["spec"]
        for key in ("labels", "annotations"):
            if key in obj["metadata"]:
                there["metadata"][key] = {**(there["metadata"].get(key) or {}), **obj["metadata"][key]}

    await target.edit(resource, name, "", change)
    voice.say(f"{called} {name} is updated")
