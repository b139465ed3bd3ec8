"""Deployments of our own image, made from values: the one place that knows what such a pod looks like.

What runs in it (arguments, account, mounts) is said by `hub_objects`, `agent_objects` and
`operator.install`. Every pod keeps the restricted Pod Security Standard and writes to memory alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object

PULL_SECRET = "open-cluster-management-image-pull-credentials"  # noqa: S105 -- the name of a secret
DEFAULT_REQUESTS = {"cpu": "2m", "memory": "16Mi"}
"""What OCM's containers ask for unless told otherwise."""
HEALTH_PORT = 8443
"""As on OCM's containers."""
SCRATCH = "/tmp"  # noqa: S108 -- a volume of the pod's own


@dataclass(frozen=True)
class Volume:
    """A volume and where it is mounted. `source` is the volume's source (`{"secret": {…}}`)."""

    name: str
    path: str
    source: Object
    read_only: bool = True


@dataclass(frozen=True)
class Placing:
    """Where pods may run and what they get: what both specs say about every component."""

    node_placement: Mapping[str, Any] = field(default_factory=dict)
    resource_requirement: Mapping[str, Any] = field(default_factory=dict)
    priority_class: str = ""
    host_alias: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """One Deployment: names, and what its only container runs.

    `probe` is the port that shows it ready; without one it is asked for its health (`--health-listen`).
    """

    name: str
    namespace: str
    app: str
    container: str
    image: str
    args: tuple[str, ...]
    account: str
    replicas: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[Volume, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    probe: int = 0
    host_network: bool = False
    recreate: bool = False
    pull_policy: str = "IfNotPresent"
    annotations: Mapping[str, str] = field(default_factory=dict)


def deployment(work: Workload, placing: Placing | None = None) -> Object:
    """The Deployment of a workload."""
    placing = placing or Placing()
    labels = {"app": work.app}
    template: Object = {
        "metadata": {"labels": {**work.labels, **labels}},
        "spec": _pod(work, placing),
    }
    if work.annotations:
        template["metadata"]["annotations"] = dict(work.annotations)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": work.name,
            "namespace": work.namespace,
            "labels": {**work.labels, **labels},
        },
        "spec": {
            "replicas": work.replicas,
            "selector": {"matchLabels": labels},
            **({"strategy": {"type": "Recreate"}} if work.recreate else {}),
            "template": template,
        },
    }


def resources(requirement: Mapping[str, Any]) -> Object:
    """A container's resources for a spec's `resourceRequirement`."""
    kind = requirement.get("type") or "Default"
    if kind == "BestEffort":
        return {}
    if kind == "ResourceRequirement":
        given = requirement.get("resourceRequirements") or {}
        return {key: dict(given[key]) for key in ("limits", "requests") if given.get(key)}
    return {"requests": dict(DEFAULT_REQUESTS)}


def _pod(work: Workload, placing: Placing) -> Object:
    chosen = placing.node_placement
    spec: Object = {
        "serviceAccountName": work.account,
        "imagePullSecrets": [{"name": PULL_SECRET}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(work, placing)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, *({"name": v.name, **v.source} for v in work.volumes)],
    }
    if chosen.get("nodeSelector"):
        spec["nodeSelector"] = dict(chosen["nodeSelector"])
    if chosen.get("tolerations"):
        spec["tolerations"] = [dict(t) for t in chosen["tolerations"]]
    if placing.priority_class:
        spec["priorityClassName"] = placing.priority_class
    if placing.host_alias:
        alias = placing.host_alias
        spec["hostAliases"] = [{"ip": alias["ip"], "hostnames": [alias["hostname"]]}]
    if work.host_network:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    if work.replicas > 1:
        spec["affinity"] = _apart(work.app)
    return spec


def _container(work: Workload, placing: Placing) -> Object:
    mounts: list[Object] = [{"name": "tmp", "mountPath": SCRATCH}]
    for volume in work.volumes:
        mount: Object = {"name": volume.name, "mountPath": volume.path}
        mounts.append({**mount, "readOnly": True} if volume.read_only else mount)
    # The image's own folders are read-only: caches and state go to memory, and go with the pod.
    env = {"HOME": SCRATCH, "XDG_CACHE_HOME": SCRATCH + "/cache", **work.env}
    container: Object = {
        "name": work.container,
        "image": work.image,
        "imagePullPolicy": work.pull_policy,
        "args": [*work.args, *([] if work.probe else [f"--health-listen=0.0.0.0:{HEALTH_PORT}"])],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            *({"name": name, "value": value} for name, value in sorted(env.items())),
        ],
        "resources": resources(placing.resource_requirement),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": mounts,
    }
    ports = work.ports if work.probe else {**work.ports, "health": HEALTH_PORT}
    container["ports"] = [
        {"name": name, "containerPort": port, "protocol": "TCP"} for name, port in ports.items()
    ]
    # A busy node may take its time to start it; only then is it judged by every look.
    container["startupProbe"] = {**_look(work, "/livez"), "periodSeconds": 2, "failureThreshold": 90}
    container["readinessProbe"] = {**_look(work, "/readyz"), "periodSeconds": 2, "timeoutSeconds": 5}
    container["livenessProbe"] = {**_look(work, "/livez"), "periodSeconds": 10, "timeoutSeconds": 5}
    return container


def _look(work: Workload, path: str) -> Object:
    if work.probe:
        return {"tcpSocket": {"port": work.probe}}
    return {"httpGet": {"path": path, "port": HEALTH_PORT, "scheme": "HTTPS"}}


def _apart(app: str) -> Object:
    """Replicas on different nodes and zones where that can be."""

    def term(weight: int, topology: str) -> Object:
        chosen = {"matchExpressions": [{"key": "app", "operator": "In", "values": [app]}]}
        return {"weight": weight, "podAffinityTerm": {"topologyKey": topology, "labelSelector": chosen}}

    terms = [term(70, "topology.kubernetes.io/zone"), term(30, "kubernetes.io/hostname")]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}


def service(name: str, namespace: str, app: str, port: int, target: int, labels: Mapping[str, str]) -> Object:
    """A Service in front of the pods of an app."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "selector": {"app": app},
            "ports": [{"name": "https", "port": port, "protocol": "TCP", "targetPort": target}],
        },
    }


def account(name: str, namespace: str, labels: Mapping[str, str]) -> Object:
    """A ServiceAccount."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
    }


def namespace(name: str, labels: Mapping[str, str]) -> Object:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def cluster_role(name: str, rules: Sequence[Object], labels: Mapping[str, str]) -> Object:
    """A ClusterRole."""
    return _role("ClusterRole", name, "", rules, labels)


def role(name: str, namespace: str, rules: Sequence[Object], labels: Mapping[str, str]) -> Object:
    """A Role."""
    return _role("Role", name, namespace, rules, labels)


def _role(kind: str, name: str, namespace: str, rules: Sequence[Object], labels: Mapping[str, str]) -> Object:
    meta: Object = {"name": name, "labels": dict(labels)}
    if namespace:
        meta["namespace"] = namespace
    rules = [dict(rule) for rule in rules]
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, "rules": rules}


def binding(
    name: str,
    role: tuple[str, str],
    account: tuple[str, str],
    labels: Mapping[str, str],
    *,
    namespace: str = "",
) -> Object:
    """A ClusterRoleBinding (a RoleBinding in a namespace) of a `(kind, name)` to a `(namespace, name)`."""
    meta: Object = {"name": name, "labels": dict(labels)}
    if namespace:
        meta["namespace"] = namespace
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role[0], "name": role[1]},
        "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
    }


def copied(secret: Object | None, namespace: str, labels: Mapping[str, str]) -> tuple[Object, ...]:
    """A Secret as it should be in another namespace; nothing where there is none."""
    if secret is None or secret["metadata"].get("namespace") == namespace:
        return ()
    meta = {"name": secret["metadata"]["name"], "namespace": namespace, "labels": dict(labels)}
    body = {"type": secret.get("type", "Opaque"), "data": dict(secret.get("data") or {})}
    return ({"apiVersion": "v1", "kind": "Secret", "metadata": meta, **body},)
