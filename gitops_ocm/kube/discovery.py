"""Which kinds an API serves, and how: discovery documents as `Resource`s, and a cache of them.

The parsers are pure. `Mapper` asks again when a kind is missing, but not often: a CRD that was just
installed is found within seconds, one that will never come costs two requests a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Kind, Resource, split_api_version
from gitops_ocm.runtime.clock import Clock, SystemClock

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def from_aggregated(document: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `APIGroupDiscoveryList`, versions in the server's order of preference."""
    found: list[Resource] = []
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or ():
            for entry in version.get("resources") or ():
                kind = entry.get("responseKind") or {}
                if not kind.get("kind"):
                    continue  # only subresources are served under this name
                found.append(
                    Resource(
                        group=kind.get("group") or name,
                        version=kind.get("version") or version.get("version", ""),
                        kind=kind["kind"],
                        plural=entry["resource"],
                        namespaced=entry.get("scope") == "Namespaced",
                        singular=entry.get("singularResource") or "",
                        short_names=tuple(entry.get("shortNames") or ()),
                        categories=tuple(entry.get("categories") or ()),
                        subresources=frozenset(
                            s["subresource"] for s in entry.get("subresources") or () if s.get("subresource")
                        ),
                        verbs=frozenset(entry.get("verbs") or ()),
                    )
                )
    return found


def stale_groups(document: Mapping[str, Any]) -> list[str]:
    """Group versions whose backend did not answer the aggregator: what they serve is not known."""
    return [
        f"{(group.get('metadata') or {}).get('name')}/{version.get('version')}"
        for group in document.get("items") or ()
        for version in group.get("versions") or ()
        if version.get("freshness") == "Stale"
    ]


def from_legacy(group_version: str, document: Mapping[str, Any]) -> list[Resource]:
    """The resources of one `APIResourceList`."""
    group, version = split_api_version(group_version)
    entries = [e for e in document.get("resources") or () if isinstance(e, Mapping)]
    below: dict[str, set[str]] = {}
    for entry in entries:
        parent, slash, child = str(entry.get("name", "")).partition("/")
        if slash:
            below.setdefault(parent, set()).add(child)
    return [
        Resource(
            group=entry.get("group") or group,
            version=entry.get("version") or version,
            kind=str(entry.get("kind", "")),
            plural=str(entry["name"]),
            namespaced=bool(entry.get("namespaced")),
            singular=str(entry.get("singularName") or ""),
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            subresources=frozenset(below.get(str(entry["name"]), ())),
            verbs=frozenset(entry.get("verbs") or ()),
        )
        for entry in entries
        if "/" not in str(entry.get("name", "/"))
    ]


def group_versions(document: Mapping[str, Any]) -> list[str]:
    """The group versions of an `APIGroupList`, the preferred one of each group first."""
    found: list[str] = []
    for group in document.get("groups") or ():
        preferred = (group.get("preferredVersion") or {}).get("groupVersion")
        versions = [v["groupVersion"] for v in group.get("versions") or ()]
        found += sorted(versions, key=lambda v: v != preferred)
    return found


class Mapper:
    """What a `Cluster` serves, remembered.

    The first question discovers; a kind not found asks again when the last discovery is older than
    `min_age` seconds. `known_*` answer from memory alone (None: not served, as far as is known).
    """

    def __init__(self, cluster: Cluster, *, clock: Clock | None = None, min_age: float = 5.0) -> None:
        self._cluster = cluster
        self._clock = clock or SystemClock()
        self._min_age = min_age
        self._lock = asyncio.Lock()
        self._discovered_at: float | None = None
        self.discovered = asyncio.Event()
        """Set once discovery has succeeded."""
        self._by_version: dict[tuple[str, str], Resource] = {}
        self._by_kind: dict[Kind, Resource] = {}
        self._by_plural: dict[tuple[str, str], Resource] = {}

    def known_for(self, api_version: str, kind: str) -> Resource | None:
        """How `kind` is served at exactly `api_version`."""
        return self._by_version.get((api_version, kind))

    def known_named(self, api_version: str, plural: str) -> Resource | None:
        """The resource that a URL calls `plural` at exactly `api_version`."""
        return self._by_plural.get((api_version, plural))

    def known_of(self, kind: Kind, version: str = "") -> Resource | None:
        """How `kind` is served, at the preferred version unless one is named."""
        if version:
            return self.known_for(f"{kind.group}/{version}" if kind.group else version, kind.kind)
        return self._by_kind.get(kind)

    def known(self) -> Sequence[Resource]:
        """Everything served."""
        return tuple(self._by_version.values())

    async def resource_for(self, api_version: str, kind: str) -> Resource | None:
        """As `known_for`, asking the server when it is not known."""
        found = self.known_for(api_version, kind)
        if found is None:
            await self.refresh()  # or wait for the one that is under way
            found = self.known_for(api_version, kind)
        return found

    async def resource_of(self, kind: Kind, version: str = "") -> Resource | None:
        """As `known_of`, asking the server when it is not known."""
        found = self.known_of(kind, version)
        if found is None:
            await self.refresh()
            found = self.known_of(kind, version)
        return found

    async def refresh(self, *, force: bool = False) -> bool:
        """Discover again, unless that was done just now; says whether it was done."""
        asked = self._clock.monotonic()
        async with self._lock:
            last = self._discovered_at
            fresh = last is not None and (last >= asked or asked - last < self._min_age)
            if fresh and not (force and last is not None and last < asked):
                return False
            self._learn(await self._cluster.discover())
            self._discovered_at = self._clock.monotonic()
            self.discovered.set()
            return True

    def _learn(self, resources: Iterable[Resource]) -> None:
        by_version: dict[tuple[str, str], Resource] = {}
        by_kind: dict[Kind, Resource] = {}
        for resource in resources:
            if not {"get", "list", "create"} & resource.verbs:
                continue
            by_version.setdefault((resource.api_version, resource.kind), resource)
            by_kind.setdefault(resource.of, resource)
        self._by_version, self._by_kind = by_version, by_kind
        self._by_plural = {(r.api_version, r.plural): r for r in by_version.values()}
