"""What a reviewer is warned of by what the status branch tells, and whatever people edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from gitops_ocm.api.cluster import AVAILABLE, TAINT_UNAVAILABLE, TAINT_UNREACHABLE
from gitops_ocm.api.fleet import STALLED
from gitops_ocm.decide.kinds import MANIFEST_WORK, cluster_ref
from gitops_ocm.objects.ref import Ref
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.report.status_files import SYNC
from gitops_ocm.testing import objects as make
from tests.preview.changes import drawn
from tests.preview.edits import SLOW, both, drop, label, nothing, put, web, web_edited
from tests.preview.fleets import repository, running, told
from tests.preview.merged import BASE, NOW, Edit, Files, named, previewed, small, written_at


@cache
def _account() -> FleetState:
    """A fleet at rest that has the replica set, and a work on c4."""
    return read_state(told(running(repository(_rolled_out(), BASE))))


def _rolled_out() -> Files:
    works = {"works/one.yaml": [make.manifest_work("one", "c4", [make.config_map("one")])]}
    files = {**small(works_web=[web("all", strategy=SLOW)]), **works}
    lost = [{"key": key, "operator": "Exists"} for key in (TAINT_UNAVAILABLE, TAINT_UNREACHABLE)]
    named(files, "Placement", "all")["spec"]["tolerations"] = lost
    return files


def _silent(*names: str) -> FleetState:
    """The same account, but that these clusters are not available."""
    state = _account()
    objects = dict(state.objects)
    for name in names:
        ref = cluster_ref(name)
        status = objects[ref].get("status") or {}
        others = [c for c in status.get("conditions") or () if c["type"] != AVAILABLE]
        lost = {"type": AVAILABLE, "status": "Unknown", "reason": "ManagedClusterLeaseUpdateStopped"}
        objects[ref] = {**objects[ref], "status": {**status, "conditions": [*others, lost]}}
    return replace(state, commit="5" * 40, objects=objects)


def _under_way() -> FleetState:
    """The same account, but that c1 has not answered about its work, and c3 has not got one yet."""
    state, objects = _silent(), {}
    for ref, known in state.objects.items():
        ours = ref.of == MANIFEST_WORK and ref.name.startswith("web")
        if not ours or ref.namespace != "c3":
            objects[ref] = {**known, "status": {}} if ours and ref.namespace == "c1" else known
    return replace(state, objects=objects)


def _of_commit(state: FleetState, commit: str) -> FleetState:
    ref = Ref(*SYNC, "", "")
    sync = {"metadata": {"name": "fleet"}, "status": {"lastAppliedCommit": commit}}
    return replace(state, objects={**state.objects, ref: sync})


def _refusing(commit: str) -> FleetState:
    """The same account, but that another commit is in force, and the sync refuses this one."""
    ref = Ref(*SYNC, "", "")
    status = {
        "lastAppliedCommit": "9" * 40,
        "lastAttemptedCommit": commit,
        "conditions": [{"type": STALLED, "status": "True", "reason": "RefusedByPolicy"}],
    }
    sync = {"metadata": {"name": "fleet"}, "status": status}
    return replace(_silent(), objects={**_account().objects, ref: sync})


TOLD: dict[str, tuple[Callable[[], FleetState], Edit, list[str]]] = {
    "an ordinary rollout": (lambda: _silent(), web_edited, []),
    "the account is new": (lambda: replace(_silent(), at=NOW - timedelta(minutes=59)), web_edited, []),
    "the account is old": (
        lambda: replace(_silent(), at=NOW - timedelta(hours=3)),
        web_edited,
        ["state-stale"],
    ),
    "the account is old, and of the base": (
        lambda: replace(_of_commit(_silent(), BASE), at=NOW - timedelta(days=3)),
        web_edited,
        [],
    ),
    "the account is old, and of another commit": (
        lambda: replace(_of_commit(_silent(), "9" * 40), at=NOW - timedelta(hours=3)),
        web_edited,
        ["state-stale"],
    ),
    "it is old, and nothing changes": (lambda: replace(_silent(), at=NOW - timedelta(days=3)), nothing, []),
    "the account is of the base": (lambda: _of_commit(_silent(), BASE), web_edited, []),
    "the account is of another commit": (
        lambda: _of_commit(_silent(), "9" * 40),
        web_edited,
        [],
    ),
    "the base was refused": (lambda: _refusing(BASE), web_edited, ["base-refused"]),
    "what was refused is not the base": (lambda: _refusing("8" * 40), web_edited, []),
    "a cluster of the rollout is silent": (lambda: _silent("c2"), web_edited, ["rollout-waits"]),
    "another cluster is silent": (lambda: _silent("c4"), web_edited, []),
    "a rollout is in progress": (_under_way, web_edited, ["rollout-in-progress"]),
    "a rollout is in progress that nothing touches": (_under_way, label("c1", "colour", "red"), []),
    "a replica set goes from most clusters": (
        lambda: _silent(),
        drop("ManifestWorkReplicaSet"),
        ["taken-off-at-once"],
    ),
    "a silent cluster goes": (
        lambda: _silent("c4"),
        both(drop("ManagedCluster", "c4"), drop("ManifestWork", "one")),
        ["cluster-removed"],
    ),
    "many objects go": (
        lambda: _silent(),
        both(drop("Placement"), drop("ManifestWorkReplicaSet"), drop("ManifestWork")),
        ["prune-guard-near", "taken-off-at-once"],
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_warnings_by_the_account(name: str) -> None:
    """What is in doubt, or would hold a rollout, is found out from what the status branch tells."""
    state, edit, expected = TOLD[name]
    assert [w.code for w in previewed(_rolled_out(), edit, state=state()).warnings] == expected


@pytest.mark.parametrize(("stands", "expected"), [(True, []), (False, ["work-without-cluster"])])
def test_what_the_base_has_already(stands: bool, expected: list[str]) -> None:
    """A work that the hub lacks, as it is refused there since the base, is nothing this change brings."""
    before = _rolled_out()
    named(before, "ManagedCluster", "c4")["spec"]["hubAcceptsClient"] = False
    state = _of_commit(_silent(), BASE)
    state = replace(state, objects={ref: obj for ref, obj in state.objects.items() if ref.name != "one"})
    labels = {"colour": "red"}
    other = put("ManifestWork", "one", "metadata", "labels", value=labels)
    edit = label("c1", "colour", "red") if stands else other
    assert [w.code for w in previewed(before, edit, state=state).warnings] == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_whatever_people_edit(seed: int) -> None:
    """On random fleets and edits every warning has a line that is there, and is the same each time."""
    case = drawn(seed)
    before, after = dict(case.files), dict(case.head)

    def edit(files: Files) -> None:
        files.clear()
        files.update(after)

    found = previewed(before, edit).warnings
    assert found == previewed(before, edit).warnings
    assert len(set(found)) == len(found)
    for warning in found:
        assert warning.message
        assert not warning.where.path or written_at(warning.where, before, after)
