"""Calls of people without rights, on who has which, and on roles that grant too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.differential.calls import (
    CM,
    DEPLOYMENTS,
    JSON,
    TABLE,
    Call,
    apply,
    cm,
    delete,
    get,
    obj,
    patch,
    post,
    put,
    watch,
)

RBAC = "rbac.authorization.k8s.io"
HOME = f"/apis/{RBAC}/v1/namespaces/{{ns}}"
ROLES, BINDINGS = f"{HOME}/roles", f"{HOME}/rolebindings"
CLUSTER_ROLES = f"/apis/{RBAC}/v1/clusterroles"
REVIEWS = "/apis/authorization.k8s.io/v1"
TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
JANE = {"Impersonate-User": "jane"}
MAPS = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create"]}
ROLE_MAKER = {"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["*"]}
PODS = {"verb": "list", "resource": "pods"}
SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


def review(kind: str = "SubjectAccessReview", **spec: Any) -> Any:
    """A question about rights."""
    return obj(kind, api="authorization.k8s.io/v1", spec=spec)


def role(name: str, *rules: Any, kind: str = "Role", **more: Any) -> Any:
    """A role."""
    return obj(kind, name, api=f"{RBAC}/v1", rules=list(rules), **more)


def bound(name: str, to: str, *subjects: Any, kind: str = "Role") -> Any:
    """A binding to a role; of jane, where nobody else is named."""
    people = list(subjects) or [{"kind": "User", "name": "jane", "apiGroup": RBAC}]
    return obj(
        "RoleBinding",
        name,
        api=f"{RBAC}/v1",
        subjects=people,
        roleRef={"apiGroup": RBAC, "kind": kind, "name": to},
    )


def asked(**attributes: Any) -> Call:
    """What jane may do with a resource."""
    return post(
        f"{REVIEWS}/subjectaccessreviews", review(user="jane", resourceAttributes={**PODS, **attributes})
    )


def service(name: str, **spec: Any) -> Any:
    """Who serves a version of a group."""
    wanted = {
        "group": "x.example.com",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        **spec,
    }
    return obj("APIService", name, api="apiregistration.k8s.io/v1", spec=wanted)


LOCAL = f"{REVIEWS}/namespaces/{{ns}}/localsubjectaccessreviews"
BY: Sequence[dict[str, Any]] = (
    {"requirements": [{"key": "a", "operator": "In", "values": ["b"]}]},
    {"requirements": [{"key": "a", "operator": "Nope"}]},
)

SCRIPT: dict[str, list[Call]] = {
    "without a right": [
        get(CM, headers=JANE),
        get(f"{CM}/x", headers=JANE),
        post(CM, cm(), headers=JANE),
        put(f"{DEPLOYMENTS}/x/scale", {}, headers=JANE),
        patch(f"{CM}/x", {}, headers=JANE),
        delete(CM, headers=JANE),
        watch(f"{CM}?watch=1", 1, headers=JANE),
        get("/api/v1/nodes", headers=JANE),
        get("/healthz", headers=JANE),
        get("/metrics", headers=JANE),
        get("/nonsense", headers=JANE),
        get(CM, headers={"Authorization": "Bearer nope"}),
        get(CM, headers={"Authorization": "Basic eDp5"}),
        post(WHO, obj("SelfSubjectReview", api="authentication.k8s.io/v1"), headers={"Impersonate-Group": "g"}),
        post(WHO, obj("SelfSubjectReview", api="authentication.k8s.io/v1"), headers={"Impersonate-User": "system:anonymous"}),
        post(WHO, obj("SelfSubjectReview", api="authentication.k8s.io/v1"), headers={"Impersonate-User": "system:serviceaccount:A B:x"}),
        post(WHO, obj("SelfSubjectReview", api="authentication.k8s.io/v1"), headers={**JANE, "Impersonate-Group": "g", "Impersonate-Extra-A.b%2fC": "v", "Impersonate-Uid": "u"}),
    ],
    "questions about rights": [
        asked(namespace="{ns}"),
        post(f"{REVIEWS}/subjectaccessreviews", review(user="jane", groups=["system:masters"], resourceAttributes={"verb": "*", "resource": "*", "group": "*"})),
        post(f"{REVIEWS}/subjectaccessreviews", review(user="jane", groups=["system:authenticated"], nonResourceAttributes={"verb": "get", "path": "/apis"})),
        post(f"{REVIEWS}/subjectaccessreviews", review(user="jane", resourceAttributes=PODS, nonResourceAttributes={"verb": "get", "path": "/"})),
        post(f"{REVIEWS}/subjectaccessreviews", review(resourceAttributes=PODS)),
        *(asked(labelSelector=by) for by in BY),
        asked(fieldSelector={"rawSelector": "a=b"}),
        asked(fieldSelector={}),
        asked(fieldSelector={"rawSelector": "a=b", **BY[0]}),
        post(LOCAL, review("LocalSubjectAccessReview", user="jane", resourceAttributes={**PODS, "namespace": "{ns}"})),
        post(LOCAL, review("LocalSubjectAccessReview", user="jane", resourceAttributes={**PODS, "namespace": "other"})),
        post(LOCAL, review("LocalSubjectAccessReview", user="jane", nonResourceAttributes={"verb": "get", "path": "/"})),
        post(f"{REVIEWS}/selfsubjectaccessreviews", review("SelfSubjectAccessReview", resourceAttributes=PODS), headers=JANE),
        post(f"{REVIEWS}/selfsubjectrulesreviews", review("SelfSubjectRulesReview")),
        get(f"{REVIEWS}/subjectaccessreviews"),
        *(post(TOKENS, obj("TokenReview", api="authentication.k8s.io/v1", spec=spec)) for spec in ({"token": "nope"}, {}, {"token": "a.b.c", "audiences": ["x"]})),
    ],
    "roles that grant too much": [
        post(ROLES, role("maps", MAPS)),
        post(ROLES, role("maker", ROLE_MAKER)),
        post(BINDINGS, bound("maps", "maps")),
        post(BINDINGS, bound("maker", "maker")),
        Call("POST", f"{ROLES}?dryRun=All", role("probe"), JSON, headers=JANE, until=201),
        get(CM, headers=JANE),
        post(ROLES, role("x", MAPS), headers=JANE),
        post(ROLES, role("y", {**MAPS, "verbs": ["delete"]}), headers=JANE),
        post(ROLES, role("y", {**MAPS, "resources": ["secrets"]}, {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}), headers=JANE),
        put(f"{ROLES}/x", role("x", {**MAPS, "verbs": ["*"]}), headers=JANE),
        patch(f"{ROLES}/x", {"rules": [{**MAPS, "verbs": ["update"]}]}, headers=JANE),
        apply(f"{ROLES}/z", role("z", {**MAPS, "verbs": ["update"]}), headers=JANE),
        patch(f"{ROLES}/x", {"metadata": {"labels": {"a": "b"}}}, headers=JANE),
        post(BINDINGS, bound("c", "maps"), headers=JANE),
        post(BINDINGS, bound("d", "cluster-admin", kind="ClusterRole"), headers=JANE),
        post(BINDINGS, bound("e", "ghost"), headers=JANE),
        post(CLUSTER_ROLES, role("{ns}-x", kind="ClusterRole"), headers=JANE),
        put(f"{BINDINGS}/maps", bound("maps", "maker")),
        put(f"{BINDINGS}/maps", bound("maps", "maps", {"kind": "Nope", "name": "x"})),
        put(f"{BINDINGS}/maps", bound("maps", "maps", {"kind": "ServiceAccount", "name": "x"})),
        *(post(ROLES, role("bad", rule)) for rule in ({"apiGroups": [""], "resources": ["pods"]}, {"nonResourceURLs": ["/x"], "verbs": ["get"]}, {"resources": ["pods"], "verbs": ["get"]})),
        get(ROLES, accept=TABLE),
        get(BINDINGS, accept=TABLE),
    ],
    "services of groups": [
        *(post(f"{SERVICES}?dryRun=All", bad) for bad in (
            service("bad"), service("v1.x.example.com", groupPriorityMinimum=0, versionPriority=1001, service={"name": "", "namespace": ""}),
            service("v1.x.example.com", caBundle="eA=="), service("v1.x.example.com", insecureSkipTLSVerify=True), service("V1.x y", group="x y", version="V1"),
            service("v1.x.example.com", insecureSkipTLSVerify=True, caBundle="eA==", service={"name": "a", "namespace": "b", "port": 70000}))),
    ],
}  # fmt: skip
