"""What kinds exist, how each is served, and by which schema: a value, extended by CRDs.

`runtime.catalog` fills it with the built-in kinds; `with_crd` adds a custom resource. A client of
a live API asks discovery instead (`kube.discovery.Mapper`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.schema import Schema


@dataclass(frozen=True, slots=True)
class Served:
    """One kind at one version.

    `load` makes the schema when it is first needed (None: there is none). `columns` are a CRD's
    `additionalPrinterColumns`, `selectable` the field-selector paths beside metadata's, `storage`
    marks the version objects are kept in, `custom` a kind that a CRD defines, `scale` where such a kind
    has its replicas (a CRD's `subresources.scale`), `deprecated` what to warn of whoever uses the version.
    """

    resource: Resource
    load: Callable[[], Schema | None] | None = None
    list_kind: str = ""
    columns: tuple[Mapping[str, Any], ...] = ()
    selectable: tuple[str, ...] = ()
    storage: bool = True
    custom: bool = False
    scale: Mapping[str, str] = field(default_factory=dict)
    deprecated: str = ""
    _memo: list[Schema | None] = field(default_factory=list, compare=False, repr=False)

    @property
    def schema(self) -> Schema | None:
        """The schema, made once."""
        if not self._memo:
            self._memo.append(self.load() if self.load else None)
        return self._memo[0]


class Catalog:
    """An immutable set of `Served`, looked up by (apiVersion, kind)."""

    __slots__ = ("_by_kind",)

    def __init__(self, served: Iterable[Served] = ()) -> None:
        self._by_kind: dict[tuple[str, str], Served] = {
            (s.resource.api_version, s.resource.kind): s for s in served
        }

    def served(self, api_version: str, kind: str) -> Served | None:
        """The whole entry, or None where the kind does not exist."""
        return self._by_kind.get((api_version, kind))

    def resource(self, api_version: str, kind: str) -> Resource | None:
        """How the kind is served, or None where it does not exist."""
        served = self._by_kind.get((api_version, kind))
        return served.resource if served else None

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The kind's schema; None where it does not exist or is not described."""
        served = self._by_kind.get((api_version, kind))
        return served.schema if served else None

    def resources(self) -> tuple[Resource, ...]:
        """Every resource, in the order it was added."""
        return tuple(s.resource for s in self._by_kind.values())

    def entries(self) -> tuple[Served, ...]:
        """Every entry, in the order it was added."""
        return tuple(self._by_kind.values())

    def with_served(self, served: Iterable[Served]) -> Catalog:
        """This catalog and more; an entry of the same kind and version is replaced."""
        return Catalog((*self._by_kind.values(), *served))

    def with_crd(self, crd: Object) -> Catalog:
        """This catalog with every served version of a CustomResourceDefinition, and only those."""
        return self.without_crd(crd).with_served(served_by(crd))

    def without_crd(self, crd: Object) -> Catalog:
        """This catalog without what that CustomResourceDefinition defines."""
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        return Catalog(
            s
            for s in self._by_kind.values()
            if not (s.custom and s.resource.group == group and s.resource.kind == kind)
        )


Versions = Sequence[Mapping[str, Any]]


def _warning(resource: Resource, version: Mapping[str, Any], versions: Versions) -> str:
    """What a definition says of its deprecated version, or which of the others to use instead."""
    text = f"{resource.api_version} {resource.kind} is deprecated"
    better = [v["name"] for v in versions if not v.get("deprecated") and _is_stable(v["name"])]
    instead = f"; use {resource.group}/{better[0]} {resource.kind}" if better else ""
    return str(version.get("deprecationWarning") or text + instead)


def _is_stable(version: str) -> bool:
    return version[:1] == "v" and version[1:].isdigit()


def served_by(crd: Object) -> tuple[Served, ...]:
    """The entries a CustomResourceDefinition (`apiextensions.k8s.io/v1`) makes."""
    spec = crd["spec"]
    names = spec["names"]
    base = Resource(
        group=spec["group"],
        version="",
        kind=names["kind"],
        plural=names["plural"],
        namespaced=spec.get("scope") == "Namespaced",
        singular=names.get("singular") or names["kind"].lower(),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
    )
    served = [v for v in spec.get("versions") or () if v.get("served")]
    return tuple(_version(base, names, v, served) for v in served)


def _version(
    base: Resource, names: Mapping[str, Any], version: Mapping[str, Any], versions: Versions
) -> Served:
    raw = (version.get("schema") or {}).get("openAPIV3Schema")
    resource = replace(
        base, version=version["name"], subresources=frozenset(version.get("subresources") or ())
    )
    return Served(
        resource,
        load=(lambda: Schema.from_openapi(raw)) if raw is not None else None,
        list_kind=names.get("listKind") or f"{names['kind']}List",
        columns=tuple(version.get("additionalPrinterColumns") or ()),
        selectable=tuple(f["jsonPath"].lstrip(".") for f in version.get("selectableFields") or ()),
        storage=bool(version.get("storage")),
        custom=True,
        scale=(version.get("subresources") or {}).get("scale") or {},
        deprecated=_warning(resource, version, versions) if version.get("deprecated") else "",
    )
