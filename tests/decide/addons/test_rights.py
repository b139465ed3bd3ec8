"""What add-ons' agents may do on the hub: bindings alone and shared, accounts for tokens, and their end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, Delete, MergePatch, Write
from gitops_ocm.decide.kinds import ADDON_TEMPLATE, CLUSTER_ADDON, ROLE, ROLE_BINDING, SERVICE_ACCOUNT
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.conditions import find
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from tests.decide.addons.template_cases import (
    ADDON,
    Case,
    cluster_objects,
    config_map,
    current_cluster,
    kube_client,
    single_namespace,
)

NAME = "hello"
TEMPLATE = Ref(*ADDON_TEMPLATE, "", NAME)
PREFIX = "system:open-cluster-management"
BINDING = f"open-cluster-management:{NAME}"


class Hub:
    """The add-on `hello` on some clusters, with these permissions."""

    def __init__(self, catalog: Catalog, *permissions: Object, clusters: Iterable[str] = ("c1",)) -> None:
        world = World(catalog, namespaces=["default", "other"])
        self.simulation = Simulation(
            world, addon_rows(HubSettings()), now=datetime(2026, 1, 1, tzinfo=UTC), step_limit=2000
        )
        case = Case(NAME, [config_map()], registration=[kube_client(*permissions)])
        *made, addon = case.objects()
        self.act(*map(Create, [*cluster_objects(), *made]))
        for cluster in clusters:
            self.act(Create({**addon, "metadata": {**addon["metadata"], "namespace": cluster}}))

    def act(self, *writes: Write) -> None:
        """Do this, and let everything settle."""
        for result in self.simulation.act(*writes):
            assert result.error is None, result.error
        self.simulation.settle()

    def names(self, kind: Kind) -> list[str]:
        """The objects of a kind, by namespace and name."""
        found = (obj["metadata"] for obj in self.simulation.hub.list(kind))
        return [f"{meta['namespace']}/{meta['name']}" for meta in found]

    def subjects(self, namespace: str, name: str) -> list[str]:
        """Whom a binding is for."""
        found = self.simulation.hub.get(Ref(*ROLE_BINDING, namespace, name))
        assert found is not None
        return [subject["name"] for subject in found["subjects"]]

    def addon(self, cluster: str = "c1") -> Object:
        """The add-on on a cluster."""
        found = self.simulation.hub.get(Ref(*CLUSTER_ADDON, cluster, NAME))
        assert found is not None
        return at_beta(found)

    def says(self, type: str, cluster: str = "c1") -> tuple[str, str, str] | None:
        """A condition of it."""
        found = find(self.addon(cluster)["status"]["conditions"], type)
        return (found["status"], found["reason"], found["message"]) if found is not None else None

    def ask(self, *permissions: Object) -> None:
        """Have the template ask for these permissions, and the add-on look at it."""
        body: Any = {"spec": {"registration": [kube_client(*permissions)]}}
        self.act(MergePatch(TEMPLATE, body))

    def drive(self, driver: str, cluster: str = "c1") -> None:
        """What a klusterlet says of how its add-ons get at the hub."""
        registration = self.addon(cluster)["status"]["registrations"][0]
        client = {**registration["kubeClient"], "driver": driver}
        if driver == "token":
            client["subject"] = {"user": f"system:serviceaccount:{cluster}:{NAME}-agent"}
        body: Any = {"status": {"registrations": [{**registration, "kubeClient": client}]}}
        ref = Ref(*CLUSTER_ADDON, cluster, NAME)
        self.act(MergePatch(ref, body, subresource="status", version="v1beta1"))


def groups(cluster: str) -> list[str]:
    """The groups of the add-on's agents."""
    return [f"{PREFIX}:cluster:{cluster}:addon:{NAME}", f"{PREFIX}:addon:{NAME}"]


def test_bindings_follow_the_template(converting_catalog: Catalog) -> None:
    """Made, changed to another role, and gone with what asked for them; in the cluster's own namespace."""
    hub = Hub(converting_catalog, current_cluster("view"))
    assert hub.names(ROLE_BINDING) == [f"c1/{BINDING}:clusterrole:agent"]
    hub.ask(current_cluster("edit"))
    binding = hub.simulation.hub.get(Ref(*ROLE_BINDING, "c1", f"{BINDING}:clusterrole:agent"))
    assert (binding or {})["roleRef"]["name"] == "edit"
    hub.ask()
    assert hub.names(ROLE_BINDING) == []


def test_two_roles_of_one_kind_are_both_bound(converting_catalog: Catalog) -> None:
    """In OCM the two take the one name in turns."""
    hub = Hub(converting_catalog, current_cluster("view"), current_cluster("edit"))
    first = f"c1/{BINDING}:clusterrole:agent"
    assert hub.names(ROLE_BINDING) == [first, f"{first}:edit"]


def test_a_shared_binding_holds_the_agents_of_all_clusters(converting_catalog: Catalog) -> None:
    """By the group they share; agents with tokens each beside it; gone with the last of them."""
    hub = Hub(converting_catalog, single_namespace(), clusters=("c1", "host"))
    name = f"{BINDING}:clusterrole:agent"
    user = f"{PREFIX}:cluster:c1:addon:{NAME}:agent:{NAME}-agent"
    assert hub.subjects("shared", name) == [user, *groups("c1")]
    hub.drive("token", "host")
    assert hub.subjects("shared", name) == [
        user,
        *groups("c1"),
        f"system:serviceaccount:host:{NAME}-agent",
    ]
    assert (hub.simulation.unsettled(), hub.simulation.failing()) == ([], {})
    hub.act(Delete(Ref(*CLUSTER_ADDON, "host", NAME)))
    assert hub.names(ROLE_BINDING) == [f"shared/{name}"]
    hub.act(Delete(Ref(*CLUSTER_ADDON, "c1", NAME)))
    assert hub.names(ROLE_BINDING) == []


def test_a_binding_that_goes_or_changes_is_put_back(converting_catalog: Catalog) -> None:
    """Who is bound is not for others to say in an add-on's own binding."""
    hub = Hub(converting_catalog, current_cluster())
    ref = Ref(*ROLE_BINDING, "c1", f"{BINDING}:clusterrole:agent")
    before = hub.subjects("c1", ref.name)
    hub.act(MergePatch(ref, {"subjects": None}))
    assert hub.subjects("c1", ref.name) == before
    hub.act(Delete(ref))
    assert hub.subjects("c1", ref.name) == before


def test_rights_wait_for_a_token_s_user(converting_catalog: Catalog) -> None:
    """Pending while nobody knows who the agent will be, in OCM's words."""
    hub = Hub(converting_catalog, current_cluster())
    registration = {"type": "kubeClient", "kubeClient": {"driver": "token"}}
    status: Any = {"status": {"registrations": [registration]}}
    hub.act(MergePatch(Ref(*CLUSTER_ADDON, "c1", NAME), status, subresource="status", version="v1beta1"))
    pending = ("False", "PermissionConfigPending", "registration subject not ready")
    assert hub.says("RegistrationApplied") == pending
    hub.drive("token")
    assert (hub.says("RegistrationApplied") or ("",))[0] == "True"
    account = f"system:serviceaccount:c1:{NAME}-agent"
    assert hub.subjects("c1", f"{BINDING}:clusterrole:agent") == [account]


def test_an_account_for_tokens(converting_catalog: Catalog) -> None:
    """Made once a klusterlet works with tokens, told by uid, put back, and gone with the driver."""
    hub = Hub(converting_catalog)
    assert (hub.names(SERVICE_ACCOUNT), hub.says("TokenInfrastructureReady")) == ([], None)
    hub.drive("token")
    assert hub.names(SERVICE_ACCOUNT) == [f"c1/{NAME}-agent"]
    assert hub.names(ROLE) == [f"c1/{NAME}-token-role"]
    assert hub.subjects("c1", f"{NAME}-token-role") == [f"{PREFIX}:c1", "open-cluster-management:c1"]
    assert _uid_told(hub)
    hub.act(Delete(Ref(*SERVICE_ACCOUNT, "c1", f"{NAME}-agent")))
    assert _uid_told(hub)
    assert (hub.simulation.unsettled(), hub.simulation.failing()) == ([], {})
    hub.drive("csr")
    assert (hub.names(SERVICE_ACCOUNT), hub.names(ROLE)) == ([], [])
    assert hub.says("TokenInfrastructureReady") is None


def _uid_told(hub: Hub) -> bool:
    account = hub.simulation.hub.get(Ref(*SERVICE_ACCOUNT, "c1", f"{NAME}-agent"))
    assert account is not None
    told = f"ServiceAccount c1/{NAME}-agent (UID: {account['metadata']['uid']}) is ready"
    return hub.says("TokenInfrastructureReady") == ("True", "TokenInfrastructureReady", told)


def test_an_account_goes_with_its_add_on(converting_catalog: Catalog) -> None:
    """And so do its rights."""
    hub = Hub(converting_catalog, current_cluster())
    hub.drive("token")
    hub.act(Delete(Ref(*CLUSTER_ADDON, "c1", NAME)))
    assert [hub.names(kind) for kind in (SERVICE_ACCOUNT, ROLE, ROLE_BINDING)] == [[], [], []]


@pytest.mark.parametrize("what", ["ClusterManagementAddOn", "AddOnTemplate"])
def test_the_end_of_an_add_on_takes_all_of_it(converting_catalog: Catalog, what: str) -> None:
    """Works and rights go with the ClusterManagementAddOn; without its template an add-on stays as it is."""
    hub = Hub(converting_catalog, current_cluster(), clusters=("c1", "mirrored"))
    kind = Kind("work.open-cluster-management.io", "ManifestWork")
    works = [f"c1/addon-{NAME}-deploy-0", f"mirrored/addon-{NAME}-deploy-0"]
    assert hub.names(kind) == works
    hub.act(Delete(Ref(ADDON, what, "", NAME)))
    gone = what == "ClusterManagementAddOn"
    assert hub.names(kind) == ([] if gone else works)
    assert bool(hub.names(ROLE_BINDING)) is not gone
