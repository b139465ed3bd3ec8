"""What a person wants to know of an attempt: `run.Tried` in, `model.Preview` out.

Each part has its module: `objects` of Git, `selections` of placements, `on_clusters`, `rollouts`,
`shares`, `warnings`. The world before is held against the world at the end; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.errors import Diagnostic, Severity
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.objects import object_effects
from gitops_ocm.preview.on_clusters import bystanders, on_clusters
from gitops_ocm.preview.origins import Origins
from gitops_ocm.preview.own_managers import told_of_them
from gitops_ocm.preview.rollouts import rollouts
from gitops_ocm.preview.run import Tried
from gitops_ocm.preview.selections import selections
from gitops_ocm.preview.shares import counted, shares
from gitops_ocm.preview.state import FleetState
from gitops_ocm.preview.undone import lacking
from gitops_ocm.preview.warnings import warnings_of
from gitops_ocm.preview.warnings.case import Case


def preview_of(
    tried: Tried, base: DesiredState, head: DesiredState, state: FleetState, now: datetime
) -> Preview:
    """The preview of an attempt."""
    origins = Origins(base, head)
    before = Moment(tried.before, now, tried.compat)
    hub = Hub(before, Moment(tried.after, tried.ended or now, tried.compat))
    clusters = tuple(on_clusters(hub, origins))
    selected = tuple(selections(hub, origins))
    spread = tuple(rollouts(tried, hub, origins, told=bool(state.commit)))
    short = lacking(tried.undone, origins)
    found = Preview(
        base=base.commit,
        head=head.commit,
        state=state.commit,
        state_at=state.at,
        now=now,
        until=tried.until,
        fleet=len(counted(hub)),
        effects=tuple(short.effects(object_effects(tried.plan.notable, origins))),
        selections=selected,
        clusters=clusters,
        rollouts=spread,
        diagnostics=(*_of_change(base, head), *tried.plan.diagnostics, *short.problems(), *state.problems),
        notes=(*_notes(base, state, tried), *short.notes()),
        shares=tuple(shares(tried, hub, clusters, spread)),
        refused_by_hub=short.refused,
        bystanders=tuple(bystanders(hub, clusters, selected, spread)),
    )
    more = warnings_of(Case(found, tried, hub, origins, state))
    return replace(found, diagnostics=(*found.diagnostics, *more))


def _of_change(base: DesiredState, head: DesiredState) -> Iterator[Diagnostic]:
    """What is wrong with the commit, and what one is warned of that the base was not yet warned of."""
    known = set(map(_essence, base.diagnostics))
    return (d for d in head.diagnostics if d.severity is Severity.ERROR or _essence(d) not in known)


def _essence(found: Diagnostic) -> tuple[str, ...]:
    """What a warning is, wherever the object it is about is written."""
    return found.code, found.subject or found.where.path, found.message


def _notes(base: DesiredState, state: FleetState, tried: Tried) -> Iterator[str]:
    if not state.commit:
        yield "there is no status branch: no cluster is known but those that Git declares"
    elif state.source_commit and state.source_commit != base.commit:
        yield (
            f"the fleet's state answers commit {state.source_commit[:12]}, not {base.commit[:12]}: "
            "what lies between them is taken to be merged just now"
        )
    yield f"assumed: {tried.assumed}"
    yield from told_of_them(tried.steps, {change.ref for change in tried.plan.notable}, tried.after)
