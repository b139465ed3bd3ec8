"""ClusterManagementAddOn and ManagedClusterAddOn at v1beta1, the version hub controllers speak.

Group `addon.open-cluster-management.io`. What v1alpha1 has otherwise is in `api.addon_v1alpha1`,
add-on configuration and templates are in `api.addon_config`, the protocol's words in
`api.addon_words`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.base import Int64, Model, NonEmpty, list_map
from gitops_ocm.api.meta import Conditions, KubeObject
from gitops_ocm.api.rollout import ALL, RolloutStrategy


class AddOnMeta(Model):
    """What people are told of an add-on."""

    display_name: str | None = Field(None, description="Its name for people.")
    description: str | None = Field(None, description="What it does.")


class ConfigGroupResource(Model):
    """A kind of configuration, by group and resource."""

    group: str = Field("", description="API group; empty for the core group.")
    resource: NonEmpty = Field(description="Plural name of the resource.")


class ConfigReferent(Model):
    """One object, by name."""

    namespace: str | None = Field(None, description="Its namespace; empty for a cluster-scoped object.")
    name: NonEmpty = Field(description="Its name.")


class AddOnConfig(ConfigReferent, ConfigGroupResource):
    """A configuration object that an add-on uses."""


class ConfigSpecHash(ConfigReferent):
    """One object and what its content was."""

    spec_hash: str | None = Field(None, description="SHA-256 of its content.")


class DefaultConfigReference(ConfigGroupResource):
    """The default configuration of one kind."""

    desired_config: ConfigSpecHash | None = Field(None, description="The object and its content.")


class InstallConfigReference(DefaultConfigReference):
    """How far a configuration has spread."""

    last_applied_config: ConfigSpecHash | None = Field(
        None, description="The one last applied on every cluster."
    )
    last_known_good_config: ConfigSpecHash | None = Field(None, description="The one last found good.")


class PlacementStrategy(Model):
    """A placement whose clusters get the add-on."""

    namespace: NonEmpty = Field(description="Namespace of the placement.")
    name: NonEmpty = Field(description="Name of the placement.")
    configs: list[AddOnConfig] | None = Field(
        None, description="Configuration there, in place of the defaults of the same kind."
    )
    rollout_strategy: RolloutStrategy = Field(
        default_factory=lambda: RolloutStrategy(type=ALL),
        description="How a change of configuration spreads.",
    )


class InstallStrategy(Model):
    """Where the add-on is installed."""

    type: Literal["Manual", "Placements"] = Field(
        "Manual", description="Where a person makes a ManagedClusterAddOn, or where placements say."
    )
    placements: Annotated[list[PlacementStrategy], list_map("namespace", "name")] | None = Field(
        None, description="The placements; where two choose a cluster, the later one configures it."
    )


def manual() -> InstallStrategy:
    """The install strategy an add-on has that names none."""
    return InstallStrategy(type="Manual")


class ClusterManagementAddOnSpec(Model):
    """What the add-on is and where it goes."""

    add_on_meta: AddOnMeta | None = Field(None, description="What people are told of it.")
    default_configs: Annotated[list[AddOnConfig], list_map("group", "resource")] | None = Field(
        None, description="The kinds of configuration it takes, and the defaults."
    )
    install_strategy: InstallStrategy = Field(
        default_factory=manual, description="Where the add-on is installed."
    )


class InstallProgression(Model):
    """How far the add-on is on the clusters of one placement."""

    namespace: NonEmpty = Field(description="Namespace of the placement.")
    name: NonEmpty = Field(description="Name of the placement.")
    config_references: list[InstallConfigReference] | None = Field(None, description="Its configuration.")
    conditions: Conditions | None = Field(None, description="Progressing.")


class ClusterManagementAddOnStatus(Model):
    """How far the add-on is."""

    default_config_references: list[DefaultConfigReference] | None = Field(
        None, description="The defaults and their content."
    )
    install_progressions: list[InstallProgression] | None = Field(None, description="By placement.")


class ClusterManagementAddOn(KubeObject):
    """An add-on that the hub offers, and on which clusters it is installed."""

    api_version: Literal["addon.open-cluster-management.io/v1beta1"] = (
        "addon.open-cluster-management.io/v1beta1"
    )
    kind: Literal["ClusterManagementAddOn"] = "ClusterManagementAddOn"
    spec: ClusterManagementAddOnSpec = Field(description="What the add-on is and where it goes.")
    status: ClusterManagementAddOnStatus | None = Field(None, description="How far it is.")


class ManagedClusterAddOnSpec(Model):
    """What is special about the add-on here."""

    configs: list[AddOnConfig] | None = Field(
        None, description="Configuration here, in place of all others of the same kind."
    )


class ConfigReference(DefaultConfigReference):
    """A configuration in use."""

    last_applied_config: ConfigSpecHash | None = Field(None, description="The one last applied here.")
    last_observed_generation: Int64 | None = Field(None, description="Generation of the object when read.")


class HealthCheck(Model):
    """How health is judged."""

    mode: Literal["Lease", "Customized"] = Field(
        "Lease", description="By a lease the agent renews, or by the add-on's own means."
    )


class ObjectReference(Model):
    """An object that has to do with the add-on."""

    group: str = Field(description="API group.")
    resource: str = Field(description="Plural name of the resource.")
    namespace: str | None = Field(None, description="Its namespace.")
    name: str = Field(description="Its name.")


class KubeClientSubject(Model):
    """Who the agent is on the hub."""

    user: str | None = Field(None, description="User name.")
    groups: list[str] | None = Field(None, description="Groups.")


class SignerSubject(KubeClientSubject):
    """Who a certificate is made out to."""

    organization_units: list[str] | None = Field(None, description="Organisation units.")


SIGNER_NAME_PATTERN = r"^([a-z0-9][a-z0-9-]*[a-z0-9]\.)+[a-z]+\/[a-z0-9-\.]+$"


class KubeClientRegistration(Model):
    """Access of the agent to the hub API."""

    subject: KubeClientSubject | None = Field(None, description="Who the agent is.")
    driver: Literal["csr", "token"] | None = Field(
        None, description="By certificate or by token; the klusterlet writes it."
    )


class CustomSignerRegistration(Model):
    """A certificate from a signer of the add-on's own."""

    signer_name: str = Field(
        min_length=5, max_length=571, pattern=SIGNER_NAME_PATTERN, description="Name of the signer."
    )
    subject: SignerSubject | None = Field(None, description="Who it is made out to.")


class Registration(Model):
    """A credential that the agent gets."""

    type: Literal["kubeClient", "customSigner"] = Field(description="Which of the two it is.")
    kube_client: KubeClientRegistration | None = Field(None, description="Access to the hub API.")
    custom_signer: CustomSignerRegistration | None = Field(
        None, description="A certificate of another signer."
    )


class AddOnStatus(Model):
    """What the status has in every version."""

    conditions: Conditions | None = Field(None, description="Available, Progressing and others.")
    related_objects: list[ObjectReference] | None = Field(None, description="Objects that belong to it.")
    add_on_meta: AddOnMeta | None = Field(None, description="What people are told of it.")
    supported_configs: Annotated[list[ConfigGroupResource], list_map("group", "resource")] | None = Field(
        None, description="The kinds of configuration it takes."
    )
    health_check: HealthCheck | None = Field(None, description="How its health is judged.")
    namespace: str | None = Field(None, description="Where its agent runs on the managed cluster.")


class ManagedClusterAddOnStatus(AddOnStatus):
    """How the add-on fares here."""

    config_references: list[ConfigReference] | None = Field(None, description="The configuration in use.")
    registrations: list[Registration] | None = Field(None, description="The credentials its agent gets.")


class ManagedClusterAddOn(KubeObject):
    """An add-on installed on the cluster in whose namespace this is."""

    api_version: Literal["addon.open-cluster-management.io/v1beta1"] = (
        "addon.open-cluster-management.io/v1beta1"
    )
    kind: Literal["ManagedClusterAddOn"] = "ManagedClusterAddOn"
    spec: ManagedClusterAddOnSpec = Field(description="What is special about it here.")
    status: ManagedClusterAddOnStatus | None = Field(None, description="How it fares.")
