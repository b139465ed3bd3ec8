"""Calls on built-in kinds that have ways of their own, and every kind's table."""

from __future__ import annotations

from typing import Any

from tests.differential.calls import (
    CM,
    CORE,
    DEPLOYMENTS,
    LEASES,
    NAMESPACES,
    PODS,
    TABLE,
    Call,
    apply,
    cm,
    delete,
    deployment,
    get,
    obj,
    patch,
    pod,
    post,
    put,
    wait,
)

EVENTS = f"{CORE}/events"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/{ns}/events"
ABOUT = {"apiVersion": "v1", "kind": "Pod", "name": "p", "namespace": "{ns}", "uid": "u"}
LEASE: dict[str, Any] = {
    "holderIdentity": "me",
    "leaseDurationSeconds": 15,
    "renewTime": "2020-01-01T00:00:00.000000Z",
    "leaseTransitions": 0,
}
SUB = f"{NAMESPACES}/{{ns}}-sub"


def lease(name: str = "l", **spec: Any) -> Any:
    """A Lease."""
    return obj("Lease", name, api="coordination.k8s.io/v1", spec=spec)


TABLES = (
    "/api/v1/namespaces/{ns}/%s:pods services configmaps secrets serviceaccounts events endpoints replicationcontrollers persistentvolumeclaims limitranges resourcequotas podtemplates",
    "/api/v1/%s:componentstatuses",
    "/apis/apps/v1/namespaces/{ns}/%s:deployments statefulsets daemonsets replicasets controllerrevisions",
    "/apis/batch/v1/namespaces/{ns}/%s:jobs cronjobs",
    "/apis/autoscaling/v2/namespaces/{ns}/%s:horizontalpodautoscalers",
    "/apis/autoscaling/v1/namespaces/{ns}/%s:horizontalpodautoscalers",
    "/apis/networking.k8s.io/v1/namespaces/{ns}/%s:ingresses networkpolicies",
    "/apis/policy/v1/namespaces/{ns}/%s:poddisruptionbudgets",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/%s:roles rolebindings",
    "/apis/discovery.k8s.io/v1/namespaces/{ns}/%s:endpointslices",
    "/apis/events.k8s.io/v1/namespaces/{ns}/%s:events",
    "/apis/coordination.k8s.io/v1/namespaces/{ns}/%s:leases",
    "/apis/storage.k8s.io/v1/namespaces/{ns}/%s:csistoragecapacities",
    "/apis/storage.k8s.io/v1/%s:storageclasses csidrivers csinodes volumeattachments",
    "/apis/node.k8s.io/v1/%s:runtimeclasses",
    "/apis/networking.k8s.io/v1/%s:ingressclasses servicecidrs ipaddresses",
    "/api/v1/%s:nodes persistentvolumes",
    "/apis/admissionregistration.k8s.io/v1/%s:mutatingwebhookconfigurations validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/%s:validatingadmissionpolicies validatingadmissionpolicybindings",
    "/apis/certificates.k8s.io/v1/%s:certificatesigningrequests",
)
UNLIKELY = "?fieldSelector=metadata.name%3Dno-such-thing"
"""So that a table shows its heads alone, whatever others made on the server."""

SCRIPT: dict[str, list[Call]] = {
    "heads of every table": [
        get(path.replace("%s", plural) + UNLIKELY, accept=TABLE)
        for path, plurals in (line.split(":") for line in TABLES)
        for plural in plurals.split()
    ],
    "status": [
        post(DEPLOYMENTS, {**deployment(), "status": {"replicas": 9}}),
        get(f"{DEPLOYMENTS}/web/status"),
        put(f"{DEPLOYMENTS}/web/status", {**deployment(replicas=7), "status": {"replicas": 2, "observedGeneration": 1}}),
        patch(f"{DEPLOYMENTS}/web/status", {"spec": {"replicas": 8}, "status": {"readyReplicas": 1}}),
        patch(f"{DEPLOYMENTS}/web/status", {"status": {"conditions": [{"type": "Available", "status": "True"}]}}, "application/strategic-merge-patch+json"),
        patch(f"{DEPLOYMENTS}/web/status", {"status": {"conditions": [{"type": "Progressing", "status": "Maybe"}]}}, "application/strategic-merge-patch+json"),
        patch(f"{DEPLOYMENTS}/web/status", {"status": {"replicas": -1}}),
        patch(f"{DEPLOYMENTS}/web/status", {"metadata": {"labels": {"a": "b"}}}),
        patch(f"{DEPLOYMENTS}/web", {"status": {"replicas": 5}, "spec": {"replicas": 3}}),
        put(f"{DEPLOYMENTS}/ghost/status", deployment("ghost")),
        delete(f"{DEPLOYMENTS}/web/status"),
        post(f"{DEPLOYMENTS}/web/status", deployment()),
        get(f"{DEPLOYMENTS}/web"),
        post(PODS, pod()),
        patch(f"{PODS}/a/status", {"status": {"phase": "Running", "podIP": "10.1.1.1"}}),
        patch(f"{PODS}/a/status", {"status": {"phase": "Dancing"}}),
        get(f"{PODS}/a", accept=TABLE),
    ],
    "scale": [
        post(DEPLOYMENTS, deployment()),
        get(f"{DEPLOYMENTS}/web/scale", save={"rv": "metadata.resourceVersion"}),
        put(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1", meta={"namespace": "{ns}"}, spec={"replicas": 4})),
        put(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1", meta={"namespace": "{ns}", "resourceVersion": "{rv}"}, spec={"replicas": 5})),
        put(f"{DEPLOYMENTS}/web/scale", obj("Scale", "other", api="autoscaling/v1", spec={"replicas": 4})),
        put(f"{DEPLOYMENTS}/web/scale", obj("Deployment", "web", api="apps/v1")),
        put(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1", spec={"replicas": "x"})),
        put(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1")),
        patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 2}}),
        patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -2}}),
        patch(f"{DEPLOYMENTS}/web/scale", [{"op": "replace", "path": "/spec/replicas", "value": 6}], "application/json-patch+json"),
        patch(f"{DEPLOYMENTS}/web/scale?dryRun=All", {"spec": {"replicas": 1}}),
        apply(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1", spec={"replicas": 7}), manager="scaler"),
        apply(f"{DEPLOYMENTS}/web/scale", obj("Scale", "web", api="autoscaling/v1", spec={"replicas": 7}), manager="scaler", query="force=true"),
        get(f"{DEPLOYMENTS}/web/scale", accept=TABLE),
        get(f"{DEPLOYMENTS}/ghost/scale"),
        get(f"{DEPLOYMENTS}/web"),
    ],
    "events": [
        post(EVENTS, obj("Event", "e", involvedObject=ABOUT, reason="Made", message="it was", type="Normal",
                         firstTimestamp="2020-01-01T00:00:00Z", lastTimestamp="2020-01-01T00:00:00Z", count=1, source={"component": "us"})),
        post(EVENTS, obj("Event", "elsewhere", involvedObject={**ABOUT, "namespace": "other"}, reason="Made")),
        post(EVENTS, obj("Event", "bare", involvedObject={})),
        post(EVENTS, obj("Event", "none")),
        post(NEW_EVENTS, obj("Event", "n", api="events.k8s.io/v1", regarding=ABOUT, reason="Made", note="it was", type="Normal", action="Making",
                             eventTime="2020-01-01T00:00:00.000000Z", reportingController="example.com/us", reportingInstance="us-1")),
        post(NEW_EVENTS, obj("Event", "m", api="events.k8s.io/v1", regarding=ABOUT)),
        post(NEW_EVENTS, obj("Event", "m", api="events.k8s.io/v1", regarding=ABOUT, reason="Made", type="Odd", action="Making",
                             eventTime="2020-01-01T00:00:00.000000Z", reportingController="example.com/us", reportingInstance="us-1")),
        get(f"{EVENTS}/n"),
        get(f"{NEW_EVENTS}/e"),
        get(EVENTS, accept=TABLE),
        get(NEW_EVENTS, accept=TABLE),
        get(f"{EVENTS}?fieldSelector=involvedObject.name%3Dp%2Creason%3DMade"),
        get(f"{EVENTS}?fieldSelector=regarding.name%3Dp"),
        patch(f"{EVENTS}/e", {"count": 2}),
        patch(f"{NEW_EVENTS}/n", {"series": {"count": 2, "lastObservedTime": "2020-01-01T00:00:01.000000Z"}}),
        patch(f"{NEW_EVENTS}/n", {"reason": "Other"}),
        patch(f"{NEW_EVENTS}/n", {"note": "other"}),
        delete(EVENTS),
        get(NEW_EVENTS),
    ],
    "leases": [
        post(LEASES, lease(**LEASE)),
        put(f"{LEASES}/l", lease(**{**LEASE, "renewTime": "2021-01-01T00:00:00.5Z"})),
        patch(f"{LEASES}/l", {"spec": {"renewTime": "2021-01-01T00:00:00Z"}}),
        patch(f"{LEASES}/l", {"spec": {"leaseDurationSeconds": 0}}),
        patch(f"{LEASES}/l", {"spec": {"leaseTransitions": -1}}),
        patch(f"{LEASES}/l", {"spec": {"holderIdentity": ""}}),
        patch(f"{LEASES}/l", {"spec": {"strategy": "OldestEmulationVersion"}}),
        patch(f"{LEASES}/l", {"spec": {"renewTime": "x"}}),
        patch(f"{LEASES}/l", {"metadata": {"finalizers": ["plain"]}}),
        apply(f"{LEASES}/m", lease("m", holderIdentity="x")),
        get(LEASES, accept=TABLE),
    ],
    "namespaces": [
        post(NAMESPACES, obj("Namespace", "{ns}-sub", meta={"labels": {"a": "b"}})),
        get(SUB, accept=TABLE),
        patch(SUB, {"metadata": {"labels": {"kubernetes.io/metadata.name": "other"}}}),
        patch(SUB, {"spec": {"finalizers": []}}),
        patch(SUB, {"status": {"phase": "Terminating"}}),
        patch(f"{SUB}/status", {"status": {"conditions": [{"type": "X", "status": "True"}]}}),
        wait(f"{SUB}/configmaps/kube-root-ca.crt"),
        wait(f"{SUB}/serviceaccounts/default"),
        post(f"{SUB}/configmaps", cm("held", meta={"finalizers": ["a.io/b"]})),
        delete(f"{SUB}?dryRun=All"),
        delete(SUB),
        wait(f"{SUB}/serviceaccounts/default", 404),
        wait(f"{SUB}/configmaps/kube-root-ca.crt", 404),
        post(f"{SUB}/configmaps", cm("late")),
        post(f"{SUB}/nonsense", cm("late")),
        apply(f"{SUB}/configmaps/late", cm("late")),
        patch(f"{SUB}/configmaps/held", {"data": {"still": "possible"}}),
        patch(f"{SUB}/configmaps/held", {"metadata": {"finalizers": None}}),
        wait(SUB, 404),
        post(f"{SUB}/configmaps", cm("late")),
        delete(f"{NAMESPACES}/default"),
        delete(f"{NAMESPACES}/kube-system"),
        delete(f"{NAMESPACES}/{{ns}}-nothing"),
        post(NAMESPACES, obj("Namespace", "default")),
        put(f"{NAMESPACES}/{{ns}}/finalize", obj("Namespace", "{ns}", spec={"finalizers": ["kubernetes", "a.io/b"]})),
        put(f"{NAMESPACES}/{{ns}}/finalize", obj("Namespace", "{ns}", spec={"finalizers": ["kubernetes"]})),
        get(f"{NAMESPACES}/{{ns}}"),
    ],
    "dependents": [
        post(CM, cm("owner"), save={"uid": "metadata.uid"}),
        post(CM, cm("child", meta={"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid}"}]})),
        delete(f"{CM}/owner", {"propagationPolicy": "Background"}),
        wait(f"{CM}/child", 404),
        post(CM, cm("keeper"), save={"uid": "metadata.uid"}),
        post(CM, cm("kept", meta={"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "keeper", "uid": "{uid}"}]})),
        delete(f"{CM}/keeper", {"propagationPolicy": "Orphan"}),
        wait(f"{CM}/keeper", 404),
        get(f"{CM}/kept"),
        post(CM, cm("waiter"), save={"uid": "metadata.uid"}),
        post(CM, cm("blocker", meta={"finalizers": ["a.io/b"], "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "waiter", "uid": "{uid}", "blockOwnerDeletion": True}]})),
        delete(f"{CM}/waiter", {"propagationPolicy": "Foreground"}),
        patch(f"{CM}/blocker", {"metadata": {"finalizers": None}}),
        wait(f"{CM}/waiter", 404),
        wait(f"{CM}/blocker", 404),
    ],
    "reviews": [
        post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
             obj("SelfSubjectAccessReview", api="authorization.k8s.io/v1", spec={"resourceAttributes": {"verb": "get", "resource": "pods"}})),
        post("/apis/authorization.k8s.io/v1/subjectaccessreviews",
             obj("SubjectAccessReview", api="authorization.k8s.io/v1", spec={"user": "jane", "resourceAttributes": {"verb": "get", "resource": "pods"}})),
        post("/apis/authorization.k8s.io/v1/subjectaccessreviews", obj("SubjectAccessReview", api="authorization.k8s.io/v1", spec={})),
        post("/apis/authentication.k8s.io/v1/selfsubjectreviews?dryRun=All", obj("SelfSubjectReview", "x", api="authentication.k8s.io/v1")),
    ],
}  # fmt: skip
