"""A real server and the embedded one, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object, Resource


@dataclass(frozen=True)
class Side:
    """One of the two servers, and how it serves each kind."""

    cluster: Cluster
    kinds: Mapping[tuple[str, str], Resource]


@dataclass(frozen=True)
class Both:
    """The real server, the embedded one, and names that nothing else on them has."""

    real: Side
    ours: Side
    namespace: str
    values: Mapping[str, str]

    def filled(self, obj: Object) -> Object:
        """An object of the file with the run's own names, in the run's namespace."""
        result: Object = _replaced(obj, self.values)
        resource = self.real.kinds[result["apiVersion"], result["kind"]]
        if resource.namespaced:
            result["metadata"]["namespace"] = self.namespace
        return result


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_replaced(k, values): _replaced(v, values) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(item, values) for item in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
    return value
