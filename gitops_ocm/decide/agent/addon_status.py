"""What an agent reports of the cluster's add-ons: whether they live, and how their credentials fare.

An add-on that does not say otherwise is alive while it renews a lease of its name in its namespace. An
add-on that is hosted elsewhere has its lease there, out of this agent's sight: nothing is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gitops_ocm.api.addon_words import (
    ADDON_LEASE_GRACE_SECONDS,
    HEALTH_CUSTOMIZED,
    LEASE_NOT_FOUND,
    LEASE_STOPPED,
    LEASE_UPDATED,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.agent.addon_registration import at_beta, install_namespace, is_hosted, with_driver
from gitops_ocm.decide.agent.facts import addon_conditions
from gitops_ocm.decide.contract import DONE, Outcome, Side, View
from gitops_ocm.decide.kinds import LEASE
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import (
    conditions_of,
    is_deleting,
    name_of,
    report,
    seconds_until,
    status_of,
    time_at,
)
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class AddonStatus:
    """Writes the part of an add-on's status that is the agent's."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterAddOn of the agent's own cluster."""
        addon = view.get(key)
        if addon is None or is_deleting(addon):
            return DONE
        told = list(addon_conditions(view, key.name))
        wake = None
        if (lives := _lives(view, at_beta(addon), now)) is not None:
            available, wake = lives
            told.append(available._asdict())
        held = conditions_of(addon)
        for condition in told:
            held = conditions.with_condition(held, **condition, now=now)
        fields: Object = with_driver(addon, self.settings.addon_driver)
        if held:
            fields["conditions"] = list(held)
        return Outcome(tuple(report(addon, fields)), requeue_after=wake)


def _lives(view: View, addon: Object, now: datetime) -> tuple[KnownCondition, float | None] | None:
    """The Available condition and when it may change by itself; None where it is not ours to say."""
    mode = (status_of(addon).get("healthCheck") or {}).get("mode")
    if mode == HEALTH_CUSTOMIZED or is_hosted(addon):
        return None
    name = name_of(addon)
    lease = view.get(Ref(*LEASE, install_namespace(addon), name), Side.SPOKE)
    if lease is None:
        return LEASE_NOT_FOUND.saying(addon=name), None
    renewed = time_at((lease.get("spec") or {}).get("renewTime"))
    over = renewed + timedelta(seconds=ADDON_LEASE_GRACE_SECONDS) if renewed is not None else now
    if now < over:
        return LEASE_UPDATED.saying(addon=name), seconds_until(over, now)
    return LEASE_STOPPED.saying(addon=name), None
