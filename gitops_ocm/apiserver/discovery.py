"""What the server serves, as the documents clients discover it by: legacy and aggregated (v2).

Pure: made from a `Catalog`, which is a value, so the answers are kept until the catalog changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.ref import Object, Resource

SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
TOKEN = {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"}
_OTHER_KINDS = {"scale": SCALE, "token": TOKEN}
"""Subresources that show and take another kind than their resource."""
_SUBRESOURCE_VERBS = {"finalize": ("update",), "token": ("create",)}
_VERSION = re.compile(r"^v(\d+)(?:(alpha|beta)(\d+))?$")
_STAGES = {None: 2, "beta": 1, "alpha": 0}


@dataclass(frozen=True)
class Group:
    """One API group with its versions, the preferred one first."""

    name: str
    versions: Mapping[str, tuple[Served, ...]]

    @property
    def preferred(self) -> str:
        """The version clients should use."""
        return next(iter(self.versions))

    def document(self) -> Object:
        """The `APIGroup`, without apiVersion (as in the list)."""
        versions = [{"groupVersion": f"{self.name}/{v}", "version": v} for v in self.versions]
        return {"name": self.name, "versions": versions, "preferredVersion": versions[0]}


class Discovery:
    """The discovery documents of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        found: dict[str, dict[str, list[Served]]] = {}
        for served in catalog.entries():
            versions = found.setdefault(served.resource.group, {})
            versions.setdefault(served.resource.version, []).append(served)
        self.groups: dict[str, Group] = {
            name: Group(name, {v: tuple(versions[v]) for v in sorted(versions, key=version_rank)})
            for name, versions in found.items()
        }
        self._by_path: dict[tuple[str, str, str], Served] = {
            (s.resource.group, s.resource.version, s.resource.plural): s for s in catalog.entries()
        }
        self._aggregated: dict[tuple[str, bool], tuple[Object, str]] = {}

    def served(self, group: str, version: str, plural: str) -> Served | None:
        """The entry a REST path names."""
        return self._by_path.get((group, version, plural))

    def api_versions(self, address: str) -> Object:
        """`/api`."""
        return {
            "kind": "APIVersions",
            "versions": list(self.groups[""].versions) if "" in self.groups else [],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
        }

    def group_list(self) -> Object:
        """`/apis`."""
        groups = [g.document() for g in self.groups.values() if g.name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> Object | None:
        """`/apis/GROUP`."""
        group = self.groups.get(name) if name else None
        return {"kind": "APIGroup", "apiVersion": "v1", **group.document()} if group else None

    def resource_list(self, name: str, version: str) -> Object | None:
        """`/api/v1`, `/apis/GROUP/VERSION`."""
        group = self.groups.get(name)
        if group is None or version not in group.versions:
            return None
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": f"{name}/{version}" if name else version,
            "resources": [row for s in group.versions[version] for row in _legacy_rows(s.resource)],
        }

    def aggregated(self, version: str, *, core: bool) -> tuple[Object, str]:
        """The aggregated document of `/api` (core) or `/apis`, and its ETag."""
        key = (version, core)
        if key not in self._aggregated:
            groups = [g for g in self.groups.values() if (not g.name) is core]
            document = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"apidiscovery.k8s.io/{version}",
                "metadata": {},
                "items": [_aggregated_group(g) for g in groups],
            }
            self._aggregated[key] = (document, _etag(document))
        return self._aggregated[key]


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v2, v1, v1beta2, v1alpha1, then the rest by name."""
    match = _VERSION.match(version)
    if match is None:
        return (1, 0, 0, version)
    major, stage, minor = match.groups()
    return (0, -_STAGES[stage], -int(major) * 1000 - int(minor or 0), version)


def _legacy_rows(resource: Resource) -> Iterator[dict[str, Any]]:
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    yield row
    for name in sorted(resource.subresources):
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **_OTHER_KINDS.get(name, {"kind": resource.kind}),
            "verbs": _subresource_verbs(name),
        }


def _aggregated_group(group: Group) -> dict[str, Any]:
    metadata = {"name": group.name} if group.name else {}
    versions = [
        {"version": v, "resources": [_aggregated_row(s.resource) for s in served], "freshness": "Current"}
        for v, served in group.versions.items()
    ]
    return {"metadata": metadata, "versions": versions}


def _aggregated_row(resource: Resource) -> dict[str, Any]:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    row: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {
                "subresource": name,
                "responseKind": _OTHER_KINDS.get(name, kind),
                "verbs": _subresource_verbs(name),
            }
            for name in sorted(resource.subresources)
        ]
    return row


def _subresource_verbs(name: str) -> list[str]:
    return list(_SUBRESOURCE_VERBS.get(name, ("get", "patch", "update")))


def _etag(document: Object) -> str:
    return f'"{hashlib.sha512(repr(document).encode()).hexdigest().upper()}"'


def paths(groups: Iterable[Group]) -> list[str]:
    """What `GET /` lists, beside the fixed paths."""
    found = ["/api", "/api/v1", "/apis"]
    for group in groups:
        if group.name:
            found.append(f"/apis/{group.name}")
            found += [f"/apis/{group.name}/{version}" for version in group.versions]
    return found
