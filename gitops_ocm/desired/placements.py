"""What the scheduler would call misconfigured in a Placement: said at its line, before every cluster is lost.

The words are the scheduler's (`objects.placements`), as its condition would have them. What the schema
refuses is `fields`'s, and is looked at first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gitops_ocm.desired.fields import Finding
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.errors import Severity
from gitops_ocm.objects import placements
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind

GROUP, KIND = "cluster.open-cluster-management.io", "Placement"
BINDING = Kind(GROUP, "ManagedClusterSetBinding")
CODE = "placement-misconfigured"
LONGEST = 63
_HINT = "with this the placement would select no cluster at all"


def placement_findings(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything in a Placement that the scheduler cannot understand."""
    name = str(obj["metadata"]["name"])
    if len(name) > LONGEST:
        why = f"the name is longer than the {LONGEST} characters of the label that its decisions carry"
        hint = "no PlacementDecision could be written: shorten it"
        yield Finding("placement-name-too-long", why, ("metadata", "name"), hint)
    for index, predicate in enumerate(_items(obj, "spec", "predicates")):
        at: Path = ("spec", "predicates", index, "requiredClusterSelector")
        yield from _selector(get(predicate, "requiredClusterSelector", default=None) or {}, at)
    for index, toleration in enumerate(_items(obj, "spec", "tolerations")):
        yield from _told(placements.toleration_fault(toleration), ("spec", "tolerations", index))
    yield from _policy(get(obj, "spec", "prioritizerPolicy", default=None) or {})
    yield from _groups(obj)
    number = get(obj, "spec", "numberOfClusters", default=None)
    if isinstance(number, int) and number < 0:
        yield from _told(f"numberOfClusters must not be negative: {number}", ("spec", "numberOfClusters"))
    elif number is not None:
        yield from _restless(get(obj, "spec", "prioritizerPolicy", default=None) or {})


def binding_findings(obj: Mapping[str, Any], bindings: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """Cluster sets that are not bound to the placement's namespace, as far as the commit's bindings tell.

    `bindings` are their namespaces and names. A commit without any leaves binding to others.
    """
    home = str(obj["metadata"].get("namespace") or "")
    for index, name in enumerate(_items(obj, "spec", "clusterSets") if bindings else ()):
        if (home, name) not in bindings:
            why = f"no ManagedClusterSetBinding here binds the cluster set {name} to the namespace {home}"
            hint = f"add one named {name}, or bind it on the hub, else none of its clusters is selected"
            at: Path = ("spec", "clusterSets", index)
            yield Finding("cluster-set-not-bound", why, at, hint, Severity.WARNING)


def _selector(selector: Mapping[str, Any], at: Path) -> Iterator[Finding]:
    for part in ("labelSelector", "claimSelector"):
        yield from _told(placements.selector_fault(selector.get(part)), (*at, part))
    texts, every = _items(selector, "celSelector", "celExpressions"), (*at, "celSelector", "celExpressions")
    if not texts:
        return
    from gitops_ocm.objects import placement_expressions as expressions

    if fault := expressions.expressions_fault(texts):
        yield from _told(fault, every)
        return
    for index, text in enumerate(texts):
        if fault := expressions.expression_fault(text):
            yield from _told(fault, (*every, index))
        elif expressions.too_dear(text):
            why = "the expression costs more than it may, even on a cluster of nothing but a name"
            hint = "the clusters on which it does are not selected"
            yield Finding(CODE, why, (*every, index), hint, Severity.WARNING)


def _policy(policy: Mapping[str, Any]) -> Iterator[Finding]:
    at: Path = ("spec", "prioritizerPolicy")
    yield from _told(placements.mode_fault(policy), (*at, "mode"))
    for index, entry in enumerate(_items(policy, "configurations")):
        if entry.get("weight", 1):
            fault = placements.score_fault(entry.get("scoreCoordinate") or {})
            yield from _told(fault, (*at, "configurations", index, "scoreCoordinate"))


def _restless(policy: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether each decision of a limited number of clusters would call for another one."""
    at: Path = ("spec", "prioritizerPolicy", "configurations")
    steady = [
        (index, entry.get("weight", 1))
        for index, entry in enumerate(_items(policy, "configurations"))
        if get(entry, "scoreCoordinate", "builtIn", default=None) == "Steady"
    ]
    for index, weight in steady[-1:]:  # the last one counts
        if isinstance(weight, int) and weight < 0:
            why = "a weight of Steady below 0 prefers clusters that are not selected: no decision ever stands"
            hint = "the hub would move clusters without end; leave Steady out with weight 0"
            yield Finding("placement-restless", why, (*at, index, "weight"), hint)


def _groups(obj: Mapping[str, Any]) -> Iterator[Finding]:
    at: Path = ("spec", "decisionStrategy", "groupStrategy")
    size = get(obj, *at, "clustersPerDecisionGroup", default=None)
    yield from _told(placements.group_size_fault(size), (*at, "clustersPerDecisionGroup"))
    for index, group in enumerate(_items(obj, *at, "decisionGroups")):
        selector = get(group, "groupClusterSelector", default=None) or {}
        named: Path = (*at, "decisionGroups", index, "groupClusterSelector")
        for part in ("labelSelector", "claimSelector"):
            yield from _told(placements.selector_fault(selector.get(part)), (*named, part))


def _items(obj: Mapping[str, Any], *path: str | int) -> Sequence[Any]:
    found = get(obj, *path, default=None)
    return found if isinstance(found, list) else ()


def _told(fault: str, at: Path) -> Iterator[Finding]:
    if fault:
        yield Finding(CODE, fault.partition("\n")[0], at, _HINT)
