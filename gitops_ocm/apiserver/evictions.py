"""Evictions and bindings of pods: a deletion that disruption budgets have their say in, and a node for a pod.

Both are what a drain and a scheduler do; nobody else is asked about them: webhooks and policies are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.values import WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.conditions import is_true, timestamp, with_condition
from gitops_ocm.objects.faults import ApiError, Cause, bad_request, conflict, forbidden, not_found
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.schema import Definitions
from gitops_ocm.objects.selectors import matches

_API = "io.k8s.api.policy.v1.Eviction"
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_DEFINITIONS: Mapping[str, Mapping[str, Any]] = {
    _API: {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": _OPEN,
            "deleteOptions": _OPEN,
        },
    }
}
EVICTION = Served(
    Resource("policy", "v1", "Eviction", "evictions", namespaced=True),
    load=lambda: Definitions(lambda name: _DEFINITIONS[name]).node(_API),
)
"""The kind of what is sent: it is served as a subresource, so no list of kinds has it."""
_UNDER_WAY = 10
"""Seconds to wait for a budget that is still being counted."""
_MOST_DISRUPTED = 2000
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_SERVER = "kube-apiserver"


class Evictions:
    """Evicts and binds the pods of one `Api`."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now

    def evict(self, namespace: str, name: str, eviction: Object, *, dry_run: bool) -> None:
        """Delete a pod unless its disruption budget forbids that."""
        if (eviction.get("metadata") or {}).get("name") != name:
            raise bad_request("name in URL does not match name in Eviction object")
        options = dict(eviction.get("deleteOptions") or {})
        if dry_run:
            options["dryRun"] = ["All"]
        dry_run = bool(options.get("dryRun"))
        served = self._served("v1", "Pod")
        pod = self._found("pods", namespace, name)
        if not _is_free(pod):
            self._count(namespace, pod, dry_run=dry_run)
        if not dry_run:
            _check(pod, options.get("preconditions") or {})
            self._api.overwrite(served, namespace, name, self._targeted)
        if (options.get("preconditions") or {}).get("resourceVersion"):
            kept = {k: v for k, v in options["preconditions"].items() if k != "resourceVersion"}
            options["preconditions"] = kept
        self._api.delete(served, namespace, name, options)

    def _targeted(self, pod: Object) -> Object:
        return self._with_condition(
            pod,
            type="DisruptionTarget",
            reason="EvictionByEvictionAPI",
            message="Eviction API: evicting",
        )

    def _with_condition(self, pod: Object, **condition: str) -> Object:
        status = pod.get("status") or {}
        kept = [c for c in status.get("conditions") or () if c.get("type") != condition["type"]]
        times = {"lastProbeTime": None, "lastTransitionTime": timestamp(self._now())}
        found = [*kept, {**condition, "status": "True", **times}]
        return {**pod, "status": {**status, "conditions": found}}

    def _count(self, namespace: str, pod: Object, *, dry_run: bool) -> None:
        """Raise where the budget of a pod is used up; else use some of it."""
        budgets = self._api.store.objects(("policy", "poddisruptionbudgets")).items()
        labels = pod["metadata"].get("labels")
        found = [
            budget
            for key, budget in budgets
            if key.namespace == namespace
            and (selector := budget["spec"].get("selector")) is not None
            and matches(selector, labels)
        ]
        if len(found) > 1:
            why = "which the eviction subresource does not support."
            raise _odd(f"This pod has more than one PodDisruptionBudget, {why}")
        if not found:
            return
        budget = found[0]
        status = budget.get("status") or {}
        if not is_true(pod, "Ready") and _may_go_unhealthy(budget):
            return
        _check_budget(budget)
        if not dry_run:
            self._spend(budget, pod["metadata"]["name"], status)

    def _spend(self, budget: Object, pod: str, status: Mapping[str, Any]) -> None:
        meta = budget["metadata"]
        left = status["disruptionsAllowed"] - 1
        disrupted = {**(status.get("disruptedPods") or {}), pod: timestamp(self._now())}
        told = {**status, "disruptionsAllowed": left, "disruptedPods": disrupted}
        if not left:
            told["conditions"] = with_condition(
                status.get("conditions"),
                type="DisruptionAllowed",
                status="False",
                reason="InsufficientPods",
                message="",
                now=self._now(),
            )
            told["conditions"][-1]["observedGeneration"] = status.get("observedGeneration")
        options = WriteOptions(field_manager=_SERVER)
        served = self._served("policy/v1", "PodDisruptionBudget")
        changed = {**budget, "status": told}
        self._api.update(served, meta["namespace"], meta["name"], changed, options, subresource="status")

    def bind(self, namespace: str, name: str, binding: Object, *, options: WriteOptions) -> None:
        """Put a pod on a node."""
        meta, target = binding.get("metadata") or {}, binding.get("target") or {}
        if meta.get("name") != name:
            raise bad_request("name in URL does not match name in Binding object")
        kind = target.get("kind") or ""
        if kind not in ("", "Node"):
            raise _odd(f'target.kind: Unsupported value: "{kind}": supported values: "Node", "<empty>"')
        if not target.get("name"):
            raise _odd("target.name: Required value")
        self._found("pods", namespace, name)

        def bound(pod: Object) -> Object:
            _check(pod, meta)
            if why := _not_bindable(pod):
                raise conflict("", "pods/binding", name, why)
            known = dict(pod["metadata"])
            for field in ("annotations", "labels"):
                if meta.get(field):
                    known[field] = {**(known.get(field) or {}), **meta[field]}
            placed = {**pod, "metadata": known, "spec": {**pod["spec"], "nodeName": target["name"]}}
            return self._with_condition(placed, type="PodScheduled")

        served = self._served("v1", "Pod")
        self._api.overwrite(served, namespace, name, bound, replace(options, field_manager=""))

    def _found(self, plural: str, namespace: str, name: str) -> Object:
        obj = self._api.store.get(Key("", plural, namespace, name))
        if obj is None:
            raise not_found("", plural, name)
        return obj

    def _served(self, api_version: str, kind: str) -> Served:
        served = self._api.catalog.served(api_version, kind)
        assert served is not None, "the kinds of a server's own"
        return served


def _is_free(pod: Object) -> bool:
    """Whether a pod is of no account to a budget: it has ended, has not begun, or goes anyway."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _may_go_unhealthy(budget: Object) -> bool:
    status = budget.get("status") or {}
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    wanted = status.get("desiredHealthy") or 0
    return 0 < wanted <= (status.get("currentHealthy") or 0)


def _check_budget(budget: Object) -> None:
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    allowed = status.get("disruptionsAllowed") or 0
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(why, _UNDER_WAY)
    if allowed < 0:
        raise forbidden("policy", "poddisruptionbudget", name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > _MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden("policy", "poddisruptionbudget", name, why)
    if not allowed:
        raise _too_many(_used_up(name, status), 0)


def _used_up(name: str, status: Mapping[str, Any]) -> str:
    found = (c for c in status.get("conditions") or () if c.get("type") == "DisruptionAllowed")
    condition = next((c for c in found if c.get("status") == "False" and c.get("message")), None)
    if condition and condition.get("reason") == "SyncFailed":
        why = f"because it failed sync: {condition['message']}"
        return f"The disruption budget {name} does not allow evicting pods currently {why}"
    wanted, have = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
    if have <= wanted:
        return f"The disruption budget {name} needs {wanted} healthy pods and has {have} currently"
    more = f" ({condition.get('reason')}): {condition['message']}" if condition else ""
    return f"The disruption budget {name} does not allow evicting pods currently{more}"


def _too_many(why: str, seconds: int) -> ApiError:
    return ApiError("TooManyRequests", _REFUSED, causes=[Cause("DisruptionBudget", why)], retry_after=seconds)


def _not_bindable(pod: Object) -> str:
    spec, name = pod.get("spec") or {}, pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp"):
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if spec.get("nodeName"):
        return f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    return f"pod {name} has non-empty .spec.schedulingGates" if spec.get("schedulingGates") else ""


def _check(pod: Object, wanted: Mapping[str, Any]) -> None:
    """Raise Conflict where another pod, or another version of it, is meant."""
    meta = pod["metadata"]
    for field, name, happened in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        sent = wanted.get(field)
        if sent and sent != meta[field]:
            record = f"the {name} in record ({meta[field]})."
            why = f"the {name} in the precondition ({sent}) does not match {record}"
            raise conflict("", "Pod", meta["name"], f"{why} The object might have been {happened}")


def _odd(text: str) -> ApiError:
    return ApiError("InternalError", text, bare=True)
