"""Printer columns of the kinds that run things: pods and what makes pods.

Part of `tables_native`. The cells say what kubectl shows for a real cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.tables import AGE, NAME, Column, duration, since
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Object


def spec(obj: Object) -> Mapping[str, Any]:
    """The object's spec, or nothing."""
    return obj.get("spec") or {}


def status(obj: Object) -> Mapping[str, Any]:
    """The object's status, or nothing."""
    return obj.get("status") or {}


def _containers(obj: Object) -> list[Mapping[str, Any]]:
    template = (spec(obj).get("jobTemplate") or obj).get("spec") or {}
    template = template.get("template") or obj.get("template") or {}
    return (template.get("spec") or {}).get("containers") or []


def _pod_spec(obj: Object) -> Mapping[str, Any]:
    return (spec(obj).get("template") or {}).get("spec") or {}


def _names(obj: Object, now: datetime) -> str:
    return ",".join(str(c.get("name", "")) for c in _containers(obj))


def _images(obj: Object, now: datetime) -> str:
    return ",".join(str(c.get("image", "")) for c in _containers(obj))


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A selector as text: a label selector, or the plain map of labels that older kinds have."""
    if not selector:
        return "<none>"
    if not selector.keys() & {"matchLabels", "matchExpressions"}:
        return pairs(selector)
    terms = [f"{k}={v}" for k, v in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or ():
        key, values = term.get("key", ""), ",".join(sorted(term.get("values") or ()))
        words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        terms.append(words.get(term.get("operator"), f"!{key}"))
    return ",".join(terms) or "<none>"


def pairs(labels: Mapping[str, Any]) -> str:
    """`a=1,b=2`, or `<none>`."""
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or "<none>"


def _selector(obj: Object, now: datetime) -> str:
    return selector_text(spec(obj).get("selector"))


CONTAINERS = Column("Containers", _names, priority=1, description="Names of the containers.")
IMAGES = Column("Images", _images, priority=1, description="Images of the containers.")
SELECTOR = Column("Selector", _selector, priority=1, description="Which pods belong to it.")


def _of(names: tuple[str, ...], *, where: str = "status") -> Any:
    def cell(obj: Object, now: datetime) -> Any:
        value: Any = obj.get(where) or {}
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value or 0

    return cell


def count(name: str, *path: str, where: str = "status") -> Column:
    """An integer column read from the status (or spec), 0 where it is absent."""
    return Column(name, _of(path, where=where), "integer")


def _ready_of_desired(obj: Object, now: datetime) -> str:
    return f"{status(obj).get('readyReplicas', 0)}/{spec(obj).get('replicas', 1)}"


def _text(column: Column) -> Column:
    """The same column with the type `string`, as real Deployments declare theirs."""
    return Column(column.name, column.cell)


# Pods


def _pod_ready(obj: Object, now: datetime) -> str:
    ready = sum(1 for c in status(obj).get("containerStatuses") or () if c.get("ready"))
    return f"{ready}/{len(spec(obj).get('containers') or ())}"


def _pod_status(obj: Object, now: datetime) -> str:
    pod = status(obj)
    reason = str(pod.get("reason") or pod.get("phase") or "")
    for condition in pod.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    reason = _init_reason(obj) or _container_reason(pod.get("containerStatuses") or (), reason)
    if obj["metadata"].get("deletionTimestamp"):
        if pod.get("reason") == "NodeLost":
            return "Unknown"
        return reason if pod.get("phase") in ("Failed", "Succeeded") else "Terminating"
    return reason


def _container_reason(statuses: Iterable[Mapping[str, Any]], reason: str) -> str:
    running = False
    for container in reversed(list(statuses)):
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _terminated(state["terminated"])
        elif container.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        return "Running"
    return reason


def _terminated(state: Mapping[str, Any]) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _init_reason(obj: Object) -> str:
    statuses = status(obj).get("initContainerStatuses") or ()
    sidecars = {
        c.get("name") for c in spec(obj).get("initContainers") or () if c.get("restartPolicy") == "Always"
    }
    for at, container in enumerate(statuses):
        state = container.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode", 0) == 0:
            continue
        if container.get("name") in sidecars and container.get("started"):
            continue
        if ended is not None:
            return f"Init:{_terminated(ended)}"
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{at}/{len(spec(obj).get('initContainers') or ())}"
    return ""


def _pod_restarts(obj: Object, now: datetime) -> str:
    """How often containers began anew: those that run before the others only while they do."""
    statuses = [*(status(obj).get("initContainerStatuses") or ())]
    if not _init_reason(obj):
        sidecars = {
            c.get("name") for c in spec(obj).get("initContainers") or () if c.get("restartPolicy") == "Always"
        }
        statuses = [each for each in statuses if each.get("name") in sidecars]
        statuses += status(obj).get("containerStatuses") or ()
    total = sum(int(c.get("restartCount", 0)) for c in statuses)
    ends = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for c in statuses]
    last = max((e for e in ends if e), default="")
    return f"{total} ({since(last, now)} ago)" if total and last else str(total)


def _pod_ip(obj: Object, now: datetime) -> str:
    ips = status(obj).get("podIPs") or ()
    return str(ips[0].get("ip") if ips else status(obj).get("podIP") or "<none>")


def _gates(obj: Object, now: datetime) -> str:
    gates = spec(obj).get("readinessGates") or ()
    if not gates:
        return "<none>"
    true = {c["type"] for c in status(obj).get("conditions") or () if c.get("status") == "True"}
    return f"{sum(1 for g in gates if g.get('conditionType') in true)}/{len(gates)}"


POD = (
    NAME,
    Column("Ready", _pod_ready),
    Column("Status", _pod_status),
    Column("Restarts", _pod_restarts),
    AGE,
    Column("IP", _pod_ip, priority=1),
    Column("Node", lambda o, now: spec(o).get("nodeName") or "<none>", priority=1),
    Column("Nominated Node", lambda o, now: status(o).get("nominatedNodeName") or "<none>", priority=1),
    Column("Readiness Gates", _gates, priority=1),
)

# What makes pods


def _job_status(obj: Object, now: datetime) -> str:
    true = {c["type"] for c in status(obj).get("conditions") or () if c.get("status") == "True"}
    for type_, text in (("Complete", "Complete"), ("Failed", "Failed")):
        if type_ in true:
            return text
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for type_ in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if type_ in true:
            return type_
    return "Running"


def _job_completions(obj: Object, now: datetime) -> str:
    done = status(obj).get("succeeded", 0)
    if "completions" in spec(obj):
        return f"{done}/{spec(obj)['completions']}"
    parallelism = spec(obj).get("parallelism", 1)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _job_duration(obj: Object, now: datetime) -> str:
    start, end = status(obj).get("startTime"), status(obj).get("completionTime")
    if not start:
        return ""
    if not end:
        return since(start, now)
    return duration((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


_REPLICAS = (
    NAME,
    count("Desired", "replicas", where="spec"),
    count("Current", "replicas"),
    count("Ready", "readyReplicas"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)

DEPLOYMENT = (
    NAME,
    Column("Ready", _ready_of_desired),
    _text(count("Up-to-date", "updatedReplicas")),
    _text(count("Available", "availableReplicas")),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)
POD_TEMPLATE = (
    NAME,
    Column("Containers", _names),
    Column("Images", _images),
    Column("Pod Labels", lambda o, now: pairs(get(o, "template", "metadata", "labels") or {})),
)
STATEFUL_SET = (NAME, Column("Ready", _ready_of_desired), AGE, CONTAINERS, IMAGES)
REPLICA_SET = REPLICATION_CONTROLLER = _REPLICAS
DAEMON_SET = (
    NAME,
    count("Desired", "desiredNumberScheduled"),
    count("Current", "currentNumberScheduled"),
    count("Ready", "numberReady"),
    count("Up-to-date", "updatedNumberScheduled"),
    count("Available", "numberAvailable"),
    Column("Node Selector", lambda o, now: pairs(_pod_spec(o).get("nodeSelector") or {})),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)
JOB = (
    NAME,
    Column("Status", _job_status),
    Column("Completions", _job_completions),
    Column("Duration", _job_duration),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)


def _last_schedule(obj: Object, now: datetime) -> str:
    last = status(obj).get("lastScheduleTime")
    return since(last, now) if last else "<none>"


CRON_JOB = (
    NAME,
    Column("Schedule", lambda o, now: spec(o).get("schedule", "")),
    Column("Timezone", lambda o, now: spec(o).get("timeZone") or "<none>"),
    Column("Suspend", lambda o, now: str(bool(spec(o).get("suspend", False))), "boolean"),
    Column("Active", lambda o, now: len(status(o).get("active") or ()), "integer"),
    Column("Last Schedule", _last_schedule),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)

SCALE = (
    replace(NAME, format=""),
    count("Desired", "replicas", where="spec"),
    count("Available", "replicas"),
    AGE,
)
"""Of a Scale, which is no kind of its own in any group that is listed."""
