"""A hub that was left alone before a change is merged, so that what follows is the change's doing.

Where nothing is to be done, nothing is reconciled: of a fleet at rest no more than what the change reaches.
What that is shows when it is merged (`beyond`); then it is merged once more, with that looked at before.
`tests/preview/test_reach.py` holds what comes of it to everything being looked at. Who is at rest says
`rest`, who merges is `run`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from gitops_ocm.decide.contract import Controller, Side
from gitops_ocm.decide.kinds import PLACEMENT, REPLICA_SET
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object, Ref, kind_of, ref_of
from gitops_ocm.plan.changes import ChangeSet
from gitops_ocm.preview.presence import joining
from gitops_ocm.preview.rest import SETS, Rest
from gitops_ocm.preview.retold import put_back
from gitops_ocm.preview.state import FleetState
from gitops_ocm.preview.table import ACCEPTANCE, FEATURES, SETTLED
from gitops_ocm.simulate.process import process_of
from gitops_ocm.simulate.run import Simulation, Woken
from gitops_ocm.simulate.world import World

LOOK_AGAIN = ("work", "addon")
"""Groups whose rows look at everything once more with the merge: their timers begin then."""


def reach_of(plan: ChangeSet, world: World, table: Sequence[Controller]) -> frozenset[Ref]:
    """The replica sets that a plan is likely to reach: its own, and those of the placements it affects.

    One that is missing here costs a second merge, one too many a reconcile.
    """
    view = process_of("", table, {Side.HUB: world}).view()
    placements = {change.ref for change in plan.notable if change.ref.of == PLACEMENT}
    wakes = [wake for row in table for wake in row.wakes if wake.affects is not None]
    for change in plan.notable:
        old, new = world.get(change.ref), change.wanted.obj if change.wanted else None
        after = merge_patch(old, new) if old is not None and new is not None else new
        for wake in wakes if old is not None and old is not after else ():
            if wake.kind == change.ref.of and wake.affects is not None:
                placements.update(wake.affects(view, old, after))
    sets = {change.ref for change in plan.notable if change.ref.of == REPLICA_SET}
    others = ((ref_of(obj), obj) for obj in (world.list(REPLICA_SET) if placements else ()))
    return frozenset(sets | {ref for ref, obj in others if not placements.isdisjoint(_placements(ref, obj))})


def _placements(ref: Ref, owner: Object) -> Iterator[Ref]:
    for each in (owner.get("spec") or {}).get("placementRefs") or ():
        yield Ref(*PLACEMENT, ref.namespace, str(each.get("name")))


class Alone:
    """An opened stage whose controllers were let do what they had to do; the clusters did nothing meanwhile.

    Looked at is who has no `rest`, and the replica sets of `reach`; without `rest` everybody. Where there is
    no account of clusters, all that Git lets in are taken to have joined.
    """

    def __init__(
        self,
        world: World,
        table: Sequence[Controller],
        state: FleetState,
        now: datetime,
        *,
        rest: Rest | None = None,
        reach: Collection[Ref] = (),
    ) -> None:
        self._world, self._table, self._rest = world, table, rest
        self._woken = rest.restless | {(SETS, ref) for ref in reach} if rest is not None else None
        opened = world.mark()
        if state.objects:
            # How add-ons fare was told: nobody says it anew before that is put back.
            heard = [row for row in table if row.name != FEATURES]
            run = Simulation(world, heard, now=now, settled=SETTLED, woken=self._woken)
        else:
            run = Simulation(world, (joining(()), *table), now=now, settled=SETTLED - {ACCEPTANCE})
        run.settle()
        if state.objects:
            put_back(world, state)
        self._looked_at = run.reconciled() | (self._woken or set())
        self._moved = [new for _, new in world.since(opened) if new is not None]
        self.before = world.objects()
        world.changes()

    def beginning(
        self, agents: Controller, joins: Controller
    ) -> tuple[frozenset[str], frozenset[Woken] | None]:
        """With what the merge's simulation begins: rows that have nothing to do about what is there, and the
        keys of the others that have; None: all. `agents` and `joins` are the rows that stand for clusters.
        """
        again = [row for row in self._table if row.group in LOOK_AGAIN]
        quiet = frozenset(row.name for row in self._table) - {row.name for row in again}
        if self._rest is None or self._woken is None:
            return quiet, None
        found = {(row, key) for row, key in self._woken if row not in quiet}
        found.update((agents.name, key) for key in self._rest.unanswered)
        found.update((joins.name, key) for key in self._rest.unjoined)
        return quiet, frozenset(found.union(self._concerned((*again, agents, joins))))

    def _concerned(self, rows: Sequence[Controller]) -> Iterator[Woken]:
        """Whom that concerns which has moved."""
        view = process_of("", self._table, {Side.HUB: self._world}).view()
        for obj in self._moved:
            kind = kind_of(obj)
            for row in rows:
                for wake in row.wakes:
                    if wake.kind == kind and wake.affects is None:
                        yield from ((row.name, key) for key in wake.keys(view, None, obj))

    def beyond(self, reconciled: Collection[Woken]) -> frozenset[Ref]:
        """The replica sets that were reached although nobody had looked at them before the merge."""
        if self._rest is None:
            return frozenset()
        found = (key for row, key in reconciled if row == SETS and (row, key) not in self._looked_at)
        return frozenset(key for key in found if key in self.before)
