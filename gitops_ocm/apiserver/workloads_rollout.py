"""How a simulated Deployment moves from one ReplicaSet to the next: by the rules of its strategy.

The new set grows by `maxSurge`, the old ones shrink as long as no more than `maxUnavailable` are missing;
so a template whose pods never get ready leaves the old pods standing, as on a real cluster.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_ocm.decide.writes import annotations_of, name_of, status_of
from gitops_ocm.objects.ref import Object

_DIGITS = 18
REVISION = "deployment.kubernetes.io/revision"
"""Annotation of a Deployment and its sets: how many templates it has had by then."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many replicas the new set and each of the old ones are to have now."""

    new: int
    old: Mapping[str, int]


def sizes(deployment: Object, new: Object | None, old: Sequence[Object]) -> Sizes:
    """The next step of a rollout."""
    spec = deployment.get("spec") or {}
    total = replicas_of(deployment)
    have = {name_of(each): replicas_of(each) for each in old}
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        gone = not any(int(status_of(each).get("replicas", 0)) for each in old)
        return Sizes(total if gone else 0, dict.fromkeys(have, 0))
    surge, missing = _allowed(spec, total)
    current = replicas_of(new) if new is not None else 0
    grown = min(total, max(current, total + surge - sum(have.values())))
    ready = sum(_ready(each) for each in (*old, *([new] if new is not None else [])))
    spare = max(ready - (total - missing), 0)
    shrunk = {}
    for each in old:
        # What is not ready serves nobody and may go at once; of the rest, what can be spared.
        idle = max(replicas_of(each) - _ready(each), 0)
        taken = min(_ready(each), spare)
        spare -= taken
        shrunk[name_of(each)] = replicas_of(each) - idle - taken
    return Sizes(grown, shrunk)


def revision(new: Object | None, old: Sequence[Object]) -> str:
    """The number of the newest set: the highest, also where an earlier template is taken up again."""
    last = max(map(_revision, old), default=0)
    now = _revision(new) if new is not None else 0
    return str(now if now > last else last + 1)


def _revision(replica_set: Object) -> int:
    text = annotations_of(replica_set).get(REVISION, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else 0


def _allowed(spec: Mapping[str, Any], total: int) -> tuple[int, int]:
    """How many more and how many fewer than wanted there may be meanwhile."""
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = _share(rolling.get("maxSurge", "25%"), total, up=True)
    missing = _share(rolling.get("maxUnavailable", "25%"), total, up=False)
    return surge, missing if surge or missing else 1


def _share(value: int | str, total: int, *, up: bool) -> int:
    if isinstance(value, int):
        return value
    part = total * int(value.rstrip("%") or 0) / 100
    return math.ceil(part) if up else math.floor(part)


def replicas_of(obj: Object) -> int:
    """How many replicas are wanted."""
    replicas = (obj.get("spec") or {}).get("replicas", 1)
    return replicas if isinstance(replicas, int) else 1


def _ready(obj: Object) -> int:
    # A set that is shrinking reports pods that are as good as gone.
    return min(int(status_of(obj).get("readyReplicas", 0)), replicas_of(obj))
