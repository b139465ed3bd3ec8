"""Names that are cut, or put together, become others: here none is lost and none is another's.

Known from bundles and Helm releases whose names were cut (rancher/fleet issues 523, 795 and 5261): what was
written under the cut name was not found under the whole one, and was deleted again and again.
"""

from __future__ import annotations

import pytest

from gitops_ocm.decide.addons.deploy_works import Side, deploy_works
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.decide.work_template import work_name
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.errors import Diagnostic
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet, ref

pytestmark = pytest.mark.slow

CATALOG = load_catalog()
ADDONS = "addon.open-cluster-management.io/v1alpha1"
SETS = "cluster.open-cluster-management.io/v1beta2"
WORKS = "work.open-cluster-management.io/v1alpha1"


def addon(name: str) -> Object:
    """An add-on that is installed by hand."""
    spec = {"installStrategy": {"type": "Manual"}}
    return {"apiVersion": ADDONS, "kind": "ClusterManagementAddOn", "metadata": {"name": name}, "spec": spec}


def installed(name: str) -> Object:
    """An add-on on a cluster."""
    meta = {"name": name, "namespace": "c1"}
    return {"apiVersion": ADDONS, "kind": "ManagedClusterAddOn", "metadata": meta, "spec": {}}


def cluster_set(name: str) -> Object:
    """A cluster set by label."""
    spec = {"clusterSelector": {"selectorType": "ExclusiveClusterSetLabel"}}
    return {"apiVersion": SETS, "kind": "ManagedClusterSet", "metadata": {"name": name}, "spec": spec}


def replica_set(name: str, namespace: str = "n" * 30) -> Object:
    """A ConfigMap for every cluster of a placement."""
    return make.replica_set(name, namespace, ["all"], [make.config_map("web", namespace)])


def work(name: str) -> Object:
    """A ConfigMap for one cluster."""
    return make.manifest_work(name, "c1", [make.config_map("web")])


def found(obj: Object) -> tuple[Diagnostic, ...]:
    """What is wrong with one object."""
    return compile_tree(memory_tree({"hub/a.yaml": to_yaml(obj)}), CATALOG).diagnostics


@pytest.mark.parametrize(
    ("made", "longest"),
    [
        (addon, 63),
        (installed, 63),
        (cluster_set, 63),
        (replica_set, 32),
        (work, 188),
        (make.managed_cluster, 63),
    ],
)
def test_names_that_nothing_could_be_made_of(made: object, longest: int) -> None:
    """The longest name that OCM can work with is taken, one character more is refused at its line."""
    assert callable(made)
    assert found(made("a" * longest)) == ()
    (problem,) = found(made("a" * (longest + 1)))
    assert problem.code in ("name-too-long", "cluster-name")
    assert problem.where.path == "hub/a.yaml"
    assert problem.where.line > 1
    assert problem.hint


def test_a_cluster_whose_name_cannot_be_a_namespace() -> None:
    """A hub's webhook would refuse it half-way through a sync: it is refused before."""
    (problem,) = found(make.managed_cluster("eu.c1"))
    assert "must not contain dots" in problem.message


def test_a_binding_of_another_name() -> None:
    """A hub's webhook would refuse it half-way through a sync: it is refused before."""
    binding = make.binding("default", "fleet")
    binding["spec"] = {"clusterSet": "global"}
    (problem,) = found(binding)
    assert problem.code == "binding-name"


def test_a_work_that_others_gave_too_long_a_name() -> None:
    """What comes to the hub by kubectl is told why it is on no cluster, and goes when it is deleted."""
    fleet = Fleet(["c1"])
    fleet.create(make.managed_cluster("c1"))
    whole, long = work("a" * 188), work("b" * 189)
    fleet.create(whole, long)
    (applied, other) = (
        fleet.condition(Ref(*MANIFEST_WORK, "c1", one["metadata"]["name"]), "Applied")
        for one in (whole, long)
    )
    assert applied is not None
    assert applied[0] == "True"
    assert other is not None
    assert other[0] == "False"
    assert "give the work a shorter name" in other[2]
    fleet.delete(Ref(*MANIFEST_WORK, "c1", long["metadata"]["name"]))
    assert [obj["metadata"]["name"] for obj in fleet.hub.list(MANIFEST_WORK)] == ["a" * 188]


def test_replica_sets_of_one_name_keep_their_works_apart() -> None:
    """Two teams' sets of one name have a work each on every cluster; when one goes, the other's stay."""
    teams, clusters = ("team-a", "team-b"), [f"c{number}" for number in range(20)]
    fleet = Fleet(clusters, namespaces=("default", *teams))
    fleet.create(*map(make.managed_cluster, clusters))
    for team in teams:
        fleet.create(make.binding("default", team), make.placement("all", team), replica_set("web", team))
    assert len(fleet.hub.list(MANIFEST_WORK)) == 40
    fleet.delete(ref(WORKS, "ManifestWorkReplicaSet", "web", "team-a"))
    left = fleet.hub.list(MANIFEST_WORK)
    assert [obj["metadata"]["namespace"] for obj in left] == sorted(clusters)
    held = [obj["spec"]["workload"]["manifests"][0]["metadata"]["namespace"] for obj in left]
    assert held == ["team-b"] * 20


def test_no_two_of_many_works_share_a_name() -> None:
    """A hundred sets of one name on a thousand clusters: no two of them have the same work on any."""
    owners = [{"metadata": {"name": "web", "uid": f"uid-{number}"}} for number in range(100)]
    for cluster in (f"c{number}" for number in range(1000)):
        assert len({work_name(owner, cluster) for owner in owners}) == len(owners)


def test_an_add_on_s_works_share_no_name_after_one_has_gone() -> None:
    """One of three works is emptied and goes; what is added later is in none of the others' names."""
    meta = {"name": "metrics", "namespace": "c1", "uid": "uid"}
    side = Side({"apiVersion": ADDONS, "kind": "ManagedClusterAddOn", "metadata": meta, "spec": {}}, "c1")
    large = [make.config_map(f"m{number}", data={"v": "x" * 180_000}) for number in range(9)]
    first = deploy_works(side, large[:6], (), ()).wanted
    assert [names_in(work) for work in first] == [["m0", "m1"], ["m2", "m3"], ["m4", "m5"]]
    second = deploy_works(side, [*large[:2], *large[4:6]], (), first)
    assert [work["metadata"]["name"] for work in second.wanted] == [
        "addon-metrics-deploy-0",
        "addon-metrics-deploy-2",
    ]
    assert second.gone == ("addon-metrics-deploy-1",)
    third = deploy_works(side, [*large[:2], *large[4:]], (), second.wanted).wanted
    found = {work["metadata"]["name"]: names_in(work) for work in third}
    assert len(found) == len(third)
    assert found["addon-metrics-deploy-2"] == ["m4", "m5"]
    held = [name for names in found.values() for name in names]
    assert sorted(held) == ["m0", "m1", *(f"m{number}" for number in range(4, 9))]


def names_in(work: Object) -> list[str]:
    """The manifests of a work."""
    return [manifest["metadata"]["name"] for manifest in work["spec"]["workload"]["manifests"]]
