"""The OCM kinds as every hub serves them: the seed of each OCM user, and what must be refused."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from tests.hubs.conftest import Hub

CLUSTER = "cluster.open-cluster-management.io"
WORK = "work.open-cluster-management.io/v1"
ADDON = "addon.open-cluster-management.io/v1alpha1"

HELLO: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "hello", "namespace": "default"},
    "spec": {
        "containers": [
            {
                "name": "hello",
                "image": "busybox",
                "command": ["sh", "-c", 'echo "Hello, Kubernetes!" && sleep 3600'],
            }
        ],
        "restartPolicy": "OnFailure",
    },
}


async def test_the_busybox_work(hub: Hub) -> None:
    """ManifestWork `mw-01` keeps its Pod to the letter, whatever fields a Pod has."""
    work = hub.new("ManifestWork", "mw-01", api_version=WORK, spec={"workload": {"manifests": [HELLO]}})
    applied = await hub.apply(work)
    assert applied["spec"]["workload"]["manifests"] == [HELLO]
    assert applied["metadata"]["generation"] == 1
    conditions = [
        {
            "type": "Applied",
            "status": "True",
            "reason": "AppliedManifestWorkComplete",
            "message": "Apply manifest work complete",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "observedGeneration": 1,
        }
    ]
    lock = {key: applied["metadata"][key] for key in ("uid", "resourceVersion")}
    reported = await hub.patch(
        applied, {"metadata": lock, "status": {"conditions": conditions}}, subresource="status"
    )
    assert reported["status"]["conditions"] == conditions
    again = await hub.apply(work)
    assert again["metadata"]["resourceVersion"] == reported["metadata"]["resourceVersion"]


async def test_the_helloworld_addon(hub: Hub) -> None:
    """A ClusterManagementAddOn that installs by Placement, and a Placement with a claim selector."""
    placement = hub.new(
        "Placement",
        "on-aws",
        api_version=f"{CLUSTER}/v1beta1",
        spec={
            "predicates": [
                {
                    "requiredClusterSelector": {
                        "claimSelector": {
                            "matchExpressions": [
                                {
                                    "key": f"platform.{CLUSTER.partition('.')[2]}",
                                    "operator": "In",
                                    "values": ["aws"],
                                }
                            ]
                        }
                    }
                }
            ]
        },
    )
    created = await hub.create(placement)
    assert created["spec"]["predicates"] == placement["spec"]["predicates"]
    strategy = {
        "type": "Placements",
        "placements": [{"name": "on-aws", "namespace": hub.namespace}],
    }
    addon = hub.new(
        "ClusterManagementAddOn",
        hub.unique("helloworld"),
        api_version=ADDON,
        metadata={"annotations": {"addon.open-cluster-management.io/lifecycle": "addon-manager"}},
        spec={"addOnMeta": {"displayName": "helloworld"}, "installStrategy": strategy},
    )
    installed = await hub.create(addon)
    placements = installed["spec"]["installStrategy"]["placements"]
    assert [(p["name"], p["namespace"]) for p in placements] == [("on-aws", hub.namespace)]
    await hub.delete(installed)


async def test_a_cluster_has_defaults(hub: Hub) -> None:
    """A ManagedCluster that says nothing has a lease of a minute."""
    created = await hub.create(
        hub.new("ManagedCluster", hub.unique("cluster"), api_version=f"{CLUSTER}/v1", spec={})
    )
    assert created["spec"] == {"leaseDurationSeconds": 60}
    await hub.delete(created)


@pytest.mark.parametrize(
    ("kind", "api_version", "spec", "field"),
    [
        ("ManagedCluster", f"{CLUSTER}/v1", {"leaseDurationSeconds": "soon"}, "spec.leaseDurationSeconds"),
        ("ManagedCluster", f"{CLUSTER}/v1", {"taints": [{"key": "a", "effect": "Never"}]}, "effect"),
        ("ManifestWork", WORK, {"deleteOption": {"propagationPolicy": "Maybe"}}, "propagationPolicy"),
        ("Placement", f"{CLUSTER}/v1beta1", {"sortBy": "Odd"}, "spec.sortBy"),
        ("HubSync", "sync.gitops-ocm.io/v1alpha1", {}, "spec.repository"),
    ],
    ids=["type", "enum-in-list", "enum", "plain-enum", "required"],
)
async def test_what_the_protocol_forbids_is_refused(
    hub: Hub, kind: str, api_version: str, spec: dict[str, Any], field: str
) -> None:
    """A wrong value is a 422 that names the field."""
    with pytest.raises(ApiError) as refused:
        await hub.create(hub.new(kind, hub.unique("bad"), api_version=api_version, spec=spec))
    assert refused.value.reason == "Invalid"
    assert field in refused.value.message
