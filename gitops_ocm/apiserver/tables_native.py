"""Printer columns of the built-in kinds, `COLUMNS` by (group, kind); the rest show name and age.

Neighbours: `tables` (what a column is), `tables_workloads` (pods and what makes them).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver import tables_workloads as workloads
from gitops_ocm.apiserver.tables import AGE, CREATED_AT, NAME, Cell, Column, duration, since
from gitops_ocm.apiserver.tables_workloads import selector_text, spec, status
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object

NONE, UNSET = "<none>", "<unset>"


def _at(*path: str, default: Any = "") -> Cell:
    def cell(obj: Object, now: datetime) -> Any:
        value = get(obj, *path)
        return default if value is None else value

    return cell


def _text(name: str, *path: str, default: Any = "", priority: int = 0) -> Column:
    return Column(name, _at(*path, default=default), priority=priority)


def _size(name: str, *path: str, type_: str = "integer") -> Column:
    return Column(name, lambda obj, now: len(get(obj, *path) or ()), type_)


def _joined(items: Iterable[Any], limit: int = 0) -> str:
    texts = [str(item) for item in items]
    if limit and len(texts) > limit:
        return f"{','.join(texts[:limit])} + {len(texts) - limit} more..."
    return ",".join(texts) or NONE


def _phase(obj: Object, now: datetime) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(status(obj).get("phase", ""))


# Core


def _data_size(obj: Object, now: datetime) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _event_object(obj: Object, now: datetime) -> str:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    kind, name = str(about.get("kind", "")).lower(), about.get("name", "")
    return f"{kind}/{name}" if name else kind


def _event_last(obj: Object, now: datetime) -> str:
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    return since(last or obj.get("eventTime"), now)


def _event_first(obj: Object, now: datetime) -> str:
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    return since(first, now)


def _event_source(obj: Object, now: datetime) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    parts = [source.get("component") or obj.get("reportingController"), source.get("host")]
    return ", ".join(p for p in parts if p)


def _event_count(obj: Object, now: datetime) -> Any:
    return obj.get("count") or obj.get("deprecatedCount") or (obj.get("series") or {}).get("count") or 1


_EVENT = (
    Column("Last Seen", _event_last),
    _text("Type", "type"),
    _text("Reason", "reason"),
    Column("Object", _event_object),
    _text("Subobject", "involvedObject", "fieldPath", priority=1),
    Column("Source", _event_source, priority=1),
    Column("Message", lambda o, now: str(o.get("message") or o.get("note") or "").strip()),
    Column("First Seen", _event_first, priority=1),
    Column("Count", _event_count, priority=1),
    Column("Name", NAME.cell, format="name", priority=1),
)


def _node_status(obj: Object, now: datetime) -> str:
    ready = [c.get("status") for c in status(obj).get("conditions") or () if c.get("type") == "Ready"]
    words = ["Unknown" if not ready else "Ready" if ready[0] == "True" else "NotReady"]
    if spec(obj).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(obj: Object, now: datetime) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = {k.removeprefix(prefix) for k in labels if k.startswith(prefix)}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    return _joined(sorted(r for r in roles if r))


def _node_address(kind: str) -> Cell:
    def cell(obj: Object, now: datetime) -> str:
        addresses = status(obj).get("addresses") or ()
        return next((a["address"] for a in addresses if a.get("type") == kind), NONE)

    return cell


_NODE = (
    NAME,
    Column("Status", _node_status),
    Column("Roles", _node_roles),
    AGE,
    _text("Version", "status", "nodeInfo", "kubeletVersion"),
    Column("Internal-IP", _node_address("InternalIP"), priority=1),
    Column("External-IP", _node_address("ExternalIP"), priority=1),
    _text("OS-Image", "status", "nodeInfo", "osImage", default="<unknown>", priority=1),
    _text("Kernel-Version", "status", "nodeInfo", "kernelVersion", default="<unknown>", priority=1),
    _text(
        "Container-Runtime", "status", "nodeInfo", "containerRuntimeVersion", default="<unknown>", priority=1
    ),
)


def _external_ip(obj: Object, now: datetime) -> str:
    kind = spec(obj).get("type", "ClusterIP")
    if kind == "ExternalName":
        return str(spec(obj).get("externalName", ""))
    given = list(spec(obj).get("externalIPs") or ())
    if kind == "LoadBalancer":
        ingress = get(obj, "status", "loadBalancer", "ingress") or ()
        given = [str(i.get("ip") or i.get("hostname") or "") for i in ingress] + given
        return ",".join(given) or "<pending>"
    return _joined(given)


def _service_ports(obj: Object, now: datetime) -> str:
    def text(port: Mapping[str, Any]) -> str:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}"

    return _joined(text(p) for p in spec(obj).get("ports") or ())


def _endpoints(obj: Object, now: datetime) -> str:
    nowhere: list[dict[str, Any]] = [{}]
    found = [
        f"{a.get('ip')}:{p.get('port')}" if p else str(a.get("ip"))
        for subset in obj.get("subsets") or ()
        for p in subset.get("ports") or nowhere
        for a in subset.get("addresses") or ()
    ]
    return _joined(found, 3)


_MODES = {
    "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
}  # fmt: skip


def _access_modes(*path: str) -> Cell:
    return lambda obj, now: ",".join(_MODES.get(m, m) for m in get(obj, *path) or ())


def _claim(obj: Object, now: datetime) -> str:
    ref = spec(obj).get("claimRef")
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""


def _quota(prefix: str, *, limits: bool) -> Cell:
    def cell(obj: Object, now: datetime) -> str:
        hard, used = status(obj).get("hard") or {}, status(obj).get("used") or {}
        chosen = sorted(k for k in hard if k.startswith(prefix) is limits)
        return ", ".join(f"{k}: {used.get(k, '0')}/{hard[k]}" for k in chosen)

    return cell


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
    return _joined(hosts, 3) if hosts else "*"


def _ingress_address(obj: Object, now: datetime) -> str:
    ingress = get(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(str(i.get("ip") or i.get("hostname") or "") for i in ingress)


def _reference(obj: Object, now: datetime) -> str:
    target = spec(obj).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _slice_ports(obj: Object, now: datetime) -> str:
    ports = obj.get("ports")
    return _joined((p.get("port") for p in ports), 3) if ports else UNSET


def _slice_endpoints(obj: Object, now: datetime) -> str:
    endpoints = obj.get("endpoints")
    if not endpoints:
        return UNSET
    return _joined((a for e in endpoints for a in e.get("addresses") or ()), 3)


def _available(obj: Object, now: datetime) -> str:
    for condition in status(obj).get("conditions") or ():
        if condition.get("type") == "Available":
            good = condition.get("status") == "True"
            return "True" if good else f"{condition.get('status')} ({condition.get('reason')})"
    return "Unknown"


def _service_of(obj: Object, now: datetime) -> str:
    ref = spec(obj).get("service")
    return f"{ref.get('namespace')}/{ref.get('name')}" if ref else "Local"


def _bool(name: str, *path: str, default: bool = False, type_: str = "boolean") -> Column:
    return Column(name, lambda obj, now: str(bool(_at(*path, default=default)(obj, now))).lower(), type_)


def _controller_of(obj: Object) -> str:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = str(owner.get("apiVersion", "")).rpartition("/")[0]
            kind = str(owner.get("kind", "")).lower()
            return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return NONE


_HPA = (
    NAME,
    Column("Reference", _reference),
    _text("Targets", "status", "currentMetrics", default="<unknown>"),
    _text("MinPods", "spec", "minReplicas", default=UNSET),
    _text("MaxPods", "spec", "maxReplicas"),
    _text("Replicas", "status", "currentReplicas", default=0),
    AGE,
)
_WEBHOOKS = (NAME, _size("Webhooks", "webhooks"), AGE)
_CLASS_NAME = ("spec", "storageClassName")

COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    Kind("", "ConfigMap"): (NAME, Column("Data", _data_size), AGE),
    Kind("", "Secret"): (NAME, _text("Type", "type"), Column("Data", _data_size), AGE),
    Kind("", "ServiceAccount"): (NAME, AGE),
    Kind("", "Namespace"): (NAME, _text("Status", "status", "phase"), AGE),
    Kind("", "Node"): _NODE,
    Kind("", "Event"): _EVENT,
    Kind("events.k8s.io", "Event"): _EVENT,
    Kind("", "Endpoints"): (NAME, Column("Endpoints", _endpoints), AGE),
    Kind("", "Service"): (
        NAME,
        _text("Type", "spec", "type"),
        _text("Cluster-IP", "spec", "clusterIP", default=NONE),
        Column("External-IP", _external_ip),
        Column("Port(s)", _service_ports),
        AGE,
        workloads.SELECTOR,
    ),
    Kind("", "PersistentVolumeClaim"): (
        NAME,
        Column("Status", _phase),
        _text("Volume", "spec", "volumeName"),
        _text("Capacity", "status", "capacity", "storage"),
        Column("Access Modes", _access_modes("status", "accessModes")),
        _text("StorageClass", *_CLASS_NAME),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default=UNSET),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", default=UNSET, priority=1),
    ),
    Kind("", "PersistentVolume"): (
        NAME,
        _text("Capacity", "spec", "capacity", "storage"),
        Column("Access Modes", _access_modes("spec", "accessModes")),
        _text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
        Column("Status", _phase),
        Column("Claim", _claim),
        _text("StorageClass", *_CLASS_NAME),
        _text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default=UNSET),
        _text("Reason", "status", "reason"),
        AGE,
        _text("VolumeMode", "spec", "volumeMode", default=UNSET, priority=1),
    ),
    Kind("", "ResourceQuota"): (
        NAME,
        Column("Request", _quota("limits.", limits=False)),
        Column("Limit", _quota("limits.", limits=True)),
        AGE,
    ),
    Kind("", "Pod"): workloads.POD,
    Kind("", "ReplicationController"): workloads.REPLICATION_CONTROLLER,
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
    Kind("coordination.k8s.io", "Lease"): (NAME, _text("Holder", "spec", "holderIdentity"), AGE),
    Kind("certificates.k8s.io", "CertificateSigningRequest"): (
        NAME,
        AGE,
        _text("SignerName", "spec", "signerName"),
        _text("Requestor", "spec", "username"),
        Column("RequestedDuration", _csr_duration),
        Column("Condition", _csr_condition),
    ),
    Kind("networking.k8s.io", "Ingress"): (
        NAME,
        _text("Class", "spec", "ingressClassName", default=NONE),
        Column("Hosts", _ingress_hosts),
        Column("Address", _ingress_address),
        Column("Ports", lambda o, now: "80, 443" if spec(o).get("tls") else "80"),
        AGE,
    ),
    Kind("networking.k8s.io", "IngressClass"): (
        NAME,
        _text("Controller", "spec", "controller"),
        _text("Parameters", "spec", "parameters", "name", default=NONE),
        AGE,
    ),
    Kind("networking.k8s.io", "NetworkPolicy"): (
        NAME,
        Column("Pod-Selector", lambda o, now: selector_text(spec(o).get("podSelector"))),
        AGE,
    ),
    Kind("discovery.k8s.io", "EndpointSlice"): (
        NAME,
        _text("AddressType", "addressType"),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    ),
    Kind("policy", "PodDisruptionBudget"): (
        NAME,
        _text("Min Available", "spec", "minAvailable", default="N/A"),
        _text("Max Unavailable", "spec", "maxUnavailable", default="N/A"),
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
        _text("Provisioner", "provisioner"),
        _text("ReclaimPolicy", "reclaimPolicy", default="Delete"),
        _text("VolumeBindingMode", "volumeBindingMode", default="Immediate"),
        _bool("AllowVolumeExpansion", "allowVolumeExpansion", type_="string"),
        AGE,
    ),
    Kind("scheduling.k8s.io", "PriorityClass"): (
        NAME,
        Column("Value", _at("value", default=0), "integer"),
        Column("Global-Default", lambda o, now: bool(o.get("globalDefault", False)), "boolean"),
        AGE,
        _text("PreemptionPolicy", "preemptionPolicy", default="PreemptLowerPriority"),
    ),
    Kind("apps", "ControllerRevision"): (
        NAME,
        Column("Controller", lambda o, now: _controller_of(o)),
        _text("Revision", "revision", default=0),
        AGE,
    ),
}
