"""The roles and bindings a new server starts with, named and labelled as a kube-apiserver's.

They are objects like any other once written: a server that starts again leaves what people made of
them. Aggregated roles (`admin`, `edit`, `view`) collect what other roles are labelled for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gitops_ocm.apiserver.rbac import AUTHENTICATED, GROUP, MASTERS, UNAUTHENTICATED
from gitops_ocm.objects.ref import Object

_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_HEALTH]
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_CORE = [
    "configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "replicationcontrollers",
    "serviceaccounts", "services",
]  # fmt: skip
_WORKLOADS = ["daemonsets", "deployments", "deployments/scale", "replicasets", "statefulsets"]


def bootstrap_objects() -> Iterator[Object]:
    """ClusterRoles first, then the bindings that need them."""
    anything = [_rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    yield _role("cluster-admin", anything)
    yield _role("system:discovery", [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}])
    yield _role("system:public-info-viewer", [{"nonResourceURLs": _HEALTH, "verbs": ["get"]}])
    yield _role("system:basic-user", [
        _rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
        _rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"]),
    ])  # fmt: skip
    yield from _aggregated()
    yield _binding("cluster-admin", [MASTERS])
    yield _binding("system:discovery", [AUTHENTICATED])
    yield _binding("system:basic-user", [AUTHENTICATED])
    yield _binding("system:public-info-viewer", [AUTHENTICATED, UNAUTHENTICATED])


def authentication_objects(client_ca: str) -> Iterator[Object]:
    """By which a server of a client's own (an extension, a controller's metrics) knows this one's users."""
    name, where = "extension-apiserver-authentication", {"namespace": "kube-system"}
    data = {"client-ca-file": client_ca}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **where}, "data": data}
    rules = [{**_rule([""], ["configmaps"], _READ), "resourceNames": [name]}]
    role = _role(f"{name}-reader", rules)
    yield {**role, "kind": "Role", "metadata": {**role["metadata"], **where}}


def _aggregated() -> Iterator[Object]:
    namespaced = [
        _rule([""], _CORE, []),
        _rule(["apps"], _WORKLOADS, []),
        _rule(["batch"], ["cronjobs", "jobs"], []),
    ]
    view = [{**rule, "verbs": _READ} for rule in namespaced]
    edit = [{**rule, "verbs": _WRITE} for rule in namespaced]
    edit.append(_rule([""], ["secrets"], [*_READ, *_WRITE]))
    admin = [_rule([GROUP], ["roles", "rolebindings"], [*_READ, *_WRITE])]
    for name, into, rules in (("view", "edit", view), ("edit", "admin", edit), ("admin", "", admin)):
        labels = {_AGGREGATE + into: "true"} if into else {}
        selector = {"matchLabels": {f"{_AGGREGATE}{name}": "true"}}
        yield {**_role(name, [], labels), "aggregationRule": {"clusterRoleSelectors": [selector]}}
        yield _role(f"system:aggregate-to-{name}", rules, {f"{_AGGREGATE}{name}": "true"})


def _rule(groups: Iterable[str], resources: Iterable[str], verbs: Iterable[str]) -> dict[str, Any]:
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}


def _role(name: str, rules: list[dict[str, Any]], labels: dict[str, str] | None = None) -> Object:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {**_LABELS, **(labels or {})}},
        "rules": rules,
    }


def _binding(name: str, groups: Iterable[str]) -> Object:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups],
    }
