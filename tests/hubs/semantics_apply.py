"""The histories of server-side apply: each name says what it shows, each step is one call."""

from __future__ import annotations

from tests.hubs.semantics import Step
from tests.hubs.semantics_steps import CM, DEPLOYMENT, D, W, apply, create, get, merge, meta, spec, update

APPLIES: dict[str, list[Step]] = {
    "apply creates": [apply(CM, {"data": {"a": "1"}}), apply(CM, {"data": {"a": "1"}}), get(CM)],
    "apply removes what is no longer said": [
        apply(CM, {"data": {"a": "1", "b": "2"}}),
        apply(CM, {"data": {"b": "2"}}),
        apply(CM, {}),
    ],
    "apply conflicts": [
        apply(CM, {"data": {"a": "1", "b": "2"}}),
        apply(CM, {"data": {"a": "2"}}, "two"),
        apply(CM, {"data": {"a": "2", "b": "3"}}, "two"),
        apply(CM, {"data": {"a": "1"}}, "two"),
        apply(CM, {"data": {"a": "2"}}, "two", force=True),
        apply(CM, {"data": {"a": "1", "b": "2"}}),
        apply(CM, {"data": {"b": "2"}}),
    ],
    "apply over updates": [
        create(CM, {"data": {"a": "1"}}, field_manager="editor"),
        apply(CM, {"data": {"a": "2"}}),
        apply(CM, {"data": {"a": "2"}}, force=True),
        merge(CM, {"data": {"a": "3"}}, field_manager="editor"),
        apply(CM, {"data": {"a": "4"}}),
        merge(CM, {"data": {"a": None}}, field_manager="editor"),
    ],
    "shared fields stay": [
        apply(CM, {"data": {"a": "1"}, **meta(labels={"x": "y"})}),
        apply(CM, {"data": {"a": "1"}}, "two"),
        apply(CM, meta(labels={"x": "y"})),
        apply(CM, {}, "two"),
    ],
    "update gives up what it removes": [
        apply(CM, {"data": {"a": "1", "b": "2"}}),
        update(CM, {"data": {"b": "2"}}, field_manager="editor"),
        merge(CM, {"data": {"b": "9", "c": "1"}}, field_manager="editor"),
        merge(CM, {"data": {"c": "2"}}, field_manager="other"),
    ],
    "managed fields cleared": [
        apply(CM, {"data": {"a": "1"}}),
        merge(CM, {"metadata": {"managedFields": [{}]}}),
        apply(CM, {"data": {"a": "2"}}),
        apply(CM, {"data": {"a": "2"}}, force=True),
    ],
    "apply bad input": [
        apply(CM, {"data": {"a": 1}}),
        apply(CM, {"foo": 1}),
        apply(CM, {"metadata": {"managedFields": []}}),
        apply(CM, {"data": []}),
        apply(CM, {"metadata": {"name": "other"}}),
        apply(CM, {}, ""),
        apply(W, spec(foo=1)),
        apply(W, spec(a="x")),
        apply(W, spec(m=[{"v": "1"}])),
        apply(W, spec(m=[{"name": "a"}, {"name": "a"}])),
        apply(W, spec(set=["a", "a"])),
        apply(W, spec(a=99)),
    ],
    "apply lists": [
        apply(W, spec(m=[{"name": "a", "v": "1"}, {"name": "b"}], set=["x", "y"], l=["1"])),
        apply(W, spec(m=[{"name": "c"}, {"name": "a", "p": 1}], set=["z", "x"]), "two"),
        apply(W, spec(m=[{"name": "b"}], set=["y"])),
        apply(W, spec(m=[{"name": "a", "p": 1}]), "two"),
        merge(W, {"spec": {"m": [{"name": "b"}]}}),
        apply(W, spec(), "two"),
        apply(W, spec()),
    ],
    "apply maps": [
        apply(W, spec(at={"a": "1", "b": "2"}, mp={"a": "1"}, any={"x": {"y": 1}, "l": [1]})),
        apply(W, spec(at={"a": "1"}), "two"),
        apply(W, spec(mp={"b": "1"}, any={"x": {"z": 1}}), "two"),
        apply(W, spec(mp={"a": "1"}, any={"x": {}})),
        apply(W, spec()),
        apply(W, {"spec": {"a": 1}}, "two"),
    ],
    "apply nested removal": [
        apply(W, spec(c={"x": 1, "w": 2})),
        apply(W, spec()),
        apply(W, spec(emb={"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}})),
    ],
    "apply status": [
        create(W, spec()),
        apply(W, {"status": {"phase": "x"}, **spec(a=5)}, subresource="status"),
        apply(W, {"status": {"phase": "y"}}, "two", subresource="status"),
        apply(W, {"status": {"phase": "y"}}, "two", subresource="status", force=True),
        apply(W, {"status": {"phase": "y"}, **spec()}, "three", force=True),
        apply(W, {}, "x", name="none", subresource="status"),
    ],
    "apply deployment": [
        apply(D, DEPLOYMENT),
        apply(D, {"spec": {**DEPLOYMENT["spec"], "replicas": 3}}, "two"),
        apply(D, {"spec": {"replicas": 4}}, "scaler"),
        apply(D, {"spec": {"replicas": 4}}, "scaler", force=True),
        merge(
            D,
            {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "new"}]}}}},
            field_manager="editor",
        ),
    ],
    "apply finalizers and owners": [
        apply(CM, meta(finalizers=["example.com/a"])),
        apply(CM, meta(finalizers=["example.com/b"]), "two"),
        apply(CM, {}),
        apply(CM, {}, "two"),
    ],
}
