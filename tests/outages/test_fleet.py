"""Clusters remade, placements deleted, clocks that are wrong, selectors with a slip, definitions that go.

What befell fleets of other engines: a cluster generator that for a moment selected nothing made every
application go (argo-cd issue 18480); a definition or namespace that left Git took along what others had in it
(kustomize-controller issues 90 and 403); a cluster whose clock was off was taken for dead. The hub and the
agents are the table of controllers under a virtual clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gitops_ocm.api.cluster import CLUSTER_AVAILABLE, CLUSTER_JOINED
from gitops_ocm.cli.preview import preview
from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.health import lease_ref
from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANIFEST_WORK, PLACEMENT, REPLICA_SET
from gitops_ocm.objects.conditions import micro_timestamp, with_condition
from gitops_ocm.objects.ref import Ref, Resource
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.gitops import NAMESPACE, config_map
from gitops_ocm.testing.gitops import Fleet as Synced
from gitops_ocm.testing.simulated import Fleet, ref
from tests.preview.clones import account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

CLUSTERS = ("c1", "c2", "c3")
WEB = Ref(*REPLICA_SET, "fleet", "web")
SOAK = {"type": "Progressive", "progressive": {"maxConcurrency": 1, "minSuccessTime": "10m"}}
WIDGETS = Resource("example.com", "v1", "Widget", "widgets", namespaced=True)
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: shop}\nspec: {}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


@pytest.fixture
def running() -> Fleet:
    """Three clusters that have a set's ConfigMap."""
    fleet = Fleet(CLUSTERS)
    fleet.create(*map(make.managed_cluster, CLUSTERS))
    fleet.create(make.binding("default", "fleet"), make.placement("all", "fleet"))
    fleet.create(make.replica_set("web", "fleet", ["all"], [make.config_map("web")]))
    assert holders(fleet) == set(CLUSTERS)
    return fleet


def holders(fleet: Fleet) -> set[str]:
    """The clusters that have the ConfigMap."""
    return {name for name in CLUSTERS if fleet.spoke(name).get(ref("v1", "ConfigMap", "web", "default"))}


def works(fleet: Fleet) -> dict[str, str]:
    """The uid of each cluster's work."""
    return {work["metadata"]["namespace"]: work["metadata"]["uid"] for work in fleet.hub.list(MANIFEST_WORK)}


def cluster(name: str) -> Ref:
    """A cluster on the hub."""
    return Ref(*MANAGED_CLUSTER, "", name)


def test_a_placement_that_is_deleted_and_restored(running: Fleet) -> None:
    """While it is away its clusters keep what they have, and the same works go on when it is back."""
    before = works(running)
    running.delete(Ref(*PLACEMENT, "fleet", "all"))
    running.advance(hours=1)
    assert works(running) == before
    assert holders(running) == set(CLUSTERS)
    told = running.condition(WEB, "PlacementVerified")
    assert told is not None
    assert told[:2] == ("False", "PlacementDecisionNotFound")
    running.create(make.placement("all", "fleet"))
    assert works(running) == before


def test_a_cluster_that_is_remade_under_its_name(running: Fleet) -> None:
    """It is given all of it again by a work of its own; the other clusters notice nothing."""
    before = works(running)
    running.delete(cluster("c2"))
    running.advance(minutes=1)
    assert running.hub.get(cluster("c2")) is None
    assert works(running) == {name: uid for name, uid in before.items() if name != "c2"}
    running.create(make.managed_cluster("c2"))
    running.advance(minutes=1)
    after = works(running)
    assert holders(running) == set(CLUSTERS)
    assert {name for name in after if after[name] == before[name]} == {"c1", "c3"}


def without_an_agent(fleet: Fleet, renewed: timedelta) -> Ref:
    """A cluster that joined, and whose lease was renewed by another clock."""
    fleet.create(make.managed_cluster("far"))
    told = [dict(one._asdict()) for one in (CLUSTER_JOINED, CLUSTER_AVAILABLE)]
    conditions = (fleet.get(cluster("far")).get("status") or {}).get("conditions") or []
    for one in told:
        conditions = with_condition(conditions, **one, now=fleet.simulation.now)
    fleet.simulation.act(
        MergePatch(
            lease_ref("far"), {"spec": {"renewTime": micro_timestamp(fleet.simulation.now + renewed)}}
        ),
        MergePatch(cluster("far"), {"status": {"conditions": conditions}}, subresource="status"),
    )
    fleet.simulation.settle()
    return cluster("far")


def clock_of(fleet: Fleet, name: Ref) -> str:
    """What the hub says of a cluster's clock."""
    told = fleet.condition(name, "ManagedClusterConditionClockSynced")
    return told[0] if told else ""


def test_a_cluster_whose_clock_is_ahead(running: Fleet) -> None:
    """The hub says that its clock is wrong; it stays available, and has the work of the others."""
    far = without_an_agent(running, timedelta(days=1))
    assert clock_of(running, far) == "False"
    running.advance(hours=2)
    assert works(running).keys() == {*CLUSTERS, "far"}


def test_a_cluster_whose_clock_is_behind(running: Fleet) -> None:
    """It is called unreachable, with the clock as the reason to be read beside; no other is touched."""
    before = works(running)
    far = without_an_agent(running, timedelta(days=-1))
    assert clock_of(running, far) == "False"
    told = running.condition(far, "ManagedClusterConditionAvailable")
    assert told is not None
    assert told[0] == "Unknown"
    assert works(running) == before


@pytest.mark.parametrize("hours", [-6, 6])
def test_a_hub_whose_clock_jumps_in_a_rollout(hours: int) -> None:
    """Soaking waits longer or less, never for good, and never more clusters at once than allowed."""
    fleet = Fleet(CLUSTERS)
    fleet.create(*map(make.managed_cluster, CLUSTERS))
    fleet.create(make.binding("default", "fleet"), make.placement("all", "fleet"))
    entry = {"name": "all", "rolloutStrategy": SOAK}
    rolled = make.replica_set("web", "fleet", ["all"], [make.config_map("web")])
    fleet.create({**rolled, "spec": {**rolled["spec"], "placementRefs": [entry]}})
    seen = [len(holders(fleet))]
    fleet.simulation.now += timedelta(hours=hours)
    for _ in range(40):
        fleet.advance(minutes=10)
        seen.append(len(holders(fleet)))
    assert seen[0] == 1
    assert seen == sorted(seen)
    assert max(after - before for before, after in pairwise(seen)) == 1
    assert holders(fleet) == set(CLUSTERS)


def previewed(folder: Path, selector: str) -> dict[str, Any]:
    """What a preview says of another selector in the placement of a fleet that runs."""
    files = ordinary()
    written = texts(files)
    clone = cloned(folder / "clone", written, account(files))
    assert written["hub/fleet.yaml"].count("matchLabels:\n          region: eu") == 1
    changed = written["hub/fleet.yaml"].replace("matchLabels:\n          region: eu", selector)
    clone.commit({"hub/fleet.yaml": changed})
    args = ["--repo", str(clone.path), "HEAD~1..HEAD", "-o", "json"]
    result = CliRunner().invoke(preview, args, standalone_mode=False)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def selections(found: Mapping[str, Any]) -> list[tuple[int, int]]:
    """How many clusters each placement that changes gains and loses."""
    return [
        (len(set(one["after"]) - set(one["before"])), len(set(one["before"]) - set(one["after"])))
        for one in found["selections"]
    ]


def test_a_selector_that_matches_nothing(tmp_path: Path) -> None:
    """A slip in a label's value is warned of at its line, with the clusters that would be lost."""
    found = previewed(tmp_path, "matchLabels:\n          region: ue")
    assert selections(found) == [(0, 3)]
    (warning,) = [one for one in found["diagnostics"] if one["code"] == "placement-selects-nothing"]
    assert (warning["where"]["path"], warning["where"]["line"]) == ("hub/fleet.yaml", 27)
    assert "before, it selected c2, c4, c6" in warning["message"]


def test_a_selector_that_matches_everything(tmp_path: Path) -> None:
    """An emptied selector shows whom it takes in, and that all of them get it at once."""
    found = previewed(tmp_path, "matchLabels: {}")
    assert selections(found) == [(3, 0)]
    assert {one["name"] for one in found["clusters"]} == {"c1", "c3", "c5"}


async def test_a_definition_that_leaves_git_before_its_objects(fleet: Synced) -> None:
    """It is kept and that is said, for with it would go all its objects, of whoever made them."""
    others = {f"hub/{number}.yaml": config_map(f"m{number}") for number in range(6)}
    fleet.repo.commit({"hub/ns.yaml": NAMESPACE, "hub/crd.yaml": DEFINITION, **others})
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    fleet.repo.commit({"hub/w.yaml": WIDGET})
    assert (await fleet.loop().once()).ok
    fleet.repo.commit({"hub/crd.yaml": None})
    attempt = await fleet.loop().once()
    assert attempt.ok
    (problem,) = (await fleet.status())["problems"]
    assert problem["code"] == "definition-needed"
    assert "take the objects of its kind out of Git, too" in problem["message"]
    assert await fleet.names(WIDGETS) == ["w"]
    fleet.repo.commit({"hub/w.yaml": None})
    assert (await fleet.loop().once()).ok
    assert "problems" not in await fleet.status()


def test_a_preview_of_a_definition_that_leaves_git_before_its_objects(tmp_path: Path) -> None:
    """Where no hub is asked it is refused, at the line of an object that would have no definition."""
    clone = cloned(
        tmp_path / "clone", {"hub/ns.yaml": NAMESPACE, "hub/crd.yaml": DEFINITION, "hub/w.yaml": WIDGET}, {}
    )
    clone.commit({"hub/crd.yaml": None})
    result = CliRunner().invoke(preview, ["--repo", str(clone.path), "HEAD~1..HEAD"], standalone_mode=False)
    assert result.return_value == 3
    assert "hub/w.yaml:2" in result.stdout
    assert "the hub does not serve Widget" in result.stdout


def test_a_preview_of_a_placement_that_is_deleted(tmp_path: Path) -> None:
    """Whoever names it is told, with what happens until it is back: no cluster loses anything."""
    files = ordinary()
    written = texts(files)
    clone = cloned(tmp_path / "clone", written, account(files))
    kept = [document for document in written["hub/fleet.yaml"].split("---\n") if "name: eu\n" not in document]
    clone.commit({"hub/fleet.yaml": "---\n".join(kept)})
    args = ["--repo", str(clone.path), "HEAD~1..HEAD", "-o", "json"]
    found = json.loads(CliRunner().invoke(preview, args, standalone_mode=False).stdout)
    (warning,) = found["diagnostics"]
    assert (warning["code"], warning["where"]["path"]) == ("placement-missing", "hub/fleet.yaml")
    assert warning["note"] == "clusters that have it keep it as it is, and get no more of its changes"
    assert found["clusters"] == []
