"""What ClusterManagers and Klusterlets become: every field of a spec, seen in the objects it makes."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.decide.operators.agent_objects import klusterlet_plan
from gitops_ocm.decide.operators.plan import newer, stamped, version_key
from gitops_ocm.objects.ref import Object
from tests.decide.operators.given import (
    AGENT,
    REGISTRATION,
    SETTINGS,
    WORKER,
    container,
    deployment,
    klusterlet,
    of_agent,
    of_hub,
)


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


def test_network_policies_by_their_gate() -> None:
    """With the operator's own gate each Deployment has a policy: its own port is open, no other one."""
    gates = {
        "registrationConfiguration": {"featureGates": [{"feature": "NetworkPolicies", "mode": "Enable"}]}
    }
    for objects in (of_hub(gates), of_agent(gates)):
        policies = {name: o["spec"] for (kind, name), o in objects.items() if kind == "NetworkPolicy"}
        assert set(policies) == {name for kind, name in objects if kind == "Deployment"}
        for name, spec in policies.items():
            opened = [p["port"] for rule in spec["ingress"] for p in rule["ports"]]
            assert opened == [port["containerPort"] for port in container(objects, name)["ports"]]
            assert (opened == [8443]) != name.endswith("-webhook")
        assert not [a for n in policies for a in container(objects, n)["args"] if "NetworkPolicies" in a]
    assert not [key for key in (*of_hub({}), *of_agent({})) if key[0] == "NetworkPolicy"]


def test_pull_credentials_reach_every_namespace_of_add_ons() -> None:
    """The pull secret is copied to agents, to add-ons, and wherever a namespace says it is an add-on's."""
    secret: Object = {
        "metadata": {"name": "open-cluster-management-image-pull-credentials", "namespace": "operator"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": "e30="},
    }
    plan = klusterlet_plan(
        klusterlet({}), SETTINGS, replicas=1, pull_secret=secret, addon_namespaces=["mine"]
    )
    copies = [obj for _, obj in plan.objects() if obj["kind"] == "Secret"]
    assert {copy["metadata"]["namespace"] for copy in copies} == {
        "open-cluster-management-agent",
        "open-cluster-management-agent-addon",
        "mine",
    }
    assert all(copy["data"] == secret["data"] and copy["type"] == secret["type"] for copy in copies)
