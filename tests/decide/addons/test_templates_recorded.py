"""Add-ons made of templates: ours makes the same works, rights and status as OCM's add-on manager made.

What OCM made is on record (`template_recorder`). Where ours is meant to differ, `DIFFERS` says why.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Create, MergePatch
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK, ROLE_BINDING
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from tests.decide.addons.template_cases import Case, cluster_objects
from tests.decide.addons.template_edges import CASES
from tests.decide.addons.template_recorder import told

RECORD: Mapping[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parent / "recorded_templates.json.gz").read_bytes())
)
DIFFERS: Mapping[str, str] = {
    "variables": "ours says which manifest of which template it is",
    "broken": "ours says which manifest of which template it is",
}


@pytest.fixture(scope="module")
def played(converting_catalog: Catalog) -> Simulation:
    """All cases on one hub with our rows, at rest."""
    hub = World(converting_catalog, namespaces=["default"])
    simulation = Simulation(hub, addon_rows(HubSettings()), now=datetime(2026, 1, 1, tzinfo=UTC))
    _act(simulation, *map(Create, [*cluster_objects(), *(obj for case in CASES for obj in case.objects())]))
    simulation.settle()
    for case in CASES:
        _report(simulation, case)
    simulation.settle()
    return simulation


def _act(simulation: Simulation, *writes: Create | MergePatch) -> None:
    for result in simulation.act(*writes):
        assert result.error is None, result.error


def _report(simulation: Simulation, case: Case) -> None:
    """What the agents report: drivers of registrations, and how the first works are."""
    ref = Ref(*CLUSTER_ADDON, case.cluster, case.name)
    if case.driver:
        registrations = [dict(r) for r in _found(simulation, ref)["status"]["registrations"]]
        registrations[0]["kubeClient"] = {**registrations[0]["kubeClient"], "driver": case.driver}
        body: Object = {"status": {"registrations": registrations}}
        _act(simulation, MergePatch(ref, body, subresource="status", version="v1beta1"))
    if case.reported is not None:
        work = Ref(*MANIFEST_WORK, case.cluster, f"addon-{case.name}-deploy-0")
        _act(simulation, MergePatch(work, {"status": case.reported}, subresource="status"))


def _found(simulation: Simulation, ref: Ref) -> Object:
    found = simulation.hub.get(ref)
    assert found is not None, ref
    return at_beta(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ours_makes_what_ocms_manager_made(played: Simulation, case: Case) -> None:
    """Works, byte for byte, their names, labels, annotations and options; RoleBindings; status."""
    kinds = (CLUSTER_ADDON, MANIFEST_WORK, ROLE_BINDING)
    objects = [
        at_beta(obj) if kind == CLUSTER_ADDON else obj for kind in kinds for obj in played.hub.list(kind)
    ]
    ours, theirs = told(objects, case), RECORD[case.name]
    if case.name in DIFFERS:
        assert _worded(ours) != _worded(theirs)
        ours, theirs = (
            {**each, "status": {**each["status"], "conditions": _verdicts(each)}} for each in (ours, theirs)
        )
    assert ours == theirs


def _worded(found: Object) -> Any:
    return found["status"]["conditions"]


def _verdicts(found: Object) -> Any:
    """Conditions without their messages."""
    return {name: told[:2] for name, told in _worded(found).items()}


def test_the_hub_is_at_rest(played: Simulation) -> None:
    """Nothing is left to be written, and nothing fails."""
    assert (played.unsettled(), played.failing()) == ([], {})
