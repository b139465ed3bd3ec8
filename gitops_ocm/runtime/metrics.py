"""The counters and histograms of the live half, in Prometheus' terms.

Names follow controller-runtime and client-go where they mean the same, so existing dashboards
read them. `render()` is what a `/metrics` endpoint answers.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

RECONCILES = Counter(
    "controller_runtime_reconcile", "Reconciles by controller and result", ("controller", "result"),
    registry=REGISTRY,
)  # fmt: skip
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds", "Time per reconcile, writes included", ("controller",),
    registry=REGISTRY,
)  # fmt: skip
QUEUE_DEPTH = Gauge("workqueue_depth", "Keys ready to be worked on", ("name",), registry=REGISTRY)
QUEUE_ADDS = Counter("workqueue_adds", "Keys added", ("name",), registry=REGISTRY)
QUEUE_RETRIES = Counter("workqueue_retries", "Keys put back with backoff", ("name",), registry=REGISTRY)
REQUESTS = Counter(
    "rest_client_requests", "API requests by method and HTTP status", ("method", "code"), registry=REGISTRY
)
RELISTS = Counter("reflector_lists", "Full lists made by watch caches", ("side", "kind"), registry=REGISTRY)
WATCH_EVENTS = Counter("reflector_watch_events", "Watch events received", ("side", "kind"), registry=REGISTRY)
CACHE_OBJECTS = Gauge("cache_objects", "Objects held in watch caches", ("side", "kind"), registry=REGISTRY)
WRITES = Counter("writes", "Writes carried out, by kind of write and result", ("write", "result"),
                 registry=REGISTRY)  # fmt: skip
LOOP_LAG = Histogram(
    "gitops_ocm_event_loop_lag_seconds", "How late the event loop runs what is due",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5), registry=REGISTRY,
)  # fmt: skip
LOOP_LAG_MAX = Gauge(
    "gitops_ocm_event_loop_lag_max_seconds", "The latest that the event loop has been since the start",
    registry=REGISTRY,
)  # fmt: skip

SCHEDULER = "placement_scheduling"
_DECADES = tuple(10.0**power for power in range(-6, 4))
SCHEDULING_SECONDS = Histogram(
    "scheduling_scheduling_duration_seconds", "How long it takes to decide a placement", ("name",),
    buckets=_DECADES, registry=REGISTRY,
)  # fmt: skip
BIND_SECONDS = Histogram(
    "scheduling_bind_duration_seconds", "How long it takes to write the decisions of a placement", ("name",),
    buckets=_DECADES, registry=REGISTRY,
)  # fmt: skip
PLUGIN_SECONDS = Histogram(
    "scheduling_plugin_duration_seconds", "How long a filter or a prioritizer takes for a placement",
    ("name", "plugin_type", "plugin_name"), buckets=_DECADES, registry=REGISTRY,
)  # fmt: skip
CEL_SECONDS = Histogram(
    "scheduling_cel_runtime_duration_seconds", "How long the expressions of a selector take on a cluster",
    ("name",), buckets=_DECADES, registry=REGISTRY,
)  # fmt: skip
STAGES = {"placement": (SCHEDULING_SECONDS, BIND_SECONDS)}
"""By controller: how long its decisions take, and their writes, where OCM has names for that."""


@cache
def requests(method: str, code: int) -> Counter:
    """The child of `REQUESTS`: looking it up each time would show on the path of every request."""
    return REQUESTS.labels(method, code)


@cache
def writes(write: str, result: str) -> Counter:
    """The child of `WRITES`, likewise."""
    return WRITES.labels(write, result)


def render() -> bytes:
    """All metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)
