"""What is told of add-ons holds in a preview, though their works have no manifests on the status branch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Rollout
from gitops_ocm.preview.run import attempt
from gitops_ocm.preview.state import read_state
from tests.preview.fleets import CATALOG
from tests.preview.golden.cases import CASES, repository
from tests.preview.golden.stage import NOW, account

pytestmark = pytest.mark.slow


def _logs(case: str, changed: Mapping[str, tuple[str, str]]) -> Rollout:
    """How a pull request rolls the add-on out on most clusters, with other words in the account."""
    told = dict(account())
    for path, (old, new) in changed.items():
        assert old.encode() in told[path], path
        told[path] = told[path].replace(old.encode(), new.encode())
    (edit,) = [each.edit for each in CASES if each.name == case]
    base = compile_tree(memory_tree(repository(), commit="b" * 40), CATALOG)
    head = compile_tree(memory_tree(edit(repository()), commit="f" * 40), CATALOG)
    state = read_state(memory_tree(told, commit="5" * 40))
    tried = attempt(base, head, state, catalog=CATALOG, now=NOW)
    found = preview_of(tried, base, head, state, NOW)
    (rollout,) = [r for r in found.rollouts if r.placement == "platform/everywhere"]
    return rollout


ADDON, WORK = "clusters/eu-2/addons/logs.yaml", "clusters/eu-2/works/addon-logs-deploy-0.yaml"
JUST_NOW = ('"2026-01-01T00:00:00Z"', '"2026-01-05T09:29:00Z"')


@pytest.mark.parametrize(
    ("changed", "unfinished"),
    [
        ({}, ()),
        ({ADDON: ("reason: Completed", "reason: Progressing")}, ("eu-2",)),
        ({ADDON: JUST_NOW}, ("eu-2",)),
        ({WORK: ("gitops-ocm.io/spec: ", "gitops-ocm.io/spec: f")}, ("eu-2",)),
    ],
    ids=["at rest", "not there yet", "soaking", "has another spec"],
)
def test_unfinished(changed: Mapping[str, tuple[str, str]], unfinished: tuple[str, ...]) -> None:
    """A rollout is in progress from before on those clusters alone of which that is told."""
    assert _logs("add-on-upgrade", changed).unfinished == unfinished


def test_nobody_is_waited_for() -> None:
    """A new cluster of a fleet at rest is given the add-on at once: nobody else holds a place."""
    rollout = _logs("cluster-added", {})
    assert [(wave.at, wave.clusters, wave.soaked) for wave in rollout.waves] == [
        (NOW, ("eu-4",), NOW + timedelta(minutes=2))
    ]
