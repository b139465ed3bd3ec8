"""A preview made of files alone comes to what a fleet comes to that really runs the change."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gitops_ocm.objects.ref import Object, ref_of
from gitops_ocm.preview.run import attempt
from gitops_ocm.preview.state import read_state
from gitops_ocm.testing import objects as make
from tests.preview.fleets import CATALOG, merge, ordinary, outcome, repository, running, told

pytestmark = pytest.mark.slow

Files = dict[str, Sequence[Object]]
Edit = Callable[[Files], None]


def _label(cluster: str, **labels: str) -> Edit:
    def edit(files: Files) -> None:
        (obj,) = files[f"clusters/{cluster}/cluster.yaml"]
        obj["metadata"]["labels"] |= labels

    return edit


def _drop(path: str) -> Edit:
    def edit(files: Files) -> None:
        del files[path]

    return edit


def _spec(path: str, **spec: Any) -> Edit:
    def edit(files: Files) -> None:
        (obj,) = files[path]
        obj["spec"] |= spec

    return edit


def _placement(**spec: Any) -> Edit:
    def edit(files: Files) -> None:
        (found,) = [obj for obj in files["hub/fleet.yaml"] if obj["metadata"]["name"] == "eu"]
        found["spec"] = spec

    return edit


def _template(*names: str) -> Object:
    return {"workload": {"manifests": [make.config_map(name) for name in names]}}


NOBODY = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"x": "y"}}}}
PROGRESSIVE = {"type": "Progressive", "progressive": {"maxConcurrency": 2, "minSuccessTime": "5m"}}
GROUPS = {"type": "ProgressivePerGroup", "progressivePerGroup": {"minSuccessTime": "1m"}}
EDITS: dict[str, list[Edit]] = {
    "nothing": [],
    "a cluster moves region": [_label("c1", region="eu")],
    "a cluster leaves": [_drop("clusters/c2/cluster.yaml")],
    "a replica set leaves": [_drop("works/eu.yaml")],
    "a work leaves": [_drop("works/one.yaml")],
    "another template": [_spec("works/web.yaml", manifestWorkTemplate=_template("web", "more"))],
    "fewer clusters": [_placement(numberOfClusters=2)],
    "nobody": [
        _placement(predicates=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": {"x": "y"}}}}])
    ],
    "a few at a time": [
        _spec("works/web.yaml", manifestWorkTemplate=_template("new")),
        _spec("works/web.yaml", placementRefs=[{"name": "all", "rolloutStrategy": PROGRESSIVE}]),
    ],
    "group by group": [
        _placement(decisionStrategy={"groupStrategy": {"clustersPerDecisionGroup": 2}}),
        _spec("works/eu.yaml", manifestWorkTemplate=_template("new")),
        _spec("works/eu.yaml", placementRefs=[{"name": "eu", "rolloutStrategy": GROUPS}]),
    ],
    "a cluster is not let in any more": [_spec("clusters/c4/cluster.yaml", hubAcceptsClient=False)],
    "all of it": [_drop("works/web.yaml"), _label("c3", region="us"), _placement(numberOfClusters=1)],
}


@pytest.fixture(scope="module")
def base() -> Any:
    """The repository as it is before."""
    return repository(ordinary())


@pytest.mark.parametrize("name", EDITS)
def test_the_preview_is_what_happens(base: Any, name: str) -> None:
    """The same decisions, the same works with the same manifests on the same clusters, in the end."""
    files = copy.deepcopy(ordinary())
    for edit in EDITS[name]:
        edit(files)
    fleet, head = running(base), repository(files)
    state = read_state(told(fleet))
    tried = attempt(base, head, state, catalog=CATALOG, now=fleet.simulation.now)
    assert outcome(tried.before) == outcome({ref_of(obj): obj for obj in fleet.hub.all()})
    merge(fleet, base, head)
    fleet.advance(hours=1)
    assert not tried.undone
    assert outcome(tried.after) == outcome({ref_of(obj): obj for obj in fleet.hub.all()})
