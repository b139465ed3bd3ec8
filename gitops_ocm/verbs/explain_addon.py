"""`explain rollout addon/NAME`: where an add-on's configuration stands, placement by placement.

Reads what the row of configuration looks at and asks its own functions (`decide.addons`). It writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.decide.addons.assignment import groups_in, strategy_of
from gitops_ocm.decide.addons.config_objects import KINDS
from gitops_ocm.decide.addons.configuration import sources_of
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.management import is_ours, is_placed
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, PLACEMENT, PLACEMENT_DECISION
from gitops_ocm.decide.rollout.explanation import Explanation, explain
from gitops_ocm.decide.writes import name_of
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.doctor_reading import Ask
from gitops_ocm.verbs.explain import NotExplained, all_of

ADDON_KINDS = ("addon", "addons", "cma", "clustermanagementaddon", "clustermanagementaddons")


@dataclass(frozen=True)
class AddonQuestion:
    """Which add-on, which clusters are to fail from now on, and whether OCM's decision is asked for."""

    name: str
    failing: Collection[str] = ()
    compat: bool = False


async def explain_addon_on(hub: Cluster, question: AddonQuestion, now: datetime) -> list[Explanation]:
    """An add-on's rollouts as the hub's objects give them, in the order of its placements."""
    objects = await all_of(hub, asks_about(question.name), "rollout")
    return explain_addon_in(objects, question, now)


def asks_about(addon: str) -> list[Ask]:
    """What has to be read of a hub to know how an add-on is configured."""

    def own(obj: Object) -> bool:
        return name_of(obj) == addon

    return [
        Ask(MANAGEMENT_ADDON, name=addon),
        Ask(CLUSTER_ADDON, keep=own),
        Ask(PLACEMENT),
        Ask(PLACEMENT_DECISION),
        *(Ask(kind) for kind in KINDS.values()),
    ]


def explain_addon_in(view: View, question: AddonQuestion, now: datetime) -> list[Explanation]:
    """The same as the objects of a view give it."""
    name = question.name
    live = view.get(cma_ref(name))
    if live is None:
        raise NotExplained(f"there is no ClusterManagementAddOn {name}", hint="see `gitops-ocm get addon`")
    cma = at_beta(live)
    if not is_ours(cma):
        raise NotExplained(f"{name} is not the add-on manager's: its lifecycle is another, or it is going")
    if not is_placed(cma):
        raise NotExplained(
            f"{name} is installed by hand: configurations reach all clusters at once",
            hint="only an install strategy with placements rolls out",
        )
    addons = [addon for addon in view.list(CLUSTER_ADDON) if name_of(addon) == name]
    found: list[Explanation] = []
    for source in sources_of(view, cma, addons, now, compat=question.compat)[1:]:
        if source.waits:
            raise NotExplained(
                f"{name} waits under placement {source.name}: {source.waits}",
                hint="its clusters keep what they have until that is clear",
            )
        found.append(
            explain(
                source.name,
                strategy_of(source),
                groups_in(source, question.compat),
                [source.members[cluster].state for cluster in sorted(source.members)],
                now,
                failing=question.failing,
                compat=question.compat,
            )
        )
    return found
