"""Calls on the edge of HTTP: paths, methods, bodies, content types, compression, and what is no resource."""

from __future__ import annotations

from tests.differential.calls import (
    CM,
    CORE,
    DEPLOYMENTS,
    JSON,
    TABLE,
    YAML,
    Call,
    apply,
    cm,
    get,
    patch,
    post,
)

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
WIDGETS = "/apis/work.open-cluster-management.io/v1"
BIG = "x" * (3 * 1024 * 1024 + 1)

ODD_PATHS = (
    "/nonsense", "/api/", "/apis/", "/api/v2", "/api/v2/pods", "/apis/nonsense", "/apis/nonsense/v1", "/apis/nonsense/v1/things",
    "/apis/apps/v9", "/apis/apps/v9/deployments", "/apis/apps/v1/nonsense", "/api/v1/nonsense", "/api/v1/namespaces/{ns}/nonsense",
    "/api/v1/namespaces/{ns}/nonsense/x", f"{CM}/plain/nonsense", f"{CM}/plain/status",
    f"{CM}/plain/a/b/c", "/api/v1/namespaces/{ns}/nodes", "/api/v1/namespaces/{ns}/nodes/x", "/api/v1/pods/x",
    "/api/v1/configmaps/x", "/api/v1//namespaces", "//api/v1/namespaces", "/api/v1/namespaces//configmaps?fieldSelector=metadata.namespace%3D{ns}",
    "/api/v1/namespaces/{ns}//configmaps", "/apis//v1", "/apis/apps//deployments", f"{DEPLOYMENTS}/x/scale", f"{DEPLOYMENTS}/x/status",
    f"{DEPLOYMENTS}/x/exec", f"{CORE}/pods/x/log", f"{CORE}/pods/x/status", f"{CORE}/services/x/proxy", "/apis/apps/v1beta1/deployments",
    f"{WIDGETS}/nonsense", f"{WIDGETS}/namespaces/{{ns}}/manifestworks/x", f"{WIDGETS}/namespaces/{{ns}}/manifestworks/x/status",
    f"{WIDGETS}/namespaces/{{ns}}/manifestworks/x/scale", f"{WIDGETS}/namespaces/{{ns}}/manifestworks/x/nonsense",
    "/apis/work.open-cluster-management.io/v9/manifestworks", "/apis/work.open-cluster-management.io/v9", "/swagger.json", "/favicon.ico",
    "/api/v1/namespaces/{ns}/finalize", "/api/v1/namespaces/{ns}/status", "/api/v1/namespaces/{ns}/configmaps?namespace=x",
    "/%61pi/v1/namespaces/{ns}", "/api/v1/namespaces/{ns}/configmaps/a%2Fb", "/api/v1/namespaces/{ns}/configmaps/a%00b",
    "/./api/v1/namespaces/{ns}", "/api/../api/v1/namespaces/{ns}", "/API/v1/namespaces",
)  # fmt: skip

BODIES = (
    "", " ", "{", "{}", "[]", "null", "5", '"x"', "true", "{'a': 1}", '{"a":}', '{"kind":"ConfigMap","apiVersion":"v1",}', "\x00", "\ufeff{}",
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"dup"},"kind":"Secret"}', '{"kind":5,"apiVersion":"v1"}',
    '{"kind":"ConfigMap","apiVersion":5}', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"t"}} trailing',
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n"},"data":{"k":1e999}}',
    '{"Kind":"ConfigMap","ApiVersion":"v1","metadata":{"name":"upper"}}', '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"Name":"upper2"}}',
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"esc\\u0061pe"},"data":{"k":"\\ud83d\\ude00"}}',
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"lone"},"data":{"k":"\\ud800"}}',
)  # fmt: skip
DEEP_JSON = (
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"deep"},"data":'
    + '{"a":' * 12000
    + "1"
    + "}" * 12000
    + "}"
)
YAMLS = (
    "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: y\ndata:\n  a: 'b'\n", "kind: ConfigMap\n  bad: indent\n", "\t- x", "a: [", "---\n",
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: z}\ndata: {n: no}\n", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: two}\n---\nkind: Secret\n",
    "kind: ConfigMap\napiVersion: v1\nmetadata: &m {name: anchored}\nother: *m\n", "a: &a [x,x]\nb: *a\n", "text",
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: oct}\ndata: {n: 0o7}\n", "? [complex]\n: key\n", "!!python/object:x {}\n",
)  # fmt: skip

SCRIPT: dict[str, list[Call]] = {
    "odd paths": [post(CM, cm("plain")), *(get(path) for path in ODD_PATHS)],
    "methods": [
        post(CM, cm("plain")),
        *(
            Call(method, path)
            for method in ("HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE")
            for path in (
                CM,
                f"{CM}/plain/",
                "/version",
                "/apis",
                "/nonsense",
                "/api/v1/nodes",
                "/apis/apps/v1",
                "/livez",
            )
            if not (method == "DELETE" and path in (CM, "/api/v1/nodes", f"{CM}/plain/"))
        ),
        Call("HEAD", f"{CM}/ghost"),
        Call("HEAD", f"{CM}?watch=true&timeoutSeconds=1"),
        Call("POST", f"{CM}/a", cm(), JSON),
        Call("PUT", CM, cm(), JSON),
        Call("POST", "/api/v1/configmaps", cm(), JSON),
        Call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews/x", {}, JSON),
        get("/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        Call("DELETE", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
    ],
    "bodies": [
        post(CM, cm("plain")),
        *(post(CM, body) for body in BODIES),
        *(
            post(CM, body, "")
            for body in ("{}", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: untyped}\n", "")
        ),
        *(post(CM, body, YAML) for body in YAMLS),
        post(CM, cm("yaml-as-json"), YAML),
        post(CM, YAMLS[0], JSON),
        post(CM, b"\xff\xfe{}"),
        post(CM, b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"utf"},"data":{"k":"\xff"}}'),
        post(CM, cm("a"), "text/html"),
        post(CM, cm("a"), "nonsense"),
        post(CM, cm("a"), "application/json; charset=latin1"),
        post(CM, cm("a2"), "APPLICATION/JSON"),
        post(CM, cm("a"), "application/json, text/plain"),
        post(CM, cm("a"), "application/merge-patch+json"),
        post(CM, cm("a"), "application/vnd.kubernetes.protobuf"),
        post(CM, "k8s\x00nonsense", "application/vnd.kubernetes.protobuf"),
        post(CM, cm("a"), "application/cbor"),
        post(CM, DEEP_JSON),
        patch(f"{CM}/plain", DEEP_JSON),
        post(CM, "[" * 20000 + "]" * 20000),
        apply(f"{CM}/deep", "[" * 2000 + "]" * 2000),
        post(CM, cm("big", data={"k": BIG})),
        patch(f"{CM}/plain", {"data": {"k": BIG}}),
        apply(f"{CM}/big", cm("big", data={"k": BIG})),
    ],
    "accept": [
        post(CM, cm("plain")),
        *(
            get(f"{CM}/plain?fieldSelector=x", accept=accept)
            for accept in (
                "*/*",
                "application/*",
                "text/html",
                "text/*",
                "text/html, */*;q=0.1",
                "application/xml, application/json;q=0.5",
                "application/json;q=0",
                "application/json;q=x",
                "application/yaml",
                "application/json;pretty=1",
                "application/json;stream=watch",
                "nonsense",
                "application/json;as=Table;g=meta.k8s.io;v=v1, text/html",
                "text/html;level=1",
                ",",
                "application/yaml;q=0.5, application/json;q=0.6",
            )
        ),
        get(CM, headers={"Accept": "text/html"}),
        get("/version", accept="text/html"),
        get("/version", accept=YAML),
        get("/apis", accept="text/html"),
        get("/apis", accept=YAML),
        get("/api", accept=YAML),
        get("/apis/apps", accept=YAML),
        get("/apis/apps/v1", accept="text/html"),
        get(f"{CM}/ghost", accept=YAML),
        get(f"{CM}/ghost", accept="text/html"),
        get("/nonsense", accept=YAML),
        post(CM, cm("accepted"), accept=YAML),
        post(CM, cm("refused"), accept="text/html"),
        get(f"{CM}/refused"),
    ],
    "compression": [
        post(CM, cm("plain")),
        post(CM, cm("big", data={"k": "0123456789" * 14000})),
        get(f"{CM}/big", headers={"Accept-Encoding": "gzip"}),
        get(f"{CM}/big", headers={"Accept-Encoding": "deflate, br, gzip;q=0.5"}),
        get(f"{CM}/big", headers={"Accept-Encoding": "deflate"}),
        get(f"{CM}/big", headers={"Accept-Encoding": "*"}),
        get(f"{CM}/plain", headers={"Accept-Encoding": "gzip"}),
        get("/apis", headers={"Accept-Encoding": "gzip"}),
    ],
    "what is no resource": [
        post(CM, cm("plain")),
        get("/version"),
        get("/version/"),
        get("/livez"),
        get("/readyz"),
        get("/healthz"),
        get("/livez/ping"),
        get("/readyz/ping"),
        get("/healthz/ping"),
        get("/livez/nonsense"),
        get("/healthz/etcd"),
        get("/livez?exclude=etcd"),
        get("/livez/"),
        get("/api"),
        get("/apis/apps"),
        get("/apis/apps/"),
        get("/apis/apps?pretty=true"),
        get("/version", headers={"User-Agent": "curl/8"}),
        get("/version?pretty=false", headers={"User-Agent": "curl/8"}),
        get(f"{CM}/plain", headers={"User-Agent": "Mozilla/5.0"}),
        get("/openapi/v3/nonsense"),
        get("/openapi/v3/apis/nonsense/v1"),
        get("/openapi/v2", accept="text/html"),
        get("/openapi/v3", accept="text/html"),
    ],
    "discovery": [
        get("/apis"),
        get("/api/v1"),
        *(
            get(f"/apis/{gv}")
            for gv in (
                "apps/v1",
                "batch/v1",
                "rbac.authorization.k8s.io/v1",
                "apiextensions.k8s.io/v1",
                "coordination.k8s.io/v1",
                "events.k8s.io/v1",
                "networking.k8s.io/v1",
                "policy/v1",
                "storage.k8s.io/v1",
                "scheduling.k8s.io/v1",
                "node.k8s.io/v1",
                "discovery.k8s.io/v1",
                "certificates.k8s.io/v1",
                "autoscaling/v1",
                "autoscaling/v2",
                "authentication.k8s.io/v1",
                "authorization.k8s.io/v1",
                "admissionregistration.k8s.io/v1",
                "flowcontrol.apiserver.k8s.io/v1",
                "apiregistration.k8s.io/v1",
                "resource.k8s.io/v1",
                "work.open-cluster-management.io/v1",
                "cluster.open-cluster-management.io/v1",
                "cluster.open-cluster-management.io/v1beta2",
            )
        ),
        get("/apis/apps/v1", accept=TABLE),
        get("/api", accept=AGGREGATED, save={"version": "apiVersion"}),
        get("/apis", accept=AGGREGATED),
        get("/apis", accept=AGGREGATED.replace("v2", "v2beta1")),
        get("/apis", accept=f"{AGGREGATED.replace('v2', 'v3')}"),
        get("/apis", accept=f"{AGGREGATED},application/json"),
        get("/apis", accept=AGGREGATED, headers={"If-None-Match": '"nonsense"'}),
    ],
}
