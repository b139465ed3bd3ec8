"""A plan carried out on a simulated hub as the sync does it: wave by wave, waiting where the sync waits.

What an answer means is `plan.failures`, for the sync and for this. An object that is refused or waits does
not come about, and is told of as `Undone`; all others do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_ocm.decide.contract import Apply, Delete, MergePatch, Write
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.plan.changes import Action, Change, ChangeSet
from gitops_ocm.plan.failures import namespace_missing, problem
from gitops_ocm.plan.taints import left_of, with_live_taints, with_taints
from gitops_ocm.plan.waves import waves
from gitops_ocm.preview.stage import MANAGER
from gitops_ocm.simulate.run import Simulation

WAITS = "waits-for-namespace"
"""The code of what is said of an object whose namespace is not there."""


@dataclass(frozen=True)
class Undone:
    """A change that does not come about, and why: refused by the hub, or `waiting` for its namespace."""

    change: Change
    problem: Diagnostic

    @property
    def waiting(self) -> bool:
        """Whether the sync would apply it as soon as its namespace is there."""
        return self.problem.code == WAITS


def carried_out(run: Simulation, plan: ChangeSet) -> Iterator[Undone]:
    """Do what the sync would do, in its order; what waits is tried again when all else is done."""
    waiting = []
    for wave in waves(plan):
        for change in wave.changes:
            for error in _tried(run, change):
                if namespace_missing(change, error):
                    waiting.append(change)
                else:
                    yield Undone(change, problem(change, error))
        run.settle()
    for change in waiting:
        for error in _tried(run, change):
            waits = namespace_missing(change, error)
            yield Undone(change, _waits(change) if waits else problem(change, error))
    run.settle()


def writes(change: Change, live: Object | None, manager: str) -> Iterator[Write]:
    """What the sync, being `manager`, writes for a change of an object that is there as `live`."""
    if change.action is Action.PRUNE:
        yield Delete(change.ref)
        return
    assert change.wanted is not None
    fragment = change.wanted.obj
    if live is not None and (left := left_of(fragment, live, manager)) is not None:
        yield MergePatch(change.ref, with_taints(live, left))
    yield Apply(with_live_taints(fragment, live))


def _tried(run: Simulation, change: Change) -> list[ApiError]:
    results = run.act(*writes(change, run.hub.get(change.ref), MANAGER), manager=MANAGER)
    return [result.error for result in results if result.error is not None][:1]


def _waits(change: Change) -> Diagnostic:
    assert change.wanted is not None
    return Diagnostic(
        WAITS,
        f"it waits for namespace {change.ref.namespace}, which is not there",
        change.wanted.origin,
        subject=str(change.ref),
        note="everything else is applied meanwhile",
        hint="declare the namespace in Git; a cluster's own comes when the cluster is accepted",
        severity=Severity.WARNING,
    )
