"""What a hub has to let an agent do: with a bootstrap kubeconfig, and as the cluster once it has joined.

The operator and `doctor` ask the hub for these, an agent with several hubs to choose from for the first.
Source: OCM's klusterlet operator (bootstrapcontroller, ssarcontroller).
"""

from __future__ import annotations

from gitops_ocm.api.registration import CERTIFICATES_GROUP
from gitops_ocm.decide.kinds import CLUSTER_GROUP
from gitops_ocm.objects.rights import Right

_WORKS = "work.open-cluster-management.io"
_LEASES = "coordination.k8s.io"
_CSRS = "certificatesigningrequests"

BOOTSTRAP_RIGHTS: tuple[Right, ...] = (
    *(Right(verb, CLUSTER_GROUP, "managedclusters") for verb in ("create", "get")),
    *(Right(verb, CERTIFICATES_GROUP, _CSRS) for verb in ("create", "get", "list", "watch")),
)


def hub_rights(cluster: str) -> tuple[Right, ...]:
    """What the agents of a cluster have to be allowed once it has joined."""

    def own(verb: str, subresource: str = "") -> Right:
        return Right(verb, CLUSTER_GROUP, "managedclusters", subresource, name=cluster)

    def work(verb: str, subresource: str = "") -> Right:
        return Right(verb, _WORKS, "manifestworks", subresource, cluster)

    return (
        *(Right(verb, CERTIFICATES_GROUP, _CSRS) for verb in ("get", "list", "watch")),
        *(own(verb) for verb in ("get", "list", "update", "watch")),
        *(own(verb, "status") for verb in ("patch", "update")),
        *(Right(verb, _LEASES, "leases", "", cluster, "managed-cluster-lease") for verb in ("get", "update")),
        *(work(verb) for verb in ("get", "list", "watch", "update")),
        *(work(verb, "status") for verb in ("patch", "update")),
    )
