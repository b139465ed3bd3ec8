"""ResourceQuotas: what is in a namespace is counted, and what would be too much is refused.

A quota is counted anew when it is made or changed, and kept right with every write after that, in the write's
own transaction. What an object takes is `objects.quota_usage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.registry import Registry, resource_of
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects import ownership, quota_usage
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import forbidden
from gitops_ocm.objects.quota_usage import CLAIMS, PODS, SERVICES, Amounts
from gitops_ocm.objects.ref import Object

QUOTAS = ("", "resourcequotas")
_COUNTER, _SERVER = "kube-controller-manager", "kube-apiserver"
_GROWING = frozenset({SERVICES, CLAIMS})
"""Resources of which a change, too, may take more than before."""


class Quotas:
    """The quotas of one store."""

    def __init__(self, store: Store, registry: Registry, now: Callable[[], datetime]) -> None:
        self._store = store
        self._registry = registry
        self._now = now

    def check(self, served: Served, obj: Object, old: Object | None, subresource: str) -> None:
        """Raise Forbidden where a quota has not enough left for what is to be written."""
        resource, meta = resource_of(served), obj["metadata"]
        if not self._store.has(QUOTAS) or not _handles(resource, obj, old, subresource):
            return
        for key, quota in self._of(meta.get("namespace") or ""):
            hard = (quota.get("status") or {}).get("hard") or {}
            if not quota_usage.concerns(quota, hard, resource, obj):
                continue
            if why := self._refusal(resource, obj, old, quota, hard):
                text = why.format(key.name)
                raise forbidden(served.resource.group, served.resource.plural, meta.get("name") or "", text)

    def _refusal(
        self, resource: tuple[str, str], obj: Object, old: Object | None, quota: Object, hard: Amounts
    ) -> str:
        limited = [name for name in hard if quota_usage.is_of(name, resource)]
        if resource == PODS and (missing := quota_usage.unspecified(limited, obj)):
            return f"failed quota: {{}}: must specify {missing}"
        unknown = sorted(set(limited) - (quota["status"].get("used") or {}).keys())
        if unknown:
            return f"status unknown for quota: {{}}, resources: {','.join(unknown)}"
        delta = quota_usage.usage(resource, obj)
        if old is not None and quota_usage.concerns(quota, hard, resource, old):
            before = quota_usage.usage(resource, old)
            delta = quota_usage.less(delta, before)
        exceeded = quota_usage.exceeding(quota, delta)
        return f"exceeded quota: {{}}, {exceeded}" if exceeded else ""

    def after(self, key: Key, old: Object | None, new: Object | None) -> Iterator[tuple[Key, Object]]:
        """Quotas as they are once something was written, where they are other than before."""
        if not key.namespace:
            return
        if key.resource == QUOTAS and new is not None and _is_new(new):
            yield key, self._recounted(key, new)
        if not self._store.keys(QUOTAS, key.namespace):
            return
        for at, quota in self._of(key.namespace):
            if at == key:
                continue
            changed = self._moved(quota, key.resource, old, new)
            if changed is not None:
                yield at, changed

    def _of(self, namespace: str) -> list[tuple[Key, Object]]:
        found = ((key, self._store.get(key)) for key in self._store.keys(QUOTAS, namespace))
        return [(key, quota) for key, quota in found if quota is not None]

    def _recounted(self, key: Key, quota: Object) -> Object:
        hard = dict((quota.get("spec") or {}).get("hard") or {})
        used = dict.fromkeys(hard, "0")
        for resource in self._registry.namespaced():
            if not any(quota_usage.is_of(name, resource) for name in hard):
                continue
            for at in self._store.keys(resource, key.namespace):
                obj = self._store.get(at)
                if obj is not None and quota_usage.concerns(quota, hard, resource, obj):
                    taken = quota_usage.usage(resource, obj)
                    used = quota_usage.added(used, {k: v for k, v in taken.items() if k in hard})
        return self._told(quota, {"hard": hard, "used": used}, _COUNTER)

    def _moved(
        self, quota: Object, resource: tuple[str, str], old: Object | None, new: Object | None
    ) -> Object | None:
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        counted = used
        for obj, count in ((new, quota_usage.added), (old, quota_usage.less)):
            if obj is not None and quota_usage.concerns(quota, hard, resource, obj):
                taken = quota_usage.usage(resource, obj)
                counted = count(counted, {k: v for k, v in taken.items() if k in used})
        if counted == used:
            return None
        return self._told(quota, {**status, "used": counted}, _SERVER if old is None else _COUNTER)

    def _told(self, quota: Object, status: Mapping[str, Any], manager: str) -> Object:
        served = self._registry.of(QUOTAS)
        schema = served.schema if served is not None else None
        return ownership.track(
            quota,
            {**quota, "status": dict(status)},
            manager=manager,
            schema=schema,
            now=self._now(),
            subresource="status",
        )


def _handles(resource: tuple[str, str], obj: Object, old: Object | None, subresource: str) -> bool:
    """Whether a write may take more than there was."""
    if old is None:
        return not subresource
    if resource == PODS:
        ends = [(o.get("spec") or {}).get("activeDeadlineSeconds") is not None for o in (obj, old)]
        return subresource == "resize" or (not subresource and ends[0] is not ends[1])
    return not subresource and resource in _GROWING


def _is_new(quota: Object) -> bool:
    """Whether a quota has not been counted since it came to limit what it does."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    return canonical_json(hard) != canonical_json((quota.get("status") or {}).get("hard"))
