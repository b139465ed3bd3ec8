"""What a person may set about the judgements: values handed to `decide.controllers`.

Reading flags, files and the environment is the business of `cli`; these are the results. Defaults are
OCM's, so that a hub or an agent without any setting behaves as its Go counterpart does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class HubSettings:
    """Settings of the hub's controllers; the booleans are OCM's feature gates by their meaning.

    `auto_approval` accepts every cluster once, and approves the first requests for certificates of the
    `auto_approved_users`. `beta_certificates` serves hubs that have such requests at v1beta1 alone.
    `replica_sets` and `addon_management` run the controllers of those names, `cluster_profiles` makes
    ClusterProfiles. `nil_executor_validating` asks about works without an executor, too.
    `rollout_compat` rolls out exactly as OCM's controllers do, also where its documentation promises more.
    `lease_grace` is how many lease durations may pass before a cluster is called unreachable.
    `resource_cleanup` empties the namespace of a deleted cluster, `cleanup_resources` (group/version/plural)
    says of what, in order.
    `namespace` is where the controllers run: Secrets of theirs that name no namespace are there.
    `rollout_compat` decides rollouts to the letter as OCM does.
    `cluster_labels` are put on everything that is made for a cluster. `work_limit` is the largest
    total size of the manifests of one work, in bytes.
    """

    default_cluster_set: bool = True
    resource_cleanup: bool = True
    complete_work_cleanup: bool = False
    auto_approval: bool = False
    auto_approved_users: frozenset[str] = frozenset()
    beta_certificates: bool = False
    replica_sets: bool = True
    addon_management: bool = True
    cluster_profiles: bool = False
    nil_executor_validating: bool = False
    rollout_compat: bool = False
    lease_grace: int = 5
    lease_duration: int = 60
    namespace: str = "open-cluster-management-hub"
    work_limit: int = 500 * 1024
    cluster_labels: dict[str, str] = field(default_factory=dict)
    cleanup_resources: tuple[str, ...] = (
        "addon.open-cluster-management.io/v1beta1/managedclusteraddons",
        "work.open-cluster-management.io/v1/manifestworks",
    )

    def with_gates(self, gates: Mapping[str, bool]) -> HubSettings:
        """The same with OCM's feature gates as given (`api.feature_gates`), by their meaning here."""
        chosen: dict[str, Any] = {_GATES[name]: on for name, on in gates.items() if name in _GATES}
        return replace(self, **chosen)


_GATES = {
    "DefaultClusterSet": "default_cluster_set",
    "ResourceCleanup": "resource_cleanup",
    "V1beta1CSRAPICompatibility": "beta_certificates",
    "ManagedClusterAutoApproval": "auto_approval",
    "ClusterProfile": "cluster_profiles",
    "AddonManagement": "addon_management",
    "NilExecutorValidating": "nil_executor_validating",
    "ManifestWorkReplicaSet": "replica_sets",
    "CleanUpCompletedManifestWork": "complete_work_cleanup",
}
HUB_GATES_WITHOUT_EFFECT = frozenset(
    {"ClusterImporter", "SIGPlacementDecision", "PlacementDebugServer", "CloudEventsDrivers"}
)
"""Gates of OCM's hub that are taken, so that its settings can be carried over, and open nothing here."""


@dataclass(frozen=True)
class AgentSettings:
    """Settings of one klusterlet: which cluster it speaks for, to which hub.

    `hub_server` is the hub's URL exactly as the kubeconfig has it, for the hub hash is made of it.
    `agent_id` marks the AppliedManifestWorks this agent answers for (default: the hub hash).
    Periods are seconds: `status_sync_interval` between looks at feedback, `resync_interval` between
    full looks at a work, `eviction_grace` before what an orphaned work applied is removed,
    `health_period` between looks at the cluster's API server, `health_grace` that it is given before
    the cluster is called unavailable.
    `cluster_claims` and `cluster_properties` are reported; `default_claims` are made from what the cluster
    shows. With `addon_management` add-ons get credentials for the hub, by `addon_driver` (`csr`, `token`).
    """

    cluster_name: str
    hub_server: str = ""
    agent_id: str = ""
    status_sync_interval: float = 10
    resync_interval: float = 240
    eviction_grace: float = 3600
    health_period: float = 60
    health_grace: float = 20
    max_custom_claims: int = 20
    reserved_claim_suffixes: tuple[str, ...] = ()
    max_json_raw_length: int = 1024
    raw_feedback_json: bool = False
    cluster_claims: bool = True
    cluster_properties: bool = False
    default_claims: bool = False
    addon_management: bool = True
    addon_driver: str = "csr"
    addon_token_lifetime: int = 31536000
    certificate_lifetime: int = 0

    @property
    def hub_hash(self) -> str:
        """Lower-case hex SHA-256 of the hub's URL: what names this hub's AppliedManifestWorks."""
        return hashlib.sha256(self.hub_server.encode()).hexdigest()

    @property
    def agent(self) -> str:
        """The agent id in force."""
        return self.agent_id or self.hub_hash


_AGENT_GATES = {
    "AddonManagement": "addon_management",
    "ClusterClaim": "cluster_claims",
    "ClusterProperty": "cluster_properties",
    "RawFeedbackJsonString": "raw_feedback_json",
}


def gated(gates: Mapping[str, bool]) -> dict[str, bool]:
    """OCM's feature gates of an agent (`api.feature_gates`) as fields of `AgentSettings`."""
    return {_AGENT_GATES[name]: on for name, on in gates.items() if name in _AGENT_GATES}
