"""What a person wants to know of an attempt: `run.Tried` in, `model.Preview` out.

Each part has its module: `objects` of Git, `selections` of placements, `on_clusters`, `rollouts`,
`shares`. The world before is held against the world at the end; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.objects import object_effects
from gitops_ocm.preview.on_clusters import on_clusters
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.rollouts import rollouts
from gitops_ocm.preview.run import Tried
from gitops_ocm.preview.selections import selections
from gitops_ocm.preview.shares import counted, shares
from gitops_ocm.preview.state import FleetState


def preview_of(
    tried: Tried, base: DesiredState, head: DesiredState, state: FleetState, now: datetime
) -> Preview:
    """The preview of an attempt."""
    origins = Origins(base, head)
    before = Moment(tried.before, now, tried.compat)
    hub = Hub(before, Moment(tried.after, tried.ended or now, tried.compat))
    clusters = tuple(on_clusters(hub, origins))
    spread = tuple(rollouts(tried, hub, origins, told=bool(state.commit)))
    return Preview(
        base=base.commit,
        head=head.commit,
        state=state.commit,
        state_at=state.at,
        now=now,
        until=tried.until,
        fleet=len(counted(hub)),
        effects=tuple(object_effects(tried.plan.notable, origins)),
        selections=tuple(selections(hub, origins)),
        clusters=clusters,
        rollouts=spread,
        diagnostics=(*head.diagnostics, *tried.plan.diagnostics, *tried.refused, *state.problems),
        notes=tuple(_notes(base, state, tried.assumed)),
        shares=tuple(shares(tried, hub, clusters, spread)),
    )


def _notes(base: DesiredState, state: FleetState, assumed: Assumptions) -> Iterator[str]:
    if not state.commit:
        yield "there is no status branch: no cluster is known but those that Git declares"
    elif state.source_commit and state.source_commit != base.commit:
        yield (
            f"the fleet's state answers commit {state.source_commit[:12]}, not {base.commit[:12]}: "
            "what lies between them counts as done"
        )
    yield f"assumed: {assumed}"
