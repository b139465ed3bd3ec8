"""Calls on webhooks and policies that cannot be, and on policies that ask what a user may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.differential.calls import CM, JSON, Call, cm, delete, obj, post

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
API = "admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = (
    f"{REGISTRATION}/validatingadmissionpolicies",
    f"{REGISTRATION}/validatingadmissionpolicybindings",
)
VALIDATING = f"{REGISTRATION}/validatingwebhookconfigurations"
MUTATING = f"{REGISTRATION}/mutatingwebhookconfigurations"
ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
RBAC = "rbac.authorization.k8s.io"
DRY = "?dryRun=All"
RULE: dict[str, Any] = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["configmaps"],
}
HOME = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}}}


def ruled(**other: Any) -> dict[str, Any]:
    """Constraints by a rule that is odd."""
    return {"resourceRules": [{**RULE, **other}]}


def policy(name: str = "x", /, *validations: Any, **spec: Any) -> Any:
    """A policy for ConfigMaps."""
    wanted = {
        "matchConstraints": ruled(),
        "validations": list(validations) or [{"expression": "true"}],
        **spec,
    }
    return obj("ValidatingAdmissionPolicy", name, api=API, spec=wanted)


def binding(name: str = "x", **spec: Any) -> Any:
    """A binding of the policy of the same name to the scenario's namespace."""
    wanted = {"policyName": name, "validationActions": ["Deny"], "matchResources": HOME, **spec}
    return obj("ValidatingAdmissionPolicyBinding", name, api=API, spec=wanted)


def webhook(name: str = "a.b.c", **other: Any) -> dict[str, Any]:
    """A webhook."""
    where = {"clientConfig": {"url": "https://x.example.com"}, "rules": [RULE]}
    return {"name": name, **where, "sideEffects": "None", "admissionReviewVersions": ["v1"], **other}


def webhooks(*hooks: Any, kind: str = "ValidatingWebhookConfiguration") -> Any:
    """A configuration of webhooks."""
    return obj(kind, "{ns}-w", api=API, webhooks=list(hooks))


def valid(expression: str, **more: Any) -> dict[str, Any]:
    """A validation."""
    return {"expression": expression, **more}


DEPLOYMENTS = "authorizer.group('apps').resource('deployments')"
QUESTIONS = (
    f"{DEPLOYMENTS}.namespace('{{ns}}').check('delete').allowed()",
    f"{DEPLOYMENTS}.check('delete').allowed()",
    "authorizer.group('').resource('pods').subresource('log').name('x').namespace(object.metadata.namespace).check('get').allowed()",
    "authorizer.requestResource.check('create').allowed()",
    "authorizer.requestResource.check('custom').allowed()",
    "authorizer.path('/healthz').check('get').allowed()",
    "authorizer.serviceAccount('{ns}', 'default').group('').resource('pods').check('get').allowed()",
    f"{DEPLOYMENTS}.namespace('{{ns}}').check('delete').reason().contains('RoleBinding')",
    f"{DEPLOYMENTS}.check('delete').errored()",
    "authorizer.group('').resource('').check('x').allowed()",
    "authorizer.path('').check('get').allowed()",
    "authorizer.serviceAccount('{ns}', 'B_A').group('').resource('pods').check('get').allowed()",
    "authorizer.group('').resource('pods').labelSelector('a=b').fieldSelector('x=y').check('list').allowed()",
)  # fmt: skip
ASKING = policy(
    "{ns}-asking",
    *(
        valid(f"object.metadata.name != 'c{n}' || !({asked})", message=f"no {n}")
        for n, asked in enumerate(QUESTIONS)
    ),
)
GRANT = (
    post(f"{ROLES}/roles", obj("Role", "r", api=f"{RBAC}/v1", rules=[
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["delete"]}])),
    post(f"{ROLES}/rolebindings", obj("RoleBinding", "r", api=f"{RBAC}/v1", subjects=[{"kind": "User", "name": "jane", "apiGroup": RBAC}],
                                      roleRef={"apiGroup": RBAC, "kind": "Role", "name": "r"})),
)  # fmt: skip
BAD_SPECS: tuple[Mapping[str, Any], ...] = (
    {"failurePolicy": "Nope"}, {"paramKind": {"apiVersion": "", "kind": ""}}, {"paramKind": {"apiVersion": "a/b/c", "kind": "X"}}, {"paramKind": {"apiVersion": "A/V", "kind": "1x"}},
    {"matchConditions": [{"name": "a b", "expression": "true"}]}, {"matchConditions": [{"name": "a", "expression": "5"}, {"name": "a", "expression": ""}]},
    {"matchConstraints": {}}, {"matchConstraints": None}, {"matchConstraints": ruled(operations=["*", "CREATE"])}, {"matchConstraints": ruled(resources=["*", "pods"])},
    {"matchConstraints": ruled(apiGroups=[])}, {"matchConstraints": ruled(resourceNames=["a", "a", "b/c"])}, {"variables": [{"name": "1a", "expression": "1"}]},
    {"variables": [{"name": "a", "expression": ""}]}, {"auditAnnotations": [{"key": "a b", "valueExpression": "'x'"}]}, {"auditAnnotations": [{"key": "a", "valueExpression": "5"}]},
    {"validations": []},
)  # fmt: skip
BAD_POLICIES = (
    *(policy("x", valid(e)) for e in ("object.", "nope == 1", "5", "", "params.x == 1", "authorizer == 5", "object.data.k")),
    *(policy("x", valid("true", **more)) for more in (
        {"reason": "Nope"}, {"message": "a\nb"}, {"messageExpression": "5"}, {"messageExpression": "nope"}, {"messageExpression": "authorizer.path('/').check('get').reason()"},
        {"message": " "}, {"messageExpression": " "})),
    *(policy("x", **spec) for spec in BAD_SPECS),
    obj("ValidatingAdmissionPolicy", "x", api=API),
)  # fmt: skip
BAD_BINDINGS: tuple[Mapping[str, Any], ...] = (
    {"validationActions": []}, {"validationActions": ["Deny", "Warn"]}, {"validationActions": ["Nope"]}, {"validationActions": ["Audit", "Audit"]}, {"policyName": ""}, {"policyName": "A B"},
    {"paramRef": {}}, {"paramRef": {"name": "a", "selector": {}}}, {"paramRef": {"name": "a"}}, {"paramRef": {"name": "a", "parameterNotFoundAction": "Nope"}},
    {"matchResources": ruled(operations=[])}, {"matchResources": {"objectSelector": {"matchLabels": {"a b": "c"}}}},
)  # fmt: skip
BAD_WEBHOOKS: tuple[dict[str, Any], ...] = (
    {"name": "x"}, {"name": ""}, {"name": "A.b.c"}, {"clientConfig": {}}, {"clientConfig": {"url": "http://x"}}, {"clientConfig": {"url": "https://x/y?z#q"}},
    {"clientConfig": {"service": {"name": "", "namespace": ""}}}, {"clientConfig": {"service": {"name": "a", "namespace": "b", "path": "x", "port": 0}}}, {"sideEffects": "Some"},
    {"sideEffects": None}, {"admissionReviewVersions": []}, {"admissionReviewVersions": ["v9"]}, {"admissionReviewVersions": ["v1", "v1"]}, {"timeoutSeconds": 0}, {"timeoutSeconds": 31},
    {"failurePolicy": "X"}, {"matchPolicy": "X"}, {"rules": [{**RULE, "operations": ["NOPE"]}]}, {"rules": [{**RULE, "scope": "X"}]}, {"rules": [{**RULE, "apiVersions": ["*", "v1"]}]},
    {"rules": [{**RULE, "resources": ["pods", "pods/*", "*/*"]}]}, {"rules": [{**RULE, "resources": ["pods/*", "pods/log", "*/status", "x/status", ""]}]}, {"rules": None},
    {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Nope"}]}}, {"objectSelector": {"matchLabels": {"a b": "c"}}},
    {"matchConditions": [{"name": "x", "expression": "nope"}]}, {"matchConditions": [{"name": "", "expression": ""}]},
)  # fmt: skip

SCRIPT: dict[str, list[Call]] = {
    "policies that ask for rights": [
        *GRANT,
        post(POLICIES, ASKING),
        post(BINDINGS, binding("{ns}-asking")),
        Call("POST", f"{CM}{DRY}", cm("c3"), JSON, until=422),
        *(
            post(f"{CM}{DRY}", cm(f"c{n}"), headers={"Impersonate-User": "jane"})
            for n in range(len(QUESTIONS))
        ),
        *(post(f"{CM}{DRY}", cm(f"c{n}")) for n in range(len(QUESTIONS))),
        delete(f"{BINDINGS}/{{ns}}-asking"),
        delete(f"{POLICIES}/{{ns}}-asking"),
    ],
    "policies that cannot be": [
        *(post(f"{POLICIES}{DRY}", bad) for bad in BAD_POLICIES),
        *(post(f"{BINDINGS}{DRY}", binding(**bad)) for bad in BAD_BINDINGS),
    ],
    "webhooks that cannot be": [
        *(post(f"{VALIDATING}{DRY}", webhooks(webhook(**bad))) for bad in BAD_WEBHOOKS),
        post(f"{VALIDATING}{DRY}", webhooks(webhook(), webhook())),
        post(
            f"{MUTATING}{DRY}", webhooks(webhook(reinvocationPolicy="X"), kind="MutatingWebhookConfiguration")
        ),
        post(f"{MUTATING}{DRY}", webhooks(webhook(), kind="MutatingWebhookConfiguration")),
    ],
}
