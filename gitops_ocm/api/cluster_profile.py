"""ClusterProfile: a cluster as other projects look it up, whoever manages the fleet (SIG Multicluster).

Group `multicluster.x-k8s.io`. It is another project's kind: a hub serves it only where it makes profiles, and
it is in no table of ours. What its `status.accessProviders` hold is others' and passed on.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gitops_ocm.api.base import Mark, Model, Rule, TimeText
from gitops_ocm.api.meta import Condition, KubeObject
from gitops_ocm.api.scheme import Definition, Version

GROUP = "multicluster.x-k8s.io"
DEFINITION = Definition(
    GROUP,
    "ClusterProfile",
    "clusterprofiles",
    namespaced=True,
    versions=(Version("v1alpha1", "cluster_profile:ClusterProfile"),),
)

MANAGER = "open-cluster-management"
MANAGER_LABEL = "x-k8s.io/cluster-manager"
SET_LABEL = "multicluster.x-k8s.io/clusterset"
CONTROL_PLANE_HEALTHY = "ControlPlaneHealthy"
JOINED = "Joined"

Opaque = Annotated[dict[str, Any], Mark({"x-kubernetes-preserve-unknown-fields": True})]


class ClusterManager(Model):
    """Who manages a cluster."""

    rules = (Rule("self == oldSelf", "ClusterManager is immutable"),)

    name: str = Field(description="Name of the manager.")


class ClusterProfileSpec(Model):
    """Which cluster it is."""

    display_name: str | None = Field(None, description="Its name for people.")
    cluster_manager: ClusterManager = Field(description="Who manages it, and writes this.")


class ProfileVersion(Model):
    """Versions of what the cluster runs."""

    kubernetes: str | None = Field(None, description="The Kubernetes version.")


class Property(Model):
    """A fact about the cluster."""

    name: str = Field(min_length=1, max_length=253, description="Which fact.")
    value: str = Field(min_length=1, max_length=1024, description="What holds.")
    last_observed_time: TimeText | None = Field(None, description="When it was last seen to hold.")


class ClusterProfileStatus(Model):
    """What is known of the cluster."""

    conditions: list[Condition] | None = Field(None, description="Whether it is well, and has joined.")
    version: ProfileVersion | None = Field(None, description="What it runs.")
    properties: list[Property] | None = Field(None, description="Its claims.")
    access_providers: list[Opaque] | None = Field(None, description="Ways to reach it.")
    credential_providers: list[Opaque] | None = Field(None, description="The same by its old name.")


class ClusterProfile(KubeObject):
    """One cluster in one namespace."""

    api_version: Literal["multicluster.x-k8s.io/v1alpha1"] = "multicluster.x-k8s.io/v1alpha1"
    kind: Literal["ClusterProfile"] = "ClusterProfile"
    spec: ClusterProfileSpec = Field(description="Which cluster it is.")
    status: ClusterProfileStatus | None = Field(None, description="What is known of the cluster.")
