"""What `init` and `join` make of their options."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm import __version__
from gitops_ocm.api.operator import ClusterManager
from gitops_ocm.api.operator_klusterlet import Klusterlet
from gitops_ocm.operator.install import OperatorOptions
from gitops_ocm.verbs.chart_values import ChartValues, merged, read_values
from gitops_ocm.verbs.hub_lookup import merged_pem
from gitops_ocm.verbs.hub_objects import HubSpec, bootstrap_objects, cluster_manager
from gitops_ocm.verbs.images import image_of
from gitops_ocm.verbs.init import check_spec
from gitops_ocm.verbs.klusterlet_objects import (
    KlusterletSpec,
    annotations_of,
    bootstrap_kubeconfig,
    klusterlet,
)
from gitops_ocm.verbs.spec_options import pairs, resource_requirement
from gitops_ocm.verbs.voice import VerbError

HUB = HubSpec("img:1")
GATE = {"ManagedClusterAutoApproval": True}
AGENT = KlusterletSpec("klusterlet", "cluster1", "img:1")


def spec_of(**but: Any) -> dict[str, Any]:
    """The spec of a ClusterManager with these options."""
    spec: dict[str, Any] = cluster_manager(replace(HUB, **but))["spec"]
    return spec


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        ({}, "registrationImagePullSpec", "img:1"),
        ({}, "workConfiguration", {"workDriver": "kube"}),
        (
            {},
            "registrationConfiguration.autoApproveUsers",
            ["system:serviceaccount:open-cluster-management:agent-registration-bootstrap"],
        ),
        (
            {"bootstrap_token": True},
            "registrationConfiguration.autoApproveUsers",
            [
                "system:serviceaccount:open-cluster-management:agent-registration-bootstrap",
                "system:bootstrap:ocmhub",
            ],
        ),
        (
            {"gates": {"ManifestWorkReplicaSet": True, "DefaultClusterSet": False}},
            "workConfiguration.featureGates",
            [{"feature": "ManifestWorkReplicaSet", "mode": "Enable"}],
        ),
        (
            {"gates": {"ManifestWorkReplicaSet": True, "DefaultClusterSet": False}},
            "registrationConfiguration.featureGates",
            [{"feature": "DefaultClusterSet", "mode": "Disable"}],
        ),
        (
            {"drivers": ("csr", "grpc"), "csr_identities": ("u",), "grpc_server": "h", "gates": GATE},
            "registrationConfiguration.registrationDrivers",
            [{"authType": "csr", "csr": {"autoApprovedIdentities": ["u"]}}, {"authType": "grpc"}],
        ),
        (
            {"drivers": ("grpc",), "grpc_server": "h"},
            "serverConfiguration.endpointsExposure",
            [{"protocol": "grpc", "grpc": {"type": "hostname", "hostname": {"host": "h"}}}],
        ),
        (
            {"resource_requirement": {"type": "BestEffort"}},
            "resourceRequirement",
            {"type": "BestEffort"},
        ),
    ],
)
def test_a_cluster_manager(options: dict[str, Any], path: str, expected: Any) -> None:
    """Each option comes to be the part of the spec that it is named for, and the model takes it."""
    found: Any = spec_of(**options)
    ClusterManager.model_validate(cluster_manager(replace(HUB, **options)))
    for key in path.split("."):
        found = found[key]
    assert found == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drivers": ("ldap",)}, "only csr,awsirsa and grpc are valid drivers"),
        ({"drivers": ("grpc",)}, "grpc server should not be empty"),
        ({"drivers": ("grpc",), "grpc_endpoint_type": "route"}, "unknown grpc endpoint type route"),
        ({"csr_identities": ("u",)}, "should enable feature gate ManagedClusterAutoApproval"),
        ({"csr_identities": ("u",), "gates": GATE}, "needs the registration driver csr"),
        (
            {"arn_patterns": ("u",), "gates": GATE, "drivers": ("csr",)},
            "needs the registration driver awsirsa",
        ),
        (
            {"grpc_identities": ("u",), "gates": GATE, "drivers": ("csr",)},
            "needs the registration driver grpc",
        ),
    ],
)
def test_options_of_init_that_cannot_be_meant_together(options: dict[str, Any], message: str) -> None:
    """What would make a hub other than the person thinks is refused, with what to do about it."""
    with pytest.raises(VerbError, match=re.escape(message)) as raised:
        check_spec(replace(HUB, **options))
    assert raised.value.hint


@pytest.mark.parametrize(
    ("qos", "limits", "requests", "message"),
    [
        ("Guaranteed", {}, {}, "no resource QoS class 'Guaranteed'"),
        ("ResourceRequirement", {}, {}, "both limits and requests are not set"),
        ("Default", {"cpu": "1"}, {}, "resource type must be ResourceRequirement"),
        ("ResourceRequirement", {"cpu": "lots"}, {}, "cpu=lots"),
        ("ResourceRequirement", {"cpu": "500m"}, {"cpu": "1"}, "requests 1 must be less than or equal"),
    ],
)
def test_resources_that_cannot_be(
    qos: str, limits: dict[str, str], requests: dict[str, str], message: str
) -> None:
    """Resources that no pod could have are refused before anything is installed."""
    with pytest.raises(VerbError, match=re.escape(message)):
        resource_requirement(qos, limits, requests)


def test_resources_that_can_be() -> None:
    """Requests and limits are told as the specs have them."""
    found = resource_requirement("ResourceRequirement", pairs(["cpu=1,memory=1Gi"], "-l"), {"cpu": "500m"})
    asked = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}
    assert found == {"type": "ResourceRequirement", "resourceRequirements": asked}


@pytest.mark.parametrize(
    ("registry", "version", "image"),
    [
        ("", "default", f"gitops-ocm:{__version__}"),
        ("reg.example/ocm/", "latest", "reg.example/ocm/gitops-ocm:latest"),
        ("quay.io/open-cluster-management", "v1.3.1", f"gitops-ocm:{__version__}"),
    ],
)
def test_images(registry: str, version: str, image: str) -> None:
    """Registry and bundle name our image; a bundle of clusteradm's stands for ours."""
    assert image_of(registry, version) == image


def test_a_bundle_nobody_has(tmp_path: Path) -> None:
    """An unknown bundle is refused in clusteradm's words; a file names another one."""
    with pytest.raises(VerbError, match=re.escape("couldn't find the requested version bundle: 0.9")):
        image_of("", "0.9")
    file = tmp_path / "bundle.json"
    file.write_text('{"ocm": "v9"}')
    assert image_of("", "default", file) == "gitops-ocm:v9"
    file.write_text('{"policy_addon": "v9"}')
    with pytest.raises(VerbError, match="does not say which version"):
        image_of("", "default", file)


@pytest.mark.parametrize(
    ("mode", "name", "agents", "namespace"),
    [
        ("Default", "klusterlet", "open-cluster-management-agent", "open-cluster-management-agent"),
        ("Singleton", "klusterlet", "open-cluster-management-agent", "open-cluster-management-agent"),
        (
            "Hosted",
            "klusterlet-hosted-a",
            "klusterlet-hosted-a",
            "open-cluster-management-klusterlet-hosted-a",
        ),
        (
            "SingletonHosted",
            "klusterlet-hosted-a",
            "klusterlet-hosted-a",
            "open-cluster-management-klusterlet-hosted-a",
        ),
    ],
)
def test_a_klusterlets_places(mode: str, name: str, agents: str, namespace: str) -> None:
    """Names and namespaces in each mode are those of clusteradm."""
    wanted = replace(AGENT, mode=mode, name=name)
    made = klusterlet(wanted)
    Klusterlet.model_validate(made)
    assert wanted.agent_namespace == agents
    assert made["spec"]["namespace"] == namespace
    assert made["spec"]["deployOption"] == {"mode": mode}


def test_no_url_is_told_where_none_is_known() -> None:
    """A cluster that publishes no address gets no empty URL."""
    assert "externalServerURLs" not in klusterlet(AGENT)["spec"]
    told = klusterlet(replace(AGENT, external_server="https://a"))["spec"]["externalServerURLs"]
    assert told == [{"url": "https://a"}]


def test_annotations() -> None:
    """Annotations get the prefix that agents may set, once; what is none is left out and told."""
    found, malformed = annotations_of(["a=b=c", "agent.open-cluster-management.io/x=", "nonsense", "=v"])
    prefix = "agent.open-cluster-management.io/"
    assert found == {f"{prefix}a": "b=c", f"{prefix}x": ""}
    assert malformed == ["nonsense", "=v"]


def test_the_bootstrap_kubeconfig() -> None:
    """Names, namespace and proxy are where agents of OCM look for them."""
    body = yaml.safe_load(bootstrap_kubeconfig("https://h", "t", b"pem", proxy_url="http://p"))
    assert body["current-context"] == "bootstrap"
    assert body["contexts"][0]["context"] == {"cluster": "hub", "user": "bootstrap", "namespace": "default"}
    cluster = body["clusters"][0]["cluster"]
    assert cluster["proxy-url"] == "http://p"
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"pem"


def test_a_stored_token() -> None:
    """A stored token is bound to the bootstrap role by its group, and is one of an hour's beside it."""
    found = {obj["metadata"]["name"]: obj for obj in bootstrap_objects(token_secret="0123456789abcdef")}
    secret = found["bootstrap-token-ocmhub"]
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert secret["type"] == "bootstrap.kubernetes.io/token"
    assert (data["token-id"], data["token-secret"]) == ("ocmhub", "0123456789abcdef")
    binding = found["open-cluster-management:bootstrap:managedcluster"]
    assert binding["subjects"][0]["name"] == data["auth-extra-groups"]
    assert "agent-registration-bootstrap" in found


def test_values_of_a_chart(tmp_path: Path) -> None:
    """A values file comes last, for images, credentials and the spec; what it cannot say is named."""
    file = tmp_path / "values.yaml"
    file.write_text(
        "replicaCount: 2\n"
        "images: {registry: reg.example, tag: v2, overrides: {workImage: w:3}, podLabels: {}}\n"
        "clusterManager:\n"
        "  create: true\n"
        "  workConfiguration: {workDriver: grpc}\n"
        "  resourceRequirement: null\n"
    )
    values = read_values(file, "clusterManager")
    assert values.unused == ("images.podLabels", "replicaCount")
    assert values.operator(OperatorOptions(image="img:1")).image == "reg.example/gitops-ocm:v2"
    spec = cluster_manager(replace(HUB, resource_requirement={"type": "BestEffort"}), values)["spec"]
    assert spec["workImagePullSpec"] == "w:3"
    assert spec["workConfiguration"] == {"workDriver": "grpc"}
    assert "resourceRequirement" not in spec
    assert "create" not in spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "the values file is not YAML"),
        ("- a", "holds no values"),
        ("images: 3", "images is no mapping"),
        ("password: 'hunter2\n", "the values file is not YAML"),
    ],
)
def test_values_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    """A file that is no values is refused, and nothing of it is quoted."""
    file = tmp_path / "values.yaml"
    file.write_text(text)
    with pytest.raises(VerbError, match=message) as raised:
        read_values(file, "clusterManager")
    assert "hunter2" not in raised.value.message


trees = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
maps = st.dictionaries(st.sampled_from("abc"), trees, max_size=3)


@settings(derandomize=True, deadline=None)
@given(base=maps, over=maps)
def test_merging_values(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Merging twice is merging once, merging with nothing changes nothing, what was laid over is there."""
    once = merged(base, over)
    assert merged(once, over) == once
    assert merged(base, {}) == base
    assert set(once) == set(base) | set(over)
    assert all(once[key] == value for key, value in over.items() if not isinstance(value, dict))


def test_bundles_of_certificates() -> None:
    """Certificates of several files come once each, in order."""
    one, two = (
        f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n".encode()
        for text in ("QQ==", "Qg==")
    )
    assert merged_pem(one + two, two + one) == one + two
    assert merged_pem(b"nothing") == b""


def test_values_of_a_klusterlets_chart() -> None:
    """A values file's priority class and node placement come to be the Klusterlet's."""
    placed = {"nodeSelector": {"a": "b"}}
    values = ChartValues({"priorityClassName": "high", "klusterlet": {"nodePlacement": placed}})
    spec = klusterlet(AGENT, values)["spec"]
    assert (spec["priorityClassName"], spec["nodePlacement"]) == ("high", placed)
