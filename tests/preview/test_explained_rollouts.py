"""`explain rollout --at`: from Git alone it says what the hub's own objects say at that moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from gitops_ocm.cli.explain_rollout import rollout
from gitops_ocm.decide.contract import Side
from gitops_ocm.objects.ref import Object
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet
from gitops_ocm.verbs.explain import NotExplained
from gitops_ocm.verbs.explain_at import explain_rollout_at
from gitops_ocm.verbs.explain_rollout import RolloutQuestion, explain_rollout_in
from gitops_ocm.verbs.fleet_at import Place
from tests.preview.clones import Clone, cloned, texts
from tests.preview.fleets import merge, ordinary, repository, running, told

pytestmark = pytest.mark.slow

SLOWLY = {
    "type": "Progressive",
    "progressive": {"maxConcurrency": 2, "minSuccessTime": "5m", "progressDeadline": "10m"},
}
WEB = RolloutQuestion("fleet", "web")


def _web(content: str) -> Object:
    found = make.replica_set("web", "fleet", ["all"], [make.config_map(content)])
    found["spec"]["placementRefs"][0]["rolloutStrategy"] = SLOWLY
    return found


def rolling(folder: Path, minutes: int) -> tuple[Fleet, Clone]:
    """A fleet so long after it was given something else, two at a time, and a clone that tells of it."""
    old = {**ordinary(), "works/web.yaml": [_web("web")]}
    new = {**old, "works/web.yaml": [_web("other")]}
    fleet = running(repository(old))
    fleet.advance(minutes=30)
    merge(fleet, repository(old), repository(new))
    if minutes:
        fleet.advance(minutes=minutes)
    tree = told(fleet)
    return fleet, cloned(folder, texts(new), {path: tree.read(path) for path in tree.entries})


@pytest.mark.parametrize("minutes", [0, 1, 6, 12, 30])
def test_it_is_what_the_hub_says(tmp_path: Path, minutes: int) -> None:
    """Every cluster's standing, what holds the rollout and the waves to come, at each stage of it."""
    fleet, clone = rolling(tmp_path / "fleet", minutes)
    now = fleet.simulation.now
    live = explain_rollout_in(WorldView({Side.HUB: fleet.hub}, {}), WEB, now)
    found = explain_rollout_at(Place(clone.path, "main"), WEB, now)
    assert [(one.rows, one.step, one.plan) for one in found] == [
        (one.rows, one.step, one.plan) for one in live
    ]


def test_what_is_not_there_yet(tmp_path: Path) -> None:
    """At a commit that has no such set, that is said."""
    _, clone = rolling(tmp_path / "fleet", 6)
    with pytest.raises(NotExplained, match="there is no ManifestWorkReplicaSet fleet/other"):
        explain_rollout_at(Place(clone.path, "main"), RolloutQuestion("fleet", "other"), datetime.now(UTC))


def test_the_command(tmp_path: Path) -> None:
    """No hub is asked; the layout of the answer is that of a hub's."""
    _, clone = rolling(tmp_path / "fleet", 6)
    args = ["mwrs/web", "-n", "fleet", "--at", "main", "--repo", str(clone.path)]
    shown = CliRunner().invoke(rollout, args, standalone_mode=False)
    assert shown.exception is None
    assert shown.stdout.startswith("Placement all: Progressive")
    assert "6 clusters done" in shown.stdout
