"""What a rollout strategy's options come to: spans of time, numbers of clusters, groups that come first.

The texts of faults are OCM's, which people search for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gitops_ocm.api.rollout import ALL, PROGRESSIVE, PROGRESSIVE_PER_GROUP
from gitops_ocm.api.scalars import ScalarError, parse_duration
from gitops_ocm.decide.rollout.groups import Group
from gitops_ocm.decide.rollout.model import RolloutError

_BLOCKS = {ALL: "all", PROGRESSIVE: "progressive", PROGRESSIVE_PER_GROUP: "progressivePerGroup"}
_DEADLINE = re.compile(r"^(([0-9])+[h|m|s])|None$")
"""As the definition has it: either side of the `|` is anchored at one end only."""
_CUT = re.compile(r"[-+]?(?:[0-9.]+(?:ns|us|µs|ms|s|m|h))*(?P<number>[0-9.]*)(?P<unit>[^0-9.]*)")
"""What is left of a duration behind the parts of it that can be read."""
_SOAK_HINT = "write minSuccessTime like 90s or 10m"

Size = int | str


@dataclass(frozen=True)
class Limits:
    """The options of the chosen type."""

    kind: str
    deadline: timedelta | None
    soak: timedelta
    max_failures: Size
    max_concurrency: Size
    mandatory: tuple[Mapping[str, Any], ...]


def limits_of(strategy: Mapping[str, Any] | None) -> Limits:
    """Read a strategy; none at all means All. Raises `RolloutError`."""
    strategy = {"type": ALL} if strategy is None else strategy
    kind = strategy.get("type", "")
    if kind not in _BLOCKS:
        raise RolloutError(
            f"incorrect rollout strategy type {kind}", hint=f"type is one of {', '.join(sorted(_BLOCKS))}"
        )
    options = strategy.get(_BLOCKS[kind]) or {}
    limits = Limits(
        kind,
        deadline=_deadline(options.get("progressDeadline")),
        soak=timedelta(0) if kind == ALL else _span(options.get("minSuccessTime") or "0", _SOAK_HINT),
        max_failures=options.get("maxFailures") or 0,
        max_concurrency=options.get("maxConcurrency") or 0,
        mandatory=tuple(options.get("mandatoryDecisionGroups") or ()),
    )
    if kind != ALL:
        size(limits.max_failures, 0, 0, "maxFailures")
    return limits


def has_deadline(strategy: Mapping[str, Any] | None) -> bool:
    """Whether time ends what a cluster may take; a strategy that cannot be has none."""
    try:
        return limits_of(strategy).deadline is not None
    except RolloutError:
        return False


def with_concurrency_of(
    placement: Mapping[str, Any], strategy: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """The strategy, its `maxConcurrency` by default the placement's `clustersPerDecisionGroup`."""
    options = (strategy or {}).get("progressive") or {}
    if strategy is None or strategy.get("type") != PROGRESSIVE or options.get("maxConcurrency"):
        return strategy
    decisions = (placement.get("spec") or {}).get("decisionStrategy") or {}
    default = (decisions.get("groupStrategy") or {}).get("clustersPerDecisionGroup")
    return {**strategy, "progressive": {**options, "maxConcurrency": default or 0}}


def _deadline(text: str | None) -> timedelta | None:
    """`progressDeadline`; None where there is none."""
    if not text or text == "None":
        return None
    hint = "write progressDeadline like 90s, 10m or None"
    if not _DEADLINE.search(text):
        raise RolloutError("invalid timeout format", hint=hint)
    return _span(text, hint)


def _span(text: str, hint: str) -> timedelta:
    try:
        return parse_duration(text)
    except ScalarError as fault:
        found = _CUT.match(text)
        said = "invalid duration"
        if found and found["number"]:
            said = (
                f'unknown unit "{found["unit"]}" in duration' if found["unit"] else "missing unit in duration"
            )
        raise RolloutError(f'time: {said} "{text}"', hint=hint) from fault


def size(wanted: Size, total: int, default: int, field: str) -> int:
    """A number of clusters, or a share of `total` rounded up; what makes no sense is the default.

    The share is worked out in floating point, as OCM does: 7 % of 100 are 8.
    """
    if isinstance(wanted, int):
        found = wanted
    elif not wanted.endswith("%"):
        fault = f"'{wanted}' is an invalid maximum threshold value: string is not a percentage"
        raise RolloutError(f"failed to parse the provided {field}: {fault}", hint=f"write {field}: 25%, or 3")
    else:
        try:
            share = float(wanted[:-1]) / 100 * total
        except ValueError as error:
            fault = f'strconv.ParseFloat: parsing "{wanted[:-1]}": invalid syntax'
            raise RolloutError(
                f"failed to parse the provided {field}: {fault}", hint=f"write {field}: 25%, or 3"
            ) from error
        found = math.ceil(share) if math.isfinite(share) else 0
    return found if 0 < found <= total else default


def first_groups(limits: Limits, groups: Sequence[Group]) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The mandatory groups, in the order of the groups, and those that are named and not there."""
    found: list[int] = []
    unknown: list[str] = []
    for entry in limits.mandatory:
        name, index = entry.get("groupName") or "", entry.get("groupIndex") or 0
        named = [i for i, g in enumerate(groups) if (g.name == name if name else g.index == index)]
        found += named
        unknown += [] if named else [name or str(index)]
    return tuple(groups[i] for i in sorted(set(found))), tuple(dict.fromkeys(unknown))
