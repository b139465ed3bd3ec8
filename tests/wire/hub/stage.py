"""One case's corner of the hub: names of its own, and the few verbs that cases are written in.

Only the Kubernetes API is spoken here. Objects are cluster-scoped in part and hundreds of cases share a
hub, so every name has the case's prefix; `plain` takes it (and what differs in each run) off again, so
that a case can hold whole objects against literals.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.waiting import eventually

PATIENCE = float(os.environ.get("GITOPS_OCM_WIRE_PATIENCE", "60"))
"""Seconds a case waits for what it expects: many, for only a failure takes them all."""
MANAGER = "wire-suite"
"""Who owns the fields that cases write: people and agents, nobody whose controllers are judged."""
CLUSTER = "cluster.open-cluster-management.io"
WORK = "work.open-cluster-management.io"
ADDON = "addon.open-cluster-management.io"
RBAC = "rbac.authorization.k8s.io"
_PASSING = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink")


@dataclass(frozen=True)
class Stage:
    """`prefix` is in all names; `kinds` says how kinds are served, by (apiVersion, kind)."""

    cluster: Cluster
    kinds: Mapping[tuple[str, str], Resource]
    prefix: str
    fleet: Stage | None = None
    """What all cases of a module share, where they do."""

    def name(self, short: str) -> str:
        """The real name of what the case calls `short`."""
        return f"{self.prefix}-{short}"

    def plain(self, value: Any) -> Any:
        """A value as the case knows it: short names."""
        match value:
            case str():
                short = value.replace(f"{self.prefix}-", "")
                return self.fleet.plain(short) if self.fleet else short
            case Mapping():
                return {self.plain(k): self.plain(v) for k, v in value.items()}
            case list() | tuple():
                return [self.plain(v) for v in value]
        return value

    def bare(self, obj: Object) -> Object:
        """An object with short names, without what differs in each run."""
        meta = {k: v for k, v in obj["metadata"].items() if k not in _PASSING}
        meta["ownerReferences"] = [
            {k: v for k, v in o.items() if k != "uid"} for o in meta.get("ownerReferences", ())
        ]
        if not meta["ownerReferences"]:
            del meta["ownerReferences"]
        found = self.plain({**obj, "metadata": meta})
        assert isinstance(found, dict)
        return found

    # --- verbs --------------------------------------------------------------------------------------

    def _resource(self, obj: Mapping[str, Any]) -> Resource:
        return self.kinds[obj["apiVersion"], obj["kind"]]

    async def create(self, obj: Object, status: Mapping[str, Any] | None = None) -> Object:
        """POST an object, then its status if one is given."""
        made = await self.cluster.create(self._resource(obj), obj, field_manager=MANAGER)
        if status is None:
            return made
        return await self.report(made, status)

    async def report(self, obj: Object, status: Mapping[str, Any]) -> Object:
        """Merge into the status of an object."""
        return await self.patch(obj, {"status": dict(status)}, subresource="status")

    async def patch(self, obj: Object, body: Mapping[str, Any], *, subresource: str = "") -> Object:
        """Merge-patch an object."""
        meta = obj["metadata"]
        place = (meta.get("namespace", ""), meta["name"])
        return await self.cluster.patch(
            self._resource(obj), *place, dict(body), subresource=subresource, field_manager=MANAGER
        )

    async def label(self, obj: Object, **labels: str | None) -> Object:
        """Set labels; None takes one away. `__` in a key is a dot, `_` a slash."""
        marks = {k.replace("__", ".").replace("_", "/"): v for k, v in labels.items()}
        return await self.patch(obj, {"metadata": {"labels": marks}})

    async def delete(self, obj: Object, propagation: str = "Background") -> None:
        """DELETE; already gone is fine."""
        meta = obj["metadata"]
        try:
            await self.cluster.delete(
                self._resource(obj), meta.get("namespace", ""), meta["name"], propagation=propagation
            )
        except ApiError as error:
            if error.http_code != 404:
                raise

    async def get(self, obj: Mapping[str, Any]) -> Object:
        """GET the object as it is now."""
        meta = obj["metadata"]
        return await self.cluster.get(self._resource(obj), meta.get("namespace", ""), meta["name"])

    async def find(self, api_version: str, kind: str, name: str, namespace: str = "") -> Object | None:
        """GET, None where there is none."""
        try:
            return await self.cluster.get(self.kinds[api_version, kind], namespace, name)
        except ApiError as error:
            if error.http_code == 404:
                return None
            raise

    async def list(self, api_version: str, kind: str, namespace: str = "", labels: str = "") -> list[Object]:
        """LIST, sorted by namespace and name."""
        page = await self.cluster.list(self.kinds[api_version, kind], namespace, label_selector=labels)
        return sorted(page.items, key=lambda o: (o["metadata"].get("namespace", ""), o["metadata"]["name"]))

    async def namespace(self, short: str) -> str:
        """Make a namespace."""
        name = self.name(short)
        await self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    # --- waiting ------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], Awaitable[Any]], what: str, within: float = PATIENCE) -> Any:
        """Wait until something holds."""
        return await eventually(holds, within, describe=f"{self.prefix}: {what}")

    async def becomes(
        self, look: Callable[[], Awaitable[Any]], wanted: Any, within: float = PATIENCE
    ) -> None:
        """Wait until a look gives exactly `wanted`; a failure shows both, field by field."""
        seen: Any = None

        async def same() -> bool:
            nonlocal seen
            seen = await look()
            return bool(seen == wanted)

        try:
            await eventually(same, within)
        except AssertionError:
            lines = "\n".join(differences(seen, wanted))
            raise AssertionError(f"{self.prefix} after {within:g} s:\n{lines}") from None

    async def gone(self, obj: Object, within: float = PATIENCE) -> None:
        """Wait until an object is no longer there."""

        async def absent() -> bool:
            try:
                found = await self.get(obj)
            except ApiError as error:
                return error.http_code == 404
            return bool(found["metadata"]["uid"] != obj["metadata"].get("uid", found["metadata"]["uid"]))

        await self.until(absent, f"{obj['kind']} {obj['metadata']['name']} gone", within)


def conditions(obj: Mapping[str, Any]) -> dict[str, tuple[str, str, str]]:
    """An object's conditions: type → (status, reason, message)."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return {c["type"]: (c["status"], c.get("reason", ""), c.get("message", "")) for c in found}


def differences(seen: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, one line each."""
    if isinstance(seen, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*seen, *wanted}, key=str):
            yield from differences(seen.get(key), wanted.get(key), f"{path}.{key}")
    elif isinstance(seen, list) and isinstance(wanted, list) and len(seen) == len(wanted):
        for at, pair in enumerate(zip(seen, wanted, strict=True)):
            yield from differences(*pair, f"{path}[{at}]")
    elif seen != wanted:
        yield f"{path or 'value'}: seen {seen!r}, wanted {wanted!r}"
