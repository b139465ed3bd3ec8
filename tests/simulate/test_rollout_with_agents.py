"""A rollout to clusters whose agents are the real ones: they apply, judge by the template's rules, report."""

from __future__ import annotations

import pytest

from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.kinds import MANIFEST_WORK, REPLICA_SET
from gitops_ocm.decide.writes import namespace_of
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet
from tests.simulate.histories import WEB, Fleets

SET = Ref(*REPLICA_SET, "fleet", "web")
UNREADY = "!has(object.status) || !has(object.status.readyReplicas) || object.status.readyReplicas < 1"
RULES = {
    "resourceIdentifier": {"group": "apps", "resource": "deployments", "namespace": "demo", "name": "web"},
    "conditionRules": [
        {"type": "CEL", "condition": "Progressing", "celExpressions": [UNREADY]},
        {
            "type": "CEL",
            "condition": "Degraded",
            "celExpressions": ["has(object.status) && has(object.status.unavailableReplicas)"],
        },
    ],
}


def template(image: str) -> Object:
    """A Deployment that is progressing until a replica is ready, and degraded while one is unavailable."""
    return {
        "workload": {"manifests": [make.namespace("demo"), make.deployment("web", "demo", image)]},
        "manifestConfigs": [RULES],
    }


def given(fleet: Fleet, image: str) -> str:
    """The clusters that have this image in their work."""
    found = [
        namespace_of(work)
        for work in fleet.hub.list(MANIFEST_WORK)
        if work["spec"]["workload"]["manifests"][1]["spec"]["template"]["spec"]["containers"][0]["image"]
        == image
    ]
    return " ".join(sorted(found))


def becomes(fleet: Fleet, cluster: str, status: Object) -> None:
    """The Deployment on a cluster gets this status, and its agent has time to see it."""
    fleet.simulation.act(MergePatch(WEB, {"status": status}, subresource="status"), cluster=cluster)
    fleet.advance(seconds=30)


@pytest.mark.slow
def test_agents_tell_the_rollout_when_to_go_on(fleets: Fleets) -> None:
    """Ready, soaked, next; degraded stops it, mended it goes on; a new image starts over and soaks anew."""
    fleet = fleets("c1", "c2", "c3")
    owner = make.replica_set("web", "fleet", ["p"], [], manifestWorkTemplate=template("web:1"))
    options = {"maxConcurrency": 1, "minSuccessTime": "5m"}
    owner["spec"]["placementRefs"][0]["rolloutStrategy"] = {"type": "Progressive", "progressive": options}
    fleet.create(make.binding("default", "fleet"), make.placement("p", "fleet"), owner)
    assert given(fleet, "web:1") == "c1"
    becomes(fleet, "c1", {"replicas": 1, "readyReplicas": 1})
    assert given(fleet, "web:1") == "c1"
    fleet.advance(minutes=5)
    assert given(fleet, "web:1") == "c1 c2"
    becomes(fleet, "c2", {"replicas": 1, "unavailableReplicas": 1})
    fleet.advance(hours=1)
    assert given(fleet, "web:1") == "c1 c2"
    assert fleet.condition(SET, "PlacementRolledOut") == (
        "False",
        "Progressing",
        "placement p: stopped, for c2 failed",
    )
    becomes(fleet, "c2", {"replicas": 1, "readyReplicas": 1, "unavailableReplicas": None})
    fleet.advance(minutes=5)
    becomes(fleet, "c3", {"replicas": 1, "readyReplicas": 1})
    assert fleet.condition(SET, "PlacementRolledOut") == ("True", "Complete", "")
    fleet.advance(hours=1)
    fleet.patch(SET, {"spec": {"manifestWorkTemplate": template("web:2")}})
    fleet.advance(minutes=4)
    assert given(fleet, "web:2") == "c1", "its Deployment is still ready, but not for five minutes with this"
    fleet.advance(minutes=2)
    assert given(fleet, "web:2") == "c1 c2"
