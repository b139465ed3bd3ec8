"""Calls on how writes of several people come together: who owns what, and patches of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.differential.calls import (
    CM,
    DEPLOYMENTS,
    JSON_PATCH,
    SECRETS,
    SERVICES,
    STRATEGIC,
    Call,
    apply,
    cm,
    delete,
    deployment,
    get,
    obj,
    patch,
    post,
    put,
    wait,
)

WEB = f"{DEPLOYMENTS}/web"


def part(manager: str, *, force: bool = False, meta: Any = None, **spec: Any) -> Call:
    """A part of a Deployment that somebody applies."""
    fragment = obj("Deployment", "web", api="apps/v1", meta=meta, **({"spec": spec} if spec else {}))
    return apply(WEB, fragment, manager=manager, query="force=true" if force else "")


def container(manager: str, *, force: bool = False, **fields: Any) -> Call:
    """A part of the Deployment's container."""
    return part(manager, force=force, template={"spec": {"containers": [{"name": "web", **fields}]}})


def whole(manager: str, *, force: bool = False, **spec: Any) -> Call:
    """All of a Deployment that somebody applies."""
    return apply(WEB, deployment(**spec), manager=manager, query="force=true" if force else "")


def status(manager: str, **conditions: str) -> Call:
    """Conditions that somebody applies."""
    found = [{"type": kind, "status": held} for kind, held in conditions.items()]
    body = obj("Deployment", "web", api="apps/v1", status={"conditions": found})
    return apply(f"{WEB}/status", body, manager=manager)


def ports(*ports: Any) -> Any:
    """A Service with these ports."""
    return obj("Service", "svc", spec={"clusterIP": "None", "ports": list(ports)})


def op(op: str, path: str, **more: Any) -> dict[str, Any]:
    """One operation of a JSON patch."""
    return {"op": op, "path": path, **more}


MANY = deployment()
MANY["spec"]["template"]["spec"] = {
    "containers": [
        {
            "name": "web",
            "image": "i",
            "args": ["x", "y"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        },
        {"name": "side", "image": "j"},
    ],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "c"}}],
    "tolerations": [{"key": "a"}],
}
A, B = {"name": "a", "port": 80}, {"name": "b", "port": 81}
DIRECTIVES: Sequence[Any] = (
    {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}},
    {"spec": {"template": {"spec": {"containers": [{"$patch": "replace"}, {"name": "only", "image": "k"}]}}}},
    {"spec": {"template": {"spec": {"containers": [{"name": "c2", "image": "z"}, {"name": "only", "env": [{"name": "B", "value": "5"}]}],
                                    "$setElementOrder/containers": [{"name": "c2"}, {"name": "only"}]}}}},
    {"spec": {"template": {"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}, "$retainKeys": ["name", "hostPath"]}]}}}},
    {"metadata": {"labels": {"a": "b", "c": "d"}, "$patch": "replace"}}, {"metadata": {"labels": {"$patch": "replace", "e": "f"}}}, {"metadata": {"labels": {"$patch": "delete"}}},
    {"metadata": {"finalizers": ["a.io/b", "a.io/c"]}}, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.io/b"]}},
    {"metadata": {"$setElementOrder/finalizers": ["a.io/d", "a.io/c"], "finalizers": ["a.io/d"]}}, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    {"spec": {"template": {"spec": {"tolerations": [{"key": "b"}]}}}}, {"spec": {"template": {"spec": {"containers": [{"image": "noname"}]}}}}, {"spec": {"$patch": "nope"}},
    {"spec": {"template": {"spec": {"containers": [{"$patch": "nope", "name": "only"}]}}}}, {"spec": {"$retainKeys": "x"}}, {"spec": {"template": {"spec": {"containers": None}}}},
)  # fmt: skip
FINALIZERS = "/metadata/finalizers"
OPERATIONS: Sequence[Any] = (
    [op("test", "/data/a", value="2")], [op("test", "/data/a", value="1"), op("replace", "/data/a", value="9")], [op("move", "/data/z", **{"from": "/data/a"})],
    [op("copy", "/data/y", **{"from": "/data/z"})], [op("remove", "/data/b~1c")], [op("add", "/data/d~0e", value="x")], [op("remove", "/data/none")], [op("replace", "/data/none", value="x")],
    [op("add", "/none/x", value="x")], [op("nope", "/data")], [{"path": "/data"}], [{"op": "add", "value": 1}], [op("add", "data", value="x")],
    [op("test", "/metadata/name", value="a"), op("add", "/metadata/labels", value={}), op("add", "/metadata/labels/x", value="y")], [op("replace", "", value={"a": 1})],
    [op("move", "/data/x", **{"from": "/data"})], [op("copy", "/data/x", **{"from": "/data/none"})], [op("add", f"{FINALIZERS}/-", value="a.io/b")], [op("add", FINALIZERS, value=["a.io/b"])],
    [op("add", f"{FINALIZERS}/0", value="a.io/a")], [op("add", f"{FINALIZERS}/9", value="a.io/z")], [op("remove", f"{FINALIZERS}/-1")], [op("test", "/metadata/none", value=None)], [], {"op": "add"}, "x", [1],
)  # fmt: skip

SCRIPT: dict[str, list[Call]] = {
    "what several apply": [
        whole("a", replicas=2),
        whole("b", replicas=3),
        whole("b", replicas=3, force=True),
        whole("b"),
        container("e1", env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
        container("e2", env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]),
        container("e2", env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}], force=True),
        part("e1"),
        container("p", ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]),
        container("p", ports=[{"containerPort": 80}, {"containerPort": 80}]),
        part("p", template={"spec": {"containers": [{"image": "x"}]}}),
        part("p", replicas=None),
        part("s", strategy={"type": "Recreate"}),
        part("s", strategy={"rollingUpdate": None, "type": "Recreate"}, force=True),
        part("m1", meta={"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["a.io/b"]}),
        part("m2", meta={"labels": {"a": "c"}, "finalizers": ["a.io/c"]}),
        part("m2", meta={"finalizers": ["a.io/c"]}),
        part("m1"),
        part("m2"),
        status("st", Available="True"),
        status("st2", Available="False", Progressing="True"),
        patch(WEB, {"metadata": {"managedFields": [{}]}}),
        whole("a", replicas=2),
        put(f"{WEB}?fieldManager=u", deployment(replicas=9)),
        whole("a", replicas=2),
        whole("a", replicas=9),
        get(WEB),
        part("a", meta={"uid": "x"}),
        part("a", meta={"resourceVersion": "1"}),
        part(""),
        patch(f"{WEB}?force=true", {"spec": {}}),
        apply(f"{SECRETS}/s", obj("Secret", "s", stringData={"a": "b"}), manager="a"),
        apply(f"{SECRETS}/s", obj("Secret", "s", stringData={"c": "d"}), manager="a"),
        apply(f"{SECRETS}/s", obj("Secret", "s", data={"c": "eA=="}), manager="b"),
        apply(f"{SERVICES}/svc", ports(A, B), manager="a"),
        apply(
            f"{SERVICES}/svc", obj("Service", "svc", spec={"ports": [{**A, "targetPort": "x"}]}), manager="b"
        ),
        apply(f"{SERVICES}/svc", ports(B), manager="a"),
    ],
    "directives of strategic patches": [
        post(DEPLOYMENTS, MANY),
        *(patch(WEB, body, STRATEGIC) for body in DIRECTIVES),
        get(WEB),
        patch(WEB, {"metadata": {"finalizers": None}}),
    ],
    "operations of JSON patches": [
        post(CM, cm(data={"a": "1", "b/c": "2", "d~e": "3"})),
        *(patch(f"{CM}/a", body, JSON_PATCH) for body in OPERATIONS),
        get(f"{CM}/a"),
        patch(f"{CM}/a", {"metadata": {"finalizers": None}}),
    ],
    "deletions with options": [
        *(post(CM, cm(name, meta={"labels": {"d": "1"}})) for name in "abc"),
        delete(f"{CM}?labelSelector=d%3D1&dryRun=All"),
        delete(f"{CM}?labelSelector=d%3D1", {"preconditions": {"uid": "x"}}),
        delete(f"{CM}?labelSelector=d%3D1&limit=1"),
        get(f"{CM}?labelSelector=d"),
        delete(f"{CM}/b", {"gracePeriodSeconds": 0, "propagationPolicy": "Background", "dryRun": ["All"]}),
        delete(f"{CM}/b", {"orphanDependents": False}),
        post(DEPLOYMENTS, deployment(), save={"uid": "metadata.uid"}),
        delete(WEB, {"preconditions": {"uid": "{uid}", "resourceVersion": "0"}}),
        delete(f"{WEB}?propagationPolicy=Orphan"),
        wait(WEB, 404),
    ],
}
