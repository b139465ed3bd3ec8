"""A Klusterlet's spec as its operator reads it: defaults filled in, names made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api import feature_gates
from gitops_ocm.api.operator_klusterlet import BOOTSTRAP_SECRET, DEFAULT_AGENT_NAMESPACE
from gitops_ocm.decide.operators.gates import NETWORK_POLICIES, Chosen, chosen
from gitops_ocm.decide.operators.pods import Placing
from gitops_ocm.decide.writes import labels_of, name_of, uid_of
from gitops_ocm.objects.ref import Object

CREATED_BY = "open-cluster-management.io/created-by-klusterlet"
NAMESPACE_LABEL = "operator.open-cluster-management.io/klusterlet"
EXTERNAL_KUBECONFIG = "external-managed-kubeconfig"
SPOKE_CONFIG = "/spoke/config/kubeconfig"
SINGLETON_MODES, HOSTED_MODES = ("Singleton", "SingletonHosted"), ("Hosted", "SingletonHosted")


def is_hosted(klusterlet: Object) -> bool:
    """Whether a Klusterlet's agents run outside the cluster they manage."""
    return _mode(klusterlet) in HOSTED_MODES


def _mode(klusterlet: Object) -> str:
    return str(((klusterlet.get("spec") or {}).get("deployOption") or {}).get("mode") or "Default")


class AgentSpec:
    """What a Klusterlet asks for."""

    def __init__(self, klusterlet: Object) -> None:
        spec: Mapping[str, Any] = klusterlet.get("spec") or {}
        self.spec = spec
        self.name = name_of(klusterlet)
        self.uid = uid_of(klusterlet)
        self.mode = _mode(klusterlet)
        self.registration: Mapping[str, Any] = spec.get("registrationConfiguration") or {}
        self.work: Mapping[str, Any] = spec.get("workConfiguration") or {}
        own = {k: v for k, v in labels_of(klusterlet).items() if "kubernetes.io/" not in k and k != "app"}
        self.labels: dict[str, str] = {**own, CREATED_BY: self.name}

    @property
    def hosted(self) -> bool:
        """Whether the agents run outside the cluster they manage."""
        return self.mode in HOSTED_MODES

    @property
    def singleton(self) -> bool:
        """Whether one process is all agents."""
        return self.mode in SINGLETON_MODES

    @property
    def namespace(self) -> str:
        """The namespace on the managed cluster."""
        default = f"open-cluster-management-{self.name}" if self.hosted else DEFAULT_AGENT_NAMESPACE
        return str(self.spec.get("namespace") or default)

    @property
    def agent_namespace(self) -> str:
        """The namespace the agents run in."""
        return self.name if self.hosted else self.namespace

    @property
    def namespace_labels(self) -> dict[str, str]:
        """What tells that a namespace is a Klusterlet's."""
        return {**self.labels, NAMESPACE_LABEL: self.name}

    @property
    def cluster_name(self) -> str:
        """The cluster's name; empty where the agent is to pick one."""
        return str(self.spec.get("clusterName") or "")

    @property
    def registration_account(self) -> str:
        """The ServiceAccount of the registration agent."""
        return f"{self.name}-registration-sa"

    @property
    def work_account(self) -> str:
        """The ServiceAccount of the work agent, and of a singleton."""
        return f"{self.name}-work-sa"

    def account_of(self, suffix: str) -> str:
        """The account of a Deployment, by the end of its name."""
        return self.registration_account if suffix == "registration-agent" else self.work_account

    @property
    def external_secrets(self) -> dict[str, str]:
        """Hosted: by account, the Secret with the kubeconfig for the managed cluster."""
        if self.singleton:
            return {self.work_account: f"{EXTERNAL_KUBECONFIG}-agent"}
        return {
            self.registration_account: f"{EXTERNAL_KUBECONFIG}-registration",
            self.work_account: f"{EXTERNAL_KUBECONFIG}-work",
        }

    @property
    def registration_image(self) -> str:
        """Image of the registration agent."""
        return str(self.spec.get("registrationImagePullSpec") or "")

    @property
    def work_image(self) -> str:
        """Image of the work agent."""
        return str(self.spec.get("workImagePullSpec") or "")

    @property
    def image(self) -> str:
        """Image of a singleton."""
        return str(self.spec.get("imagePullSpec") or "")

    @property
    def placing(self) -> Placing:
        """Where and how the pods run."""
        return Placing(
            self.spec.get("nodePlacement") or {},
            self.spec.get("resourceRequirement") or {},
            str(self.spec.get("priorityClassName") or ""),
            self.spec.get("hubApiServerHostAlias") or {},
        )

    @property
    def registration_gates(self) -> Chosen:
        """Gates of the registration agent."""
        return chosen(self.registration, feature_gates.SPOKE_REGISTRATION, own=(NETWORK_POLICIES,))

    @property
    def work_gates(self) -> Chosen:
        """Gates of the work agent."""
        return chosen(self.work, feature_gates.SPOKE_WORK)

    @property
    def several_hubs(self) -> bool:
        """Whether there are several hubs to try, and they may be tried."""
        return self.registration_gates.on("MultipleHubs") and self._local_secrets is not None

    @property
    def _local_secrets(self) -> Mapping[str, Any] | None:
        configured = self.registration.get("bootstrapKubeConfigs") or {}
        return configured.get("localSecretsConfig") if configured.get("type") == "LocalSecrets" else None

    @property
    def bootstrap_secrets(self) -> tuple[str, ...]:
        """The Secrets with bootstrap kubeconfigs."""
        if not self.several_hubs or self._local_secrets is None:
            return (BOOTSTRAP_SECRET,)
        return tuple(str(entry["name"]) for entry in self._local_secrets.get("kubeConfigSecrets") or ())

    @property
    def hub_timeout(self) -> int:
        """How many seconds a hub may be away before the next one is tried."""
        return int((self._local_secrets or {}).get("hubConnectionTimeoutSeconds") or 600)

    @property
    def spoke_arguments(self) -> list[str]:
        """How a hosted agent reaches the managed cluster."""
        return [f"--spoke-kubeconfig={SPOKE_CONFIG}"] if self.hosted else []
