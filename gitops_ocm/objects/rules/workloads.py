"""Workloads that go on: their selectors and strategies, and the numbers in their status."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.rules import claims, pods
from gitops_ocm.objects.rules.faults import (
    IMMUTABLE,
    Faults,
    Value,
    forbidden,
    invalid,
    items,
    not_negative,
    optional_one_of,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import at_most_all, label, label_selector, percent, percent_or_count
from gitops_ocm.objects.selectors import matches

_MISMATCH = "`selector` does not match template `labels`"
_FROZEN_SET = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_SET_CHANGES = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds"),
    "persistentVolumeClaimRetentionPolicy",
)


def deployment(obj: Value, old: Value | None) -> Faults:
    """A Deployment."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from _selector(spec.get("selector"), "deployment")
    yield from _template(spec, "ReplicaSet")
    strategy = spec.get("strategy") or {}
    yield from _deployment_strategy("spec.strategy", strategy)
    least = spec.get("minReadySeconds") or 0
    yield from not_negative("spec.minReadySeconds", least)
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= least:
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    yield from _selector_kept(obj, old)
    yield from _status(obj, _OF_DEPLOYMENTS, ("observedGeneration", "collisionCount"))


_OF_DEPLOYMENTS = (
    *("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
    "unavailableReplicas",
)


def replica_set(obj: Value, old: Value | None) -> Faults:
    """A ReplicaSet."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _selector(spec.get("selector"), "deployment")
    yield from _template(spec, "ReplicaSet")
    yield from _selector_kept(obj, old)
    counts = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    yield from _status(obj, counts, ("observedGeneration",))


def daemon_set(obj: Value, old: Value | None) -> Faults:
    """A DaemonSet."""
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    yield from label_selector("spec.selector", selector)
    labels = _template_labels(spec)
    if not isinstance(selector, dict) or not matches(selector, labels or {}):
        yield invalid("spec.template.metadata.labels", labels, _MISMATCH)
    if selector is not None and not _asks(selector):
        yield invalid("spec.selector", selector, "empty selector is invalid for daemonset")
    yield from pods.template("spec.template", spec.get("template") or {})
    yield from _always(spec, "DaemonSet")
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from _daemon_strategy("spec.updateStrategy", spec.get("updateStrategy") or {})
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    yield from _selector_kept(obj, old)
    status = obj.get("status") or {}
    for name in _OF_DAEMONS:
        yield from not_negative(f"status.{name}", status.get(name))


_OF_DAEMONS = (
    *("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
    *("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"),
    "collisionCount",
)


def stateful_set(obj: Value, old: Value | None) -> Faults:
    """A StatefulSet."""
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy") or ""
    if not policy:
        yield required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _set_strategy("spec.updateStrategy", spec.get("updateStrategy") or {})
    kept = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for name in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
        yield from optional_one_of(path, kept.get(name), ("Retain", "Delete"))
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if old is None:
        for at, claim in items(spec.get("volumeClaimTemplates"), "spec.volumeClaimTemplates"):
            yield from claims.spec(f"{at}.spec", claim.get("spec") or {})
        if spec.get("serviceName"):
            yield from label("spec.serviceName", spec["serviceName"])
    yield from _selector(spec.get("selector"), "statefulset")
    yield from _template(spec, "StatefulSet")
    if old is not None and _without(spec, _SET_CHANGES) != _without(old.get("spec") or {}, _SET_CHANGES):
        yield forbidden("spec", _FROZEN_SET)
    counts = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    yield from _status(obj, counts, ("observedGeneration", "collisionCount"))


def replication_controller(obj: Value, old: Value | None) -> Faults:
    """A ReplicationController, whose selector is a plain map."""
    spec = obj.get("spec") or {}
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    selector = spec.get("selector") or {}
    if not selector:
        yield required("spec.selector")
    yield from not_negative("spec.replicas", spec.get("replicas"))
    if spec.get("template") is None:
        yield required("spec.template")
        return
    if selector and not matches({"matchLabels": selector}, _template_labels(spec) or {}):
        yield invalid(
            "spec.template.metadata.labels",
            _template_labels(spec),
            "`selector` does not match template `labels`",
        )
    yield from pods.template("spec.template", spec["template"])
    yield from _always(spec, "ReplicationController")


def _without(spec: Value, names: tuple[str, ...]) -> dict[str, Any]:
    kept = {key: value for key, value in spec.items() if key not in names}
    # What is said of a claim's state is nobody's wish.
    templates = kept.get("volumeClaimTemplates")
    if templates:
        kept["volumeClaimTemplates"] = [
            {key: value for key, value in claim.items() if key != "status"} for claim in templates
        ]
    return kept


def _asks(selector: Value | None) -> bool:
    return bool((selector or {}).get("matchLabels") or (selector or {}).get("matchExpressions"))


def _template_labels(spec: Value) -> Any:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or None


def _selector(selector: Value | None, kind: str) -> Faults:
    if selector is None:
        yield required("spec.selector")
        return
    yield from label_selector("spec.selector", selector)
    if not _asks(selector):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")


def _template(spec: Value, owner: str) -> Faults:
    """The template of a workload whose selector has been judged: a broken one is told again."""
    selector, labels = spec.get("selector"), _template_labels(spec)
    if selector is not None and any(label_selector("", selector)):
        yield invalid("spec.selector", selector, "invalid label selector")
        return
    if selector is None or (_asks(selector) and not matches(selector, labels or {})):
        yield invalid("spec.template.metadata.labels", labels, _MISMATCH)
    yield from pods.template("spec.template", spec.get("template") or {})
    yield from _always(spec, owner)


def _always(spec: Value, owner: str) -> Faults:
    """What only Jobs may want of their pods."""
    pod = (spec.get("template") or {}).get("spec") or {}
    policy = pod.get("restartPolicy") or "Always"
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {owner} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", why)


def _selector_kept(obj: Value, old: Value | None) -> Faults:
    selector = (obj.get("spec") or {}).get("selector")
    if old is not None and selector != (old.get("spec") or {}).get("selector"):
        yield invalid("spec.selector", selector, IMMUTABLE)


def _deployment_strategy(path: str, strategy: Value) -> Faults:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate" and rolling is not None:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden(f"{path}.rollingUpdate", why)
    elif kind == "RollingUpdate":
        rolling = rolling or {}
        lost, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        yield from percent_or_count(f"{path}.rollingUpdate.maxUnavailable", lost)
        yield from percent_or_count(f"{path}.rollingUpdate.maxSurge", more)
        if not _amount(lost) and not _amount(more):
            yield invalid(f"{path}.rollingUpdate.maxUnavailable", lost, "may not be 0 when `maxSurge` is 0")
        yield from at_most_all(f"{path}.rollingUpdate.maxUnavailable", lost)
    elif kind != "Recreate":
        yield unsupported(path, _told(strategy), ("Recreate", "RollingUpdate"))


def _amount(value: Any) -> int:
    """A number or a percentage as a number; what is neither counts as none."""
    if isinstance(value, str):
        return percent(value) or 0
    return int(value or 0)


def _told(strategy: Value) -> dict[str, Any]:
    """A strategy under Go's names."""
    rolling = strategy.get("rollingUpdate")
    told = {f"{k[0].upper()}{k[1:]}": v for k, v in rolling.items()} if rolling else None
    return {"Type": strategy.get("type") or "", "RollingUpdate": told}


def _daemon_strategy(path: str, strategy: Value) -> Faults:
    kind = strategy.get("type")
    if kind not in ("RollingUpdate", "OnDelete"):
        yield unsupported(path, _told(strategy), ("RollingUpdate", "OnDelete"))
        return
    if kind == "OnDelete":
        return
    rolling = strategy.get("rollingUpdate")
    if rolling is None:
        yield required(f"{path}.rollingUpdate")
        return
    lost, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    where = f"{path}.rollingUpdate"
    yield from percent_or_count(f"{where}.maxUnavailable", lost)
    yield from percent_or_count(f"{where}.maxSurge", more)
    if _amount(lost) and _amount(more):
        yield invalid(f"{where}.maxSurge", more, "may not be set when maxUnavailable is non-zero")
    elif not _amount(lost) and not _amount(more):
        yield required(f"{where}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    yield from at_most_all(f"{where}.maxUnavailable", lost)
    yield from at_most_all(f"{where}.maxSurge", more)


def _set_strategy(path: str, strategy: Value) -> Faults:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if not kind:
        yield required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            told = {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}
            yield invalid(f"{path}.rollingUpdate", told, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate":
        partition = (rolling or {}).get("partition")
        yield from not_negative(f"{path}.rollingUpdate.partition", partition)
    else:
        yield invalid(path, _told(strategy), "must be 'RollingUpdate' or 'OnDelete'")


def _status(obj: Value, counts: tuple[str, ...], more: tuple[str, ...]) -> Faults:
    """Numbers of replicas: none is negative, and none but the first is greater than it."""
    status = obj.get("status") or {}
    whole, *parts = counts
    for name in (*counts, *more):
        yield from not_negative(f"status.{name}", status.get(name))
    total = status.get(whole) or 0
    for name in parts:
        count = status.get(name) or 0
        if count > total and name != "unavailableReplicas":
            yield invalid(f"status.{name}", count, f"cannot be greater than status.{whole}")
    ready, available = status.get("readyReplicas") or 0, status.get("availableReplicas") or 0
    if available > ready:
        yield invalid("status.availableReplicas", available, "cannot be greater than readyReplicas")
