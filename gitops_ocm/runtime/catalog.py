"""The kinds known without asking any server: Kubernetes' own, from packaged data, and OCM's.

The data was written from a real kube-apiserver (`tools/builtin_schemas.py`). Resources are read at
once, schemas when the first of them is needed. What a live server serves is told by its discovery
(`kube.discovery`), not here.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.catalog import Catalog, Served, served_by
from gitops_ocm.objects.ref import Kind, Resource
from gitops_ocm.objects.schema import Definitions, Schema

if TYPE_CHECKING:
    from gitops_ocm.api.crd import ConversionWebhook
    from gitops_ocm.api.scheme import Definition, Version

GroupVersionKind = tuple[str, str, str]

SELECTABLE: Mapping[Kind, tuple[str, ...]] = {
    Kind("", "Pod"): (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    Kind("", "Event"): (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
    Kind("", "Secret"): ("type",),
    Kind("", "Namespace"): ("status.phase",),
    Kind("", "Node"): ("spec.unschedulable",),
    Kind("", "ReplicationController"): ("status.replicas",),
    Kind("", "Service"): ("spec.clusterIP", "spec.type"),
    Kind("batch", "Job"): ("status.successful",),
    Kind("certificates.k8s.io", "CertificateSigningRequest"): ("spec.signerName",),
}  # fmt: skip
"""Fields that a field selector may ask of a built-in kind, beside its name and namespace."""


class DescriptionsUnreadable(GitopsError):
    """The file that was named as descriptions of the built-in kinds is none."""

    code = "descriptions-unreadable"


def load_catalog(*, ocm: bool = True) -> Catalog:
    """The built-in kinds; with `ocm` also those of Open Cluster Management and our own."""
    return _with_ocm() if ocm else _built_in()


@lru_cache(maxsize=1)
def committed_kinds() -> Catalog:
    """The kinds that a commit may hold: these, and the versions that a hub with OCM's conversion serves."""
    from gitops_ocm.api.crd import ConversionWebhook
    from gitops_ocm.api.scheme import SCHEME

    converts = (definition for definition in SCHEME if any(v.converted for v in definition.versions))
    webhook = ConversionWebhook()
    return load_catalog().with_served(s for d in converts for s in _ours(d, webhook))


def kubernetes_version() -> Mapping[str, str]:
    """`gitVersion`, `major` and `minor` of the server the built-in kinds were read from."""
    version: Mapping[str, str] = _packaged()["version"]
    return version


@lru_cache(maxsize=1)
def definitions() -> Mapping[str, Any]:
    """Every built-in definition by name, as OpenAPI v3 without prose."""
    return _read("definitions")


@lru_cache(maxsize=1)
def _letters() -> Mapping[str, Mapping[str, str]]:
    return _read("fields")


def descriptions(path: Path | None) -> Mapping[str, Mapping[str, str]]:
    """The prose of built-in definitions, by definition and property; a definition's own under `""`.

    It is Kubernetes' own text and no part of this package: `tools/builtin_schemas.py --descriptions`
    writes the file from a real server. Without one there is none. Read anew each time: half a megabyte
    that is only needed while a document is made of it.
    """
    if path is None:
        return {}
    try:
        found: Mapping[str, Mapping[str, str]] = orjson.loads(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DescriptionsUnreadable(
            f"{path} has no descriptions of kinds: {error}",
            hint="write it with tools/builtin_schemas.py --descriptions FILE URL",
        ) from None
    return found


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads(gzip.decompress((_data() / f"{name}.json.gz").read_bytes()))
    return found


@lru_cache(maxsize=1)
def definition_names() -> Mapping[GroupVersionKind, str]:
    """The name of the definition that describes a built-in kind."""
    return {
        (of["group"], of["version"], of["kind"]): name
        for name, definition in definitions().items()
        if len(owners := definition.get("x-kubernetes-group-version-kind", ())) == 1
        for of in owners
    }


@lru_cache(maxsize=1)
def _packaged() -> Mapping[str, Any]:
    packaged: Mapping[str, Any] = orjson.loads((_data() / "resources.json").read_bytes())
    return packaged


def _data() -> Traversable:
    return files("gitops_ocm") / "apiserver" / "builtin"


@lru_cache(maxsize=1)
def _with_ocm() -> Catalog:
    from gitops_ocm.api.scheme import SCHEME

    return _built_in().with_served(served for definition in SCHEME for served in _ours(definition))


def _ours(definition: Definition, conversion: ConversionWebhook | None = None) -> Iterator[Served]:
    """What its CustomResourceDefinition makes; models are loaded when somebody asks for the schema."""
    from gitops_ocm.api.crd import crd

    versions = {version.name: version for version in definition.versions}
    for served in served_by(crd(definition, conversion_webhook=conversion, schemas=False)):
        yield replace(served, load=partial(_our_schema, versions[served.resource.version]))


def _our_schema(version: Version) -> Schema:
    from gitops_ocm.api.crd import version_schema

    return Schema.from_openapi(version_schema(version))


@lru_cache(maxsize=1)
def _built_in() -> Catalog:
    compiled = Definitions(lambda name: definitions()[name], lambda name: _letters().get(name, {}))
    rows: list[Mapping[str, Any]] = _packaged()["resources"]
    seen: set[Kind] = set()
    served = []
    for row in rows:
        resource = _resource(row)
        # The first version listed is the group's preferred one, and the one objects are kept in.
        served.append(
            Served(
                resource,
                load=_loader(compiled, (resource.group, resource.version, resource.kind)),
                list_kind=f"{resource.kind}List",
                selectable=SELECTABLE.get(resource.of, ()),
                storage=resource.of not in seen,
            )
        )
        seen.add(resource.of)
    return Catalog(served)


def _loader(compiled: Definitions, kind: GroupVersionKind) -> Callable[[], Schema | None]:
    def load() -> Schema | None:
        name = definition_names().get(kind)
        return compiled.node(name) if name else None

    return load


def _resource(row: Mapping[str, Any]) -> Resource:
    return Resource(
        group=row["group"],
        version=row["version"],
        kind=row["kind"],
        plural=row["plural"],
        namespaced=row["namespaced"],
        singular=row["singular"],
        short_names=tuple(row.get("shortNames", ())),
        categories=tuple(row.get("categories", ())),
        subresources=frozenset(row.get("subresources", ())),
        verbs=frozenset(row["verbs"]),
    )
