"""How a Kubernetes API serves the built-in kinds that are read and written by name here.

Kinds that come by commit are looked up in discovery instead; OCM's own are in `api.scheme`.
"""

from __future__ import annotations

from gitops_ocm.objects.ref import Resource

SECRETS = Resource("", "v1", "Secret", "secrets", namespaced=True)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", namespaced=True)
PODS = Resource("", "v1", "Pod", "pods", namespaced=True)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", namespaced=True)

_RBAC = "rbac.authorization.k8s.io"
CLUSTER_ROLES = Resource(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False)

_CSR, _CRD = "CertificateSigningRequest", "CustomResourceDefinition"
CSRS = Resource("certificates.k8s.io", "v1", _CSR, f"{_CSR.lower()}s", namespaced=False)
CRDS = Resource("apiextensions.k8s.io", "v1", _CRD, f"{_CRD.lower()}s", namespaced=False)

_REVIEWS = "authorization.k8s.io"
ACCESS_REVIEWS = Resource(_REVIEWS, "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False)
SELF_ACCESS_REVIEWS = Resource(
    _REVIEWS, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
)
