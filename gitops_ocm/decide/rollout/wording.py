"""A rollout in words: what its strategy says, and what holds it, with the limits and the numbers.

For people who have to see in a line why a rollout stops. The decision is `steps`; how the clusters stand is
`explanation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_ocm.api.rollout import ALL, PROGRESSIVE
from gitops_ocm.decide.rollout.explanation import Row, Standing
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.limits import Limits, first_groups, limits_of, size
from gitops_ocm.decide.rollout.model import Hold, HoldReason

FEW = 5
"""So many clusters are named before the rest is counted."""


def strategy_in_words(strategy: Mapping[str, Any] | None) -> str:
    """`Progressive, 25% at once, soak 5m, deadline 10m, up to 1 may fail, canary first`.

    Raises `RolloutError` where a strategy says what cannot be.
    """
    limits = limits_of(strategy)
    options = _options(strategy, limits.kind)
    said = [limits.kind]
    if limits.kind == ALL:
        said.append("everyone at once")
    elif limits.kind == PROGRESSIVE:
        said.append(f"{limits.max_concurrency} at once" if limits.max_concurrency else "everyone at once")
    else:
        said.append("group by group")
    if limits.soak:
        said.append(f"soak {options['minSuccessTime']}")
    if limits.deadline is not None:
        said.append(f"deadline {options['progressDeadline']}")
    if limits.max_failures and limits.kind != ALL:
        said.append(f"up to {limits.max_failures} may fail")
    if first := mandatory_of(limits):
        said.append(f"{', '.join(first)} first")
    return ", ".join(said)


def mandatory_of(limits: Limits) -> tuple[str, ...]:
    """The decision groups that come first, as the strategy names them."""
    return tuple(str(entry.get("groupName") or entry.get("groupIndex") or 0) for entry in limits.mandatory)


def _options(strategy: Mapping[str, Any] | None, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (strategy or {}).get(kind[:1].lower() + kind[1:]) or {}
    return found


def hold_in_words(
    hold: Hold, strategy: Mapping[str, Any] | None, groups: Sequence[Group], rows: Sequence[Row]
) -> str:
    """Why nobody else starts: `stopped: 2 of 6 clusters failed (c1, c2), maxFailures is 1`."""
    limits = limits_of(strategy)
    match hold.reason:
        case HoldReason.BREACH:
            return _breach(hold, limits, groups)
        case HoldReason.CONCURRENCY:
            return f"maxConcurrency is {limits.max_concurrency}: {standing(hold.by, rows)}"
        case HoldReason.BATCH:
            return f"the next start together once these are done: {standing(hold.by, rows)}"
    group = _group(hold, groups)
    which = "mandatory decision group" if hold.reason is HoldReason.MANDATORY else "decision group"
    return f"{which} {group} comes first: {standing(hold.by, rows)}"


def _breach(hold: Hold, limits: Limits, groups: Sequence[Group]) -> str:
    """Of a mandatory group none may fail; else a share of the group, or of everybody, may."""
    first, _ = first_groups(limits, groups)
    if (mandatory := _holding(hold, first)) is not None:
        among, total = f" of mandatory decision group {_called(mandatory)}", len(mandatory.clusters)
        limit = "none may"
    elif limits.kind != PROGRESSIVE and (group := _holding(hold, groups)) is not None:
        among, total = f" of decision group {_called(group)}", len(group.clusters)
        limit = _most(limits, total)
    else:
        among, total = "", sum(len(g.clusters) for g in groups)
        limit = _most(limits, total)
    return f"stopped: {len(hold.by)} of {total} clusters{among} failed ({listed(hold.by)}), {limit}"


def _most(limits: Limits, total: int) -> str:
    most = size(limits.max_failures, total, 0, "maxFailures")
    share = f" ({most})" if isinstance(limits.max_failures, str) else ""
    return f"maxFailures is {limits.max_failures}{share}"


def _holding(hold: Hold, groups: Sequence[Group]) -> Group | None:
    return next((g for g in groups if set(hold.by) <= set(g.clusters)), None)


def _group(hold: Hold, groups: Sequence[Group]) -> str:
    found = next((g for g in groups if not set(hold.by).isdisjoint(g.clusters)), None)
    return _called(found) if found is not None else "?"


def _called(group: Group) -> str:
    return group.name or str(group.index)


def standing(clusters: Sequence[str], rows: Sequence[Row]) -> str:
    """Clusters with how they stand, those that stand alike together: `c1 failed; c2, c3 under way`."""
    of = {row.cluster: row.standing for row in rows}
    found: dict[Standing, list[str]] = {}
    for cluster in clusters:
        found.setdefault(of.get(cluster, Standing.HELD), []).append(cluster)
    return "; ".join(f"{listed(names)} {how}" for how, names in found.items())


def listed(names: Sequence[str]) -> str:
    """A few names, and how many there are more."""
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
