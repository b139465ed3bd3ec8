"""Templates, configurations and clusters for which it is recorded what OCM's add-on manager makes of them.

The first cases are written by hand, each for one rule or trap; the others are drawn, always the same ones.
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
        made = [_named(f"{ADDON}/v1alpha1", "AddOnTemplate", self.name, spec=template)]
        if self.config is not None:
            told = {"group": ADDON, "resource": "addondeploymentconfigs"}
            own = {"configs": [{**told, "namespace": "fleet", "name": self.name}]}
            made.append(_named(addon, "AddOnDeploymentConfig", self.name, "fleet", spec=self.config))
        made += [
            _named(addon, "ClusterManagementAddOn", self.name, spec={"defaultConfigs": chosen}),
            _named(addon, "ManagedClusterAddOn", self.name, self.cluster, spec=own),
        ]
        made[-1]["metadata"]["annotations"] = dict(self.annotations)
        return made


def _named(api_version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}


def cluster_objects() -> list[Object]:
    """The clusters with their namespaces, and the namespace of configurations."""
    found = [_named("v1", "Namespace", name) for name in (*CLUSTERS, "fleet", "shared")]
    for name, marks in CLUSTERS.items():
        cluster = _named(
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
        **_named("apps/v1", kind, name, namespace),
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def config_map(name: str = "m", namespace: str = ADDONS, **data: str) -> Object:
    """A ConfigMap."""
    return _named("v1", "ConfigMap", name, namespace, data=data)


def bindings() -> list[Object]:
    """Bindings with subjects of both sorts, and a namespace."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subjects = [
        {"kind": "ServiceAccount", "name": "agent", "namespace": ADDONS},
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "g"},
    ]
    rbac = "rbac.authorization.k8s.io/v1"
    return [
        _named("v1", "Namespace", ADDONS),
        _named(rbac, "ClusterRoleBinding", "b", roleRef=role, subjects=subjects),
        _named(rbac, "RoleBinding", "b", "elsewhere", roleRef=role, subjects=subjects),
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
    named = [{"name": name, "value": value} for name, value in values.items()]
    return {"customizedVariables": named, "agentInstallNamespace": ""}


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
BIG = "x" * 100_000


def by_hand() -> list[Case]:
    """The cases that somebody thought of."""
    odd = workload(
        name="odd",
        volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}],
        initContainers=[{"name": "init", "image": "quay.io/x/init", "env": [{"name": "A", "value": ""}]}],
        unknownField=1,
        tolerations=[{"key": "k", "operator": "Exists", "tolerationSeconds": 5}],
        securityContext={"runAsUser": 0, "sysctls": []},
    )
    odd["spec"]["template"]["spec"]["containers"] = [
        {
            "name": "a",
            "image": "quay.io/x/a@sha256:1",
            "resources": {"limits": {"cpu": "0.5", "memory": "1Gi"}},
        },
        {
            "name": "b",
            "image": "busybox",
            "ports": [{"containerPort": 80}],
            "livenessProbe": {"httpGet": {"port": "http", "path": "/"}, "grpc": {"port": 1}},
            "env": [{"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
            "stdin": False,
        },
    ]  # fmt: skip
    untyped = workload(name="untyped")
    untyped["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "N", "value": 1}]
    nothing = workload(name="nothing")
    nothing["spec"]["replicas"] = 0
    hook = _named("batch/v1", "Job", "bye", ADDONS, spec={"template": {"spec": {"containers": []}}})
    hook["metadata"]["annotations"] = {f"{ADDON}/addon-pre-delete": ""}
    orphan = config_map("orphan")
    orphan["metadata"]["annotations"] = {f"{ADDON}/deletion-orphan": ""}
    policy = _named("networking.k8s.io/v1", "NetworkPolicy", "p", ADDONS, spec={"podSelector": {}})
    policy["metadata"]["annotations"] = {f"{ADDON}/deletion-orphan": "yes"}
    pods = {"group": "apps", "resource": "deployments", "name": "agent", "namespace": ADDONS}
    paths = [{"name": "x", "path": ".status.x"}]
    told = [
        {
            "resourceIdentifier": pods,
            "feedbackRules": [{"type": "WellKnownStatus"}, {"type": "JSONPaths", "jsonPaths": paths}],
            "updateStrategy": {"type": "CreateOnly"},
        },
        {
            "resourceIdentifier": {"group": "", "resource": "configmaps", "name": "m", "namespace": ADDONS},
            "feedbackRules": [{"type": "JSONPaths", "jsonPaths": paths}],
        },
    ]
    everything = {
        "customizedVariables": [{"name": "A", "value": "1"}],
        "nodePlacement": {
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule"}],
        },
        "registries": [
            {"source": "quay.io", "mirror": "one.local"},
            {"source": "quay.io/x/", "mirror": "two.local/y/"},
        ],
        "proxyConfig": PROXY,
        "agentInstallNamespace": "agents",
        "resourceRequirements": [
            {"containerID": "*:*:*", "resources": {"requests": {"cpu": "100m"}}},
            {"containerID": "deployments:agent:main", "resources": {"limits": {"memory": "1000Mi"}}},
        ],
    }
    selector_only = {"nodePlacement": {"nodeSelector": {}}, "agentInstallNamespace": ""}
    tolerations_only = {
        "nodePlacement": {"tolerations": [{"operator": "Exists"}]},
        "agentInstallNamespace": "",
    }
    mixed = [workload("DaemonSet", "set", "ds"), workload(name="dep", namespace="dep"), config_map()]
    mark = {f"{ADDON}/v1alpha1-install-namespace": "told"}
    account = {"namespace": "n", "name": "x"}
    text = config_map(
        "text",
        known="<{{A}}> & {{CLUSTER_NAME}} {{B}}{{B}} {{ A }} {{a}} {{UNKNOWN}}.",
        open="{{A",
        close="}} {A}",
        hub="{{HUB_KUBECONFIG}} {{INSTALL_NAMESPACE}}",
    )
    return [
        Case("plain", [workload(), config_map(k="v")]),
        Case("variables", [text, workload()], variables(A="1", B="two", CLUSTER_NAME="mine")),
        Case("broken", [config_map(k="{{Q}}")], variables(Q='a"b')),
        Case("escaped", [config_map(k="{{Q}}")], variables(Q='a\\"b')),
        Case("hub-kubeconfig", [workload()], variables(HUB_KUBECONFIG="/mine"), [kube_client()]),
        Case("empty-registration", [workload()], registration=[]),
        Case("odd", [odd, untyped, nothing]),
        Case("everything", [workload(), *bindings(), config_map()], everything, [kube_client()]),
        Case("default-namespace", mixed, {"customizedVariables": []}),
        Case("own-namespace", mixed, variables(A="1")),
        Case("no-config", mixed, annotations=mark),
        Case("daemonset-only", [workload("DaemonSet", "set", "ds"), config_map()], annotations=mark),
        Case("without-workload", [config_map()], annotations=mark),
        Case("no-namespace", [workload(namespace="")], {"agentInstallNamespace": "agents"}),
        Case("bindings", bindings(), {"agentInstallNamespace": "agents"}),
        Case("selector-only", [workload(tolerations=[{"operator": "Exists"}])], selector_only),
        Case("tolerations-only", [workload()], tolerations_only),
        Case("mirrored", [workload()], cluster=MIRRORED),
        Case("mirrored-twice", [workload()], everything, cluster=MIRRORED),
        Case("any-registry", [workload()], {"registries": [{"mirror": "local/y"}]}),
        Case("ca-only", [workload()], {"proxyConfig": {"caBundle": PROXY["caBundle"]}}),
        Case("http-proxy", [workload("DaemonSet")], {"proxyConfig": {"httpProxy": "http://p"}}),
        Case(
            "registered",
            [workload()],
            None,
            [kube_client(current_cluster(), single_namespace()), custom_signer()],
        ),
        Case(
            "signers",
            [workload("DaemonSet", "set")],
            None,
            [
                custom_signer("example.com/a.b", user="u", groups=["g", "h"], organizationUnit=["o"]),
                custom_signer("example.com/c", groups=["g"]),
            ],
        ),
        Case("role", [workload()], None, [kube_client(single_namespace("r", "Role"))]),
        Case("token", [workload()], None, [kube_client(current_cluster())], driver="token"),
        Case("csr", [workload()], None, [kube_client(current_cluster())], driver="csr"),
        Case("hook", [workload(), hook]),
        Case("orphans", [workload(), orphan, policy]),
        Case("options", [workload(), config_map()], agent_spec={"manifestConfigs": told}),
        Case(
            "executor",
            [config_map()],
            agent_spec={
                "deleteOption": {"propagationPolicy": "Orphan"},
                "executor": {"subject": {"type": "ServiceAccount", "serviceAccount": account}},
            },
        ),
        Case("large", [config_map(f"m{n}", k=BIG + "x" * n) for n in range(6)]),
        Case("twice", [config_map(k="1"), config_map(k="2")]),
        Case("hosted", [workload()], annotations={f"{ADDON}/hosting-cluster-name": HOST}),
        Case("up", [workload()], reported=well_known(Replicas=2, ReadyReplicas=1)),
        Case("down", [workload()], reported=well_known(Replicas=2, ReadyReplicas=0)),
        Case("silent", [workload()], reported=well_known()),
        Case("half", [workload()], reported=well_known(Replicas=2)),
        Case("zero", [nothing], reported=well_known("nothing", Replicas=0)),
        Case("other", [workload()], reported=well_known("other", Replicas=1, ReadyReplicas=1)),
    ]  # fmt: skip


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


CASES = [*by_hand(), *drawn()]
