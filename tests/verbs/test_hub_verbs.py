"""The verbs on a hub: what they write, what they say, and that a dry run writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import DEPLOYMENTS, NAMESPACES
from gitops_ocm.testing.clusters import memory
from gitops_ocm.verbs import addons, clustersets, hub_addons, installed, listing, listing_work, works
from gitops_ocm.verbs.addon_create import TEMPLATES, AddonFlags, create_addon
from gitops_ocm.verbs.listing import BINDINGS, CLUSTERS, DECISIONS, PLACEMENTS, SET_LABEL, SETS
from gitops_ocm.verbs.listing_work import CLUSTER_ADDONS, MANAGEMENT_ADDONS, WORKS
from gitops_ocm.verbs.manifests import read_manifests
from gitops_ocm.verbs.placements import PlacementFlags, create_placement
from gitops_ocm.verbs.targets import HubTarget, require_managed
from gitops_ocm.verbs.voice import VerbError, Voice, WaitError
from gitops_ocm.verbs.waiting import Patience

Unique = Callable[[str], str]


class Told(Voice):
    """A voice that keeps what was said as results."""

    def __init__(self) -> None:
        self.words: list[str] = []
        super().__init__(self.words.append, lambda _: None)

    def last(self) -> str:
        return self.words[-1]


def config_map(name: str = "a", namespace: str = "default", **data: str) -> Object:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


async def made(cluster: Cluster, resource: Resource, name: str, namespace: str = "", **fields: Any) -> str:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {}) | fields.pop("metadata", {})
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **fields}
    created = await cluster.create(resource, obj)
    if status := fields.get("status"):
        await cluster.update(resource, created | {"status": status}, subresource="status")
    return name


async def managed(cluster: Cluster, unique: Unique) -> str:
    """A managed cluster with its namespace."""
    name = await made(cluster, CLUSTERS, unique("cluster"), spec={"hubAcceptsClient": True})
    if await find(cluster, NAMESPACES, name) is None:
        await made(cluster, NAMESPACES, name)
    return name


async def test_the_life_of_a_set(cluster: Cluster, namespace: str, unique: Unique) -> None:
    """Made, bound, filled, given namespaces, unbound and deleted, each once, with clusteradm's words."""
    hub, told, name, member = HubTarget(cluster), Told(), unique("set"), await managed(cluster, unique)
    await clustersets.create_set(hub, told, name)
    await clustersets.create_set(hub, told, name)
    await clustersets.bind(hub, told, name, namespace)
    await clustersets.bind(hub, told, name, namespace)
    was = (await cluster.get(CLUSTERS, "", member))["metadata"].get("labels", {}).get(SET_LABEL, "")
    await clustersets.set_members(hub, told, name, [member], [])
    await clustersets.set_members(hub, told, name, [member], [])
    assert told.words == [
        f"Clusterset {name} is created",
        f"Clusterset {name} is already created",
        f"Clusterset {name} is bound to Namespace {namespace}",
        f"Clusterset {name} is already bound to Namespace {namespace}",
        f"Cluster {member} is set, from ClusterSet {was} to Clusterset {name}"
        if was
        else f"Cluster {member} is set to Clusterset {name}",
        f"Cluster {member} is already in Clusterset {name}",
    ]
    await clustersets.set_members(hub, told, name, [], ["n1", " n2 ", "n1"])
    assert told.words[-2:] == [
        "Added 2 managed namespace(s): n1, n2",
        "Total managed namespaces in clusterset: 2",
    ]
    assert (await cluster.get(SETS, "", name))["spec"]["managedNamespaces"] == [
        {"name": "n1"},
        {"name": "n2"},
    ]
    await clustersets.delete_set(hub, told, name, Patience(20))
    assert told.last() == f"Clusterset {name} still bind to a namespace! Please unbind before deleted."
    await clustersets.unbind(hub, told, name, namespace)
    await clustersets.delete_set(hub, told, name, Patience(20))
    assert told.words[-2:] == [
        f"Clusterset {name} is unbind from namespace {namespace}",
        f"Clusterset {name} is deleted",
    ]
    assert await find(cluster, SETS, name) is None


async def test_a_dry_run_writes_nothing(cluster: Cluster, namespace: str, unique: Unique) -> None:
    """Every kind of write is checked by the server and leaves no trace; what is refused is refused."""
    hub, told = HubTarget(cluster, dry_run=True), Told()
    kept, new, member = (
        await made(cluster, SETS, unique("set")),
        unique("set"),
        await managed(cluster, unique),
    )
    before = await cluster.get(SETS, "", kept)
    await clustersets.create_set(hub, told, new)
    await clustersets.set_members(hub, told, kept, [member], ["n1"])
    await clustersets.bind(hub, told, kept, namespace)
    await works.create_works(hub, told, "w", [config_map()], [member], overwrite=False)
    await clustersets.delete_set(hub, told, kept, Patience(1))
    assert told.last() == f"Clusterset {kept} is deleted"
    with pytest.raises(ApiError):
        await clustersets.create_set(hub, told, "Not A Name")
    after = await cluster.get(SETS, "", kept)
    assert after["spec"] == before["spec"]
    assert await find(cluster, SETS, new) is None
    assert await find(cluster, BINDINGS, kept, namespace) is None
    assert await find(cluster, WORKS, "w", member) is None


async def test_a_set_that_does_not_go_is_not_waited_for_for_ever(cluster: Cluster, unique: Unique) -> None:
    """A finalizer that stays ends the wait in time, and is named."""
    name = await made(cluster, SETS, unique("set"), metadata={"finalizers": ["example.com/keep"]})
    with pytest.raises(WaitError, match=r"example\.com/keep"):
        await clustersets.delete_set(HubTarget(cluster), Told(), name, Patience(0.2))
    await HubTarget(cluster).edit(SETS, name, "", lambda obj: obj["metadata"].pop("finalizers"))


async def test_an_addon_from_manifests_to_clusters(cluster: Cluster, unique: Unique) -> None:
    """Created with its template, enabled with a configuration, enabled again, disabled."""
    hub, told, name, member = HubTarget(cluster), Told(), unique("addon"), await managed(cluster, unique)
    flags = AddonFlags(name, "1.0", True, "edit", {"a": "b"}, "fleet/all")
    await create_addon(hub, told, flags, [config_map(x="1")], overwrite=False)
    await create_addon(hub, told, flags, [config_map(x="2")], overwrite=True)
    template = await cluster.get(TEMPLATES, "", f"{name}-1.0")
    assert template["spec"]["agentSpec"]["workload"]["manifests"][0]["data"] == {"x": "2"}
    (registration,) = template["spec"]["registration"]
    (permission,) = registration["kubeClient"]["hubPermissions"]
    assert permission["currentCluster"] == {"clusterRoleName": "edit"}
    strategy = (await cluster.get(MANAGEMENT_ADDONS, "", name))["spec"]["installStrategy"]
    assert strategy["placements"][0]["name"] == "all"

    config = config_map(unique("config"))
    for given in ({"one": "1"}, {"two": "2"}):
        await addons.enable(
            hub, told, [name], [member], namespace="ns", annotations=given, labels={}, config_objects=[config]
        )
    addon = await cluster.get(CLUSTER_ADDONS, member, name)
    assert {"one": "1", "two": "2"}.items() <= addon["metadata"]["annotations"].items()
    assert addon["spec"]["installNamespace"] == "ns"
    assert addon["spec"]["configs"] == [
        {"group": "", "resource": "configmaps", "namespace": "default", "name": config["metadata"]["name"]}
    ]
    assert told.last() == f"Deploying {name} add-on to namespaces ns of managed cluster: {member}."
    await addons.disable(hub, told, [name], [member])
    assert told.last() == f"Undeploying {name} add-on in managed cluster: {member}."


async def test_a_hub_addon_in_use_is_not_uninstalled(cluster: Cluster, unique: Unique) -> None:
    """While a cluster has it, it says which; once none has, what to run."""
    hub, member = HubTarget(cluster), await managed(cluster, unique)
    await made(cluster, CLUSTER_ADDONS, "argocd", member, spec={})
    with pytest.raises(VerbError, match=rf"still addons for argocd .*--clusters .*{member}"):
        await hub_addons.uninstall(cluster, ["argocd"], "x")
    await addons.disable(hub, Told(), ["argocd"], [member])
    with pytest.raises(hub_addons.NotBuiltIn) as caught:
        await hub_addons.uninstall(cluster, ["argocd"], "x")
    assert caught.value.hint == "helm uninstall argocd-pull-integration --namespace argocd"


async def test_an_unknown_addon_writes_nothing(cluster: Cluster, unique: Unique) -> None:
    """Everything is checked before the first write, the configuration included."""
    member, config = await managed(cluster, unique), config_map(unique("config"))
    with pytest.raises(VerbError, match="enabling the unknown addon nope is not supported"):
        await addons.enable(
            HubTarget(cluster),
            Told(),
            ["nope"],
            [member],
            namespace="x",
            annotations={},
            labels={},
            config_objects=[config],
        )
    found = await HubTarget(cluster).list(await HubTarget(cluster).resource_of(config), "default")
    assert config["metadata"]["name"] not in [obj["metadata"]["name"] for obj in found]


async def test_works_follow_what_a_placement_selected(
    cluster: Cluster, namespace: str, unique: Unique
) -> None:
    """All pages of the decisions count; --overwrite takes the work from a cluster that was dropped."""
    hub, told, name = HubTarget(cluster), Told(), unique("work")
    a, b, c = [await managed(cluster, unique) for _ in range(3)]
    placement = await made(cluster, PLACEMENTS, unique("placement"), namespace, spec={})
    label = {"labels": {"cluster.open-cluster-management.io/placement": placement}}
    for number, page in enumerate(((a,), (b,))):
        decisions = [{"clusterName": one, "reason": ""} for one in page]
        page_name = f"{placement}-{number}"
        await made(cluster, DECISIONS, page_name, namespace, metadata=label, status={"decisions": decisions})
    await works.create_works(hub, told, name, [config_map()], [c], overwrite=False)
    where = f"{namespace}/{placement}"
    await works.create_works_placed(hub, told, name, [config_map(x="1")], where, overwrite=True)
    assert f"delete work {name} in cluster {c}" in told.words
    assert [await find(cluster, WORKS, name, one) is not None for one in (a, b)] == [True, True]
    table = await listing.placements(cluster, namespace, placement)
    assert list(table.rows[0])[-1] == [a, b]
    await works.delete_works(hub, told, name, [a, b], Patience(20), force=True)
    assert await find(cluster, WORKS, name, a) is None


async def test_get_works_and_addons(cluster: Cluster, unique: Unique) -> None:
    """Columns and fields say what the status of the objects says."""
    member, name = await managed(cluster, unique), unique("w")
    condition = {"status": "True", "reason": "r", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    meta = {"ordinal": 0, "group": "", "version": "v1", "kind": "ConfigMap", "resource": "configmaps"}
    manifest = {
        "resourceMeta": meta | {"name": "a.b", "namespace": "d"},
        "conditions": [{"type": "Applied", **condition}],
        "statusFeedback": {},
    }
    status = {
        "conditions": [{"type": "Applied", **condition}],
        "resourceStatus": {"manifests": [manifest]},
    }
    spec = {"workload": {"manifests": [config_map()]}}
    await made(cluster, WORKS, name, member, spec=spec, status=status)
    found = await listing_work.works(cluster, [member])
    assert [list(row) for row in found.rows] == [[name, member, 1, "True", ""]]
    assert found.tree[member][name]["Resources"] == {"configmaps": {"d/a.b": "applied"}}
    with pytest.raises(ApiError):
        await listing_work.works(cluster, [unique("nobody")])


async def test_an_empty_hub_and_a_hub_by_its_operator() -> None:
    """hub-info and klusterlet-info say what is missing, and what runs with which image."""
    async with memory() as cluster:
        assert (
            await installed.hub_info(cluster)
            == "Registration Operator:\t<none>\nComponents:\t<uninstalled>\n"
        )
        assert (await installed.klusterlet_info(cluster)).startswith("No klusterlet detected!")
        await require_managed(cluster)
        await made(cluster, NAMESPACES, "open-cluster-management")
        await made(cluster, NAMESPACES, "hub")
        for name, container in (
            ("cluster-manager", "registration-operator"),
            ("cluster-manager-placement-controller", "x"),
        ):
            namespace = "open-cluster-management" if container != "x" else "hub"
            await _deployment(cluster, name, namespace, container)
        related = [
            {"group": "apps", "version": "v1", "resource": "deployments", "namespace": "hub"}
            | {"name": "cluster-manager-placement-controller"},
            {"group": "apiextensions.k8s.io", "version": "v1", "resource": "customresourcedefinitions"}
            | {"name": "nothere.example.com"},
        ]
        await made(
            cluster, installed.MANAGERS, "cluster-manager", spec={}, status={"relatedResources": related}
        )
        text = await installed.hub_info(cluster)
        assert "  Controller:\t(0/3) example.com/image:1\n" in text
        assert "  Placement:\n    Controller:\t(3/0) example.com/image:1\n" in text
        assert "    (absent) nothere.example.com []\n" in text


async def _deployment(cluster: Cluster, name: str, namespace: str, container: str) -> None:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": container, "image": "example.com/image:1"}]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    await made(cluster, DEPLOYMENTS, name, namespace, spec=spec)


@pytest.mark.parametrize(
    ("flags", "spec"),
    [
        (PlacementFlags(), {}),
        (PlacementFlags(count=2), {"numberOfClusters": 2}),
        (
            PlacementFlags(label_selectors=["a=b,c in (y,x)", "!d"]),
            {
                "predicates": [
                    {
                        "requiredClusterSelector": {
                            "labelSelector": {
                                "matchLabels": {"a": "b"},
                                "matchExpressions": [{"key": "c", "operator": "In", "values": ["x", "y"]}],
                            }
                        }
                    },
                    {
                        "requiredClusterSelector": {
                            "labelSelector": {"matchExpressions": [{"key": "d", "operator": "DoesNotExist"}]}
                        }
                    },
                ]
            },
        ),
        (
            PlacementFlags(prioritizers=["BuiltIn:Steady:3", "AddOn:r:s:-1"]),
            {
                "prioritizerPolicy": {
                    "mode": "Additive",
                    "configurations": [
                        {"scoreCoordinate": {"type": "BuiltIn", "builtIn": "Steady"}, "weight": 3},
                        {
                            "scoreCoordinate": {
                                "type": "AddOn",
                                "addOn": {"resourceName": "r", "scoreName": "s"},
                            },
                            "weight": -1,
                        },
                    ],
                }
            },
        ),
    ],
)
def test_placement_flags(flags: PlacementFlags, spec: Object) -> None:
    """Flags come to the spec that clusteradm makes of them."""
    assert flags.spec() == spec


@pytest.mark.parametrize(
    "flags",
    [
        PlacementFlags(label_selectors=["a!=b"]),
        PlacementFlags(label_selectors=["a>1"]),
        PlacementFlags(label_selectors=["a in b"]),
        PlacementFlags(prioritizers=["Steady"]),
        PlacementFlags(prioritizers=["BuiltIn:Steady:many"]),
        PlacementFlags(prioritizers=["AddOn:r:1"]),
        PlacementFlags(prioritizers=["Other:r:1"]),
    ],
)
async def test_bad_placement_flags_write_nothing(memory_cluster: Cluster, flags: PlacementFlags) -> None:
    """Each is refused before the hub is asked to write."""
    with pytest.raises((VerbError, ApiError)):
        await create_placement(HubTarget(memory_cluster), Told(), "p", "default", flags, overwrite=False)
    assert await find(memory_cluster, PLACEMENTS, "p", "default") is None


def test_manifests_are_read_as_the_sync_reads_them(tmp_path: Path) -> None:
    """Files and folders in order, lists taken apart, nothing but manifests in them."""
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: X\nmetadata: {name: b}\n")
    (tmp_path / "a.json").write_text(
        '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"A"}]}'
    )
    (tmp_path / "c.txt").write_text("no manifest")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.yml").write_text("apiVersion: v1\nkind: D\n")
    assert [obj["kind"] for obj in read_manifests([str(tmp_path)])] == ["A", "X"]
    assert [obj["kind"] for obj in read_manifests([str(tmp_path)], recursive=True)] == ["A", "X", "D"]
    with pytest.raises(VerbError, match="does not exist"):
        read_manifests([str(tmp_path / "nothere")])
