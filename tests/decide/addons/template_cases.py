"""What cases of add-ons made of templates are put together from, and those that are drawn.

The cases written by hand, and all of them together, are `template_edges`.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object

ADDON = "addon.open-cluster-management.io"
ADDONS = "open-cluster-management-agent-addon"
CLUSTER, MIRRORED, HOST = "c1", "mirrored", "host"
CLUSTERS: Mapping[str, Mapping[str, str]] = {
    CLUSTER: {},
    MIRRORED: {
        "open-cluster-management.io/image-registries": json.dumps(
            {"registries": [{"source": "quay.io/x", "mirror": "registry.local/x"}]}
        )
    },
    HOST: {},
}
"""The clusters there are, with their annotations."""


@dataclass(frozen=True)
class Case:
    """One add-on on one cluster. `reported` is what its first work's agent says of it."""

    name: str
    manifests: list[Object]
    config: Object | None = None
    registration: list[Object] | None = None
    agent_spec: Object = field(default_factory=dict)
    cluster: str = CLUSTER
    annotations: Mapping[str, str] = field(default_factory=dict)
    driver: str = ""
    reported: Object | None = None

    def objects(self) -> list[Object]:
        """What a person puts on the hub, in order; the ManagedClusterAddOn has its owner to come."""
        addon = f"{ADDON}/v1beta1"
        template: Object = {
            "addonName": self.name,
            "agentSpec": {"workload": {"manifests": self.manifests}, **self.agent_spec},
        }
        if self.registration is not None:
            template["registration"] = self.registration
        chosen = [{"group": ADDON, "resource": "addontemplates", "name": self.name}]
        own: Object = {}
        made = [named(f"{ADDON}/v1alpha1", "AddOnTemplate", self.name, spec=template)]
        if self.config is not None:
            told = {"group": ADDON, "resource": "addondeploymentconfigs"}
            own = {"configs": [{**told, "namespace": "fleet", "name": self.name}]}
            made.append(named(addon, "AddOnDeploymentConfig", self.name, "fleet", spec=self.config))
        made += [
            named(addon, "ClusterManagementAddOn", self.name, spec={"defaultConfigs": chosen}),
            named(addon, "ManagedClusterAddOn", self.name, self.cluster, spec=own),
        ]
        made[-1]["metadata"]["annotations"] = dict(self.annotations)
        return made


def named(api_version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    """An object."""
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}


def cluster_objects() -> list[Object]:
    """The clusters with their namespaces, and the namespace of configurations."""
    found = [named("v1", "Namespace", name) for name in (*CLUSTERS, "fleet", "shared")]
    for name, marks in CLUSTERS.items():
        cluster = named(
            "cluster.open-cluster-management.io/v1", "ManagedCluster", name, spec={"hubAcceptsClient": True}
        )
        cluster["metadata"]["annotations"] = dict(marks)
        found.append(cluster)
    return found


def workload(kind: str = "Deployment", name: str = "agent", namespace: str = ADDONS, **pod: Any) -> Object:
    """A small Deployment or DaemonSet; `pod` goes into its pod's spec."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "quay.io/x/agent:1"}], **pod},
    }
    return {
        **named("apps/v1", kind, name, namespace),
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def config_map(name: str = "m", namespace: str = ADDONS, **data: str) -> Object:
    """A ConfigMap."""
    return named("v1", "ConfigMap", name, namespace, data=data)


def bindings() -> list[Object]:
    """Bindings with subjects of both sorts, and a namespace."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subjects = [
        {"kind": "ServiceAccount", "name": "agent", "namespace": ADDONS},
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "g"},
    ]
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        named("v1", "Namespace", ADDONS),
        named(rbac, "ClusterRoleBinding", "b", roleRef=role, subjects=subjects),
        named(rbac, "RoleBinding", "b", "elsewhere", roleRef=role, subjects=subjects),
    ]


def kube_client(*permissions: Object) -> Object:
    """Registration for the hub's API."""
    return {"type": "KubeClient", "kubeClient": {"hubPermissions": list(permissions)}}


def current_cluster(role: str = "view") -> Object:
    """Rights in the cluster's namespace."""
    return {"type": "CurrentCluster", "currentCluster": {"clusterRoleName": role}}


def single_namespace(role: str = "view", kind: str = "ClusterRole") -> Object:
    """Rights in a namespace that all clusters share."""
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    return {"type": "SingleNamespace", "singleNamespace": {"namespace": "shared", "roleRef": ref}}


def custom_signer(name: str = "example.com/signer.x", **subject: Any) -> Object:
    """Registration with a signer of the add-on's own."""
    told: Object = {"signerName": name, "signingCA": {"name": "ca"}}
    return {"type": "CustomSigner", "customSigner": {**told, **({"subject": subject} if subject else {})}}


def variables(**values: str) -> Object:
    """A configuration with variables that leaves the namespace alone."""
    given = [{"name": name, "value": value} for name, value in values.items()]
    return {"customizedVariables": given, "agentInstallNamespace": ""}


def well_known(name: str = "agent", **values: int) -> Object:
    """The status of a work that is up, with what its workload reports."""
    meta = {"ordinal": 0, "group": "apps", "version": "v1", "kind": "Deployment", "resource": "deployments"}
    told = [{"name": k, "fieldValue": {"type": "Integer", "integer": v}} for k, v in values.items()]
    at = "2026-01-01T00:00:00Z"
    conditions = [
        {"type": t, "status": "True", "reason": "Played", "message": "", "lastTransitionTime": at}
        for t in ("Applied", "Available")
    ]
    manifest = {
        "resourceMeta": {**meta, "name": name, "namespace": ADDONS},
        "statusFeedback": {"values": told},
        "conditions": conditions,
    }
    return {"conditions": conditions, "resourceStatus": {"manifests": [manifest]}}


PROXY = {
    "httpProxy": "http://proxy:3128",
    "httpsProxy": "https://proxy:3129",
    "noProxy": "10.0.0.0/8,.svc",
    "caBundle": base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAA==\n").decode(),
}


def drawn(count: int = 24) -> list[Case]:
    """Cases put together by a generator with a fixed seed."""
    pick = random.Random(20260101)
    return [_drawn(f"drawn-{n}", pick) for n in range(count)]


def _drawn(name: str, pick: random.Random) -> Case:
    texts = ["{{A}}", "x-{{B}}-{{CLUSTER_NAME}}", "{{INSTALL_NAMESPACE}}", "plain", "{{C}}{{A}}é<"]
    manifests: list[Object] = [
        config_map(f"m{n}", pick.choice([ADDONS, "other"]), k=pick.choice(texts))
        for n in range(pick.randint(1, 4))
    ]
    for n in range(pick.randint(0, 3)):
        made = workload(pick.choice(["Deployment", "DaemonSet"]), f"w{n}", pick.choice([ADDONS, "other"]))
        pod = made["spec"]["template"]["spec"]
        pod["containers"] = [
            {"name": f"c{k}", "image": pick.choice(["quay.io/x/{{A}}:1", "a/b", "c"])}
            for k in range(pick.randint(1, 3))
        ]
        if pick.random() < 0.5:
            pod["volumes"] = [{"name": "v", "configMap": {"name": "m0"}}]
        manifests.append(made)
    if pick.random() < 0.3:
        manifests += bindings()
    pick.shuffle(manifests)
    asked = [kube_client(), custom_signer("example.com/s"), custom_signer("aa.example.com/t", user="u")]
    registration = pick.sample(asked, pick.randint(0, 3)) if pick.random() < 0.6 else None
    cluster = pick.choice([CLUSTER, MIRRORED])
    return Case(name, manifests, _config(pick), registration, cluster=cluster)


def _config(pick: random.Random) -> Object | None:
    if pick.random() < 0.2:
        return None
    config: Object = {}
    if pick.random() < 0.7:
        names = pick.sample(["A", "B", "C", "HUB_KUBECONFIG", "INSTALL_NAMESPACE"], pick.randint(0, 4))
        config["customizedVariables"] = [{"name": n, "value": pick.choice(["", "1", "a b"])} for n in names]
    if pick.random() < 0.4:
        config["nodePlacement"] = pick.choice(
            [{"nodeSelector": {"a": "b"}}, {"tolerations": [{"operator": "Exists"}]}, {}]
        )
    if pick.random() < 0.4:
        sources = ["", "quay.io", "quay.io/x", "a", "a/b"]
        config["registries"] = [
            {"source": pick.choice(sources), "mirror": pick.choice(["m.local", "m.local/z/"])}
            for _ in range(pick.randint(1, 3))
        ]
    if pick.random() < 0.3:
        fields = pick.sample(sorted(PROXY), pick.randint(1, 4))
        config["proxyConfig"] = {name: PROXY[name] for name in fields}
    if pick.random() < 0.3:
        ids = ["*:*:c0", "deployments:w0:*", "daemonsets:w.:c1", "jobs:*:*"]
        config["resourceRequirements"] = [
            {"containerID": each, "resources": {"requests": {"cpu": pick.choice(["1", "0.1", "1500m"])}}}
            for each in pick.sample(ids, pick.randint(1, 3))
        ]
    if pick.random() < 0.7:
        config["agentInstallNamespace"] = pick.choice(["", "agents", "other"])
    return config
