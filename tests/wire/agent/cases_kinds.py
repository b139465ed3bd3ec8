"""One manifest of each kind: how it is named in status and ledger, and that it arrives as it was sent."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import Entry
from tests.wire.agent.kinds import GROUP, config_map, gadget, note, obj, widget
from tests.wire.agent.moves import End, Ended, Expect, Move, Work

_POD = {"containers": [{"name": "main", "image": "example.com/web:1"}]}
_LABELS = {"app": "$me"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _POD}
_SELECTED = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
_ONCE = {"template": {"spec": {**_POD, "restartPolicy": "Never"}}}
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_SUBJECTS = [{"kind": "ServiceAccount", "name": "any", "namespace": "$ns"}]
_ENDPOINTS = [{"addresses": ["10.1.2.3"]}]
_RBAC, _ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_HOOK = {
    "name": "a.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "failurePolicy": "Ignore",
    "clientConfig": {"url": "https://127.0.0.1:1/hook"},
    "rules": [
        {"apiGroups": [GROUP], "apiVersions": ["v9"], "resources": ["nothing"], "operations": ["CREATE"]}
    ],
}
_PROTECTED = ("PersistentVolume", "PersistentVolumeClaim")
_SHARES = {"requests": {"storage": "1Gi"}}


def _cluster(api_version: str, kind: str, **fields: Any) -> Object:
    return obj(api_version, kind, "$me", None, **fields)


def _role_ref(kind: str) -> Object:
    return {"apiGroup": _RBAC, "kind": kind, "name": "$me"}


NAMESPACED = [
    config_map(),
    obj("v1", "ConfigMap", binaryData={"bytes": "AAEC"}),
    obj("v1", "ConfigMap", data={"a": "b"}, immutable=True),
    obj("v1", "Secret", data={"password": "c2VjcmV0"}),
    obj("v1", "Secret", data={"password": "c2VjcmV0"}, type="example.com/own"),
    obj("v1", "ServiceAccount"),
    obj("v1", "Service", spec={"selector": _LABELS, "ports": [{"port": 80}]}),
    obj("v1", "Service", spec={"clusterIP": "None", "selector": _LABELS, "ports": [{"port": 80}]}),
    obj("v1", "Pod", spec=_POD),
    obj("v1", "ReplicationController", spec={"replicas": 1, "selector": _LABELS, "template": _TEMPLATE}),
    obj("v1", "PersistentVolumeClaim", spec={"accessModes": ["ReadWriteOnce"], "resources": _SHARES}),
    obj("v1", "ResourceQuota", spec={"hard": {"count/widgets.wire.example.com": "900"}}),
    obj("v1", "LimitRange", spec={"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Ti"}}]}),
    obj("v1", "PodTemplate", template=_TEMPLATE),
    obj("apps/v1", "Deployment", spec=_SELECTED),
    obj("apps/v1", "Deployment", spec={**_SELECTED, "replicas": 0}),
    obj("apps/v1", "StatefulSet", spec={**_SELECTED, "serviceName": "$me"}),
    obj("apps/v1", "DaemonSet", spec=_SELECTED),
    obj("apps/v1", "ReplicaSet", spec=_SELECTED),
    obj("apps/v1", "ControllerRevision", revision=1, data={"any": "thing"}),
    obj("batch/v1", "Job", spec=_ONCE),
    obj("batch/v1", "CronJob", spec={"schedule": "0 0 * * *", "jobTemplate": {"spec": _ONCE}}),
    obj(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
            "maxReplicas": 3,
        },
    ),
    obj(
        "networking.k8s.io/v1",
        "Ingress",
        spec={"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    ),
    obj("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
    obj("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": _LABELS}}),
    obj("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=_ENDPOINTS),
    obj("coordination.k8s.io/v1", "Lease", spec={"holderIdentity": "me"}),
    obj(f"{_RBAC}/v1", "Role", rules=_RULES),
    obj(f"{_RBAC}/v1", "RoleBinding", subjects=_SUBJECTS, roleRef=_role_ref("Role")),
    widget(spec={"size": 3}),
    note(spec={"any": ["thing", {"deep": 1.5}]}, status={"kept": True}),
]

CLUSTER_SCOPED = [
    _cluster("v1", "Namespace"),
    _cluster(
        "v1",
        "PersistentVolume",
        spec={"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}},
    ),
    _cluster(f"{_RBAC}/v1", "ClusterRole", rules=_RULES),
    _cluster(f"{_RBAC}/v1", "ClusterRoleBinding", subjects=_SUBJECTS, roleRef=_role_ref("ClusterRole")),
    _cluster("storage.k8s.io/v1", "StorageClass", provisioner="example.com/disk"),
    _cluster("scheduling.k8s.io/v1", "PriorityClass", value=7),
    _cluster("networking.k8s.io/v1", "IngressClass", spec={"controller": "example.com/ingress"}),
    _cluster("node.k8s.io/v1", "RuntimeClass", handler="runc"),
    _cluster(f"{_ADMISSION}/v1", "ValidatingWebhookConfiguration", webhooks=[_HOOK]),
    _cluster(f"{_ADMISSION}/v1", "MutatingWebhookConfiguration", webhooks=[_HOOK]),
    _cluster(
        f"{_ADMISSION}/v1",
        "ValidatingAdmissionPolicy",
        spec={
            "matchConstraints": {"resourceRules": _HOOK["rules"]},
            "validations": [{"expression": "true"}],
        },
    ),
    gadget(spec={"any": 1}),
]


def _shown(manifest: Object) -> str:
    return f"{manifest['kind']} {manifest['apiVersion']}"


def _arrives(number: int, manifest: Object) -> Case:
    """Applied as it is, owned, listed; gone with its work, unless a finalizer of its kind keeps it."""
    there: list[Move] = [Work([manifest]), Expect([Entry(manifest)])]
    ends: list[Move] = [] if manifest["kind"] in _PROTECTED else [End(), Ended(gone=[manifest])]
    return Case(f"{number} {_shown(manifest)}", [*there, *ends])


KINDS = [_arrives(n, m) for n, m in enumerate([*NAMESPACED, *CLUSTER_SCOPED])]
