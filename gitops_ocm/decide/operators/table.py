"""The operators' rows of a controller table: ClusterManagers, and Klusterlets.

They are rows like all others (`decide.contract`), run by `gitops-ocm operator run`. Beside what a row
declares it looks at single kinds in single namespaces as it needs them, so the rights are said here in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops_ocm.decide.contract import Controller, View, Wake
from gitops_ocm.decide.operators.cluster_manager import HubOperator
from gitops_ocm.decide.operators.connection import CONNECTION
from gitops_ocm.decide.operators.farewell import KLUSTERLET
from gitops_ocm.decide.operators.klusterlet import KlusterletOperator
from gitops_ocm.decide.operators.settings import BUNDLE_VERSION, OperatorSettings
from gitops_ocm.objects.ref import Kind, Object, Ref

CLUSTER_MANAGER = Kind("operator.open-cluster-management.io", "ClusterManager")
_GROUP = "operator.open-cluster-management.io"
_ALL = ("create", "delete", "get", "list", "patch", "watch")
_RBAC = "rbac.authorization.k8s.io/"
_OWN = ("get", "list", "patch", "watch")
_INSTALLS: Mapping[str, tuple[str, ...]] = {
    "namespaces": _ALL,
    "serviceaccounts": _ALL,
    "nodes": ("get", "list", "watch"),
    "apps/deployments": _ALL,
    "networking.k8s.io/networkpolicies": _ALL,
    _RBAC + "clusterroles": _ALL,
    _RBAC + "clusterrolebindings": _ALL,
    _RBAC + "roles": _ALL,
    _RBAC + "rolebindings": _ALL,
}
HUB_WRITES: Mapping[str, tuple[str, ...]] = {
    f"{_GROUP}/clustermanagers": _OWN,
    f"{_GROUP}/clustermanagers/status": ("patch",),
    **_INSTALLS,
    "services": _ALL,
    "admissionregistration.k8s.io/mutatingwebhookconfigurations": _ALL,
    "admissionregistration.k8s.io/validatingwebhookconfigurations": _ALL,
}
AGENT_WRITES: Mapping[str, tuple[str, ...]] = {
    f"{_GROUP}/klusterlets": _OWN,
    f"{_GROUP}/klusterlets/status": ("patch",),
    **_INSTALLS,
    "work.open-cluster-management.io/appliedmanifestworks": _OWN,
}


def hub_operator_rows(settings: OperatorSettings) -> tuple[Controller, ...]:
    """ClusterManagers."""
    return (
        Controller(
            "cluster-manager",
            "operator",
            HubOperator(settings),
            (Wake(CLUSTER_MANAGER),),
            field_manager="gitops-ocm-operator",
            workers=1,
            writes={} if settings.in_process else HUB_WRITES,
        ),
    )


def in_process_rows(image: str) -> tuple[Controller, ...]:
    """ClusterManagers of a hub that runs its controllers itself: its Deployments are there to be looked at.

    Whoever runs these rows has something stand for the pods (`hub.simulated.stand_ins`).
    """
    return hub_operator_rows(OperatorSettings(image, BUNDLE_VERSION, in_process=True))


def klusterlet_operator_rows(settings: OperatorSettings) -> tuple[Controller, ...]:
    """Klusterlets."""
    return (
        Controller(
            "klusterlet",
            "operator",
            KlusterletOperator(settings),
            (Wake(KLUSTERLET), Wake(CONNECTION, _measured)),
            field_manager="gitops-ocm-operator",
            workers=1,
            writes=AGENT_WRITES,
        ),
    )


def _measured(view: View, obj: Object) -> Iterable[Ref]:
    """The Klusterlet whose connection was measured."""
    return (Ref(*KLUSTERLET, "", obj["metadata"]["name"]),)
