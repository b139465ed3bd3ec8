"""The documentation's add-on, from the first installation to a rollout that stops: in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gitops_ocm.decide.contract import Create, Delete, Emit, MergePatch
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, PLACEMENT, cluster_ref
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from tests.decide.addons.playing import (
    CONFIG_KIND,
    Stage,
    config,
    deployment_config,
    everywhere,
    management,
    template,
)

pytestmark = pytest.mark.slow

PLATFORM = "platform.open-cluster-management.io"
CMA = Ref(*MANAGEMENT_ADDON, "", "hello")
StageOf = Callable[..., Stage]


@pytest.fixture(params=["plain_catalog", "converting_catalog"], ids=["v1alpha1 alone", "both versions"])
def stage(request: pytest.FixtureRequest) -> StageOf:
    """Makes a hub of each kind, with the configurations that the examples name."""
    catalog: Catalog = request.getfixturevalue(request.param)

    def made(**settings: Any) -> Stage:
        found = Stage(catalog, HubSettings(**settings))
        for obj in (template("t1"), template("t2"), *map(deployment_config, ("global", "aws", "one", "two"))):
            found.write(obj)
        return found

    return made


def labelled(name: str, value: str) -> Object:
    """A decision group of the clusters with this label."""
    selector = {"labelSelector": {"matchLabels": {name: value}}}
    return {"groupName": value, "groupClusterSelector": selector}


# --- what applies where -----------------------------------------------------------------------------


def test_by_hand_with_the_defaults(stage: StageOf) -> None:
    """Manual: one ManagedClusterAddOn made by a person gets the defaults at once, others are not made."""
    hub = stage()
    hub.join("c1", "c2")
    hub.write(management(default="global"))
    hub.act(Create(make.cluster_addon("hello", "c1")))
    hub.settle()
    assert hub.configs("c1") == ["global", "t1"]
    assert hub.conditions("c1")["Progressing"] == ("False", "Completed", "completed with no errors.")
    assert hub.conditions("c1")["Configured"][:2] == ("True", "ConfigurationsConfigured")
    assert hub.hub.get(Ref(*CLUSTER_ADDON, "c2", "hello")) is None
    status = hub.cma()["status"]
    assert [r["desiredConfig"]["name"] for r in status["defaultConfigReferences"]] == ["t1", "global"]
    assert "installProgressions" not in status


def test_by_placement_with_a_claim(stage: StageOf) -> None:
    """Automatic: the clusters whose claim says AWS get it, with the configuration of that placement."""
    hub = stage()
    hub.join("c1", "c2", "c3")
    for name, platform in (("c1", "AWS"), ("c2", "GCP"), ("c3", "AWS")):
        claims = [{"name": PLATFORM, "value": platform}]
        hub.act(MergePatch(cluster_ref(name), {"status": {"clusterClaims": claims}}, subresource="status"))
    on_aws = {"matchExpressions": [{"key": PLATFORM, "operator": "In", "values": ["AWS"]}]}
    required = {"requiredClusterSelector": {"claimSelector": on_aws}}
    hub.write(everywhere("placement-aws", predicates=[required]))
    hub.write(management(("placement-aws", [config("aws")], None), default="global"))
    assert hub.having("aws") == ["c1", "c3"]
    told = "selected clusters 2. configured addons 2/2 completed with no errors, 0 failed 0 timeout."
    assert hub.told("placement-aws") == {"Progressing": ("False", "Completed", told)}
    (progress,) = hub.cma()["status"]["installProgressions"]
    for reference in progress["configReferences"]:
        assert (
            reference["lastAppliedConfig"] == reference["lastKnownGoodConfig"] == reference["desiredConfig"]
        )


def test_several_of_one_kind_by_install_strategy(stage: StageOf) -> None:
    """A placement's configurations replace the default of their kind, all of them in the order given."""
    hub = stage()
    hub.join("c1")
    hub.write(everywhere())
    hub.write(management(("all", [config("two"), config("one"), config("two")], None), default="global"))
    assert hub.configs("c1") == ["two", "one", "t1"]
    hub.write(management(("all", [config("one"), config("two")], None), default="global"))
    assert hub.configs("c1") == ["two", "one", "t1"], "those that are wanted still keep their places"
    hub.write(management(("all", None, None), default="global"))
    assert hub.configs("c1") == ["global", "t1"]


def test_one_cluster_has_its_own(stage: StageOf) -> None:
    """What a person names on one cluster counts there alone, and its content is that cluster's at once."""
    hub = stage()
    hub.join("c1", "c2")
    hub.write(everywhere())
    slow = {"type": "Progressive", "progressive": {"maxConcurrency": 1, "minSuccessTime": "1h"}}
    hub.write(management(("all", [config("one")], slow)))
    hub.wait(hours=3)
    assert hub.having("one") == ["c1", "c2"]
    own = {"spec": {"configs": [config("two")]}}
    hub.act(MergePatch(Ref(*CLUSTER_ADDON, "c2", "hello"), own))
    hub.settle()
    assert (hub.configs("c1"), hub.configs("c2")) == (["one", "t1"], ["two", "t1"])
    hub.wait(hours=2)
    before = hub.addon("c2")["status"]["configReferences"][0]
    hub.write(deployment_config("two", "changed"))
    after = hub.addon("c2")["status"]["configReferences"][0]
    assert before["desiredConfig"]["specHash"] != after["desiredConfig"]["specHash"]
    assert after["lastObservedGeneration"] == before["lastObservedGeneration"] + 1
    assert hub.conditions("c2")["Progressing"][1] == "Completed"


def test_the_last_placement_wins(stage: StageOf) -> None:
    """A cluster of two placements has the configuration of the later one; the earlier is told, once."""
    hub = stage()
    hub.join("c1")
    hub.join("c2", edge="true")
    hub.write(everywhere())
    only = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"edge": "true"}}}}
    hub.write(everywhere("edge", predicates=[only]))
    hub.write(management(("all", [config("one")], None), ("edge", [config("two")], None)))
    assert (hub.configs("c1"), hub.configs("c2")) == (["one", "t1"], ["two", "t1"])
    told = "selected clusters 2. configured addons 1/1 completed with no errors, 0 failed 0 timeout."
    other = "c2 take other configurations from Placement fleet/edge, which is listed later"
    assert hub.told("all") == {
        "Progressing": ("False", "Completed", told),
        "ConfigurationsResolved": ("False", "ConfigurationsOverridden", other),
    }
    assert [e.reason for e in events(hub)] == ["ConfigurationsOverridden"]


def test_a_kind_the_add_on_does_not_take(stage: StageOf) -> None:
    """It is said on the cluster's add-on, in OCM's words."""
    hub = stage()
    hub.join("c1")
    hub.write(management())
    odd = make.cluster_addon("hello", "c1")
    odd["spec"] = {"configs": [{"group": "", "resource": "secrets", "name": "s", "namespace": "fleet"}]}
    hub.act(Create(odd))
    hub.settle()
    message = "Configuration with gvr /secrets is not supported for this addon"
    assert hub.conditions("c1")["Progressing"] == ("False", "ConfigurationUnsupported", message)


def events(hub: Stage) -> list[Emit]:
    """The events about configuration so far."""
    writes = (result.write for step in hub.simulation.steps for result in step.results)
    return [w for w in writes if isinstance(w, Emit) and w.action == "Configured"]


# --- the rollout of the documentation ---------------------------------------------------------------

CANARIES = [{"groupName": "prod-canary-west"}, {"groupName": "prod-canary-east"}]
PUBLISHED = {
    "type": "Progressive",
    "progressive": {
        "mandatoryDecisionGroups": CANARIES,
        "maxConcurrency": "25%",
        "minSuccessTime": "5m",
        "progressDeadline": "10m",
        "maxFailures": 2,
    },
}
OTHERS = tuple("abcdefgh")


def published(stage: StageOf, *bad: str) -> Stage:
    """The example's fleet, everywhere at the first template; these clusters fail from now on."""
    hub = stage()
    hub.join("w1", "w2", group="prod-canary-west")
    hub.join("e1", "e2", group="prod-canary-east")
    hub.join(*OTHERS)
    groups = [labelled("group", name) for name in ("prod-canary-west", "prod-canary-east")]
    hub.write(everywhere(decisionStrategy={"groupStrategy": {"decisionGroups": groups}}))
    hub.write(management(("all", None, None)))
    assert len(hub.having("t1")) == 12
    hub.write(management(("all", None, PUBLISHED)))
    hub.wait(minutes=6)
    hub.bad = bad
    return hub


T2 = {"group": CONFIG_KIND["group"], "resource": "addontemplates", "name": "t2"}


def upgraded(hub: Stage) -> None:
    """Upgrade the add-on: the placement's template is the second."""
    hub.write(management(("all", [T2], PUBLISHED)))


def test_the_published_example_goes_canary_first(stage: StageOf) -> None:
    """West, five minutes, east, five minutes, then a quarter of the others at a time; nobody else moves."""
    hub = published(stage)
    upgraded(hub)
    steps = [["w1", "w2"], ["e1", "e2"], ["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    have: list[str] = []
    for step in steps:
        have = sorted([*have, *step])
        assert hub.having("t2") == have
        hub.wait(minutes=4)
        assert hub.having("t2") == have, "they have not soaked yet"
        hub.wait(minutes=1)
    told = "selected clusters 12. configured addons 12/12 completed with no errors, 0 failed 0 timeout."
    assert hub.told() == {"Progressing": ("False", "Completed", told)}
    assert hub.simulation.unsettled() == []


def test_the_published_example_tolerates_two_failures(stage: StageOf) -> None:
    """Two clusters that never come up time out and are passed by; the third stops it; mending goes on."""
    hub = published(stage, "a", "c", "d")
    upgraded(hub)
    hub.wait(minutes=10)
    assert hub.having("t2") == sorted(["w1", "w2", "e1", "e2", "a", "b"])
    hub.wait(minutes=10)
    assert {"c", "d"} <= set(hub.having("t2")), "a has timed out, which is tolerated"
    hub.wait(hours=2)
    stopped = hub.having("t2")
    assert "h" not in stopped, "c and d timed out as well: three failures are one too many"
    assert hub.conditions("h")["Configured"][:2] == ("False", "ConfigurationsNotConfigured")
    told = hub.told()["Progressing"]
    assert told[:2] == ("True", "Progressing")
    assert told[2].endswith("0 failed 3 timeout.")
    hub.bad = ("a", "c")
    hub.wait(hours=2)
    assert len(hub.having("t2")) == 12
    assert hub.simulation.unsettled() == []


def test_ocms_own_decision_freezes_at_the_first_failure(stage: StageOf) -> None:
    """With the setting for it: a tolerated failure holds everything for ever, as in OCM."""
    plain = stage

    def compat(**settings: Any) -> Stage:
        return plain(rollout_compat=True, **settings)

    hub = published(compat, "a")
    upgraded(hub)
    hub.wait(hours=10)
    assert hub.having("t2") == sorted(["w1", "w2", "e1", "e2", "a", "b"])


def test_a_change_under_way_begins_with_the_canaries_again(stage: StageOf) -> None:
    """Another content of the same configuration restarts the rollout; its soaks count from then."""
    hub = published(stage)
    hub.write(management(("all", [config("one")], PUBLISHED)))
    hub.wait(minutes=11)
    assert hub.having("one") == sorted(["w1", "w2", "e1", "e2", "a", "b"])

    def current() -> list[str]:
        wanted = hub.cma()["status"]["installProgressions"][0]["configReferences"][0]["desiredConfig"]
        clusters = ["w1", "w2", "e1", "e2", *OTHERS]
        held = {c: (hub.addon(c)["status"].get("configReferences") or [{}])[0] for c in clusters}
        return [c for c in clusters if held[c].get("desiredConfig") == wanted]

    hub.write(deployment_config("one", "changed"))
    assert current() == ["w1", "w2"]
    hub.wait(minutes=4)
    assert current() == ["w1", "w2"]
    hub.wait(minutes=1)
    assert current() == ["w1", "w2", "e1", "e2"]


# --- what is wrong, and what holds ------------------------------------------------------------------


def test_a_configuration_that_does_not_exist(stage: StageOf) -> None:
    """A condition, here and there, and one event; all of it goes when the configuration comes."""
    hub = stage()
    hub.join("c1")
    hub.write(everywhere())
    hub.write(management(("all", [config("gone")], None)))
    message = "addondeploymentconfigs.addon.open-cluster-management.io fleet/gone does not exist"
    for told in (hub.told(), hub.conditions("c1")):
        assert told["ConfigurationsResolved"] == ("False", "ConfigurationNotFound", message)
    assert [(e.reason, e.message) for e in events(hub)] == [("ConfigurationNotFound", message)]
    assert hub.conditions("c1")["Configured"][0] == "True"
    hub.write(deployment_config("gone"))
    assert "ConfigurationsResolved" not in {**hub.told(), **hub.conditions("c1")}
    assert hub.conditions("c1")["Progressing"][1] == "Completed"


def test_defaults_and_own_ones_that_do_not_exist(stage: StageOf) -> None:
    """Each has its event: the default's about the add-on, the cluster's own about its add-on there."""
    hub = stage()
    hub.join("c1")
    hub.write(management(default="gone"))
    addon = make.cluster_addon("hello", "c1")
    hub.act(Create(addon))
    hub.settle()
    assert [e.about["kind"] for e in events(hub)] == ["ClusterManagementAddOn"]
    own = {"spec": {"configs": [config("nowhere")]}}
    hub.act(MergePatch(Ref(*CLUSTER_ADDON, "c1", "hello"), own))
    hub.settle()
    assert [e.about["kind"] for e in events(hub)] == ["ClusterManagementAddOn", "ManagedClusterAddOn"]
    assert "fleet/nowhere" in hub.conditions("c1")["ConfigurationsResolved"][2]


def test_a_mandatory_group_that_does_not_exist(stage: StageOf) -> None:
    """A misspelt canary is said, loudly."""
    hub = stage()
    hub.join("c1")
    hub.write(everywhere())
    strategy = {
        "type": "ProgressivePerGroup",
        "progressivePerGroup": {"mandatoryDecisionGroups": CANARIES[:1]},
    }
    hub.write(management(("all", None, strategy)))
    reason, message = hub.told()["ConfigurationsResolved"][1:]
    assert reason == "DecisionGroupNotFound"
    assert "mandatory decision group prod-canary-west does not exist in Placement fleet/all" in message
    assert [e.kind for e in events(hub)] == ["Warning"]


def test_a_strategy_that_says_what_cannot_be(stage: StageOf) -> None:
    """It is said on its placement, whose clusters wait; those of others go on."""
    hub = stage()
    hub.join("c1")
    hub.join("c2", edge="true")
    hub.write(everywhere())
    only = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"edge": "true"}}}}
    hub.write(everywhere("edge", predicates=[only]))
    odd = {"type": "All", "all": {"progressDeadline": "5m2"}}
    hub.write(management(("all", [config("one")], odd), ("edge", [config("two")], None)))
    assert hub.told("all")["ConfigurationsResolved"][1] == "RolloutStrategyInvalid"
    assert "5m2" in hub.told("all")["ConfigurationsResolved"][2]
    assert (hub.configs("c1"), hub.configs("c2")) == ([], ["two", "t1"])


MISSING: Mapping[str, tuple[str, bool]] = {"the first": ("one", False), "the last": ("two", True)}


@pytest.mark.parametrize("case", MISSING)
def test_while_a_placement_is_missing_what_is_sure_goes_on(stage: StageOf, case: str) -> None:
    """Nobody is given an earlier placement's configuration, or the defaults, because a placement is gone."""
    gone, holds = MISSING[case]
    hub = stage()
    hub.join("c1", place="one")
    hub.join("c2", place="two")
    for name in ("one", "two"):
        only = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"place": name}}}}
        hub.write(everywhere(name, predicates=[only]))
    hub.write(management(("one", [config("one")], None), ("two", [config("two")], None), default="global"))
    hub.delete(PLACEMENT, gone, "fleet")
    assert hub.told(gone)["ConfigurationsResolved"][1] == "PlacementNotFound"
    assert (hub.configs("c1"), hub.configs("c2")) == (["one", "t1"], ["two", "t1"])
    kept = "one" if gone == "two" else "two"
    before = hub.addon("c2" if kept == "two" else "c1")["status"]["configReferences"]
    hub.write(deployment_config(kept, "changed"))
    after = hub.addon("c2" if kept == "two" else "c1")["status"]["configReferences"]
    same = [r["desiredConfig"] for r in before] == [r["desiredConfig"] for r in after]
    assert same is holds, "what is listed after a missing placement is sure, what is before it is not"


def test_a_deleted_configuration_takes_nothing_away(stage: StageOf) -> None:
    """What was applied stays said; once it is back all is as it was."""
    hub = stage()
    hub.join("c1")
    hub.write(everywhere())
    hub.write(management(("all", [config("one")], None)))
    before = hub.addon("c1")["status"]["configReferences"]
    hub.act(Delete(Ref(CONFIG_KIND["group"], "AddOnDeploymentConfig", "fleet", "one")))
    hub.settle()
    (missing, _) = hub.addon("c1")["status"]["configReferences"]
    assert missing["desiredConfig"]["specHash"] == ""
    assert missing["lastAppliedConfig"] == before[0]["lastAppliedConfig"]
    hub.write(deployment_config("one"))
    after = hub.addon("c1")["status"]["configReferences"]
    assert after == [{**r, "lastObservedGeneration": 1} for r in before]
    assert hub.conditions("c1")["Progressing"][1] == "Completed"


def test_somebody_elses_add_on_is_left_alone(stage: StageOf) -> None:
    """Another lifecycle: defaults are told, nothing else."""
    hub = stage()
    hub.join("c1")
    made = management(default="global")
    made["metadata"]["annotations"] = {"addon.open-cluster-management.io/lifecycle": "self"}
    hub.write(made)
    hub.act(Create(make.cluster_addon("hello", "c1")))
    hub.settle()
    assert hub.addon("c1").get("status", {}) == {}
    assert len(hub.cma()["status"]["defaultConfigReferences"]) == 2


def test_each_object_is_written_once_for_a_change(stage: StageOf) -> None:
    """A new content under All: one write for the add-on and one for each cluster's, before agents report."""
    hub = stage()
    hub.join(*OTHERS)
    hub.write(everywhere())
    hub.write(management(("all", [config("one")], None)))
    before = len(hub.simulation.steps)
    one = Ref(CONFIG_KIND["group"], "AddOnDeploymentConfig", "fleet", "one")
    hub.act(MergePatch(one, {"spec": deployment_config("one", "changed")["spec"]}))
    hub.simulation.settle()
    writes = [r.write for step in hub.simulation.steps[before:] for r in step.results]
    assert len(writes) == 1 + len(OTHERS)
