"""Stories about rights: what RBAC allows, what may be granted on, and how one asks about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.apiserver.identity.steps import APPLY, MERGE, Step

GROUP = "rbac.authorization.k8s.io"
RBAC = f"/apis/{GROUP}/v1"
LOCAL = f"{RBAC}/namespaces/{{ns}}"
REVIEWS = "/apis/authorization.k8s.io/v1"
ANN, BOB = "ann-{id}", "bob-{id}"


def rule(
    resources: Sequence[str], verbs: Sequence[str], groups: Sequence[str] = ("",), **more: Any
) -> dict[str, Any]:
    """A rule about resources."""
    return {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs), **more}


def urls(paths: Sequence[str], *verbs: str) -> dict[str, Any]:
    """A rule about paths."""
    return {"nonResourceURLs": list(paths), "verbs": list(verbs)}


def role(name: str, *rules: dict[str, Any], kind: str = "ClusterRole", **more: Any) -> dict[str, Any]:
    """A role."""
    meta = {"name": name, **more.pop("meta", {})}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, "rules": list(rules), **more}


def binding(
    name: str, to: str, who: str, kind: str = "ClusterRoleBinding", ref: str = "ClusterRole"
) -> dict[str, Any]:
    """A binding of a role to a user."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": ref, "name": to},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": who}],
    }


def grant(name: str, who: str, *rules: dict[str, Any]) -> tuple[Step, Step]:
    """A cluster role and its binding."""
    return (
        Step(f"POST {RBAC}/clusterroles", role(name, *rules)),
        Step(f"POST {RBAC}/clusterrolebindings", binding(name, name, who)),
    )


def may(who: str, verb: str, resource: str, **more: Any) -> Step:
    """A SubjectAccessReview, repeated until it is as expected (`until` True or False)."""
    spec = {"user": who, "resourceAttributes": {"verb": verb, "resource": resource, **more}}
    return Step(f"POST {REVIEWS}/subjectaccessreviews", {"spec": spec})


def list_as(who: str, path: str, status: int) -> Step:
    """A list by somebody, until it is answered so: a real server learns of roles a moment later."""
    return Step(f"GET {path}", as_=who, until=status, hidden=("metadata", "items"))


NOTES = "/api/v1/namespaces/{ns}/configmaps"
RULES: Sequence[Step] = (
    *grant("r1-{id}", ANN, rule(["configmaps"], ["get"], resourceNames=["one"]), rule(["pods/log"], ["get"])),
    list_as(ANN, f"{NOTES}/one", 404),
    Step(f"GET {NOTES}/two", as_=ANN),
    Step(f"GET {NOTES}", as_=ANN),
    Step(f"GET {NOTES}?fieldSelector=metadata.name%3Done", as_=ANN),
    may(ANN, "get", "configmaps", name="one", namespace="x"),
    may(ANN, "get", "pods", subresource="log", namespace="x"),
    may(ANN, "get", "pods", namespace="x"),
    *grant(
        "r2-{id}",
        ANN,
        rule(["*/scale", "secrets"], ["*"], ["*"]),
        urls(["/a-{id}/*", "/b-{id}"], "get", "put"),
    ),
    Step("GET /b-{id}", as_=ANN, until=404),
    Step("GET /a-{id}/x/y", as_=ANN),
    Step("GET /b-{id}/x", as_=ANN),
    Step("POST /b-{id}", {}, as_=ANN),
    may(ANN, "frob", "things", group="any.io", subresource="scale"),
    may(ANN, "frob", "things", group="any.io", subresource="status"),
    may(ANN, "frob", "secrets", group="any.io"),
    Step(f"POST {RBAC}/clusterrolebindings", binding("lost-{id}", "nowhere-{id}", BOB)),
    Step(f"POST {LOCAL}/rolebindings", binding("lost", "gone", BOB, "RoleBinding", "Role")),
    Step(f"POST {LOCAL}/rolebindings", binding("view", "view", BOB, "RoleBinding")),
    list_as(BOB, NOTES, 200),
    Step("GET /api/v1/configmaps", as_=BOB),
    Step("GET /api/v1/namespaces/{ns}/secrets", as_=BOB),
    may(BOB, "list", "configmaps", namespace="{ns}"),
    may(BOB, "list", "secrets", namespace="{ns}"),
    may(BOB, "list", "secrets"),
    Step(f"POST {REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "{ns}"}}, as_=ANN),
    Step(f"GET {RBAC}/clusterroles/view", hidden=("metadata",), until="rules"),
    Step(f"GET {RBAC}/clusterroles/edit", hidden=("metadata",), until="rules"),
    Step(f"GET {RBAC}/clusterroles/admin", hidden=("metadata",), until="rules"),
    Step(
        f"POST {RBAC}/clusterroles",
        role(
            "sum-{id}",
            aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"sum-{id}": "yes"}}]},
        ),
    ),
    Step(
        f"POST {RBAC}/clusterroles",
        role("part-{id}", rule(["pods"], ["get"]), meta={"labels": {"sum-{id}": "yes"}}),
    ),
    Step(f"GET {RBAC}/clusterroles/sum-{{id}}", until="rules", hidden=("metadata.managedFields",)),
    *(Step(f"DELETE {RBAC}/clusterrolebindings/{n}-{{id}}") for n in ("r1", "r2", "lost")),
    *(Step(f"DELETE {RBAC}/clusterroles/{n}-{{id}}") for n in ("r1", "r2", "sum", "part")),
)
"""What rules mean: names, subresources, wildcards, paths, scopes, roles that are lost or gather others."""

HELD = rule(["configmaps", "pods"], ["get", "list"])
WRITES = rule(
    ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
    ["create", "get", "update", "patch"],
    [GROUP],
)
EDGES = (
    role("x-{id}", HELD),
    role("y-{id}", rule(["pods"], ["get", "delete", "watch"]), urls(["/metrics"], "get")),
    role("z-{id}", rule(["secrets", "pods"], ["list"], ["", "apps"], resourceNames=["a", "b"])),
    role("w-{id}", rule(["*"], ["*"], ["*"]), urls(["*"], "*")),
    role("v-{id}", HELD, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
)
GRANTING: Sequence[Step] = (
    *grant("held-{id}", ANN, HELD, WRITES),
    Step(f"POST {RBAC}/clusterroles", EDGES[0], as_=ANN, until=201),
    *(Step(f"POST {RBAC}/clusterroles", edge, as_=ANN) for edge in EDGES[1:]),
    Step(f"POST {LOCAL}/roles", role("x", rule(["configmaps"], ["update"]), kind="Role"), as_=ANN),
    Step(f"PUT {RBAC}/clusterroles/x-{{id}}", EDGES[3] | {"metadata": {"name": "x-{id}"}}, as_=ANN),
    Step(f"PATCH {RBAC}/clusterroles/x-{{id}}", {"rules": [rule(["nodes"], ["get"])]}, as_=ANN, media=MERGE),
    Step(
        f"PATCH {RBAC}/clusterroles/x-{{id}}?fieldManager=m&force=true",
        role("x-{id}", rule(["nodes"], ["get"])),
        as_=ANN,
        media=APPLY,
    ),
    Step(f"PATCH {RBAC}/clusterroles/x-{{id}}", {"metadata": {"labels": {"a": "b"}}}, as_=ANN, media=MERGE),
    Step(f"POST {LOCAL}/rolebindings", binding("a", "x-{id}", BOB, "RoleBinding"), as_=ANN),
    Step(
        f"POST {LOCAL}/rolebindings", binding("b", "edit", BOB, "RoleBinding"), as_=ANN, hidden=("message",)
    ),
    Step(f"POST {LOCAL}/rolebindings", binding("c", "no-{id}", BOB, "RoleBinding"), as_=ANN),
    Step(f"POST {LOCAL}/rolebindings", binding("c", "no", BOB, "RoleBinding", "Role"), as_=ANN),
    Step(f"POST {RBAC}/clusterrolebindings", binding("d-{id}", "cluster-admin", BOB), as_=ANN),
    Step(f"POST {RBAC}/clusterrolebindings", binding("d-{id}", "no-{id}", BOB), as_=ANN),
    *grant(
        "free-{id}",
        BOB,
        WRITES,
        rule(["clusterroles"], ["escalate"], [GROUP]),
        rule(["clusterroles"], ["bind"], [GROUP], resourceNames=["view"]),
    ),
    Step(f"POST {RBAC}/clusterroles", EDGES[3], as_=BOB, until=201),
    Step(f"POST {LOCAL}/roles", role("y", HELD, kind="Role"), as_=BOB),
    Step(f"POST {RBAC}/clusterrolebindings", binding("e-{id}", "view", ANN), as_=BOB),
    Step(f"POST {RBAC}/clusterrolebindings", binding("f-{id}", "w-{id}", ANN), as_=BOB),
    *(Step(f"DELETE {RBAC}/clusterrolebindings/{n}-{{id}}") for n in ("held", "free", "e")),
    *(Step(f"DELETE {RBAC}/clusterroles/{n}-{{id}}") for n in ("held", "free", "x", "w")),
)
"""Nobody grants what they do not hold, unless they may `escalate` or `bind`."""


def headers(**sent: str) -> Step:
    """A question who one is, with headers to act as somebody else."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in sent.items())
    return Step("POST /apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers=pairs)


ACTING: Sequence[Step] = (
    headers(Impersonate_User="u"),
    headers(Impersonate_User="u", Impersonate_Group="g", Impersonate_Uid="1", Impersonate_Extra_Scopes="x"),
    headers(**{"Impersonate_User": "u", "Impersonate_Extra_acme.com%2Fproject": "y"}),
    headers(Impersonate_User="u", Impersonate_Group="system:authenticated"),
    headers(Impersonate_User="u", Impersonate_Group="system:unauthenticated"),
    headers(Impersonate_User="system:anonymous"),
    headers(Impersonate_User="system:serviceaccount:{ns}:robot"),
    headers(Impersonate_User="system:serviceaccount:{ns}:robot", Impersonate_Group="g"),
    headers(Impersonate_User="system:serviceaccount:{ns}"),
    headers(Impersonate_Group="g"),
    headers(Impersonate_Uid="1"),
    headers(Impersonate_Extra_Scopes="x"),
    Step("GET /api/v1/pods", who="-", headers=(("Impersonate-User", "u"),)),
    *grant(
        "act-{id}",
        "system:serviceaccount:{ns}:default",
        rule(["users", "groups"], ["impersonate"], resourceNames=["u"]),
    ),
    Step(
        "POST /api/v1/namespaces/{ns}/serviceaccounts/default/token", {"spec": {}}, save={"t": "status.token"}
    ),
    Step(
        "GET /api",
        who="{t}",
        headers=(("Impersonate-User", "u"),),
        until=200,
        hidden=("serverAddressByClientCIDRs",),
    ),
    *(
        Step("GET /api", who="{t}", headers=(("Impersonate-User", "u"), (name, "v")))
        for name in ("Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-Key")
    ),
    Step("GET /api", who="{t}", headers=(("Impersonate-User", "w"),)),
    Step("GET /api", who="{t}", headers=(("Impersonate-User", "system:serviceaccount:a:b"),)),
    Step(f"DELETE {RBAC}/clusterrolebindings/act-{{id}}"),
    Step(f"DELETE {RBAC}/clusterroles/act-{{id}}"),
)
"""Whom one may act as, and who one then is."""


def asked(kind: str, spec: dict[str, Any], **meta: str) -> Step:
    """An access review."""
    plural = kind.lower() + "s"
    local = "/namespaces/{ns}" if kind.startswith("Local") else ""
    return Step(f"POST {REVIEWS}{local}/{plural}", {"spec": spec, "metadata": meta})


PODS = {"verb": "get", "resource": "pods"}
VERSION = {"verb": "get", "path": "/version"}
ASKING: Sequence[Step] = (
    asked("SelfSubjectAccessReview", {"resourceAttributes": PODS}),
    asked("SelfSubjectAccessReview", {"nonResourceAttributes": VERSION}),
    asked("SelfSubjectAccessReview", {}),
    asked("SelfSubjectAccessReview", {"resourceAttributes": PODS, "nonResourceAttributes": VERSION}),
    asked("SubjectAccessReview", {"resourceAttributes": PODS}),
    asked("SubjectAccessReview", {"resourceAttributes": PODS, "user": "x", "groups": ["system:masters"]}),
    asked("SubjectAccessReview", {"nonResourceAttributes": VERSION, "groups": ["system:unauthenticated"]}),
    asked("SubjectAccessReview", {"resourceAttributes": {**PODS, "fieldSelector": {}}, "user": "x"}),
    asked(
        "SubjectAccessReview",
        {"resourceAttributes": {**PODS, "labelSelector": {"rawSelector": "a=b"}}, "user": "x"},
    ),
    asked("LocalSubjectAccessReview", {"resourceAttributes": PODS, "user": "x"}),
    asked("LocalSubjectAccessReview", {"resourceAttributes": {**PODS, "namespace": "{ns}"}, "user": "x"}),
    asked("LocalSubjectAccessReview", {"nonResourceAttributes": VERSION, "user": "x"}),
    Step(f"POST {REVIEWS}/selfsubjectrulesreviews", {"spec": {}}),
    Step("GET /openid/v1/jwks", who="-"),
    Step("GET /openid/v1/jwks", hidden=("keys",)),
    Step("GET /.well-known/openid-configuration"),
)
"""Questions about rights, and what is wrong with them."""
