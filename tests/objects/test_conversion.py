"""Objects at another version of their kind: what each version says in its own way, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.conversion import converted, converts
from gitops_ocm.objects.ref import Kind, Object

ADDON = "addon.open-cluster-management.io"
INSTALL_NAMESPACE = f"{ADDON}/v1alpha1-install-namespace"
SIGNER = "kubernetes.io/kube-apiserver-client"
METRICS = "autoscaling.alpha.kubernetes.io/metrics"


def _object(api_version: str, kind: str, **fields: Any) -> Object:
    meta = {"name": "a", **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}


def _management(version: str, **fields: Any) -> Object:
    return _object(f"{ADDON}/{version}", "ClusterManagementAddOn", **fields)


def _addon(version: str, **fields: Any) -> Object:
    return _object(f"{ADDON}/{version}", "ManagedClusterAddOn", **{"spec": {}, **fields})


def _scaler(version: str, **fields: Any) -> Object:
    return _object(f"autoscaling/{version}", "HorizontalPodAutoscaler", **fields)


DESIRED = {"desiredConfig": {"name": "c", "namespace": "n", "specHash": "h"}}
HALF = {"type": "Utilization", "averageUtilization": 50}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": HALF}}
TWO = {"type": "AverageValue", "averageValue": "2"}
PODS = {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": TWO}}
OLD_PODS = '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"2"}}]'
IDLE = {"currentReplicas": 0, "currentMetrics": None}
CLIENT = {"subject": {"user": "u", "groups": ["g"]}, "driver": "csr"}
PAIRS: dict[str, tuple[Object, Object]] = {
    "defaults": (
        _management(
            "v1alpha1",
            spec={"supportedConfigs": [
                {"group": "g", "resource": "r", "defaultConfig": {"name": "c", "namespace": "n"}},
                {"group": "g", "resource": "s"},
            ]},
        ),
        _management(
            "v1beta1",
            spec={"defaultConfigs": [
                {"group": "g", "resource": "r", "name": "c", "namespace": "n"},
                {"group": "g", "resource": "s", "name": "__reserved_no_default__"},
            ]},
        ),
    ),
    "references of defaults": (
        _management("v1alpha1", spec={}, status={"defaultconfigReferences": [{"group": "g", **DESIRED}]}),
        _management("v1beta1", spec={}, status={"defaultConfigReferences": [{"group": "g", **DESIRED}]}),
    ),
    "install namespace": (
        _addon("v1alpha1", spec={"installNamespace": "there"}, metadata={"annotations": {"x": "y"}}),
        _addon("v1beta1", metadata={"annotations": {"x": "y", INSTALL_NAMESPACE: "there"}}),
    ),
    "registrations": (
        _addon("v1alpha1", status={
            "kubeClientDriver": "csr",
            "registrations": [
                {"signerName": SIGNER, "subject": {"user": "u", "groups": ["g"]}},
                {"signerName": "mine.example.com/s", "subject": {"user": "u", "organizationUnit": ["o"]}},
            ],
        }),
        _addon("v1beta1", status={"registrations": [
            {"type": "kubeClient", "kubeClient": CLIENT},
            {"type": "customSigner", "customSigner": {
                "signerName": "mine.example.com/s", "subject": {"user": "u", "organizationUnits": ["o"]},
            }},
        ]}),
    ),
    "references": (
        _addon("v1alpha1", status={
            "configReferences": [{"group": "g", "name": "c", "namespace": "n", **DESIRED}],
        }),
        _addon("v1beta1", status={"configReferences": [{"group": "g", **DESIRED}]}),
    ),
    "the CPU's metric": (
        _scaler(
            "v1",
            spec={"maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
            status={"currentReplicas": 0},
        ),
        _scaler("v2", spec={"maxReplicas": 3, "metrics": [CPU]}, status=IDLE),
    ),
    "a metric that v1 has no field for": (
        _scaler(
            "v1",
            metadata={"annotations": {METRICS: OLD_PODS}},
            spec={"maxReplicas": 3},
            status={"currentReplicas": 0},
        ),
        _scaler("v2", spec={"maxReplicas": 3, "metrics": [PODS]}, status=IDLE),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_both_ways(name: str) -> None:
    """Each version says the same as the other, and the way back leads to where one came from."""
    older, newer = PAIRS[name]
    assert converted(older, newer["apiVersion"]) == newer
    assert converted(newer, older["apiVersion"]) == older


def test_what_a_version_lacks_is_left_out() -> None:
    """v1alpha1's deprecated CRD name has no place at v1beta1."""
    older = _management(
        "v1alpha1", spec={"addOnConfiguration": {"crdName": "c"}, "addOnMeta": {"displayName": "d"}}
    )
    newer = converted(older, f"{ADDON}/v1beta1")
    assert newer["spec"] == {"addOnMeta": {"displayName": "d"}}


def test_a_kind_with_one_form_changes_its_version_alone() -> None:
    """Where versions differ in name only, everything else stays as it is."""
    config = _object(f"{ADDON}/v1alpha1", "AddOnDeploymentConfig", spec={"customizedVariables": []})
    assert converted(config, f"{ADDON}/v1beta1") == {**config, "apiVersion": f"{ADDON}/v1beta1"}
    assert not converts(Kind(ADDON, "AddOnDeploymentConfig"))


def test_an_annotation_that_is_no_json_is_passed_over() -> None:
    """Anybody may write an annotation: one that cannot be read adds nothing."""
    odd = _scaler("v1", spec={"maxReplicas": 1}, metadata={"annotations": {METRICS: "{"}})
    assert "metrics" not in converted(odd, "autoscaling/v2")["spec"]


_NAMES = st.text("abc", min_size=1, max_size=3)
_DEFAULTS = st.fixed_dictionaries(
    {"group": _NAMES, "resource": _NAMES},
    optional={"defaultConfig": st.fixed_dictionaries({"name": _NAMES}, optional={"namespace": _NAMES})},
)


@settings(derandomize=True, deadline=None)
@given(configs=st.lists(_DEFAULTS, min_size=1), namespace=_NAMES)
def test_a_round_trip_loses_nothing(configs: list[Object], namespace: str) -> None:
    """From the stored version to the newer one and back, nothing is lost."""
    management = _management("v1alpha1", spec={"supportedConfigs": configs})
    assert converted(converted(management, f"{ADDON}/v1beta1"), f"{ADDON}/v1alpha1") == management
    addon = _addon("v1alpha1", spec={"installNamespace": namespace})
    assert converted(converted(addon, f"{ADDON}/v1beta1"), f"{ADDON}/v1alpha1") == addon
