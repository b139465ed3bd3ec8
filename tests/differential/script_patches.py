"""Calls that patch: merge, JSON and strategic merge patches, and server-side apply."""

from __future__ import annotations

from typing import Any

from tests.differential.calls import (
    APPLY,
    CM,
    DEPLOYMENTS,
    JSON,
    JSON_PATCH,
    PODS,
    SERVICES,
    STRATEGIC,
    YAML,
    Call,
    apply,
    cm,
    deployment,
    get,
    obj,
    patch,
    pod,
    post,
)


def operations(path: str, *steps: dict[str, Any]) -> Call:
    """A JSON patch."""
    return patch(path, list(steps), JSON_PATCH)


def strategic(path: str, body: Any) -> Call:
    """A strategic merge patch."""
    return patch(path, body, STRATEGIC)


def containers(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A patch of a workload's containers."""
    return {"spec": {"template": {"spec": {"containers": list(items), **more}}}}


WEB = f"{DEPLOYMENTS}/web"
TWO = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}]

SCRIPT: dict[str, list[Call]] = {
    "merge patch": [
        post(CM, cm(data={"a": "1", "b": "2"})),
        patch(f"{CM}/a", {"data": {"a": None, "c": "3"}}),
        patch(f"{CM}/a", {"data": {"c": "3"}}),
        patch(f"{CM}/a", {}),
        patch(f"{CM}/a", {"data": None}),
        patch(f"{CM}/a", {"data": {"n": {"x": None}}}),
        patch(f"{CM}/a", []),
        patch(f"{CM}/a", "null"),
        patch(f"{CM}/a", "5"),
        patch(f"{CM}/a", '"text"'),
        patch(f"{CM}/a", "true"),
        patch(f"{CM}/a", "{"),
        patch(f"{CM}/a", ""),
        patch(f"{CM}/a", "data:\n  y: z\n"),
        patch(f"{CM}/ghost", {}),
        patch(f"{CM}/a", {"metadata": {"resourceVersion": "1"}}),
        patch(f"{CM}/a", {"metadata": {"resourceVersion": ""}}),
        patch(f"{CM}/a", {"metadata": None}),
        patch(f"{CM}/a", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}),
        patch(f"{CM}/a", {"metadata": {"labels": {"a": None}, "annotations": None}}),
        patch(f"{CM}/a?force=true", {}),
        patch(f"{CM}/a?force=maybe", {}),
        patch(CM, {}),
    ],
    "patch types": [
        post(CM, cm()),
        patch(f"{CM}/a", {"data": {}}, JSON),
        patch(f"{CM}/a", {"data": {}}, YAML),
        patch(f"{CM}/a", {"data": {}}, "text/plain"),
        patch(f"{CM}/a", {"data": {}}, ""),
        patch(f"{CM}/a", {"data": {"x": "y"}}, "application/merge-patch+json; charset=utf-8"),
        patch(f"{CM}/a", {"data": {"x": "y"}}, "Application/Merge-Patch+JSON"),
        patch(f"{CM}/a", {"data": {"x": "y"}}, "application/apply-patch+json"),
        patch(f"{CM}/a", {"data": {"x": "y"}}, "application/apply-patch+cbor"),
    ],
    "json patch": [
        post(CM, cm(data={"a": "1", "b/c": "2"})),
        operations(f"{CM}/a", {"op": "add", "path": "/data/d", "value": "4"}),
        operations(f"{CM}/a", {"op": "test", "path": "/data/a", "value": "2"}),
        operations(f"{CM}/a", {"op": "test", "path": "/data/zz", "value": None}),
        operations(f"{CM}/a", {"op": "remove", "path": "/data/zz"}),
        operations(f"{CM}/a", {"op": "remove", "path": "/data/d"}, {"op": "remove", "path": "/data/d"}),
        operations(f"{CM}/a", {"op": "replace", "path": "/data/nope/x", "value": "1"}),
        operations(f"{CM}/a", {"op": "replace", "path": "/data/nope", "value": "1"}),
        operations(f"{CM}/a", {"op": "copy", "from": "/data/a", "path": "/data/e"}),
        operations(f"{CM}/a", {"op": "copy", "from": "/data/none", "path": "/data/e"}),
        operations(f"{CM}/a", {"op": "move", "from": "/data/e", "path": "/data/f"}),
        operations(f"{CM}/a", {"op": "move", "from": "/data", "path": "/data/f"}),
        operations(f"{CM}/a", {"op": "dance", "path": "/data/f"}),
        operations(f"{CM}/a", {"op": "add", "path": "data/f", "value": "x"}),
        operations(f"{CM}/a", {"op": "add", "value": "x"}),
        operations(f"{CM}/a", {"path": "/data/f", "value": "x"}),
        operations(f"{CM}/a", {"op": "add", "path": "/data/f"}),
        operations(f"{CM}/a", {"op": "add", "path": "/data/f", "value": 5}),
        operations(f"{CM}/a", {"op": "add", "path": "/x/y", "value": 5}),
        operations(f"{CM}/a", {"op": "add", "path": "/metadata/finalizers", "value": ["a.io/b"]}),
        operations(f"{CM}/a", {"op": "add", "path": "/metadata/finalizers/-", "value": "a.io/c"}),
        operations(f"{CM}/a", {"op": "add", "path": "/metadata/finalizers/0", "value": "a.io/d"}),
        operations(f"{CM}/a", {"op": "add", "path": "/metadata/finalizers/9", "value": "a.io/d"}),
        operations(f"{CM}/a", {"op": "add", "path": "/metadata/finalizers/x", "value": "a.io/d"}),
        operations(f"{CM}/a", {"op": "remove", "path": "/metadata/finalizers/-1"}),
        operations(f"{CM}/a", {"op": "remove", "path": "/metadata/finalizers"}),
        operations(f"{CM}/a", {"op": "replace", "path": "", "value": {"a": 1}}),
        operations(f"{CM}/a", {"op": "remove", "path": ""}),
        operations(
            f"{CM}/a",
            {"op": "replace", "path": "/data/b~1c", "value": "x"},
            {"op": "replace", "path": "/data/~0", "value": "y"},
        ),
        operations(f"{CM}/a"),
        patch(f"{CM}/a", {}, JSON_PATCH),
        patch(f"{CM}/a", "5", JSON_PATCH),
        patch(f"{CM}/a", "[5]", JSON_PATCH),
        patch(f"{CM}/a", "null", JSON_PATCH),
        patch(f"{CM}/a", "[", JSON_PATCH),
        patch(f"{CM}/a", [{"op": "test", "path": "/kind", "value": "ConfigMap"}] * 10001, JSON_PATCH),
        get(f"{CM}/a"),
    ],
    "strategic merge patch": [
        post(DEPLOYMENTS, deployment()),
        strategic(WEB, containers({"name": "web", "image": "web:2"}, {"name": "side", "image": "side:1"})),
        strategic(WEB, containers({"name": "side", "$patch": "delete"})),
        strategic(WEB, containers({"image": "nameless"})),
        strategic(WEB, containers({"name": "web", "ports": [{"containerPort": 81, "name": "extra"}]})),
        strategic(
            WEB,
            containers({"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}),
        ),
        strategic(
            WEB,
            containers(
                {
                    "name": "web",
                    "env": [{"name": "C", "value": "3"}],
                    "$setElementOrder/env": [{"name": "C"}, {"name": "A"}, {"name": "B"}],
                }
            ),
        ),
        strategic(
            WEB, containers({"name": "web", "env": [{"$patch": "replace"}, {"name": "D", "value": "4"}]})
        ),
        strategic(WEB, containers({"name": "web", "env": None})),
        strategic(WEB, containers({"name": "new", "image": "n"}, {"$patch": "replace"})),
        strategic(WEB, {"metadata": {"labels": {"$patch": "replace", "only": "this"}}}),
        strategic(WEB, {"metadata": {"labels": {"$patch": "delete"}}}),
        strategic(WEB, {"metadata": {"labels": {"a": "1"}, "$retainKeys": ["name"]}}),
        strategic(WEB, {"spec": {"strategy": {"type": "Recreate", "$retainKeys": ["type"]}}}),
        strategic(WEB, {"spec": {"strategy": {"$patch": "nonsense"}}}),
        strategic(WEB, {"metadata": {"finalizers": ["a.io/b"]}}),
        strategic(WEB, {"metadata": {"finalizers": ["a.io/c"]}}),
        strategic(WEB, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.io/b", "a.io/c"]}}),
        strategic(WEB, {"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}),
        strategic(WEB, {"spec": {"replicas": None}}),
        strategic(WEB, {"spec": {"replicas": "x"}}),
        strategic(WEB, {"spec": {"template": {"spec": {"containers": {}}}}}),
        strategic(WEB, {"spec": {"template": {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}}}),
        strategic(
            WEB,
            {
                "spec": {
                    "template": {
                        "spec": {"volumes": [{"name": "v", "configMap": {"name": "c"}, "emptyDir": None}]}
                    }
                }
            },
        ),
        strategic(WEB, []),
        strategic(WEB, "{"),
        strategic(WEB, {"unknown": 1}),
        strategic(WEB, {}),
        get(WEB),
        post(SERVICES, obj("Service", "s", spec={"clusterIP": "None", "selector": {"a": "b"}, "ports": TWO})),
        strategic(f"{SERVICES}/s", {"spec": {"ports": [{"port": 80, "targetPort": 9090}]}}),
        strategic(f"{SERVICES}/s", {"spec": {"ports": [{"port": 53, "$patch": "delete"}]}}),
    ],
    "apply": [
        apply(f"{CM}/a", cm(data={"k": "v"})),
        apply(f"{CM}/a", cm(data={"k": "v"})),
        apply(f"{CM}/a", cm(data={"j": "w"})),
        apply(f"{CM}/a", cm(data={"j": "x"}), manager="other"),
        apply(f"{CM}/a", cm(data={"j": "w", "l": "1"}), manager="other"),
        apply(f"{CM}/a", cm(data={"j": "x"}), manager="other", query="force=true"),
        apply(f"{CM}/a", cm(data={"j": "z"}), manager="us", query="force=false"),
        patch(f"{CM}/a?fieldManager=editor", {"data": {"j": "edited", "e": "1"}}),
        apply(f"{CM}/a", cm(data={"j": "z", "e": "2"})),
        apply(f"{CM}/a", cm(data={"j": "z", "e": "2"}), query="force=true"),
        apply(f"{CM}/a", cm()),
        apply(f"{CM}/a", cm(), manager="other"),
        get(f"{CM}/a"),
        apply(f"{CM}/a", cm(), manager=""),
        apply(f"{CM}/a", cm(), manager="x" * 129),
        apply(f"{CM}/a", cm("b")),
        apply(f"{CM}/a", cm("")),
        apply(f"{CM}/a", cm(meta={"namespace": "other"})),
        apply(f"{CM}/a", cm(meta={"resourceVersion": "1"})),
        apply(f"{CM}/a", cm(meta={"uid": "11111111-2222-3333-4444-555555555555"})),
        apply(f"{CM}/z", cm("z", meta={"uid": "11111111-2222-3333-4444-555555555555"})),
        apply(f"{CM}/z", cm("z", meta={"resourceVersion": "1"})),
        apply(f"{CM}/a", {"kind": "ConfigMap", "metadata": {"name": "a"}}),
        apply(f"{CM}/a", {"apiVersion": "v1", "metadata": {"name": "a"}}),
        apply(f"{CM}/a", obj("Secret", "a")),
        apply(f"{CM}/a", obj("ConfigMap", "a", api="v2")),
        apply(f"{CM}/a", []),
        apply(f"{CM}/a", "text"),
        apply(f"{CM}/a", "a: b: c"),
        apply(f"{CM}/a", ""),
        apply(f"{CM}/a", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {y: 'on'}\n"),
        apply(f"{CM}/a", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {y: on}\n"),
        apply(f"{CM}/a", cm(data={"k": 5})),
        apply(f"{CM}/a", cm(data=["x"])),
        apply(f"{CM}/a", cm(data={"k": None})),
        apply(f"{CM}/a", cm(immutable="x")),
        apply(f"{CM}/Bad_Name", cm("Bad_Name")),
        apply(CM, cm()),
    ],
    "apply of lists": [
        apply(WEB, deployment()),
        apply(WEB, deployment(image="web:2"), manager="other"),
        apply(
            WEB,
            obj(
                "Deployment",
                "web",
                api="apps/v1",
                **containers({"name": "web", "env": [{"name": "A", "value": "1"}]}),
            ),
            manager="env",
        ),
        apply(
            WEB,
            obj("Deployment", "web", api="apps/v1", **containers({"name": "side", "image": "s"})),
            manager="side",
        ),
        apply(
            WEB,
            obj(
                "Deployment",
                "web",
                api="apps/v1",
                **containers({"name": "web", "ports": [{"containerPort": 80, "protocol": "UDP"}]}),
            ),
            manager="udp",
        ),
        apply(
            WEB,
            obj(
                "Deployment",
                "web",
                api="apps/v1",
                **containers({"name": "x", "image": "1"}, {"name": "x", "image": "2"}),
            ),
            manager="twice",
        ),
        apply(WEB, obj("Deployment", "web", api="apps/v1", **containers({"image": "1"})), manager="nameless"),
        apply(WEB, obj("Deployment", "web", api="apps/v1", spec={"replicas": 3}), manager="scaler"),
        apply(WEB, deployment(replicas=2), manager="us"),
        apply(WEB, obj("Deployment", "web", api="apps/v1"), manager="side"),
        apply(WEB, obj("Deployment", "web", api="apps/v1", spec={"replicas": "3"}), manager="bad"),
        apply(WEB, obj("Deployment", "web", api="apps/v1", spec={"unknown": 1}), manager="bad"),
        apply(WEB, obj("Deployment", "web", api="apps/v1", status={"replicas": 3}), manager="statuses"),
        apply(
            f"{WEB}/status",
            obj("Deployment", "web", api="apps/v1", status={"replicas": 3}),
            manager="statuses",
        ),
        apply(
            f"{WEB}/status", obj("Deployment", "web", api="apps/v1", spec={"replicas": 3}), manager="statuses"
        ),
        apply(f"{DEPLOYMENTS}/ghost/status", obj("Deployment", "ghost", api="apps/v1"), manager="statuses"),
        get(WEB),
        apply(f"{PODS}/p", pod("p", tolerations=[{"key": "a"}, {"key": "a"}])),
        apply(f"{SERVICES}/s", obj("Service", "s", spec={"clusterIP": "None", "ports": TWO})),
        apply(
            f"{SERVICES}/s",
            obj("Service", "s", spec={"ports": [{"port": 80, "name": "web"}]}),
            manager="other",
        ),
        apply(f"{SERVICES}/s", obj("Service", "s", spec={"ports": TWO[:1]})),
        apply(
            f"{CM}/o",
            cm(
                "o",
                meta={
                    "finalizers": ["a.io/b"],
                    "ownerReferences": [
                        {"apiVersion": "example.com/v1", "kind": "Owner", "name": "p", "uid": "1"}
                    ],
                },
            ),
        ),
        apply(
            f"{CM}/o",
            cm(
                "o",
                meta={
                    "finalizers": ["a.io/c"],
                    "ownerReferences": [
                        {"apiVersion": "example.com/v1", "kind": "Owner", "name": "p", "uid": "2"}
                    ],
                },
            ),
            manager="other",
        ),
        apply(f"{CM}/o", cm("o"), manager="us"),
        apply(f"{CM}/o", cm("o"), manager="other"),
    ],
    "from update to apply": [
        post(f"{CM}?fieldManager=client", cm(data={"k": "v", "l": "w"}, meta={"labels": {"a": "b"}})),
        apply(f"{CM}/a", cm(data={"k": "v"}), manager="client"),
        apply(f"{CM}/a", cm(data={"k": "changed"}), manager="client"),
        apply(f"{CM}/a", cm(data={"k": "changed"}), manager="client", query="force=true"),
        patch(f"{CM}/a?fieldManager=client", {"data": {"k": None}}),
        apply(f"{CM}/a", cm(data={}), manager="client"),
        patch(f"{CM}/a?fieldManager=client", {"metadata": {"managedFields": [{}]}}),
        apply(f"{CM}/a", cm(data={"k": "again"}), manager="client"),
        Call("PATCH", f"{CM}/a?fieldManager=client&force=true&dryRun=All", cm(data={"k": "dry"}), APPLY),
        get(f"{CM}/a"),
    ],
}
