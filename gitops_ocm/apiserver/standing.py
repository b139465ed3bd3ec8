"""What every namespace has: objects that are there from its first moment, and come back when they go.

On a real cluster kube-controller-manager sees to that for the ServiceAccount `default` and for the ConfigMap
with the server's CA, which is what `serve` has kept here. Part of `upkeep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitops_ocm.apiserver.namespaces import namespace_key
from gitops_ocm.apiserver.registry import NAMESPACE_RESOURCE, Registry
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects.ref import Object

ROOT_CA = "kube-root-ca.crt"
MANAGER = "kube-controller-manager"
_ABOUT_CA = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
    "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
)


def usual(ca: str) -> tuple[Object, ...]:
    """What a Kubernetes cluster whose server has this CA keeps in its namespaces."""
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": ROOT_CA, "annotations": {"kubernetes.io/description": _ABOUT_CA}},
            "data": {"ca.crt": ca},
        },
    )


class Standing:
    """The objects that every namespace has; none until `keep` names them."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry
        self._objects: dict[Key, Object] = {}

    def keep(self, objects: Iterable[Object]) -> None:
        """Have these from now on; kinds that are not served are passed over."""
        self._objects = {}
        for obj in objects:
            key = self._registry.key_of(obj["apiVersion"], obj["kind"], "", obj["metadata"]["name"])
            if key is not None:
                self._objects[key] = obj

    def home_of(self, key: Key) -> str:
        """The namespace to look at after a change of what is kept there; `""` for none."""
        if key.resource == NAMESPACE_RESOURCE:
            return key.name
        return key.namespace if key._replace(namespace="") in self._objects else ""

    def missing(self, namespace: str) -> Iterator[Object]:
        """What has to be created in a namespace, unless that is on its way out."""
        home = self._store.get(namespace_key(namespace))
        if home is None or home["metadata"].get("deletionTimestamp"):
            return
        for key, obj in self._objects.items():
            if self._store.get(key._replace(namespace=namespace)) is None:
                yield obj

    def altered(self, namespace: str) -> Iterator[tuple[Key, Object]]:
        """What somebody has changed in a namespace, as it has to be."""
        for key, obj in self._objects.items():
            here = key._replace(namespace=namespace)
            found = self._store.get(here)
            if found is None or found["metadata"].get("deletionTimestamp"):
                continue
            wanted = {**found, **{k: v for k, v in obj.items() if k != "metadata"}}
            if wanted != found:
                yield here, wanted
