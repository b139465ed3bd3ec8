"""The histories of all but apply: each name says what it shows, each step is one call."""

from __future__ import annotations

from tests.hubs.semantics import Step
from tests.hubs.semantics_steps import (
    CM,
    DEPLOYMENT,
    SECRET,
    D,
    W,
    create,
    delete,
    get,
    jsonp,
    merge,
    meta,
    spec,
    strategic,
    update,
)

GENERAL: dict[str, list[Step]] = {
    "create and read": [create(CM, {"data": {"k": "v"}}), get(CM), create(CM), get(CM, "none")],
    "dry run changes nothing": [
        create(CM, {"data": {"k": "v"}}),
        merge(CM, {"data": {"k": "w"}}, dry_run=True),
        delete(CM, dry_run=True),
        get(CM),
    ],
    "server sets identity": [
        create(CM, meta(uid="x", creationTimestamp="2020-01-01T00:00:00Z", selfLink="s"))
    ],
    "bad names": [
        create(CM, name="A_b"),
        create(CM, name="x" * 254),
        create(CM, meta(name="")),
        create("Namespace", name="a.b"),
    ],
    "bad labels": [
        create(CM, meta(labels={"a b": "c"})),
        create(CM, meta(labels={"a": "c d"})),
        create(CM, meta(labels={"x/y/z": "c"})),
        create(CM, meta(labels={"/z": "c"})),
        create(CM, meta(annotations={"a b": "c"})),
    ],
    "bad finalizers": [create(CM, meta(finalizers=["x"])), create(CM, meta(finalizers=["x y/z"]))],
    "bad owners": [
        create(CM, meta(ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "", "uid": ""}]))
    ],
    "wrong types": [
        create(CM, {"data": {"a": 1}}),
        create(CM, {"data": []}),
        create(CM, {"immutable": "x"}),
        create(CM, meta(labels={"a": 1})),
        create(CM, {"metadata": {"name": 5}}),
        create(CM, {"binaryData": {"a": "%%"}}),
    ],
    "config map rules": [
        create(CM, {"data": {"a b": "x"}}),
        create(CM, {"data": {"a": "x"}, "binaryData": {"a": "eA=="}}),
        create(CM, {"data": {"a": "x" * 1100000}}),
    ],
    "immutable config map": [
        create(CM, {"immutable": True, "data": {"a": "b"}}),
        merge(CM, {"data": {"a": "c"}}),
        merge(CM, {"immutable": False}),
        merge(CM, meta(labels={"l": "v"})),
    ],
    "unknown fields go": [create(CM, {"foo": 1, "metadata": {"bar": 2}}), get(CM)],
    "no namespace": [create(CM, meta(namespace="no-such-namespace-here"))],
    "secret": [
        create(SECRET, {"stringData": {"a": "b"}, "data": {"a": "eA==", "q": "eA=="}}),
        merge(SECRET, {"type": "x/y"}),
        merge(SECRET, {"stringData": {"q": "z"}}),
        create(SECRET, {"type": "kubernetes.io/tls"}, name="t"),
        create(SECRET, {"data": {"a": "x!"}}, name="t"),
    ],
    "update locks": [
        create(CM, {"data": {"k": "v"}}),
        update(CM, {"metadata": {"resourceVersion": "1"}, "data": {}}),
        update(CM, {"metadata": {"resourceVersion": "-"}, "data": {"k": "w"}}),
        update(CM, {"data": {"k": "w"}}),
        update(CM, {"data": {"k": "x"}}),
    ],
    "immutable metadata": [
        create(CM),
        merge(CM, meta(uid="1")),
        merge(CM, meta(name="b")),
        merge(CM, meta(namespace="b")),
        merge(CM, meta(deletionTimestamp="2020-01-01T00:00:00Z")),
        merge(CM, meta(generation=5)),
        merge(CM, meta(creationTimestamp=None)),
        merge(CM, meta(resourceVersion="1")),
    ],
    "merge patch": [
        create(CM, {"data": {"a": "1", "b": "2"}}),
        merge(CM, {"data": {"a": None, "c": "3"}}),
        merge(CM, {"data": {"c": "3"}}),
        merge(CM, {"data": None}),
        merge(CM, []),
        merge(CM, {}, name="x"),
    ],
    "json patch": [
        create(CM, {"data": {"a": "1"}}),
        jsonp(CM, {"op": "add", "path": "/data/b~1c", "value": "2"}),
        jsonp(CM, {"op": "test", "path": "/data/a", "value": "z"}),
        jsonp(CM, {"op": "remove", "path": "/data/q"}),
        jsonp(
            CM,
            {"op": "replace", "path": "/data/a", "value": "9"},
            {"op": "copy", "from": "/data/a", "path": "/data/z"},
        ),
        jsonp(CM, {"op": "move", "from": "/data/z", "path": "/data/y"}),
        jsonp(CM, {"op": "nope", "path": "/data"}),
        jsonp(CM, {"op": "add", "path": "/foo/bar/x", "value": 1}),
        jsonp(CM, {"op": "test", "path": "/data/a", "value": "9"}),
    ],
    "strategic merge": [
        create(D, DEPLOYMENT),
        strategic(
            D,
            {
                "spec": {
                    "template": {
                        "spec": {"containers": [{"name": "c", "image": "other"}, {"name": "d", "image": "e"}]}
                    }
                }
            },
        ),
        strategic(D, {"spec": {"template": {"spec": {"containers": [{"name": "d", "$patch": "delete"}]}}}}),
        strategic(W, {}),
    ],
    "deletion": [
        create(CM),
        delete(CM, uid="x"),
        delete(CM, resource_version="1"),
        delete(CM),
        delete(CM),
        get(CM),
    ],
    "finalizers": [
        create(CM, meta(finalizers=["example.com/f"])),
        delete(CM),
        delete(CM),
        create(CM),
        merge(CM, meta(finalizers=["example.com/f", "example.com/g"])),
        merge(CM, meta(labels={"a": "b"})),
        merge(CM, meta(finalizers=None)),
        get(CM),
    ],
    "custom defaults": [
        create(W, spec()),
        create(W, spec(nul=None, d=None, m=[{"name": "a"}]), name="b"),
        create(W, spec(foo=1, m=[{"name": "a", "zz": 1}], any={"x": {"y": 1}}), name="c"),
    ],
    "custom validation": [
        create(W, {"spec": {}}),
        create(W, spec(a="x")),
        create(W, spec(a=0)),
        create(W, spec(a=10)),
        create(W, spec(a=1.5)),
        create(W, spec(s="abcd")),
        create(W, spec(s="")),
        create(W, spec(s="A")),
        create(W, spec(e="z")),
        create(W, spec(e=5)),
        create(W, spec(b="x")),
        create(W, spec(t="x")),
        create(W, spec(l=["a", "b", "c"])),
        create(W, spec(l=[])),
        create(W, spec(l=[1])),
        create(W, spec(l="x")),
        create(W, spec(set=["a", "a"])),
        create(W, spec(m=[{"name": "a"}, {"name": "a"}])),
        create(W, spec(m=[{"v": "a"}])),
        create(W, spec(i=True)),
        create(W, spec(emb={"x": 1})),
        create(W, spec(mp={"a": "1", "b": "2", "c": "3"})),
        create(W, spec(mp={"a": 1})),
        create(W, spec(one={})),
        create(W, spec(one={"p": "a", "q": "b"})),
        create(W, {"spec": []}),
        create(W),
    ],
    "custom rules": [
        create(W, spec(c={"x": 2, "w": 1})),
        create(W, spec(c={"x": 5, "w": 9})),
        create(W, spec(c={"w": 9})),
        create(W, spec(im="x")),
        merge(W, {"spec": {"im": "y"}}),
        merge(W, {"spec": {"im": "x", "s": "z"}}),
        create(W, spec(r=["b", "a"]), name="r"),
        create(W, spec(sc=3), name="s"),
    ],
    "generation and status": [
        create(W, {**spec(), "status": {"phase": "x"}}),
        merge(W, {"spec": {"a": 2}, "status": {"phase": "q"}}),
        merge(W, meta(labels={"a": "b"})),
        merge(W, {"spec": {"a": 3}, "status": {"phase": "q"}}, subresource="status"),
        update(W, {"spec": {"a": 4}, "status": {"phase": "z"}}, subresource="status"),
        update(W, {"metadata": {"resourceVersion": "-"}, **spec()}),
        update(W, spec(a=4)),
        merge(W, {"status": None}, subresource="status"),
        merge(W, {"spec": {"a": 4}}),
    ],
    "an update without the defaults": [
        create(D, DEPLOYMENT),
        update(D, DEPLOYMENT),
        update(D, {"spec": {**DEPLOYMENT["spec"], "replsica": 3}}),
        update(D, {"spec": {**DEPLOYMENT["spec"], "replicas": 1}}),
        update(D, {"spec": {**DEPLOYMENT["spec"], "replicas": 2}}),
        get(D),
    ],
    "deployment": [
        create(D, DEPLOYMENT),
        merge(D, {"spec": {"replicas": 2}}),
        merge(D, meta(labels={"l": "v"})),
        merge(D, {"spec": {"selector": {"matchLabels": {"app": "y"}}}}),
        merge(
            D,
            {"spec": {"replicas": 9}, "status": {"observedGeneration": 2, "replicas": 1}},
            subresource="status",
        ),
    ],
    "selectors": [
        create(CM, meta(labels={"app": "x", "n": "5"})),
        create(CM, meta(labels={"app": "y"}), name="b"),
        create(CM, name="c"),
        *(
            {"do": "list", "kind": CM, "options": {"label_selector": s + ",!kubernetes.io/skip"}}
            for s in ("app", "app=x", "app!=x", "app in (x,y)", "app notin (x)", "!app", "n>4,n<6", "app==y")
        ),
        *(
            {"do": "list", "kind": CM, "options": {"label_selector": s}}
            for s in ("a b", "a in (b", "a=b c", "a=b@c", "=x")
        ),
        *(
            {"do": "list", "kind": CM, "options": {"field_selector": s}}
            for s in ("metadata.name=b", "metadata.name=b,metadata.namespace!=q", "spec.a=b", "abc")
        ),
    ],
    "namespace": [
        create("Namespace", name="semantics-NAMESPACE"),
        create("Namespace", name="A"),
        delete("Namespace", name="default"),
    ],
    "service": [create("Service", name="1x")],
}
