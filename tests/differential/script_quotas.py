"""Calls in namespaces with quotas: what counts against them, and what is too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.differential.calls import (
    CM,
    CORE,
    DEPLOYMENTS,
    PODS,
    SECRETS,
    SERVICES,
    STRATEGIC,
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
    watch,
)

QUOTAS = f"{CORE}/resourcequotas"
CLAIMS = f"{CORE}/persistentvolumeclaims"
RV = {"rv": "metadata.resourceVersion"}


def quota(name: str = "q", *, scopes: Sequence[str] = (), **hard: Any) -> Any:
    """A quota."""
    return obj("ResourceQuota", name, spec={"hard": hard, **({"scopes": list(scopes)} if scopes else {})})


def counted(name: str = "q") -> Call:
    """Wait until the quota has been counted anew."""
    chosen = f"watch=true&fieldSelector=metadata.name%3D{name}&timeoutSeconds=20"
    return watch(f"{QUOTAS}?{chosen}&resourceVersion={{rv}}", 1)


def sized(name: str, **resources: Any) -> Any:
    """A Pod whose container says what it needs."""
    return obj("Pod", name, spec={"containers": [{"name": "c", "image": "i", "resources": resources}]})


def with_deadline(of: Any, seconds: int) -> Any:
    """The same Pod, which ends after so many seconds at the latest."""
    return {**of, "spec": {**of["spec"], "activeDeadlineSeconds": seconds}}


def claim(name: str, storage: str, storage_class: str) -> Any:
    """A claim for so much storage of a class."""
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class}
    return obj(
        "PersistentVolumeClaim", name, spec={**wanted, "resources": {"requests": {"storage": storage}}}
    )


COUNTS = {"count/deployments.apps": "1", "services.nodeports": "0"}
SCRIPT: dict[str, list[Call]] = {
    "quotas of objects": [
        post(QUOTAS, quota(pods="1", configmaps="3", secrets="1", services="1", **COUNTS), save=RV),
        counted(),
        get(f"{QUOTAS}/q"),
        *(post(CM, cm(name)) for name in "abc"),
        post(f"{CM}?dryRun=All", cm("c")),
        apply(f"{CM}/d", cm("d")),
        post(PODS, pod()),
        post(PODS, pod("b")),
        post(SECRETS, obj("Secret", "a")),
        post(SECRETS, obj("Secret", "b")),
        post(DEPLOYMENTS, deployment()),
        post(DEPLOYMENTS, deployment("other")),
        post(SERVICES, obj("Service", "s", spec={"type": "NodePort", "ports": [{"port": 80}]})),
        get(f"{QUOTAS}/q", save=RV),
        get(f"{QUOTAS}/q", accept=TABLE),
        delete(f"{CM}/a"),
        counted(),
        post(CM, cm("c")),
        patch(f"{QUOTAS}/q", {"spec": {"hard": {"pods": "0", "cpu": "2"}}}, save=RV),
        counted(),
        patch(f"{PODS}/a", {"metadata": {"labels": {"a": "b"}}}),
        get(f"{QUOTAS}/q"),
    ],
    "quotas of what pods need": [
        post(
            QUOTAS, quota(**{"requests.cpu": "1", "limits.memory": "1Gi", "cpu": "2", "pods": "10"}), save=RV
        ),
        counted(),
        post(PODS, pod()),
        post(PODS, sized("a", requests={"cpu": "500m"})),
        post(PODS, sized("a", requests={"cpu": "500m"}, limits={"memory": "512Mi"})),
        post(PODS, sized("b", requests={"cpu": "600m"}, limits={"memory": "513Mi"})),
        post(PODS, sized("c", requests={"cpu": "500m"}, limits={"memory": "512Mi"})),
        get(f"{QUOTAS}/q"),
        patch(
            f"{PODS}/c/resize",
            {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "501m"}}}]}},
            STRATEGIC,
        ),
    ],
    "quotas of some pods": [
        post(QUOTAS, quota(scopes=["BestEffort"], pods="1"), save=RV),
        counted(),
        post(QUOTAS, quota("t", scopes=["Terminating"], pods="0"), save=RV),
        counted("t"),
        post(PODS, sized("n", requests={"cpu": "1"})),
        post(PODS, pod("a")),
        post(PODS, pod("b")),
        # With a request it is of one quota alone: of two that refuse, a server names either.
        post(PODS, with_deadline(sized("t", requests={"cpu": "1"}), 5)),
        patch(f"{PODS}/n", {"spec": {"activeDeadlineSeconds": 5}}),
        get(f"{QUOTAS}/q"),
        get(f"{QUOTAS}/t"),
    ],
    "quotas of storage": [
        post(
            QUOTAS,
            quota(
                **{
                    "requests.storage": "2Gi",
                    "persistentvolumeclaims": "2",
                    "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
                    "resourcequotas": "1",
                }
            ),
            save=RV,
        ),
        counted(),
        post(CLAIMS, claim("a", "2Gi", "gold")),
        post(CLAIMS, claim("a", "1Gi", "gold")),
        post(CLAIMS, claim("b", "1025Mi", "")),
        post(QUOTAS, quota("other", pods="1")),
        get(f"{QUOTAS}/q"),
    ],
}
