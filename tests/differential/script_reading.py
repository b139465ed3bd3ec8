"""Calls that read many: lists, pages, selectors, versions, watches, tables."""

from __future__ import annotations

from tests.differential.calls import (
    CM,
    CORE,
    DEPLOYMENTS,
    NAMESPACES,
    PARTIAL,
    PARTIAL_LIST,
    PODS,
    SECRETS,
    TABLE,
    YAML,
    Call,
    cm,
    delete,
    deployment,
    get,
    obj,
    patch,
    pod,
    post,
    watch,
)

MINE = "labelSelector=app"
"""Selects what a script made, not what every namespace has."""


def labelled(name: str, app: str = "x", **data: str) -> Call:
    """Create a ConfigMap that `MINE` selects."""
    return post(CM, cm(name, meta={"labels": {"app": app}}, data=data or None))


FIVE = [labelled(name, "x" if name < "d" else "y") for name in "abcde"]
SELECTORS = (
    "app", "!app", "app=x", "app==x", "app!=x", "app in (x,y)", "app notin (x)", "app in ()", "app=",
    "app in (x", "app=x,", ",", "app=x,,app=y", "a b", "=x", "app=x y", "app>1", "app>x", "app<2,app>0",
    "x/y/z=1", "app=-bad-", f"{'k' * 64}=v", f"app={'v' * 64}", "app=x;b", "!app=x", "app in (x, y )", "in=in",
    "app=in", "notin in (in)", "app exists", "%",
)  # fmt: skip
FIELDS = (
    "metadata.name=a", "metadata.name==a", "metadata.name!=a", "metadata.namespace={ns}", "metadata.name",
    "metadata.name=", "metadata.uid=x", "data.k=v", "metadata.name=a,metadata.name=b", "=", ",", "a\\=b=c",
    "metadata.name=a\\,b", "metadata.name>a", "metadata.name=a=b",
)  # fmt: skip


def quoted(text: str) -> str:
    """A query value, percent-encoded (the braces of `{ns}` are kept)."""
    return "".join(c if c.isalnum() or c in "{}" else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


SCRIPT: dict[str, list[Call]] = {
    "list": [
        *FIVE,
        get(f"{CM}?{MINE}"),
        get(f"{CM}?{MINE}", accept=YAML),
        get(f"{CM}?{MINE}&pretty=1"),
        get(f"{CM}/?{MINE}"),
        get(SECRETS),
        get(f"{CORE}/pods"),
        get("/api/v1/namespaces/{ns}-none/configmaps"),
        get(f"/api/v1/configmaps?labelSelector=app&fieldSelector={quoted('metadata.namespace={ns}')}"),
        get(f"{NAMESPACES}?fieldSelector={quoted('metadata.name={ns}')}"),
        get("/api/v1/nodes"),
        get("/apis/apps/v1/namespaces/{ns}/deployments"),
        get("/apis/work.open-cluster-management.io/v1/namespaces/{ns}/manifestworks"),
        get(f"{CM}?timeoutSeconds=x"),
        get(f"{CM}?{MINE}&timeoutSeconds=5"),
        get(f"{CM}?{MINE}&unknown=parameter"),
        get(f"{CM}?{MINE}&allowWatchBookmarks=true"),
    ],
    "label selectors": [
        *FIVE,
        *(get(f"{CM}?{MINE}&limit=2&labelSelector=x") for _ in range(1)),
        *(
            get(f"{CM}?labelSelector={quoted(s)}&fieldSelector=metadata.name%21%3Dkube-root-ca.crt")
            for s in SELECTORS
        ),
    ],
    "field selectors": [*FIVE, *(get(f"{CM}?{MINE}&fieldSelector={quoted(s)}") for s in FIELDS)],
    "field selectors of kinds": [
        post(PODS, pod("p")),
        post(SECRETS, obj("Secret", "s", type="a/b")),
        *(
            get(f"{PODS}?fieldSelector={quoted(s)}")
            for s in (
                "spec.nodeName=",
                "spec.nodeName=x",
                "status.phase=Pending",
                "status.phase!=Pending",
                "spec.restartPolicy=Always",
                "spec.schedulerName=default-scheduler",
                "spec.serviceAccountName=x",
                "spec.hostNetwork=false",
                "status.podIP=",
                "status.podIPs=1.2.3.4",
                "status.nominatedNodeName=",
                "spec.containers=x",
                "status.message=x",
            )
        ),
        get(f"{SECRETS}?fieldSelector=type%3Da%2Fb"),
        get(f"{SECRETS}?fieldSelector=data%3Da"),
        get(f"{CORE}/services?fieldSelector=spec.clusterIP%3DNone"),
        get(f"{CORE}/services?fieldSelector=spec.type%3DClusterIP"),
        get(f"{NAMESPACES}?fieldSelector=status.phase%3DNope"),
        get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue"),
        get("/api/v1/nodes?fieldSelector=spec.podCIDR%3Dtrue"),
        get(
            f"{CORE}/events?fieldSelector=involvedObject.kind%3DPod%2Creason%3DX%2Ctype%3DNormal%2Csource%3Dx"
        ),
        get(f"{CORE}/events?fieldSelector=message%3DPod"),
        get(f"{DEPLOYMENTS}?fieldSelector=spec.replicas%3D1"),
        get(f"{CORE}/replicationcontrollers?fieldSelector=status.replicas%3D1"),
        get("/apis/apps/v1/namespaces/{ns}/replicasets?fieldSelector=status.replicas%3D1"),
        get("/apis/batch/v1/namespaces/{ns}/jobs?fieldSelector=status.successful%3D1"),
        get("/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=spec.signerName%3Dx"),
        get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldSelector=spec.group%3Dx"),
        get(
            "/apis/work.open-cluster-management.io/v1/namespaces/{ns}/manifestworks?fieldSelector=spec.x%3D1"
        ),
    ],
    "pages": [
        *FIVE,
        get(f"{CM}?{MINE}&limit=2", save={"next": "metadata.continue"}),
        get(f"{CM}?{MINE}&limit=2&continue={{next}}", save={"next": "metadata.continue"}),
        labelled("bb"),
        get(f"{CM}?{MINE}&limit=2&continue={{next}}"),
        get(f"{CM}?limit=2", save={"all": "metadata.continue"}),
        get(f"{CM}?limit=2&continue={{all}}&resourceVersion=5"),
        get(f"{CM}?limit=2&continue={{all}}&resourceVersion=0"),
        get(f"{CM}?limit=2&continue={{all}}&resourceVersionMatch=Exact"),
        get(f"{SECRETS}?limit=2&continue={{all}}"),
        get(f"{CM}?limit=2&continue=nonsense"),
        get(f"{CM}?limit=2&continue=e30"),
        get(f"{CM}?limit=2&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0"),
        get(f"{CM}?limit=-1&{MINE}"),
        get(f"{CM}?limit=x&{MINE}"),
        get(f"{CM}?limit=0&{MINE}"),
        get(f"{CM}?limit=100&{MINE}"),
        get(f"{CM}?limit=99999999999999999999&{MINE}"),
        get(f"{CM}?{MINE}&limit=2&fieldSelector=metadata.name%21%3Da"),
        get(f"{CM}?limit=2", accept=TABLE),
    ],
    "versions of lists": [
        *FIVE,
        get(f"{CM}?{MINE}", save={"rv": "metadata.resourceVersion"}),
        labelled("f"),
        delete(f"{CM}/a"),
        *(
            get(f"{CM}?{MINE}&{query}")
            for query in (
                "resourceVersion={rv}&resourceVersionMatch=Exact",
                "resourceVersion={rv}&resourceVersionMatch=NotOlderThan",
                "resourceVersion={rv}",
                "resourceVersion=0",
                "resourceVersion=0&resourceVersionMatch=NotOlderThan",
                "resourceVersion=0&resourceVersionMatch=Exact",
                "resourceVersionMatch=Exact",
                "resourceVersionMatch=NotOlderThan",
                "resourceVersion={rv}&resourceVersionMatch=Nonsense",
                "resourceVersionMatch=Nonsense",
                "resourceVersion=x",
                "resourceVersion=-1",
                "resourceVersion=x&resourceVersionMatch=Exact",
                "resourceVersion={rv}&limit=2",
                "resourceVersion={rv}&limit=2&resourceVersionMatch=Exact",
                "resourceVersion=1&resourceVersionMatch=NotOlderThan",
                "resourceVersion=&limit=3",
                "sendInitialEvents=true",
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
            )
        ),
        get(f"{CM}/b?resourceVersionMatch=Exact"),
        get(f"{CM}/b?resourceVersion={{rv}}"),
        get(f"{CM}/b?resourceVersion=999999999999"),
    ],
    "watch": [
        *FIVE[:2],
        get(f"{CM}?{MINE}", save={"rv": "metadata.resourceVersion"}),
        labelled("c"),
        patch(f"{CM}/a", {"data": {"k": "v"}}),
        patch(f"{CM}/b", {"metadata": {"labels": {"app": None}}}),
        patch(f"{CM}/b", {"metadata": {"labels": {"app": "again"}}}),
        patch(f"{CM}/c", {"metadata": {"finalizers": ["a.io/b"]}}),
        delete(f"{CM}/c"),
        patch(f"{CM}/c", {"metadata": {"finalizers": None}}),
        delete(f"{CM}/a"),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion={{rv}}", 8),
        watch(f"{CM}?watch=1&resourceVersion={{rv}}&fieldSelector=metadata.name%3Db", 2),
        watch(f"{CM}?watch=true&{MINE}&timeoutSeconds=1", 5),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion=0&timeoutSeconds=1", 5),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion={{rv}}", 3, accept=TABLE),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion={{rv}}&includeObject=None", 3, accept=TABLE),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion={{rv}}", 3, accept=PARTIAL),
        watch(f"{CM}?watch=true&{MINE}&resourceVersion={{rv}}", 3, accept="application/json;stream=watch"),
        watch("/api/v1/watch/namespaces/{ns}/configmaps?labelSelector=app&resourceVersion={rv}", 3),
        watch("/api/v1/watch/namespaces/{ns}/configmaps/b?resourceVersion={rv}", 2),
        watch(f"{CM}?watch=true&resourceVersion=nonsense", 1),
        watch(f"{CM}?watch=true&labelSelector=%28%28", 1),
        watch(f"{CM}?watch=true&fieldSelector=data.k%3Dv", 1),
        watch(f"{CM}/b?watch=true&resourceVersion={{rv}}&timeoutSeconds=1", 1),
        get(f"{CM}?watch=false&{MINE}"),
        get(f"{CM}?watch=0&{MINE}"),
        get(f"{CM}?watch=nonsense&{MINE}&timeoutSeconds=1"),
        watch(f"{CM}?watch=true&{MINE}&limit=1&resourceVersion={{rv}}", 2),
    ],
    "watch list": [
        *FIVE[:3],
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            4,
        ),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0",
            4,
        ),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            4,
            accept=PARTIAL,
        ),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            4,
            accept=TABLE,
        ),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
            5,
        ),
        watch(f"{CM}?watch=true&{MINE}&sendInitialEvents=true&timeoutSeconds=1", 4),
        watch(f"{CM}?watch=true&{MINE}&sendInitialEvents=false&timeoutSeconds=1", 4),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
            4,
        ),
        watch(f"{CM}?watch=true&{MINE}&resourceVersionMatch=NotOlderThan&timeoutSeconds=1", 4),
        watch(
            f"{CM}?watch=true&{MINE}&sendInitialEvents=true&resourceVersionMatch=Exact&timeoutSeconds=1", 4
        ),
        watch(f"{CM}?watch=true&{MINE}&sendInitialEvents=x&timeoutSeconds=1", 4),
    ],
    "tables and metadata": [
        *FIVE[:2],
        *(
            call
            for accept in (
                TABLE,
                PARTIAL,
                PARTIAL_LIST,
                TABLE.replace("v1", "v1beta1"),
                PARTIAL.replace("v1", "v1beta1"),
                PARTIAL_LIST.replace("v1", "v1beta1"),
                f"{TABLE},application/json",
                "application/json;as=Table;g=meta.k8s.io;v=v2",
                "application/json;as=Nonsense;g=meta.k8s.io;v=v1",
                "application/json;as=Table",
                "application/yaml;as=Table;g=meta.k8s.io;v=v1",
            )
            for call in (get(f"{CM}/a", accept=accept), get(f"{CM}?{MINE}", accept=accept))
        ),
        *(
            get(f"{CM}?{MINE}&includeObject={include}", accept=TABLE)
            for include in ("None", "Metadata", "Object", "Nonsense", "")
        ),
        get(f"{CM}/a?includeObject=Object", accept=TABLE),
        get(f"{CM}/ghost", accept=TABLE),
        post(CM, cm("t"), accept=TABLE),
        patch(f"{CM}/t", {"data": {"k": "v"}}, accept=TABLE),
        patch(f"{CM}/t", {"data": {"k": "w"}}, accept=PARTIAL),
        delete(f"{CM}/t", accept=TABLE),
        get("/api/v1/namespaces/{ns}/secrets", accept=TABLE),
    ],
    "table of a deployment": [
        post(DEPLOYMENTS, deployment()),
        get(f"{DEPLOYMENTS}/web", accept=TABLE),
        get(f"{DEPLOYMENTS}/web?includeObject=None", accept=TABLE),
    ],
}
