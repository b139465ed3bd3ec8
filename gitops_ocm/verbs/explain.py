"""`explain placement`: why a placement chooses as it does, on a hub now, or at a commit of the repository.

Reads everything a scheduler looks at and asks the scheduler itself (`decide.placement`). Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.fleet import COMMIT_ANNOTATION, PATH_ANNOTATION
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.diagnosis.evidence import Objects
from gitops_ocm.decide.kinds import (
    CLUSTER_SET,
    CLUSTER_SET_BINDING,
    MANAGED_CLUSTER,
    PLACEMENT,
    PLACEMENT_DECISION,
    PLACEMENT_SCORE,
)
from gitops_ocm.decide.placement.decisions import is_paused, survey
from gitops_ocm.decide.placement.explanation import Explanation, explain
from gitops_ocm.decide.placement.schedule import schedule
from gitops_ocm.decide.writes import annotations_of
from gitops_ocm.errors import Location
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.verbs.doctor_reading import Ask, Reader
from gitops_ocm.verbs.voice import VerbError


class NotExplained(VerbError):
    """There is nothing to explain, or not all of it may be read."""

    code = "not-explained"


@dataclass(frozen=True)
class Question:
    """Which placement, and which cluster alone (`""`: all its candidates)."""

    namespace: str
    name: str
    cluster: str = ""


async def explain_on(hub: Cluster, question: Question, now: datetime) -> Explanation:
    """The decision as the hub's objects give it."""
    asks = [
        Ask(PLACEMENT, question.namespace, name=question.name),
        Ask(CLUSTER_SET_BINDING, question.namespace),
        *(Ask(kind) for kind in (MANAGED_CLUSTER, CLUSTER_SET, PLACEMENT_DECISION, PLACEMENT_SCORE)),
    ]
    objects = await all_of(hub, asks, "placement")
    return explain_in(objects, question, now)


async def all_of(hub: Cluster, asks: Iterable[Ask], what: str) -> Objects:
    """What a decision is made from; raises `NotExplained` where not all of it may be read."""
    objects = await Reader(hub, "hub").objects(asks)
    if objects.unseen:
        kind, why = min(objects.unseen.items())
        raise NotExplained(
            f"{kind.kind}s cannot be read: {why}",
            hint=f"a {what} is decided by all of them: ask for the right",
        )
    return objects


def origin_told(obj: Object) -> Location:
    """The file and commit that an object on the hub says it was synced from; nothing where it was not."""
    notes = annotations_of(obj)
    return Location(str(notes.get(PATH_ANNOTATION, "")), 0, str(notes.get(COMMIT_ANNOTATION, "")))


def explain_in(view: View, question: Question, now: datetime, *, scored: bool = True) -> Explanation:
    """The decision as the objects of a view give it; `scored` says whether it has what add-ons score."""
    placement = view.get(Ref(*PLACEMENT, question.namespace, question.name))
    if placement is None:
        raise NotExplained(
            f"there is no placement {question.name} in the namespace {question.namespace}",
            hint="see `gitops-ocm get placements`, or `gitops-ocm render -o name` for what Git declares",
        )
    choice = schedule(placement, *survey(view, placement, now))
    return explain(placement, choice, cluster=question.cluster, paused=is_paused(placement), scored=scored)
