"""Klusterlet: how the agents run on a managed cluster.

Group `operator.open-cluster-management.io`; what it shares with the ClusterManager is in
`api.operator`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Base64, Int32, Int64, Mandatory, Model
from gitops_ocm.api.meta import DNS_LABEL, KubeObject, NodePlacement
from gitops_ocm.api.operator import (
    EKS_CLUSTER_ARN,
    HOST_NAME,
    FeatureGate,
    Features,
    OperatorStatus,
    ResourceRequirement,
)

IPV4 = r"^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$"
SIMPLE_DURATION = "^([0-9]+(s|m|h))+$"


class ServerUrl(Model):
    """A URL of the managed cluster's API server."""

    url: str = Field(description="HTTPS URL.")
    ca_bundle: Base64 | None = Field(None, description="PEM certificates that sign its certificate.")


class HostAlias(Model):
    """A host name that the agents resolve themselves."""

    ip: str = Field(pattern=IPV4, description="IPv4 address.")
    hostname: str = Field(pattern=HOST_NAME, description="Host name.")


class KlusterletDeployOption(Model):
    """Where the agents run."""

    mode: str | None = Field(
        None, description="Default, Singleton, Hosted or SingletonHosted; empty means Default."
    )


class SecretName(Model):
    """A secret in the agents' namespace."""

    name: str = Field(description="Its name.")


class LocalSecretsConfig(Model):
    """Kubeconfigs of several hubs."""

    kube_config_secrets: list[SecretName] = Field(description="Secrets with one kubeconfig each.")
    hub_connection_timeout_seconds: Int32 = Field(
        600, ge=180, description="How long a hub may be away before the next one is tried."
    )


class BootstrapKubeConfigs(Model):
    """Which hubs to try."""

    type: Annotated[Literal["None", "LocalSecrets"], Mandatory()] = Field(
        "None", description="The one bootstrap kubeconfig, or several."
    )
    local_secrets_config: LocalSecretsConfig | None = Field(None, description="With LocalSecrets: which.")


class AwsIrsaAgent(Model):
    """Registration by AWS roles, on the agent's side."""

    hub_cluster_arn: str = Field(
        min_length=1, pattern=EKS_CLUSTER_ARN, description="The hub as EKS names it."
    )
    managed_cluster_arn: str = Field(
        min_length=1, pattern=EKS_CLUSTER_ARN, description="This cluster as EKS names it."
    )


class RegistrationDriver(Model):
    """How the cluster registers."""

    auth_type: Annotated[Literal["csr", "awsirsa", "grpc"], Mandatory()] = Field(
        "csr", description="By certificate requests, AWS roles or gRPC."
    )
    aws_irsa: AwsIrsaAgent | None = Field(None, description="Options of awsirsa.")


class TokenConfig(Model):
    """Tokens for add-ons."""

    expiration_seconds: Int64 | None = Field(None, description="How long they live.")


class AddOnRegistrationDriver(Model):
    """How add-ons get access to the hub API."""

    auth_type: Literal["csr", "token"] | None = Field(None, description="By certificate or by token.")
    token: TokenConfig | None = Field(None, description="Options of token.")


ClaimSuffix = Annotated[str, Field(min_length=1, max_length=64)]


class ClusterClaimConfiguration(Model):
    """Which claims are reported to the hub."""

    max_custom_cluster_claims: Annotated[Int32, Mandatory()] = Field(
        20, description="How many besides the reserved ones."
    )
    reserved_cluster_claim_suffixes: list[ClaimSuffix] | None = Field(
        None, max_length=10, description="Ends of names that count as reserved."
    )


class RegistrationConfiguration(Model):
    """The registration agent."""

    client_cert_expiration_seconds: Int32 | None = Field(
        None, description="How long its certificate is to live; unset leaves that to the hub."
    )
    feature_gates: list[FeatureGate] | None = Field(None, description="Features turned on or off.")
    cluster_annotations: dict[str, str] | None = Field(
        None,
        description="Annotations for the ManagedCluster, only those of agent.open-cluster-management.io/.",
    )
    cluster_labels: dict[str, str] | None = Field(
        None, description="Labels for the ManagedCluster; no agent reads them so far."
    )
    kube_api_qps: Int32 = Field(50, alias="kubeAPIQPS", description="Requests a second to the cluster.")
    kube_api_burst: Int32 = Field(100, alias="kubeAPIBurst", description="Requests at once to the cluster.")
    bootstrap_kube_configs: BootstrapKubeConfigs | None = Field(None, description="Which hubs to try.")
    registration_driver: RegistrationDriver | None = Field(None, description="How the cluster registers.")
    add_on_kube_client_registration_driver: AddOnRegistrationDriver | None = Field(
        None, description="How add-ons get access to the hub API."
    )
    cluster_claim_configuration: ClusterClaimConfiguration | None = Field(
        None, description="Which claims are reported."
    )


class WorkAgentConfiguration(Features):
    """The work agent."""

    kube_api_qps: Int32 = Field(50, alias="kubeAPIQPS", description="Requests a second to the cluster.")
    kube_api_burst: Int32 = Field(100, alias="kubeAPIBurst", description="Requests at once to the cluster.")
    hub_kube_api_qps: Int32 = Field(50, alias="hubKubeAPIQPS", description="Requests a second to the hub.")
    hub_kube_api_burst: Int32 = Field(
        100, alias="hubKubeAPIBurst", description="Requests at once to the hub."
    )
    applied_manifest_work_eviction_grace_period: str | None = Field(
        None, pattern=SIMPLE_DURATION, description="How long what has no work on the hub is kept."
    )
    status_sync_interval: str | None = Field(
        None, pattern=SIMPLE_DURATION, description="How often status is polled."
    )


class KlusterletSpec(Model):
    """Which agents run, and how."""

    namespace: str | None = Field(
        None,
        max_length=57,
        pattern="^open-cluster-management-[-a-z0-9]*[a-z0-9]$",
        description="Where they run; open-cluster-management-agent if empty.",
    )
    cluster_name: str | None = Field(
        None, max_length=63, pattern=DNS_LABEL, description="Name of the cluster; made up if empty."
    )
    registration_image_pull_spec: str | None = Field(None, description="Image of the registration agent.")
    work_image_pull_spec: str | None = Field(None, description="Image of the work agent.")
    image_pull_spec: str | None = Field(None, description="Image of both in one.")
    external_server_urls: list[ServerUrl] | None = Field(
        None, alias="externalServerURLs", description="URLs by which the hub may reach the cluster."
    )
    node_placement: NodePlacement | None = Field(None, description="Which nodes they may run on.")
    deploy_option: KlusterletDeployOption | None = Field(None, description="Where they run.")
    registration_configuration: RegistrationConfiguration | None = Field(
        None, description="The registration agent."
    )
    work_configuration: WorkAgentConfiguration | None = Field(None, description="The work agent.")
    hub_api_server_host_alias: HostAlias | None = Field(
        None, description="The hub's host name, where DNS does not know it."
    )
    resource_requirement: ResourceRequirement | None = Field(None, description="What the containers ask for.")
    priority_class_name: str | None = Field(None, description="Priority class of their pods.")


class Klusterlet(KubeObject):
    """The agents on this managed cluster."""

    api_version: Literal["operator.open-cluster-management.io/v1"] = "operator.open-cluster-management.io/v1"
    kind: Literal["Klusterlet"] = "Klusterlet"
    spec: KlusterletSpec | None = Field(None, description="Which agents run, and how.")
    status: OperatorStatus | None = Field(None, description="How they fare.")


# --- the words of the protocol ------------------------------------------------------------------

KLUSTERLET_FINALIZER = "operator.open-cluster-management.io/klusterlet-cleanup"
KLUSTERLET_HOSTED_FINALIZER = "operator.open-cluster-management.io/klusterlet-hosted-cleanup"
DEFAULT_AGENT_NAMESPACE = "open-cluster-management-agent"
BOOTSTRAP_SECRET = "bootstrap-hub-kubeconfig"  # noqa: S105 - the name of a secret, not one
HUB_KUBECONFIG_SECRET = "hub-kubeconfig-secret"  # noqa: S105 - the name of a secret, not one
