"""A manifest that changes: what becomes of the object, by its kind and by the update strategy."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.cases_apply import failed
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import GROUP, config, config_map, configs, note, obj, widget
from tests.wire.agent.moves import Change, End, Ended, Expect, There, Work

_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"


def _changed(name: str, before: Object, after: Object, live: Any = None, **more: Any) -> Case:
    """Another manifest of the same object; `live` is what it then has (None: as the manifest)."""
    return Case(
        name,
        [Work([before]), Expect([Entry(before)]), Work([after]), Expect([Entry(after, live=live, **more)])],
    )


def _cluster(api_version: str, kind: str, **fields: Any) -> Object:
    return obj(api_version, kind, "$me", None, **fields)


# --- the Update strategy, by kind --------------------------------------------------------------------

_POD = {"containers": [{"name": "main", "image": "example.com/web:1"}]}
_NEWER = {"containers": [{"name": "main", "image": "example.com/web:2"}]}


def _deployed(pod: Object, **spec: Any) -> Object:
    labels = {"app": "$me"}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return obj(
        "apps/v1", "Deployment", spec={"selector": {"matchLabels": labels}, "template": template, **spec}
    )


def _service(*ports: int, **spec: Any) -> Object:
    return obj("v1", "Service", spec={"ports": [{"port": p, "name": f"p{p}"} for p in ports], **spec})


def _role(*verbs: str) -> Object:
    return obj(
        f"{_RBAC}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}]
    )


def _binding(account: str, role: str = "$me") -> Object:
    return obj(
        f"{_RBAC}/v1",
        "RoleBinding",
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": "$ns"}],
        roleRef={"apiGroup": _RBAC, "kind": "Role", "name": role},
    )


def _hooks(url: str, **client: str) -> Object:
    rule = {"apiGroups": [GROUP], "apiVersions": ["v9"], "resources": ["none"], "operations": ["CREATE"]}
    hook = {
        "name": "a.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "clientConfig": {"url": url, **client},
        "rules": [rule],
    }
    return _cluster(f"{_ADMISSION}/v1", "ValidatingWebhookConfiguration", webhooks=[hook])


def _policy(peer: str) -> Object:
    spec = {"podSelector": {"matchLabels": {"app": peer}}, "policyTypes": ["Ingress"]}
    return obj("networking.k8s.io/v1", "NetworkPolicy", spec=spec)


_AGGREGATED = _cluster(
    f"{_RBAC}/v1", "ClusterRole", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "$me"}}]}
)

UPDATED = [
    _changed("data", config_map(data={"a": "1"}), config_map(data={"a": "2"})),
    _changed("data added", config_map(data={"a": "1"}), config_map(data={"a": "1", "b": "2"})),
    _changed(
        "data dropped",
        config_map(data={"a": "1", "b": "2"}),
        config_map(data={"a": "1"}),
        {**config_map(), "data": {"a": "1", "b": ABSENT}},
    ),
    _changed(
        "all data dropped", config_map(), obj("v1", "ConfigMap"), {**obj("v1", "ConfigMap"), "data": ABSENT}
    ),
    _changed(
        "data becomes binary",
        config_map(),
        obj("v1", "ConfigMap", binaryData={"key": "AAEC"}),
        {**obj("v1", "ConfigMap", binaryData={"key": "AAEC"}), "data": ABSENT},
    ),
    _changed(
        "a label dropped stays",
        config_map(labels={"a": "1", "b": "2"}),
        config_map(labels={"a": "1"}),
        config_map(labels={"a": "1", "b": "2"}),
    ),
    _changed(
        "an annotation changed",
        config_map(annotations={"a": "1"}),
        config_map(annotations={"a": "2"}),
    ),
    _changed("a secret", obj("v1", "Secret", data={"a": "YQ=="}), obj("v1", "Secret", data={"a": "Yg=="})),
    _changed(
        "a secret's type",
        obj("v1", "Secret", data={"a": "YQ=="}, type="example.com/one"),
        obj("v1", "Secret", data={"a": "YQ=="}, type="example.com/two"),
    ),
    _changed(
        "a secret's key dropped",
        obj("v1", "Secret", data={"a": "YQ==", "b": "Yg=="}),
        obj("v1", "Secret", data={"a": "YQ=="}),
        obj("v1", "Secret", data={"a": "YQ==", "b": ABSENT}),
    ),
    _changed(
        "string data",
        obj("v1", "Secret", data={"a": "YQ=="}),
        obj("v1", "Secret", stringData={"a": "b"}),
        obj("v1", "Secret", data={"a": "Yg=="}),
    ),
    _changed("an image", _deployed(_POD), _deployed(_NEWER)),
    _changed("replicas", _deployed(_POD, replicas=1), _deployed(_POD, replicas=3)),
    _changed("replicas dropped", _deployed(_POD, replicas=3), _deployed(_POD), _deployed(_POD, replicas=1)),
    _changed("ports", _service(80), _service(80, 81)),
    _changed("a selector", _service(80, selector={"a": "1"}), _service(80, selector={"a": "2"})),
    _changed("a role", _role("get"), _role("get", "list")),
    _changed("subjects", _binding("one"), _binding("two")),
    _changed(
        "another role",
        _binding("one"),
        _binding("one", "other"),
        _binding("one"),
        applied=failed("roleRef"),
    ),
    _changed(
        "an aggregated role",
        _AGGREGATED,
        {**_AGGREGATED, "metadata": {**_AGGREGATED["metadata"], "labels": {"b": "1"}}},
    ),
    _changed("a webhook", _hooks("https://127.0.0.1:1/a"), _hooks("https://127.0.0.1:1/b")),
    _changed("a network policy", _policy("one"), _policy("two")),
    _changed(
        "a pod's spec is left alone",
        obj("v1", "Pod", spec=_POD),
        obj("v1", "Pod", spec=_NEWER),
        obj("v1", "Pod", spec=_POD),
    ),
    _changed(
        "a pod's labels",
        obj("v1", "Pod", spec=_POD),
        obj("v1", "Pod", spec=_POD, metadata={"labels": {"a": "1"}}),
    ),
    _changed(
        "a service account's secrets are left alone",
        obj("v1", "ServiceAccount"),
        obj("v1", "ServiceAccount", secrets=[{"name": "x"}]),
        {**obj("v1", "ServiceAccount"), "secrets": ABSENT},
    ),
    _changed(
        "a namespace's labels",
        _cluster("v1", "Namespace"),
        _cluster("v1", "Namespace", metadata={"labels": {"a": "1"}}),
    ),
    _changed(
        "a storage class made anew",
        _cluster("storage.k8s.io/v1", "StorageClass", provisioner="example.com/one"),
        _cluster("storage.k8s.io/v1", "StorageClass", provisioner="example.com/two"),
    ),
    _changed(
        "a priority cannot change",
        _cluster("scheduling.k8s.io/v1", "PriorityClass", value=1),
        _cluster("scheduling.k8s.io/v1", "PriorityClass", value=2),
        _cluster("scheduling.k8s.io/v1", "PriorityClass", value=1),
        applied=failed("(immutable|Forbidden|may not be)"),
    ),
    _changed("a custom resource", note(spec={"a": 1}), note(spec={"a": 2})),
    _changed(
        "a field dropped", note(spec={"a": 1, "b": 2}), note(spec={"a": 1}), note(spec={"a": 1, "b": ABSENT})
    ),
    _changed("a list", note(spec={"a": [1, 2, 3]}), note(spec={"a": [3]})),
    _changed("nothing left", note(spec={"a": 1}), note(), {**note(), "spec": ABSENT}),
    _changed(
        "a default comes back",
        widget(spec={"mode": "odd"}),
        widget(spec={"size": 1}),
        widget(spec={"size": 1, "mode": "plain"}),
    ),
    _changed("null is left out", note(spec={"a": 1}), note(spec={"a": 1, "b": None}), note(spec={"a": 1})),
]

# --- what leaves the work -----------------------------------------------------------------------------

_A, _B, _C = config_map("$me-a"), config_map("$me-b"), config_map("$me-c")
_HELD = note("$me-held", metadata={"finalizers": ["example.com/hold"]})
LEFT = [
    Case(
        "dropped",
        [Work([_A, _B]), Expect([Entry(_A), Entry(_B)]), Work([_A]), Expect([Entry(_A)], gone=[_B])],
    ),
    Case(
        "exchanged",
        [Work([_A]), Expect([Entry(_A)]), Work([_B]), Expect([Entry(_B)], gone=[_A])],
    ),
    Case(
        "in another order",
        [
            Work([_A, _B, _C]),
            Expect([Entry(_A), Entry(_B), Entry(_C)]),
            Work([_C, _A, _B]),
            Expect([Entry(_C), Entry(_A), Entry(_B)]),
        ],
    ),
    Case(
        "renamed",
        [
            Work([note("$me-old", spec={"a": 1})]),
            Expect([Entry(note("$me-old", spec={"a": 1}))]),
            Work([note("$me-new", spec={"a": 1})]),
            Expect([Entry(note("$me-new", spec={"a": 1}))], gone=[note("$me-old")]),
        ],
    ),
    Case(
        "held by a finalizer",
        [
            Work([_A, _HELD]),
            Expect([Entry(_A), Entry(_HELD)]),
            Work([_A]),
            Expect([Entry(_A)], lingering=[_HELD]),
            Change(_HELD, {"metadata": {"finalizers": None}}),
            Expect([Entry(_A)], gone=[_HELD]),
        ],
    ),
    Case(
        "no longer owned",
        [
            Work([_A, _B]),
            Expect([Entry(_A), Entry(_B)]),
            Work([_A], {"deleteOption": {"propagationPolicy": "Orphan"}}),
            Expect([Entry(_A, owned=False)], gone=[_B]),
        ],
    ),
]

# --- CreateOnly and ReadOnly --------------------------------------------------------------------------


def _by(strategy: str, resource: str = "notes", **more: Any) -> Object:
    return configs(config(resource, group=GROUP, updateStrategy={"type": strategy, **more}))


_ONE, _TWO = note(spec={"a": 1}), note(spec={"a": 2})
_READ: dict[str, Any] = {"owned": False}
ONLY = [
    Case(
        "create only: made",
        [Work([_ONE], _by("CreateOnly")), Expect([Entry(_ONE)]), End(), Ended(gone=[_ONE])],
    ),
    Case(
        "create only: not changed",
        [
            Work([_ONE], _by("CreateOnly")),
            Expect([Entry(_ONE)]),
            Work([_TWO], _by("CreateOnly")),
            Expect([Entry(_TWO, live=_ONE)]),
        ],
    ),
    Case(
        "create only: what is there is owned",
        [
            There(_ONE),
            Work([_TWO], _by("CreateOnly")),
            Expect([Entry(_TWO, live=_ONE)]),
            End(),
            Ended(gone=[_ONE]),
        ],
    ),
    Case(
        "create only: then update",
        [
            Work([_ONE], _by("CreateOnly")),
            Expect([Entry(_ONE)]),
            Work([_TWO]),
            Expect([Entry(_TWO)]),
        ],
    ),
    Case(
        "read only: there",
        [
            There(_ONE),
            Work([_TWO], _by("ReadOnly")),
            Expect([Entry(_TWO, live=_ONE, **_READ)]),
            End(),
            Ended(left=[_ONE]),
        ],
    ),
    Case(
        "read only: not there",
        [
            Work([_TWO], _by("ReadOnly")),
            Expect([Entry(_TWO, available="False")], gone=[_TWO]),
            End(),
            Ended(gone=[_TWO]),
        ],
    ),
    Case(
        "read only: comes later",
        [
            Work([_TWO], _by("ReadOnly")),
            Expect([Entry(_TWO, available="False")]),
            There(_ONE),
            Expect([Entry(_TWO, live=_ONE, **_READ)], ledger=False),
            End(),
            Ended(left=[_ONE]),
        ],
    ),
    Case(
        "read only: dropped",
        [
            There(_ONE),
            Work([_ONE, _A], _by("ReadOnly")),
            Expect([Entry(_ONE, **_READ), Entry(_A)]),
            Work([_A]),
            Expect([Entry(_A)]),
            End(),
            Ended(left=[_ONE], gone=[_A]),
        ],
    ),
    Case(
        "update becomes read only",
        [
            Work([_ONE]),
            Expect([Entry(_ONE)]),
            Work([_TWO], _by("ReadOnly")),
            Expect([Entry(_TWO, live=_ONE)]),
        ],
    ),
]
