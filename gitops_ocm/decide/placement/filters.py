"""Which candidates a placement may select at all: predicates, then taints and tolerations.

A filter takes clusters and answers with those it keeps and, for each other one, why it was dropped; a
placement that cannot be understood raises `Misconfigured`. Order and texts are the Go scheduler's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gitops_ocm.decide.placement.expressions import Expressions
from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.functions import ScoreObject, no_scores
from gitops_ocm.decide.writes import labels_of, name_of, status_of, time_at
from gitops_ocm.objects import selectors
from gitops_ocm.objects.names import key_problems
from gitops_ocm.objects.ref import Object

PREDICATE, TAINTS = "Predicate", "TaintToleration"


@dataclass(frozen=True)
class Filtered:
    """What a filter made of its candidates; `recheck` is when it would judge otherwise by itself."""

    kept: tuple[Object, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    recheck: datetime | None = None


# --- predicates -------------------------------------------------------------------------------------

_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_INVALID_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def check_selector(selector: Mapping[str, Any] | None) -> str:
    """What is wrong with a LabelSelector, in apimachinery's words; `""` if nothing is."""
    if selector is None:
        return ""
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        if fault := _check_value(key, value):
            return fault
    for expression in selector.get("matchExpressions") or ():
        key, operator = expression.get("key", ""), expression.get("operator", "")
        values = expression.get("values") or []
        if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            return f'"{operator}" is not a valid label selector operator'
        if operator in ("In", "NotIn") and not values:
            return "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
        if operator in ("Exists", "DoesNotExist") and values:
            shown = " ".join(f'"{v}"' for v in values)
            return f"values: Invalid value: [{shown}]: values set must be empty for exists and does not exist"
        if faults := key_problems(key):
            return f'key: Invalid value: "{key}": {"; ".join(faults)}'
        for at, value in enumerate(values):
            if fault := _check_value(key, value, at):
                return fault
    return ""


def _check_value(key: str, value: str, at: int = 0) -> str:
    if len(value) > 63:
        return f'values[{at}][{key}]: Invalid value: "{value}": must be no more than 63 bytes'
    if not _LABEL_VALUE.fullmatch(value):
        return f'values[{at}][{key}]: Invalid value: "{value}": {_INVALID_VALUE}'
    return ""


def claims_of(cluster: Mapping[str, Any]) -> dict[str, str]:
    """A cluster's claims as a map."""
    return {c["name"]: c.get("value", "") for c in status_of(cluster).get("clusterClaims") or ()}


@dataclass(frozen=True)
class ClusterSelector:
    """Labels, claims and expressions, all of which a cluster has to meet."""

    labels: Mapping[str, Any] | None
    claims: Mapping[str, Any] | None
    expressions: Expressions | None = None

    @classmethod
    def of(
        cls, wire: Mapping[str, Any], plugin: str, score_object: ScoreObject = no_scores
    ) -> ClusterSelector:
        """Read a `requiredClusterSelector` or `groupClusterSelector`; raises `Misconfigured`.

        Expressions may look into the scores that `score_object` finds.
        """
        labels, claims = wire.get("labelSelector"), wire.get("claimSelector")
        if fault := check_selector(labels) or check_selector(claims):
            raise Misconfigured(plugin, fault)
        texts = (wire.get("celSelector") or {}).get("celExpressions") or []
        return cls(labels, claims, Expressions.compile(texts, plugin, score_object) if texts else None)

    def matches(self, cluster: Mapping[str, Any]) -> bool:
        """Whether the cluster meets all of it; what is not said is met."""
        return (
            (self.labels is None or selectors.matches(self.labels, labels_of(cluster)))
            and (self.claims is None or selectors.matches(self.claims, claims_of(cluster)))
            and (self.expressions is None or self.expressions.match(cluster))
        )


def by_predicates(
    predicates: Sequence[Mapping[str, Any]],
    clusters: Sequence[Object],
    score_object: ScoreObject = no_scores,
) -> Filtered:
    """Keep the clusters that meet any of the predicates; without predicates, all."""
    if not predicates or not clusters:
        return Filtered(tuple(clusters))
    required = [p.get("requiredClusterSelector") or {} for p in predicates]
    wanted = [ClusterSelector.of(wire, PREDICATE, score_object) for wire in required]
    kept = tuple(c for c in clusters if any(selector.matches(c) for selector in wanted))
    names = {name_of(c) for c in kept}
    dropped = {name_of(c): "meets no predicate" for c in clusters if name_of(c) not in names}
    return Filtered(kept, dropped)


# --- taints -----------------------------------------------------------------------------------------


def by_taints(
    tolerations: Sequence[Mapping[str, Any]],
    clusters: Sequence[Object],
    *,
    chosen: frozenset[str],
    now: datetime,
) -> Filtered:
    """Keep the clusters all of whose taints are tolerated; `chosen` are in the decisions already."""
    if not clusters:
        return Filtered(())
    for toleration in tolerations:
        _check(toleration)
    kept, dropped, rechecks = [], {}, []
    for cluster in clusters:
        name = name_of(cluster)
        taints = (cluster.get("spec") or {}).get("taints") or ()
        refused = [t for t in taints if not _passes(t, tolerations, chosen=name in chosen, now=now)]
        if refused:
            taint = refused[0]
            dropped[name] = f"taint {taint.get('key')} ({taint.get('effect')}) is not tolerated"
            continue
        kept.append(cluster)
        if name in chosen:
            rechecks += [at for t in taints if (at := _tolerated_until(t, tolerations, now))]
    return Filtered(tuple(kept), dropped, min(rechecks, default=None))


def _check(toleration: Mapping[str, Any]) -> None:
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key") and not exists:
        raise Misconfigured(TAINTS, "If the key is empty, operator must be Exists.")
    if exists and toleration.get("value"):
        raise Misconfigured(TAINTS, "If the operator is Exists, the value should be empty.")


def _passes(
    taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]], *, chosen: bool, now: datetime
) -> bool:
    match taint.get("effect"):
        case "PreferNoSelect":
            return True
        case "NoSelectIfNew" if chosen:
            return True
    return any(_holds(toleration, taint, now) for toleration in tolerations)


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Whether a toleration is for this taint, its time left aside; an unknown operator tolerates nothing."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    same = (toleration.get("value") or "") == (taint.get("value") or "")
    return operator == "Exists" or (operator == "Equal" and same)


def _expiry(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> datetime | None:
    """When the toleration ends; None: never. A taint without a time has been there always."""
    seconds = toleration.get("tolerationSeconds")
    if seconds is None:
        return None
    added = time_at(taint.get("timeAdded"))
    if added is None:
        return datetime.min.replace(tzinfo=UTC)
    return added + timedelta(seconds=seconds)


def _holds(toleration: Mapping[str, Any], taint: Mapping[str, Any], now: datetime) -> bool:
    if not _tolerates(toleration, taint):
        return False
    end = _expiry(toleration, taint)
    return end is None or now < end


def _tolerated_until(
    taint: Mapping[str, Any], tolerations: Iterable[Mapping[str, Any]], now: datetime
) -> datetime | None:
    """The end of the first toleration that holds now: it decides when to look again."""
    if taint.get("effect") in ("PreferNoSelect", "NoSelectIfNew"):
        return None
    for toleration in tolerations:
        if _holds(toleration, taint, now):
            return _expiry(toleration, taint)
    return None
