"""Writes under webhooks and policies. `{hooks}` is the webhook server's address for the server that is asked.

A configuration is put to use a moment after it is made: each scenario waits until its last one refuses `canary`.
"""

from __future__ import annotations

from typing import Any

from tests.differential.calls import CM, CORE, PODS, Call, apply, cm, delete, get, obj, patch, post, put

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
V1 = {"apiVersion": "admissionregistration.k8s.io/v1"}


def hook(name: str, path: str = "", *, resources: str = "configmaps", **more: Any) -> dict[str, Any]:
    """A webhook for ConfigMaps in the scenario's namespace that have the label `hook: NAME`."""
    rule = {
        "operations": ["*"],
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "resources": resources.split(),
    }
    return {
        "name": f"{name}.example.com",
        "clientConfig": {"url": f"{{hooks}}/{path or name}", "caBundle": "{ca}"},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}},
        "objectSelector": {"matchLabels": {"hook": name}},
    } | more


def webhooks(kind: str, *hooks: dict[str, Any], name: str = "{ns}") -> Any:
    """A configuration, ended by the canary."""
    canary = hook("canary", "deny")
    return obj(f"{kind}WebhookConfiguration", name, api=V1["apiVersion"], webhooks=[*hooks, canary])


MUTATING, VALIDATING = (
    f"{ADMISSION}/mutatingwebhookconfigurations",
    f"{ADMISSION}/validatingwebhookconfigurations",
)
POLICIES, BINDINGS = (
    f"{ADMISSION}/validatingadmissionpolicies",
    f"{ADMISSION}/validatingadmissionpolicybindings",
)


def hooked(label: str, name: str = "a", **rest: Any) -> Any:
    """A ConfigMap that a webhook is for."""
    return cm(name, meta={"labels": {"hook": label}}, **({"data": {"k": "v"}} | rest))


def policy(name: str, *validations: dict[str, Any], **spec: Any) -> Any:
    """A policy for ConfigMaps."""
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps"]}
    constraints = {"resourceRules": [rule]}
    wanted = {"matchConstraints": constraints, "validations": [*validations], **spec}
    return obj("ValidatingAdmissionPolicy", f"{{ns}}-{name}", api=V1["apiVersion"], spec=wanted)


def binding(name: str, *actions: str, label: str = "", **spec: Any) -> Any:
    """A policy's binding to ConfigMaps in the scenario's namespace that have its label."""
    limits = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}},
        "objectSelector": {"matchLabels": {"hook": label or name}},
    }
    wanted = {
        "policyName": f"{{ns}}-{name}",
        "validationActions": [*actions],
        "matchResources": limits,
        **spec,
    }
    return obj(
        "ValidatingAdmissionPolicyBinding", f"{{ns}}-{label or name}", api=V1["apiVersion"], spec=wanted
    )


def valid(expression: str, **more: Any) -> dict[str, Any]:
    """One validation."""
    return {"expression": expression, **more}


PARAMS = {"apiVersion": "v1", "kind": "ConfigMap"}
POLICED = (
    (policy("plain", valid("object.data.k == 'v'")), binding("plain", "Deny")),
    (policy("told", valid("object.data.k == 'v'", message="it must be v", reason="Forbidden")), binding("told", "Deny")),
    (policy("spoken", valid("object.data.k == 'v'", message="m", messageExpression="'not ' + object.data.k")), binding("spoken", "Deny")),
    (policy("warned", valid("object.data.k == 'v'")), binding("warned", "Warn", "Audit")),
    (policy("erring", valid("object.data.none == 'v'")), binding("erring", "Deny")),
    (policy("forgiven", valid("object.data.none == 'v'"), failurePolicy="Ignore"), binding("forgiven", "Deny")),
    (policy("named", valid("object.metadata.name == 'x'"), matchConditions=[{"name": "n", "expression": "request.operation == 'UPDATE'"}]), binding("named", "Deny")),
    (policy("varied", valid("variables.k == 'v' && variables.all > 0"), variables=[
        {"name": "k", "expression": "object.data.k"}, {"name": "all", "expression": "size(object.data)"}]), binding("varied", "Deny")),
    (policy("homed", valid("namespaceObject.metadata.name == 'other'")), binding("homed", "Deny")),
    (policy("kept", valid("object == null || oldObject == null || oldObject.data.k == object.data.k")), binding("kept", "Deny")),
    (policy("used", valid("object.data.k == params.data.k"), paramKind=PARAMS),
     binding("used", "Deny", paramRef={"name": "params", "namespace": "{ns}", "parameterNotFoundAction": "Deny"})),
    (policy("lost", valid("object.data.k == params.data.k"), paramKind=PARAMS),
     binding("lost", "Deny", paramRef={"name": "none", "namespace": "{ns}", "parameterNotFoundAction": "Deny"})),
    (policy("let", valid("object.data.k == params.data.k"), paramKind=PARAMS),
     binding("let", "Deny", paramRef={"name": "none", "namespace": "{ns}", "parameterNotFoundAction": "Allow"})),
    (policy("canary", valid("false")), binding("canary", "Deny")),
)  # fmt: skip
POLICED_LABELS = [bound["spec"]["policyName"].rpartition("-")[2] for _, bound in POLICED]


def canary(status: int = 400, label: str = "canary") -> Call:
    """Wait until the configurations are in force (or, with the label of a policy, until its params are read)."""
    return Call("POST", f"{CM}?dryRun=All", hooked(label, "canary"), "application/json", until=status)


IN_TURN = ("IfNeeded", "Never")
ODD = "break spoil undecodable typeless other-uid none text 404 500 429"
VALIDATIONS = "allow warn deny message reason code other-uid none label 404 500"

SCRIPT: dict[str, list[Call]] = {
    "validating webhooks": [
        post(VALIDATING, webhooks("Validating", *(hook(name) for name in VALIDATIONS.split()),
             hook("gone") | {"clientConfig": {"url": "https://127.0.0.1:1/x", "caBundle": "{ca}"}},
             hook("open", "500", failurePolicy="Ignore"),
             hook("effects", "allow", sideEffects="NoneOnDryRun"),
             hook("unknown") | {"clientConfig": {"service": {"namespace": "{ns}", "name": "none"}}},
             hook("conditions", "deny", matchConditions=[{"name": "named", "expression": "object.metadata.name == 'b'"}]),
             )),
        canary(),
        *(post(CM, hooked(name, f"of-{name}")) for name in f"{VALIDATIONS} gone open effects unknown conditions".split()),
        post(CM, hooked("conditions", "b")),
        post(f"{CM}?dryRun=All", hooked("effects", "dry")),
        post(CM, hooked("other")),
        put(f"{CM}/of-warn", hooked("warn", "of-warn", data={"k": "w"})),
        patch(f"{CM}/of-warn", {"data": {"k": "x"}}),
        patch(f"{CM}/of-warn", {"metadata": {"labels": {"hook": "deny"}}}),
        patch(f"{CM}/a", {"metadata": {"labels": {"hook": "deny"}}}),
        apply(f"{CM}/applied", hooked("warn", "applied")),
        apply(f"{CM}/applied", hooked("deny", "applied")),
        get(f"{CM}/a"),
        delete(f"{CM}/of-warn"),
        post(CM, cm(meta={"generateName": "gen-", "labels": {"hook": "warn"}, "name": "given"})),
        delete(f"{CM}?labelSelector=hook%3Dwarn"),
        delete(f"{CORE}/configmaps/nothing"),
        delete(f"{VALIDATING}/{{ns}}"),
    ],
    "mutating webhooks": [
        post(MUTATING, webhooks("Mutating",
             hook("first", "seen", objectSelector={"matchLabels": {"turns": "yes"}}, reinvocationPolicy="IfNeeded"),
             hook("second", "label", objectSelector={"matchLabels": {"turns": "yes"}}),
             *(hook(name) for name in f"label deny {ODD}".split()),
             hook("pods", "deny", resources="pods"),
             )),
        canary(),
        *(post(CM, hooked(name, f"of-{name}")) for name in f"label deny {ODD}".split()),
        post(CM, cm("turns", meta={"labels": {"turns": "yes"}}, data={"k": "v"})),
        get(f"{CM}/turns"),
        put(f"{CM}/turns", cm("turns", meta={"labels": {"turns": "yes"}}, data={"k": "w"})),
        patch(f"{CM}/turns", {"data": {"more": "x"}}),
        apply(f"{CM}/turns", cm("turns", meta={"labels": {"turns": "yes"}}, data={"applied": "x"})),
        apply(f"{CM}/new", hooked("label", "new")),
        post(f"{CM}?dryRun=All", hooked("label", "dry")),
        patch(f"{CM}/of-label", {"data": {"k": "x"}}),
        delete(f"{CM}/of-label"),
        post(PODS, obj("Pod", "p", meta={"labels": {"hook": "pods"}}, spec={"containers": [{"name": "c", "image": "i"}]})),
        delete(f"{MUTATING}/{{ns}}"),
    ],
    "admission policies": [
        post(CM, cm("params", data={"k": "v"})),
        *(call for one, bound in POLICED for call in (post(POLICIES, one), post(BINDINGS, bound))),
        canary(422),
        canary(201, "used"),
        *(post(CM, hooked(label, f"of-{label}")) for label in POLICED_LABELS),
        *(post(CM, hooked(label, f"of-{label}-w", data={"k": "w"})) for label in POLICED_LABELS),
        patch(f"{CM}/of-kept", {"data": {"k": "x"}}),
        patch(f"{CM}/of-named", {"data": {"k": "x"}}),
        apply(f"{CM}/of-plain", hooked("plain", "of-plain", data={"k": "y"})),
        delete(f"{CM}/of-kept"),
        delete(f"{CM}/of-homed"),
        *(delete(f"{where}/{{ns}}-{label}") for label in POLICED_LABELS for where in (BINDINGS, POLICIES)),
    ],
}  # fmt: skip
