"""Objects that do not come about: what the hub refuses, and what waits for its namespace."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_ocm.errors import Severity
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.formats.words import exit_status, stamp, verdict
from gitops_ocm.preview.model import Act, Preview
from gitops_ocm.preview.state import FILES, LIVE, FleetState, read_state
from gitops_ocm.report.status_files import SYNC
from gitops_ocm.testing import objects as make
from tests.preview.edits import add, both, label, put
from tests.preview.fleets import repository, running, told
from tests.preview.merged import BASE, NOW, Edit, Files, previewed, small

CONFIG = make.config_map("early", namespace="nowhere")
WORK = make.manifest_work("lost", "c99", [make.config_map("x")])
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nowhere"}}


def _labelled() -> Edit:
    return label("c1", "colour", "red")


def _account_of(there: Files) -> FleetState:
    """What a fleet tells whose sync has tried the base, and got so much of it onto the hub."""
    state = read_state(told(running(repository(there, BASE))))
    sync: Object = {"metadata": {"name": "fleet"}, "status": {"lastAttemptedCommit": BASE}}
    return replace(state, commit="5" * 40, objects={**state.objects, Ref(*SYNC, "", ""): sync})


NEW = {
    "a work for a cluster that is not there": (add("works/lost.yaml", WORK), ["work-without-cluster"]),
    "an object in a namespace that is not there": (add("hub/early.yaml", CONFIG), ["waits-for-namespace"]),
    "its namespace comes with it": (add("hub/early.yaml", CONFIG, SPACE), []),
}


@pytest.mark.parametrize("name", NEW)
def test_what_waits_is_a_warning(name: str) -> None:
    """The sync applies all else and waits: the change is not refused, and what waits is still new."""
    edit, codes = NEW[name]
    found = previewed(small(), edit)
    assert [d.code for d in found.diagnostics] == codes
    assert all(d.severity is Severity.WARNING for d in found.diagnostics)
    assert Act.CREATE in {e.act for e in found.effects}
    assert any("waits" in e.why for e in found.effects) is bool(codes)
    assert (exit_status(found), found.refused_by_hub) == (1, ())


def _moved_selector() -> tuple[Files, Edit]:
    before = small(hub_web=[make.deployment("web", "fleet")])
    labels = {"app": "other"}
    template = put("Deployment", "web", "spec", "template", "metadata", value={"labels": labels})
    return before, both(template, put("Deployment", "web", "spec", "selector", value={"matchLabels": labels}))


def test_what_the_hub_refuses_is_told_and_does_not_come_about() -> None:
    """The verdict says that one object is refused; that one is no change, and all else is."""
    before, edit = _moved_selector()
    found = previewed(before, both(edit, _labelled()))
    (refused,) = found.refused_by_hub
    assert refused.kind == "Deployment"
    assert [e.ref.kind for e in found.effects] == ["ManagedCluster"]
    assert verdict(found).startswith("the hub would refuse 1 object: 1 changed; ")
    assert exit_status(found) == 3
    (problem,) = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    assert problem.where.path == "hub/web.yaml"
    assert "immutable" in problem.message


def test_what_waited_before_is_a_note() -> None:
    """Another change is not blamed for it: no warning, no effect, one note that says what is lacking."""
    before = {**small(), "works/lost.yaml": [WORK]}
    found = previewed(before, _labelled(), state=_account_of(small()))
    assert (found.diagnostics, exit_status(found)) == ((), 1)
    assert [e.ref.kind for e in found.effects] == ["ManagedCluster"]
    (note,) = [n for n in found.notes if n.startswith("in Git, but not on the hub")]
    assert "ManifestWork c99/lost (it waits for namespace c99" in note


STATES = {
    LIVE: "the fleet as its hub has it now",
    FILES: "the fleet as files tell of it",
    "5" * 40: "the fleet as of 555555555555",
    "": "of a fleet without a status branch",
}


@pytest.mark.parametrize("state", STATES)
def test_where_the_state_is_from(state: str) -> None:
    """A commit, a hub that was asked, files, or nothing at all."""
    assert stamp(Preview("b" * 40, "f" * 40, state, NOW)).endswith(STATES[state])
