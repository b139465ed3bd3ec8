"""What ClusterManagers and Klusterlets become: every field of a spec, seen in the objects it makes."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gitops_ocm.api.operator import ClusterManager
from gitops_ocm.api.operator_klusterlet import Klusterlet
from gitops_ocm.cli.main import cli
from gitops_ocm.decide.operators.agent_objects import klusterlet_plan
from gitops_ocm.decide.operators.hub_objects import hub_plan
from gitops_ocm.decide.operators.plan import newer, stamped, version_key
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.objects.ref import Object

SETTINGS = OperatorSettings("gitops-ocm:1", "1.3.1")
GROUP = "operator.open-cluster-management.io/v1"


def manager(spec: dict[str, Any], **metadata: Any) -> Object:
    """A ClusterManager as an API server has it, defaults filled in."""
    meta = {"name": "cluster-manager", "uid": "u1", **metadata}
    made = ClusterManager.model_validate({"metadata": meta, "spec": spec})
    found: Object = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {**found, "metadata": meta}


def klusterlet(spec: dict[str, Any], **metadata: Any) -> Object:
    """A Klusterlet as an API server has it, defaults filled in."""
    meta = {"name": "klusterlet", "uid": "u2", **metadata}
    made = Klusterlet.model_validate({"metadata": meta, "spec": spec})
    found: Object = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {**found, "metadata": meta}


def of_hub(spec: dict[str, Any], **options: Any) -> dict[tuple[str, str], Object]:
    """Everything a ClusterManager becomes, by kind and name."""
    plan = hub_plan(manager(spec), SETTINGS, **{"replicas": 1, **options})
    return {(obj["kind"], obj["metadata"]["name"]): obj for _, obj in plan.objects()}


def of_agent(spec: dict[str, Any], **options: Any) -> dict[tuple[str, str], Object]:
    """Everything a Klusterlet becomes, by kind and name."""
    given = {"replicas": 1, "connected": True, **options}
    plan = klusterlet_plan(klusterlet({"clusterName": "c1", **spec}), SETTINGS, **given)
    return {(obj["kind"], obj["metadata"]["name"]): obj for _, obj in plan.objects()}


def deployment(objects: dict[tuple[str, str], Object], name: str) -> Object:
    """The pod spec of a Deployment."""
    found: Object = objects["Deployment", name]["spec"]["template"]["spec"]
    return found


def container(objects: dict[tuple[str, str], Object], name: str) -> Object:
    """The container of a Deployment."""
    found: Object = deployment(objects, name)["containers"][0]
    return found


REGISTRATION = "cluster-manager-registration-controller"
AGENT, WORKER = "klusterlet-registration-agent", "klusterlet-work-agent"


@pytest.mark.parametrize(
    ("spec", "there", "missing"),
    [
        ({}, {"addon-manager-controller", "addon-webhook"}, {"work-controller"}),
        (
            {
                "addOnManagerConfiguration": {
                    "featureGates": [{"feature": "AddonManagement", "mode": "Disable"}]
                }
            },
            {"registration-controller"},
            {"addon-manager-controller", "addon-webhook"},
        ),
        (
            {
                "workConfiguration": {
                    "featureGates": [{"feature": "ManifestWorkReplicaSet", "mode": "Enable"}]
                }
            },
            {"work-controller"},
            set(),
        ),
        (
            {
                "workConfiguration": {
                    "featureGates": [{"feature": "CleanUpCompletedManifestWork", "mode": "Enable"}]
                }
            },
            {"work-controller"},
            set(),
        ),
        ({"deployOption": {"mode": "Hosted"}}, {"registration-webhook"}, {"addon-webhook"}),
    ],
)
def test_components_of_a_hub(spec: dict[str, Any], there: set[str], missing: set[str]) -> None:
    """Which Deployments there are follows from the gates and the mode."""
    names = {name.removeprefix("cluster-manager-") for kind, name in of_hub(spec) if kind == "Deployment"}
    assert there <= names
    assert not missing & names


HUB_ARGUMENTS: list[tuple[dict[str, Any], str, list[str], list[str]]] = [
    ({}, REGISTRATION, ["--controllers=registration"], ["--feature-gates"]),
    (
        {"registrationConfiguration": {"featureGates": [{"feature": "ClusterProfile", "mode": "Enable"}]}},
        REGISTRATION,
        ["--feature-gates=ClusterProfile=true"],
        [],
    ),
    (
        {"registrationConfiguration": {"featureGates": [{"feature": "ResourceCleanup", "mode": "Enable"}]}},
        REGISTRATION,
        [],
        ["--feature-gates"],
    ),
    (
        {
            "registrationConfiguration": {
                "autoApproveUsers": ["bob"],
                "featureGates": [{"feature": "ManagedClusterAutoApproval", "mode": "Enable"}],
                "registrationDrivers": [{"authType": "csr", "csr": {"autoApprovedIdentities": ["eve"]}}],
            }
        },
        REGISTRATION,
        ["--cluster-auto-approval-users=bob", "--auto-approved-csr-users=eve"],
        [],
    ),
    (
        {"registrationConfiguration": {"autoApproveUsers": ["bob"]}},
        REGISTRATION,
        [],
        ["--cluster-auto-approval-users"],
    ),
    (
        {
            "deployOption": {
                "mode": "Default",
                "default": {"workWebhookConfiguration": {"bindConfiguration": {"port": 7443}}},
            }
        },
        "cluster-manager-work-webhook",
        ["--listen=0.0.0.0:7443"],
        [],
    ),
    ({}, "cluster-manager-sync-controller", ["--controllers=sync"], ["--feature-gates"]),
    (
        {"deployOption": {"mode": "Hosted"}},
        REGISTRATION,
        ["/var/run/secrets/hub/kubeconfig"],
        [],
    ),
]


@pytest.mark.parametrize(("spec", "name", "there", "missing"), HUB_ARGUMENTS)
def test_arguments_of_a_hub(spec: dict[str, Any], name: str, there: list[str], missing: list[str]) -> None:
    """Gates, users and ports of a spec are told to the process that has to know."""
    arguments = container(of_hub(spec), name)["args"]
    assert [text for text in there if text not in arguments] == []
    assert not [text for text in arguments if text.startswith(tuple(missing))] or not missing


AGENT_ARGUMENTS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, AGENT, ["--cluster-name=c1", "--bootstrap-kubeconfig=/spoke/bootstrap/kubeconfig"]),
    ({}, WORKER, ["--agent-id=u2", "--hub-kubeconfig=/spoke/hub-kubeconfig/kubeconfig"]),
    ({}, WORKER, ["--status-sync-interval=60s"]),
    ({"workConfiguration": {"statusSyncInterval": "9s"}}, WORKER, ["--status-sync-interval=9s"]),
    (
        {"workConfiguration": {"appliedManifestWorkEvictionGracePeriod": "10m"}},
        WORKER,
        ["--appliedmanifestwork-eviction-grace-period=10m"],
    ),
    (
        {
            "workConfiguration": {
                "kubeAPIQPS": 3,
                "kubeAPIBurst": 4,
                "hubKubeAPIQPS": 5,
                "hubKubeAPIBurst": 6,
            }
        },
        WORKER,
        [
            "--kube-api-qps=3",
            "--kube-api-burst=4",
            "--hub-kube-api-qps=5",
            "--hub-kube-api-burst=6",
        ],
    ),
    (
        {"registrationConfiguration": {"kubeAPIQPS": 7, "kubeAPIBurst": 8}},
        AGENT,
        ["--kube-api-qps=7", "--kube-api-burst=8"],
    ),
    (
        {"registrationConfiguration": {"clientCertExpirationSeconds": 7200}},
        AGENT,
        ["--client-cert-expiration-seconds=7200"],
    ),
    (
        {
            "registrationConfiguration": {
                "clusterAnnotations": {"agent.open-cluster-management.io/x": "1", "other": "2"}
            }
        },
        AGENT,
        ["--cluster-annotations=agent.open-cluster-management.io/x=1"],
    ),
    (
        {
            "registrationConfiguration": {
                "clusterClaimConfiguration": {
                    "maxCustomClusterClaims": 5,
                    "reservedClusterClaimSuffixes": ["x.io", "y.io"],
                }
            }
        },
        AGENT,
        ["--max-custom-cluster-claims=5", "--reserved-cluster-claim-suffixes=x.io,y.io"],
    ),
    (
        {
            "registrationConfiguration": {
                "addOnKubeClientRegistrationDriver": {
                    "authType": "token",
                    "token": {"expirationSeconds": 3600},
                }
            }
        },
        AGENT,
        ["--addon-kubeclient-registration-auth=token", "--addon-token-expiration-seconds=3600"],
    ),
    (
        {"externalServerURLs": [{"url": "https://a"}, {"url": "https://b"}]},
        AGENT,
        ["--spoke-external-server-urls=https://a", "--spoke-external-server-urls=https://b"],
    ),
    (
        {
            "registrationConfiguration": {
                "featureGates": [{"feature": "MultipleHubs", "mode": "Enable"}],
                "bootstrapKubeConfigs": {
                    "type": "LocalSecrets",
                    "localSecretsConfig": {
                        "kubeConfigSecrets": [{"name": "one"}, {"name": "two"}],
                        "hubConnectionTimeoutSeconds": 200,
                    },
                },
            }
        },
        AGENT,
        [
            "--bootstrap-kubeconfigs=/spoke/one/kubeconfig",
            "--bootstrap-kubeconfigs=/spoke/two/kubeconfig",
            "--hub-connection-timeout-seconds=200",
            "--feature-gates=MultipleHubs=true",
        ],
    ),
    (
        {"workConfiguration": {"featureGates": [{"feature": "RawFeedbackJsonString", "mode": "Enable"}]}},
        WORKER,
        ["--feature-gates=RawFeedbackJsonString=true"],
    ),
    ({"deployOption": {"mode": "Singleton"}}, "klusterlet-agent", ["--agents=registration,work"]),
    (
        {"deployOption": {"mode": "SingletonHosted"}},
        "klusterlet-agent",
        ["--agent-id=u2", "--spoke-kubeconfig=/spoke/config/kubeconfig"],
    ),
    ({"deployOption": {"mode": "Hosted"}}, WORKER, ["--spoke-kubeconfig=/spoke/config/kubeconfig"]),
]


@pytest.mark.parametrize(("spec", "name", "there"), AGENT_ARGUMENTS)
def test_arguments_of_an_agent(spec: dict[str, Any], name: str, there: list[str]) -> None:
    """Every setting of a Klusterlet is told to the agent it is for; foreign annotations are not."""
    arguments = container(of_agent(spec), name)["args"]
    assert [text for text in there if text not in arguments] == []
    assert not [text for text in arguments if "other=2" in text]


def test_the_registration_agent_picks_its_own_id() -> None:
    """OCM tells the stand-alone registration agent no id: the agent's name in its certificate is its own."""
    assert not [a for a in container(of_agent({}), AGENT)["args"] if a.startswith("--agent-id")]


def _all_commands() -> list[list[str]]:
    found = []
    for spec, *_ in HUB_ARGUMENTS:
        objects = of_hub(spec)
        found += [container(objects, name)["args"] for kind, name in objects if kind == "Deployment"]
    for spec, *_ in AGENT_ARGUMENTS:
        objects = of_agent(spec)
        found += [container(objects, name)["args"] for kind, name in objects if kind == "Deployment"]
    return [list(args) for args in dict.fromkeys(map(tuple, found))]


@pytest.mark.parametrize("arguments", _all_commands(), ids=lambda args: " ".join(args)[:80])
def test_our_own_programs_take_these_arguments(arguments: list[str]) -> None:
    """The command line of every container is one that `gitops-ocm` understands, value by value."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, arguments[0])
        assert found is not None
        command, arguments = found, arguments[1:]
    parsed = command.make_context("gitops-ocm", arguments)
    assert parsed.args == []


@pytest.mark.parametrize(
    ("spec", "path", "value"),
    [
        ({"nodePlacement": {"nodeSelector": {"a": "b"}}}, "nodeSelector", {"a": "b"}),
        (
            {"nodePlacement": {"tolerations": [{"key": "k", "operator": "Exists"}]}},
            "tolerations",
            [{"key": "k", "operator": "Exists"}],
        ),
        ({"priorityClassName": "high"}, "priorityClassName", "high"),
        (
            {"hubApiServerHostAlias": {"ip": "10.0.0.1", "hostname": "hub.x"}},
            "hostAliases",
            [{"ip": "10.0.0.1", "hostnames": ["hub.x"]}],
        ),
        (
            {},
            "imagePullSecrets",
            [{"name": "open-cluster-management-image-pull-credentials"}],
        ),
    ],
)
def test_where_pods_run(spec: dict[str, Any], path: str, value: Any) -> None:
    """Node selectors, tolerations, priority, host aliases and pull secrets are on the agents' pods."""
    objects = of_agent(spec)
    assert deployment(objects, AGENT)[path] == deployment(objects, WORKER)[path] == value


@pytest.mark.parametrize(
    ("requirement", "resources"),
    [
        ({}, {"requests": {"cpu": "2m", "memory": "16Mi"}}),
        ({"type": "BestEffort"}, {}),
        (
            {"type": "ResourceRequirement", "resourceRequirements": {"limits": {"cpu": "1"}}},
            {"limits": {"cpu": "1"}},
        ),
    ],
)
def test_resources(requirement: dict[str, Any], resources: Object) -> None:
    """A resource requirement counts for every container of either side."""
    spec = {"resourceRequirement": requirement} if requirement else {}
    assert container(of_hub(spec), REGISTRATION)["resources"] == resources
    assert container(of_agent(spec), WORKER)["resources"] == resources


@pytest.mark.parametrize(
    ("named", "image"),
    [
        ("", "gitops-ocm:1"),
        ("quay.io/open-cluster-management/registration:v1.3.1", "gitops-ocm:1"),
        ("example.com/mine:2", "example.com/mine:2"),
    ],
)
def test_images(named: str, image: str) -> None:
    """A component runs our image unless its spec names another; OCM's own programs count as not named."""
    spec = {"registrationImagePullSpec": named} if named else {}
    assert container(of_hub(spec), REGISTRATION)["image"] == image
    assert container(of_agent(spec), AGENT)["image"] == image


@pytest.mark.parametrize(
    ("connected", "name", "replicas"), [(False, "c1", 0), (True, "", 0), (True, "c1", 3)]
)
def test_a_work_agent_waits_for_the_hub(connected: bool, name: str, replicas: int) -> None:
    """Without a hub kubeconfig, or without a name for the cluster, a work agent has no pod."""
    plan = klusterlet_plan(klusterlet({}), SETTINGS, replicas=3, connected=connected, cluster_name=name)
    found = {o["metadata"]["name"]: o for _, o in plan.objects() if o["kind"] == "Deployment"}
    assert found[WORKER]["spec"]["replicas"] == replicas
    assert found[AGENT]["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("mode", "agents", "namespace"),
    [
        ("Default", {AGENT, WORKER}, "open-cluster-management-agent"),
        ("Singleton", {"klusterlet-agent"}, "open-cluster-management-agent"),
        ("Hosted", {AGENT, WORKER}, "klusterlet"),
        ("SingletonHosted", {"klusterlet-agent"}, "klusterlet"),
    ],
)
def test_modes(mode: str, agents: set[str], namespace: str) -> None:
    """Which Deployments a mode has, and where."""
    objects = of_agent({"deployOption": {"mode": mode}})
    found = {name: obj for (kind, name), obj in objects.items() if kind == "Deployment"}
    assert set(found) == agents
    assert {obj["metadata"]["namespace"] for obj in found.values()} == {namespace}


def test_every_pod_keeps_the_restricted_standard() -> None:
    """No container runs as root, writes to its image, may gain privileges or has a capability."""
    everything = [of_hub({}), of_agent({}), of_agent({"deployOption": {"mode": "Singleton"}})]
    pods = [
        obj["spec"]["template"]["spec"]
        for objects in everything
        for (kind, _), obj in objects.items()
        if kind == "Deployment"
    ]
    assert len(pods) == 10
    for pod in pods:
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        for one in pod["containers"]:
            context = one["securityContext"]
            assert context["readOnlyRootFilesystem"]
            assert not context["allowPrivilegeEscalation"]
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_webhooks_by_name_path_and_service() -> None:
    """OCM's configurations by OCM's names, calling its Services, and only once there is a CA to trust."""
    assert not [key for key in of_hub({}) if "Webhook" in key[0]]
    objects = of_hub({}, ca_bundle="Q0E=")
    hooks = {name: obj["webhooks"][0] for (kind, name), obj in objects.items() if "WebhookConf" in kind}
    assert len(hooks) == 4
    client = hooks["manifestworkvalidators.admission.work.open-cluster-management.io"]["clientConfig"]
    assert client == {
        "service": {
            "namespace": "open-cluster-management-hub",
            "name": "cluster-manager-work-webhook",
            "path": "/validate-work-open-cluster-management-io-v1-manifestwork",
            "port": 443,
        },
        "caBundle": "Q0E=",
    }
    assert all(
        (h["failurePolicy"], h["sideEffects"], h["timeoutSeconds"], h["admissionReviewVersions"])
        == ("Fail", "None", 10, ["v1beta1", "v1"])
        for h in hooks.values()
    )


def test_a_hosted_hub_calls_the_given_address() -> None:
    """Webhooks of a hosted hub are called by URL."""
    spec = {
        "deployOption": {
            "mode": "Hosted",
            "hosted": {"workWebhookConfiguration": {"address": "hooks.example", "port": 8443}},
        }
    }
    hook = of_hub(spec, ca_bundle="Q0E=")[
        "ValidatingWebhookConfiguration",
        "manifestworkvalidators.admission.work.open-cluster-management.io",
    ]["webhooks"][0]
    path = "/validate-work-open-cluster-management-io-v1-manifestwork"
    assert hook["clientConfig"]["url"] == f"https://hooks.example:8443{path}"


def test_add_ons_are_converted_once_their_webhook_runs() -> None:
    """Both versions of add-ons are served only where somebody converts between them."""
    name = ("CustomResourceDefinition", "managedclusteraddons.addon.open-cluster-management.io")
    before, after = of_hub({})[name]["spec"], of_hub({}, ca_bundle="Q0E=")[name]["spec"]
    assert [v["name"] for v in before["versions"]] == ["v1alpha1"]
    assert [v["name"] for v in after["versions"]] == ["v1alpha1", "v1beta1"]
    assert (
        after["conversion"]["webhook"]["clientConfig"]["service"]["name"] == "cluster-manager-addon-webhook"
    )


@pytest.mark.parametrize(
    ("live", "ours", "kept"),
    [
        ("1.4.0", "1.3.1", True),
        ("1.3.1", "1.3.1", False),
        ("v1.10.0", "1.9.9", True),
        ("1.3.1-rc.1", "1.3.1", False),
        ("", "1.3.1", False),
        ("devel", "1.3.1", False),
    ],
)
def test_definitions_are_never_downgraded(live: str, ours: str, kept: bool) -> None:
    """A CustomResourceDefinition of a later version is left as it is."""
    crd: Object = {"metadata": {"name": "x"}}
    assert newer(stamped([crd], live)[0], stamped([crd], ours)[0]) is kept
    assert version_key("1.2.3") > version_key("1.2.3-alpha") > version_key("1.2.2")
