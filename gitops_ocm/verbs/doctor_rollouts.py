"""Looks, for `doctor`, at rollouts that are not over: of replica sets, and of add-ons' configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from gitops_ocm.api.work_replicaset import ROLLED_OUT
from gitops_ocm.decide.addons.config_objects import KINDS
from gitops_ocm.decide.addons.management import is_ours, is_placed
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.diagnosis.evidence import Objects, Rolling
from gitops_ocm.decide.diagnosis.finding import named
from gitops_ocm.decide.kinds import MANAGEMENT_ADDON, REPLICA_SET
from gitops_ocm.decide.rollout.explanation import Explanation
from gitops_ocm.decide.rollout.model import RolloutError
from gitops_ocm.decide.writes import is_deleting, name_of, namespace_of, status_of
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.doctor_reading import Ask, Reader
from gitops_ocm.verbs.explain import NotExplained
from gitops_ocm.verbs.explain_addon import AddonQuestion, explain_addon_in
from gitops_ocm.verbs.explain_rollout import RolloutQuestion, asks_about, explain_rollout_in

MOST = 20
"""Of so many replica sets at most all works are read."""


async def rollouts_seen(reader: Reader, objects: Objects, now: datetime) -> list[Rolling]:
    """Every rollout that is not over, as the objects of a hub give it; of replica sets the first `MOST`."""
    return [*await _of_sets(reader, objects, now), *await _of_addons(reader, objects, now)]


async def _of_sets(reader: Reader, objects: Objects, now: datetime) -> list[Rolling]:
    left = [s for s in objects.list(REPLICA_SET) if not is_deleting(s) and not is_true(s, ROLLED_OUT)]
    if len(left) > MOST:
        reader.unseen[f"rollouts of {len(left) - MOST} ManifestWorkReplicaSets ({reader.side})"] = (
            f"{len(left)} are not over, the first {MOST} were looked at"
        )
    found: list[Rolling] = []
    for owner in left[:MOST]:
        question = RolloutQuestion(namespace_of(owner), name_of(owner))
        seen = await reader.objects(asks_about(question.owner))
        if not seen.unseen:
            command = f"gitops-ocm explain rollout mwrs/{question.name} -n {question.namespace}"
            found += _told(owner, command, partial(explain_rollout_in, seen, question, now))
    return found


async def _of_addons(reader: Reader, objects: Objects, now: datetime) -> list[Rolling]:
    left = [cma for cma in map(at_beta, objects.list(MANAGEMENT_ADDON)) if _rolls(cma)]
    if not left:
        return []
    configs = await reader.objects(Ask(kind) for kind in KINDS.values())
    if configs.unseen:
        return []
    seen = Objects({**objects.kinds, **configs.kinds})
    found: list[Rolling] = []
    for cma in left:
        question = AddonQuestion(name_of(cma))
        command = f"gitops-ocm explain rollout addon/{question.name}"
        found += _told(cma, command, partial(explain_addon_in, seen, question, now))
    return found


def _rolls(cma: Object) -> bool:
    """Whether it is placed, and not all of its placements are done."""
    if not is_ours(cma) or not is_placed(cma):
        return False
    progressions: Sequence[Object] = status_of(cma).get("installProgressions") or ()
    return any(
        condition.get("type") == "Progressing" and condition.get("status") == "True"
        for progression in progressions
        for condition in progression.get("conditions") or ()
    )


def _told(obj: Object, command: str, explain: Callable[[], list[Explanation]]) -> Iterator[Rolling]:
    """What there is to tell; what cannot roll out at all is told by its own conditions."""
    try:
        for standing in explain():
            yield Rolling(named(obj), standing, command)
    except (NotExplained, RolloutError):
        return
