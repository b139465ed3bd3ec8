"""AddOnDeploymentConfig and AddOnTemplate: how an add-on is configured, and one made of manifests.

Group `addon.open-cluster-management.io`; both have the same schema at v1alpha1 and v1beta1.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.addon import SIGNER_NAME_PATTERN
from gitops_ocm.api.addon_v1alpha1 import DEFAULT_INSTALL_NAMESPACE, RegistrationSubject
from gitops_ocm.api.base import Base64, Model, list_map
from gitops_ocm.api.meta import KubeObject, NodePlacement, ResourceRequirements, RoleRef
from gitops_ocm.api.work import ManifestWorkSpec

CONTAINER_ID_PATTERN = r"^(deployments|daemonsets|statefulsets|replicasets|jobs|cronjobs|pods|\*):.+:.+$"


class CustomizedVariable(Model):
    """A variable of the add-on's manifests."""

    name: str = Field(max_length=255, pattern="^[a-zA-Z_][_a-zA-Z0-9]*$", description="Its name.")
    value: str | None = Field(None, max_length=1024, description="Its value.")


class ImageMirror(Model):
    """Another place to pull images from."""

    mirror: str = Field(description="The registry or path to pull from.")
    source: str | None = Field(
        None, description="The registry or path it stands for; empty stands for every image."
    )


class ProxyConfig(Model):
    """How the agent gets out through a proxy."""

    http_proxy: str | None = Field(None, description="Proxy for HTTP.")
    https_proxy: str | None = Field(None, description="Proxy for HTTPS.")
    ca_bundle: Base64 | None = Field(None, description="PEM certificates that sign the proxy's.")
    no_proxy: str | None = Field(None, description="Hosts and networks reached without it, by commas.")


class ContainerResources(Model):
    """What some containers ask for."""

    container_id: str = Field(
        alias="containerID",
        pattern=CONTAINER_ID_PATTERN,
        description="<resource>:<name>:<container>; an asterisk stands for any.",
    )
    resources: ResourceRequirements = Field(description="What they ask for.")


class AddOnDeploymentConfigSpec(Model):
    """How the add-on's agent is deployed."""

    customized_variables: Annotated[list[CustomizedVariable], list_map("name")] | None = Field(
        None, description="Variables of its manifests."
    )
    node_placement: NodePlacement | None = Field(None, description="Which nodes it may run on.")
    registries: list[ImageMirror] | None = Field(
        None, description="Where its images come from; the last that fits counts."
    )
    proxy_config: ProxyConfig | None = Field(None, description="How it gets out through a proxy.")
    agent_install_namespace: str = Field(
        DEFAULT_INSTALL_NAMESPACE,
        max_length=63,
        pattern="^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$",
        description="Where it runs; empty leaves that to the add-on.",
    )
    resource_requirements: Annotated[list[ContainerResources], list_map("containerID")] | None = Field(
        None, description="What its containers ask for; the last that fits counts."
    )


class AddOnDeploymentConfig(KubeObject):
    """Settings for the deployment of add-on agents."""

    api_version: Literal[
        "addon.open-cluster-management.io/v1alpha1", "addon.open-cluster-management.io/v1beta1"
    ] = "addon.open-cluster-management.io/v1alpha1"
    kind: Literal["AddOnDeploymentConfig"] = "AddOnDeploymentConfig"
    spec: AddOnDeploymentConfigSpec = Field(description="How the add-on's agent is deployed.")


class CurrentClusterBinding(Model):
    """Permission in the namespace of the agent's own cluster."""

    cluster_role_name: str = Field(description="The ClusterRole bound there.")


class SingleNamespaceBinding(Model):
    """Permission in one namespace of the hub."""

    namespace: str = Field(description="The namespace.")
    role_ref: RoleRef = Field(description="The role bound there.")


class HubPermission(Model):
    """Something the agent may do on the hub."""

    type: Literal["CurrentCluster", "SingleNamespace"] = Field(description="Where it may.")
    current_cluster: CurrentClusterBinding | None = Field(
        None, description="In the namespace of its own cluster."
    )
    single_namespace: SingleNamespaceBinding | None = Field(None, description="In one namespace.")


class KubeClientTemplate(Model):
    """Access of the agent to the hub API."""

    hub_permissions: list[HubPermission] | None = Field(None, description="What it may do there.")


class SigningCA(Model):
    """The secret with the key that signs."""

    namespace: str | None = Field(None, description="Its namespace; the add-on manager's own if empty.")
    name: str = Field(description="Its name.")


class CustomSignerTemplate(Model):
    """A certificate from a signer of the add-on's own."""

    signer_name: str = Field(
        min_length=5, max_length=571, pattern=SIGNER_NAME_PATTERN, description="Name of the signer."
    )
    subject: RegistrationSubject | None = Field(None, description="Who it is made out to.")
    signing_ca: SigningCA = Field(alias="signingCA", description="What it is signed with.")


class RegistrationTemplate(Model):
    """A credential that the agent gets."""

    type: Literal["KubeClient", "CustomSigner"] = Field(description="Which of the two it is.")
    kube_client: KubeClientTemplate | None = Field(None, description="Access to the hub API.")
    custom_signer: CustomSignerTemplate | None = Field(None, description="A certificate of another signer.")


class AddOnTemplateSpec(Model):
    """The agent's manifests and its access to the hub."""

    addon_name: str = Field(description="The add-on this is for.")
    agent_spec: ManifestWorkSpec = Field(
        description="Its manifests, with {{VARIABLES}}, and how to treat them."
    )
    registration: list[RegistrationTemplate] | None = Field(None, description="The credentials it gets.")


class AddOnTemplate(KubeObject):
    """An add-on that is nothing but manifests."""

    api_version: Literal[
        "addon.open-cluster-management.io/v1alpha1", "addon.open-cluster-management.io/v1beta1"
    ] = "addon.open-cluster-management.io/v1alpha1"
    kind: Literal["AddOnTemplate"] = "AddOnTemplate"
    spec: AddOnTemplateSpec = Field(description="The agent's manifests and its access to the hub.")
