"""HubSync status: conditions after kstatus, problems capped, and nothing written when nothing is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.api.fleet import MAX_PROBLEMS
from gitops_ocm.errors import Diagnostic, GitopsError, Location
from gitops_ocm.objects.ref import Kind
from gitops_ocm.plan.changes import DriftMode, Policy, PruneGuard
from gitops_ocm.plan.inventory import Entry, Inventory
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.status import Outcome, Verdict, patch_of, problems_of, status_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SYNCED = Verdict(True, "Synced", "main@abc: 1 object in force")


def types(status: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in status["conditions"]}


@pytest.mark.parametrize(
    ("verdict", "drift", "conditions"),
    [
        (SYNCED, (), {"Ready": "True"}),
        (SYNCED, ("ConfigMap a/b",), {"Ready": "True", "DriftDetected": "True"}),
        (Verdict(None, "Applying", "", reconciling=True), (), {"Ready": "Unknown", "Reconciling": "True"}),
        (Verdict(False, "InvalidCommit", "", stalled=True), (), {"Ready": "False", "Stalled": "True"}),
    ],
)
def test_conditions(verdict: Verdict, drift: tuple[str, ...], conditions: dict[str, str]) -> None:
    """Reconciling, Stalled and DriftDetected are there only while they are true, also after others were."""
    before = status_of({}, Outcome(1, Verdict(False, "X", "", reconciling=True, stalled=True)), now=NOW)
    assert types(status_of(before, Outcome(1, verdict, drift=drift), now=NOW)) == conditions


def test_an_equal_outcome_is_an_equal_status() -> None:
    """A pass that found nothing new an hour later has nothing to write."""
    outcome = Outcome(3, SYNCED, "c1", "c1", summary={"objects": 1})
    status = status_of({}, outcome, now=NOW)
    again = status_of(status, outcome, now=LATER)
    assert again == status
    assert patch_of(status, again) == {}


def test_foreign_conditions_are_kept() -> None:
    """A condition somebody else put there stays."""
    theirs = {"type": "Reviewed", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "t"}
    assert theirs in status_of({"conditions": [theirs]}, Outcome(1, SYNCED), now=NOW)["conditions"]


def test_only_what_differs_is_sent() -> None:
    """The patch carries changed fields and nulls for gone ones, never the inventory again."""
    old = {"inventory": {"kinds": [1]}, "problems": [1], "lastAttemptedCommit": "a"}
    new = {"inventory": {"kinds": [1]}, "lastAttemptedCommit": "b"}
    assert patch_of(old, new) == {"lastAttemptedCommit": "b", "problems": None}


def test_problems_are_capped_and_counted() -> None:
    """At most fifty entries; the last says how many more there are."""
    many = [Diagnostic("c", f"m{i}", Location("p.yaml", i + 1), subject="S", hint="do") for i in range(80)]
    found = problems_of(many)
    assert len(found) == MAX_PROBLEMS
    assert found[0] == {"code": "c", "message": "S: m0 (do)", "path": "p.yaml", "line": 1}
    assert found[-1]["message"].startswith("and 31 more")


def sync(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "fleet", "generation": 2}, "spec": {"repository": {"url": "/r"}, **spec}}


def test_a_spec_without_defaults_gets_them() -> None:
    """A HubSync from before a default existed reads as if it had it."""
    assert SyncSpec.of(sync()) == SyncSpec("fleet", 2, "/r")


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ({}, "refs/heads/main"),
        ({"branch": "next"}, "refs/heads/next"),
        ({"tag": "v1"}, "refs/tags/v1"),
        ({"commit": "A" * 40}, "a" * 40),
    ],
)
def test_refs(ref: dict[str, str], name: str) -> None:
    """Branch, tag and commit become full names."""
    assert SyncSpec.of(sync(repository={"url": "/r", "ref": ref})).ref == name


def test_policy() -> None:
    """Prune, drift and conflicts as written."""
    spec = SyncSpec.of(
        sync(
            prune={"mode": "Disabled", "maxPercent": 0, "allowCommit": "c"},
            drift={"mode": "Report"},
            conflicts="Overwrite",
            interval="1h30m",
        )
    )
    assert spec.policy == Policy(False, 0, "c", DriftMode.REPORT, overwrite=True)
    assert spec.interval == 5400


@pytest.mark.parametrize(
    "bad",
    [
        {"metadata": {"name": "x" * 64}, "spec": {"repository": {"url": "/r"}}},
        {"metadata": {"name": "x"}, "spec": {}},
        {
            "metadata": {"name": "x"},
            "spec": {"repository": {"url": "/r", "ref": {"branch": "--upload-pack=x"}}},
        },
        {"metadata": {"name": "x"}, "spec": {"repository": {"url": "/r"}, "interval": "soon"}},
    ],
)
def test_a_spec_that_cannot_be_carried_out(bad: dict[str, Any]) -> None:
    """A bad name, no repository, a ref that is an option, a duration that is none: an error for people."""
    with pytest.raises(GitopsError):
        SyncSpec.of(bad)


def test_an_inventory_comes_with_its_guard() -> None:
    """The guard is recorded and cleared with the inventory of its plan, and stays where none is given."""
    inventory = Inventory({Kind("", "ConfigMap"): Entry("v1", 2)})
    guarded = status_of({}, Outcome(1, SYNCED, inventory=inventory, guard=PruneGuard("c1", 3)), now=NOW)
    assert guarded["inventory"]["kinds"] == [{"group": "", "kind": "ConfigMap", "version": "v1", "count": 2}]
    assert guarded["pruneGuard"] == {"commit": "c1", "count": 3}
    assert status_of(guarded, Outcome(1, SYNCED), now=NOW)["pruneGuard"] == guarded["pruneGuard"]
    after = status_of(guarded, Outcome(1, SYNCED, inventory=inventory), now=NOW)
    assert patch_of(guarded, after) == {"pruneGuard": None}


def test_a_commit_in_force_notes_under_which_spec() -> None:
    """What was in force can be told after a restart only if the spec is still the same."""
    status = status_of({}, Outcome(7, SYNCED, "c1", "c1"), now=NOW)
    assert (status["lastAppliedCommit"], status["lastAppliedGeneration"]) == ("c1", 7)
