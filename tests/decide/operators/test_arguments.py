"""What the programs in the containers are told: every setting of a spec, as an argument they take."""

from __future__ import annotations

from typing import Any

import click
import pytest

from gitops_ocm.api.rollout import ROLLOUT_COMPAT_ANNOTATION
from gitops_ocm.cli.main import cli
from gitops_ocm.decide.operators.hub_objects import hub_plan
from tests.decide.operators.given import (
    AGENT,
    REGISTRATION,
    SETTINGS,
    WORKER,
    container,
    manager,
    of_agent,
    of_hub,
)

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


@pytest.mark.parametrize(
    ("value", "component", "told"),
    [
        ("ocm", "cluster-manager-work-controller", True),
        ("ocm", "cluster-manager-addon-manager-controller", True),
        ("ocm", REGISTRATION, False),
        ("ours", "cluster-manager-work-controller", False),
    ],
)
def test_rollouts_as_ocm_decides_them_are_asked_for_by_an_annotation(
    value: str, component: str, told: bool
) -> None:
    """Whoever rolls out is told; nobody else, and by that value alone."""
    gate = {"feature": "ManifestWorkReplicaSet", "mode": "Enable"}
    annotated = manager({"workConfiguration": {"featureGates": [gate]}})
    annotated["metadata"]["annotations"] = {ROLLOUT_COMPAT_ANNOTATION: value}
    objects = {
        (obj["kind"], obj["metadata"]["name"]): obj
        for _, obj in hub_plan(annotated, SETTINGS, replicas=1).objects()
    }
    assert ("--rollout-compat=ocm" in container(objects, component)["args"]) is told


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
