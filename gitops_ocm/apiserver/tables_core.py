"""Printer columns of the core group's kinds (and of Events in either group).

Part of `tables_native`; what runs pods is in `tables_workloads`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver import tables_workloads as workloads
from gitops_ocm.apiserver.tables import AGE, NAME, Cell, Column, since
from gitops_ocm.apiserver.tables_workloads import spec, status
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object

NONE, UNSET = "<none>", "<unset>"


def at(*path: str, default: Any = "") -> Cell:
    """A cell that shows the field at a path; `default` where it is absent or empty."""

    def cell(obj: Object, now: datetime) -> Any:
        value = get(obj, *path)
        return default if value is None or value == "" else value

    return cell


def text(name: str, *path: str, default: Any = "", priority: int = 0) -> Column:
    """A column that shows the field at a path."""
    return Column(name, at(*path, default=default), priority=priority)


def joined(items: Iterable[Any], limit: int = 0) -> str:
    """Items with commas between; with a limit, the rest is counted."""
    shown = [str(item) for item in items]
    if limit and len(shown) > limit:
        return f"{','.join(shown[:limit])} + {len(shown) - limit} more..."
    return ",".join(shown) or NONE


def _phase(obj: Object, now: datetime) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(status(obj).get("phase", ""))


# Core


def _data_size(obj: Object, now: datetime) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def _about(obj: Object) -> Mapping[str, Any]:
    return obj.get("involvedObject") or obj.get("regarding") or {}


def _event_object(obj: Object, now: datetime) -> str:
    about = _about(obj)
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
    reporter = obj.get("reportingController") or obj.get("reportingComponent")
    parts = [source.get("component") or reporter, source.get("host") or obj.get("reportingInstance")]
    return ", ".join(p for p in parts if p)


def _event_count(obj: Object, now: datetime) -> Any:
    return obj.get("count") or obj.get("deprecatedCount") or (obj.get("series") or {}).get("count") or 1


_EVENT = (
    Column("Last Seen", _event_last),
    text("Type", "type"),
    text("Reason", "reason"),
    Column("Object", _event_object),
    Column("Subobject", lambda o, now: _about(o).get("fieldPath", ""), priority=1),
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
    return joined(sorted(r for r in roles if r))


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
    text("Version", "status", "nodeInfo", "kubeletVersion"),
    Column("Internal-IP", _node_address("InternalIP"), priority=1),
    Column("External-IP", _node_address("ExternalIP"), priority=1),
    text("OS-Image", "status", "nodeInfo", "osImage", default="<unknown>", priority=1),
    text("Kernel-Version", "status", "nodeInfo", "kernelVersion", default="<unknown>", priority=1),
    text(
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
    return joined(given)


def _service_ports(obj: Object, now: datetime) -> str:
    def text(port: Mapping[str, Any]) -> str:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}"

    return joined(text(p) for p in spec(obj).get("ports") or ())


def _endpoints(obj: Object, now: datetime) -> str:
    nowhere: list[dict[str, Any]] = [{}]
    found = [
        f"{a.get('ip')}:{p.get('port')}" if p else str(a.get("ip"))
        for subset in obj.get("subsets") or ()
        for p in subset.get("ports") or nowhere
        for a in subset.get("addresses") or ()
    ]
    return joined(found, 3)


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


CORE: Mapping[Kind, tuple[Column, ...]] = {
    Kind("", "ConfigMap"): (NAME, Column("Data", _data_size), AGE),
    Kind("", "Secret"): (NAME, text("Type", "type"), Column("Data", _data_size), AGE),
    Kind("", "ServiceAccount"): (NAME, AGE),
    Kind("", "Namespace"): (NAME, text("Status", "status", "phase"), AGE),
    Kind("", "Node"): _NODE,
    Kind("", "Event"): _EVENT,
    Kind("events.k8s.io", "Event"): _EVENT,
    Kind("", "Endpoints"): (NAME, Column("Endpoints", _endpoints), AGE),
    Kind("", "Service"): (
        NAME,
        text("Type", "spec", "type"),
        text("Cluster-IP", "spec", "clusterIP", default=NONE),
        Column("External-IP", _external_ip),
        Column("Port(s)", _service_ports),
        AGE,
        workloads.SELECTOR,
    ),
    Kind("", "PersistentVolumeClaim"): (
        NAME,
        Column("Status", _phase),
        text("Volume", "spec", "volumeName"),
        text("Capacity", "status", "capacity", "storage"),
        Column("Access Modes", _access_modes("status", "accessModes")),
        text("StorageClass", "spec", "storageClassName"),
        text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default=UNSET),
        AGE,
        text("VolumeMode", "spec", "volumeMode", default=UNSET, priority=1),
    ),
    Kind("", "PersistentVolume"): (
        NAME,
        text("Capacity", "spec", "capacity", "storage"),
        Column("Access Modes", _access_modes("spec", "accessModes")),
        text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
        Column("Status", _phase),
        Column("Claim", _claim),
        text("StorageClass", "spec", "storageClassName"),
        text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default=UNSET),
        text("Reason", "status", "reason"),
        AGE,
        text("VolumeMode", "spec", "volumeMode", default=UNSET, priority=1),
    ),
    Kind("", "ResourceQuota"): (
        NAME,
        Column("Request", _quota("limits.", limits=False)),
        Column("Limit", _quota("limits.", limits=True)),
        AGE,
    ),
    Kind("", "Pod"): workloads.POD,
    Kind("", "PodTemplate"): workloads.POD_TEMPLATE,
    Kind("", "ReplicationController"): workloads.REPLICATION_CONTROLLER,
}
