"""`explain rollout`: where the rollouts of a ManifestWorkReplicaSet stand on a hub, and what comes next.

Reads what its controller looks at and asks the controller's own functions (`decide.works`). It writes
nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import MANIFEST_WORK, PLACEMENT, PLACEMENT_DECISION, REPLICA_SET
from gitops_ocm.decide.rollout.explanation import Explanation, explain
from gitops_ocm.decide.works import owner_value, rollouts_of
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Ref
from gitops_ocm.verbs.doctor_reading import Ask
from gitops_ocm.verbs.explain import NotExplained, all_of

KINDS = ("manifestworkreplicaset", "manifestworkreplicasets", "mwrs")


@dataclass(frozen=True)
class RolloutQuestion:
    """Which replica set, which clusters are to fail from now on, and whether OCM's decision is asked for."""

    namespace: str
    name: str
    failing: Collection[str] = ()
    compat: bool = False

    @property
    def owner(self) -> Ref:
        """The replica set."""
        return Ref(*REPLICA_SET, self.namespace, self.name)


def named(text: str) -> str:
    """The name in `mwrs/NAME`, or in a plain NAME."""
    kind, slash, name = text.rpartition("/")
    if slash and kind.lower() not in KINDS:
        raise NotExplained(
            f"a {kind} has no rollout that could be explained",
            hint="write mwrs/NAME for a ManifestWorkReplicaSet, or addon/NAME",
        )
    return name


async def explain_rollout_on(hub: Cluster, question: RolloutQuestion, now: datetime) -> list[Explanation]:
    """Each of a set's rollouts as the hub's objects give it, in the order of its placements."""
    objects = await all_of(hub, asks_about(question.owner), "rollout")
    return explain_rollout_in(objects, question, now)


def asks_about(owner: Ref) -> list[Ask]:
    """What has to be read of a hub to know how a replica set rolls out."""
    return [
        Ask(REPLICA_SET, owner.namespace, name=owner.name),
        Ask(MANIFEST_WORK, labels=f"{REPLICA_SET_LABEL}={owner_value(owner)}"),
        Ask(PLACEMENT, owner.namespace),
        Ask(PLACEMENT_DECISION, owner.namespace),
    ]


def explain_rollout_in(view: View, question: RolloutQuestion, now: datetime) -> list[Explanation]:
    """The same as the objects of a view give it."""
    owner = view.get(question.owner)
    where = f"{question.namespace}/{question.name}"
    if owner is None:
        raise NotExplained(
            f"there is no ManifestWorkReplicaSet {where}", hint="see `kubectl get mwrs --all-namespaces`"
        )
    works = view.list(MANIFEST_WORK, labels={REPLICA_SET_LABEL: owner_value(question.owner)})
    rollouts, _ = rollouts_of(view, owner, works, now, compat=question.compat)
    if missing := rollouts.missing():
        raise NotExplained(
            f"{where} refers to placements that do not exist: {', '.join(missing)}",
            hint=f"create them in the namespace {question.namespace}",
        )
    found: list[Explanation] = []
    for part in rollouts.parts():
        if part.inputs is None:
            raise NotExplained(
                f"{where} cannot roll out under placement {part.name}: {part.fault}",
                hint="mend its rolloutStrategy, or the labels of the placement's decisions",
            )
        inputs = part.inputs
        found.append(
            explain(
                part.name,
                inputs.strategy,
                inputs.groups,
                inputs.states,
                now,
                failing=question.failing,
                compat=question.compat,
            )
        )
    return found
