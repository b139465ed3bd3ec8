"""What is sent: values of any shape, objects with something changed, words that parsers know, as strategies."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from gitops_ocm.objects.ref import Object

N = "/api/v1/namespaces/default"
CRD = "apiextensions.k8s.io/v1"
_MAP_LIST = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"]}
_ITEM = {
    "type": "object",
    "required": ["name", "port"],
    "properties": {
        "name": {"type": "string"},
        "port": {"type": "integer", "default": 80},
        "note": {"type": "string", "nullable": True},
    },
}
_FIELDS: dict[str, Any] = {
    "text": {"type": "string", "maxLength": 20, "pattern": "^[a-z]*$"},
    "number": {"type": "integer", "minimum": 0, "multipleOf": 2},
    "fraction": {"type": "number"},
    "port": {"x-kubernetes-int-or-string": True},
    "when": {"type": "string", "format": "date-time"},
    "many": {"type": "array", "items": _ITEM, **_MAP_LIST},
    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "whole": {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "additionalProperties": {"type": "string"},
    },
    "inner": {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    },
    "filled": {"type": "object", "default": {}, "properties": {"x": {"type": "string", "default": "y"}}},
}
WIDGETS: Object = {
    "apiVersion": CRD,
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.fuzz.example.com"},
    "spec": {
        "group": "fuzz.example.com",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.number", "statusReplicasPath": ".status.number"}},
                "additionalPrinterColumns": [
                    {"name": "Text", "type": "string", "jsonPath": ".spec.text"},
                    {"name": "When", "type": "date", "jsonPath": ".spec.when"},
                    {"name": "Many", "type": "integer", "jsonPath": ".spec.many[*].port"},
                ],
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {
                            "type": "object",
                            "properties": _FIELDS,
                            "x-kubernetes-validations": [
                                {"rule": "!has(self.text) || self.text != 'bad'"},
                                {"rule": "!has(self.many) || self.many.all(m, m.port < 70000)"},
                            ],
                        },
                        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                }},
            }
        ],
    },
}  # fmt: skip
WIDGET: Object = {
    "apiVersion": "fuzz.example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "w", "labels": {"a": "b"}},
    "spec": {
        "text": "abc", "number": 4, "port": "http", "when": "2026-01-01T00:00:00Z",
        "many": [{"name": "a", "port": 1}, {"name": "b", "port": 2, "note": "n"}],
        "set": ["x", "y"], "any": {"deep": {"er": [1, {"a": None}]}}, "whole": {"k": "v"},
        "inner": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "in"}},
    },
}  # fmt: skip
CONFIG_MAP: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "labels": {"a": "b"}, "annotations": {"x": "y"}, "finalizers": ["e.com/f"]},
    "data": {"k": "v"},
    "binaryData": {"b": "AAEC"},
}
_CONTAINER: Object = {
    "name": "main",
    "image": "i",
    "ports": [{"containerPort": 80, "name": "http"}],
    "env": [{"name": "A", "value": "1"}],
    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
    "readinessProbe": {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 3},
}
DEPLOYMENT: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [_CONTAINER], "volumes": [{"name": "v", "emptyDir": {}}]},
        },
    },
}
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "s"},
    "spec": {"selector": {"a": "b"}, "ports": [{"port": 80, "targetPort": "http", "name": "h"}]},
}
WORK: Object = {
    "apiVersion": "work.open-cluster-management.io/v1",
    "kind": "ManifestWork",
    "metadata": {"name": "m"},
    "spec": {"workload": {"manifests": [CONFIG_MAP]}, "deleteOption": {"propagationPolicy": "Orphan"}},
}
PLACEMENT: Object = {
    "apiVersion": "cluster.open-cluster-management.io/v1beta1",
    "kind": "Placement",
    "metadata": {"name": "p"},
    "spec": {"numberOfClusters": 3, "predicates": [{"requiredClusterSelector": {"labelSelector": {}}}]},
}
ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
LEASE: Object = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": {"name": "l"},
    "spec": {"holderIdentity": "h", "leaseDurationSeconds": 3, "renewTime": "2026-01-01T00:00:00.000000Z"},
}
SECRET: Object = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "t"},
    "type": "Opaque",
    "data": {"a": "AAEC"},
}
NAMESPACE: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fuzz"}}
OBJECTS: dict[str, Object] = {
    f"{N}/configmaps/c": CONFIG_MAP,
    f"{N}/services/s": SERVICE,
    f"{N}/secrets/t": SECRET,
    "/api/v1/namespaces/fuzz": NAMESPACE,
    "/apis/apps/v1/namespaces/default/deployments/d": DEPLOYMENT,
    "/apis/coordination.k8s.io/v1/namespaces/default/leases/l": LEASE,
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/r": ROLE,
    "/apis/fuzz.example.com/v1/namespaces/default/widgets/w": WIDGET,
    "/apis/work.open-cluster-management.io/v1/namespaces/default/manifestworks/m": WORK,
    "/apis/cluster.open-cluster-management.io/v1beta1/namespaces/default/placements/p": PLACEMENT,
}
"""By its path, an object of each sort: the server under test has them all."""

WORDS = (
    "", ".", "..", "/", "%", "$patch", "$retainKeys", "$setElementOrder/ports", "$deleteFromPrimitiveList/set",
    "replace", "delete", "merge", "metadata", "name", "labels", "spec", "status", "data", "kind", "a=b", "~0",
    "managedFields", "fieldsV1", "f:spec", 'k:{"a":1}', "v:1", "i:0", "k:", "null", "true", "0", "-1", "1e9",
    "2026-01-01T00:00:00Z", "10Mi", "\x00", "\ud7ff", "é" * 3, "x" * 300, "a\nb", "default", "finalizers",
)  # fmt: skip
"""Texts that some parser in the server looks for."""
texts = st.sampled_from(WORDS) | st.text(max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([0, 1, -1, 0.5, 1e308, -0.0, 2**31, 2**53 + 1])
    | texts
)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4), max_leaves=12
)
objects = st.dictionaries(texts, values, max_size=5)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a value, the value itself first."""
    found = [above]
    if isinstance(value, dict):
        for key, under in value.items():
            found += places(under, (*above, key))
    elif isinstance(value, list):
        for at, under in enumerate(value):
            found += places(under, (*above, at))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with something else at a path."""
    if not path:
        return new
    result = deepcopy(value)
    parent = result
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = new
    return result


@st.composite
def mutated(draw: st.DrawFn, obj: Any) -> Any:
    """The object with a few values in it exchanged for others, added or doubled."""
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(obj)[1:] or [()]))
        how = draw(st.sampled_from(["value", "key", "double"]))
        here = obj
        for step in path:
            here = here[step]
        if how == "key" and isinstance(here, dict):
            obj = replaced(obj, path, {**here, draw(texts): draw(values)})
        elif how == "double" and isinstance(here, list):
            obj = replaced(obj, path, [*here, *here])
        else:
            obj = replaced(obj, path, draw(values))
        if not isinstance(obj, dict | list):
            break
    return obj


def pointer(path: tuple[Any, ...]) -> str:
    """The JSON pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


@st.composite
def json_patches(draw: st.DrawFn, obj: Any) -> Any:
    """Operations that mostly fit the object."""
    spots = [pointer(path) for path in places(obj)]
    paths = st.sampled_from(
        [*spots, *(f"{spot}/-" for spot in spots[:6]), "/x", "x", "/metadata/0", "/9" * 9]
    )
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]) | texts, "path": paths},
        optional={"value": values, "from": paths | values},
    )
    return draw(st.lists(operation | values, max_size=4) | values)


@st.composite
def part_of(draw: st.DrawFn, obj: Any) -> Any:
    """Some of an object's keys at each level, now and then with a directive or a null among them."""
    if isinstance(obj, list):
        return [draw(part_of(item)) for item in obj] + draw(st.lists(values, max_size=1))
    if not isinstance(obj, dict):
        return obj if draw(st.booleans()) else draw(values)
    kept = {key: draw(part_of(under)) for key, under in obj.items() if draw(st.integers(0, 3))}
    if not draw(st.integers(0, 3)):
        kept[draw(texts)] = draw(values)
    if not draw(st.integers(0, 3)):
        directive = draw(st.sampled_from(["$patch", "$retainKeys", *(f"$setElementOrder/{k}" for k in kept),
                                          *(f"$deleteFromPrimitiveList/{k}" for k in kept)]))  # fmt: skip
        kept[directive] = draw(st.sampled_from(["replace", "delete", "merge"]) | st.lists(texts) | values)
    return kept
