"""One process of a simulation: the hub's controllers, or one cluster's agent, and what its rows see.

`run` lets them reconcile; here is what a row begins with, and whether a key of it has anything to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from gitops_ocm.decide.contract import Controller, Index, Side, Wake, Want
from gitops_ocm.objects.ref import Kind, Ref
from gitops_ocm.simulate.view import Narrow, WorldView
from gitops_ocm.simulate.world import World


@dataclass
class Process:
    """The hub's controllers, or one cluster's agent."""

    name: str
    rows: Sequence[Controller]
    worlds: Mapping[Side, World]
    indexes: Mapping[str, Index] = field(default_factory=dict)
    narrow: Narrow = field(default_factory=dict)
    declared: Mapping[str, frozenset[tuple[Side, Kind]]] = field(default_factory=dict)
    wakes: Mapping[tuple[Side, Kind], Sequence[tuple[int, Wake]]] = field(default_factory=dict)

    def view(self, row: Controller | None = None) -> WorldView:
        """What a row sees."""
        return WorldView(self.worlds, self.indexes, self.declared[row.name] if row else (), self.narrow)

    def keys_of(self, row: Controller) -> Iterator[Ref]:
        """The keys a row begins with, some more than once."""
        yield from row.seeds
        view = self.view()
        for wake in row.wakes:
            if wake.affects is None:
                for obj in view.list(wake.kind, side=wake.side):
                    yield from wake.keys(view, None, obj)

    def at_rest(self, row: Controller, key: Ref, now: datetime) -> bool:
        """Whether a key would do nothing, would not look again, and has read nothing that it does not
        declare, whose changes would wake it: so it is not missed before something wakes it.
        """
        view = self.view(row)
        found = row.reconcile(view, key, now)
        idle = not found.actions and found.then is None and found.requeue_after is None
        return idle and not found.retry and not view.seen


def process_of(name: str, rows: Sequence[Controller], worlds: Mapping[Side, World]) -> Process:
    """A process with these rows."""
    wants = {row.name: row.wants() for row in rows}
    wanted: dict[tuple[Side, Kind], set[Want]] = defaultdict(set)
    for side, want in chain.from_iterable(wants.values()):
        wanted[side, want.kind].add(want)
    wakes: dict[tuple[Side, Kind], list[tuple[int, Wake]]] = defaultdict(list)
    for number, row in enumerate(rows):
        for wake in row.wakes:
            wakes[wake.side, wake.kind].append((number, wake))
    return Process(
        name,
        rows,
        worlds,
        indexes={i.name: i for row in rows for i in row.indexes},
        narrow={key: found for key, found in wanted.items() if Want(key[1]) not in found},
        declared={row: frozenset((side, want.kind) for side, want in found) for row, found in wants.items()},
        wakes=wakes,
    )
