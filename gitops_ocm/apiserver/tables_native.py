"""Printer columns of the built-in kinds, `COLUMNS` by (group, kind); the rest show name and age.

Neighbours: `tables` (what a column is), `tables_core` (the core group), `tables_workloads` (pods and
what makes them).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver import tables_devices
from gitops_ocm.apiserver import tables_workloads as workloads
from gitops_ocm.apiserver.tables import AGE, CREATED_AT, NAME, Cell, Column, duration
from gitops_ocm.apiserver.tables_core import CORE, NONE, UNSET, at, joined, text
from gitops_ocm.apiserver.tables_workloads import selector_text, spec, status
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object


def _size(name: str, *path: str, type_: str = "integer") -> Column:
    return Column(name, lambda obj, now: len(get(obj, *path) or ()), type_)


# Access


def _role_ref(obj: Object, now: datetime) -> str:
    ref = obj.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _subjects(kind: str) -> Cell:
    def cell(obj: Object, now: datetime) -> str:
        chosen = [s for s in obj.get("subjects") or () if s.get("kind") == kind]
        service_account = kind == "ServiceAccount"
        return ", ".join(
            f"{s.get('namespace', '')}/{s['name']}" if service_account else s["name"] for s in chosen
        )

    return cell


_BINDING = (
    NAME,
    Column("Role", _role_ref),
    AGE,
    Column("Users", _subjects("User"), priority=1),
    Column("Groups", _subjects("Group"), priority=1),
    Column("ServiceAccounts", _subjects("ServiceAccount"), priority=1),
)


def _csr_condition(obj: Object, now: datetime) -> str:
    conditions = status(obj).get("conditions") or ()
    denied = any(c.get("type") == "Denied" for c in conditions)
    words = ["Denied"] if denied else ["Approved"] * any(c.get("type") == "Approved" for c in conditions)
    words = words or ["Pending"]
    if any(c.get("type") == "Failed" for c in conditions):
        words.append("Failed")
    if status(obj).get("certificate"):
        words.append("Issued")
    return ",".join(words)


def _csr_duration(obj: Object, now: datetime) -> str:
    seconds = spec(obj).get("expirationSeconds")
    return duration(seconds) if seconds is not None else NONE


# Network, storage and the rest


def _ingress_hosts(obj: Object, now: datetime) -> str:
    hosts = [rule["host"] for rule in spec(obj).get("rules") or () if rule.get("host")]
    return joined(hosts, 3) if hosts else "*"


def _ingress_address(obj: Object, now: datetime) -> str:
    ingress = get(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(str(i.get("ip") or i.get("hostname") or "") for i in ingress)


def _reference(obj: Object, now: datetime) -> str:
    target = spec(obj).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _slice_ports(obj: Object, now: datetime) -> str:
    ports = obj.get("ports")
    return joined((p.get("port") for p in ports), 3) if ports else UNSET


def _slice_endpoints(obj: Object, now: datetime) -> str:
    endpoints = obj.get("endpoints")
    if not endpoints:
        return UNSET
    return joined((a for e in endpoints for a in e.get("addresses") or ()), 3)


def _available(obj: Object, now: datetime) -> str:
    for condition in status(obj).get("conditions") or ():
        if condition.get("type") == "Available":
            good = condition.get("status") == "True"
            return "True" if good else f"{condition.get('status')} ({condition.get('reason')})"
    return "Unknown"


def _service_of(obj: Object, now: datetime) -> str:
    ref = spec(obj).get("service")
    return f"{ref.get('namespace')}/{ref.get('name')}" if ref else "Local"


def _printed(name: str, *path: str, default: str) -> Column:
    """A column of text over a field that need not be text."""
    return Column(name, lambda obj, now: str(at(*path, default=default)(obj, now)))


def _bool(name: str, *path: str) -> Column:
    return Column(name, lambda obj, now: bool(get(obj, *path)), "boolean")


def _targets(obj: Object, now: datetime) -> str:
    """What a HorizontalPodAutoscaler measures: `cpu: 10%/50%`, unknown where nothing measures."""
    percent = spec(obj).get("targetCPUUtilizationPercentage")
    if percent:  # autoscaling/v1
        current = status(obj).get("currentCPUUtilizationPercentage")
        return f"cpu: {'<unknown>' if current is None else f'{current}%'}/{percent}%"
    currents = status(obj).get("currentMetrics") or []
    return joined(
        _target(metric, currents[at] if at < len(currents) else {})
        for at, metric in enumerate(spec(obj).get("metrics") or ())
    ).replace(",", ", ")


def _target(metric: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    kind = str(metric.get("type", ""))
    key = kind[:1].lower() + kind[1:]
    wanted = (metric.get(key) or {}).get("target") or {}
    found = (current.get(key) or {}).get("current") or {}
    name = (metric.get(key) or {}).get("name")
    prefix = f"{name}: " if name and kind == "Resource" else ""
    if wanted.get("averageUtilization") is not None:
        used = found.get("averageUtilization")
        return f"{prefix}{'<unknown>' if used is None else f'{used}%'}/{wanted['averageUtilization']}%"
    field = "averageValue" if wanted.get("averageValue") else "value"
    average = " (avg)" if field == "averageValue" and kind != "Resource" and kind != "Pods" else ""
    return f"{prefix}{found.get(field, '<unknown>')}/{wanted.get(field, '<auto>')}{average}"


def _controller_of(obj: Object) -> str:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = str(owner.get("apiVersion", "")).rpartition("/")[0]
            kind = str(owner.get("kind", "")).lower()
            return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return NONE


def _audiences(obj: Object) -> str:
    requests = spec(obj).get("tokenRequests")
    return ",".join(str(r.get("audience", "")) for r in requests) if requests else UNSET


def _parent(obj: Object, now: datetime) -> str:
    ref = spec(obj).get("parentRef") or {}
    return "/".join(str(ref[key]) for key in ("group", "resource", "namespace", "name") if ref.get(key))


def _param_kind(obj: Object, now: datetime) -> str:
    kind = spec(obj).get("paramKind")
    return f"{kind.get('apiVersion')}/{kind.get('kind')}" if kind else UNSET


def _param_ref(obj: Object, now: datetime) -> str:
    ref = spec(obj).get("paramRef")
    if not ref:
        return UNSET
    return f"{ref['namespace']}/{ref.get('name', '')}" if ref.get("namespace") else f"*/{ref.get('name', '')}"


_HPA = (
    NAME,
    Column("Reference", _reference),
    Column("Targets", _targets),
    _printed("MinPods", "spec", "minReplicas", default=UNSET),
    Column("MaxPods", at("spec", "maxReplicas", default=0)),
    text("Replicas", "status", "currentReplicas", default=0),
    AGE,
)
_WEBHOOKS = (NAME, _size("Webhooks", "webhooks"), AGE)

COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    **CORE,
    Kind("apps", "Deployment"): workloads.DEPLOYMENT,
    Kind("apps", "ReplicaSet"): workloads.REPLICA_SET,
    Kind("apps", "StatefulSet"): workloads.STATEFUL_SET,
    Kind("apps", "DaemonSet"): workloads.DAEMON_SET,
    Kind("batch", "Job"): workloads.JOB,
    Kind("batch", "CronJob"): workloads.CRON_JOB,
    Kind("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    Kind("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
    Kind("rbac.authorization.k8s.io", "Role"): (NAME, CREATED_AT),
    Kind("rbac.authorization.k8s.io", "ClusterRole"): (NAME, CREATED_AT),
    Kind("coordination.k8s.io", "Lease"): (NAME, text("Holder", "spec", "holderIdentity"), AGE),
    Kind("certificates.k8s.io", "CertificateSigningRequest"): (
        NAME,
        AGE,
        text("SignerName", "spec", "signerName"),
        text("Requestor", "spec", "username"),
        Column("RequestedDuration", _csr_duration),
        Column("Condition", _csr_condition),
    ),
    Kind("networking.k8s.io", "Ingress"): (
        NAME,
        text("Class", "spec", "ingressClassName", default=NONE),
        Column("Hosts", _ingress_hosts),
        Column("Address", _ingress_address),
        Column("Ports", lambda o, now: "80, 443" if spec(o).get("tls") else "80"),
        AGE,
    ),
    Kind("networking.k8s.io", "IngressClass"): (
        NAME,
        text("Controller", "spec", "controller"),
        text("Parameters", "spec", "parameters", "name", default=NONE),
        AGE,
    ),
    Kind("networking.k8s.io", "NetworkPolicy"): (
        NAME,
        Column("Pod-Selector", lambda o, now: selector_text(spec(o).get("podSelector"))),
        AGE,
    ),
    Kind("discovery.k8s.io", "EndpointSlice"): (
        NAME,
        text("AddressType", "addressType"),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    Kind("policy", "PodDisruptionBudget"): (
        NAME,
        _printed("Min Available", "spec", "minAvailable", default="N/A"),
        _printed("Max Unavailable", "spec", "maxUnavailable", default="N/A"),
        workloads.count("Allowed Disruptions", "disruptionsAllowed"),
        AGE,
    ),
    Kind("autoscaling", "HorizontalPodAutoscaler"): _HPA,
    Kind("apiregistration.k8s.io", "APIService"): (
        NAME,
        Column("Service", _service_of),
        Column("Available", _available),
        AGE,
    ),
    Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _WEBHOOKS,
    Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _WEBHOOKS,
    Kind("storage.k8s.io", "StorageClass"): (
        NAME,
        text("Provisioner", "provisioner"),
        text("ReclaimPolicy", "reclaimPolicy", default="Delete"),
        text("VolumeBindingMode", "volumeBindingMode", default="Immediate"),
        Column("AllowVolumeExpansion", lambda o, now: bool(o.get("allowVolumeExpansion", False))),
        AGE,
    ),
    Kind("storage.k8s.io", "CSIDriver"): (
        NAME,
        _bool("AttachRequired", "spec", "attachRequired"),
        _bool("PodInfoOnMount", "spec", "podInfoOnMount"),
        _bool("StorageCapacity", "spec", "storageCapacity"),
        Column("TokenRequests", lambda o, now: _audiences(o)),
        _bool("RequiresRepublish", "spec", "requiresRepublish"),
        Column("Modes", lambda o, now: joined(spec(o).get("volumeLifecycleModes") or ())),
        AGE,
    ),
    Kind("storage.k8s.io", "CSINode"): (NAME, _size("Drivers", "spec", "drivers"), AGE),
    Kind("storage.k8s.io", "VolumeAttachment"): (
        NAME,
        Column("Attacher", at("spec", "attacher"), format="name"),
        text("PV", "spec", "source", "persistentVolumeName"),
        text("Node", "spec", "nodeName"),
        _bool("Attached", "status", "attached"),
        AGE,
    ),
    Kind("storage.k8s.io", "VolumeAttributesClass"): (NAME, text("DriverName", "driverName"), AGE),
    Kind("networking.k8s.io", "ServiceCIDR"): (
        NAME,
        Column("CIDRs", lambda o, now: joined(spec(o).get("cidrs") or ())),
        AGE,
    ),
    Kind("networking.k8s.io", "IPAddress"): (NAME, Column("ParentRef", _parent)),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): (
        NAME,
        _size("Validations", "spec", "validations"),
        Column("ParamKind", _param_kind),
        AGE,
    ),
    Kind("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): (
        NAME,
        text("PolicyName", "spec", "policyName"),
        Column("ParamRef", _param_ref),
        AGE,
    ),
    Kind("scheduling.k8s.io", "PriorityClass"): (
        NAME,
        Column("Value", at("value", default=0), "integer"),
        Column("Global-Default", lambda o, now: bool(o.get("globalDefault", False)), "boolean"),
        AGE,
        text("PreemptionPolicy", "preemptionPolicy", default="PreemptLowerPriority"),
    ),
    Kind("apps", "ControllerRevision"): (
        NAME,
        Column("Controller", lambda o, now: _controller_of(o)),
        text("Revision", "revision", default=0),
        AGE,
    ),
    **tables_devices.COLUMNS,
}
