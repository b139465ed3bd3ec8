"""Calls on what a pod has beside itself: evictions, bindings, ephemeral containers, sizes, and a kubelet."""

from __future__ import annotations

from typing import Any

from tests.differential.calls import CORE, PODS, SERVICES, STRATEGIC, Call, delete, get, obj, patch, pod, post

BUDGETS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
X = {"labels": {"app": "x"}}
NODE = {"kind": "Node", "name": "n1"}
BUSY = {"name": "d", "image": "busybox"}


def eviction(name: str, **rest: Any) -> Any:
    """An Eviction of a pod."""
    return obj("Eviction", name, api="policy/v1", **rest)


def binding(name: str, target: Any, **meta: Any) -> Any:
    """A Binding of a pod."""
    return obj("Binding", name, meta=meta, target=target)


def budget(name: str, **spec: Any) -> Any:
    """A budget for the pods of one app."""
    wanted = {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}, **spec}
    return obj("PodDisruptionBudget", name, api="policy/v1", spec=wanted)


def counted(allowed: int, **status: Any) -> Call:
    """What whoever counts pods says of the budget."""
    told = {"observedGeneration": 1, "disruptionsAllowed": allowed, "expectedPods": 1, "currentHealthy": 1}
    return patch(f"{BUDGETS}/p/status", {"status": {**told, "desiredHealthy": 1, **status}})


def debug(*containers: Any, name: str = "a") -> Call:
    """A patch of ephemeral containers."""
    body = {"spec": {"ephemeralContainers": list(containers)}}
    return patch(f"{PODS}/{name}/ephemeralcontainers", body, STRATEGIC)


def resize(name: str = "a", /, **container: Any) -> Call:
    """A patch of what a container gets."""
    return patch(f"{PODS}/{name}/resize", {"spec": {"containers": [{"name": "c", **container}]}}, STRATEGIC)


SIZED = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
TWO = {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]}

SCRIPT: dict[str, list[Call]] = {
    "evictions": [
        post(PODS, pod(meta=X)),
        post(f"{PODS}/a/eviction", eviction("b")),
        post(f"{PODS}/ghost/eviction", eviction("ghost")),
        post(f"{PODS}/a/eviction", obj("Pod", "a")),
        post(f"{PODS}/a/eviction", eviction("")),
        get(f"{PODS}/a/eviction"),
        post(f"{PODS}/a/eviction", eviction("a", deleteOptions={"dryRun": ["All"]})),
        post(f"{PODS}/a/eviction?dryRun=All", eviction("a")),
        post(f"{PODS}/a/eviction", eviction("a", foo=1)),
        get(f"{PODS}/a"),
        post(PODS, pod("c", meta={**X, "finalizers": ["a.io/b"]})),
        post(f"{PODS}/c/eviction", {"metadata": {"name": "c"}}),
        get(f"{PODS}/c"),
        patch(f"{PODS}/c", {"metadata": {"finalizers": None}}),
        post(BUDGETS, budget("p")),
        post(PODS, pod("b", meta=X)),
        patch(f"{PODS}/b/status", {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
        post(f"{PODS}/b/eviction", eviction("b")),
        counted(0),
        post(f"{PODS}/b/eviction", eviction("b")),
        counted(0, currentHealthy=2),
        post(f"{PODS}/b/eviction", eviction("b")),
        counted(1),
        post(f"{PODS}/b/eviction?dryRun=All", eviction("b")),
        get(f"{BUDGETS}/p"),
        post(BUDGETS, budget("q")),
        post(f"{PODS}/b/eviction", eviction("b")),
        delete(f"{BUDGETS}/q"),
        post(f"{PODS}/b/eviction", {**eviction("b"), "apiVersion": "policy/v1beta1"}),
        get(f"{BUDGETS}/p"),
        get(f"{PODS}/b"),
    ],
    "bindings": [
        post(PODS, pod()),
        post(f"{PODS}/a/binding?dryRun=All", binding("a", NODE)),
        post(f"{PODS}/a/binding", binding("a", NODE)),
        get(f"{PODS}/a"),
        post(f"{PODS}/a/binding", binding("a", NODE)),
        post(f"{PODS}/ghost/binding", binding("ghost", NODE)),
        post(f"{PODS}/a/binding", binding("b", NODE)),
        post(f"{PODS}/a/binding", binding("a", {"kind": "Pod", "name": "n"})),
        post(f"{PODS}/a/binding", binding("a", {})),
        post(PODS, pod("b", schedulingGates=[{"name": "a.io/b"}])),
        post(f"{CORE}/bindings", binding("b", NODE)),
        patch(f"{PODS}/b", {"spec": {"schedulingGates": None}}),
        post(f"{CORE}/bindings", binding("b", {"name": "n2"}, annotations={"x": "y"}, labels={"l": "m"})),
        get(f"{PODS}/b"),
        get(f"{PODS}/b/binding"),
        get(f"{CORE}/bindings"),
    ],
    "ephemeral containers": [
        post(PODS, pod()),
        get(f"{PODS}/a/ephemeralcontainers"),
        debug(BUSY),
        debug({"name": "e", "image": "busybox", "targetContainerName": "c"}),
        debug({"name": "f", "image": "busybox", "targetContainerName": "ghost"}),
        debug({"name": "c", "image": "busybox"}),
        debug({"name": "f", "image": "x", "ports": [{"containerPort": 1}]}),
        patch(f"{PODS}/a/ephemeralcontainers", {"spec": {"ephemeralContainers": []}}),
        patch(f"{PODS}/a/ephemeralcontainers", {"spec": {"containers": [{"name": "c", "image": "x"}]}, "metadata": {"labels": {"a": "b"}}}, STRATEGIC),
        post(PODS, pod("b", ephemeralContainers=[BUSY])),
        debug(BUSY, name="ghost"),
        post(f"{PODS}/a/ephemeralcontainers", pod()),
        delete(f"{PODS}/a/ephemeralcontainers"),
        get(f"{PODS}/a"),
    ],
    "sizes": [
        post(PODS, obj("Pod", "a", spec={"containers": [{"name": "c", "image": "i:1", "resources": SIZED}]})),
        get(f"{PODS}/a/resize"),
        resize(resources={"requests": {"cpu": "1500m"}}),
        resize(resources={"requests": {"cpu": "3"}}),
        resize(image="other"),
        resize(resources={"requests": {"ephemeral-storage": "3"}}),
        resize(resources={"requests": None, "limits": None}),
        patch(f"{PODS}/a/resize", {"metadata": {"labels": {"a": "b"}}}, STRATEGIC),
        patch(f"{PODS}/a/resize", {"spec": {"containers": [{"name": "z", "image": "i"}]}}),
        patch(f"{PODS}/a/resize", {"spec": TWO}),
        get(f"{PODS}/a"),
        post(PODS, pod("b")),
        resize("b", resources={"requests": {"cpu": "1500m"}}),
        delete(f"{PODS}/a/resize"),
    ],
    "what a kubelet would answer": [
        post(PODS, pod()),
        post(PODS, pod("n", nodeName="nonode")),
        post(PODS, obj("Pod", "two", spec=TWO)),
        *(get(f"{PODS}/{path}") for path in (
            "a/log", "a/log?container=c", "a/log?container=x", "a/log?tailLines=-1", "a/log?limitBytes=0", "a/log/x", "a/exec", "a/exec?command=ls",
            "a/attach", "a/portforward?ports=80", "a/proxy", "a/proxy/", "a/proxy/x/y", "ghost/log", "ghost/proxy", "ghost/portforward", "n/log", "n/proxy", "n/portforward", "two/log")),
        *(post(f"{PODS}/{path}") for path in ("a/log", "a/exec?command=ls&stdout=true", "a/attach", "a/portforward", "a/proxy/x", "ghost/exec", "n/exec", "two/exec", "two/attach")),
        patch(f"{PODS}/a/log", {}),
        delete(f"{PODS}/a/exec"),
        post(SERVICES, obj("Service", "s", spec={"clusterIP": "None", "ports": [{"port": 80}]})),
        *(get(f"{SERVICES}/{path}") for path in ("s/proxy", "ghost/proxy/", "s:x/proxy/", "https:s:80/proxy/", "s:81/proxy", "ghost:80/proxy")),
        get("/api/v1/nodes/none/proxy/"),
        get("/api/v1/nodes/none/log"),
    ],
}  # fmt: skip
