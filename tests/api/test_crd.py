"""The generated CRDs: facts of the protocol, the structural rules, the checked-in copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gitops_ocm.api.crd import ConversionWebhook, crd_files, crds, crds_yaml
from gitops_ocm.api.scheme import SCHEME

Schema = dict[str, Any]

DEPLOY = Path(__file__).parents[2] / "deploy" / "crds"
BOTH = {c["metadata"]["name"].partition(".")[0]: c for c in crds(conversion_webhook=ConversionWebhook())}
CONDITION_KEYS = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
PERCENT = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "pattern": "^((100|[0-9]{1,2})%|[0-9]+)$",
    "x-kubernetes-int-or-string": True,
}


def schema_at(plural: str, path: str, version: str = "") -> Schema:
    """The schema of a field; `[]` steps into a list, `{}` into the values of a map."""
    versions = BOTH[plural]["spec"]["versions"]
    found = next(v for v in versions if v["name"] == version) if version else versions[0]
    schema: Schema = found["schema"]["openAPIV3Schema"]
    for part in path.replace("[]", ".[]").split("."):
        if part == "[]":
            schema = schema["items"]
        elif part == "{}":
            schema = schema["additionalProperties"]
        else:
            schema = schema["properties"][part]
    return schema


# What OCM's own CRDs say; each line is a fact that some other part of a fleet relies on.
CONFIGS = "spec.prioritizerPolicy.configurations[]"
GROUP_STRATEGY = "spec.decisionStrategy.groupStrategy"
FEEDBACK = "status.resourceStatus.manifests[].statusFeedback.values"
ROLLOUT = "spec.placementRefs[].rolloutStrategy"
INSTALL = "spec.installStrategy.placements"
BY_RESOURCE = {"x-kubernetes-list-map-keys": ["group", "resource"]}
FACTS: list[tuple[str, str, Schema]] = [
    ("managedclusters", "spec.leaseDurationSeconds", {"type": "integer", "format": "int32", "default": 60}),
    ("managedclusters", "spec.taints[].effect", {"enum": ["NoSelect", "PreferNoSelect", "NoSelectIfNew"]}),
    ("managedclusters", "spec.taints[].timeAdded", {"format": "date-time", "nullable": True}),
    ("managedclusters", "spec.taints[].key", {"maxLength": 316}),
    ("managedclusters", "spec.managedClusterClientConfigs[].caBundle", {"type": "string", "format": "byte"}),
    ("managedclusters", "status.conditions", CONDITION_KEYS),
    ("managedclusters", "status.capacity.{}", {"x-kubernetes-int-or-string": True}),
    ("managedclusters", "status.managedNamespaces", {"x-kubernetes-list-map-keys": ["clusterSet", "name"]}),
    ("managedclusters", "status.clusterClaims[].value", {"minLength": 1, "maxLength": 1024}),
    (
        "managedclustersets",
        "spec",
        {"default": {"clusterSelector": {"selectorType": "ExclusiveClusterSetLabel"}}},
    ),
    ("managedclustersets", "spec.clusterSelector", {"required": ["selectorType"]}),
    ("managedclustersets", "spec.clusterSelector.labelSelector", {"x-kubernetes-map-type": "atomic"}),
    ("managedclustersetbindings", "spec.clusterSet", {"minLength": 1}),
    ("clusterclaims", "spec.value", {"minLength": 1, "maxLength": 1024}),
    ("placements", "spec.tolerations[].operator", {"type": "string", "default": "Equal"}),
    ("placements", f"{CONFIGS}.weight", {"minimum": -10, "maximum": 10, "default": 1}),
    ("placements", "spec.prioritizerPolicy.mode", {"default": "Additive"}),
    ("placements", "spec.spreadPolicy.spreadConstraints", {"maxItems": 8}),
    (
        "placements",
        f"{GROUP_STRATEGY}.clustersPerDecisionGroup",
        {"default": "100%", "pattern": "^((100|[1-9][0-9]{0,1})%|[1-9][0-9]*)$"},
    ),
    ("placements", "status.decisionGroups[].clusterCount", {"default": 0}),
    ("placementdecisions", "status", {"required": ["decisions"]}),
    ("placementdecisions", "status.decisions[]", {"required": ["clusterName", "reason"]}),
    ("addonplacementscores", "status.scores", {"x-kubernetes-list-map-keys": ["name"]}),
    ("addonplacementscores", "status.scores[].value", {"minimum": -100, "maximum": 100}),
    (
        "manifestworks",
        "spec.workload.manifests[]",
        {"x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
    ),
    ("manifestworks", "spec.deleteOption.propagationPolicy", {"default": "Foreground"}),
    (
        "manifestworks",
        "spec.manifestConfigs[].updateStrategy.serverSideApply.fieldManager",
        {"default": "work-agent", "pattern": "^work-agent"},
    ),
    ("manifestworks", "spec.manifestConfigs[].updateStrategy", {"required": ["type"]}),
    (
        "manifestworks",
        "spec.manifestConfigs[].conditionRules[]",
        {
            "x-kubernetes-validations": [
                {
                    "rule": "self.type != 'CEL' || self.condition != \"\"",
                    "message": "Condition is required for CEL rules",
                }
            ]
        },
    ),
    ("manifestworks", "spec.executor.subject.serviceAccount.name", {"minLength": 1, "maxLength": 253}),
    ("manifestworks", FEEDBACK, {"x-kubernetes-list-map-keys": ["name"]}),
    ("manifestworks", f"{FEEDBACK}[].fieldValue.jsonRaw", {"maxLength": 1024}),
    ("appliedmanifestworks", "spec", {"required": ["hubHash", "manifestWorkName"]}),
    ("manifestworkreplicasets", "spec.placementRefs", {"minItems": 1}),
    (
        "manifestworkreplicasets",
        ROLLOUT,
        {"default": {"type": "All", "all": {"progressDeadline": "None"}}},
    ),
    ("manifestworkreplicasets", f"{ROLLOUT}.progressive.maxConcurrency", PERCENT),
    ("manifestworkreplicasets", f"{ROLLOUT}.all.maxFailures", {**PERCENT, "default": 0}),
    ("manifestworkreplicasets", f"{ROLLOUT}.all.minSuccessTime", {"default": "0"}),
    ("manifestworkreplicasets", "spec.cascadeDeletionPolicy", {"default": "Background"}),
    ("clustermanagementaddons", "spec.installStrategy", {"default": {"type": "Manual"}}),
    ("clustermanagementaddons", INSTALL, {"x-kubernetes-list-map-keys": ["namespace", "name"]}),
    ("clustermanagementaddons", f"{INSTALL}[].rolloutStrategy", {"default": {"type": "All"}}),
    ("clustermanagementaddons", "spec.supportedConfigs", BY_RESOURCE),
    ("clustermanagementaddons", "spec.supportedConfigs[].group", {"default": ""}),
    ("managedclusteraddons", "spec.installNamespace", {"default": "open-cluster-management-agent-addon"}),
    ("managedclusteraddons", "status.registrations[].signerName", {"minLength": 5, "maxLength": 571}),
    ("managedclusteraddons", "status.kubeClientDriver", {"enum": ["csr", "token"]}),
    ("addondeploymentconfigs", "spec.resourceRequirements", {"x-kubernetes-list-map-keys": ["containerID"]}),
    ("addontemplates", "spec", {"required": ["addonName", "agentSpec"]}),
    ("clustermanagers", "spec", {"default": {"deployOption": {"mode": "Default"}}}),
    ("clustermanagers", "spec.workConfiguration", {"default": {"workDriver": "kube"}}),
    ("klusterlets", "spec.registrationConfiguration.kubeAPIQPS", {"default": 50}),
    ("klusterlets", "spec.externalServerURLs[]", {"required": ["url"]}),
    ("hubsyncs", "spec.prune.maxPercent", {"default": 50, "minimum": 0, "maximum": 100}),
    ("hubsyncs", "spec.interval", {"default": "1m"}),
    ("hubsyncs", "status.problems", {"maxItems": 50}),
    ("hubsyncs", "status.inventory.kinds", {"x-kubernetes-list-type": "atomic"}),
]  # fmt: skip


@pytest.mark.parametrize(("plural", "path", "facts"), FACTS, ids=lambda v: v if isinstance(v, str) else "")
def test_facts_of_the_protocol(plural: str, path: str, facts: Schema) -> None:
    """A field's schema says what the protocol says of it."""
    assert facts.items() <= schema_at(plural, path).items()


@pytest.mark.parametrize(
    ("plural", "version", "absent"),
    [
        ("clustermanagementaddons", "v1beta1", "supportedConfigs"),
        ("clustermanagementaddons", "v1alpha1", "defaultConfigs"),
        ("managedclusteraddons", "v1beta1", "installNamespace"),
    ],
)
def test_the_add_on_versions_differ_where_they_should(plural: str, version: str, absent: str) -> None:
    """What one version names differently the other does not have."""
    assert absent not in schema_at(plural, "spec", version)["properties"]


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("managedclusters", ["Hub Accepted", "Managed Cluster URLs", "Joined", "Available", "Age"]),
        ("managedclustersets", ["Empty", "Age"]),
        ("placements", ["Succeeded", "Reason", "SelectedClusters"]),
        ("manifestworkreplicasets", ["Placement", "Found", "ManifestWorks", "Applied"]),
        ("clustermanagementaddons", ["DISPLAY NAME", "CRD NAME"]),
        ("managedclusteraddons", ["Available", "Degraded", "Progressing"]),
        ("addontemplates", ["ADDON NAME"]),
        ("hubsyncs", ["Ready", "Reason", "Commit", "Status", "Age"]),
    ],
)
def test_printer_columns(kind: str, columns: list[str]) -> None:
    """`kubectl get` shows the columns that OCM's users know, in their order."""
    version = BOTH[kind]["spec"]["versions"][0]
    assert [c["name"] for c in version["additionalPrinterColumns"]] == columns


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    for key, step in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from nodes(schema[key], path + step)


@pytest.mark.parametrize("plural", sorted(BOTH))
def test_schemas_are_structural(plural: str) -> None:
    """Every node has one type, and alternatives exist for int-or-string alone."""
    for version in BOTH[plural]["spec"]["versions"]:
        for path, node in nodes(version["schema"]["openAPIV3Schema"]):
            assert not {"$ref", "allOf", "oneOf", "not", "title"} & set(node), path
            assert ("type" in node) != ("x-kubernetes-int-or-string" in node), path
            assert ("anyOf" in node) == ("x-kubernetes-int-or-string" in node), path


@pytest.mark.parametrize("plural", sorted(BOTH))
def test_every_field_is_described(plural: str) -> None:
    """`kubectl explain` has a sentence for every field, and it ends as a sentence does."""
    for version in BOTH[plural]["spec"]["versions"]:
        for path, node in nodes(version["schema"]["openAPIV3Schema"]):
            if not path.endswith(("[]", "{}", ".metadata")):
                assert node["description"].endswith("."), path


def test_without_a_webhook_only_versions_of_one_schema_are_served() -> None:
    """An API server that cannot convert would lose fields, so it is not told of the other version."""
    for crd in crds():
        definition = next(d for d in SCHEME if d.crd_name == crd["metadata"]["name"])
        assert "conversion" not in crd["spec"]
        names = [v["name"] for v in crd["spec"]["versions"]]
        assert names == [v.name for v in definition.versions if not v.converted]
        schemas = [v["schema"] for v in crd["spec"]["versions"]]
        assert all(s == schemas[0] for s in schemas)


def test_with_a_webhook_the_add_on_kinds_have_both_versions() -> None:
    """The kinds that differ name the webhook; the others need none."""
    webhook = ConversionWebhook(namespace="hub", ca_bundle="Q0E=")
    by_name = {c["spec"]["names"]["kind"]: c["spec"] for c in crds(conversion_webhook=webhook)}
    converted = {kind for kind, spec in by_name.items() if "conversion" in spec}
    assert converted == {"ClusterManagementAddOn", "ManagedClusterAddOn"}
    assert by_name["ManagedClusterAddOn"]["conversion"] == {
        "strategy": "Webhook",
        "webhook": {
            "clientConfig": {
                "service": {
                    "namespace": "hub",
                    "name": "cluster-manager-addon-webhook",
                    "path": "/convert",
                    "port": 9443,
                },
                "caBundle": "Q0E=",
            },
            "conversionReviewVersions": ["v1", "v1beta1"],
        },
    }
    assert [v["name"] for v in by_name["ManagedClusterAddOn"]["versions"]] == ["v1alpha1", "v1beta1"]


def test_exactly_one_version_is_stored() -> None:
    """Every kind names one version as the one that is stored."""
    for crd in crds(conversion_webhook=ConversionWebhook()):
        assert [v["storage"] for v in crd["spec"]["versions"]].count(True) == 1


@pytest.fixture(scope="module")
def text() -> str:
    """All definitions as YAML."""
    return crds_yaml()


@pytest.mark.slow
@pytest.mark.parametrize("version", [(1, 1), (1, 2)], ids=["YAML 1.1", "YAML 1.2"])
def test_the_yaml_means_the_same_to_every_reader(text: str, version: tuple[int, int]) -> None:
    """kubectl reads YAML 1.1, others 1.2: the text is unambiguous."""
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    assert list(reader.load_all(text)) == crds()


def test_output_is_stable(text: str) -> None:
    """Generating twice gives the same text and no line ends in a space."""
    assert crds_yaml() == text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_checked_in_copy_is_current() -> None:
    """deploy/crds is what tools/write_crds.py would write now."""
    found = {f.name: f.read_text(encoding="utf-8") for f in DEPLOY.glob("*.yaml")}
    assert found == crd_files(), "run: python tools/write_crds.py"
