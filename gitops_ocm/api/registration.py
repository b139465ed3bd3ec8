"""The words of registration: certificates, secrets, rights. The kinds they are about are in `api.cluster`."""

from __future__ import annotations

from gitops_ocm.api.meta import KnownCondition

CERTIFICATES_GROUP = "certificates.k8s.io"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
CLIENT_USAGES = ("digital signature", "key encipherment", "client auth")

AGENT_NAMESPACE = "open-cluster-management-agent"
ADDON_NAMESPACE = "open-cluster-management-agent-addon"
BOOTSTRAP_SECRET = "bootstrap-hub-kubeconfig"  # noqa: S105 -- the name of one
HUB_KUBECONFIG_SECRET = "hub-kubeconfig-secret"  # noqa: S105 -- the name of one

KUBECONFIG_KEY = "kubeconfig"
CERTIFICATE_KEY = "tls.crt"
PRIVATE_KEY_KEY = "tls.key"
CLUSTER_NAME_KEY = "cluster-name"
AGENT_NAME_KEY = "agent-name"
TOKEN_KEY = "token"  # noqa: S105 -- the name of an entry

KUBECONFIG_CONTEXT = "default-context"
KUBECONFIG_USER = "default-auth"
KUBECONFIG_NAMESPACE = "configuration"

CERTIFICATE_ROTATED = "ClusterCertificateRotated"
CERTIFICATE_UPDATED = KnownCondition(
    CERTIFICATE_ROTATED,
    "True",
    "ClientCertificateUpdated",
    "client certificate rotated starting from {start} to be expired at {end}",
)
CERTIFICATE_NOT_UPDATED = KnownCondition(
    CERTIFICATE_ROTATED, "False", "ClientCertificateUpdateFailed", "{error}"
)

TOKEN_READY = "TokenInfrastructureReady"  # noqa: S105 -- a condition
TOKEN_REFRESHED = "TokenRefreshed"  # noqa: S105 -- a condition
TOKEN_UPDATED = KnownCondition(
    TOKEN_REFRESHED, "True", "AddonTokenRefreshed", "Addon token refreshed, expires at {end}"
)
TOKEN_NOT_UPDATED = KnownCondition(
    TOKEN_REFRESHED, "False", "TokenCreationFailed", "Failed to create token: {error}"
)

NAMESPACE_AVAILABLE = "NamespaceAvailable"
NAMESPACE_APPLIED = KnownCondition(
    NAMESPACE_AVAILABLE, "True", "NamespaceApplied", "Namespace successfully applied and managed"
)
NAMESPACE_NOT_APPLIED = KnownCondition(NAMESPACE_AVAILABLE, "False", "NamespaceApplyFailed", "{error}")
HUB_REPORTER, AGENT_REPORTER = "registration-controller", "klusterlet-agent"
"""Who events about a ManagedCluster are from (`reportingController`): the hub's side, and the agent's."""
NAMESPACE_SET_LABEL_PREFIX = "clusterset.open-cluster-management.io/"
