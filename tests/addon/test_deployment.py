"""How an add-on is deployed, hosted, judged, and goes with its hooks: the rows, by an author's add-on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gitops_ocm import addon
from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.kinds import MANIFEST_WORK, cluster_ref
from gitops_ocm.objects.ref import Object, ref_of
from gitops_ocm.testing import objects as make
from tests.addon.authored import NAME, Authored, hook, marked, workload

OWN, HOSTED = f"c1/addon-{NAME}-deploy-0", f"host/addon-{NAME}-deploy-hosting-c1-0"
HOOKS, HOSTED_HOOKS = f"c1/addon-{NAME}-pre-delete", f"host/addon-{NAME}-pre-delete-hosting-c1"
FINALIZER = "addon.open-cluster-management.io/"


def authored(*manifests: Object, **told: Any) -> addon.Addon[Any]:
    """The add-on, made of these manifests."""
    return addon.Addon(NAME, lambda request: list(manifests), **told)


def finalizers(hub: Authored) -> list[str]:
    """The add-on's finalizers, short."""
    found = (hub.addon or {"metadata": {}})["metadata"].get("finalizers") or []
    return [name.removeprefix(FINALIZER) for name in found]


UP = {"Replicas": 2, "ReadyReplicas": 1}
NO_RESULT = ("Unknown", "NoProbeResult", "Probe results are not returned")
DOWN = "desiredNumberReplicas is 2 but readyReplica is 0 for deployments ns/agent"
WRONG = "Probe addon unavailable with err "
Values = Sequence[tuple[str, str, Mapping[str, Any]]]
REPORTED: Mapping[str, tuple[Values, tuple[str, str, str]]] = {
    "one of two is enough": (
        [("deployments", "agent", UP)],
        ("True", "ProbeAvailable", "probe add-on is available."),
    ),
    "none of two": (
        [("deployments", "agent", {"Replicas": 2, "ReadyReplicas": 0})],
        ("False", "ProbeUnavailable", WRONG + DOWN),
    ),
    "nothing of it": ([], NO_RESULT),
    "no desired number": (
        [("deployments", "agent", {"ReadyReplicas": 1})],
        ("False", "ProbeUnavailable", WRONG + "desiredNumberReplicas is not probed"),
    ),
    "only another one": ([("deployments", "other", UP)], NO_RESULT),
}


@pytest.mark.parametrize("case", REPORTED)
def test_workloads_are_judged(case: str) -> None:
    """By what the work reports of its Deployments, in OCM's words."""
    values, expected = REPORTED[case]
    hub = Authored(authored(workload()))
    hub.report(OWN, *values)
    assert hub.says("Available") == expected


@pytest.mark.parametrize(
    ("desired", "ready", "status"), [(2, 1, "False"), (2, 2, "True"), (0, 0, "True")], ids=str
)
def test_all_of_a_daemon_set_have_to_be_ready(desired: int, ready: int, status: str) -> None:
    """Unlike a Deployment's."""
    hub = Authored(authored(workload(kind="DaemonSet")))
    told = {"DesiredNumberScheduled": desired, "NumberReady": ready}
    hub.report(OWN, ("daemonsets", "agent", told))
    assert (hub.says("Available") or ("",))[0] == status


PROBES: Mapping[str, tuple[addon.Addon[Any], str, tuple[str, str] | None]] = {
    "lease": (authored(health=addon.lease()), "Lease", None),
    "by itself": (authored(health=addon.reported_by_itself()), "Customized", None),
    "applied": (authored(health=addon.applied()), "Customized", ("True", "WorkApplied")),
    "fine": (
        authored(
            make.config_map("m", "ns"),
            health=addon.checked([{"resource": "configmaps", "name": "*", "namespace": "ns"}], lambda r: ""),
        ),
        "Customized",
        ("True", "ProbeAvailable"),
    ),
    "not fine": (
        authored(
            make.config_map("m", "ns"),
            health=addon.checked(
                [{"resource": "configmaps", "name": "m?*", "namespace": "n*"}],
                lambda results: f"{len(results)}" if results else "",
                {"x": ".data.x"},
            ),
        ),
        "Customized",
        ("Unknown", "NoProbeResult"),
    ),
}


@pytest.mark.parametrize("case", PROBES)
def test_probes(case: str) -> None:
    """Each way to judge health has its mode, and says what it can say."""
    author, mode, expected = PROBES[case]
    hub = Authored(author)
    if hub.works():
        hub.report(OWN, ("configmaps", "m", {"x": "1"}))
    assert (hub.addon or {})["status"]["healthCheck"] == {"mode": mode}
    assert (hub.says("Available") or (None,) * 2)[:2] == (expected or (None, None))


def test_nobody_judges_while_the_cluster_is_out_of_reach() -> None:
    """The cluster's own Unknown is given to its add-ons, and stays until it is back."""
    hub = Authored(authored(workload()))
    hub.report(OWN, ("deployments", "agent", UP))
    unknown = {
        "type": "ManagedClusterConditionAvailable",
        "status": "Unknown",
        "reason": "Lost",
        "message": "x",
    }
    told = {"conditions": [{**unknown, "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    hub.act(MergePatch(cluster_ref("c1"), {"status": told}, subresource="status"))
    assert hub.says("Available") == ("Unknown", "Lost", "x")
    told = {"conditions": [{**told["conditions"][0], "status": "True", "reason": "Back"}]}
    hub.act(MergePatch(cluster_ref("c1"), {"status": told}, subresource="status"))
    assert (hub.says("Available") or ("",))[0] == "True"


def test_a_manifest_that_goes_leaves_its_work() -> None:
    """What is no longer among the manifests leaves the work; the last one takes the work along."""
    held: list[Object] = [make.config_map("a", "ns"), make.config_map("b", "ns")]
    author: addon.Addon[Any] = addon.Addon(NAME, lambda request: held)
    hub = Authored(author)
    assert hub.works() == {OWN: ["ConfigMap a", "ConfigMap b"]}
    held.pop()
    hub.annotate(values="{}")
    assert hub.works() == {OWN: ["ConfigMap a"]}
    held[:] = [make.config_map("c", "ns", {"k": "v"})]
    hub.annotate(values="{ }")
    assert hub.works() == {OWN: ["ConfigMap c"]}


def test_a_work_changed_by_hand_is_put_back() -> None:
    """Its manifests, and options that nobody asked for."""
    hub = Authored(authored(make.config_map("a", "ns", {"k": "v"})))
    work = hub.simulation.hub.list(MANIFEST_WORK)[0]
    other = {"manifests": [make.config_map("a", "ns", {"k": "v", "more": "x"})]}
    option = {"propagationPolicy": "Orphan"}
    hub.act(MergePatch(ref_of(work), {"spec": {"workload": other, "deleteOption": option}}))
    found = hub.simulation.hub.list(MANIFEST_WORK)[0]["spec"]
    assert found["workload"] == work["spec"]["workload"]
    assert "deleteOption" not in found


# --- hooks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "resource", "value"),
    [("Job", "jobs", {"JobComplete": "True"}), ("Pod", "pods", {"PodPhase": "Succeeded"})],
    ids=["Job", "Pod"],
)
def test_a_hook_runs_before_the_add_on_goes(kind: str, resource: str, value: Mapping[str, str]) -> None:
    """Not applied until then; the add-on waits for it, says so, and goes when it is through."""
    hub = Authored(authored(make.config_map("a", "ns"), hook(kind=kind)))
    assert (hub.works(), finalizers(hub)) == ({OWN: ["ConfigMap a"]}, ["addon-pre-delete"])
    hub.remove()
    assert hub.works() == {OWN: ["ConfigMap a"], HOOKS: [f"{kind} bye"]}
    waiting = f"hook manifestWork addon-{NAME}-pre-delete is not completed."
    assert hub.says("HookManifestCompleted") == ("False", "HookManifestIsNotCompleted", waiting)
    hub.report(HOOKS, (resource, "bye", value), available="False")
    assert hub.addon is not None
    hub.report(HOOKS, (resource, "bye", value))
    assert hub.is_clean()


def test_a_cluster_that_is_deleted_waits_for_its_hooks() -> None:
    """Its add-ons go first, their hooks included, then its works, then the cluster itself."""
    hub = Authored(authored(make.config_map("a", "ns"), hook()), whole=True)
    other = make.manifest_work("other", "c1", [make.config_map("o", "ns")])
    hub.act(Create(other))
    hub.act(Delete(cluster_ref("c1")))
    hub.simulation.advance(minutes=1)
    assert sorted(hub.works()) == [OWN, HOOKS, "c1/other"]
    hub.report(HOOKS, ("jobs", "bye", {"JobComplete": "True"}))
    hub.simulation.advance(minutes=1)
    assert hub.is_clean()
    assert hub.simulation.hub.get(cluster_ref("c1")) is None


def test_a_hook_that_is_no_longer_one_holds_nothing() -> None:
    """The finalizer goes with the last hook."""
    held: list[Object] = [hook()]
    hub = Authored(addon.Addon(NAME, lambda request: held))
    assert finalizers(hub) == ["addon-pre-delete"]
    held[:] = [make.config_map("a", "ns")]
    hub.annotate(values="{}")
    assert finalizers(hub) == []


def test_hooks_run_although_nobody_can_say_any_more_what_they_are() -> None:
    """What was written of them is enough: a broken configuration does not keep an add-on for ever."""
    held: list[Object | str] = [hook()]

    def manifests(request: addon.Request[Any]) -> list[Object]:
        if "broken" in held:
            raise RuntimeError("broken")
        return [each for each in held if isinstance(each, dict)]

    hub = Authored(addon.Addon(NAME, manifests))
    hub.remove()
    held.append("broken")
    hub.annotate(values="{}")
    why = "failed to get manifest from agent interface: the add-on's manifests failed: RuntimeError: broken"
    assert hub.says("ManifestApplied") == ("False", "ManifestWorkApplyFailed", why)
    hub.report(HOOKS, ("jobs", "bye", {"JobComplete": "True"}))
    assert hub.addon is None


# --- hosted -----------------------------------------------------------------------------------------

PARTS = (
    marked(make.config_map("there", "ns"), hosted_manifest_location="hosting"),
    marked(make.config_map("here", "ns"), hosted_manifest_location="managed"),
    make.config_map("unmarked", "ns"),
    marked(make.config_map("nowhere", "ns"), hosted_manifest_location="none"),
)


def test_hosted_parts_go_where_they_belong() -> None:
    """By their annotation; the works on the hosting cluster have no owner, but a label and a finalizer."""
    hub = Authored(authored(*PARTS, hosts=True), hosting_cluster_name="host")
    assert hub.works() == {OWN: ["ConfigMap here", "ConfigMap unmarked"], HOSTED: ["ConfigMap there"]}
    assert finalizers(hub) == ["hosting-manifests-cleanup"]
    valid = "hosting cluster host is a managed cluster of the hub"
    assert hub.says("HostingClusterValidity") == ("True", "HostingClusterValid", valid)
    work = next(w for w in hub.simulation.hub.list(MANIFEST_WORK) if w["metadata"]["namespace"] == "host")
    assert "ownerReferences" not in work["metadata"]
    assert work["metadata"]["labels"] == {
        "open-cluster-management.io/addon-name": NAME,
        "open-cluster-management.io/addon-namespace": "c1",
    }
    hub.report(HOSTED)
    assert (hub.says("HostingManifestApplied") or ("",))[0] == "True"
    hub.remove()
    assert hub.is_clean()


def test_without_a_host_all_is_on_the_cluster_itself() -> None:
    """Whatever the manifests say."""
    hub = Authored(authored(*PARTS, hosts=True))
    assert list(hub.works()) == [OWN]
    assert len(hub.works()[OWN]) == 4


@pytest.mark.parametrize("away", ["no longer asked for", "the host is gone"])
def test_what_is_hosted_goes_with_its_reason(away: str) -> None:
    """The annotation's end, or the hosting cluster's."""
    hub = Authored(authored(*PARTS, hosts=True), hosting_cluster_name="host")
    if away == "the host is gone":
        hub.act(Delete(cluster_ref("host")))
        invalid = "hosting cluster host is not a managed cluster of the hub"
        assert hub.says("HostingClusterValidity") == ("False", "HostingClusterInvalid", invalid)
    else:
        hub.annotate(hosting_cluster_name=None)
    assert HOSTED not in hub.works()
    assert finalizers(hub) == []


def test_hooks_on_both_clusters_are_waited_for() -> None:
    """One that is through does not stand for the other, as it does in OCM."""
    parts = (hook("here"), hook("there", hosted_manifest_location="hosting"))
    hub = Authored(authored(*parts, hosts=True), hosting_cluster_name="host")
    assert set(finalizers(hub)) == {
        "addon-pre-delete",
        "hosting-addon-pre-delete",
        "hosting-manifests-cleanup",
    }
    hub.remove()
    assert hub.works() == {HOOKS: ["Job here"], HOSTED_HOOKS: ["Job there"]}
    hub.report(HOOKS, ("jobs", "here", {"JobComplete": "True"}))
    assert hub.addon is not None
    hub.report(HOSTED_HOOKS, ("jobs", "there", {"JobComplete": "True"}))
    assert hub.is_clean()


def test_nothing_is_left_to_do_at_rest() -> None:
    """After all of it no row would write anything."""
    hub = Authored(authored(workload(), hook(), *PARTS, hosts=True), hosting_cluster_name="host")
    hub.configure()
    assert (hub.simulation.unsettled(), hub.simulation.failing()) == ([], {})
