"""Namespaces: open for new objects, and emptied before they go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from gitops_ocm.apiserver.registry import NAMESPACE_RESOURCE, Registry
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.conditions import with_condition
from gitops_ocm.objects.faults import ApiError, forbidden, not_found
from gitops_ocm.objects.lifecycle import finished
from gitops_ocm.objects.native import NAMESPACE_FINALIZER
from gitops_ocm.objects.ref import Object, Resource

INITIAL = ("default", "kube-node-lease", "kube-public", "kube-system")
PROTECTED = ("default", "kube-system", "kube-public")


def check_deletable(resource: Resource, name: str) -> None:
    """Raise Forbidden for a namespace that has to stay."""
    if (resource.group, resource.plural) == NAMESPACE_RESOURCE and name in PROTECTED:
        raise forbidden("", "namespaces", name, "this namespace may not be deleted")


def namespace_key(name: str) -> Key:
    """Where a Namespace is kept."""
    return Key(*NAMESPACE_RESOURCE, "", name)


class Namespaces:
    """What a namespace lets in, and its emptying."""

    def __init__(self, store: Store, registry: Registry, now: Callable[[], datetime]) -> None:
        self._store = store
        self._registry = registry
        self._now = now

    def check_open(self, namespace: str, resource: Resource, name: str) -> None:
        """Raise NotFound or Forbidden where nothing can be created in the namespace."""
        found = self._store.get(namespace_key(namespace))
        if found is None:
            raise not_found("", "namespaces", namespace)
        if not found["metadata"].get("deletionTimestamp"):
            return
        plural = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        details = {"name": name, "group": resource.group, "kind": resource.plural, "causes": [cause]}
        raise ApiError(
            "Forbidden",
            f'{plural} "{name}" is forbidden: {why}' if name else f"{plural} is forbidden: {why}",
            details={k: v for k, v in details.items() if v},
        )

    def contents(self, namespace: str) -> list[Key]:
        """Every object in it."""
        return [key for r in self._registry.namespaced() for key in self._store.keys(r, namespace)]

    def step(self, obj: Object) -> Object | None:
        """A terminating namespace as it now should be; None where it is as it should be.

        With nothing left in it the finalizer goes, and with that the namespace; else its conditions
        say what remains.
        """
        remaining = self.contents(obj["metadata"]["name"])
        spec = obj.get("spec") or {}
        if not remaining:
            kept = [f for f in spec.get("finalizers") or () if f != NAMESPACE_FINALIZER]
            changed = {**obj, "spec": {**spec, "finalizers": kept} if kept else {}}
            return changed if changed != obj else None
        status = dict(obj.get("status") or {})
        conditions = status.get("conditions")
        for name, value, reason, message in self._conditions(remaining):
            conditions = with_condition(
                conditions, type=name, status=value, reason=reason, message=message, now=self._now()
            )
        if conditions == status.get("conditions"):
            return None
        return {**obj, "status": {**status, "conditions": conditions}}

    def _conditions(self, remaining: list[Key]) -> Iterator[tuple[str, str, str, str]]:
        yield (
            "NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered",
            "All resources successfully discovered",
        )  # fmt: skip
        yield (
            "NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        )  # fmt: skip
        yield (
            "NamespaceDeletionContentFailure", "False", "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        )  # fmt: skip
        kinds = Counter(f"{key.plural}.{key.group}" for key in remaining)
        listed = ", ".join(f"{kind} has {n} resource instances" for kind, n in sorted(kinds.items()))
        yield (
            "NamespaceContentRemaining", "True", "SomeResourcesRemain",
            f"Some resources are remaining: {listed}",
        )  # fmt: skip
        finalizers: Counter[str] = Counter()
        for key in remaining:
            found = self._store.get(key)
            finalizers.update((found or {}).get("metadata", {}).get("finalizers") or ())
        listed = ", ".join(f"{name} in {n} resource instances" for name, n in sorted(finalizers.items()))
        yield (
            "NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {listed}",
        )  # fmt: skip


def is_done(obj: Object) -> bool:
    """Whether a terminating namespace has no finalizer left."""
    return finished(obj)
