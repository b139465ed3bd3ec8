"""Garbage collection by owner references: which dependents go, wait or are let go.

An index of who depends on whom, and judgements over it; `upkeep` carries them out. The rules are
those of Kubernetes' garbage collector: an owner counts where an object with its coordinates has its
uid, in the dependent's own namespace or cluster-scoped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_ocm.apiserver.registry import Registry
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.lifecycle import FOREGROUND_FINALIZER
from gitops_ocm.objects.ref import Object


class Dependents:
    """Who names whom as an owner, by uid."""

    def __init__(self) -> None:
        self._of: dict[str, set[Key]] = {}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        """Take in one write."""
        before, after = owner_uids(old), owner_uids(new)
        for uid in before - after:
            self._of.get(uid, set()).discard(key)
        for uid in after - before:
            self._of.setdefault(uid, set()).add(key)

    def of(self, uid: str) -> list[Key]:
        """Dependents of the object with that uid, in key order."""
        return sorted(self._of.get(uid, ()))


def owner_uids(obj: Object | None) -> frozenset[str]:
    """The uids an object names as owners."""
    if obj is None:
        return frozenset()
    return frozenset(ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ())


class Collector:
    """Judges one object by its owner references."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def verdict(self, key: Key, obj: Object) -> tuple[str, list[dict[str, Any]]]:
        """What to do with a dependent, and the references that stay.

        `keep`: nothing. `release`: drop the dangling references. `delete` or `delete-foreground`:
        no owner stands behind it any more.
        """
        references: list[dict[str, Any]] = obj["metadata"].get("ownerReferences") or []
        if not references:
            return "keep", references
        states = [self._state(key, ref) for ref in references]
        solid = [ref for ref, state in zip(references, states, strict=True) if state == "solid"]
        if solid:
            return ("release", solid) if len(solid) < len(references) else ("keep", references)
        if "waiting" in states:
            return "delete-foreground", references
        return "delete", references

    def _state(self, key: Key, ref: dict[str, Any]) -> str:
        owner_key = self._registry.key_of(ref["apiVersion"], ref["kind"], key.namespace, ref["name"])
        if owner_key is None or (owner_key.namespace == "" and self._is_namespaced(ref)):
            # A kind that is not served, or a namespaced owner of a cluster-scoped object: unknown.
            return "solid"
        owner = self._store.get(owner_key)
        if owner is None or owner["metadata"].get("uid") != ref["uid"]:
            return "absent"
        meta = owner["metadata"]
        if meta.get("deletionTimestamp") and FOREGROUND_FINALIZER in (meta.get("finalizers") or ()):
            return "waiting"
        return "solid"

    def _is_namespaced(self, ref: dict[str, Any]) -> bool:
        resource = self._registry.catalog.resource(ref["apiVersion"], ref["kind"])
        return resource is not None and resource.namespaced

    def blocking(self, uid: str, dependents: list[Key]) -> Iterator[Key]:
        """Dependents whose reference blocks the foreground deletion of their owner."""
        for key in dependents:
            obj = self._store.get(key)
            for ref in (obj or {}).get("metadata", {}).get("ownerReferences") or ():
                if ref["uid"] == uid and ref.get("blockOwnerDeletion"):
                    yield key
                    break
