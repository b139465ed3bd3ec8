"""Calls on kinds of our own making: definitions, structural schemas, rules, columns, versions."""

from __future__ import annotations

from typing import Any

from tests.differential.calls import (
    CRDS,
    PARTIAL,
    TABLE,
    YAML,
    Call,
    apply,
    cm,
    crd,
    delete,
    get,
    obj,
    patch,
    post,
    put,
    wait,
    watch,
)

GROUP = "{ns}.example.com"
API = f"{GROUP}/v1"
OBJECT: dict[str, Any] = {"type": "object"}
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "x-kubernetes-validations": [
        {"rule": "!has(self.limit) || self.size <= self.limit", "message": "size exceeds limit"},
        {"rule": "!has(oldSelf.serial) || self.serial == oldSelf.serial", "messageExpression": "'serial was ' + oldSelf.serial"},
        {"rule": "self.size != 13", "reason": "FieldValueForbidden", "fieldPath": ".size"},
    ],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 100},
        "limit": {"type": "integer"},
        "serial": {"type": "string", "maxLength": 8, "minLength": 2, "pattern": "^[a-z0-9]+$"},
        "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "ratio": {"type": "number", "maximum": 9.5},
        "port": {"x-kubernetes-int-or-string": True},
        "when": {"type": "string", "format": "date-time"},
        "nested": {"type": "object", "default": {}, "properties": {"on": {"type": "boolean", "default": True}}},
        "nothing": {"type": "string", "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set", "maxItems": 3},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string", "default": "none"}},
            },
        },
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
        "template": {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
        "choice": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
                   "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    },
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"spec": SPEC, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
}
COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "description": "How big"},
    {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
    {"name": "When", "type": "date", "jsonPath": ".spec.when"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Tags", "type": "string", "jsonPath": ".spec.tags"},
    {"name": "Odd", "type": "integer", "jsonPath": ".spec.serial"},
]
UNSCALED = crd(
    "widgets", "Widget", SCHEMA, group=GROUP, additionalPrinterColumns=COLUMNS, subresources={"status": {}}
)
DEFINITION = crd("widgets", "Widget", SCHEMA, group=GROUP, additionalPrinterColumns=COLUMNS,
                 subresources={"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size",
                                                       "labelSelectorPath": ".status.selector"}})  # fmt: skip
WIDGETS = f"/apis/{API}/namespaces/{{ns}}/widgets"
NAME = f"widgets.{GROUP}"


def widget(name: str = "a", **spec: Any) -> Any:
    """A Widget."""
    return obj("Widget", name, api=API, spec={"size": 1, **spec})


def defined(definition: Any, plural: str = "widgets") -> list[Call]:
    """Create a definition and wait until its kind is served."""
    return [post(CRDS, definition), wait(f"/apis/{GROUP}/v1/{plural}"), wait(f"/apis/{GROUP}/v1")]


BAD: tuple[dict[str, Any], ...] = (
    {"size": 0}, {"size": 101}, {"size": "x"}, {"size": 1.5}, {"size": None}, {"size": 13}, {"size": 5, "limit": 4}, {"serial": "A"},
    {"serial": "a"}, {"serial": "a" * 9}, {"colour": "blue"}, {"colour": 5}, {"ratio": 10}, {"ratio": "x"}, {"port": True}, {"port": {}},
    {"when": "yesterday"}, {"nested": 5}, {"nested": {"on": "x"}}, {"tags": ["a", "a"]}, {"tags": ["a", "b", "c", "d"]}, {"tags": "x"},
    {"tags": [1]}, {"parts": [{"name": "a"}, {"name": "a"}]}, {"parts": [{}]}, {"parts": [{"name": 1}]}, {"parts": ["x"]},
    {"labels": {"a": "1", "b": "2", "c": "3"}}, {"labels": {"a": 1}}, {"template": {"x": 1}}, {"template": {"apiVersion": "v1", "kind": "Pod"}},
    {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}}}, {"choice": {}}, {"choice": {"a": "1", "b": "2"}},
    {"free": 5},
)  # fmt: skip
GOOD: tuple[dict[str, Any], ...] = (
    {}, {"colour": "green", "ratio": 1.5, "port": 80}, {"port": "http", "nothing": None, "free": {"x": {"y": None}}},
    {"nested": {}}, {"nested": None}, {"parts": [{"name": "a", "zz": 1}, {"name": "b", "value": "v"}]}, {"unknown": {"x": 1}},
    {"template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "nope": 1}, "spec": {}}}, {"ratio": 2},
    {"when": "2020-01-01T00:00:00Z", "choice": {"a": "1"}},
)  # fmt: skip


def schema_of(**fields: Any) -> dict[str, Any]:
    """A schema whose spec has these fields."""
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}


BAD_DEFINITIONS: tuple[Any, ...] = (
    obj("CustomResourceDefinition", "x", api="apiextensions.k8s.io/v1"),
    obj("CustomResourceDefinition", "x", api="apiextensions.k8s.io/v1", spec={}),
    obj("CustomResourceDefinition", "wrong.name", api="apiextensions.k8s.io/v1", spec=DEFINITION["spec"]),
    crd("Bad_Plural", "Widget", OBJECT, group=GROUP),
    crd("things", "bad kind", OBJECT, group=GROUP),
    crd("things", "Thing", {}, group=GROUP),
    crd("things", "Thing", {"type": "string"}, group=GROUP),
    crd("things", "Thing", OBJECT, group=GROUP, name="Bad"),
    crd("things", "Thing", OBJECT, group=GROUP, served=False),
    crd("things", "Thing", OBJECT, group=GROUP, storage=False),
    crd("things", "Thing", OBJECT, group="nodots"),
    crd("things", "Thing", schema_of(a={}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "nonsense"}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "array"}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "array", "items": {}}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "default": 5}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "pattern": "("}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "object", "properties": {}, "additionalProperties": True}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "x-kubernetes-validations": [{"rule": "self."}]}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "x-kubernetes-validations": [{"rule": "self + 1 > 2"}]}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "x-kubernetes-validations": [{"rule": "self.size()"}]}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "x-kubernetes-validations": [{"rule": "nope(self)"}]}), group=GROUP),
    crd("things", "Thing", schema_of(a={"type": "string", "x-kubernetes-validations": [{"rule": "self == 'a'", "message": "a\nb"}]}), group=GROUP),
    crd("things", "Thing", {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}, group=GROUP),
    crd("things", "Thing", OBJECT, group=GROUP, additionalPrinterColumns=[{"name": "X", "type": "string", "jsonPath": "spec"}]),
    crd("things", "Thing", OBJECT, group=GROUP, additionalPrinterColumns=[{"name": "X", "type": "nonsense", "jsonPath": ".spec"}]),
    crd("things", "Thing", OBJECT, group=GROUP, subresources={"scale": {"specReplicasPath": "x", "statusReplicasPath": ".status.r"}}),
)  # fmt: skip

_SCRIPT: dict[str, list[Call]] = {
    "a definition": [
        *defined(DEFINITION),
        get(f"{CRDS}/{NAME}"),
        get(f"{CRDS}/{NAME}", accept=TABLE),
        get(f"/apis/{GROUP}"),
        get(f"/apis/{GROUP}/v1"),
        get(f"/apis/{GROUP}/v2"),
        get(WIDGETS),
        get(WIDGETS, accept=TABLE),
        post(CRDS, DEFINITION),
        patch(f"{CRDS}/{NAME}", {"spec": {"scope": "Cluster"}}),
        patch(f"{CRDS}/{NAME}", {"spec": {"group": "other.example.com"}}),
        patch(f"{CRDS}/{NAME}", {"spec": {"names": {"kind": "Gadget"}}}),
        patch(f"{CRDS}/{NAME}", {"metadata": {"labels": {"a": "b"}}}),
        patch(f"{CRDS}/{NAME}/status", {"status": {"storedVersions": ["v2"]}}),
    ],
    "bad definitions": [post(CRDS, bad) for bad in BAD_DEFINITIONS],
    "objects of a definition": [
        *defined(UNSCALED),
        *(post(WIDGETS, widget(f"good-{at}", **spec)) for at, spec in enumerate(GOOD)),
        *(post(f"{WIDGETS}?fieldValidation=Strict", widget("strict", **spec)) for spec in GOOD[5:8]),
        *(post(WIDGETS, widget("bad", **spec)) for spec in BAD),
        post(WIDGETS, obj("Widget", "none", api=API)),
        post(WIDGETS, obj("Widget", "empty", api=API, spec={})),
        post(WIDGETS, obj("Widget", "list", api=API, spec=[])),
        post(WIDGETS, obj("Widget", "extra", api=API, spec={"size": 1}, extra=1)),
        post(WIDGETS, obj("Gadget", "kind", api=API, spec={"size": 1})),
        post(WIDGETS, obj("Widget", "version", api=f"{GROUP}/v2", spec={"size": 1})),
        post(WIDGETS, {"spec": {"size": 1}}),
        post(WIDGETS, widget("Bad_Name")),
        post(WIDGETS, widget("", size=1)),
        post(WIDGETS, "{"),
        post(WIDGETS, f"apiVersion: {API}\nkind: Widget\nmetadata: {{name: yaml}}\nspec: {{size: 3}}\n", YAML),
        post(WIDGETS, cm()),
        post(f"/apis/{API}/widgets", widget("nowhere")),
        get(WIDGETS, accept=TABLE),
    ],
    "changing objects of a definition": [
        *defined(DEFINITION),
        post(WIDGETS, {**widget(serial="abc"), "status": {"phase": "x"}}, save={"rv": "metadata.resourceVersion"}),
        put(f"{WIDGETS}/a", widget(serial="abc", size=2)),
        put(f"{WIDGETS}/a", {**widget(serial="abc", size=2), "metadata": {"name": "a", "resourceVersion": "{rv}"}}),
        put(f"{WIDGETS}/a", {**widget(serial="abc", size=3), "metadata": {"name": "a", "resourceVersion": "{rv}"}}),
        patch(f"{WIDGETS}/a", {"spec": {"serial": "xyz"}}),
        patch(f"{WIDGETS}/a", {"spec": {"serial": None}}),
        patch(f"{WIDGETS}/a", {"spec": {"size": 5, "colour": None}, "status": {"phase": "y"}}),
        patch(f"{WIDGETS}/a/status", {"spec": {"size": 6}, "status": {"phase": "z", "conditions": [{"type": "Ready", "status": "True"}]}}),
        patch(f"{WIDGETS}/a/status", {"metadata": {"labels": {"a": "b"}, "finalizers": ["a.io/b"]}}),
        patch(f"{WIDGETS}/a", {"metadata": {"labels": {"a": "b"}}}),
        patch(f"{WIDGETS}/a", {}, "application/strategic-merge-patch+json"),
        patch(f"{WIDGETS}/a", [{"op": "replace", "path": "/spec/size", "value": 7}], "application/json-patch+json"),
        patch(f"{WIDGETS}/a", [{"op": "replace", "path": "/spec/size", "value": 700}], "application/json-patch+json"),
        get(f"{WIDGETS}/a/scale"),
        put(f"{WIDGETS}/a/scale", obj("Scale", "a", api="autoscaling/v1", spec={"replicas": 9})),
        patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 10}}),
        patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": -1}}),
        patch(f"{WIDGETS}/a/scale", {"spec": {"replicas": 1000}}),
        get(f"{WIDGETS}/a", accept=TABLE),
        get(f"{WIDGETS}/a", accept=PARTIAL),
        get(f"{WIDGETS}/a", accept=YAML),
        get(f"{WIDGETS}?labelSelector=a%3Db&limit=1"),
        get(f"{WIDGETS}?fieldSelector=spec.size%3D1"),
        apply(f"{WIDGETS}/s", widget("s", tags=["a"], parts=[{"name": "a"}])),
        apply(f"{WIDGETS}/s", widget("s", tags=["b"], parts=[{"name": "b", "value": "1"}]), manager="other"),
        apply(f"{WIDGETS}/s", widget("s", size=2), manager="other"),
        apply(f"{WIDGETS}/s", widget("s", size=2), manager="other", query="force=true"),
        apply(f"{WIDGETS}/s", widget("s", nope=1)),
        apply(f"{WIDGETS}/s", widget("s", size="x")),
        apply(f"{WIDGETS}/s", widget("s", parts=[{"name": "a"}, {"name": "a"}])),
        apply(f"{WIDGETS}/s", widget("s", tags=["a", "a"])),
        apply(f"{WIDGETS}/s", widget("s", size=200)),
        apply(f"{WIDGETS}/s/status", obj("Widget", "s", api=API, status={"size": 4}), manager="statuses"),
        get(f"{WIDGETS}/s"),
        delete(f"{WIDGETS}/s"),
        delete(f"{WIDGETS}/a", {"propagationPolicy": "Foreground"}),
        watch(f"{WIDGETS}?watch=true&resourceVersion={{rv}}", 4),
        wait(f"{WIDGETS}/a", 404),
        delete(WIDGETS),
        get(WIDGETS),
    ],
    "versions of a definition": [
        post(CRDS, {**DEFINITION, "spec": {**DEFINITION["spec"], "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema_of(a={"type": "string", "default": "one"})}},
            {"name": "v1beta1", "served": True, "storage": False, "deprecated": True,
             "schema": {"openAPIV3Schema": schema_of(b={"type": "string", "default": "two"})}},
            {"name": "v1alpha1", "served": False, "storage": False, "schema": {"openAPIV3Schema": OBJECT}}]}}),
        wait(f"/apis/{GROUP}/v1/widgets"),
        wait(f"/apis/{GROUP}/v1beta1/widgets"),
        get(f"/apis/{GROUP}"),
        get(f"/apis/{GROUP}/v1beta1"),
        get(f"/apis/{GROUP}/v1alpha1"),
        get(f"/apis/{GROUP}/v1alpha1/widgets"),
        post(WIDGETS, obj("Widget", "a", api=API, spec={"a": "x", "b": "y"})),
        get(f"/apis/{GROUP}/v1beta1/namespaces/{{ns}}/widgets/a"),
        post(f"/apis/{GROUP}/v1beta1/namespaces/{{ns}}/widgets", obj("Widget", "b", api=f"{GROUP}/v1beta1", spec={"b": "y"})),
        get(f"{WIDGETS}/b"),
        get(f"/apis/{GROUP}/v1beta1/namespaces/{{ns}}/widgets"),
        patch(f"/apis/{GROUP}/v1beta1/namespaces/{{ns}}/widgets/a", {"spec": {"b": "z"}}),
        get(f"{WIDGETS}/a"),
        get(f"{CRDS}/{NAME}"),
        patch(f"{CRDS}/{NAME}", [{"op": "remove", "path": "/spec/versions/0"}], "application/json-patch+json"),
        patch(f"{CRDS}/{NAME}", [{"op": "replace", "path": "/spec/versions/1/served", "value": False}], "application/json-patch+json"),
        wait(f"/apis/{GROUP}/v1beta1/widgets", 404),
        get(f"{WIDGETS}/b"),
    ],
    "deleting a definition": [
        *defined(DEFINITION),
        post(WIDGETS, widget()),
        post(WIDGETS, {**widget("held"), "metadata": {"name": "held", "finalizers": ["a.io/b"]}}),
        delete(f"{CRDS}/{NAME}"),
        wait(f"{WIDGETS}/a", 404),
        post(WIDGETS, widget("late")),
        patch(f"{WIDGETS}/held", {"metadata": {"finalizers": None}}),
        wait(f"{CRDS}/{NAME}", 404),
        wait(WIDGETS, 404),
        get(f"/apis/{GROUP}/v1"),
    ],
    "a definition of cluster scope": [
        *defined({**crd("gadgets", "Gadget", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, group=GROUP),
                  "spec": {**crd("gadgets", "Gadget", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, group=GROUP)["spec"],
                           "scope": "Cluster"}}, "gadgets"),
        post(f"/apis/{API}/gadgets", obj("Gadget", "g", api=API, anything={"goes": [1, None, {"x": None}]})),
        post(f"/apis/{API}/gadgets", obj("Gadget", "h", api=API, meta={"namespace": "{ns}"})),
        post(f"/apis/{API}/namespaces/{{ns}}/gadgets", obj("Gadget", "h", api=API)),
        get(f"/apis/{API}/gadgets/g"),
        get(f"/apis/{API}/gadgets/g/status"),
        get(f"/apis/{API}/gadgets/g/scale"),
        get(f"/apis/{API}/gadgets", accept=TABLE),
        patch(f"/apis/{API}/gadgets/g", {"anything": {"goes": None, "more": [None]}}),
        apply(f"/apis/{API}/gadgets/g", obj("Gadget", "g", api=API, anything={"applied": True})),
        delete(f"/apis/{API}/gadgets/g"),
    ],
}  # fmt: skip
SCRIPT = {
    name: [*calls, delete(f"{CRDS}/gadgets.{GROUP}"), delete(f"{CRDS}/{NAME}")]
    for name, calls in _SCRIPT.items()
}
"""Each scenario takes away the kinds it made."""
