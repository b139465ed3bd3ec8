"""The components of a hub: one row each, and which of them a ClusterManager asks for.

The names are OCM's. `sync` is ours alone: Git to hub and back, for every HubSync.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api import feature_gates
from gitops_ocm.decide.operators.gates import NETWORK_POLICIES, Chosen, chosen
from gitops_ocm.objects.ref import Object


@dataclass(frozen=True)
class Part:
    """One component: `group` is what it runs, `role` the end of its ClusterRole's name.

    `app` is its pods' label; `{}` stands for the ClusterManager's name. `image` is the spec's field that
    names its image; `service` the fixed name by which an API server calls a webhook.
    """

    name: str
    group: str
    app: str
    account: str
    role: str
    image: str
    service: str = ""
    webhook: str = ""

    @property
    def secret(self) -> str:
        """The Secret with the webhook's certificate."""
        return f"{self.webhook}-webhook-serving-cert"


REGISTRATION = Part(
    "registration-controller", "registration", "clustermanager-registration-controller",
    "registration-controller-sa", "registration:controller", "registrationImagePullSpec",
)  # fmt: skip
PLACEMENT = Part(
    "placement-controller", "placement", "clustermanager-placement-controller",
    "placement-controller-sa", "placement:controller", "placementImagePullSpec",
)  # fmt: skip
ADDON = Part(
    "addon-manager-controller", "addon", "clustermanager-addon-manager-controller",
    "addon-manager-controller-sa", "addon-manager:controller", "addOnManagerImagePullSpec",
)  # fmt: skip
WORK = Part(
    "work-controller", "work", "clustermanager-work-controller",
    "work-controller-sa", "work:controller", "workImagePullSpec",
)  # fmt: skip
SYNC = Part(
    "sync-controller", "sync", "clustermanager-sync-controller",
    "sync-controller-sa", "sync:controller", "registrationImagePullSpec",
)  # fmt: skip
REGISTRATION_WEBHOOK = Part(
    "registration-webhook", "webhook", "{}-registration-webhook",
    "registration-webhook-sa", "registration:webhook", "registrationImagePullSpec",
    "cluster-manager-registration-webhook", "registration",
)  # fmt: skip
WORK_WEBHOOK = Part(
    "work-webhook", "webhook", "{}-work-webhook",
    "work-webhook-sa", "work:webhook", "workImagePullSpec",
    "cluster-manager-work-webhook", "work",
)  # fmt: skip
ADDON_WEBHOOK = Part(
    "addon-webhook", "webhook", "{}-addon-webhook",
    "addon-webhook-sa", "addon-manager:webhook", "addOnManagerImagePullSpec",
    "cluster-manager-addon-webhook", "addon",
)  # fmt: skip
PARTS = (
    REGISTRATION, PLACEMENT, ADDON, WORK, SYNC, REGISTRATION_WEBHOOK, WORK_WEBHOOK, ADDON_WEBHOOK,
)  # fmt: skip


@dataclass(frozen=True)
class HubGates:
    """The gates of a ClusterManager, by the component that knows them."""

    registration: Chosen
    work: Chosen
    placement: Chosen
    addon: Chosen

    def of(self, part: Part) -> Chosen:
        """The gates of a component."""
        by_webhook = {"registration": self.registration, "work": self.work, "addon": self.addon}
        by_group = {**by_webhook, "placement": self.placement, "sync": Chosen({}, {})}
        return by_webhook[part.webhook] if part.webhook else by_group[part.group]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of gates that nobody knows."""
        return (
            *self.registration.unknown,
            *self.work.unknown,
            *self.addon.unknown,
            *self.placement.unknown,
        )


def hub_gates(spec: Mapping[str, Any]) -> HubGates:
    """The gates that a ClusterManager's spec sets."""
    return HubGates(
        chosen(
            spec.get("registrationConfiguration"),
            feature_gates.HUB_REGISTRATION,
            own=(NETWORK_POLICIES,),
        ),
        chosen(spec.get("workConfiguration"), feature_gates.HUB_WORK),
        chosen(spec.get("placementConfiguration"), feature_gates.HUB_PLACEMENT),
        chosen(spec.get("addOnManagerConfiguration"), feature_gates.HUB_ADDON),
    )


def hosted(cm: Object) -> bool:
    """Whether a ClusterManager's components run outside its hub."""
    return bool(((cm.get("spec") or {}).get("deployOption") or {}).get("mode") == "Hosted")


def parts(cm: Object) -> tuple[Part, ...]:
    """The components a ClusterManager asks for."""
    gates = hub_gates(cm.get("spec") or {})
    addons = gates.addon.on("AddonManagement")
    works = gates.work.on("ManifestWorkReplicaSet") or gates.work.on("CleanUpCompletedManifestWork")
    return (
        REGISTRATION,
        PLACEMENT,
        SYNC,
        *((ADDON,) if addons else ()),
        *((WORK,) if works else ()),
        REGISTRATION_WEBHOOK,
        WORK_WEBHOOK,
        # A hub elsewhere cannot call a Service of ours to convert its objects.
        *((ADDON_WEBHOOK,) if addons and not hosted(cm) else ()),
    )
