"""Claims, volumes and their classes stay while something uses them.

They carry a finalizer from their creation (`objects.native`). On a real cluster kube-controller-manager
takes it away once nothing uses them any more; here `upkeep` asks, whenever it looks at one that is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.native import CLAIM_PROTECTION, CLASS_PROTECTION, VOLUME_PROTECTION
from gitops_ocm.objects.ref import Object

CLAIMS, VOLUMES = ("", "persistentvolumeclaims"), ("", "persistentvolumes")
CLASSES, PODS = ("storage.k8s.io", "volumeattributesclasses"), ("", "pods")


def outlived(store: Store, key: Key, obj: Object) -> str:
    """The protecting finalizer of a deleted object that nothing uses; `""` where there is none."""
    finalizer, in_use = _PROTECTED.get(key.resource, ("", _never))
    held = finalizer in (obj["metadata"].get("finalizers") or ())
    return finalizer if held and not in_use(store, key, obj) else ""


def released(store: Store, key: Key) -> list[Key]:
    """What may be able to go, now that the object at `key` is gone."""
    if key.resource != PODS:
        return []
    return [
        claim
        for claim, obj in store.objects(CLAIMS).items()
        if claim.namespace == key.namespace and obj["metadata"].get("deletionTimestamp")
    ]


def _claimed(store: Store, key: Key, obj: Object) -> bool:
    for place, pod in store.objects(PODS).items():
        if place.namespace != key.namespace or (pod.get("status") or {}).get("phase") in _ENDED:
            continue
        for volume in (pod.get("spec") or {}).get("volumes") or ():
            if (volume.get("persistentVolumeClaim") or {}).get("claimName") == key.name:
                return True
    return False


def _bound(store: Store, key: Key, obj: Object) -> bool:
    return (obj.get("status") or {}).get("phase") == "Bound"


def _named(store: Store, key: Key, obj: Object) -> bool:
    users = (*store.objects(CLAIMS).values(), *store.objects(VOLUMES).values())
    return any((user.get("spec") or {}).get("volumeAttributesClassName") == key.name for user in users)


def _never(store: Store, key: Key, obj: Object) -> bool:
    return False


_ENDED = ("Succeeded", "Failed")
_PROTECTED: Mapping[tuple[str, str], tuple[str, Callable[[Store, Key, Object], bool]]] = {
    CLAIMS: (CLAIM_PROTECTION, _claimed),
    VOLUMES: (VOLUME_PROTECTION, _bound),
    CLASSES: (CLASS_PROTECTION, _named),
}
