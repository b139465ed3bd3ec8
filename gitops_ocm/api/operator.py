"""ClusterManager: how the hub's components run; and what it shares with the Klusterlet.

Group `operator.open-cluster-management.io`; the Klusterlet is in `api.operator_klusterlet`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Base64, Int32, Int64, Mandatory, Model, list_map
from gitops_ocm.api.meta import Conditions, KubeObject, NodePlacement, ResourceRequirements

EKS_CLUSTER_ARN = r"^arn:aws:eks:([a-zA-Z0-9-]+):(\d{12}):cluster/([a-zA-Z0-9-]+)$"
HOST_NAME = (
    r"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*"
    r"([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])$"
)

# --- shared with the Klusterlet -----------------------------------------------------------------


class FeatureGate(Model):
    """Turns a feature on or off."""

    feature: str = Field(description="Name of the feature.")
    mode: Literal["Enable", "Disable"] = Field("Disable", description="On or off.")


class Features(Model):
    """Settings that are feature gates alone."""

    feature_gates: list[FeatureGate] | None = Field(None, description="Features turned on or off.")


class ResourceRequirement(Model):
    """What the components' containers ask for."""

    type: Literal["Default", "BestEffort", "ResourceRequirement"] = Field(
        "Default", description="A little, nothing, or what is given here."
    )
    resource_requirements: ResourceRequirements | None = Field(
        None, description="With ResourceRequirement: what they ask for."
    )


class RelatedResource(Model):
    """An object the operator manages."""

    group: str = Field(description="API group.")
    version: str = Field(description="API version.")
    resource: str = Field(description="Plural name of the resource.")
    namespace: str | None = Field(None, description="Its namespace.")
    name: str = Field(description="Its name.")


class GenerationStatus(RelatedResource):
    """An object and the generation that was last written."""

    last_generation: Int64 = Field(description="Its generation.")


class OperatorStatus(Model):
    """How the components fare."""

    observed_generation: Int64 | None = Field(None, description="The metadata.generation acted on.")
    conditions: Conditions | None = Field(None, description="Applied, Progressing, Degraded and others.")
    generations: list[GenerationStatus] | None = Field(None, description="Deployments and their generations.")
    related_resources: list[RelatedResource] | None = Field(None, description="What the operator manages.")


# --- ClusterManager -----------------------------------------------------------------------------


class AwsIrsaHub(Model):
    """Registration by AWS roles, on the hub's side."""

    hub_cluster_arn: str | None = Field(None, pattern=EKS_CLUSTER_ARN, description="The hub as EKS names it.")
    auto_approved_identities: list[str] | None = Field(
        None, description="Patterns of cluster ARNs that need no approval."
    )
    tags: list[str] | None = Field(None, description="Tags for what is made in AWS, as key=value.")


class AutoApproval(Model):
    """Registration that some identities need no approval for."""

    auto_approved_identities: list[str] | None = Field(None, description="Users that need no approval.")


class RegistrationDriverHub(Model):
    """A way in which clusters may register."""

    auth_type: Annotated[Literal["csr", "awsirsa", "grpc"], Mandatory()] = Field(
        "csr", description="By certificate requests, AWS roles or gRPC."
    )
    csr: AutoApproval | None = Field(None, description="Options of csr.")
    awsirsa: AwsIrsaHub | None = Field(None, description="Options of awsirsa.")
    grpc: AutoApproval | None = Field(None, description="Options of grpc.")


class ImporterConfiguration(Model):
    """How clusters of a Cluster API are imported."""

    renderers: list[str] | None = Field(None, description="What is rendered for them.")


class RegistrationHubConfiguration(Features):
    """Registration on the hub."""

    auto_approve_users: list[str] | None = Field(None, description="Users whose clusters need no approval.")
    registration_drivers: Annotated[list[RegistrationDriverHub], list_map("authType")] | None = Field(
        None, description="Ways in which clusters may register."
    )
    importer_configuration: ImporterConfiguration | None = Field(None, description="Import of clusters.")


class WorkConfiguration(Features):
    """Work distribution on the hub."""

    work_driver: Literal["kube", "mqtt", "grpc"] = Field("kube", description="How works reach the agents.")


def _kube_driver() -> WorkConfiguration:
    return WorkConfiguration(work_driver="kube")


class BindConfiguration(Model):
    """Ports a webhook listens on."""

    port: Int32 = Field(9443, le=65535, description="Port of the webhook.")
    health_probe_port: Int32 = Field(8000, le=65535, description="Port of its health probe.")
    metrics_port: Int32 = Field(8080, le=65535, description="Port of its metrics.")
    host_network: bool | None = Field(None, description="Use the network of the node.")


class DefaultWebhookConfiguration(Model):
    """A webhook inside the hub."""

    bind_configuration: BindConfiguration | None = Field(None, description="Ports it listens on.")


class HostedWebhookConfiguration(DefaultWebhookConfiguration):
    """A webhook outside the hub."""

    address: str = Field(pattern=HOST_NAME, description="Host name by which the hub reaches it.")
    port: Int32 = Field(443, le=65535, description="Port by which the hub reaches it.")


class DefaultDeploy(Model):
    """Components inside the hub."""

    registration_webhook_configuration: DefaultWebhookConfiguration | None = Field(
        None, description="The registration webhook."
    )
    work_webhook_configuration: DefaultWebhookConfiguration | None = Field(
        None, description="The work webhook."
    )
    addon_webhook_configuration: DefaultWebhookConfiguration | None = Field(
        None, description="The add-on webhook."
    )


class HostedDeploy(Model):
    """Components outside the hub."""

    registration_webhook_configuration: HostedWebhookConfiguration | None = Field(
        None, description="The registration webhook."
    )
    work_webhook_configuration: HostedWebhookConfiguration | None = Field(
        None, description="The work webhook."
    )


class ClusterManagerDeployOption(Model):
    """Where the components run."""

    mode: Annotated[Literal["Default", "Hosted"], Mandatory()] = Field(
        "Default", description="Inside the hub, or on another cluster."
    )
    default: DefaultDeploy | None = Field(None, description="Options of Default.")
    hosted: HostedDeploy | None = Field(None, description="Options of Hosted.")


def _inside() -> ClusterManagerDeployOption:
    return ClusterManagerDeployOption(mode="Default")


class ExposedHost(Model):
    """An address that is made elsewhere."""

    host: str = Field(description="Host name, with a port if need be.")
    ca_bundle: Base64 | None = Field(None, description="PEM certificates that sign its certificate.")


class ExposedService(Model):
    """An address that the cluster makes."""

    host: str | None = Field(None, description="Host name, if it is to be another than the one made.")
    ca_bundle: Base64 | None = Field(None, description="PEM certificates that sign its certificate.")


class Endpoint(Model):
    """How a server is reached from outside."""

    type: Annotated[Literal["hostname", "loadBalancer", "route"], Mandatory()] = Field(
        "hostname", description="By a given host name, a load balancer or a route."
    )
    hostname: ExposedHost | None = Field(None, description="With hostname: the address.")
    load_balancer: ExposedService | None = Field(None, description="With loadBalancer: its address.")
    route: ExposedService | None = Field(None, description="With route: its address.")


class EndpointExposure(Model):
    """How the hub's server is reached."""

    protocol: Annotated[Literal["grpc", "https"], Mandatory()] = Field(
        "grpc", description="By which protocol."
    )
    usage: str | None = Field(None, description="What it is for.")
    grpc: Endpoint | None = Field(None, description="With grpc: where.")
    https: Endpoint | None = Field(None, description="With https: where.")


class ServerConfiguration(Features):
    """The server that agents without a kubeconfig talk to."""

    image_pull_spec: str | None = Field(None, description="Its image.")
    endpoints_exposure: list[EndpointExposure] | None = Field(None, description="How it is reached.")


class ClusterManagerSpec(Model):
    """Which components run, and how."""

    registration_image_pull_spec: str = Field(
        "quay.io/open-cluster-management/registration", description="Image of the registration components."
    )
    work_image_pull_spec: str = Field(
        "quay.io/open-cluster-management/work", description="Image of the work components."
    )
    placement_image_pull_spec: str = Field(
        "quay.io/open-cluster-management/placement", description="Image of the placement component."
    )
    add_on_manager_image_pull_spec: str = Field(
        "quay.io/open-cluster-management/addon-manager", description="Image of the add-on manager."
    )
    node_placement: NodePlacement | None = Field(None, description="Which nodes they may run on.")
    deploy_option: ClusterManagerDeployOption = Field(default_factory=_inside, description="Where they run.")
    registration_configuration: RegistrationHubConfiguration | None = Field(None, description="Registration.")
    work_configuration: WorkConfiguration = Field(
        default_factory=_kube_driver, description="Work distribution."
    )
    add_on_manager_configuration: Features | None = Field(None, description="The add-on manager.")
    placement_configuration: Features | None = Field(None, description="Placement.")
    server_configuration: ServerConfiguration | None = Field(
        None, description="The server that agents without a kubeconfig talk to."
    )
    resource_requirement: ResourceRequirement | None = Field(None, description="What the containers ask for.")


class ClusterManager(KubeObject):
    """The hub's components on this cluster."""

    api_version: Literal["operator.open-cluster-management.io/v1"] = "operator.open-cluster-management.io/v1"
    kind: Literal["ClusterManager"] = "ClusterManager"
    spec: ClusterManagerSpec = Field(
        default_factory=lambda: ClusterManagerSpec(deploy_option=_inside()),
        description="Which components run, and how.",
    )
    status: OperatorStatus | None = Field(None, description="How they fare.")


# --- the words of the protocol ------------------------------------------------------------------

CLUSTER_MANAGER_FINALIZER = "operator.open-cluster-management.io/cluster-manager-cleanup"
HUB_NAMESPACE = "open-cluster-management-hub"
OPERATOR_NAMESPACE = "open-cluster-management"
CSR_USER_ANNOTATION = "open-cluster-management.io/csr-user"
VALID_FEATURE_GATES = "ValidFeatureGates"
