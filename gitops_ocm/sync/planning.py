"""The plan of a pass: what a commit means for the hub as the watches have shown it.

Reads what `plan.compute` needs and decides nothing itself. It remembers what was last in force in full: an
object of that which is not there any more was taken away on the hub, which is drift, and not new in Git.
"""

from __future__ import annotations

from collections.abc import Mapping

from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.ref import Kind, Ref, split_api_version
from gitops_ocm.plan.changes import ChangeSet
from gitops_ocm.plan.compute import compute
from gitops_ocm.plan.inventory import Inventory
from gitops_ocm.plan.prune import guard_of
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.sync.observed import Observed
from gitops_ocm.sync.record import Record
from gitops_ocm.sync.source import Checked
from gitops_ocm.sync.spec import SyncSpec
from gitops_ocm.sync.target import Targets
from gitops_ocm.sync.watching import Watching


class Planner:
    """Makes the plans of one HubSync."""

    def __init__(self, mapper: Mapper, targets: Targets, observed: Observed, watching: Watching) -> None:
        self._mapper = mapper
        self._targets = targets
        self._observed = observed
        self._watching = watching
        self._in_force: Mapping[Ref, Wanted] | None = None

    async def plan(self, checked: Checked, spec: SyncSpec, record: Record) -> ChangeSet:
        """What brings the hub to `checked`."""
        wanted = {item.ref: item for item in checked.state.objects}
        self._observed.expect(wanted)
        await self._watching.follow(await self._kinds(wanted, record.inventory))
        self._observed.planned()
        return compute(
            checked.state.objects,
            self._observed.lives(),
            owner=spec.name,
            commit=checked.state.commit,
            policy=spec.policy,
            in_force=wanted if self._observed.has_all(wanted) else await self._before(checked, spec, record),
            guard=guard_of(record.status),
        )

    def in_force(self, checked: Checked) -> None:
        """All of it was applied."""
        self._in_force = {item.ref: item for item in checked.state.objects}

    async def _kinds(self, wanted: Mapping[Ref, Wanted], inventory: Inventory) -> list[tuple[Kind, str]]:
        """Every kind the sync has, or will have, objects of, at Git's version where Git has it.

        A kind that left Git is looked at in the version it was applied at, or else in the one served now.
        """
        versions = {(*ref[:2], item.obj.get("apiVersion", "")) for ref, item in wanted.items()}
        found = [(Kind(group, kind), split_api_version(at)[1]) for group, kind, at in sorted(versions)]
        for kind in sorted(inventory.keys() - {kind for kind, _ in found}):
            version = inventory[kind].version
            served = await self._mapper.resource_of(kind, version)
            found.append((kind, version if served else ""))
        return found

    async def _before(self, checked: Checked, spec: SyncSpec, record: Record) -> Mapping[Ref, Wanted]:
        """What was in force before this pass.

        After a restart the recorded commit tells, if it came in force under the spec as it is now.
        """
        if self._in_force is None:
            commit = str(record.status.get("lastAppliedCommit") or "")
            before: Checked | None = None
            if commit and record.status.get("lastAppliedGeneration") == spec.generation:
                same = commit == checked.state.commit
                before = checked if same else await self._targets.meaning(commit, spec)
            self._in_force = {item.ref: item for item in before.state.objects} if before else {}
        return self._in_force
