"""What `init` puts on a hub besides the operator: the ClusterManager, and how clusters first come in.

Values in, objects out. The operator's own objects are `operator.install`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.api.feature_gates import HUB_ADDON, HUB_PLACEMENT, HUB_REGISTRATION, HUB_WORK, Gates
from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.chart_values import EMPTY, ChartValues, merged
from gitops_ocm.verbs.spec_options import gates_of, present

CLUSTER_MANAGER = "cluster-manager"
ACCOUNT = "agent-registration-bootstrap"
ROLE = "open-cluster-management:bootstrap"
ACCOUNT_BINDING = f"{ROLE}:agent-registration"
TOKEN_BINDING = f"{ROLE}:managedcluster"
TOKEN_ID = "ocmhub"  # noqa: S105 -- the public half of a token
TOKEN_SECRET = f"bootstrap-token-{TOKEN_ID}"
TOKEN_GROUP = "system:bootstrappers:managedcluster"  # noqa: S105 -- a group
_RBAC = "rbac.authorization.k8s.io"
_CLUSTERS = "cluster.open-cluster-management.io"
_RULES = (
    ("", "configmaps", ("get",)),
    ("certificates.k8s.io", "certificatesigningrequests", ("create", "get", "list", "watch")),
    (_CLUSTERS, "managedclusters", ("get", "create", "list", "watch")),
    (_CLUSTERS, "managedclustersets/join", ("create",)),
)


@dataclass(frozen=True)
class HubSpec:
    """What a ClusterManager is to say."""

    image: str
    gates: Gates = field(default_factory=dict)
    drivers: tuple[str, ...] = ()
    csr_identities: tuple[str, ...] = ()
    arn_patterns: tuple[str, ...] = ()
    grpc_identities: tuple[str, ...] = ()
    hub_cluster_arn: str = ""
    aws_tags: tuple[str, ...] = ()
    grpc_server: str = ""
    grpc_endpoint_type: str = "hostname"
    resource_requirement: Mapping[str, Any] = field(default_factory=dict)
    bootstrap_token: bool = False


def cluster_manager(wanted: HubSpec, values: ChartValues = EMPTY, name: str = CLUSTER_MANAGER) -> Object:
    """The ClusterManager; what a values file says comes last."""
    images = (
        "registrationImagePullSpec",
        "workImagePullSpec",
        "placementImagePullSpec",
        "addOnManagerImagePullSpec",
    )
    spec = {
        **dict.fromkeys(images, wanted.image),
        "deployOption": {"mode": "Default"},
        "registrationConfiguration": _registration(wanted),
        "workConfiguration": {
            "workDriver": "kube",
            **present(featureGates=gates_of(wanted.gates, HUB_WORK)),
        },
        **present(
            addOnManagerConfiguration=present(featureGates=gates_of(wanted.gates, HUB_ADDON)),
            placementConfiguration=present(featureGates=gates_of(wanted.gates, HUB_PLACEMENT)),
            serverConfiguration=_server(wanted),
            resourceRequirement=dict(wanted.resource_requirement),
        ),
    }
    return {
        "apiVersion": "operator.open-cluster-management.io/v1",
        "kind": "ClusterManager",
        "metadata": {"name": name},
        "spec": merged({**spec, **values.images()}, values.spec("clusterManager")),
    }


def _registration(wanted: HubSpec) -> Object:
    users = [f"system:serviceaccount:{OPERATOR_NAMESPACE}:{ACCOUNT}"]
    if wanted.bootstrap_token:
        # The user that a token stands for is named by its id, not by its Secret.
        users.append(f"system:bootstrap:{TOKEN_ID}")
    return {
        "autoApproveUsers": users,
        **present(
            featureGates=gates_of(wanted.gates, HUB_REGISTRATION),
            registrationDrivers=[_driver(name, wanted) for name in wanted.drivers],
        ),
    }


def _driver(name: str, wanted: HubSpec) -> Object:
    options = {
        "csr": present(autoApprovedIdentities=list(wanted.csr_identities)),
        "grpc": present(autoApprovedIdentities=list(wanted.grpc_identities)),
        "awsirsa": present(
            hubClusterArn=wanted.hub_cluster_arn,
            autoApprovedIdentities=list(wanted.arn_patterns),
            tags=list(wanted.aws_tags),
        ),
    }
    return {"authType": name, **present(**{name: options[name]})}


def _server(wanted: HubSpec) -> Object:
    if "grpc" not in wanted.drivers:
        return {}
    kind = wanted.grpc_endpoint_type
    where = {kind: present(host=wanted.grpc_server)} if wanted.grpc_server else {}
    return {"endpointsExposure": [{"protocol": "grpc", "grpc": {"type": kind, **where}}]}


def bootstrap_objects(*, token_secret: str = "", account: bool = True) -> list[Object]:
    """Who may ask to join, by which rights: an account for tokens of an hour, and a stored token if given."""
    found = [_role()]
    if account:
        found += [
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": ACCOUNT, "namespace": OPERATOR_NAMESPACE},
            },
            _binding(
                ACCOUNT_BINDING,
                {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": OPERATOR_NAMESPACE},
            ),
        ]
    if token_secret:
        found += [
            _binding(TOKEN_BINDING, {"kind": "Group", "apiGroup": _RBAC, "name": TOKEN_GROUP}),
            _token(token_secret),
        ]
    return found


def _role() -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ROLE},
        "rules": [{"apiGroups": [g], "resources": [r], "verbs": list(verbs)} for g, r, verbs in _RULES],
    }


def _binding(name: str, subject: Object) -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": ROLE},
        "subjects": [subject],
    }


def _token(secret: str) -> Object:
    data = {
        "token-id": TOKEN_ID,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        # So that `join` can tell a hub's cluster-info by the token it was given.
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": TOKEN_GROUP,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": TOKEN_SECRET,
            "namespace": "kube-system",
            "labels": {"app": CLUSTER_MANAGER},
        },
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
