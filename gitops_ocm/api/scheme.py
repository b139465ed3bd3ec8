"""The table of the kinds we define: kind ↔ model ↔ REST name, at every version.

A row is data: the models are named by import string and looked up on first use, so that reading
the table (for discovery, routing, `kubectl get` columns) imports neither pydantic nor a model.
`api.crd` turns rows into CustomResourceDefinitions; `objects.catalog` holds what a server really
serves, Kubernetes' own kinds included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from gitops_ocm.api.resource import Kind, Resource

if TYPE_CHECKING:
    from gitops_ocm.api.meta import KubeObject

CLUSTER_GROUP = "cluster.open-cluster-management.io"
WORK_GROUP = "work.open-cluster-management.io"
ADDON_GROUP = "addon.open-cluster-management.io"
OPERATOR_GROUP = "operator.open-cluster-management.io"
SYNC_GROUP = "sync.gitops-ocm.io"


@dataclass(frozen=True, slots=True)
class Column:
    """One `additionalPrinterColumns` entry; `priority` above 0 shows only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


AGE = Column("Age", ".metadata.creationTimestamp", "date")


def condition_column(name: str, condition: str, part: str = "status") -> Column:
    """A column that shows one part of a condition, read as kubectl's JSONPath has it."""
    return Column(name, f'.status.conditions[?(@.type=="{condition}")].{part}')


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a kind; `model` is `module:Class` below `gitops_ocm.api`.

    `converted` marks a version whose schema differs from the stored one: an API server can serve
    it only where something converts between the two.
    """

    name: str
    model: str
    columns: tuple[Column, ...] = ()
    storage: bool = True
    converted: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind in all its versions, as a CustomResourceDefinition has it."""

    group: str
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[Version, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = True

    @property
    def of(self) -> Kind:
        """The kind, without a version."""
        return Kind(self.group, self.kind)

    @property
    def singular(self) -> str:
        """The lower-case name for one: `manifestwork`."""
        return self.kind.lower()

    @property
    def crd_name(self) -> str:
        """The name its CustomResourceDefinition must have."""
        return f"{self.plural}.{self.group}"

    @property
    def storage_version(self) -> Version:
        """The version objects are stored at."""
        return next(v for v in self.versions if v.storage)

    def resource(self, version: Version) -> Resource:
        """How the kind is served at that version."""
        return Resource(
            group=self.group,
            version=version.name,
            kind=self.kind,
            plural=self.plural,
            namespaced=self.namespaced,
            singular=self.singular,
            short_names=self.short_names,
            categories=self.categories,
            subresources=frozenset({"status"} if self.status else ()),
        )


@dataclass(frozen=True)
class Scheme:
    """Definitions, findable by kind and by (apiVersion, kind)."""

    definitions: tuple[Definition, ...]
    _by_kind: Mapping[Kind, Definition] = field(init=False, repr=False)
    _by_version: Mapping[tuple[str, str], tuple[Definition, Version]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_version = {(f"{d.group}/{v.name}", d.kind): (d, v) for d in self.definitions for v in d.versions}
        object.__setattr__(self, "_by_kind", {d.of: d for d in self.definitions})
        object.__setattr__(self, "_by_version", by_version)

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.definitions)

    def definition(self, kind: Kind) -> Definition | None:
        """The row of a kind, or None for a kind that is not ours."""
        return self._by_kind.get(kind)

    def model_for(self, api_version: str, kind: str) -> type[KubeObject] | None:
        """The model of a kind at that version, or None where we define none."""
        found = self._by_version.get((api_version, kind))
        return load_model(found[1]) if found else None

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """How that kind is served at that version, or None where we define none."""
        found = self._by_version.get((api_version, kind))
        return found[0].resource(found[1]) if found else None

    def resources(self, groups: Iterable[str] = ()) -> tuple[Resource, ...]:
        """Every kind at every version (of `groups` only, if any are given), in the table's order."""
        wanted = frozenset(groups)
        return tuple(
            d.resource(v) for d in self.definitions if not wanted or d.group in wanted for v in d.versions
        )


def load_model(version: Version) -> type[KubeObject]:
    """Import the model that a version names."""
    module, _, name = version.model.partition(":")
    model: type[KubeObject] = getattr(import_module(f"gitops_ocm.api.{module}"), name)
    return model


_ADDON_CONDITIONS = (
    condition_column("Available", "Available"),
    condition_column("Degraded", "Degraded"),
    condition_column("Progressing", "Progressing"),
)
_DISPLAY_NAME = Column("DISPLAY NAME", ".spec.addOnMeta.displayName")
_TEMPLATE_ADDON = (Column("ADDON NAME", ".spec.addonName"),)

_CLUSTER = (
    Definition(
        CLUSTER_GROUP,
        "ManagedCluster",
        "managedclusters",
        namespaced=False,
        short_names=("mcl", "mcls"),
        versions=(
            Version(
                "v1",
                "cluster:ManagedCluster",
                (
                    Column("Hub Accepted", ".spec.hubAcceptsClient", "boolean"),
                    Column("Managed Cluster URLs", ".spec.managedClusterClientConfigs[*].url"),
                    condition_column("Joined", "ManagedClusterJoined"),
                    condition_column("Available", "ManagedClusterConditionAvailable"),
                    AGE,
                ),
            ),
        ),
    ),
    Definition(
        CLUSTER_GROUP,
        "ManagedClusterSet",
        "managedclustersets",
        namespaced=False,
        short_names=("mclset", "mclsets"),
        versions=(
            Version(
                "v1beta2", "cluster:ManagedClusterSet", (condition_column("Empty", "ClusterSetEmpty"), AGE)
            ),
        ),
    ),
    Definition(
        CLUSTER_GROUP,
        "ManagedClusterSetBinding",
        "managedclustersetbindings",
        namespaced=True,
        short_names=("mclsetbinding", "mclsetbindings"),
        versions=(Version("v1beta2", "cluster:ManagedClusterSetBinding"),),
    ),
    Definition(
        CLUSTER_GROUP,
        "ClusterClaim",
        "clusterclaims",
        namespaced=False,
        status=False,
        versions=(Version("v1alpha1", "cluster:ClusterClaim"),),
    ),
    Definition(
        CLUSTER_GROUP,
        "Placement",
        "placements",
        namespaced=True,
        versions=(
            Version(
                "v1beta1",
                "placement:Placement",
                (
                    condition_column("Succeeded", "PlacementSatisfied"),
                    condition_column("Reason", "PlacementSatisfied", "reason"),
                    Column("SelectedClusters", ".status.numberOfSelectedClusters", "integer"),
                ),
            ),
        ),
    ),
    Definition(
        CLUSTER_GROUP,
        "PlacementDecision",
        "placementdecisions",
        namespaced=True,
        versions=(Version("v1beta1", "placement:PlacementDecision"),),
    ),
    Definition(
        CLUSTER_GROUP,
        "AddOnPlacementScore",
        "addonplacementscores",
        namespaced=True,
        versions=(Version("v1alpha1", "placement:AddOnPlacementScore"),),
    ),
)

_WORK = (
    Definition(
        WORK_GROUP,
        "ManifestWork",
        "manifestworks",
        namespaced=True,
        versions=(Version("v1", "work:ManifestWork"),),
    ),
    Definition(
        WORK_GROUP,
        "AppliedManifestWork",
        "appliedmanifestworks",
        namespaced=False,
        versions=(Version("v1", "work:AppliedManifestWork"),),
    ),
    Definition(
        WORK_GROUP,
        "ManifestWorkReplicaSet",
        "manifestworkreplicasets",
        namespaced=True,
        short_names=("mwrs",),
        versions=(
            Version(
                "v1alpha1",
                "work_replicaset:ManifestWorkReplicaSet",
                (
                    condition_column("Placement", "PlacementVerified", "reason"),
                    condition_column("Found", "PlacementVerified"),
                    condition_column("ManifestWorks", "ManifestworkApplied", "reason"),
                    condition_column("Applied", "ManifestworkApplied"),
                ),
            ),
        ),
    ),
)

_ADDON = (
    Definition(
        ADDON_GROUP,
        "ClusterManagementAddOn",
        "clustermanagementaddons",
        namespaced=False,
        short_names=("cma", "cmas"),
        versions=(
            Version(
                "v1alpha1",
                "addon_v1alpha1:ClusterManagementAddOn",
                (_DISPLAY_NAME, Column("CRD NAME", ".spec.addOnConfiguration.crdName")),
            ),
            Version(
                "v1beta1", "addon:ClusterManagementAddOn", (_DISPLAY_NAME,), storage=False, converted=True
            ),
        ),
    ),
    Definition(
        ADDON_GROUP,
        "ManagedClusterAddOn",
        "managedclusteraddons",
        namespaced=True,
        short_names=("mca", "mcas"),
        versions=(
            Version("v1alpha1", "addon_v1alpha1:ManagedClusterAddOn", _ADDON_CONDITIONS),
            Version("v1beta1", "addon:ManagedClusterAddOn", _ADDON_CONDITIONS, storage=False, converted=True),
        ),
    ),
    Definition(
        ADDON_GROUP,
        "AddOnDeploymentConfig",
        "addondeploymentconfigs",
        namespaced=True,
        status=False,
        versions=(
            Version("v1alpha1", "addon_config:AddOnDeploymentConfig"),
            Version("v1beta1", "addon_config:AddOnDeploymentConfig", storage=False),
        ),
    ),
    Definition(
        ADDON_GROUP,
        "AddOnTemplate",
        "addontemplates",
        namespaced=False,
        status=False,
        versions=(
            Version("v1alpha1", "addon_config:AddOnTemplate", _TEMPLATE_ADDON),
            Version("v1beta1", "addon_config:AddOnTemplate", _TEMPLATE_ADDON, storage=False),
        ),
    ),
)

_OPERATOR = (
    Definition(
        OPERATOR_GROUP,
        "ClusterManager",
        "clustermanagers",
        namespaced=False,
        versions=(Version("v1", "operator:ClusterManager"),),
    ),
    Definition(
        OPERATOR_GROUP,
        "Klusterlet",
        "klusterlets",
        namespaced=False,
        versions=(Version("v1", "operator_klusterlet:Klusterlet"),),
    ),
)

_SYNC = (
    Definition(
        SYNC_GROUP,
        "HubSync",
        "hubsyncs",
        namespaced=False,
        short_names=("hs",),
        versions=(
            Version(
                "v1alpha1",
                "fleet:HubSync",
                (
                    condition_column("Ready", "Ready"),
                    condition_column("Reason", "Ready", "reason"),
                    Column("Commit", ".status.lastAppliedCommit"),
                    Column("Status", '.status.conditions[?(@.type=="Ready")].message', priority=1),
                    AGE,
                ),
            ),
        ),
    ),
)

SCHEME = Scheme(_CLUSTER + _WORK + _ADDON + _OPERATOR + _SYNC)
"""Every kind of OCM and our own `HubSync`."""
