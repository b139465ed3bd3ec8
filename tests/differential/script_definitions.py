"""Calls on definitions of kinds that are odd, changed or in each other's way, and on what they define."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.differential.calls import (
    APPLY,
    CRDS,
    JSON_PATCH,
    PARTIAL,
    PARTIAL_LIST,
    TABLE,
    Call,
    apply,
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

GROUP = "d{ns}.example.com"
GADGETS = f"/apis/{GROUP}/v1/namespaces/{{ns}}/gadgets"
BETA = GADGETS.replace("/v1/", "/v1beta1/")
DEFINITION = f"{CRDS}/gadgets.{GROUP}"
TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
FREE: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
KEYED = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}


def fields(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these fields."""
    return {"type": "object", "properties": properties}


def spec(**properties: Any) -> dict[str, Any]:
    """The schema of a kind whose spec has these fields."""
    return fields(spec=fields(**properties))


def ruled(schema: Mapping[str, Any], **rule: Any) -> dict[str, Any]:
    """The schema with one rule."""
    return {**schema, "x-kubernetes-validations": [rule]}


def several(schema: Any = None, /, **more: Any) -> Any:
    """A list whose items are told apart by `k`."""
    items = {**fields(k=TEXT, v=schema or TEXT), "required": ["k"]}
    return {"type": "array", **KEYED, "items": items, **more}


def gadget(name: str = "a", version: str = "v1", **rest: Any) -> Any:
    """A Gadget."""
    return obj("Gadget", name, api=f"{GROUP}/{version}", **rest)


def gadgets(schema: Mapping[str, Any] = FREE, *, names: Any = None, version: Any = None, **more: Any) -> Any:
    """The definition of Gadgets, but for what is said otherwise."""
    made = crd("gadgets", "Gadget", schema, group=more.get("group", GROUP), **(version or {}))
    made["spec"] = {**made["spec"], **more, "names": {**made["spec"]["names"], **(names or {})}}
    return made


def version(name: str = "v1", schema: Any = FREE, **more: Any) -> Any:
    """One version of a definition."""
    return {
        "name": name,
        "served": True,
        "storage": name == "v1",
        **more,
        "schema": {"openAPIV3Schema": schema},
    }


def scale(replicas: int) -> Any:
    """What a Gadget is scaled to."""
    return obj("Scale", "a", api="autoscaling/v1", meta={"namespace": "{ns}"}, spec={"replicas": replicas})


WEBHOOK = {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://x.example.com"}}
OF_SETS = {"type": "array", "x-kubernetes-list-type": "set"}
BAD_FIELDS: tuple[Any, ...] = (
    {}, {"type": "array"}, {"type": "nope"}, {**TEXT, "default": 5}, {**TEXT, "pattern": "("}, {**TEXT, "maxLength": 1, "default": "xx"},
    {**fields(x=TEXT), "additionalProperties": TEXT}, {"type": "array", "items": TEXT, "x-kubernetes-list-type": "map"},
    {"type": "array", "items": fields(k=TEXT), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["z"]},
    {"type": "array", "items": fields(k=TEXT), **KEYED}, {**OF_SETS, "items": fields(k=TEXT)}, {**OF_SETS, "items": {**TEXT, "nullable": True}},
    {"not": {"type": "string"}}, {**TEXT, "oneOf": [{"type": "string"}]}, {**TEXT, "anyOf": [{"title": "x", "pattern": "("}]},
    {**fields(x=TEXT), "allOf": [fields(y={"minLength": 1})]}, {"$ref": "x"}, {**TEXT, "uniqueItems": True}, {**TEXT, "format": "nope"},
    {**TEXT, "x-kubernetes-map-type": "atomic"}, {**TEXT, "x-kubernetes-list-type": "atomic"}, {**fields(), "x-kubernetes-map-type": "x"},
    {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True}, {**fields(), "x-kubernetes-embedded-resource": True},
    {**fields(x=TEXT), "default": {"y": 1}}, {"type": "array", "items": [TEXT]}, {**TEXT, "x-kubernetes-list-map-keys": ["a"]},
    {"type": "object", "additionalProperties": {"type": "array"}}, {"type": "null"}, {**fields(), "x-kubernetes-preserve-unknown-fields": False},
)  # fmt: skip
BAD_WEBHOOKS: tuple[Mapping[str, Any], ...] = (
    {"conversionReviewVersions": ["v9"]}, {"conversionReviewVersions": ["v1", "v1"]}, {"clientConfig": {}}, {"clientConfig": {"url": "http://a.b"}},
    {"clientConfig": {"url": "https://u@a.b/c?d#e"}}, {"clientConfig": {"url": "https:///x"}}, {"clientConfig": {"service": {"name": "", "namespace": "x", "path": "y//z"}}},
)  # fmt: skip
BAD_PARTS: tuple[Mapping[str, Any], ...] = (
    {"schema": {"type": "string"}}, {"schema": {}}, {"schema": {**fields(), "definitions": {"a": TEXT}}}, {"schema": {**fields(), "nullable": True}},
    {"schema": {**fields(), "additionalProperties": True}}, {"schema": fields(kind=WHOLE)},
    {"schema": fields(metadata=fields(labels=FREE))}, {"schema": fields(metadata=fields(name={**TEXT, "maxLength": 5}))},
    {"preserveUnknownFields": True}, {"conversion": {"strategy": "Webhook"}}, {"conversion": {"strategy": "Nope"}}, {"conversion": {"strategy": "None", "webhook": WEBHOOK}},
    *({"conversion": {"strategy": "Webhook", "webhook": {**WEBHOOK, **other}}} for other in BAD_WEBHOOKS),
    {"names": {"plural": "Bad"}}, {"names": {"kind": "1x"}}, {"names": {"shortNames": ["A", "ok"]}}, {"names": {"categories": ["X"]}}, {"names": {"singular": "A"}},
    {"scope": ""}, {"group": ""}, {"group": "k8s.io"}, {"group": "x.kubernetes.io"}, {"versions": []},
    {"versions": [version(storage=False)]}, {"versions": [version(), version("v2", storage=True)]}, {"versions": [version(), version()]},
    {"versions": [{"name": "v1", "served": True, "storage": True}]}, {"versions": [version("V_1", storage=True)]},
    {"version": {"deprecationWarning": "x"}}, {"version": {"deprecated": True, "deprecationWarning": ""}}, {"version": {"subresources": {"scale": {}}}},
    {"version": {"subresources": {"scale": {"specReplicasPath": "x", "statusReplicasPath": ".spec.x", "labelSelectorPath": ".metadata.x"}}}},
    {"version": {"additionalPrinterColumns": [{"name": "a", "type": "date", "jsonPath": ".x", "format": "q"}]}},
    *({"schema": fields(a=TEXT, o=FREE), "version": {"selectableFields": [{"jsonPath": path} for path in paths]}}
      for paths in (["", ".spec.x", ".metadata.name"], [".a", ".a", ".o"], ["a", ".a[0]"])),
    {"names": {"kind": "Gadget", "listKind": "Gadget"}},
)  # fmt: skip
RATCHETED = gadgets(
    spec(
        a={**TEXT, "maxLength": 2},
        b={**fields(c={**TEXT, "enum": ["q", "r"]}, d={**TEXT, "pattern": "^z"}), "required": ["zz"]},
        l=several({**TEXT, "maxLength": 2}),
        t={"type": "array", "items": {**TEXT, "maxLength": 2}},
    )
)
COLUMNS = (
    ("N", "integer", ".spec.n"), ("F", "number", ".spec.f"), ("S", "string", ".spec.s"), ("B", "boolean", ".spec.b"), ("D", "date", ".spec.d"),
    ("L", "string", ".spec.l"), ("L0", "string", ".spec.l[0]"), ("LS", "string", ".spec.l[*]"), ("O", "string", ".spec.o"), ("Q", "integer", ".spec.s"),
    ("M", "string", ".metadata.labels.a\\.b/c"), ("Age", "date", ".metadata.creationTimestamp"),
)  # fmt: skip
SHOWN: dict[str, Any] = {
    "subresources": {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.n",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    },
    "selectableFields": [{"jsonPath": f".spec.{name}"} for name in ("s", "n", "b")],
    "additionalPrinterColumns": [{"name": n, "type": t, "jsonPath": p} for n, t, p in COLUMNS],
}
OF_ALL_TYPES = fields(
    spec=fields(n=WHOLE, f={"type": "number"}, s=TEXT, b={"type": "boolean"}, d=TEXT, l={"type": "array", "items": TEXT}, o=FREE),
    status=fields(phase=TEXT, replicas=WHOLE, selector=TEXT),
)  # fmt: skip
BY_RULES = spec(
    n=ruled(WHOLE, rule="self >= oldSelf", message="no less"),
    s=ruled(TEXT, rule="self == oldSelf", message="immutable", reason="FieldValueForbidden"),
    o=ruled(TEXT, rule="!oldSelf.hasValue() || oldSelf.value() == self", optionalOldSelf=True, message="once"),
    t=ruled(fields(a=WHOLE, b=WHOLE), rule="self.a < self.b", fieldPath=".b", reason="FieldValueRequired",
            messageExpression="'b must be over %d'.format([self.a])"),
    l=ruled({"type": "array", "maxItems": 5, "items": WHOLE}, rule="self.all(x, x > 0)"),
    i=ruled({"x-kubernetes-int-or-string": True}, rule="type(self) == int ? self > 1 : self.endsWith('%')", message="odd"),
)  # fmt: skip

SCRIPT: dict[str, list[Call]] = {
    "definitions that cannot be": [
        *(post(f"{CRDS}?dryRun=All", gadgets(fields(a=field))) for field in BAD_FIELDS),
        *(post(f"{CRDS}?dryRun=All", gadgets(**part)) for part in BAD_PARTS),
    ],
    "a definition that becomes stricter": [
        post(CRDS, gadgets(spec(a=TEXT, b=fields(c=TEXT, d=TEXT), l=several(), t={"type": "array", "items": TEXT}))),
        wait(GADGETS),
        post(GADGETS, gadget(spec={"a": "long", "b": {"c": "long", "d": "long"}, "l": [{"k": "x", "v": "long"}, {"k": "y", "v": "ok"}], "t": ["long", "b"]})),
        get(DEFINITION, save={"rv": "metadata.resourceVersion"}),
        put(DEFINITION, {**RATCHETED, "metadata": {"name": f"gadgets.{GROUP}", "resourceVersion": "{rv}"}}),
        Call("POST", f"{GADGETS}?dryRun=All", gadget("n", spec={"a": "long"}), "application/json", until=422),
        patch(f"{GADGETS}/a", {"metadata": {"labels": {"x": "y"}}}),
        *(patch(f"{GADGETS}/a", {"spec": changed}) for changed in (
            {"a": "other"}, {"a": "ok"}, {"b": {"c": "q"}}, {"b": {"d": "za"}}, {"b": {"zz": "za"}}, {"t": ["long", "b", "c"]},
            {"l": [{"k": "y", "v": "ok"}, {"k": "x", "v": "long"}]}, {"l": [{"k": "y", "v": "ok"}, {"k": "z", "v": "long"}]}, {"b": None})),
        delete(DEFINITION),
    ],
    "rules about what was": [
        post(CRDS, gadgets(BY_RULES)),
        wait(GADGETS),
        post(GADGETS, gadget(spec={"n": 5, "s": "x", "o": "y", "t": {"a": 1, "b": 2}, "l": [1], "i": 5})),
        post(GADGETS, gadget("b", spec={"t": {"a": 2, "b": 2}})),
        post(GADGETS, gadget("b", spec={"l": [0]})),
        post(GADGETS, gadget("b", spec={"i": 1})),
        *(patch(f"{GADGETS}/a", {"spec": changed}) for changed in (
            {"n": 4}, {"n": 6}, {"s": "z"}, {"s": None}, {"s": "z"}, {"o": "z"}, {"o": None}, {"o": "q"}, {"i": "x"}, {"i": "5%"}, {"i": 5.5}, {"i": True},
            {"t": {"a": None}}, {"t": None})),
        patch(f"{GADGETS}/a", {"spec": None}),
        delete(DEFINITION),
    ],
    "columns and fields of a definition": [
        post(CRDS, gadgets(OF_ALL_TYPES, version=SHOWN, names={"shortNames": ["gd"], "categories": ["all"]})),
        wait(GADGETS),
        post(GADGETS, gadget(meta={"labels": {"a.b/c": "L"}}, spec={"n": 3, "f": 1.5, "s": "x", "b": True, "d": "2020-01-01T00:00:00Z", "l": ["p", "q"], "o": {"z": 1, "y": [1, "2"]}})),
        post(GADGETS, gadget("b", spec={"n": 4, "f": 2.0, "s": "y", "b": False, "d": "nope", "l": []})),
        post(GADGETS, gadget("c", spec={"f": 1e10, "d": "2020-01-01T00:00:00.5+02:00"})),
        get(GADGETS, accept=TABLE),
        *(get(f"{GADGETS}?fieldSelector={chosen}") for chosen in (
            "spec.s%3Dx", "spec.n%3D3", "spec.b%3Dtrue", "spec.f%3D1.5", "spec.s!%3Dx", "spec.s%3Dx,spec.n%3D3", "spec.s%3D")),
        watch(f"{GADGETS}?watch=true&fieldSelector=spec.s%3Dx&timeoutSeconds=1", 3),
        get(f"{GADGETS}/a/scale"),
        put(f"{GADGETS}/a/scale", scale(7)),
        patch(f"{GADGETS}/a/scale", {"spec": {"replicas": 8}}),
        get(f"{GADGETS}/c/scale"),
        patch(f"{GADGETS}/c/scale", {"spec": {"replicas": 1}}),
        put(f"{GADGETS}/a/status", {**gadget(status={"phase": "P", "replicas": 2}, spec={"n": 99}), "metadata": {"name": "a", "resourceVersion": "1"}}),
        patch(f"{GADGETS}/a/status", {"status": {"phase": "Q"}, "metadata": {"annotations": {"x": "y"}}}),
        apply(f"{GADGETS}/a", gadget(status={"phase": "Z"}, spec={"n": 1}), query="force=true"),
        get(f"{GADGETS}/a", accept=PARTIAL),
        get(GADGETS, accept=PARTIAL_LIST),
        watch(f"{GADGETS}?watch=true&timeoutSeconds=1", 3, accept=TABLE),
        delete(GADGETS),
        get(f"/apis/{GROUP}/v1"),
        delete(DEFINITION),
    ],
    "definitions in each other's way": [
        post(CRDS, gadgets(scope="Cluster")),
        wait(f"/apis/{GROUP}/v1/gadgets"),
        post(f"/apis/{GROUP}/v1/gadgets", gadget(meta={"namespace": "x"})),
        post(f"/apis/{GROUP}/v1/gadgets", gadget("b")),
        post(GADGETS, gadget("z")),
        put(f"/apis/{GROUP}/v1/gadgets/b", gadget("b")),
        post(CRDS, crd("gizmos", "Gadget", FREE, group=GROUP)),
        Call("GET", f"/apis/{GROUP}/v1/namespaces/{{ns}}/gizmos", until=404),
        delete(f"{CRDS}/gizmos.{GROUP}"),
        delete(DEFINITION),
    ],
    "a version too many": [
        post(CRDS, gadgets(versions=[version(schema=spec(a=TEXT)), version("v1beta1", spec(a={**TEXT, "default": "d"}, b=WHOLE), deprecated=True)])),
        wait(GADGETS),
        post(BETA, gadget("b", "v1beta1", spec={"b": 1})),
        get(f"{GADGETS}/b"),
        get(f"{BETA}/b"),
        patch(f"{BETA}/b", {"spec": {"b": 2}}),
        Call("PATCH", f"{GADGETS}/b?fieldManager=us", gadget("b", spec={"a": "z"}), APPLY),
        put(f"{GADGETS}/b", gadget("b", "v1beta1", spec={})),
        patch(DEFINITION, [{"op": "remove", "path": "/spec/versions/0"}], JSON_PATCH),
        *(patch(DEFINITION, {"spec": changed}) for changed in ({"scope": "Cluster"}, {"group": "x.y"}, {"names": {"kind": "Other"}}, {"names": {"plural": "others"}})),
        delete(DEFINITION),
    ],
}  # fmt: skip
