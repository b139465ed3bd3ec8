"""The histories: each name says what it shows, each step is one call (see `semantics`)."""

from __future__ import annotations

from typing import Any

from tests.hubs.semantics import Step


def create(kind: str, body: Any = None, name: str = "a", **options: Any) -> Step:
    """POST."""
    return {"do": "create", "kind": kind, "body": body, "name": name, "options": options}


def merge(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a JSON merge patch."""
    return {"do": "merge", "kind": kind, "body": body, "name": name, "options": options}


def jsonp(kind: str, *ops: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a JSON patch."""
    return {"do": "json", "kind": kind, "body": list(ops), "name": name, "options": options}


def strategic(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PATCH with a strategic merge patch."""
    return {"do": "strategic", "kind": kind, "body": body, "name": name, "options": options}


def update(kind: str, body: Any, name: str = "a", **options: Any) -> Step:
    """PUT over what is there; a metadata value "-" is left out."""
    return {"do": "update", "kind": kind, "body": body, "name": name, "options": options}


def apply(kind: str, body: Any, manager: str = "one", name: str = "a", **options: Any) -> Step:
    """Server-side apply."""
    return {"do": "apply", "kind": kind, "body": body, "name": name,
            "options": {"field_manager": manager, **options}}  # fmt: skip


def delete(kind: str, name: str = "a", **options: Any) -> Step:
    """DELETE."""
    return {"do": "delete", "kind": kind, "name": name, "options": options}


def get(kind: str, name: str = "a") -> Step:
    """GET."""
    return {"do": "get", "kind": kind, "name": name}


CM, SECRET, W, D = "ConfigMap", "Secret", "Widget", "Deployment"


def meta(**fields: Any) -> Any:
    """Metadata alone."""
    return {"metadata": fields}


def spec(**fields: Any) -> Any:
    """A Widget's spec; `a` is required."""
    return {"spec": {"a": 1, **fields}}


DEPLOYMENT = {
    "spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "containers": [{"name": "c", "image": "busybox:1.36", "ports": [{"containerPort": 80}]}]
            },
        },
    }
}

CASES: dict[str, list[Step]] = {
    "create and read": [create(CM, {"data": {"k": "v"}}), get(CM), create(CM), get(CM, "none")],
    "dry run changes nothing": [create(CM, {"data": {"k": "v"}}), merge(CM, {"data": {"k": "w"}}, dry_run=True),
                                delete(CM, dry_run=True), get(CM)],
    "server sets identity": [create(CM, meta(uid="x", creationTimestamp="2020-01-01T00:00:00Z", selfLink="s"))],
    "bad names": [create(CM, name="A_b"), create(CM, name="x" * 254), create(CM, meta(name="")),
                  create("Namespace", name="a.b")],
    "bad labels": [create(CM, meta(labels={"a b": "c"})), create(CM, meta(labels={"a": "c d"})),
                   create(CM, meta(labels={"x/y/z": "c"})), create(CM, meta(labels={"/z": "c"})),
                   create(CM, meta(annotations={"a b": "c"}))],
    "bad finalizers": [create(CM, meta(finalizers=["x"])), create(CM, meta(finalizers=["x y/z"]))],
    "bad owners": [create(CM, meta(ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "", "uid": ""}]))],
    "wrong types": [create(CM, {"data": {"a": 1}}), create(CM, {"data": []}), create(CM, {"immutable": "x"}),
                    create(CM, meta(labels={"a": 1})), create(CM, {"metadata": {"name": 5}}),
                    create(CM, {"binaryData": {"a": "%%"}})],
    "config map rules": [create(CM, {"data": {"a b": "x"}}), create(CM, {"data": {"a": "x"}, "binaryData": {"a": "eA=="}}),
                         create(CM, {"data": {"a": "x" * 1100000}})],
    "immutable config map": [create(CM, {"immutable": True, "data": {"a": "b"}}), merge(CM, {"data": {"a": "c"}}),
                             merge(CM, {"immutable": False}), merge(CM, meta(labels={"l": "v"}))],
    "unknown fields go": [create(CM, {"foo": 1, "metadata": {"bar": 2}}), get(CM)],
    "no namespace": [create(CM, meta(namespace="no-such-namespace-here"))],
    "secret": [create(SECRET, {"stringData": {"a": "b"}, "data": {"a": "eA==", "q": "eA=="}}),
               merge(SECRET, {"type": "x/y"}), merge(SECRET, {"stringData": {"q": "z"}}),
               create(SECRET, {"type": "kubernetes.io/tls"}, name="t"), create(SECRET, {"data": {"a": "x!"}}, name="t")],
    "update locks": [create(CM, {"data": {"k": "v"}}), update(CM, {"metadata": {"resourceVersion": "1"}, "data": {}}),
                     update(CM, {"metadata": {"resourceVersion": "-"}, "data": {"k": "w"}}),
                     update(CM, {"data": {"k": "w"}}), update(CM, {"data": {"k": "x"}})],
    "immutable metadata": [create(CM), merge(CM, meta(uid="1")), merge(CM, meta(name="b")), merge(CM, meta(namespace="b")),
                           merge(CM, meta(deletionTimestamp="2020-01-01T00:00:00Z")), merge(CM, meta(generation=5)),
                           merge(CM, meta(creationTimestamp=None)), merge(CM, meta(resourceVersion="1"))],
    "merge patch": [create(CM, {"data": {"a": "1", "b": "2"}}), merge(CM, {"data": {"a": None, "c": "3"}}),
                    merge(CM, {"data": {"c": "3"}}), merge(CM, {"data": None}), merge(CM, []), merge(CM, {}, name="x")],
    "json patch": [create(CM, {"data": {"a": "1"}}), jsonp(CM, {"op": "add", "path": "/data/b~1c", "value": "2"}),
                   jsonp(CM, {"op": "test", "path": "/data/a", "value": "z"}), jsonp(CM, {"op": "remove", "path": "/data/q"}),
                   jsonp(CM, {"op": "replace", "path": "/data/a", "value": "9"}, {"op": "copy", "from": "/data/a", "path": "/data/z"}),
                   jsonp(CM, {"op": "move", "from": "/data/z", "path": "/data/y"}), jsonp(CM, {"op": "nope", "path": "/data"}),
                   jsonp(CM, {"op": "add", "path": "/foo/bar/x", "value": 1}), jsonp(CM, {"op": "test", "path": "/data/a", "value": "9"})],
    "strategic merge": [create(D, DEPLOYMENT),
                        strategic(D, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "other"}, {"name": "d", "image": "e"}]}}}}),
                        strategic(D, {"spec": {"template": {"spec": {"containers": [{"name": "d", "$patch": "delete"}]}}}}),
                        strategic(W, {})],
    "deletion": [create(CM), delete(CM, uid="x"), delete(CM, resource_version="1"), delete(CM), delete(CM), get(CM)],
    "finalizers": [create(CM, meta(finalizers=["example.com/f"])), delete(CM), delete(CM), create(CM),
                   merge(CM, meta(finalizers=["example.com/f", "example.com/g"])), merge(CM, meta(labels={"a": "b"})),
                   merge(CM, meta(finalizers=None)), get(CM)],
    "custom defaults": [create(W, spec()), create(W, spec(nul=None, d=None, m=[{"name": "a"}]), name="b"),
                        create(W, spec(foo=1, m=[{"name": "a", "zz": 1}], any={"x": {"y": 1}}), name="c")],
    "custom validation": [create(W, {"spec": {}}), create(W, spec(a="x")), create(W, spec(a=0)), create(W, spec(a=10)),
                          create(W, spec(a=1.5)), create(W, spec(s="abcd")), create(W, spec(s="")), create(W, spec(s="A")),
                          create(W, spec(e="z")), create(W, spec(e=5)), create(W, spec(b="x")), create(W, spec(t="x")),
                          create(W, spec(l=["a", "b", "c"])), create(W, spec(l=[])), create(W, spec(l=[1])), create(W, spec(l="x")),
                          create(W, spec(set=["a", "a"])), create(W, spec(m=[{"name": "a"}, {"name": "a"}])),
                          create(W, spec(m=[{"v": "a"}])), create(W, spec(i=True)), create(W, spec(emb={"x": 1})),
                          create(W, spec(mp={"a": "1", "b": "2", "c": "3"})), create(W, spec(mp={"a": 1})),
                          create(W, spec(one={})), create(W, spec(one={"p": "a", "q": "b"})), create(W, {"spec": []}), create(W)],
    "custom rules": [create(W, spec(c={"x": 2, "w": 1})), create(W, spec(c={"x": 5, "w": 9})), create(W, spec(c={"w": 9})),
                     create(W, spec(im="x")), merge(W, {"spec": {"im": "y"}}), merge(W, {"spec": {"im": "x", "s": "z"}}),
                     create(W, spec(r=["b", "a"]), name="r"), create(W, spec(sc=3), name="s")],
    "generation and status": [create(W, {**spec(), "status": {"phase": "x"}}), merge(W, {"spec": {"a": 2}, "status": {"phase": "q"}}),
                              merge(W, meta(labels={"a": "b"})), merge(W, {"spec": {"a": 3}, "status": {"phase": "q"}}, subresource="status"),
                              update(W, {"spec": {"a": 4}, "status": {"phase": "z"}}, subresource="status"),
                              update(W, {"metadata": {"resourceVersion": "-"}, **spec()}), update(W, spec(a=4)),
                              merge(W, {"status": None}, subresource="status"), merge(W, {"spec": {"a": 4}})],
    "deployment": [create(D, DEPLOYMENT), merge(D, {"spec": {"replicas": 2}}), merge(D, meta(labels={"l": "v"})),
                   merge(D, {"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
                   merge(D, {"spec": {"replicas": 9}, "status": {"observedGeneration": 2, "replicas": 1}}, subresource="status")],
    "apply creates": [apply(CM, {"data": {"a": "1"}}), apply(CM, {"data": {"a": "1"}}), get(CM)],
    "apply removes what is no longer said": [apply(CM, {"data": {"a": "1", "b": "2"}}), apply(CM, {"data": {"b": "2"}}), apply(CM, {})],
    "apply conflicts": [apply(CM, {"data": {"a": "1", "b": "2"}}), apply(CM, {"data": {"a": "2"}}, "two"),
                        apply(CM, {"data": {"a": "2", "b": "3"}}, "two"), apply(CM, {"data": {"a": "1"}}, "two"),
                        apply(CM, {"data": {"a": "2"}}, "two", force=True), apply(CM, {"data": {"a": "1", "b": "2"}}),
                        apply(CM, {"data": {"b": "2"}})],
    "apply over updates": [create(CM, {"data": {"a": "1"}}, field_manager="editor"), apply(CM, {"data": {"a": "2"}}),
                           apply(CM, {"data": {"a": "2"}}, force=True), merge(CM, {"data": {"a": "3"}}, field_manager="editor"),
                           apply(CM, {"data": {"a": "4"}}), merge(CM, {"data": {"a": None}}, field_manager="editor")],
    "shared fields stay": [apply(CM, {"data": {"a": "1"}, **meta(labels={"x": "y"})}), apply(CM, {"data": {"a": "1"}}, "two"),
                           apply(CM, meta(labels={"x": "y"})), apply(CM, {}, "two")],
    "update gives up what it removes": [apply(CM, {"data": {"a": "1", "b": "2"}}), update(CM, {"data": {"b": "2"}}, field_manager="editor"),
                                        merge(CM, {"data": {"b": "9", "c": "1"}}, field_manager="editor"), merge(CM, {"data": {"c": "2"}}, field_manager="other")],
    "managed fields cleared": [apply(CM, {"data": {"a": "1"}}), merge(CM, {"metadata": {"managedFields": [{}]}}),
                               apply(CM, {"data": {"a": "2"}}), apply(CM, {"data": {"a": "2"}}, force=True)],
    "apply bad input": [apply(CM, {"data": {"a": 1}}), apply(CM, {"foo": 1}), apply(CM, {"metadata": {"managedFields": []}}),
                        apply(CM, {"data": []}), apply(CM, {"metadata": {"name": "other"}}), apply(CM, {}, ""),
                        apply(W, spec(foo=1)), apply(W, spec(a="x")), apply(W, spec(m=[{"v": "1"}])),
                        apply(W, spec(m=[{"name": "a"}, {"name": "a"}])), apply(W, spec(set=["a", "a"])), apply(W, spec(a=99))],
    "apply lists": [apply(W, spec(m=[{"name": "a", "v": "1"}, {"name": "b"}], set=["x", "y"], l=["1"])),
                    apply(W, spec(m=[{"name": "c"}, {"name": "a", "p": 1}], set=["z", "x"]), "two"),
                    apply(W, spec(m=[{"name": "b"}], set=["y"])), apply(W, spec(m=[{"name": "a", "p": 1}]), "two"),
                    merge(W, {"spec": {"m": [{"name": "b"}]}}), apply(W, spec(), "two"), apply(W, spec())],
    "apply maps": [apply(W, spec(at={"a": "1", "b": "2"}, mp={"a": "1"}, any={"x": {"y": 1}, "l": [1]})),
                   apply(W, spec(at={"a": "1"}), "two"), apply(W, spec(mp={"b": "1"}, any={"x": {"z": 1}}), "two"),
                   apply(W, spec(mp={"a": "1"}, any={"x": {}})), apply(W, spec()), apply(W, {"spec": {"a": 1}}, "two")],
    "apply nested removal": [apply(W, spec(c={"x": 1, "w": 2})), apply(W, spec()), apply(W, spec(emb={"apiVersion": "v1", "kind": "X", "metadata": {"name": "n"}}))],
    "apply status": [create(W, spec()), apply(W, {"status": {"phase": "x"}, **spec(a=5)}, subresource="status"),
                     apply(W, {"status": {"phase": "y"}}, "two", subresource="status"),
                     apply(W, {"status": {"phase": "y"}}, "two", subresource="status", force=True),
                     apply(W, {"status": {"phase": "y"}, **spec()}, "three", force=True), apply(W, {}, "x", name="none", subresource="status")],
    "apply deployment": [apply(D, DEPLOYMENT), apply(D, {"spec": {**DEPLOYMENT["spec"], "replicas": 3}}, "two"),
                         apply(D, {"spec": {"replicas": 4}}, "scaler"), apply(D, {"spec": {"replicas": 4}}, "scaler", force=True),
                         merge(D, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "new"}]}}}}, field_manager="editor")],
    "apply finalizers and owners": [apply(CM, meta(finalizers=["example.com/a"])), apply(CM, meta(finalizers=["example.com/b"]), "two"),
                                    apply(CM, {}), apply(CM, {}, "two")],
    "selectors": [create(CM, meta(labels={"app": "x", "n": "5"})), create(CM, meta(labels={"app": "y"}), name="b"), create(CM, name="c"),
                  *({"do": "list", "kind": CM, "options": {"label_selector": s + ",!kubernetes.io/skip"}} for s in
                    ("app", "app=x", "app!=x", "app in (x,y)", "app notin (x)", "!app", "n>4,n<6", "app==y")),
                  *({"do": "list", "kind": CM, "options": {"label_selector": s}} for s in ("a b", "a in (b", "a=b c", "a=b@c", "=x")),
                  *({"do": "list", "kind": CM, "options": {"field_selector": s}} for s in
                    ("metadata.name=b", "metadata.name=b,metadata.namespace!=q", "spec.a=b", "abc"))],
    "namespace": [create("Namespace", name="semantics-NAMESPACE"), create("Namespace", name="A"), delete("Namespace", name="default")],
    "service": [create("Service", name="1x")],
}  # fmt: skip

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.semantics.gitops-ocm.io"},
    "spec": {
        "group": "semantics.gitops-ocm.io",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["a"],
                                "properties": {
                                    "a": {"type": "integer", "minimum": 1, "maximum": 9},
                                    "s": {
                                        "type": "string",
                                        "maxLength": 3,
                                        "minLength": 1,
                                        "pattern": "^[a-z]+$",
                                    },
                                    "e": {"type": "string", "enum": ["x", "y"]},
                                    "b": {"type": "boolean"},
                                    "t": {"type": "string", "format": "date-time"},
                                    "l": {
                                        "type": "array",
                                        "items": {"type": "string"},
                                        "maxItems": 2,
                                        "minItems": 1,
                                    },
                                    "set": {
                                        "type": "array",
                                        "items": {"type": "string"},
                                        "x-kubernetes-list-type": "set",
                                    },
                                    "m": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "v": {"type": "string"},
                                                "p": {"type": "integer", "default": 80},
                                            },
                                        },
                                    },
                                    "i": {"x-kubernetes-int-or-string": True},
                                    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "emb": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                        "x-kubernetes-embedded-resource": True,
                                    },
                                    "nul": {"type": "string", "nullable": True},
                                    "d": {"type": "string", "default": "dflt"},
                                    "one": {
                                        "type": "object",
                                        "properties": {"p": {"type": "string"}, "q": {"type": "string"}},
                                        "oneOf": [{"required": ["p"]}, {"required": ["q"]}],
                                    },
                                    "mp": {
                                        "type": "object",
                                        "additionalProperties": {"type": "string"},
                                        "maxProperties": 2,
                                    },
                                    "at": {
                                        "type": "object",
                                        "x-kubernetes-map-type": "atomic",
                                        "additionalProperties": {"type": "string"},
                                    },
                                    "im": {
                                        "type": "string",
                                        "x-kubernetes-validations": [
                                            {"rule": "self == oldSelf", "message": "im is immutable"}
                                        ],
                                    },
                                    "r": {
                                        "type": "array",
                                        "maxItems": 5,
                                        "items": {"type": "string", "maxLength": 5},
                                        "x-kubernetes-validations": [
                                            {"rule": "self.isSorted()", "message": "sort it"}
                                        ],
                                    },
                                    "sc": {
                                        "type": "integer",
                                        "x-kubernetes-validations": [{"rule": "self % 2 == 0"}],
                                    },
                                    "c": {
                                        "type": "object",
                                        "properties": {"x": {"type": "integer"}, "w": {"type": "integer"}},
                                        "x-kubernetes-validations": [
                                            {"rule": "self.x < self.w"},
                                            {
                                                "rule": "self.x != 5",
                                                "messageExpression": "self.x == 5 ? 'x was five' : 'other'",
                                                "reason": "FieldValueForbidden",
                                                "fieldPath": ".x",
                                            },
                                        ],
                                    },
                                },
                            },
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}
