"""Histories of works in memory: what is applied, kept so, and said of it."""

from __future__ import annotations

import pytest

from gitops_ocm.decide.contract import (
    MergePatch,
)
from gitops_ocm.decide.kinds import (
    APPLIED_WORK,
)
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from tests.simulate.histories import CONFIG, WORK, Fleets, manifests


def test_a_field_that_leaves_a_manifest_leaves_the_object(fleets: Fleets) -> None:
    """A generic kind is compared exactly when the work changes, so a dropped field disappears."""
    fleet = fleets("c1")
    paused = make.deployment("web", "default")
    paused["spec"]["paused"] = True
    fleet.create(make.manifest_work("web", "c1", [paused]))
    web = Ref("apps", "Deployment", "default", "web")
    assert fleet.get(web, cluster="c1")["spec"]["paused"] is True
    fleet.patch(WORK, {"spec": {"workload": {"manifests": [make.deployment("web", "default")]}}})
    assert "paused" not in fleet.get(web, cluster="c1")["spec"]


@pytest.mark.parametrize("strategy", ["Update", "ServerSideApply"])
def test_drift_is_put_back_as_it_happens(fleets: Fleets, strategy: str) -> None:
    """Somebody edits, and somebody deletes, an applied object: both are undone without waiting."""
    fleet = fleets("c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "*", "namespace": "*"},
        "updateStrategy": {"type": strategy, "serverSideApply": {"force": True}},
    }
    fleet.create(make.manifest_work("web", "c1", manifests(), manifestConfigs=[option]))
    fleet.patch(CONFIG, {"data": {"value": "wrong"}}, cluster="c1")
    assert fleet.get(CONFIG, cluster="c1")["data"] == {"value": "1"}
    fleet.delete(CONFIG, cluster="c1")
    assert fleet.get(CONFIG, cluster="c1")["data"] == {"value": "1"}


def test_create_only_leaves_what_is_there_alone(fleets: Fleets) -> None:
    """Under CreateOnly an edit on the cluster stays; only ownership is taken."""
    fleet = fleets("c1")
    fleet.create(make.config_map("a", data={"mine": "yes"}), cluster="c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
        "updateStrategy": {"type": "CreateOnly"},
    }
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option]))
    live = fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")
    assert live["data"] == {"mine": "yes"}
    assert [o["kind"] for o in live["metadata"]["ownerReferences"]] == ["AppliedManifestWork"]
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "True"


def test_read_only_reports_and_never_touches(fleets: Fleets) -> None:
    """ReadOnly sends nothing, is Applied even when the object is absent, and Available when it is there."""
    fleet = fleets("c1")
    option = {
        "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
        "updateStrategy": {"type": "ReadOnly"},
        "feedbackRules": [{"type": "JSONPaths", "jsonPaths": [{"name": "mine", "path": ".data.mine"}]}],
    }
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option]))
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is None
    assert fleet.condition(WORK, "Available") == (
        "False",
        "ResourcesNotAvailable",
        "1 of 1 resources are not available",
    )
    fleet.create(make.config_map("a", data={"mine": "yes"}), cluster="c1")
    (entry,) = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    assert entry["statusFeedback"]["values"] == [
        {"name": "mine", "fieldValue": {"type": "String", "string": "yes"}}
    ]
    fleet.delete(WORK)
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["data"] == {"mine": "yes"}


def test_one_bad_manifest_does_not_stop_the_others(fleets: Fleets) -> None:
    """An unknown kind, a missing namespace and an object the API refuses fail alone, with the reason."""
    fleet = fleets("c1")
    fleet.create(
        make.manifest_work(
            "web",
            "c1",
            [
                {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}},
                make.config_map("a"),
                make.config_map("b", "nowhere"),
                {**make.config_map("c"), "metadata": {"name": "c"}},
            ],
        )
    )
    entries = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    said = [e["conditions"][0]["message"] for e in entries]
    assert said == [
        'Failed to apply manifest: the server doesn\'t have a resource type "Widget"',
        "Apply manifest complete",
        'Failed to apply manifest: namespaces "nowhere" not found',
        "Failed to apply manifest: an empty namespace may not be set during creation",
    ]
    # Empty fields are there, as OCM's agent writes them: taking over from it changes nothing.
    fields = {"ordinal", "group", "version", "kind", "resource", "namespace", "name"}
    assert all(e["resourceMeta"].keys() == fields for e in entries)
    assert [e["resourceMeta"]["resource"] for e in entries] == ["", *["configmaps"] * 3]
    assert all("statusFeedback" in e for e in entries)
    assert fleet.condition(WORK, "Applied") == (
        "False",
        "AppliedManifestWorkFailed",
        "Failed to apply manifest work",
    )
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")
    # Time heals what only came too late.
    fleet.create(make.namespace("nowhere"), cluster="c1")
    fleet.advance(minutes=20)
    assert fleet.get(Ref("", "ConfigMap", "nowhere", "b"), cluster="c1")


def test_a_crd_and_its_resource_in_one_work_converge(fleets: Fleets) -> None:
    """The kind is not known when the work is first seen; it is as soon as its definition is applied."""
    fleet = fleets("c1")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }
    widget = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": "default"},
        "spec": {"size": 3},
    }
    fleet.create(make.manifest_work("web", "c1", [widget, definition]))
    fleet.advance(seconds=30)
    assert fleet.get(Ref("example.com", "Widget", "default", "w"), cluster="c1")["spec"] == {"size": 3}
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "True"


def test_a_conflict_of_server_side_apply_is_said_and_heals_when_forced(fleets: Fleets) -> None:
    """Somebody else's field is not taken without force, and the API's words are in the condition."""
    fleet = fleets("c1")
    fleet.create(make.config_map("a", data={"key": "theirs"}), cluster="c1")

    def option(force: bool) -> Object:
        return {
            "resourceIdentifier": {"resource": "configmaps", "name": "a", "namespace": "default"},
            "updateStrategy": {"type": "ServerSideApply", "serverSideApply": {"force": force}},
        }

    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], manifestConfigs=[option(False)]))
    (entry,) = fleet.get(WORK)["status"]["resourceStatus"]["manifests"]
    applied = entry["conditions"][0]
    assert (applied["status"], applied["reason"]) == ("False", "AppliedManifestFailed")
    assert "conflict with" in applied["message"]
    fleet.patch(WORK, {"spec": {"manifestConfigs": [option(True)]}})
    assert fleet.get(Ref("", "ConfigMap", "default", "a"), cluster="c1")["data"] == {"key": "value"}


def test_an_executor_without_rights_is_refused(fleets: Fleets) -> None:
    """A work that asks to be limited to an identity's rights is never applied with more."""
    fleet = fleets("c1")
    subject = {"type": "ServiceAccount", "serviceAccount": {"namespace": "default", "name": "weak"}}
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")], executor={"subject": subject}))
    assert fleet.spoke("c1").get(Ref("", "ConfigMap", "default", "a")) is None
    applied = fleet.condition(WORK, "Applied")
    assert applied is not None
    assert applied[0] == "False"
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert "status" not in anchor  # what is never applied is in no ledger either


def test_nothing_is_said_of_a_work_without_manifests(fleets: Fleets) -> None:
    """Neither the work nor its AppliedManifestWork gets a status, as with OCM's agent.

    Only a hub without webhooks takes such a work.
    """
    fleet = fleets("c1", webhooks=False)
    fleet.create(make.manifest_work("web", "c1", []))
    (anchor,) = fleet.spoke("c1").list(APPLIED_WORK)
    assert "status" not in anchor
    assert "status" not in fleet.get(WORK)


def test_works_that_declare_one_object_differently_do_not_fight(fleets: Fleets) -> None:
    """Each new generation is applied once; after that the first owner alone corrects drift."""
    fleet = fleets("c1")
    for name, value in (("web", "1"), ("other", "2")):
        fleet.create(make.manifest_work(name, "c1", [make.config_map("a", data={"v": value})]))
    shared = Ref("", "ConfigMap", "default", "a")
    assert fleet.get(shared, cluster="c1")["data"] == {"v": "1"}
    steps = len(fleet.simulation.steps)
    fleet.advance(seconds=55)
    assert [s for s in fleet.simulation.steps[steps:] if s.controller == "work-apply"] == []
    fleet.delete(WORK)
    assert fleet.get(shared, cluster="c1")["data"] == {"v": "2"}


def test_drift_that_comes_back_is_put_back_ever_more_slowly(fleets: Fleets) -> None:
    """Somebody who insists on another value does not make the agent run hot."""
    fleet = fleets("c1")
    fleet.create(make.manifest_work("web", "c1", [make.config_map("a")]))
    config = Ref("", "ConfigMap", "default", "a")
    steps = len(fleet.simulation.steps)
    for number in range(120):  # twice a second for a minute
        fleet.simulation.act(MergePatch(config, {"data": {"key": str(number)}}), cluster="c1")
        fleet.advance(seconds=0.5)
    corrected = [s for s in fleet.simulation.steps[steps:] if s.controller == "work-apply"]
    assert 5 < len(corrected) < 20
    fleet.advance(minutes=2)
    assert fleet.get(config, cluster="c1")["data"] == {"key": "value"}
