"""What the server serves, as the documents clients discover it by: legacy and aggregated (v2).

Pure: made from a `Catalog`, which is a value, so the answers are kept until the catalog changes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.apiserver.subresources import kind_of, verbs_of
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.ref import Kind, Object, Resource

_CUSTOM_ORDER = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_NEW_EVENT = Kind("events.k8s.io", "Event")
_GROUP_ORDER = (
    *("", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
    *("autoscaling", "batch", "certificates.k8s.io", "networking.k8s.io", "policy"),
    *("rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io"),
    *("scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io"),
    "flowcontrol.apiserver.k8s.io",
)
"""Groups as kube-apiserver lists them, those of custom kinds after them: clients prefer the first."""
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
            for name, versions in sorted(found.items(), key=_group_rank)
        }
        self._by_path: dict[tuple[str, str, str], Served] = {
            (s.resource.group, s.resource.version, s.resource.plural): s for s in catalog.entries()
        }
        self._aggregated: dict[tuple[str, bool], tuple[Object, str]] = {}

    def built_in(self, group: str) -> bool:
        """Whether a group is of kinds that no CustomResourceDefinition adds."""
        found = self.groups.get(group)
        return found is not None and any(not s.custom for v in found.versions.values() for s in v)

    def served(self, group: str, version: str, plural: str) -> Served | None:
        """The entry a REST path names."""
        return self._by_path.get((group, version, plural))

    def _stored(self, served: Served) -> Served:
        """How the kind is kept: events of both groups as those of the core group."""
        resource = served.resource
        if resource.of == _NEW_EVENT:
            return self._by_path.get(("", "v1", resource.plural), served)
        versions = self.groups[resource.group].versions.values()
        found = (s for entries in versions for s in entries if s.resource.plural == resource.plural)
        return next((s for s in found if s.storage), served)

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
            # That of the core group has never said its version.
            **({"apiVersion": "v1"} if name else {}),
            "groupVersion": f"{name}/{version}" if name else version,
            "resources": [row for s in group.versions[version] for row in _legacy_rows(s, self._stored(s))],
        }

    def aggregated(self, version: str, *, core: bool) -> tuple[Object, str]:
        """The aggregated document of `/api` (core) or `/apis`, and its ETag."""
        key = (version, core)
        if key not in self._aggregated:
            groups = [g for g in sorted(self.groups.values(), key=_by_name) if (not g.name) is core]
            document = {
                "kind": "APIGroupDiscoveryList",
                "apiVersion": f"apidiscovery.k8s.io/{version}",
                "metadata": {},
                "items": [_aggregated_group(g) for g in groups],
            }
            self._aggregated[key] = (document, _etag(document))
        return self._aggregated[key]


def _group_rank(item: tuple[str, Iterable[str]]) -> tuple[int, str]:
    """Built-in groups first; others as the names of their versions' APIServices are sorted."""
    name, versions = item
    if name in _GROUP_ORDER:
        return _GROUP_ORDER.index(name), ""
    return len(_GROUP_ORDER), min(f"{version}.{name}" for version in versions)


def _by_name(group: Group) -> tuple[int, str]:
    """The order of the aggregated documents."""
    return (
        (_GROUP_ORDER.index(group.name), "")
        if group.name in _GROUP_ORDER
        else (len(_GROUP_ORDER), group.name)
    )


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: v2, v1, v1beta2, v1alpha1, then the rest by name."""
    match = _VERSION.match(version)
    if match is None:
        return (1, 0, 0, version)
    major, stage, minor = match.groups()
    return (0, -_STAGES[stage], -int(major) * 1000 - int(minor or 0), version)


def _legacy_rows(served: Served, stored: Served) -> Iterator[dict[str, Any]]:
    resource = served.resource
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(served),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.verbs & {"get", "list"}:
        row["storageVersionHash"] = _storage_hash(stored.resource)
    yield row
    for name in sorted(resource.subresources):
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **kind_of(resource, name),
            "verbs": verbs_of(name),
        }


def _aggregated_group(group: Group) -> dict[str, Any]:
    metadata = {"name": group.name} if group.name else {}
    versions = [
        {"version": v, "resources": [_aggregated_row(s) for s in served], "freshness": "Current"}
        for v, served in group.versions.items()
    ]
    return {"metadata": metadata, "versions": versions}


def _aggregated_row(served: Served) -> dict[str, Any]:
    resource = served.resource
    # Of a built-in kind the group and version are left open: they are those of the list.
    kind = {"group": "", "version": "", "kind": resource.kind}
    if served.custom:
        kind |= {"group": resource.group, "version": resource.version}
    row: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(served),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {
                "subresource": name,
                "responseKind": {**kind, **kind_of(resource, name)},
                "verbs": verbs_of(name),
            }
            for name in sorted(resource.subresources)
        ]
    return row


def _verbs(served: Served) -> list[str]:
    """A kind's verbs in the order that servers list them: another one for custom kinds."""
    held = served.resource.verbs
    return [verb for verb in _CUSTOM_ORDER if verb in held] if served.custom else sorted(held)


def _storage_hash(stored: Resource) -> str:
    """Changes when a kind comes to be stored in another version."""
    version = _STORED_AS.get(stored.kind, stored.version)
    name = f"{stored.group}/{version}/{stored.kind}"
    return base64.b64encode(hashlib.sha256(name.encode()).digest()[:8]).decode()


_STORED_AS = {"CustomResourceDefinition": "v1beta1", "VolumeAttributesClass": "v1beta1"}
"""Kinds that a kube-apiserver keeps in a version that it need not serve."""


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
