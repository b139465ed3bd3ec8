"""Claims that a cluster can make of itself by what it shows: id, version, product, platform, region.

An option: OCM's agents make none. A claim that somebody else made is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.decide.agent.facts import known
from gitops_ocm.decide.contract import DONE, Apply, Outcome, Side, View
from gitops_ocm.decide.kinds import CLUSTER_CLAIM, CLUSTER_GROUP, NAMESPACE, NODE
from gitops_ocm.decide.writes import labels_of, uid_of
from gitops_ocm.objects.ref import Object, Ref

MADE_LABEL = "gitops-ocm.io/default-claim"
REGION_LABEL = "topology.kubernetes.io/region"
OTHER = "Other"

_PLATFORMS = {
    "aws": "AWS",
    "azure": "Azure",
    "baremetalhost": "BareMetal",
    "gce": "GCP",
    "ibm": "IBM",
    "kind": "KinD",
    "openstack": "OpenStack",
    "vsphere": "VSphere",
}
"""By the scheme of the nodes' `spec.providerID`."""
_PRODUCTS = {"-eks-": "EKS", "-gke.": "GKE", "+k3s": "K3S", "+rke2": "RKE2", "+IKS": "IKS"}
"""By what is in the version."""
_AKS_LABEL = "kubernetes.azure.com/cluster"


@dataclass(frozen=True)
class DefaultClaims:
    """Keeps the claims true."""

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile all of them at once."""
        measured = known(view)
        system = view.get(Ref(*NAMESPACE, "", "kube-system"), Side.SPOKE)
        if measured is None or not measured["version"]:
            return DONE
        nodes = view.list(NODE, side=Side.SPOKE)
        openshift = view.resource("config.openshift.io/v1", "ClusterVersion", Side.SPOKE) is not None
        values = {
            "id.k8s.io": uid_of(system) if system is not None else "",
            "kubeversion.open-cluster-management.io": str(measured["version"]),
            "platform.open-cluster-management.io": platform(nodes),
            "product.open-cluster-management.io": product(str(measured["version"]), nodes, openshift),
            "region.open-cluster-management.io": _common(labels_of(n).get(REGION_LABEL, "") for n in nodes),
        }
        return Outcome(tuple(w for name, value in sorted(values.items()) for w in _claim(view, name, value)))


def platform(nodes: Sequence[Object]) -> str:
    """What the nodes run on."""
    schemes = (str((n.get("spec") or {}).get("providerID") or "").partition("://")[0] for n in nodes)
    return _PLATFORMS.get(_common(schemes), OTHER)


def product(version: str, nodes: Sequence[Object], openshift: bool) -> str:
    """Which distribution of Kubernetes it is."""
    if openshift:
        return "OpenShift"
    if any(_AKS_LABEL in labels_of(node) for node in nodes):
        return "AKS"
    return next((name for mark, name in _PRODUCTS.items() if mark in version), OTHER)


def _common(values: Iterable[str]) -> str:
    """The value that all have; `""` where they differ or have none."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def _claim(view: View, name: str, value: str) -> tuple[Apply, ...]:
    live = view.get(Ref(*CLUSTER_CLAIM, "", name), Side.SPOKE)
    if live is not None and MADE_LABEL not in labels_of(live):
        return ()
    if not value or (live is not None and (live.get("spec") or {}).get("value") == value):
        return ()
    claim: Object = {
        "apiVersion": f"{CLUSTER_GROUP}/v1alpha1",
        "kind": CLUSTER_CLAIM.kind,
        "metadata": {"name": name, "labels": {MADE_LABEL: "true"}},
        "spec": {"value": value},
    }
    return (Apply(claim, Side.SPOKE),)
