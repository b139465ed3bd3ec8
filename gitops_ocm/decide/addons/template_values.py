"""What an AddOnTemplate's manifests are filled in with, and what is done to its pods, for one cluster.

The values come from an AddOnDeploymentConfig, the cluster, and the add-on itself. The text they replace is
`objects.template_text`, the pods are `template_pods`. Environment variables of the agent are the preset
values alone: what a person names is for the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.cluster import IMAGE_REGISTRIES_ANNOTATION
from gitops_ocm.decide.addons.images import registries_of_cluster
from gitops_ocm.decide.writes import annotations_of, name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.ref import Object

HUB_KUBECONFIG, HUB_KUBECONFIG_PATH = "HUB_KUBECONFIG", "/managed/hub-kubeconfig/kubeconfig"
CLUSTER_NAME, INSTALL_NAMESPACE = "CLUSTER_NAME", "INSTALL_NAMESPACE"
BUILT_IN = frozenset({HUB_KUBECONFIG, CLUSTER_NAME, INSTALL_NAMESPACE})
"""The variables that are there without anybody naming them."""


class BadValues(GitopsError):
    """A configuration that no manifest can be made with."""

    code = "addon-values"


@dataclass(frozen=True)
class ContainerRule:
    """What containers of an identity (`deployments:name:container`, a pattern) ask for."""

    pattern: str
    resources: Mapping[str, Any]


@dataclass(frozen=True)
class Values:
    """All there is to fill in. Empty means that the template stays as it is."""

    variables: Mapping[str, str]
    environment: tuple[tuple[str, str], ...]
    namespace: str = ""
    node_placement: Mapping[str, Any] | None = None
    registries: Sequence[Mapping[str, Any]] = ()
    proxy: Mapping[str, Any] | None = None
    containers: tuple[ContainerRule, ...] = ()


def values_for(cluster: Object, template: Object, config: Object | None) -> Values:
    """The values for one cluster; `config` is the AddOnDeploymentConfig in force, if there is one."""
    spec: Mapping[str, Any] = (config or {}).get("spec") or {}
    namespace = str(spec.get("agentInstallNamespace") or "")
    # Registration without an entry is registration all the same: so OCM has it.
    registers = (template.get("spec") or {}).get("registration") is not None
    defaults = {HUB_KUBECONFIG: HUB_KUBECONFIG_PATH} if registers else {}
    named = {str(v["name"]): str(v.get("value") or "") for v in spec.get("customizedVariables") or ()}
    fixed = {CLUSTER_NAME: name_of(cluster), **({INSTALL_NAMESPACE: namespace} if namespace else {})}
    variables = {**defaults, **named, **fixed}
    preset = [*sorted(defaults), *sorted(fixed)]
    return Values(
        variables,
        tuple((name, variables[name]) for name in preset),
        namespace,
        spec.get("nodePlacement"),
        _registries(cluster, spec),
        _proxy(spec.get("proxyConfig") or {}),
        tuple(_container_rule(told) for told in spec.get("resourceRequirements") or ()),
    )


def _registries(cluster: Object, spec: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those of the configuration, else those of the cluster."""
    try:
        of_cluster = registries_of_cluster(annotations_of(cluster))
    except ValueError as error:
        raise BadValues(
            f"the annotation {IMAGE_REGISTRIES_ANNOTATION} of ManagedCluster {name_of(cluster)} cannot be "
            f"read: {error}",
            hint='it is JSON: {"registries": [{"source": "...", "mirror": "..."}]}',
        ) from error
    told = spec.get("registries")
    return of_cluster if told is None else told


def _proxy(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    fields = ("httpProxy", "httpsProxy", "noProxy", "caBundle")
    return told if any(told.get(field) for field in fields) else None


def _container_rule(told: Mapping[str, Any]) -> ContainerRule:
    parts = str(told.get("containerID") or "").split(":")
    if len(parts) != 3:
        raise BadValues(
            f"invalid ContainerID: {told.get('containerID')}", hint="it is <resource>:<name>:<container>"
        )
    pattern = ":".join(".+" if part == "*" else part for part in parts)
    return ContainerRule(f"^{pattern}$", told.get("resources") or {})
