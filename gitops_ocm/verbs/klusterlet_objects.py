"""What `join` puts on a cluster besides the operator: namespaces, how to reach the hub, the Klusterlet.

Values in, objects out. The operator's own objects are `operator.install`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.api.feature_gates import SPOKE_REGISTRATION, SPOKE_WORK, Gates
from gitops_ocm.api.operator_klusterlet import BOOTSTRAP_SECRET, DEFAULT_AGENT_NAMESPACE
from gitops_ocm.decide.operators.agent_spec import EXTERNAL_KUBECONFIG
from gitops_ocm.decide.operators.pods import PULL_SECRET
from gitops_ocm.kube.kubeconfig_text import Kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.verbs.chart_values import EMPTY, ChartValues, merged
from gitops_ocm.verbs.spec_options import gates_of, present

KLUSTERLET = "klusterlet"
HOSTED_PREFIX = f"{KLUSTERLET}-hosted-"
ANNOTATION_PREFIX = "agent.open-cluster-management.io/"


@dataclass(frozen=True)
class KlusterletSpec:
    """What a Klusterlet is to say."""

    name: str
    cluster: str
    image: str
    mode: str = "Default"
    gates: Gates = field(default_factory=dict)
    certificate_seconds: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)
    registration_driver: Mapping[str, Any] = field(default_factory=dict)
    addon_driver: Mapping[str, Any] = field(default_factory=dict)
    resource_requirement: Mapping[str, Any] = field(default_factory=dict)
    external_server: str = ""

    @property
    def hosted(self) -> bool:
        """Whether the agents run beside another cluster."""
        return self.mode in ("Hosted", "SingletonHosted")

    @property
    def agent_namespace(self) -> str:
        """Where the agents run, and their Secrets are."""
        return self.name if self.hosted else DEFAULT_AGENT_NAMESPACE

    @property
    def namespace(self) -> str:
        """The agents' namespace on the cluster that is managed."""
        return f"open-cluster-management-{self.name}" if self.hosted else DEFAULT_AGENT_NAMESPACE


def klusterlet(wanted: KlusterletSpec, values: ChartValues = EMPTY) -> Object:
    """The Klusterlet; what a values file says comes last."""
    registration = present(
        clientCertExpirationSeconds=wanted.certificate_seconds or None,
        featureGates=gates_of(wanted.gates, SPOKE_REGISTRATION),
        clusterAnnotations=dict(wanted.annotations),
        registrationDriver=dict(wanted.registration_driver),
        addOnKubeClientRegistrationDriver=dict(wanted.addon_driver),
    )
    spec = {
        "deployOption": {"mode": wanted.mode},
        "registrationImagePullSpec": wanted.image,
        "workImagePullSpec": wanted.image,
        "imagePullSpec": wanted.image,
        "clusterName": wanted.cluster,
        "namespace": wanted.namespace,
        **present(
            externalServerURLs=[{"url": wanted.external_server}] if wanted.external_server else [],
            resourceRequirement=dict(wanted.resource_requirement),
            registrationConfiguration=registration,
            workConfiguration=present(featureGates=gates_of(wanted.gates, SPOKE_WORK)),
            priorityClassName=values.body.get("priorityClassName"),
        ),
    }
    return {
        "apiVersion": "operator.open-cluster-management.io/v1",
        "kind": "Klusterlet",
        "metadata": {"name": wanted.name},
        "spec": merged({**spec, **values.images()}, values.spec("klusterlet")),
    }


def bootstrap_kubeconfig(server: str, token: str, ca: bytes, *, proxy_url: str = "") -> bytes:
    """How the agent reaches the hub before it is registered; by the names that clusteradm gives."""
    return Kubeconfig(
        server=server,
        ca=ca,
        proxy_url=proxy_url,
        token=token,
        cluster="hub",
        user="bootstrap",
        context="bootstrap",
        namespace="default",
    ).text()


def grpc_config(server: str, token: str, ca: bytes) -> bytes:
    """The same for an agent that speaks gRPC."""
    return to_yaml({"url": server, "caData": base64.b64encode(ca).decode(), "token": token}).encode()


def agent_objects(
    wanted: KlusterletSpec,
    secrets: Mapping[str, Mapping[str, bytes]],
    *,
    create_namespace: bool = True,
    pull_credentials: bytes = b"",
) -> list[Object]:
    """The agents' namespace and the Secrets in it."""
    found: list[Object] = []
    if create_namespace:
        annotations = {"workload.openshift.io/allowed": "management"}
        meta = {"name": wanted.agent_namespace, "annotations": annotations}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    for name, data in secrets.items():
        found.append(_secret(wanted.agent_namespace, name, data))
    if pull_credentials:
        kind, data = "kubernetes.io/dockerconfigjson", {".dockerconfigjson": pull_credentials}
        found.append(_secret(wanted.agent_namespace, PULL_SECRET, data, kind))
    return found


def hub_secrets(kubeconfig: bytes, *, grpc: bytes = b"", managed: bytes = b"") -> dict[str, dict[str, bytes]]:
    """The Secrets by name: how to reach the hub, and in hosted mode the cluster that is managed."""
    found = {BOOTSTRAP_SECRET: {"kubeconfig": kubeconfig}}
    if grpc:
        found[BOOTSTRAP_SECRET]["config.yaml"] = grpc
    if managed:
        found[EXTERNAL_KUBECONFIG] = {"kubeconfig": managed}
    return found


def _secret(namespace: str, name: str, data: Mapping[str, bytes], kind: str = "Opaque") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def annotations_of(given: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Annotations as `key=value`, each with the prefix they must have; and what is none."""
    found, malformed = {}, []
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            malformed.append(text)
            continue
        found[key if key.startswith(ANNOTATION_PREFIX) else f"{ANNOTATION_PREFIX}{key}"] = value
    return found, malformed
