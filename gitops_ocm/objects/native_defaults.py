"""Defaults of built-in kinds, by definition: what a server fills in when it decodes one.

`STATIC` holds whatever else is said; `CONDITIONAL` looks at the rest of the value, and changes it in
place before its parts are looked at. They hold wherever a definition is used: a pod's in a Pod and in
every template. What only happens at a creation, and what is refused, is `native`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from gitops_ocm.objects import native_defaults_devices as devices
from gitops_ocm.objects.native_defaults_scaling import autoscaler_defaults
from gitops_ocm.objects.quantities import quantity, quantity_like

Value = dict[str, Any]

_CORE, _APPS, _BATCH = "io.k8s.api.core.v1.", "io.k8s.api.apps.v1.", "io.k8s.api.batch.v1."
_NET, _STORAGE, _RBAC = "io.k8s.api.networking.v1.", "io.k8s.api.storage.v1.", "io.k8s.api.rbac.v1."
_ADMISSION = "io.k8s.api.admissionregistration.v1."
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_RBAC_GROUP = "rbac.authorization.k8s.io"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation that counts the changes of a DaemonSet's template."""
_MAX_INT32 = 2**31 - 1
_WEBHOOK: Mapping[str, Any] = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}

STATIC: Mapping[str, Mapping[str, Any]] = {
    f"{_CORE}PodSpec": {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    },
    f"{_CORE}Container": {
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    },
    f"{_CORE}EphemeralContainer": {
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    },
    f"{_CORE}Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    f"{_CORE}HTTPGetAction": {"scheme": "HTTP", "path": "/"},
    f"{_CORE}GRPCAction": {"service": ""},
    f"{_CORE}ConfigMapVolumeSource": {"defaultMode": 420},
    f"{_CORE}SecretVolumeSource": {"defaultMode": 420},
    f"{_CORE}ProjectedVolumeSource": {"defaultMode": 420},
    f"{_CORE}DownwardAPIVolumeSource": {"defaultMode": 420},
    f"{_CORE}ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    f"{_CORE}HostPathVolumeSource": {"type": ""},
    f"{_CORE}ObjectFieldSelector": {"apiVersion": "v1"},
    f"{_CORE}AzureDiskVolumeSource": {"readOnly": False},
    f"{_CORE}EndpointPort": {"protocol": "TCP"},
    f"{_CORE}Secret": {"type": "Opaque"},
    f"{_CORE}PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    f"{_CORE}PersistentVolumeClaimStatus": {"phase": "Pending"},
    f"{_CORE}PersistentVolumeSpec": {
        "volumeMode": "Filesystem",
        "persistentVolumeReclaimPolicy": "Retain",
    },
    f"{_CORE}PersistentVolumeStatus": {"phase": "Pending"},
    f"{_CORE}NamespaceStatus": {"phase": "Active"},
    f"{_CORE}PodStatus": {"phase": "Pending"},
    f"{_CORE}ReplicationControllerSpec": {"replicas": 1},
    f"{_CORE}ServiceSpec": {"type": "ClusterIP", "sessionAffinity": "None"},
    f"{_APPS}DeploymentSpec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    f"{_APPS}DeploymentStrategy": {"type": "RollingUpdate"},
    f"{_APPS}RollingUpdateDeployment": {"maxUnavailable": "25%", "maxSurge": "25%"},
    f"{_APPS}ReplicaSetSpec": {"replicas": 1},
    f"{_APPS}StatefulSetSpec": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {},
    },
    f"{_APPS}StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    },
    f"{_APPS}StatefulSetUpdateStrategy": {"type": "RollingUpdate"},
    f"{_APPS}RollingUpdateStatefulSetStrategy": {"partition": 0},
    f"{_APPS}DaemonSetSpec": {"revisionHistoryLimit": 10},
    f"{_APPS}DaemonSetUpdateStrategy": {"type": "RollingUpdate"},
    f"{_APPS}RollingUpdateDaemonSet": {"maxUnavailable": 1, "maxSurge": 0},
    f"{_BATCH}CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    f"{_BATCH}PodFailurePolicyOnPodConditionsPattern": {"status": "True"},
    f"{_RBAC}RoleRef": {"apiGroup": _RBAC_GROUP},
    f"{_STORAGE}StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    f"{_STORAGE}CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False,
        "seLinuxMount": False,
    },
    f"{_NET}NetworkPolicyPort": {"protocol": "TCP"},
    f"{_NET}IngressClassParametersReference": {"scope": "Cluster"},
    "io.k8s.api.discovery.v1.EndpointPort": {"name": "", "protocol": "TCP"},
    "io.k8s.api.scheduling.v1.PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    f"{_ADMISSION}ValidatingWebhook": _WEBHOOK,
    f"{_ADMISSION}MutatingWebhook": {**_WEBHOOK, "reinvocationPolicy": "Never"},
    f"{_ADMISSION}RuleWithOperations": {"scope": "*"},
    f"{_ADMISSION}NamedRuleWithOperations": {"scope": "*"},
    f"{_ADMISSION}ServiceReference": {"port": 443},
    f"{_ADMISSION}ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    f"{_ADMISSION}MatchResources": {
        "matchPolicy": "Equivalent",
        "namespaceSelector": {},
        "objectSelector": {},
    },
    f"{_EXTENSIONS}ServiceReference": {"port": 443},
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": {"port": 443},
    **devices.STATIC,
}


def _container(value: Value) -> None:
    if not value.get("imagePullPolicy"):
        name, _, digest = str(value.get("image") or "").partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        latest = tag in ("", "latest") and not digest
        value["imagePullPolicy"] = "Always" if latest else "IfNotPresent"


def _volume(value: Value) -> None:
    if not value.keys() - {"name"}:
        value["emptyDir"] = {}


def _pod_spec(value: Value) -> None:
    account = value.get("serviceAccountName") or value.get("serviceAccount")
    if account:
        value["serviceAccountName"] = value["serviceAccount"] = account


def _pod(value: Value) -> None:
    """What holds for a Pod itself and not for the template of one."""
    spec = dict(value.get("spec") or {})
    spec.setdefault("enableServiceLinks", True)
    for name in ("initContainers", "containers"):
        if isinstance(spec.get(name), list):
            spec[name] = [_pods_own(c, host=bool(spec.get("hostNetwork"))) for c in spec[name]]
    whole = spec.get("resources")
    if whole and (whole.get("limits") or whole.get("requests")):
        spec["resources"] = _requested(
            {**whole, "requests": {**_summed(spec), **(whole.get("requests") or {})}}
        )
    value["spec"] = spec


def _pods_own(container: Any, *, host: bool) -> Any:
    result = dict(container or {})
    if result.get("resources"):
        result["resources"] = _requested(result["resources"])
    if host and result.get("ports"):
        result["ports"] = [{"hostPort": p.get("containerPort", 0), **p} for p in result["ports"]]
    return result


def _summed(spec: Mapping[str, Any]) -> Value:
    """What the containers request together, of what can be requested for a pod as a whole."""
    asked = {
        name: [(c.get("resources") or {}).get("requests") or {} for c in spec.get(name) or ()]
        for name in ("initContainers", "containers")
    }
    names = {name for each in (*asked["initContainers"], *asked["containers"]) for name in each}
    total = {}
    for name in sorted(names):
        if name in ("cpu", "memory") or name.startswith("hugepages-"):
            at_once = sum((quantity(str(each.get(name) or 0)) for each in asked["containers"]), Decimal())
            before = max(
                (quantity(str(each.get(name) or 0)) for each in asked["initContainers"]), default=at_once
            )
            first = next(
                str(each[name] or 0)
                for each in (*asked["containers"], *asked["initContainers"])
                if name in each
            )
            total[name] = quantity_like(max(at_once, before), first)
    return total


def _requested(resources: Mapping[str, Any]) -> Value:
    """Where a limit is named and no request, the limit is what is requested."""
    limits = resources.get("limits") or {}
    if not limits:
        return dict(resources)
    return {**resources, "requests": {**limits, **(resources.get("requests") or {})}}


def _service_spec(value: Value) -> None:
    kind = value["type"]
    if value["sessionAffinity"] == "ClientIP":
        given = (value.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        value["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800, **given}}
    elif value["sessionAffinity"] == "None":
        value.pop("sessionAffinityConfig", None)
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and value.get("externalIPs")):
        value.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        value.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        value.setdefault("allocateLoadBalancerNodePorts", True)


def _service_port(value: Value) -> None:
    if not value.get("protocol"):
        value["protocol"] = "TCP"
    if value.get("targetPort") in (None, "", 0):
        value["targetPort"] = value.get("port", 0)


def _limit_range_item(value: Value) -> None:
    if value.get("type") != "Container":
        return
    most, given = value.get("max") or {}, value.get("default") or {}
    value["default"] = {**most, **given}
    least, asked = value.get("min") or {}, value.get("defaultRequest") or {}
    value["defaultRequest"] = {**least, **value["default"], **asked}


def _node_status(value: Value) -> None:
    if value.get("capacity") and "allocatable" not in value:
        value["allocatable"] = dict(value["capacity"])


def _node_spec(value: Value) -> None:
    if value.get("podCIDR") and not value.get("podCIDRs"):
        value["podCIDRs"] = [value["podCIDR"]]
    elif value.get("podCIDRs") and not value.get("podCIDR"):
        value["podCIDR"] = value["podCIDRs"][0]


def _namespace(value: Value) -> None:
    meta = value.get("metadata") or {}
    if meta.get("name"):
        labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
        value["metadata"] = {**meta, "labels": labels}


def labels_of_template(value: Value) -> None:
    """An object without labels has those of its template."""
    meta = value.get("metadata") or {}
    labels = _template_labels(value)
    if labels and not meta.get("labels"):
        value["metadata"] = {**meta, "labels": dict(labels)}


def _template_labels(value: Value) -> Mapping[str, str]:
    template = (value.get("spec") or {}).get("template") or {}
    labels: Mapping[str, str] = (template.get("metadata") or {}).get("labels") or {}
    return labels


def _replication_controller(value: Value) -> None:
    labels = _template_labels(value)
    if labels and not (value.get("spec") or {}).get("selector"):
        value["spec"] = {**value["spec"], "selector": dict(labels)}
    labels_of_template(value)


def _secret(value: Value) -> None:
    given = value.pop("stringData", None)
    if given:
        encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in given.items()}
        value["data"] = {**(value.get("data") or {}), **encoded}


def _daemon_set(value: Value) -> None:
    meta = value.get("metadata") or {}
    annotations = {TEMPLATE_GENERATION: "0", **(meta.get("annotations") or {})}
    value["metadata"] = {**meta, "annotations": annotations}


def _stateful_set_spec(value: Value) -> None:
    claims = value.get("volumeClaimTemplates")
    if claims:
        named = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        value["volumeClaimTemplates"] = [{**named, **claim} for claim in claims]


def _rolling(value: Value) -> None:
    if value.get("type") == "RollingUpdate":
        value.setdefault("rollingUpdate", {})


def _job(value: Value) -> None:
    """What holds for a Job and not for the template in a CronJob."""
    spec = dict(value.get("spec") or {})
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    policy = spec.get("podFailurePolicy")
    for name, default in (
        ("parallelism", 1),
        ("backoffLimit", 6 if spec.get("backoffLimitPerIndex") is None else _MAX_INT32),
        ("completionMode", "NonIndexed"),
        ("suspend", False),
        ("manualSelector", False),
        ("podReplacementPolicy", "Failed" if policy else "TerminatingOrFailed"),
    ):
        if spec.get(name) is None:
            spec[name] = default
    value["spec"] = spec
    labels_of_template(value)


def _network_policy_spec(value: Value) -> None:
    if not value.get("policyTypes"):
        value["policyTypes"] = ["Ingress", *(["Egress"] if value.get("egress") else [])]


def _subject(value: Value) -> None:
    if value.get("kind") in ("User", "Group") and not value.get("apiGroup"):
        value["apiGroup"] = _RBAC_GROUP


def _definition_spec(value: Value) -> None:
    names = dict(value.get("names") or {})
    kind = names.get("kind") or ""
    names["singular"] = names.get("singular") or kind.lower()
    names["listKind"] = names.get("listKind") or (f"{kind}List" if kind else "")
    value["names"] = names
    value.setdefault("conversion", {"strategy": "None"})


CONDITIONAL: Mapping[str, Callable[[Value], None]] = {
    f"{_CORE}Container": _container,
    f"{_CORE}EphemeralContainer": _container,
    f"{_CORE}Volume": _volume,
    f"{_CORE}PodSpec": _pod_spec,
    f"{_CORE}Pod": _pod,
    f"{_CORE}ServiceSpec": _service_spec,
    f"{_CORE}ServicePort": _service_port,
    f"{_CORE}LimitRangeItem": _limit_range_item,
    f"{_CORE}NodeStatus": _node_status,
    f"{_CORE}NodeSpec": _node_spec,
    f"{_CORE}Namespace": _namespace,
    f"{_CORE}Secret": _secret,
    f"{_CORE}ReplicationController": _replication_controller,
    f"{_APPS}DaemonSet": _daemon_set,
    f"{_APPS}StatefulSetSpec": _stateful_set_spec,
    f"{_APPS}DeploymentStrategy": _rolling,
    f"{_APPS}DaemonSetUpdateStrategy": _rolling,
    f"{_APPS}StatefulSetUpdateStrategy": _rolling,
    f"{_BATCH}Job": _job,
    f"{_NET}NetworkPolicySpec": _network_policy_spec,
    f"{_RBAC}Subject": _subject,
    f"{_EXTENSIONS}CustomResourceDefinitionSpec": _definition_spec,
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler": autoscaler_defaults,
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler": autoscaler_defaults,
    "io.k8s.api.resource.v1.ExactDeviceRequest": devices.counted,
    "io.k8s.api.resource.v1.DeviceSubRequest": devices.counted,
}
