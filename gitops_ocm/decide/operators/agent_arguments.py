"""A Klusterlet's spec as arguments of `gitops-ocm klusterlet run`: OCM's flags by OCM's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.operator_klusterlet import HUB_KUBECONFIG_SECRET
from gitops_ocm.decide.operators.agent_spec import AgentSpec
from gitops_ocm.decide.operators.gates import together

ANNOTATION_PREFIX = "agent.open-cluster-management.io/"


def registration_arguments(spec: AgentSpec, cluster_name: str, run: str) -> list[str]:
    """What the registration agent, alone or in a singleton, is told."""
    conf = spec.registration
    arguments = [f"--cluster-name={cluster_name}"] if cluster_name else []
    if spec.several_hubs:
        arguments += [f"--bootstrap-kubeconfigs=/spoke/{name}/kubeconfig" for name in spec.bootstrap_secrets]
        arguments.append(f"--hub-connection-timeout-seconds={spec.hub_timeout}")
    else:
        arguments.append("--bootstrap-kubeconfig=/spoke/bootstrap/kubeconfig")
    arguments += [
        f"--hub-kubeconfig-secret={spec.agent_namespace}/{HUB_KUBECONFIG_SECRET}",
        *spec.spoke_arguments,
    ]
    gates = spec.registration_gates
    arguments += (together(gates, spec.work_gates) if "work" in run else gates).arguments()
    urls = [str(e["url"]) for e in spec.spec.get("externalServerURLs") or () if e.get("url")]
    arguments += [f"--spoke-external-server-urls={url}" for url in urls]
    if int(conf.get("clientCertExpirationSeconds") or 0) > 0:
        arguments.append(f"--client-cert-expiration-seconds={conf['clientCertExpirationSeconds']}")
    annotations = {
        k: v for k, v in (conf.get("clusterAnnotations") or {}).items() if k.startswith(ANNOTATION_PREFIX)
    }
    arguments += [f"--cluster-annotations={key}={value}" for key, value in sorted(annotations.items())]
    return [*arguments, *_claims(spec), *_addons(spec), *_rates(conf, "")]


def work_arguments(spec: AgentSpec, replicas: int) -> list[str]:
    """What the work agent is told, but for who it is."""
    conf = spec.work
    arguments = [f"--agent-id={spec.uid}"]
    if interval := conf.get("statusSyncInterval"):
        arguments.append(f"--status-sync-interval={interval}")
    elif replicas == 1:
        arguments.append("--status-sync-interval=60s")
    if grace := conf.get("appliedManifestWorkEvictionGracePeriod"):
        arguments.append(f"--appliedmanifestwork-eviction-grace-period={grace}")
    # A singleton has one connection to the cluster, for which the registration agent's settings count.
    return [*arguments, *([] if spec.singleton else _rates(conf, "")), *_rates(conf, "hub")]


def _rates(conf: Mapping[str, Any], which: str) -> list[str]:
    """How fast requests may be made: to the cluster, or to the hub."""
    names = ("hubKubeAPIQPS", "hubKubeAPIBurst") if which else ("kubeAPIQPS", "kubeAPIBurst")
    prefix = "--hub-kube-api-" if which else "--kube-api-"
    return [
        f"{prefix}{flag}={conf[name]}"
        for name, flag in zip(names, ("qps", "burst"), strict=True)
        if int(conf.get(name) or 0) > 0
    ]


def _claims(spec: AgentSpec) -> list[str]:
    conf = spec.registration.get("clusterClaimConfiguration") or {}
    arguments = []
    if (most := conf.get("maxCustomClusterClaims")) is not None:
        arguments.append(f"--max-custom-cluster-claims={most}")
    if suffixes := conf.get("reservedClusterClaimSuffixes"):
        arguments.append(f"--reserved-cluster-claim-suffixes={','.join(suffixes)}")
    return arguments


def _addons(spec: AgentSpec) -> list[str]:
    conf = spec.registration.get("addOnKubeClientRegistrationDriver") or {}
    arguments = []
    if auth := conf.get("authType"):
        arguments.append(f"--addon-kubeclient-registration-auth={auth}")
    if seconds := (conf.get("token") or {}).get("expirationSeconds"):
        arguments.append(f"--addon-token-expiration-seconds={seconds}")
    return arguments
