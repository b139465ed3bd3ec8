"""Templates for which it is recorded what OCM's add-on manager makes of them: each for a rule, or a trap.

`CASES` are these and the drawn ones of `template_cases`.
"""

from __future__ import annotations

from gitops_ocm.objects.ref import Object
from tests.decide.addons.template_cases import (
    ADDON,
    ADDONS,
    HOST,
    MIRRORED,
    PROXY,
    Case,
    bindings,
    config_map,
    current_cluster,
    custom_signer,
    drawn,
    kube_client,
    named,
    single_namespace,
    variables,
    well_known,
    workload,
)

BIG = "x" * 100_000
EVERYTHING: Object = {
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


def texts() -> list[Case]:
    """Variables, and what they do to the text."""
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
        Case("twice", [config_map(k="1"), config_map(k="2")]),
    ]


def typed() -> list[Case]:
    """Workloads that Go's types change, or do not take."""
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
    return [
        Case("odd", [odd, untyped, nothing]),
        Case("zero", [nothing], reported=well_known("nothing", Replicas=0)),
    ]


def places() -> list[Case]:
    """Where an agent runs."""
    mixed = [workload("DaemonSet", "set", "ds"), workload(name="dep", namespace="dep"), config_map()]
    mark = {f"{ADDON}/v1alpha1-install-namespace": "told"}
    return [
        Case("default-namespace", mixed, {"customizedVariables": []}),
        Case("own-namespace", mixed, variables(A="1")),
        Case("no-config", mixed, annotations=mark),
        Case("daemonset-only", [workload("DaemonSet", "set", "ds"), config_map()], annotations=mark),
        Case("without-workload", [config_map()], annotations=mark),
        Case("no-namespace", [workload(namespace="")], {"agentInstallNamespace": "agents"}),
        Case("bindings", bindings(), {"agentInstallNamespace": "agents"}),
    ]


def settings() -> list[Case]:
    """What a configuration does to pods."""
    selector_only = {"nodePlacement": {"nodeSelector": {}}, "agentInstallNamespace": ""}
    tolerations_only = {
        "nodePlacement": {"tolerations": [{"operator": "Exists"}]},
        "agentInstallNamespace": "",
    }
    return [
        Case("everything", [workload(), *bindings(), config_map()], EVERYTHING, [kube_client()]),
        Case("selector-only", [workload(tolerations=[{"operator": "Exists"}])], selector_only),
        Case("tolerations-only", [workload()], tolerations_only),
        Case("mirrored", [workload()], cluster=MIRRORED),
        Case("mirrored-twice", [workload()], EVERYTHING, cluster=MIRRORED),
        Case("any-registry", [workload()], {"registries": [{"mirror": "local/y"}]}),
        Case("ca-only", [workload()], {"proxyConfig": {"caBundle": PROXY["caBundle"]}}),
        Case("http-proxy", [workload("DaemonSet")], {"proxyConfig": {"httpProxy": "http://p"}}),
    ]


def rights() -> list[Case]:
    """What agents register for."""
    return [
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
    ]


def works() -> list[Case]:
    """What the works are like."""
    hook = named("batch/v1", "Job", "bye", ADDONS, spec={"template": {"spec": {"containers": []}}})
    hook["metadata"]["annotations"] = {f"{ADDON}/addon-pre-delete": ""}
    orphan = config_map("orphan")
    orphan["metadata"]["annotations"] = {f"{ADDON}/deletion-orphan": ""}
    policy = named("networking.k8s.io/v1", "NetworkPolicy", "p", ADDONS, spec={"podSelector": {}})
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
    account = {"namespace": "n", "name": "x"}
    return [
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
        Case("hosted", [workload()], annotations={f"{ADDON}/hosting-cluster-name": HOST}),
    ]


def health() -> list[Case]:
    """What is made of what an agent reports."""
    return [
        Case("up", [workload()], reported=well_known(Replicas=2, ReadyReplicas=1)),
        Case("down", [workload()], reported=well_known(Replicas=2, ReadyReplicas=0)),
        Case("silent", [workload()], reported=well_known()),
        Case("half", [workload()], reported=well_known(Replicas=2)),
        Case("other", [workload()], reported=well_known("other", Replicas=1, ReadyReplicas=1)),
    ]


CASES = [*texts(), *typed(), *places(), *settings(), *rights(), *works(), *health(), *drawn()]
