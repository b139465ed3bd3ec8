"""On which clusters placements want an add-on, and whether that can be relied on.

The clusters are the union of the decisions of all placements. A cluster missing from it may be missing for
a moment only: its placement is gone, was never scheduled, or its decisions are being rewritten. Such doubts
are said beside the clusters, so that nobody takes an add-on off a fleet because of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops_ocm.api.placement import SCHEDULING_DISABLED_ANNOTATION
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import PLACEMENT
from gitops_ocm.decide.placement.decisions import clusters_in, decisions_of
from gitops_ocm.decide.writes import annotations_of, status_of
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class Choice:
    """What one placement (None: there is none) has decided; `doubt` is why that may not be all."""

    placement: Object | None
    decisions: Sequence[Object] = ()
    clusters: frozenset[str] = frozenset()
    doubt: str = ""


def choice(view: View, namespace: str, name: str) -> Choice:
    """What a placement has decided."""
    placement = view.get(Ref(*PLACEMENT, namespace, name))
    if placement is None:
        return Choice(None, doubt=f"Placement {namespace}/{name} does not exist")
    decisions = decisions_of(view, namespace, name)
    found = frozenset(cluster for decision in decisions for cluster in clusters_in(decision))
    doubt = _doubt(placement, decisions, len(found))
    return Choice(placement, decisions, found, f"Placement {namespace}/{name} {doubt}" if doubt else "")


@dataclass(frozen=True)
class Selection:
    """The clusters that are chosen for sure, and why there may be more."""

    clusters: frozenset[str]
    doubts: tuple[str, ...] = ()


def selection(view: View, placements: Iterable[tuple[str, str]]) -> Selection:
    """What the placements, given as (namespace, name), have decided together."""
    choices = [choice(view, *each) for each in placements]
    clusters = frozenset(cluster for each in choices for cluster in each.clusters)
    return Selection(clusters, tuple(each.doubt for each in choices if each.doubt))


def _doubt(placement: Object, decisions: Sequence[Object], found: int) -> str:
    """Why the decisions that are there may not be all of them; `""` if they are."""
    if not decisions:
        return "has no decisions yet"
    if annotations_of(placement).get(SCHEDULING_DISABLED_ANNOTATION) == "true":
        # Somebody else writes the decisions and need not keep the placement's status.
        unfilled = any("decisions" not in status_of(decision) for decision in decisions)
        return "has a decision that is not filled yet" if unfilled else ""
    counted = status_of(placement).get("numberOfSelectedClusters")
    if counted is None:
        return "has not been scheduled yet"
    if counted != found:
        return f"has selected {counted} clusters and its decisions name {found}"
    return ""
