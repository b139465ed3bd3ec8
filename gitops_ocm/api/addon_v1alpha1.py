"""ClusterManagementAddOn and ManagedClusterAddOn at v1alpha1, the version that is stored.

Only what differs from v1beta1 (`api.addon`) is here. Most published add-ons are written in it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gitops_ocm.api.addon import (
    SIGNER_NAME_PATTERN,
    AddOnConfig,
    AddOnMeta,
    AddOnStatus,
    ConfigGroupResource,
    ConfigReferent,
    DefaultConfigReference,
    InstallProgression,
    InstallStrategy,
    KubeClientSubject,
    manual,
)
from gitops_ocm.api.addon import ConfigReference as CommonConfigReference
from gitops_ocm.api.base import Int64, Model, list_map
from gitops_ocm.api.meta import DNS_LABEL, KubeObject

DEFAULT_INSTALL_NAMESPACE = "open-cluster-management-agent-addon"


class ConfigCoordinates(Model):
    """The older way to name an add-on's configuration."""

    crd_name: str | None = Field(None, description="Name of the CustomResourceDefinition.")
    cr_name: str | None = Field(None, description="Name of the object.")
    last_observed_generation: Int64 | None = Field(None, description="Generation of the object when read.")


class ConfigMetaWithDefault(ConfigGroupResource):
    """A kind of configuration and the default."""

    default_config: ConfigReferent | None = Field(None, description="The default, if there is one.")


class ClusterManagementAddOnSpec(Model):
    """What the add-on is and where it goes."""

    add_on_meta: AddOnMeta | None = Field(None, description="What people are told of it.")
    add_on_configuration: ConfigCoordinates | None = Field(
        None, description="Superseded by supportedConfigs."
    )
    supported_configs: Annotated[list[ConfigMetaWithDefault], list_map("group", "resource")] | None = Field(
        None, description="The kinds of configuration it takes, and the defaults."
    )
    install_strategy: InstallStrategy = Field(
        default_factory=manual, description="Where the add-on is installed."
    )


class ClusterManagementAddOnStatus(Model):
    """How far the add-on is."""

    default_config_references: list[DefaultConfigReference] | None = Field(
        None, alias="defaultconfigReferences", description="The defaults and their content."
    )
    install_progressions: list[InstallProgression] | None = Field(None, description="By placement.")


class ClusterManagementAddOn(KubeObject):
    """An add-on that the hub offers, and on which clusters it is installed."""

    api_version: Literal["addon.open-cluster-management.io/v1alpha1"] = (
        "addon.open-cluster-management.io/v1alpha1"
    )
    kind: Literal["ClusterManagementAddOn"] = "ClusterManagementAddOn"
    spec: ClusterManagementAddOnSpec = Field(description="What the add-on is and where it goes.")
    status: ClusterManagementAddOnStatus | None = Field(None, description="How far it is.")


class ManagedClusterAddOnSpec(Model):
    """What is special about the add-on here."""

    install_namespace: str = Field(
        DEFAULT_INSTALL_NAMESPACE,
        max_length=63,
        pattern=DNS_LABEL,
        description="Where its agent runs on the managed cluster.",
    )
    configs: list[AddOnConfig] | None = Field(
        None, description="Configuration here, in place of all others of the same kind."
    )


class ConfigReference(CommonConfigReference):
    """A configuration in use."""

    namespace: str | None = Field(None, description="Superseded by desiredConfig.")
    name: str = Field(min_length=1, description="Superseded by desiredConfig.")


class RegistrationSubject(KubeClientSubject):
    """Who a certificate is made out to."""

    organization_unit: list[str] | None = Field(None, description="Organisation units.")


class Registration(Model):
    """A credential that the agent gets."""

    signer_name: str = Field(
        min_length=5,
        max_length=571,
        pattern=SIGNER_NAME_PATTERN,
        description="Name of the signer; kubernetes.io/kube-apiserver-client gives access to the hub API.",
    )
    subject: RegistrationSubject | None = Field(None, description="Who it is made out to.")


class ManagedClusterAddOnStatus(AddOnStatus):
    """How the add-on fares here."""

    add_on_configuration: ConfigCoordinates | None = Field(
        None, description="Superseded by configReferences."
    )
    config_references: list[ConfigReference] | None = Field(None, description="The configuration in use.")
    registrations: list[Registration] | None = Field(None, description="The credentials its agent gets.")
    kube_client_driver: Literal["csr", "token"] | None = Field(
        None, description="How the agent gets access to the hub API; the klusterlet writes it."
    )


class ManagedClusterAddOn(KubeObject):
    """An add-on installed on the cluster in whose namespace this is."""

    api_version: Literal["addon.open-cluster-management.io/v1alpha1"] = (
        "addon.open-cluster-management.io/v1alpha1"
    )
    kind: Literal["ManagedClusterAddOn"] = "ManagedClusterAddOn"
    spec: ManagedClusterAddOnSpec = Field(description="What is special about it here.")
    status: ManagedClusterAddOnStatus | None = Field(None, description="How it fares.")
