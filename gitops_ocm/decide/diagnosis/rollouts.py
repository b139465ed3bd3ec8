"""Why a rollout does not go on: too many have failed, or those that hold it have failed or are lost.

What holds it says the rollout's own decision (`decide.rollout`). One that is under way, on clusters that are
there, is no trouble.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_ocm.api.cluster import AVAILABLE
from gitops_ocm.decide.diagnosis.evidence import Evidence, Rolling
from gitops_ocm.decide.diagnosis.finding import Fact, Finding, cut
from gitops_ocm.decide.diagnosis.standing import standings
from gitops_ocm.decide.rollout.explanation import Row, Standing
from gitops_ocm.decide.rollout.model import HoldReason
from gitops_ocm.decide.rollout.wording import hold_in_words
from gitops_ocm.objects.conditions import timestamp

_OVER = (Standing.FAILED, Standing.TIMED_OUT)


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Rollouts that are stopped, or held by clusters that are lost or have failed."""
    hub = evidence.hub
    if hub is None or not hub.rollouts:
        return
    lost = {each.name for each in standings(evidence) if _is_lost(each.condition(AVAILABLE))}
    for rolling in hub.rollouts:
        yield from _rollout(rolling, lost)


def _is_lost(available: object) -> bool:
    return not isinstance(available, dict) or available.get("status") != "True"


def _rollout(rolling: Rolling, lost: set[str]) -> Iterator[Finding]:
    found = rolling.standing
    hold, waiting = found.step.hold, found.count(Standing.HELD)
    if hold is None or not waiting:
        return
    rows = {row.cluster: row for row in found.rows}
    holding = [rows[cluster] for cluster in hold.by if cluster in rows]
    stopped = hold.reason is HoldReason.BREACH
    if not stopped and not all(row.standing in _OVER or row.cluster in lost for row in holding):
        return
    words = hold_in_words(hold, found.strategy, found.groups, found.rows)
    how = f"is {words}" if stopped else f"does not go on: {words}"
    wait = f"{waiting} cluster{' waits' if waiting == 1 else 's wait'}"
    yield Finding(
        "rollout-stopped" if stopped else "rollout-held",
        rolling.subject,
        cut(f"The rollout of {rolling.subject} over the placement {found.placement} {how}; {wait}."),
        tuple(_fact(row, lost) for row in holding[:5]),
        rolling.command,
        through=hold.by,
    )


def _fact(row: Row, lost: set[str]) -> Fact:
    value = f"{row.standing}, not available" if row.cluster in lost else str(row.standing)
    return Fact(f"ManagedCluster {row.cluster}", "rollout", value, timestamp(row.since) if row.since else "")
